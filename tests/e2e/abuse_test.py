"""10 000 mutated requests and 1 000 abused connections against a real broker while other clients read and submit: these
see no error, and the broker's memory and descriptors are afterwards where they were. No times are judged here:
`tools/bench abused_p99_ratio` does that."""

import asyncio
import contextlib
import json
import os
import random
import socket
import sys
import threading
import unittest

from abuse import REQUESTS_AT_ONCE, SOURCE, Abuse, raise_limit
from broker import DEADLINE_S, ROOT, Broker, begin, bin_dir, main, rss_kib, wait_for

REQUESTS, CONNECTIONS, SECONDS = 10_000, 1_000, 20
# What abuse may take: a thousand connections with their TLS state, of which 67 hold nearly 1 MiB of a body each.
RSS_PEAK_MIB = 256
RSS_AFTER_MIB = 128  # what allocators keep
PLACES_OF_AN_ADDRESS = 1_000
DATABASE_FILES_MAX = 20  # of eight readers and what moves the log, each with the file and its log
MARKET = {"kind": "catalogue", "sites": [{"site": "here", "region": "cn-here", "jurisdiction": "CN"}],
          "offers": [{"site": "here", "name": "small", "billing_mode": "on_demand", "unit": "node",
                      "compute_class": "general", "vcpus": 4, "memory_mib": 8192, "architecture": "x86_64",
                      "stacks": ["none"], "price": {"amount": "1", "currency": "CNY"}, "price_source": "example"}]}


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def opened(pid):
    """How many sockets and how many files the process has open."""
    found = []
    for number in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            found.append(os.readlink(f"/proc/{pid}/fd/{number}"))
    return [sum(one.startswith(kind) for one in found) for kind in ("socket:", "/")]


def sanitized(pid):
    with open(f"/proc/{pid}/maps", encoding="utf-8") as f:
        maps = f.read()
    return "libasan" in maps or "libtsan" in maps


class Abused(unittest.TestCase):
    def setUp(self):
        raise_limit()
        self.broker = Broker(providers={"market": MARKET})
        self.addCleanup(self.broker.close)
        self.broker.start()
        self.pid = self.broker.pid

    def start(self, command, key):
        return begin(self, command, self.broker.cli_environment(key))

    def watch(self, until):
        """The largest resident memory and number of descriptors until the event is set."""
        while not until.wait(0.05):
            self.rss_peak = max(self.rss_peak, rss_kib(self.pid))
            self.descriptors_peak = max(self.descriptors_peak, descriptors(self.pid))

    def open_connections(self):
        text = self.broker.client().request("GET", "/metrics").body.decode()
        return int(float(next(line for line in text.splitlines()
                              if line.startswith("westerly_http_connections ")).split()[1]))

    def test_others_go_on_and_nothing_is_left(self):
        others, abuser = self.broker.member_key("others"), self.broker.member_key("abuser")
        wait_for("connections of the set-up have ended or are idle", lambda: self.open_connections() < 10)
        for client in self.broker.clients:
            client.close()
        self.broker.clients.clear()
        before_rss, before_descriptors = rss_kib(self.pid), descriptors(self.pid)
        sockets_before, files_before = opened(self.pid)
        self.rss_peak, self.descriptors_peak = before_rss, before_descriptors
        over = threading.Event()
        watcher = threading.Thread(target=self.watch, args=(over,))
        watcher.start()
        self.addCleanup(watcher.join)
        self.addCleanup(over.set)

        load = self.start([bin_dir() / "westerly-load", "-o", "json", "--mix", "submit=1,read=8,list=1", "--rate", 50,
                           "--duration-s", SECONDS + 15, "--connections", 8, "--timeout-s", DEADLINE_S], others)
        abuse = self.start([sys.executable, ROOT / "tests" / "e2e" / "abuse.py", self.broker.port, REQUESTS, CONNECTIONS,
                            SECONDS], abuser)
        out, err = abuse.communicate(timeout=6 * DEADLINE_S)
        self.assertEqual(abuse.returncode, 0, err)
        seen = json.loads(out)
        print(out, file=sys.stderr)
        report, err = load.communicate(timeout=6 * DEADLINE_S)
        self.assertEqual(load.returncode, 0, report + err)

        answered = {int(name[5:]): times for name, times in seen.items() if name.startswith("HTTP ")}
        self.assertGreater(sum(answered.values()), REQUESTS // 2, seen)
        # Overload may be said (503); a defect (500) may not.
        self.assertEqual([status for status in answered if status >= 500 and status not in (501, 503, 505)], [], err)
        self.assertEqual(sum(times for name, times in seen.items() if name.startswith("as_")), CONNECTIONS)

        # Everything is given back: what still waits is ended by its limit, a minute at most. Connections to the database
        # are opened when they are needed and kept.
        wait_for("sockets are where they were", lambda: opened(self.pid)[0] <= sockets_before + 2,
                 deadline_s=2 * DEADLINE_S)
        self.assertLessEqual(opened(self.pid)[1], files_before + DATABASE_FILES_MAX)
        after_rss = rss_kib(self.pid)
        over.set()
        watcher.join()
        print(f"resident: {before_rss // 1024} MiB before, {self.rss_peak // 1024} at most, {after_rss // 1024} after;"
              f" descriptors: {before_descriptors} before, {self.descriptors_peak} at most", file=sys.stderr)
        self.assertGreater(self.descriptors_peak, before_descriptors + 100, "the abuse was none")
        if not sanitized(self.pid):
            self.assertLessEqual(self.rss_peak - before_rss, RSS_PEAK_MIB * 1024)
            self.assertLessEqual(after_rss - before_rss, RSS_AFTER_MIB * 1024)
        client = self.broker.client()
        self.assertEqual(client.request("GET", "/readyz").status, 200)
        self.assertEqual([one for one in self.broker.log_lines() if one.get("level") == "error"], [])

    def test_a_newcomer_is_greeted_while_others_come_and_go(self):
        """A socket must not be taken for ended because one that ended before had its place in the event loop."""
        abuse = Abuse(self.broker.port, self.broker.member_key("abuser"))
        threads = [threading.Thread(target=abuse.say, args=(100, 3, random.Random(i))) for i in range(REQUESTS_AT_ONCE)]

        async def come(failed):
            for _ in range(60):
                try:
                    abuse.drop(await abuse.open(tls=True))
                except OSError as why:
                    failed.append(repr(why))

        async def all_come(failed):
            await asyncio.gather(*(come(failed) for _ in range(32)))

        for thread in threads:
            thread.start()
        failed = []
        try:
            asyncio.run(all_come(failed))
        finally:
            for thread in threads:
                thread.join()
        self.assertEqual(failed, [])

    def test_one_address_cannot_take_all_places(self):
        held = []
        self.addCleanup(lambda: [one.close() for one in held])
        for _ in range(PLACES_OF_AN_ADDRESS + 5):
            held.append(socket.create_connection(("127.0.0.1", self.broker.port), DEADLINE_S, (SOURCE, 0)))
        # Those past the limit are closed at once; the broker gives a silent one ten seconds.
        held[-1].settimeout(DEADLINE_S)
        self.assertEqual(held[-1].recv(1), b"")
        self.assertEqual(self.broker.client().request("GET", "/readyz").status, 200)


if __name__ == "__main__":
    main()
