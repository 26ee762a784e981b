"""Ctrl-C and SIGTERM in the middle of a check: what the kit launched is ended, or it says what is not; exit code 130.

Usage: interruption_test.py BIN_DIR
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3"
EXAMPLE = HERE.parents[1] / "docs" / "guides" / "example_adapter.py"
DEADLINE_S = 120


def processes_of(folder):
    """Adapter, keepers and tasks: all have the folder in their environment."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(folder).encode() in (entry / "environ").read_bytes():
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        except (OSError, ValueError):
            pass  # gone meanwhile
    found.pop(os.getpid(), None)
    return found


def sleepers(folder):
    """Tokens of what runs until somebody ends it."""
    return [start.parent.name for start in folder.glob("westerly-conform-*/state/w*/start.json")
            if "sleep 600" in (start.parent / "request.json").read_text() and not (start.parent / "end.json").exists()]


def comes_true(holds):
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.02)
    return False


def interrupted(bin_dir, folder, adapter, with_signal, *options):
    """The exit code and what was said; the signal comes while a sleeper of the check runs."""
    (folder / "config.json").write_text('{"slots": 24}')
    kit = subprocess.Popen([bin_dir / "westerly", "adapter", "conform", "--config", folder / "config.json",
                            "--only", "restart.remembers", *options, "--", PYTHON, adapter],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                           env=dict(os.environ, TMPDIR=str(folder)))
    try:
        assert comes_true(lambda: kit.poll() is not None or sleepers(folder)), "nothing was launched"
        tokens = sleepers(folder)
        kit.send_signal(with_signal)
        said, _ = kit.communicate(timeout=DEADLINE_S)
    finally:
        kit.kill()
        kit.wait()
    print(said)
    return kit.returncode, said, tokens


def ends_what_it_launched(bin_dir, folder):
    code, said, _ = interrupted(bin_dir, folder, EXAMPLE, signal.SIGINT)
    assert code == 130, code
    assert "has been ended" in said, said
    assert comes_true(lambda: not processes_of(folder)), processes_of(folder)
    assert not list(folder.glob("westerly-conform-*")), "its folder is left"


def tells_what_it_cannot_end(bin_dir, folder):
    code, said, tokens = interrupted(bin_dir, folder, HERE / "wrong_never_ends.py", signal.SIGTERM, "--patience-s", "2")
    try:
        assert code == 130, code
        assert "could not be ended" in said, said
        named = set(re.findall(r"^  (w[0-9a-f]{32}),", said, re.MULTILINE))
        assert set(tokens) & named, f"{tokens} ran, and named are {named}"
    finally:
        for pid in processes_of(folder):  # which are this test's own
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def main():
    bin_dir = pathlib.Path(sys.argv[1]).resolve()
    for test in (ends_what_it_launched, tells_what_it_cannot_end):
        with tempfile.TemporaryDirectory(prefix="westerly-interruption-", ignore_cleanup_errors=True) as name:
            test(bin_dir, pathlib.Path(name))


main()
