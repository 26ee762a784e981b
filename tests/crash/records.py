"""What the providers and the tasks themselves wrote down, read without asking Westerly."""

import re
import time
from collections import defaultdict

LINE = re.compile(r"(begin|step|end) ([0-9a-f-]{36}) (\d+) (\d{13})$")
SLURM_ENDED = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "OUT_OF_MEMORY")


class Run:
    """An attempt as its own lines tell it."""

    def __init__(self):
        self.begun, self.ended = defaultdict(int), defaultdict(int)  # of each rank
        self.first_ms, self.last_ms = None, None

    def add(self, word, rank, at_ms):
        if word == "begin":
            self.begun[rank] += 1
        elif word == "end":
            self.ended[rank] += 1
        self.first_ms = min(self.first_ms or at_ms, at_ms)
        self.last_ms = max(self.last_ms or at_ms, at_ms)


def runs_of(world):
    """{workload: {attempt: Run}} from the files that the tasks wrote, of every provider."""
    folders = [world.broker.home / "adapters" / "mill"]
    folders += [folder for lab in world.labs.values() for folder in lab.shared.iterdir()]
    found = defaultdict(lambda: defaultdict(Run))
    for folder in folders:
        for file in folder.glob("checkpoints/*/ran"):
            for line in file.read_text(errors="replace").splitlines():
                said = LINE.search(line)
                if said:
                    found[file.parent.name][said[2]].add(said[1], int(said[3]), int(said[4]))
    return found


def local_record(world, token):
    """(start, end) in ms of the local adapter's folder of an attempt, and of its tasks; None where there is none."""
    folder = world.broker.home / "adapters" / "mill" / "attempts" / token
    try:
        verdict = (folder / "verdict").read_text().split()
        ends = [int(file.read_text().split()[0]) for file in folder.glob("tasks/*/ended")]
    except FileNotFoundError:
        return None
    return (int(verdict[1]), max([int(verdict[1]), *ends])) if verdict[0] == "go" and ends else None


def own_slurm_record(lab, token):
    """(start, end) in whole seconds of the file that the job itself wrote, for when Slurm has none."""
    for folder in lab.shared.glob(f"*/attempts/{token}"):
        try:
            began, ended = (int((folder / name).read_text().split()[0]) for name in ("began", "ended"))
        except (FileNotFoundError, IndexError):
            continue
        return began // 1000 * 1000, -(-ended // 1000) * 1000
    return None


def seconds_of(text):
    """Of a time in Slurm's file of ended jobs, which is local; None for "Unknown" and the like."""
    try:
        return int(time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%S")))
    except ValueError:
        return None


class SlurmRecords:
    """Every job that this controller knows or has written into its file of ended jobs, by job id and name."""

    def __init__(self, lab):
        self.jobs = lab.jobs()
        self.told = defaultdict(list)  # (id, name): [(start ms, end ms)…]
        self.known = {job["job_id"]: job for job in self.jobs}
        for job in self.jobs:
            if job["job_state"] in SLURM_ENDED:
                self.told[job["job_id"], job["name"]].append((job["start_time"] * 1000, job["end_time"] * 1000))
        file = lab.dir / "log" / "ended-jobs.txt"
        for line in file.read_text(errors="replace").splitlines() if file.exists() else []:
            words = dict(word.partition("=")[::2] for word in line.split())
            start, end = seconds_of(words.get("StartTime", "")), seconds_of(words.get("EndTime", ""))
            if start is not None and end is not None:
                self.told[int(words["JobId"]), words["Name"]].append((start * 1000, end * 1000))

    def ran_by_name(self):
        """{name: [ids]} of jobs that Slurm let run; held ones that came to nothing are not among them."""
        found = defaultdict(set)
        for job in self.jobs:
            if job["start_time"] and (job["job_state"] == "RUNNING" or job["end_time"] > job["start_time"]):
                found[job["name"]].add(job["job_id"])
        return found
