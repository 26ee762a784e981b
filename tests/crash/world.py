"""What the campaign strikes at: a broker on a small disk with a clock of its own, its adapters, and Slurm centres."""

import http.client
import os
import pathlib
import signal
import sqlite3
import struct
import subprocess
import tempfile
import uuid

from broker import Broker, wait_for
from kill_test import SITE, parent_of
from slurm_lab import Lab

DISK_MIB = 192
NODES = 2


def start_time(pid):
    """Tells a process from a later one of the same id; None if it is gone or a zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            fields = f.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


class Process:
    """One that is there now; a signal never reaches another one that got its id later."""

    def __init__(self, pid):
        self.pid = pid
        self.fd = os.pidfd_open(pid)  # raises ProcessLookupError

    def signal(self, number):
        try:
            signal.pidfd_send_signal(self.fd, number)
        except ProcessLookupError:
            pass

    def kill(self):
        self.signal(signal.SIGKILL)
        wait_for(f"process {self.pid} is gone", lambda: start_time(self.pid) is None, step_s=0.02)

    def close(self):
        os.close(self.fd)


class ShiftedClock:
    """Moves CLOCK_REALTIME of the processes that are started with environment(), and of no other."""

    def __init__(self, library):
        self.library = library
        handle, name = tempfile.mkstemp(prefix="westerly-clock-", dir="/tmp")
        os.close(handle)
        self.file = pathlib.Path(name)
        self.file.chmod(0o644)
        self.set(0)

    def set(self, shift_s):
        with open(self.file, "r+b") as f:
            f.write(struct.pack("q", round(shift_s * 1e9)))

    @property
    def shift_s(self):
        return struct.unpack("q", self.file.read_bytes())[0] / 1e9

    def environment(self):
        return {
            **os.environ, "LD_PRELOAD": str(self.library), "SHIFTED_CLOCK_FILE": str(self.file),
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0",
        }

    def remove(self):
        self.file.unlink(missing_ok=True)


class SmallDiskBroker(Broker):
    """Its home is a tmpfs of its own where that can be mounted."""

    mounted = False

    def make_home(self):
        home = Broker.make_home()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=0711", "westerly-crash", str(home)],
            capture_output=True, text=True, check=False,
        )
        self.mounted = done.returncode == 0
        self.why_not_mounted = done.stderr.strip()
        return home

    def close(self):
        self.free()
        home, there = self.home, self in Broker.alive
        super().close()
        if self.mounted and there and not os.environ.get("WESTERLY_E2E_KEEP"):
            subprocess.run(["umount", "--lazy", str(home)], check=False)
            home.rmdir()

    def fill(self):
        """Until not one byte more fits."""
        with open(self.home / "filler", "ab", buffering=0) as f:
            piece = 1 << 20
            while piece:
                try:
                    if f.write(bytes(piece)) < piece:
                        piece //= 2
                except OSError:
                    piece //= 2

    def free(self):
        (self.home / "filler").unlink(missing_ok=True)


class World:
    """Everything that runs, and what there is to strike at."""

    def __init__(self, slurm, shifted_clock):
        self.left_out = {}  # kind of fault: why it cannot be made here
        self.labs = {}
        self.clock = None
        if os.geteuid() != 0:
            self.left_out["disk full"] = "mounting a small disk needs root"
        self.broker = SmallDiskBroker(providers={}) if os.geteuid() == 0 else Broker(providers={})
        if os.geteuid() == 0 and not self.broker.mounted:
            self.left_out["disk full"] = f"no small disk can be mounted: {self.broker.why_not_mounted}"
        if slurm:
            for name in ("alpha", "beta"):
                self.labs[name] = Lab(name, nodes=NODES, min_job_age_s=86400, node_timeout_s=300)
        if shifted_clock:
            self.clock = ShiftedClock(shifted_clock)
            self.broker.environment = self.clock.environment()
        else:
            self.left_out["clock step"] = "the library that shifts a process's clock is not built here"

    @property
    def providers(self):
        return ["mill", *self.labs]

    def start(self):
        self.broker.write_provider("mill", SITE)
        for name, lab in self.labs.items():
            lab.up()
            scratch = lab.dir / "scratch"
            scratch.mkdir()
            scratch.chmod(0o1777)
            self.broker.write_provider(name, lab.provider(scratch_directory=str(scratch)))
        self.broker.start()
        self.broker.wait_offers(*self.providers)

    def close(self):
        try:
            self.broker.close()
        finally:
            for lab in self.labs.values():
                lab.down()
            if self.clock:
                self.clock.remove()

    def heal(self):
        """Ends what faults may have left; all of them have been taken back already."""
        self.settle_broker()
        for lab in self.labs.values():
            lab.up()

    def settle_broker(self):
        """Until it is ready. One that gave up, as it does on a full disk, may take a while to end; it is started again
        then, as a service manager would."""
        probe = self.broker.client("")

        def settled():
            if self.broker.process.poll() is not None:
                return "ended"
            try:
                return "ready" if probe.request("GET", "/readyz").status == 200 else None
            except (OSError, http.client.HTTPException):
                probe.close()
                return None

        if wait_for("westerlyd is ready or has ended", settled) == "ended":
            self.broker.kill()
            self.broker.start()

    def broker_process(self):
        process = self.broker.process
        return Process(process.pid) if process and process.poll() is None else None

    def adapter(self, which):
        """An adapter that runs now, of those of one kind: ("slurm", 1). None: there is none; the broker may be away."""
        kind, index = which
        process = self.broker.process
        if process is None:
            return None
        found = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                program = pathlib.Path(f"/proc/{entry}/cmdline").read_text(errors="replace").split("\0")[0]
            except OSError:
                continue
            if program.endswith(f"/westerly-adapter-{kind}") and parent_of(entry) == process.pid:
                found.append(int(entry))
        try:
            return Process(sorted(found)[index])
        except (IndexError, ProcessLookupError):
            return None

    def owner_mark(self):
        """By which this broker knows what is its own."""
        with sqlite3.connect(f"file:{self.broker.home}/westerly.db?mode=ro", uri=True) as database:
            return str(uuid.UUID(bytes=database.execute("SELECT owner FROM installation").fetchone()[0]))

    def some_shim(self):
        """The keeper of a local task that runs."""
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                words = pathlib.Path(f"/proc/{entry}/cmdline").read_bytes().decode(errors="replace").split("\0")
                if words[0].endswith("/westerly-local-shim") and words[1] == "run" and str(self.broker.home) in words[2]:
                    return Process(int(entry))
            except (OSError, IndexError):
                continue
        return None
