"""A real Slurm for end-to-end tests: tools/labs/slurm, and its daemons to kill."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from broker import ROOT, SKIPPED, also_at_end, wait_for

TOOLS = ROOT / "tools" / "labs" / "slurm"
API = "/slurm/v0.0.38"


def needed_or_skip():
    """Says aloud why there can be no Slurm here, and ends the program as skipped."""
    why = None
    if not os.environ.get("WESTERLY_SLURM"):
        why = "WESTERLY_SLURM is not set, which asks for a real Slurm (minutes; tools/check --full sets it)"
    elif os.geteuid() != 0:
        why = "a Slurm laboratory needs root"
    elif not shutil.which("apt-get") and not shutil.which("slurmctld"):
        why = "neither Slurm nor apt-get is here"
    if why:
        print(f"skipped: {why}", file=sys.stderr)
        sys.exit(SKIPPED)


class Lab:
    """One cluster. `settings` are the SLURM_LAB_* variables without that prefix."""

    alive = []

    def __init__(self, name, **settings):
        self.name = name
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix=f"westerly-{name}-", dir="/tmp"))
        self.dir.chmod(0o755)
        self.settings = {f"SLURM_LAB_{key.upper()}": str(value) for key, value in settings.items()}
        Lab.alive.append(self)

    def up(self):
        """Starts what does not run."""
        done = subprocess.run(
            [str(TOOLS / "up"), str(self.dir), self.name], env={**os.environ, **self.settings},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
            timeout=900,
        )
        if done.returncode != 0:
            raise RuntimeError(f"no Slurm: {done.stdout}{done.stderr}")
        told = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
        self.url, self.user, self.stranger = (told[f"SLURM_LAB_{key}"] for key in ("URL", "USER", "STRANGER"))
        self.token_file, self.key_file = told["SLURM_LAB_TOKEN_FILE"], told["SLURM_LAB_KEY_FILE"]
        self.shared = pathlib.Path(told["SLURM_LAB_SHARED"])
        self.environment = {**os.environ, "SLURM_CONF": told["SLURM_CONF"]}
        return self

    def whole(self):
        """Whether every daemon that was started still runs."""
        return all(running(int(file.read_text().split()[0])) for file in (self.dir / "run").glob("*.pid"))

    def down(self):
        subprocess.run([str(TOOLS / "down"), str(self.dir)], stdin=subprocess.DEVNULL, check=False, timeout=600)
        shutil.rmtree(self.dir, ignore_errors=True)
        if self in Lab.alive:
            Lab.alive.remove(self)

    def pid(self, daemon):
        return int((self.dir / "run" / f"{daemon}.pid").read_text().split()[0])

    def signal(self, daemon, number):
        os.kill(self.pid(daemon), number)

    def kill(self, daemon):
        """kill -9, and waits until it is gone."""
        pid = self.pid(daemon)
        os.kill(pid, signal.SIGKILL)
        wait_for(f"{daemon} is gone", lambda: not running(pid))

    def command(self, *words):
        """One of Slurm's own commands, as root."""
        return subprocess.run(words, env=self.environment, capture_output=True, text=True, timeout=60, check=False)

    def token(self, user=None, lifespan_s=3600):
        made = self.command("scontrol", "token", f"username={user or self.user}", f"lifespan={lifespan_s}")
        return made.stdout.strip().removeprefix("SLURM_JWT=")

    def rest(self, method, path, body=None, user=None):
        """A request of our own beside the adapter's: (status, decoded body)."""
        user = user or self.user
        request = urllib.request.Request(
            self.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"X-SLURM-USER-NAME": user, "X-SLURM-USER-TOKEN": self.token(user), "Content-Type": "application/json"},
        )
        # Under load slurmrestd resets a connection now and then; reading may be repeated.
        for last in (method != "GET", False, True):
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    return answer.status, json.loads(answer.read() or b"{}")
            except urllib.error.HTTPError as refused:
                text = refused.read().decode(errors="replace")
                try:
                    return refused.code, json.loads(text)
                except ValueError:
                    return refused.code, {"text": text}
            except OSError:
                if last:
                    raise
                time.sleep(1)
        raise AssertionError("not reached")

    def jobs(self):
        status, body = self.rest("GET", API + "/jobs")
        assert status == 200, body
        return body["jobs"]

    def job(self, ident):
        status, body = self.rest("GET", f"{API}/job/{ident}")
        return body["jobs"][0] if status == 200 else None

    def clear(self):
        """Ends every job, so that the next test finds the cluster empty."""
        if not self.whole():
            self.up()
        for user in (self.user, self.stranger):
            self.command("scancel", "--full", "-u", user)
        wait_for("no job is left", lambda: not self.command("squeue", "-h").stdout.strip())
        self.up()  # and no node drained

    def wait_saved(self):
        """Until the controller has saved its state: what was true at the call survives its kill."""
        now, file = time.time(), self.dir / "state" / "job_state"
        self.submit(hold=True)  # a change, so that there is something to save
        wait_for("the controller saves", lambda: file.exists() and file.stat().st_mtime > now)

    def submit(self, user=None, script="#!/bin/bash\nsleep 300\n", **fields):
        """A job beside ours."""
        job = {
            "name": "other", "current_working_directory": "/tmp", "environment": {"PATH": "/usr/bin:/bin"},
            "standard_output": "/dev/null", "standard_error": "/dev/null", **fields,
        }
        status, body = self.rest("POST", API + "/job/submit", {"job": job, "script": script}, user)
        assert status == 200, body
        return body["job_id"]

    def provider(self, **config):
        """A provider file of this cluster."""
        return {
            "kind": "slurm",
            "display_name": f"Supercomputing centre {self.name}",
            "sites": [{"site": self.name, "region": "cn-ningxia", "jurisdiction": "CN"}],
            "config": {
                "endpoint": self.url,
                "user": self.user,
                "signing_key": {"file": self.key_file},
                "shared_directory": str(self.shared),
                "scratch_directory": "/tmp",
                "partitions": [{"partition": "batch", "units": ["core"]}, {"partition": "gpu", "units": ["card"]}],
                "accelerators": [
                    {"gres": "gpu:a100", "model": "A100-SXM4-80GB", "memory_gib": 80, "fp16_tflops": 312,
                     "stack": "cuda", "training": True, "inference": True},
                    {"gres": "npu:ascend910b", "model": "Ascend 910B", "memory_gib": 64, "stack": "cann",
                     "training": True, "inference": True},
                ],
                **config,
            },
            "prices": [
                {"price": {"amount": "3.60", "currency": "CNY"}, "source": "example price", "increment_s": 1,
                 "minimum_s": 0, "idle_w": 6, "max_w": 14}
            ],
            "offers_refresh_s": 1,
            "poll_s": 1,
        }


def end_all():
    for lab in list(Lab.alive):
        lab.down()


also_at_end.append(end_all)


def running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            return f.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def job_processes(lab, job_id):
    """Ids of the keepers of a job and of all processes below them."""
    parents, keepers = {}, []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as f:
                parents[int(entry)] = int(f.read().rpartition(")")[2].split()[1])
            with open(f"/proc/{entry}/cmdline", "rb") as f:
                words = f.read().decode(errors="replace")
            held = [os.readlink(f"/proc/{entry}/fd/{fd}") for fd in os.listdir(f"/proc/{entry}/fd")]
        except OSError:
            continue
        if words.startswith(f"slurmstepd: [{job_id}.") and any(one.startswith(str(lab.dir / "log")) for one in held):
            keepers.append(int(entry))
    found = list(keepers)
    for pid in found:
        found.extend(child for child, parent in parents.items() if parent == pid)
    return found


def end_processes(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
