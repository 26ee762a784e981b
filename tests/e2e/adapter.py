"""Speaks the adapter protocol with one adapter process, without a broker between.

    with Adapter("slurm", provider, state_dir) as adapter:
        adapter.launch(token, command=["sh", "-c", "exit 3"])
        adapter.wait_phase(token, "exited")
"""

import base64
import json
import os
import pathlib
import queue
import subprocess
import threading
import uuid

from broker import DEADLINE_S, bin_dir, wait_for

OWNER = "01980000-0000-7000-8000-0000000000aa"


def new_token():
    return "w" + uuid.uuid4().hex


class RpcError(Exception):
    def __init__(self, error):
        super().__init__(error["message"])
        self.kind = error["data"]["kind"]


class Adapter:
    def __init__(self, kind, provider, state_dir, name="centre"):
        self.kind = kind
        self.provider = provider
        self.name = name
        self.state_dir = pathlib.Path(state_dir)
        self.state_dir.mkdir(parents=True, exist_ok=True)
        self.process = None
        self.next_id = 1
        self.log = open(self.state_dir.parent / f"{self.state_dir.name}.log", "ab")

    def start(self):
        self.process = subprocess.Popen(
            [str(bin_dir() / f"westerly-adapter-{self.kind}")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.log,
        )
        self.replies = {}
        self.lines = queue.Queue()
        threading.Thread(target=self._read, args=(self.process, self.lines), daemon=True).start()
        return self.call(
            "initialize", version=1, provider=self.name, owner=OWNER, state_dir=str(self.state_dir),
            config=self.provider["config"], sites=[one["site"] for one in self.provider["sites"]],
        )

    @staticmethod
    def _read(process, lines):
        try:
            for line in process.stdout:
                lines.put(json.loads(line))
        except ValueError:  # closed, or cut off in the middle of a line
            pass
        lines.put(None)

    def begin(self, method, **params):
        """Sends a request and does not wait."""
        ident, self.next_id = self.next_id, self.next_id + 1
        line = json.dumps({"jsonrpc": "2.0", "id": ident, "method": method, "params": params})
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return ident

    def answer(self, ident):
        while ident not in self.replies:
            message = self.lines.get(timeout=DEADLINE_S)
            if message is None:
                raise EOFError("the adapter ended")
            if "id" in message:
                self.replies[message["id"]] = message
        got = self.replies.pop(ident)
        if "error" in got:
            raise RpcError(got["error"])
        return got["result"]

    def call(self, method, **params):
        return self.answer(self.begin(method, **params))

    # Verbs

    def offers(self):
        return {one["name"]: one for one in self.call("offers")["offers"]}

    def request(self, token, offer="batch.64c-256g", command=("/bin/true",), stack="none", env=None, **more):
        """Params of a launch."""
        hexes = token[1:]
        return {
            "token": token, "fence": 1, "owner": OWNER, "workload": str(uuid.UUID(hexes)),
            "attempt": str(uuid.UUID(hexes)), "name": "probe", "tenant": "tenant",
            "site": self.provider["sites"][0]["site"], "offer": offer, "tasks": 1, "units": 1, "vcpus": 1,
            "memory_mib": 64, "disk_mib": 0, "run": {"stack": stack, "command": list(command), "env": env or {}},
            "has_files": False, "grace_s": 5, **more,
        }

    def launch(self, token, **more):
        return self.call("launch", **self.request(token, **more))

    def run(self, script, **more):
        """Launches `sh -c script` under a new token, which it gives."""
        token = new_token()
        reply = self.launch(token, command=("sh", "-c", script), **more)
        assert reply["outcome"] == "done", reply
        return token

    def find(self, token):
        return self.call("find", token=token)

    def look(self, token):
        """What `find` says, or None while the provider does not tell."""
        try:
            return self.find(token)
        except RpcError as refused:
            assert refused.kind == "unavailable", refused
            return None

    def cancel(self, token, grace_s=5):
        return self.call("cancel", token=token, grace_s=grace_s)

    def wait_phase(self, token, *phases, deadline_s=DEADLINE_S):
        def probe():
            seen = self.look(token)
            return seen if seen and seen["phase"] in phases else None

        return wait_for(f"{token} is {' or '.join(phases)}", probe, deadline_s)

    def logs(self, token, rank=0, stream="stdout"):
        got = self.call("logs", token=token, rank=rank, stream=stream, **{"from": 0})
        return base64.b64decode(got["base64"]).decode()

    # The process

    def kill(self):
        process, self.process = self.process, None
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()

    def stop(self):
        process, self.process = self.process, None
        if process is None:
            return None
        process.stdin.close()
        try:
            return process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            process.stdout.close()

    def restart(self):
        self.stop()
        return self.start()

    def log_text(self):
        return pathlib.Path(self.log.name).read_text(encoding="utf-8", errors="replace")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            self.log.close()
