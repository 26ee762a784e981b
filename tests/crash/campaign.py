"""The crash campaign: README.md. Ends with 0 if nothing was wrong, 1 if something was, 77 if it cannot be made here."""

import argparse
import os
import pathlib
import random
import shutil
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import broker as e2e  # noqa: E402
import contract  # noqa: E402
import slurm_lab  # noqa: E402
from client import PATIENCE_S, Client  # noqa: E402
from faults import Campaign  # noqa: E402
from proof import Proof  # noqa: E402
from strangers import Strangers  # noqa: E402
from world import World  # noqa: E402

BUILT = e2e.ROOT / "build" / "dev" / "bin"
LIVE_MAX = 12


def asked():
    parser = argparse.ArgumentParser(prog="tests/crash/run", description="Kills, pauses and starves everything; then proof.")
    parser.add_argument("bin_dir", nargs="?", default=os.environ.get("WESTERLY_BIN_DIR", BUILT), type=pathlib.Path)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--only", action="append", help="a kind of fault; may be given several times")
    parser.add_argument("--live", type=int, default=LIVE_MAX, help="workloads that live at once")
    parser.add_argument("--local", action="store_true", help="without Slurm")
    parser.add_argument("--slurm", action="store_true", help="with Slurm, or not at all")
    parser.add_argument("--clock", type=pathlib.Path, help="the library that shifts a process's clock")
    return parser.parse_args()


def why_no_slurm():
    if os.geteuid() != 0:
        return "a Slurm laboratory needs root"
    if not shutil.which("slurmctld", path="/usr/sbin:/usr/bin"):
        return "Slurm is not installed (tools/labs/slurm/up installs it)"
    return None


def main():
    args = asked()
    if args.slurm:
        slurm_lab.needed_or_skip()
    os.environ["WESTERLY_BIN_DIR"] = str(args.bin_dir.resolve())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, e2e.end_at_once)
    no_slurm = "left out by --local" if args.local else why_no_slurm()
    clock = (args.clock or args.bin_dir / "shifted_clock.so").resolve()
    print(f"seed {args.seed}: tests/crash/run --faults {args.faults} --seed {args.seed}", flush=True)
    world = World(slurm=not no_slurm, shifted_clock=clock if clock.exists() else None)
    if no_slurm:
        world.left_out["everything at Slurm"] = no_slurm
    for kind, why in world.left_out.items():
        print(f"left out: {kind}: {why}", flush=True)
    if world.clock:
        e2e.also_at_end.append(world.clock.remove)
    try:
        world.start()
        return run(world, args)
    finally:
        world.close()


def run(world, args):
    # One source for each part, so that how fast one of them goes does not change what another draws.
    chance = {name: random.Random(f"{args.seed} {name}") for name in ("faults", "client", "strangers")}
    key = world.broker.member_key("travellers")
    strangers = [Strangers(lab, world.owner_mark(), chance["strangers"]) for lab in world.labs.values()]
    began = time.monotonic()
    contract.TIMEOUT_S = PATIENCE_S
    client = Client(world.broker, key, chance["client"], world.providers, args.live)
    client.start()
    campaign = Campaign(world, chance["faults"], args.only)
    try:
        campaign.run(args.faults)
    finally:
        world.heal()
        client.finish()
    contract.TIMEOUT_S = 30
    under_fire_s = time.monotonic() - began
    proof = Proof(world, client, key)
    proof.wrong += campaign.failures
    proof.drain()
    proof.judge()
    proof.visit_nodes()
    stranger_ids = {one.lab.name: set(one.ids) for one in strangers}
    proof.nothing_left(stranger_ids)
    for one in strangers:
        proof.wrong += one.faults()
        proof.figures["strangers' jobs that Slurm ended by itself"] += len(one.by_slurm)
        for ended in one.by_slurm:
            print(f"ended by Slurm itself: {ended}", flush=True)
        proof.figures["strangers' jobs held against what they said"] += len(one.ids)
    proof.no_job_processes()
    report(campaign, client, proof, under_fire_s)
    if proof.wrong and not os.environ.get("WESTERLY_E2E_KEEP"):
        print("WESTERLY_E2E_KEEP=1 keeps the broker's home", flush=True)
    return 1 if proof.wrong else 0


def report(campaign, client, proof, under_fire_s):
    print(f"\n{campaign.struck.total()} faults in {under_fire_s:.0f} s")
    for kind in campaign.kinds:
        missed = campaign.missed[kind.kind]
        print(f"  {campaign.struck[kind.kind]:5}  {kind.kind}" + (f" ({missed} times there was none)" if missed else ""))
    print(f"\n  {client.repeats:5}  requests not answered and repeated")
    for name, value in sorted(proof.figures.items()):
        print(f"  {value:5}  {name}")
    for one in proof.wrong:
        print(f"WRONG: {one}")
    print("\nnothing lost, nothing doubled, nothing left behind, all metered by the record" if not proof.wrong
          else f"\n{len(proof.wrong)} things are wrong", flush=True)


if __name__ == "__main__":
    sys.exit(main())
