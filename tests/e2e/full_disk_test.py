"""The local adapter on a disk that is full when it starts, and not for ever. As root, for a small disk of its own."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import broker as e2e
from adapter import Adapter
from kill_test import SITE


class FullDiskTest(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="westerly-full-", dir="/tmp"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.disk = self.home / "disk"
        self.disk.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=4m,mode=0711", "westerly-full", str(self.disk)],
            capture_output=True, text=True, check=False,
        )
        if done.returncode != 0:
            self.skipTest(f"no small disk can be mounted: {done.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "--lazy", str(self.disk)], check=False)

    def test_what_a_full_disk_hides_is_looked_for_again(self):
        adapter = Adapter("local", SITE, self.disk / "state", "mill")
        adapter.log.close()
        adapter.log = open(self.home / "log", "ab")
        self.addCleanup(adapter.log.close)
        self.addCleanup(adapter.stop)
        adapter.start()
        usual = adapter.call("probe")
        if not usual["ok"]:
            self.skipTest(f"tasks cannot be isolated here anyway: {usual}")
        adapter.stop()
        filler = self.disk / "filler"
        with open(filler, "ab", buffering=0) as f, self.assertRaises(OSError):
            while True:
                f.write(bytes(4096))
        adapter.start()
        self.assertIn("No space left", adapter.call("probe")["message"])
        filler.unlink()
        self.assertEqual(adapter.call("probe"), usual, "it stays as it was when the disk was full")


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("skipped: a small disk of its own needs root", file=sys.stderr)
        sys.exit(e2e.SKIPPED)
    e2e.main()
