"""Starts, stops, kills and reloads a real westerlyd under a temporary home, for end-to-end tests.

    with Broker(providers={"east": EAST, "west": WEST}) as broker:
        member = broker.member("vision")                  # a contract.Contract with a member's key
        made = member.request("POST", "/v1/workloads", {...})
        wait_for("the workload ends", lambda: ended(member, made.json["id"]))

The programs come from the folder in $WESTERLY_BIN_DIR, or from the first argument of a test program (`main` takes it).
Whatever a test leaves behind under its home (adapters, shims, tasks) is ended by process id, and the home removed.
"""

import atexit
import copy
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

SKIPPED = 77
DEADLINE_S = 90  # generous: a machine under load must not fail a test
ROOT = pathlib.Path(__file__).resolve().parents[2]
DEMO_PROVIDERS = ROOT / "tools" / "demo" / "providers"
ENDED = ("succeeded", "failed", "cancelled", "expired")

try:
    from contract import Contract
except ImportError as missing:
    # Said aloud, and known to CTest as skipped.
    print(f"skipped: {missing}; install python3-jsonschema", file=sys.stderr)
    sys.exit(SKIPPED)


def bin_dir():
    given = os.environ.get("WESTERLY_BIN_DIR")
    if not given:
        raise RuntimeError("set WESTERLY_BIN_DIR to the folder of westerlyd and the adapters, or give it first")
    return pathlib.Path(given)


also_at_end = []  # functions of other modules, called after the brokers are closed


@atexit.register
def close_all():
    """Ends what a program that broke off left running."""
    for end in [broker.close for broker in Broker.alive] + also_at_end:
        try:
            end()
        except Exception as failed:  # the others are to be ended all the same
            print(failed, file=sys.stderr)


def end_at_once(*_):
    """A test stopped from outside ends its brokers too; an exception would only fail the test at hand."""
    close_all()
    os._exit(143)


def main():
    """What a test program ends with: `program [BIN-DIR] [unittest arguments…]`."""
    if len(sys.argv) > 1 and os.path.isdir(sys.argv[1]):
        os.environ["WESTERLY_BIN_DIR"] = str(pathlib.Path(sys.argv.pop(1)).resolve())
    signal.signal(signal.SIGTERM, end_at_once)
    unittest.main(verbosity=2)


def begin(test, command, environment):
    """A process with its output caught, which ends with the test at the latest."""
    process = subprocess.Popen([str(one) for one in command], env=environment, text=True, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def end():
        if process.poll() is None:
            process.kill()
        process.communicate()

    test.addCleanup(end)
    return process


def wait_for(what, probe, deadline_s=DEADLINE_S, step_s=0.1):
    """The first truthy answer of `probe()`; AssertionError with the last answer past the deadline."""
    until = time.monotonic() + deadline_s
    while True:
        got = probe()
        if got:
            return got
        if time.monotonic() > until:
            raise AssertionError(f"after {deadline_s} s still waiting: {what}; last seen: {got!r}")
        time.sleep(step_s)


def demo_provider(name):
    """A provider file of the demonstration, as a dict of one's own."""
    return json.loads((DEMO_PROVIDERS / f"{name}.json").read_text(encoding="utf-8"))


def demo_sites():
    """The demonstration's east and west, whose offers refresh quickly."""
    return {name: {**demo_provider(name), "offers_refresh_s": 1} for name in ("east", "west")}


def processes_below(home):
    """Ids of processes that work below `home`: by command line, working directory, environment or open program."""
    found = []
    home = str(home)
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as f:
                if f.read().rpartition(")")[2].split()[0] == "Z":
                    continue
            texts = []
            for name in ("cmdline", "environ"):
                with open(f"/proc/{entry}/{name}", "rb") as f:
                    texts.append(f.read().decode(errors="replace"))
            texts.append(os.readlink(f"/proc/{entry}/cwd"))
        except OSError:
            continue
        if any(home in text for text in texts):
            found.append(int(entry))
    return found


def rss_kib(pid):
    """Resident memory of one process."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        return int(re.search(r"VmRSS:\s+(\d+) kB", f.read()).group(1))


# What the sanitizer builds write to standard error, with the lines that follow.
SANITIZER_REPORT = re.compile(r"(?:.*runtime error: |.*(?:ERROR|WARNING): \w+Sanitizer)(?:.*\n){1,40}")


class Broker:
    """One westerlyd. `providers` and `policies` are dicts of file name (without .json) to content, a dict or a text;
    `settings` is the content of westerlyd.yaml."""

    alive = []  # all whose home is there

    def __init__(self, providers=None, policies=None, settings=None, arguments=()):
        Broker.alive.append(self)
        self.home = self.make_home()
        self.home.chmod(0o711)  # tasks run as users of their own
        self.arguments = list(arguments)
        self.environment = None  # of westerlyd and its adapters; None: this process's own
        self.process = None
        self.operator_key = None
        self.port = None
        self.fingerprint = None
        self.out = self.home / "out"
        self.log = self.home / "log"
        self.clients = []
        for folder in ("providers", "policies"):
            (self.home / folder).mkdir()
        for name, content in (providers if providers is not None else demo_sites()).items():
            self.write_provider(name, content)
        for name, content in (policies or {}).items():
            self.write_policy(name, content)
        if settings:
            (self.home / "westerlyd.yaml").write_text(json.dumps(settings), encoding="utf-8")

    @staticmethod
    def make_home():
        return pathlib.Path(tempfile.mkdtemp(prefix="westerly-e2e-", dir="/tmp"))

    # Files; they count after the next start or reload().

    def write_provider(self, name, content):
        self._write(self.home / "providers" / f"{name}.json", content)

    def write_policy(self, name, content):
        self._write(self.home / "policies" / f"{name}.json", content)

    @staticmethod
    def _write(path, content):
        # As an editor does: a reader sees the old file or the new one.
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, indent=2)
        temporary = path.with_suffix(".new")
        temporary.write_text(text, encoding="utf-8")
        temporary.rename(path)

    # The process

    def start(self):
        """Starts it, or starts it again after stop() or kill(), and returns once it answers ready."""
        assert self.process is None, "it runs already"
        command = [str(bin_dir() / "westerlyd"), "--home", str(self.home), "--port", "0", *self.arguments]
        self.out.write_bytes(b"")
        with open(self.out, "ab") as out, open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=log, env=self.environment)
        told = wait_for("westerlyd says where it listens", self._told)
        self.port, self.fingerprint = int(told[0]), told[1]
        first = re.search(r"^operator key \(shown once\): (\S+)$", self.out.read_text(), re.M)
        if first:
            self.operator_key = first.group(1)
        probe = self.client("")
        wait_for("westerlyd is ready", lambda: probe.request("GET", "/readyz").status == 200)
        return self

    def _told(self):
        text = self.out.read_text()
        if self.process.poll() is not None:
            raise AssertionError(f"westerlyd ended with {self.process.returncode}:\n{text}\n{self.log_text()}")
        port = re.search(r"^westerlyd listens on https://127\.0\.0\.1:(\d+)$", text, re.M)
        fingerprint = re.search(r"fingerprint: ([0-9A-F:]+)$", text, re.M)
        return (port.group(1), fingerprint.group(1)) if port and fingerprint else None

    @property
    def pid(self):
        return self.process.pid

    def kill(self):
        """kill -9; adapters and tasks are left to what the product does about them."""
        self._end(signal.SIGKILL)

    def stop(self):
        """SIGTERM; gives the exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, how):
        for client in self.clients:
            client.close()
        self.clients = []
        process, self.process = self.process, None
        if process is None:
            return None
        if process.poll() is None:
            process.send_signal(how)
        try:
            return process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"westerlyd did not end within {DEADLINE_S} s of {how!r}") from None

    def restart(self):
        self.stop()
        return self.start()

    def reload(self):
        """SIGHUP: policies, providers and certificates are read anew. Returns at once; wait for what you expect."""
        self.process.send_signal(signal.SIGHUP)

    def log_text(self):
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def log_lines(self, event=None):
        """What it logged, as dicts; of one event only, if given."""
        lines = []
        for line in self.log_text().splitlines():
            try:
                one = json.loads(line)
            except ValueError:
                continue
            if event is None or one.get("event") == event:
                lines.append(one)
        return lines

    def close(self):
        """Ends everything that this test started, and removes the home."""
        try:
            self.stop()
        finally:
            # Adapters first end by themselves; shims and tasks outlive the broker by design.
            for _ in range(100):
                left = processes_below(self.home)
                if not left:
                    break
                for pid in left:
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                time.sleep(0.05)
            reports = SANITIZER_REPORT.findall(self.log_text())
            if os.environ.get("WESTERLY_E2E_KEEP"):
                print(f"kept: {self.home}", file=sys.stderr)
            else:
                shutil.rmtree(self.home, ignore_errors=True)
            if self in Broker.alive:
                Broker.alive.remove(self)
            if reports:
                raise AssertionError("a sanitizer reports, of westerlyd or an adapter:\n" + "\n".join(reports))

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, kind, *_):
        if kind is not None:
            print(self.log_text()[-8000:], file=sys.stderr)
        self.close()

    # Clients

    def client(self, key=None):
        """A checked client; with the operator's key unless another is given ("" for none)."""
        client = Contract(self.port, fingerprint=self.fingerprint, key=self.operator_key if key is None else key)
        client.document = self.document()
        self.clients.append(client)
        return client

    _document = None

    @classmethod
    def document(cls):
        """One document for all clients of a program, so that it knows everything that was visited."""
        if Broker._document is None:
            from contract import DOCUMENT, Document

            Broker._document = Document(DOCUMENT.read_text(encoding="utf-8"))
        return Broker._document

    def member_key(self, tenant, role="member"):
        """A new key of the tenant of that name, which is made if it is missing."""
        operator = self.client()
        known = {one["name"]: one["id"] for one in operator.items("/v1/tenants")}
        if tenant not in known:
            known[tenant] = operator.request("POST", "/v1/tenants", {"name": tenant}).json["id"]
        made = operator.request("POST", "/v1/keys", {"tenant": known[tenant], "name": tenant, "role": role})
        assert made.status == 201, made.body
        return made.json["secret"]

    def member(self, tenant, role="member"):
        return self.client(self.member_key(tenant, role))

    def cli_environment(self, key=None):
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.home),
            "WESTERLY_URL": f"https://127.0.0.1:{self.port}",
            "WESTERLY_FINGERPRINT": self.fingerprint,
            "WESTERLY_KEY": self.operator_key if key is None else key,
            "WESTERLY_PROFILE": str(self.home / "profile.json"),
        }

    def cli(self, *arguments, key=None, timeout=DEADLINE_S, variables=None, **more):
        """Runs `westerly` to its end, with further variables of the environment: a CompletedProcess with text."""
        return subprocess.run(
            [str(bin_dir() / "westerly"), *map(str, arguments)],
            env={**self.cli_environment(key), **(variables or {})}, stdin=subprocess.DEVNULL, capture_output=True,
            encoding="utf-8", timeout=timeout, check=False, **more,
        )

    def wait_offers(self, *providers):
        """Waits until each of these providers has an offer; gives all offers."""
        client = self.client()

        def probe():
            items = list(client.items("/v1/offers"))
            return items if set(providers) <= {one["provider"] for one in items} else None

        return wait_for(f"offers of {', '.join(providers)}", probe)


def workload(**fields):
    """A small batch workload, changed by `fields`."""
    base = {"kind": "batch", "name": "probe", "variants": [{"command": ["/bin/true"]}]}
    return {**copy.deepcopy(base), **fields}


def wait_state(client, ident, *states, deadline_s=DEADLINE_S):
    """The workload once it is in one of these states; fails at once when it has ended in another."""

    def probe():
        got = client.request("GET", f"/v1/workloads/{ident}").json
        if got["state"] in states:
            return got
        assert got["state"] not in ENDED, f"ended as {got['state']}, not {states}: {json.dumps(got)}"
        return None

    return wait_for(f"{ident} is {' or '.join(states)}", probe, deadline_s)


def wait_end(client, ident, deadline_s=DEADLINE_S):
    return wait_state(client, ident, *ENDED, deadline_s=deadline_s)
