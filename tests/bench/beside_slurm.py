"""Side by side in one run: durable submits of westerlyd, and the two ways into a Slurm of this machine
(tools/labs/slurm): slurmrestd, and `sbatch`. Slurm's jobs are submitted held, so that none runs, and counted in its own
queue; then they are cancelled and the cluster is taken down. Needs root; elsewhere skipped aloud.

    WESTERLY_SLURM=1 python3 beside_slurm.py BIN-DIR [--quick]

Prints one JSON object a line on standard output, progress on standard error."""

import concurrent.futures
import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from abused import provider, say  # noqa: E402
from broker import Broker, bin_dir, end_at_once, wait_for  # noqa: E402
from slurm_lab import API, Lab, needed_or_skip  # noqa: E402

AT_ONCE = 8  # clients of each; more do not make either quicker on two cores
CLEARED_S = 300


def ours(seconds):
    """Distinct durable submits a second, 64 connections."""
    with Broker(providers={"bench": provider()}) as broker:
        client = broker.client()
        wait_for("the offers are there", lambda: b"\nwesterly_offers 1000\n" in client.request("GET", "/metrics").body)
        done = subprocess.run(
            [str(bin_dir() / "westerly-load"), "-o", "json", "--mix", "submit=1", "--rate", "max", "--repeat-share", "0",
             "--connections", "64", "--duration-s", str(seconds), "--count", "150000"],
            env=broker.cli_environment(broker.member_key("bench")), stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=seconds + 120, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stdout + done.stderr)
        report = json.loads(done.stdout)
        return report["requests"]["submit"]["answers"] / report["seconds"]


def queued(lab):
    return len(lab.command("squeue", "-h", "-o", "%i").stdout.split())


def per_s(lab, count, submit):
    """Runs `submit(number)` for each number on AT_ONCE threads; jobs in the queue afterwards, a second."""
    before, begun = queued(lab), time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        failed = [one for one in pool.map(submit, range(count)) if one]
    seconds = time.monotonic() - begun
    made = queued(lab) - before
    say(f"  {made} of {count} jobs held within {seconds:.1f} s", f"; first failure: {failed[0]}" if failed else "")
    if made < count // 2:
        raise RuntimeError("Slurm took too few to measure")
    return made / seconds


def over_slurmrestd(lab, count):
    address = urllib.parse.urlsplit(lab.url)
    headers = {"X-SLURM-USER-NAME": lab.user, "X-SLURM-USER-TOKEN": lab.token(), "Content-Type": "application/json"}
    lines = threading.local()

    def submit(number):
        job = {"name": f"bench-{number}", "current_working_directory": "/tmp", "environment": {"PATH": "/usr/bin:/bin"},
               "standard_output": "/dev/null", "standard_error": "/dev/null", "hold": True}
        if not hasattr(lines, "one"):
            lines.one = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        try:
            lines.one.request("POST", API + "/job/submit", json.dumps({"job": job, "script": "#!/bin/sh\ntrue\n"}), headers)
            answer = lines.one.getresponse()
            text = answer.read()
            return None if answer.status == 200 else text
        except (OSError, http.client.HTTPException) as broke:  # whether it came through is seen in the queue
            lines.one.close()
            return repr(broke)

    return per_s(lab, count, submit)


def by_sbatch(lab, count):
    def submit(_):
        done = lab.command("sbatch", f"--uid={lab.user}", "--hold", "--chdir=/tmp", "--output=/dev/null", "--wrap=true")
        return done.stderr if done.returncode else None

    return per_s(lab, count, submit)


def main():
    needed_or_skip()
    os.environ["WESTERLY_BIN_DIR"] = str(pathlib.Path(sys.argv[1]).resolve())
    count, seconds = (30, 1) if "--quick" in sys.argv else (300, 10)
    figures = {"beside_slurm_submit_per_s": ours(seconds)}
    lab = Lab("bench")
    try:
        lab.up()
        figures["slurmrestd_submit_per_s"] = over_slurmrestd(lab, count)
        figures["sbatch_per_s"] = by_sbatch(lab, count)
        lab.command("scancel", "--full", "-u", lab.user)
        wait_for("no job is left", lambda: queued(lab) == 0, deadline_s=CLEARED_S)
    finally:
        lab.down()
    for name, value in figures.items():
        print(json.dumps({"name": name, "value": round(value, 1), "unit": "1/s", "target": None, "met": None},
                         separators=(",", ":")))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end_at_once)
    main()
