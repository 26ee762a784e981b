"""After the faults: what the providers' own records say, held against what Westerly says."""

import calendar
import os
import pwd
import time
from collections import Counter, defaultdict
from fractions import Fraction

import broker as e2e
import kill_test
from broker import wait_for
from kill_test import PRICE_NANOS
from records import SlurmRecords, local_record, own_slurm_record, runs_of
from world import NODES

DRAIN_S = 600
START_MS = 20_000    # from Slurm's start of a job to its first line
KEEPER_MS = 20_000  # around a task: its sandbox is made, and the machine is busy with other things


def to_ms(text):
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) * 1000 + int(text[20:23])


def shim_lost(attempt):
    """Its keeper was killed: the task ended with it, and the adapter found that out when it next looked."""
    return "watched over it was killed" in attempt.get("message", "")


def owner_of(pid):
    try:
        return os.stat(f"/proc/{pid}").st_uid
    except FileNotFoundError:
        return None


def ran(job):
    return job["start_time"] < job["end_time"]


class Proof:
    """`wrong`: what is not as promised. `figures`: what was counted."""

    def __init__(self, world, client, member_key):
        self.world, self.client = world, client
        self.http = world.broker.client(member_key)
        self.operator = world.broker.client()
        self.wrong, self.figures = list(client.failures), Counter()

    def say(self, what):
        self.wrong.append(what)

    def drain(self):
        """Until every workload has ended; tells which has not."""
        def live():
            return [one for one in self.http.items("/v1/workloads?limit=100") if one["state"] not in e2e.ENDED]
        began = time.monotonic()
        left = []
        try:
            wait_for("all work has ended", lambda: not (left.clear() or left.extend(live()) or left), DRAIN_S, 0.5)
        except AssertionError:
            for one in left:
                self.say(f"not ended after {DRAIN_S} s: {one['id']} {one['state']} {self.attempts(one['id'])[-1:]}")
        self.figures["seconds until all had ended"] = round(time.monotonic() - began)

    def attempts(self, ident):
        return list(self.http.items(f"/v1/workloads/{ident}/attempts"))

    def judge(self):
        self.slurm = {name: SlurmRecords(lab) for name, lab in self.world.labs.items()}
        self.runs = runs_of(self.world)
        stored = defaultdict(list)
        for one in self.http.items("/v1/workloads?limit=100"):
            stored[one["spec"]["name"]].append(one)
        asked = self.client.acknowledged
        if {name: [one["id"] for one in found] for name, found in stored.items()} != {n: [i] for n, i in asked.items()}:
            self.say(f"lost or made twice: {set(asked) ^ set(stored)} {[n for n, f in stored.items() if len(f) != 1]}")
        self.usage, self.charges = defaultdict(list), defaultdict(list)
        for one in self.http.items("/v1/usage?limit=100"):
            self.usage[one["attempt"]].append(one)
        for one in self.http.items("/v1/charges?limit=100"):
            self.charges[one["attempt"]].append(one)
        self.figures["workloads"] = len(asked)
        for name, ident in asked.items():
            for one in stored[name]:
                if one["id"] == ident:
                    self.judge_workload(self.client.jobs[name], one)
        known = {one["id"] for found in stored.values() for one in found}
        for workload in set(self.runs) - known:
            self.say(f"{workload} ran and nobody asked for it")
        self.judge_jobs()

    def judge_workload(self, job, workload):
        ident, attempts = workload["id"], self.attempts(workload["id"])
        self.figures["attempts"] += len(attempts)
        if workload["state"] not in e2e.ENDED:
            return
        self.figures[f"workloads {workload['state']}"] += 1
        lost = workload["state"] == "failed" and attempts and shim_lost(attempts[-1])
        if not lost and not job.end_allowed(workload["state"]):
            self.say(f"{job.name} {ident} ({job.kind}) ended as {workload['state']}: {attempts}")
        if workload["state"] == "failed" and not lost and workload.get("exit_code") != job.code:
            self.say(f"{job.name} {ident} ended with {workload.get('exit_code')}, not {job.code}")
        runs = self.runs[ident]
        unknown = set(runs) - {one["id"] for one in attempts}
        if unknown:
            self.say(f"{ident} ran as attempts {unknown}, which nobody knows")
        for attempt, run in runs.items():
            if max(run.begun.values(), default=0) > 1:
                self.say(f"{ident}: attempt {attempt} began twice: {dict(run.begun)}")
        order = sorted(runs.items(), key=lambda one: one[1].first_ms)
        for (one, before), (other, after) in zip(order, order[1:]):
            if before.last_ms >= after.first_ms:
                self.say(f"{ident}: attempts {one} and {other} ran at once, "
                         f"{before.first_ms}–{before.last_ms} and {after.first_ms}–{after.last_ms}")
        if workload["state"] in ("succeeded", "failed") and not lost:
            ended = [attempt for attempt, run in order if set(run.ended) == set(range(job.tasks))]
            if ended != [attempts[-1]["id"]]:
                self.say(f"{ident} has {workload['state']}, by its own lines ended: {ended}, attempts {attempts}")
        for attempt in attempts:
            self.judge_attempt(attempt, runs.get(attempt["id"]))

    def judge_attempt(self, attempt, run):
        ident, outcome = attempt["id"], attempt.get("outcome")
        self.figures[f"attempts {outcome}"] += 1
        usage, charges = self.usage[ident], self.charges[ident]
        if attempt["state"] != "ended":
            self.say(f"attempt {ident} has not ended, its workload has: {attempt}")
        elif run and outcome == "never_started":
            self.say(f"attempt {ident} ran, and counts as never started: {attempt}")
        elif len(usage) > 1 or len(charges) != len(usage) or (run and not usage):
            self.say(f"attempt {ident} has {len(usage)} usages and {len(charges)} charges: {attempt}")
        elif usage:
            self.judge_account(attempt, run, usage[0], charges[0])

    def judge_account(self, attempt, run, usage, charge):
        times = to_ms(usage["start_at"]), to_ms(usage["end_at"])
        if attempt["provider"] == "mill":
            told, whose = [local_record(self.world, attempt["launch_token"])], "the local adapter's"
            ran_ms = run.last_ms - run.first_ms if run else 0
            if not ran_ms <= times[1] - times[0] <= ran_ms + KEEPER_MS and not shim_lost(attempt):
                self.say(f"metered {times[1] - times[0]} ms, ran {ran_ms} ms: {attempt}")
        else:
            job_id = int(attempt["handle"].split("/")[1]) if attempt.get("handle") else 0
            records = self.slurm[attempt["provider"]]
            told, whose = records.told[job_id, attempt["launch_token"]], "Slurm's"
            # The controller has forgotten the job, or that it ever started: then it was cancelled as one that waits, and
            # has no time. It may have written it into its file of ended jobs before, which nobody can ask for.
            known = records.known.get(job_id)
            if times not in told and not (known and known["name"] == attempt["launch_token"] and ran(known)):
                # Its start may have been Slurm's word while it knew it; its end is its own.
                told, whose = [own_slurm_record(self.world.labs[attempt["provider"]], attempt["launch_token"])], "the job's own"
                if told[0] and abs(told[0][0] - times[0]) <= START_MS:
                    told = [(times[0], told[0][1])]
        self.figures[f"attempts metered as {whose} record"] += times in told
        if not usage["measured"]:
            self.figures["attempts metered to the last sighting, and marked so"] += 1
        elif times not in told:
            self.say(f"metered {times}, {whose} record says {told}: {attempt} {usage}")
        billed_ms = -(-(times[1] - times[0]) // 1000) * 1000
        cost = round(Fraction(PRICE_NANOS * charge["units"] * billed_ms, 3_600_000 * 1000))
        if (to_ms(charge["start_at"]), to_ms(charge["end_at"])) != times or charge["billed_ms"] != billed_ms or Fraction(
                charge["billed_cost"]["amount"]) != Fraction(cost, 1_000_000):
            self.say(f"charged otherwise than metered: {usage} {charge}")
        self.figures["seconds metered"] += billed_ms // 1000

    def judge_jobs(self):
        """One job per launch token, by Slurm's own word."""
        for name, records in self.slurm.items():
            for token, ids in records.ran_by_name().items():
                if len(ids) > 1 and not token.startswith("westerly"):
                    self.say(f"{name} ran the jobs {sorted(ids)} for the token {token}")
            self.figures[f"jobs that {name} knows"] = len(records.jobs)

    def visit_nodes(self):
        """One more gang at each centre, over all its nodes: what hard kills left there is removed by the next job."""
        for name in self.world.labs:
            spec = {
                "kind": "batch", "name": f"visit-{name}", "compute_class": "super", "tasks": NODES,
                "resources": {"vcpus": 40, "memory_mib": 64}, "variants": [{"command": ["true"]}],
                "constraints": {"providers": {"allow": [name]}},
            }
            made = self.http.request("POST", "/v1/workloads", spec)
            ended = e2e.wait_end(self.http, made.json["id"], DRAIN_S)
            if ended["state"] != "succeeded":
                self.say(f"the last visit to {name} ended as {ended}")

    def nothing_left(self, stranger_ids):
        """No job, process, orphan or scratch folder of ours. Ends the broker."""
        def jobs():
            return [
                (name, job["job_id"], job["name"], job["job_state"]) for name, lab in self.world.labs.items()
                for job in lab.jobs()
                if job["job_state"] in ("PENDING", "RUNNING", "SUSPENDED") and job["job_id"] not in stranger_ids[name]
                and job["comment"].startswith("westerly owner=")
            ]
        self.none("jobs", jobs)
        self.none("orphans", lambda: list(self.operator.items("/v1/orphans")))
        self.none("tasks", lambda: kill_test.task_processes(self.world.broker))
        for lab in self.world.labs.values():
            self.none(f"scratch folders at {lab.name}", lambda: list((lab.dir / "scratch").iterdir()))
        if self.world.broker.stop() != 0:
            self.say("westerlyd did not stop cleanly")
        self.none("processes", lambda: e2e.processes_below(self.world.broker.home))

    def no_job_processes(self):
        """At the centres; once the strangers have gone too."""
        for name, lab in self.world.labs.items():
            users = {pwd.getpwnam(user).pw_uid for user in (lab.user, lab.stranger)}
            self.none(f"processes at {name}", lambda: [
                pid for pid in e2e.processes_below(lab.dir) if owner_of(pid) in users
            ])

    def none(self, what, probe):
        try:
            wait_for(f"no {what} are left", lambda: not probe(), 60)
        except AssertionError:
            self.say(f"{what} are left: {probe()}")
