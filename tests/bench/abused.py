"""How much longer other clients wait at p99 while a broker is abused: 10 000 mutated requests and 1 000 abused connections
(tests/e2e/abuse.py) beside a steady load of submits, reads and lists, against the same load before it, on the same broker.

    python3 abused.py BIN-DIR [--quick]

Prints one JSON object a line on standard output, progress on standard error. The abuser is nice: it stands for other
hosts, so what it takes of this machine's processors is not to be taken for the broker's doing."""

import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from abuse import HELD_S  # noqa: E402
from broker import ROOT, Broker, bin_dir, end_at_once, rss_kib, wait_for  # noqa: E402

TARGET = 3
SITES = [{"site": f"site-{i}", "region": f"cn-{i}", "jurisdiction": "CN"} for i in range(10)]
ABUSER = ROOT / "tests" / "e2e" / "abuse.py"


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def provider():
    return {"kind": "bench", "display_name": "For measuring", "adapter_command": [str(bin_dir() / "bench_provider")],
            "offers_refresh_s": 86400, "lost_after_s": 86400, "poll_s": 3600, "limits": {"call_timeout_s": 3600},
            "sites": SITES, "config": {"shapes": 100, "answers": "slowly"}}


class Round:
    def __init__(self, broker, seconds, requests, connections):
        self.broker, self.seconds = broker, seconds
        self.requests, self.connections = requests, connections
        self.others, self.abuser = broker.member_key("others"), broker.member_key("abuser")

    def load(self):
        """The p99 of the others, in ms; they must see no error."""
        done = subprocess.run(
            [str(bin_dir() / "westerly-load"), "-o", "json", "--mix", "submit=1,read=8,list=1", "--rate", "200",
             "--connections", "16", "--duration-s", str(self.seconds), "--seed", "1"],
            env=self.broker.cli_environment(self.others), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=self.seconds + 120, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"the others were not served well: {done.stdout} {done.stderr}")
        return json.loads(done.stdout)["latency_ms"]

    def run(self):
        calm = self.load()
        abuse = subprocess.Popen(
            [sys.executable, str(ABUSER), str(self.broker.port), str(self.requests), str(self.connections), str(self.seconds)],
            env=self.broker.cli_environment(self.abuser), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            preexec_fn=lambda: os.nice(19))
        try:
            abused = self.load()
            seen, _ = abuse.communicate(timeout=self.seconds + 2 * HELD_S + 300)
        finally:
            if abuse.poll() is None:
                abuse.kill()
                abuse.wait()
        answered = sum(times for what, times in json.loads(seen).items() if what.startswith("HTTP "))
        say(f"  p50 {calm['p50']:.2f} -> {abused['p50']:.2f} ms, p99 {calm['p99']:.2f} -> {abused['p99']:.2f} ms;"
            f" {answered} mutated requests answered, resident {rss_kib(self.broker.pid) // 1024} MiB")
        return abused["p99"] / calm["p99"]


def main():
    os.environ["WESTERLY_BIN_DIR"] = str(pathlib.Path(sys.argv[1]).resolve())
    quick = "--quick" in sys.argv
    with Broker(providers={"bench": provider()}) as broker:
        client = broker.client()
        wait_for("the offers are there", lambda: b"\nwesterly_offers 1000\n" in client.request("GET", "/metrics").body)
        one = Round(broker, *((3, 300, 60) if quick else (20, 10_000, 1_000)))
        ratios = []
        for number in range(1 if quick else 3):
            say(f"round {number + 1}")
            ratios.append(one.run())
    value = statistics.median(ratios)
    print(json.dumps({"name": "abused_p99_ratio", "value": round(value, 2), "unit": "ratio", "target": TARGET,
                      "met": value <= TARGET}, separators=(",", ":")))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end_at_once)
    main()
