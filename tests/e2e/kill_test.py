"""Broker and adapter are killed while work runs: everything ends as it should, ran once, and is billed by the record.

The work itself shows how often it ran: each run appends a line to a file in its checkpoint directory, which all
attempts of a workload share. The provider's record is the local adapter's own files below its state directory.
"""

import calendar
import http.client
import os
import pathlib
import random
import signal
import statistics
import threading
import time
import unittest
from fractions import Fraction

import broker as e2e
from broker import Broker, wait_end, wait_for, wait_state

RUNS = 50
UIDS = 16384  # as many users as one local adapter hands out, from the base in its state file

SITE = {
    "kind": "local",
    "display_name": "A mill",
    "sites": [{"site": "mill", "region": "cn-ningxia", "jurisdiction": "CN"}],
    "config": {"sites": [{"site": "mill", "vcpus": 64, "memory_mib": 65536}]},
    "prices": [
        {
            "price": {"amount": "3.60", "currency": "CNY"},
            "source": "example price",
            "increment_s": 1,
            "minimum_s": 0,
            "idle_w": 6,
            "max_w": 14,
        }
    ],
    "offers_refresh_s": 1,
    "poll_s": 1,
}
PRICE_NANOS = 3_600_000_000

# Written with O_APPEND by the shell; a second run would add its own lines.
SCRIPT = """
ran=$WESTERLY_CHECKPOINT_DIR/ran
echo "begin $RUN $WESTERLY_WORKLOAD $WESTERLY_ATTEMPT $(date +%s%3N)" >>"$ran"
if [ "$SLEEP" = until-told ]; then
  until [ -e "$WESTERLY_CHECKPOINT_DIR/go" ]; do sleep 0.1; done
else
  sleep "$SLEEP"
fi
echo "end $RUN $WESTERLY_WORKLOAD $WESTERLY_ATTEMPT $(date +%s%3N)" >>"$ran"
exit "$CODE"
"""


def job(run, sleep_s, code=0):
    return {
        "kind": "batch",
        "name": f"run-{run}",
        "policy": "cheapest",
        "resources": {"vcpus": 1, "memory_mib": 64},
        "variants": [
            {"command": ["sh", "-c", SCRIPT], "env": {"RUN": str(run), "SLEEP": str(sleep_s), "CODE": str(code)}}
        ],
    }


def parent_of(pid):
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[1])


def adapters_of(broker):
    """Ids of the adapter processes that this westerlyd started."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        if parent_of(entry) != broker.pid:
            continue
        try:
            words = pathlib.Path(f"/proc/{entry}/cmdline").read_bytes()
        except OSError:
            continue
        if b"westerly-adapter-local" in words.split(b"\0")[0]:
            found.append(int(entry))
    return found


def end_process(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def task_processes(broker):
    """Processes under the users that this broker's local adapters hand out to tasks."""
    bases = [int(f.read_text().split()[3]) for f in broker.home.glob("adapters/*/state")]
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            status = pathlib.Path(f"/proc/{entry}/status").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        uid = int(fields["Uid"].split()[0])
        if any(base <= uid < base + UIDS for base in bases) and not fields["State"].strip().startswith("Z"):
            found.append((int(entry), fields["Name"].strip()))
    return found


def record_of(broker, token):
    """(start, end) in milliseconds, as the local adapter keeps them on disk; None where there is no end yet."""
    folder = broker.home / "adapters" / "mill" / "attempts" / token
    try:
        verdict = (folder / "verdict").read_text().split()
        ended = (folder / "tasks" / "0" / "ended").read_text().split()
    except FileNotFoundError:
        return None
    return int(verdict[1]), int(ended[0])


def to_ms(text):
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) * 1000 + int(text[20:23])


def micros_for(units, billed_ms):
    """round(price * units * time), half to even, in 10^-6."""
    return round(Fraction(PRICE_NANOS * units * billed_ms, 3_600_000 * 1000))


class KillTest(unittest.TestCase):
    def setUp(self):
        self.broker = Broker(providers={"mill": SITE})
        self.addCleanup(self.broker.close)
        self.broker.start()
        self.key = self.broker.member_key("millers")
        self.broker.wait_offers("mill")
        self.seed = int(os.environ.get("WESTERLY_SEED", random.SystemRandom().randrange(1 << 32)))
        self.random = random.Random(self.seed)
        print(f"{self.id()}: WESTERLY_SEED={self.seed}", flush=True)

    def member(self):
        return self.broker.client(self.key)

    def submit(self, jobs):
        client = self.member()
        ids = {}
        for one in jobs:
            made = client.request("POST", "/v1/workloads", one, {"Idempotency-Key": one["name"]})
            self.assertEqual(made.status, 201, made.body)
            ids[one["name"]] = made.json["id"]
        return ids

    def lines(self):
        """What the work wrote itself: {run: {"begin": [(workload, attempt, ms)…], "end": […]}}."""
        said = {}
        for file in self.broker.home.glob("adapters/mill/checkpoints/*/ran"):
            for line in file.read_text().splitlines():
                word, run, workload, attempt, at_ms = line.split()
                said.setdefault(run, {"begin": [], "end": []})[word].append((workload, attempt, int(at_ms)))
        return said

    def running(self):
        return sum(1 for one in self.lines().values() if len(one["end"]) < len(one["begin"]))

    def check(self, ids, codes):
        """Everything that the issue asks of workloads that have gone through kills."""
        client = self.member()
        ended = {name: wait_end(client, ident) for name, ident in ids.items()}
        stored = {}
        for one in client.items("/v1/workloads?limit=100"):
            stored.setdefault(one["spec"]["name"], []).append(one["id"])
        self.assertEqual({name: [ident] for name, ident in ids.items()}, stored, "lost, or submitted twice")

        said = self.lines()
        self.assertEqual(len(said), len(ids))
        overheads = []
        for name, ident in ids.items():
            code = codes[name]
            with self.subTest(workload=name):
                got = ended[name]
                self.assertEqual(got["state"], "failed" if code else "succeeded", got)
                self.assertEqual(got["exit_code"], code)
                mine = said[name.removeprefix("run-")]
                self.assertEqual((len(mine["begin"]), len(mine["end"])), (1, 1), f"did not run once: {mine}")
                # A launch that was cut off before it began is proved to have come to nothing, then made again.
                attempts = list(client.items(f"/v1/workloads/{ident}/attempts"))
                ran = [one for one in attempts if one["outcome"] != "never_started"]
                self.assertEqual([one["id"] for one in ran], [mine["begin"][0][1]], attempts)
                self.assertEqual(mine["begin"][0][0], ident)
                overheads.append(self.check_account(client, ident, ran[0], mine))
        # The provider's record spans the work's own times; what lies between is the start of the sandbox.
        self.assertLess(statistics.median(overheads), 1000, overheads)
        self.assertEqual(list(self.broker.client().items("/v1/orphans")), [])

    def check_account(self, client, ident, attempt, mine):
        usage = list(client.items(f"/v1/usage?workload={ident}"))
        charges = list(client.items(f"/v1/charges?workload={ident}"))
        self.assertEqual((len(usage), len(charges)), (1, 1))
        start, end = to_ms(usage[0]["start_at"]), to_ms(usage[0]["end_at"])
        self.assertEqual((start, end), record_of(self.broker, attempt["launch_token"]), "not the provider's record")
        self.assertEqual((to_ms(charges[0]["start_at"]), to_ms(charges[0]["end_at"])), (start, end))
        began, stopped = mine["begin"][0][2], mine["end"][0][2]
        self.assertLessEqual(start, began)
        # The record counts by a clock that cannot be set, the work reads the wall clock: each is cut to milliseconds.
        self.assertGreaterEqual(end + 2, stopped)
        billed_ms = -(-(end - start) // 1000) * 1000
        self.assertEqual(charges[0]["billed_ms"], billed_ms)
        cost = micros_for(charges[0]["units"], billed_ms)
        amount = charges[0]["billed_cost"]["amount"]
        self.assertEqual(Fraction(amount), Fraction(cost, 1_000_000))
        return (end - start) - (stopped - began)

    def check_nothing_left(self):
        wait_for("the tasks' processes are gone", lambda: not task_processes(self.broker))
        self.assertEqual(self.broker.stop(), 0)
        wait_for("nothing is left below the home", lambda: not e2e.processes_below(self.broker.home))

    def jobs(self, count, sleep_s):
        codes = {f"run-{i}": (0, 0, 0, 3)[i % 4] for i in range(count)}
        return [job(i, sleep_s, codes[f"run-{i}"]) for i in range(count)], codes

    def test_broker_is_killed_while_50_run(self):
        jobs, codes = self.jobs(RUNS, 8)
        ids = self.submit(jobs)
        wait_for("several run", lambda: self.running() >= 10)
        self.broker.kill()
        time.sleep(self.random.uniform(0, 1))  # work goes on meanwhile, and some may end
        self.broker.start()
        self.check(ids, codes)
        self.check_nothing_left()

    def test_broker_stays_away_until_all_have_ended(self):
        jobs, codes = self.jobs(10, 3)
        ids = self.submit(jobs)
        wait_for("all run", lambda: self.running() == 10)
        self.broker.kill()
        wait_for("all have ended unseen", lambda: self.running() == 0)
        self.broker.start()
        self.check(ids, codes)
        self.check_nothing_left()

    def test_adapter_is_killed_while_50_run(self):
        jobs, codes = self.jobs(RUNS, 8)
        ids = self.submit(jobs)
        wait_for("several run", lambda: self.running() >= 10)
        (first,) = adapters_of(self.broker)
        end_process(first)
        wait_for("another adapter runs", lambda: [p for p in adapters_of(self.broker) if p != first])
        self.check(ids, codes)
        self.check_nothing_left()

    def test_both_are_killed_at_random_while_submitting(self):
        jobs, codes = self.jobs(40, 2)
        acknowledged, failures = {}, []
        stop = threading.Event()
        submitter = threading.Thread(target=self.submit_stubbornly, args=(jobs, acknowledged, failures, stop))
        submitter.start()
        try:
            for kills in range(8):
                time.sleep(self.random.uniform(0.1, 1.5))
                if kills % 2 == 0:
                    for pid in adapters_of(self.broker):
                        end_process(pid)
                else:
                    self.broker.kill()
                    time.sleep(self.random.uniform(0, 0.3))
                    self.broker.start()
            submitter.join(e2e.DEADLINE_S)
        finally:
            stop.set()
            submitter.join()
        self.assertEqual(failures, [])
        self.assertEqual(len(acknowledged), len(jobs))
        self.check(acknowledged, codes)
        self.check_nothing_left()

    def submit_stubbornly(self, jobs, acknowledged, failures, stop):
        """A client that knows nothing but its idempotency keys; some requests it sends twice on purpose."""
        # Of its own: the broker's end closes the clients that belong to the test.
        client = e2e.Contract(self.broker.port, fingerprint=self.broker.fingerprint, key=self.key)
        for index, one in enumerate(jobs):
            for _ in range(1 + index % 2):
                while not stop.is_set():
                    client.port = self.broker.port  # it comes back at another one
                    try:
                        made = client.request("POST", "/v1/workloads", one, {"Idempotency-Key": one["name"]})
                    except (OSError, http.client.HTTPException):
                        client.close()
                        time.sleep(0.05)
                        continue
                    if made.status in (200, 201):
                        first = acknowledged.setdefault(one["name"], made.json["id"])
                        if first != made.json["id"]:
                            failures.append(f"{one['name']}: {first} and {made.json['id']}")
                        break
                    if made.status < 500:
                        failures.append(f"{one['name']}: {made.status} {made.body!r}")
                        break
                    time.sleep(0.05)
            time.sleep(0.05)
        client.close()

    def test_sigterm_leaves_work_running(self):
        ids = self.submit([job(0, "until-told")])
        wait_for("it runs", lambda: self.running() == 1)
        before = task_processes(self.broker)
        self.assertEqual(self.broker.stop(), 0)
        self.assertTrue(set(before) & set(task_processes(self.broker)), "the task was ended with the broker")
        self.broker.start()
        wait_state(self.member(), ids["run-0"], "active")
        (ran,) = self.broker.home.glob("adapters/mill/checkpoints/*/ran")
        (ran.parent / "go").touch()
        self.check(ids, {"run-0": 0})
        self.check_nothing_left()


if __name__ == "__main__":
    e2e.main()
