"""Jobs of others at the same centres, with names and comments as near to ours as can be. They must not be touched."""

import re

from broker import wait_for

LIMIT_MIN = 60  # the centres allow no more; without one their default ends a job after 5

SCRIPT = """#!/bin/bash
echo begin >>{file}
until [ -e {go} ]; do sleep 0.5; done
echo end >>{file}
"""


class Strangers:
    """Those of one centre. All run, and Slurm has saved that, before the first fault."""

    def __init__(self, lab, owner, chance):
        self.lab = lab
        self.folder = lab.dir / "strangers"
        self.folder.mkdir()
        self.folder.chmod(0o1777)
        self.go = self.folder / "go"

        def token():
            return f"w{chance.getrandbits(128):032x}"

        other = "0" * 8 + owner[8:]
        self.jobs = [
            # (user, name, comment): another user's with our very mark; ours with another mark, with none, half a mark.
            (lab.stranger, token(), f"westerly owner={owner} provider={lab.name}"),
            (lab.stranger, "westerly", f"westerly owner={owner}"),
            (lab.user, token(), f"westerly owner={other} provider={lab.name}"),
            (lab.user, token(), f"westerly owner={owner} provider={lab.name}2"),
            (lab.user, token(), ""),
            (lab.user, "run-1", f"westerly owner={owner} provider={lab.name}"),
            (lab.user, "westerly", f"owner={owner}"),
        ]
        self.ids = [
            lab.submit(user, SCRIPT.format(file=self.file(number), go=self.go), name=name, comment=comment,
                       time_limit=LIMIT_MIN)
            for number, (user, name, comment) in enumerate(self.jobs)
        ]
        wait_for(f"strangers run at {lab.name}", lambda: all(map(self.began, range(len(self.jobs)))))
        lab.wait_saved()

    def file(self, number):
        return self.folder / f"{number}"

    def said(self, number):
        return self.file(number).read_text().split() if self.file(number).exists() else []

    def began(self, number):
        return self.said(number) == ["begin"]

    def faults(self):
        """Lets them go to their end, and tells what was done to them. `by_slurm`: those that a controller or node that
        was killed ended by itself, by its own record; nobody asked for that."""
        found = [f"{self.name(i)} was touched while it ran: {self.said(i)}" for i in range(len(self.jobs))
                 if not self.began(i)]
        asked = re.findall(r"REQUEST_KILL_JOB JobId=(\d+)", (self.lab.dir / "log" / "slurmctld.log").read_text())
        found += [f"{self.name(i)} was asked to end" for i, ident in enumerate(self.ids) if str(ident) in asked]
        self.go.touch()
        self.by_slurm = []
        for number, ident in enumerate(self.ids):
            wait_for(f"{self.name(number)} ends", lambda ident=ident: self.state(ident) not in ("RUNNING", "COMPLETING"))
            if self.began(number):
                self.by_slurm.append(f"{self.name(number)}: {self.state(ident)}")
        return found

    def state(self, ident):
        job = self.lab.job(ident)
        return job["job_state"] if job else "forgotten"

    def name(self, number):
        return f"the stranger's job {self.ids[number]} {self.jobs[number]} at {self.lab.name}"
