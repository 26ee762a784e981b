"""A real Slurm as a provider of a real broker: workloads to their billed end, and every part killed in the middle.

The work shows itself how often it ran: each run writes lines into its checkpoint directory, which all attempts of a
workload share. The provider's record is what slurmctld tells of each job.
"""

import calendar
import io
import os
import random
import re
import tarfile
import time
import unittest
from fractions import Fraction

import broker as e2e
import slurm_lab
from broker import Broker, wait_end, wait_for, wait_state, workload
from kill_test import end_process, parent_of
from slurm_lab import Lab

PRICE_NANOS = 3_600_000_000
NODE = {"vcpus": 40, "memory_mib": 1024}  # two tasks of this do not fit one node

# It says at every step that it lives, so that two runs at once would show.
SCRIPT = """
say() { echo "$1 $WESTERLY_ATTEMPT $(date +%s%3N)" >>"$WESTERLY_CHECKPOINT_DIR/ran"; }
say begin
for i in $(seq "$STEPS"); do say step; sleep 0.2; done
say end
"""


def shell(script, name="probe", **fields):
    env = fields.pop("env", {})
    return workload(name=name, compute_class="super", policy="cheapest",
                    variants=[{"command": ["sh", "-c", script], "env": env}], **fields)


def to_ms(text):
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) * 1000 + int(text[20:23])


def adapter_of(broker):
    """The id of the broker's Slurm adapter."""
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as f:
                words = f.read()
        except OSError:
            continue
        if b"westerly-adapter-slurm" in words.split(b"\0")[0] and parent_of(entry) == broker.pid:
            return int(entry)
    return None


class SlurmTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab("alpha").up()
        cls.addClassCleanup(cls.lab.down)

    def setUp(self):
        self.broker = Broker(providers={"alpha": self.lab.provider()})
        self.addCleanup(self.lab.clear)
        self.addCleanup(self.broker.close)
        self.broker.start()
        self.broker.wait_offers("alpha")
        self.key = self.broker.member_key("physics")

    def member(self):
        return self.broker.client(self.key)

    def submit(self, spec):
        made = self.member().request("POST", "/v1/workloads", spec)
        self.assertEqual(made.status, 201, made.body)
        return made.json["id"]

    def attempts(self, ident):
        return list(self.member().items(f"/v1/workloads/{ident}/attempts"))

    def job_of(self, attempt):
        return self.lab.job(attempt["handle"].split("/")[1])

    def check_account(self, ident, attempt):
        """Metered and billed by Slurm's own record, to the second."""
        job = self.job_of(attempt)
        (usage,) = [one for one in self.member().items(f"/v1/usage?workload={ident}") if one["attempt"] == attempt["id"]]
        (charge,) = [one for one in self.member().items(f"/v1/charges?workload={ident}") if one["attempt"] == attempt["id"]]
        self.assertEqual(to_ms(usage["start_at"]), job["start_time"] * 1000)
        self.assertEqual(to_ms(usage["end_at"]), job["end_time"] * 1000)
        billed_ms = (job["end_time"] - job["start_time"]) * 1000
        self.assertEqual(charge["billed_ms"], billed_ms)
        cost = round(Fraction(PRICE_NANOS * charge["units"] * billed_ms, 3_600_000 * 1000))
        self.assertEqual(Fraction(charge["billed_cost"]["amount"]), Fraction(cost, 1_000_000))

    def test_workload_runs_to_its_billed_end(self):
        tar = io.BytesIO()
        with tarfile.open(fileobj=tar, mode="w") as made:
            body = b"from the bundle\n"
            made.addfile(tarfile.TarInfo("given.txt"), io.BytesIO())
            info = tarfile.TarInfo("data.txt")
            info.size = len(body)
            made.addfile(info, io.BytesIO(body))
        member = self.member()
        bundle = member.request("POST", "/v1/bundles", tar.getvalue(), {"Content-Type": "application/x-tar"}).json["files"]
        spec = shell('ls; cat data.txt; echo "$GREETING" >&2; echo made >"$WESTERLY_OUTPUT_DIR/made.txt"; sleep 1.5',
                     env={"GREETING": "it's me"})
        spec["variants"][0]["files"] = bundle
        ident = self.submit(spec)
        self.assertEqual(wait_end(member, ident)["state"], "succeeded")
        log = member.request("GET", f"/v1/workloads/{ident}/logs").body.decode()
        self.assertEqual(log, "data.txt\ngiven.txt\nfrom the bundle\n")
        log = member.request("GET", f"/v1/workloads/{ident}/logs?stream=stderr").body.decode()
        self.assertEqual(log, "it's me\n")
        self.assertEqual(member.request("GET", f"/v1/workloads/{ident}/files/made.txt").body, b"made\n")
        (attempt,) = self.attempts(ident)
        self.check_account(ident, attempt)
        job = self.job_of(attempt)
        self.assertEqual((job["name"], job["user_name"]), (attempt["launch_token"], self.lab.user))
        self.assertLessEqual(len(job["comment"]), 512)

    def test_gang_and_codes_and_limits(self):
        member = self.member()
        wanted = {
            "gang": (shell("echo $WESTERLY_RANK; sleep 1", tasks=2, resources=NODE), "succeeded", 0),
            "code": (shell("exit 9"), "failed", 9),
            "limit": (shell("sleep 60", timing={"max_runtime_s": 2}), "expired", None),
            "cards": (shell("sleep 1", resources={"accelerators": [{"model": "Ascend 910B", "count": 2}]}), "succeeded", 0),
        }
        wanted["cards"][0]["variants"][0]["stack"] = "cann"
        ids = {name: self.submit(spec) for name, (spec, _, _) in wanted.items()}
        cancelled = self.submit(shell("sleep 600"))
        wait_state(member, cancelled, "active")
        member.request("POST", f"/v1/workloads/{cancelled}/cancel")
        for name, (_, state, code) in wanted.items():
            with self.subTest(name=name):
                got = wait_end(member, ids[name])
                self.assertEqual(got["state"], state, got)
                if code is not None:
                    self.assertEqual(got["exit_code"], code)
                self.check_account(ids[name], self.attempts(ids[name])[-1])
        self.assertEqual(wait_end(member, cancelled)["state"], "cancelled")
        self.assertEqual(self.job_of(self.attempts(ids["gang"])[-1])["node_count"], 2)
        self.assertEqual(self.job_of(self.attempts(ids["cards"])[-1])["tres_per_node"], "gres:npu:ascend910b:2")

    def lines(self, ident):
        """[(word, attempt, ms)…] of the work itself."""
        return [
            (word, attempt, int(ms))
            for file in self.lab.shared.glob(f"*/checkpoints/{ident}/ran")
            for word, attempt, ms in (line.split() for line in file.read_text().splitlines() if line.count(" ") == 2)
        ]

    def test_every_part_is_killed_and_nothing_is_lost_or_doubled(self):
        seed = int(os.environ.get("WESTERLY_SEED", random.SystemRandom().randrange(1 << 32)))
        print(f"WESTERLY_SEED={seed}", flush=True)
        chance = random.Random(seed)
        strangers = [
            self.lab.submit(self.lab.stranger, name=f"w{chance.getrandbits(128):032x}", comment="westerly owner=me"),
            self.lab.submit(name="westerly", comment="westerly owner=me provider=alpha"),
        ]
        self.lab.wait_saved()
        ids = []
        kills = [
            lambda: end_process(adapter_of(self.broker)), self.kill_broker, lambda: self.lab_kill("slurmctld"),
            lambda: self.lab_kill("slurmrestd"), lambda: end_process(adapter_of(self.broker)),
        ]
        for kill in kills:
            for _ in range(4):
                ids.append(self.submit(shell(SCRIPT, name=f"run-{len(ids)}", env={"STEPS": str(chance.randrange(5, 40))})))
            time.sleep(chance.uniform(0, 1.5))
            kill()
            wait_for("an adapter runs", lambda: adapter_of(self.broker))
        member, outcomes, proved = self.member(), {}, 0
        for ident in ids:
            with self.subTest(workload=ident):
                got = wait_end(member, ident, deadline_s=180)
                self.assertEqual(got["state"], "succeeded", got)
                said = self.lines(ident)
                self.assertEqual(sum(1 for word, _, _ in said if word == "end"), 1, "it did not end once")
                # One attempt after the other: lines of two never mix, and none begins twice.
                order = [attempt for i, (_, attempt, _) in enumerate(said) if i == 0 or said[i - 1][1] != attempt]
                self.assertEqual(len(order), len(set(order)), f"two ran at once: {said}")
                begun = [attempt for word, attempt, _ in said if word == "begin"]
                self.assertEqual(len(begun), len(set(begun)), "an attempt began twice")
                for attempt in self.attempts(ident):
                    outcomes[attempt["outcome"]] = outcomes.get(attempt["outcome"], 0) + 1
                    job = attempt["outcome"] == "succeeded" and self.job_of(attempt)
                    if job and job["name"] == attempt["launch_token"]:
                        self.check_account(ident, attempt)
                        proved += 1
        print(f"{len(ids)} workloads after {len(kills)} kills; attempts: {outcomes}; {proved} held against Slurm", flush=True)
        self.assertGreater(proved, len(ids) // 2)
        wait_for("nothing of ours is left", lambda: not [
            job for job in self.lab.jobs()
            if job["job_state"] in ("PENDING", "RUNNING") and job["name"].startswith("w") and job["name"] != "westerly"
            and job["user_name"] == self.lab.user
        ])
        self.assertEqual(list(self.broker.client().items("/v1/orphans")), [])
        # What the controller itself makes of them after its kill is its affair.
        asked = re.findall(r"REQUEST_KILL_JOB JobId=(\d+)", (self.lab.dir / "log" / "slurmctld.log").read_text())
        self.assertFalse({str(ident) for ident in strangers} & set(asked), "a stranger's job was touched")

    def kill_broker(self):
        self.broker.kill()
        self.broker.start()

    def lab_kill(self, daemon):
        self.lab.kill(daemon)
        self.lab.up()

    def test_token_that_ended_is_said_and_renewed(self):
        source = self.broker.home / "slurm-token"
        source.write_text(self.lab.token(lifespan_s=1))
        provider = self.lab.provider(token={"file": str(source)})
        del provider["config"]["signing_key"]
        time.sleep(1.5)
        self.broker.write_provider("alpha", provider)
        self.broker.restart()
        operator = self.broker.client()

        def health():
            return operator.request("GET", "/v1/providers/alpha").json.get("health", {})

        told = wait_for("the operator is told", lambda: (now := health()) and "ended at" in now.get("message", "") and now)
        self.assertNotEqual(told["state"], "ready")
        source.write_text(self.lab.token())
        wait_for("the provider is back", lambda: health().get("state") == "ready")
        self.assertEqual(wait_end(self.member(), self.submit(shell("true")))["state"], "succeeded")


if __name__ == "__main__":
    slurm_lab.needed_or_skip()
    e2e.main()
