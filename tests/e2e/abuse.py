"""Ill-behaved clients of a broker: mutated requests, and connections that are slow, half-open, oversized, no TLS, or left.

    python3 abuse.py PORT [REQUESTS [CONNECTIONS [SECONDS]]]      # a member's key in $WESTERLY_KEY

They come from an address of their own (127.0.0.2), as they would from another host. Same seed, same bytes. Spread over
SECONDS; ends when all have been said and the broker has closed them, or their time is over. Prints what came back as
JSON."""

import asyncio
import collections
import json
import os
import random
import re
import resource
import socket
import ssl
import struct
import sys
import threading
import time

SOURCE = "127.0.0.2"
ANSWER_S = 1.0  # a mutated request may well be one that the broker must wait for: then it is left
HELD_S = 15.0  # a connection that the broker does not end is left after so long; it gives a head ten seconds
REQUESTS_AT_ONCE = 16

WORKLOAD = {
    "kind": "batch", "name": "abused", "labels": {"team": "a"}, "policy": "balanced", "tasks": 1,
    "resources": {"vcpus": 2, "memory_mib": 2048}, "variants": [{"command": ["true"], "env": {"A": "b"}}],
    "work": {"runtime_s": 60}, "timing": {"max_runtime_s": 600},
    "constraints": {"jurisdictions": ["CN"], "max_rtt_ms": 60, "origin": {"latitude": 31.2, "longitude": 121.5},
                    "max_price_per_hour": {"amount": "100", "currency": "CNY"}},
}
NOBODY = "00000000-0000-7000-8000-000000000000"
BITS = (b"\x00", b"\xff\xfe", b"{", b"[" * 40, b'"', b"\\ud800", b"-1", b"1e999", b"9" * 40, b"\r\n", b"\n", b"null", b",",
        b"%00", b"../", b"\xc0\x80", b"\r\n\r\n", b": ", b"true")


def request(method, path, key, body=None, headers=b""):
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n".encode() + headers
    if body is not None:
        head += b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
    return head + b"\r\n" + (body or b"")


def corpus(key):
    text = json.dumps(WORKLOAD).encode()
    idem = b"Idempotency-Key: abuse\r\n"
    return [("POST", "/v1/workloads", text, b""), ("POST", "/v1/workloads", text, idem), ("POST", "/v1/plans", text, b""),
            ("GET", "/v1/workloads?limit=5&label=a=b&state=queued", None, b""), ("GET", f"/v1/workloads/{NOBODY}", None, b""),
            ("POST", f"/v1/workloads/{NOBODY}/cancel", b"{}", b""), ("GET", "/v1/offers?limit=2&region=cn-x", None, b""),
            ("GET", f"/v1/workloads/{NOBODY}/logs?from=0&rank=0", None, b""), ("GET", "/v1/events?limit=3", None, b""),
            ("GET", "/v1/charges?from=2026-01-01T00:00:00Z", None, b"Accept: application/json\r\n")]


def mutate(chance, data):
    data = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data)) if data else 0
        until = min(len(data), at + chance.choice((1, 2, 8, 64)))
        what = chance.randrange(6)
        if what == 0 and data:
            data[at] ^= 1 << chance.randrange(8)
        elif what == 1:
            del data[at:until]
        elif what == 2:
            data[at:at] = data[at:until] * chance.choice((1, 3, 50))
        elif what == 3:
            data[at:at] = chance.choice(BITS)
        elif what == 4:
            data[at:until] = chance.choice(BITS)
        elif what == 5 and data:
            other = chance.randrange(len(data))
            data[at], data[other] = data[other], data[at]
    return bytes(data)


def mutated(chance, key):
    """One request that is wrong somewhere: in its body with a true length, or anywhere."""
    method, path, body, headers = chance.choice(corpus(key))
    if body is not None and chance.random() < 0.7:
        return request(method, path, key, mutate(chance, body), headers)
    return mutate(chance, request(method, path, key, body, headers))


class Abuse:
    def __init__(self, port, key, seed=1):
        self.port, self.key = port, key
        self.chance = random.Random(seed)
        self.seen, self.lock = collections.Counter(), threading.Lock()
        self.examples = {}  # the first request of each status that tells a defect
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE

    def run(self, requests, connections, seconds):
        asyncio.run(self.everything(requests, connections, seconds))
        return self.seen

    async def everything(self, requests, connections, seconds):
        share = [requests // REQUESTS_AT_ONCE + (i < requests % REQUESTS_AT_ONCE) for i in range(REQUESTS_AT_ONCE)]
        threads = [threading.Thread(target=self.say, args=(count, seconds, random.Random(f"{self.chance.random()}")))
                   for count in share]
        for thread in threads:
            thread.start()
        ways = [getattr(self, name) for name in dir(self) if name.startswith("as_")]
        await asyncio.gather(*(self.one(ways[i % len(ways)], i * seconds / max(1, connections)) for i in range(connections)))
        for thread in threads:
            await asyncio.to_thread(thread.join)

    # Mutated requests: on threads with blocking sockets, which cost a third of what the loop's cost.

    def say(self, count, seconds, chance):
        line = None
        begun = time.monotonic()
        for i in range(count):
            time.sleep(max(0, begun + seconds * i / count - time.monotonic()))
            text = mutated(chance, self.key)
            keeps = False
            try:
                line = line or self.tls.wrap_socket(
                    socket.create_connection(("127.0.0.1", self.port), ANSWER_S, (SOURCE, 0)))
                line.sendall(text)
                status, keeps = self.answer(line)
                self.count(f"HTTP {status}")
                if status >= 500 and status not in (501, 503, 505):
                    self.examples.setdefault(status, text)
                # Of a head that was cut in two the rest is another request.
                keeps = keeps and text.count(b"\r\n\r\n") == 1
            except (OSError, ValueError) as left:
                self.count("request " + type(left).__name__)
            if line and not keeps:
                line.close()
                line = None
        if line:
            line.close()

    def count(self, what):
        with self.lock:
            self.seen[what] += 1

    @staticmethod
    def answer(line):
        got = b""
        while b"\r\n\r\n" not in got:
            piece = line.recv(65536)
            if not piece:
                raise ConnectionError("closed without an answer")
            got += piece
        head, _, body = got.partition(b"\r\n\r\n")
        head = head.decode("latin-1").lower()
        length = re.search(r"\r\ncontent-length: (\d+)", head)
        left = int(length.group(1)) - len(body) if length else 0
        while left > 0:
            piece = line.recv(65536)
            if not piece:
                raise ConnectionError("closed within an answer")
            left -= len(piece)
        return int(head.split(" ", 2)[1]), length is not None and "connection: close" not in head

    # Connections

    async def open(self, tls):
        return await asyncio.open_connection("127.0.0.1", self.port, ssl=self.tls if tls else None, limit=1 << 20,
                                             local_addr=(SOURCE, 0))

    @staticmethod
    def drop(line):
        if line:
            line[1].transport.abort()

    async def one(self, way, after):
        await asyncio.sleep(after)
        line = None
        try:
            line = await self.open(tls=way.__name__.startswith("as_tls"))
            await asyncio.wait_for(way(*line), HELD_S)
            self.count(way.__name__ + " was ended")
        except asyncio.TimeoutError:
            self.count(way.__name__ + " was left")
        except (OSError, ssl.SSLError, asyncio.IncompleteReadError) as ended:
            self.count(f"{way.__name__} {type(ended).__name__}")
        finally:
            self.drop(line)

    def hello(self):
        """What a TLS client says first."""
        said = ssl.MemoryBIO()
        talk = self.tls.wrap_bio(ssl.MemoryBIO(), said)
        try:
            talk.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return said.read()

    @staticmethod
    async def drip(writer, data, every_s):
        for i in range(len(data)):
            writer.write(data[i:i + 1])
            await writer.drain()
            await asyncio.sleep(every_s)

    @staticmethod
    async def to_the_end(reader):
        while await reader.read(65536):
            pass

    async def as_raw_silent(self, reader, _):
        await self.to_the_end(reader)

    async def as_raw_slow_hello(self, reader, writer):
        await self.drip(writer, self.hello(), 0.1)
        await self.to_the_end(reader)

    async def as_raw_half_open(self, reader, writer):
        writer.write(self.hello()[:-20])
        writer.write_eof()
        await self.to_the_end(reader)

    async def as_raw_rubbish(self, reader, writer):
        writer.write(b"\x16\x03\x01" + self.chance.randbytes(self.chance.choice((2, 40, 5000))))
        await self.to_the_end(reader)

    async def as_raw_changed_hello(self, reader, writer):
        hello = bytearray(self.hello())
        for _ in range(8):
            hello[self.chance.randrange(5, len(hello))] ^= 1 << self.chance.randrange(8)
        writer.write(bytes(hello))
        await self.to_the_end(reader)

    async def as_raw_aborted_handshake(self, _, writer):
        writer.write(self.hello())
        await asyncio.sleep(self.chance.choice((0, 0.005, 0.05)))
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async def as_tls_slow_head(self, reader, writer):
        await self.drip(writer, request("GET", "/v1/workloads", self.key, None, b"X: " + b"y" * 500 + b"\r\n"), 0.1)
        await self.to_the_end(reader)

    async def as_tls_slow_body(self, reader, writer):
        text = request("POST", "/v1/workloads", self.key, b" " * 500)
        writer.write(text[:-500])
        await self.drip(writer, text[-500:], 0.1)
        await self.to_the_end(reader)

    async def as_tls_half_open(self, reader, writer):
        writer.get_extra_info("socket").shutdown(socket.SHUT_WR)
        await self.to_the_end(reader)

    async def as_tls_huge_head(self, reader, writer):
        writer.write(b"GET /v1/workloads HTTP/1.1\r\nX: " + b"y" * 200_000)
        await writer.drain()
        await self.to_the_end(reader)

    async def as_tls_huge_body(self, reader, writer):
        writer.write(request("POST", "/v1/workloads", self.key)[:-2] + b"Content-Type: application/json\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(40):  # 2.5 MiB, of which 1 MiB is allowed
            writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
            await writer.drain()
        await self.to_the_end(reader)

    async def as_tls_held_body(self, reader, writer):
        writer.write(request("POST", "/v1/workloads", self.key, b" " * 1_000_000)[:-1])
        await writer.drain()
        await self.to_the_end(reader)

    async def as_tls_rubbish_below(self, reader, writer):
        os.write(writer.get_extra_info("socket").fileno(), b"\x17\x03\x03\x00\x40" + self.chance.randbytes(64))
        await self.to_the_end(reader)

    async def as_tls_aborted_body(self, _, writer):
        writer.write(request("POST", "/v1/workloads", self.key, b" " * 500_000)[:250_000])

    async def as_tls_never_reads(self, _, writer):
        writer.transport.pause_reading()
        for _ in range(100):
            writer.write(request("GET", "/openapi.json", self.key))
        await asyncio.sleep(HELD_S)


def raise_limit():
    """A thousand connections are more descriptors than a process has by default."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65536) if most > 0 else 65536, most))


def main():
    raise_limit()
    port, requests, connections, seconds = [int(one) for one in sys.argv[1:]] + [10_000, 1_000, 20][len(sys.argv) - 2:]
    abuse = Abuse(port, os.environ["WESTERLY_KEY"])
    print(json.dumps(dict(sorted(abuse.run(requests, connections, seconds).items())), indent=2))
    for status, text in abuse.examples.items():
        print(f"HTTP {status} to {text!r}", file=sys.stderr)


if __name__ == "__main__":
    main()
