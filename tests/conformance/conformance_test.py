"""Runs the conformance kit against one adapter and holds its verdict against what is known of that adapter.

Usage: conformance_test.py BIN_DIR KIND   (local, slurm, example, far, ten_thousand, or one of the wrong ones)
"""
import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3"
EXAMPLE = HERE.parents[1] / "docs" / "guides" / "example_adapter.py"

# For each wrong adapter: checks that must fail and what the first must say; checks that may fail with them.
WRONG = {
    "launches_twice": (
        {"launch.repeated": "ran", "launch.at_once": "ran", "launch.once": "times"},
        {"launch.after_end", "launch.lost_reply", "launch.late_reply", "launch.late_request", "kill.mid_launch",
         "restart.remembers"}),
    "forgets": (
        {"restart.remembers": "forgotten"},
        {"launch.fence", "kill.mid_launch", "kill.mid_cancel", "kill.mid_read", "end.of_input", "launch.units"}),
    "half_list": (
        {"list.complete": "lacks", "bounds.live": "lacks"},
        set()),
    "expired_is_gone": (
        {"provider.token_expiry": "told to be gone"},
        set()),
    "silence_is_no": (
        {"provider.lost_reply": "launch said that nothing was done"},
        {"provider.cut_reply", "provider.garbled"}),
}
# AddressSanitizer keeps freed memory for a while, which would pass for a leak of the adapter.
ENVIRONMENT = dict(os.environ, ASAN_OPTIONS=":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=1"])))
# Faults of the provider's side, where no provider stands behind an endpoint.
ON_NO_PROVIDER = {"provider.refused", "provider.lost_reply", "provider.cut_reply", "provider.garbled", "provider.slow",
                  "provider.token_expiry"}
BEHIND_HTTP = {"far", "expired_is_gone", "silence_is_no"}
LOCAL = {"sites": [{"site": "east", "vcpus": 24, "memory_mib": 6144}]}


def conform(bin_dir, folder, config, command, *options):
    """Runs the kit; gives its exit code and {check: (verdict, why)} as JUnit tells it."""
    file = folder / "config.json"
    file.write_text(json.dumps(config))
    junit = folder / "junit.xml"
    done = subprocess.run([bin_dir / "westerly", "adapter", "conform", "--config", file, "--junit", junit, *options,
                           "--", *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=1700,
                          env=ENVIRONMENT)
    print(done.stdout)
    assert junit.exists(), f"no JUnit report; exit code {done.returncode}"
    suite = ElementTree.parse(junit).getroot()
    found = {}
    for case in suite.iter("testcase"):
        verdict, why = "pass", case.findtext("system-out") or ""
        for tag, name in (("failure", "fail"), ("skipped", "not applicable")):
            if (node := case.find(tag)) is not None:
                verdict, why = name, node.get("message")
        found[case.get("name")] = verdict, why
    counts = [int(suite.get(name)) for name in ("tests", "failures", "skipped")]
    told = [verdict for verdict, _ in found.values()]
    assert counts == [len(told), told.count("fail"), told.count("not applicable")], counts
    for name, (verdict, why) in found.items():
        assert any(line.split()[:1] == [verdict.split()[0]] and f" {name} " in line
                   for line in done.stdout.splitlines()), f"{name} is not told as {verdict}"
        assert why, f"{name} says {verdict} without why"
    return done.returncode, found


def names_of(found, verdict):
    return {name for name, (how, _) in found.items() if how == verdict}


def only(*groups):
    return [word for group in groups for word in ("--only", group)]


def names_tried(kind):
    """Wrong adapters are tried where they are wrong, and where they must not be blamed."""
    groups = {"launches_twice": ["launch.", "list.", "end."],
              "forgets": ["launch.r", "launch.f", "restart.", "kill.", "list.", "end."],
              "half_list": ["launch.r", "restart.", "list.", "bounds.l", "end."],
              "expired_is_gone": ["launch.r", "list.", "provider.", "end."],
              "silence_is_no": ["launch.r", "list.", "provider.", "end."]}[kind]
    return only(*groups)


@contextlib.contextmanager
def centre(folder):
    """A provider in a process of its own, which ends with this; gives its adapters' config."""
    (folder / "centre").mkdir()
    with subprocess.Popen([PYTHON, HERE / "centre.py", folder / "centre"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as process:
        try:
            yield {"endpoint": f"http://127.0.0.1:{int(process.stdout.readline())}"}
        finally:
            process.stdin.close()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def right(bin_dir, folder, kind, config=None):
    if kind == "example":
        lines = len(EXAMPLE.read_text().splitlines())
        assert lines < 100, f"the guide promises fewer than 100 lines; these are {lines}"
        command = [PYTHON, EXAMPLE]
        skipped = ON_NO_PROVIDER | {"run.gang", "run.walltime", "logs.offsets", "files.both_ways"}
    elif kind == "far":
        command, skipped = [PYTHON, HERE / "far.py"], {"run.gang", "run.walltime", "logs.offsets", "files.both_ways"}
    elif kind == "slurm":
        sys.path.insert(0, str(HERE.parent / "e2e"))
        os.environ["WESTERLY_BIN_DIR"] = str(bin_dir)
        import slurm_lab

        slurm_lab.needed_or_skip()
        config, command = slurm_lab.Lab("alpha").up().provider(), ["westerly-adapter-slurm"]
        skipped = set()
    else:
        users = socket.create_server(("127.0.0.1", 0), backlog=512)  # takes connects as long as this process is there
        probe = {"region": "cn-east", "endpoint": f"127.0.0.1:{users.getsockname()[1]}"}
        config, command = dict(LOCAL, probes=[probe]), ["westerly-adapter-local"]
        skipped = set(ON_NO_PROVIDER)
        if conform(bin_dir, folder, config, command, "--only", "probe")[0]:
            print("tasks cannot be kept apart on this machine, so they are not")
            config = dict(config, isolation="unsafe_same_user")
    code, found = conform(bin_dir, folder, config, command, "--live", "20")
    assert code == 0, f"exit code {code}; failed: {names_of(found, 'fail')}"
    skipped |= {"provider.preemption"} | (set() if kind == "local" else {"offers.rtt_measured"})
    assert names_of(found, "not applicable") == skipped, names_of(found, "not applicable")
    assert len(found) > 40


def ten_thousand(bin_dir, folder):
    """As many at once as the kit ever tries, within the bounds of memory and descriptors."""
    code, found = conform(bin_dir, folder, {"slots": 10_000}, [PYTHON, EXAMPLE], "--live", "10000", "--patience-s", "300",
                          *only("bounds.live", "bounds.memory", "bounds.descriptors", "end.nothing", "protocol."))
    assert code == 0 and not names_of(found, "not applicable"), found
    assert "10000 at once" in found["bounds.live"][1], found["bounds.live"]


def wrong(bin_dir, folder, kind, config):
    code, found = conform(bin_dir, folder, config, [PYTHON, HERE / f"wrong_{kind}.py"], "--live", "20",
                          *names_tried(kind))
    assert code == 1, f"exit code {code}"
    must, may = WRONG[kind]
    failed = names_of(found, "fail")
    assert must.keys() <= failed, f"not found: {must.keys() - failed}"
    assert failed <= must.keys() | may, f"failed too: {failed - must.keys() - may}"
    for name, words in must.items():
        assert words in found[name][1], found[name][1]


def main():
    bin_dir, kind = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    with tempfile.TemporaryDirectory(prefix="westerly-conformance-") as name:
        folder = pathlib.Path(name)
        if kind == "ten_thousand":
            return ten_thousand(bin_dir, folder)
        with centre(folder) if kind in BEHIND_HTTP else contextlib.nullcontext({"slots": 24}) as config:
            (wrong if kind in WRONG else right)(bin_dir, folder, kind, config)


main()
