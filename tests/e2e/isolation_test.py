"""Work that tries to break out of its site: to the broker's files, other tasks, other processes."""

import os
import shutil
import unittest

import broker as e2e
from broker import Broker, bin_dir, demo_sites, wait_end, wait_for, wait_state

NOBODY = 65534

# Run inside a task; each line that begins with LEAK is a way out. Written for sh, so that it runs at any site.
# The words that it looks for in other processes stand cut in two, so that it does not find itself.
BREAK_OUT = r"""
for f in "$HOME_OF_BROKER/westerly.db" "$HOME_OF_BROKER/westerly.db-wal" "$HOME_OF_BROKER/tls/key.pem" \
         "$HOME_OF_BROKER"/adapters/west/state "$HOME_OF_BROKER"/adapters/west/attempts/*/spec.json; do
  cat "$f" >/dev/null 2>&1 && echo "LEAK read $f"
  (echo x >>"$f") 2>/dev/null && echo "LEAK write $f"
done
ls "$HOME_OF_BROKER" >/dev/null 2>&1 && echo "LEAK list home"
ls "$HOME_OF_BROKER/adapters/west/attempts" >/dev/null 2>&1 && echo "LEAK list attempts"
cat "$OTHER/tasks/0/scratch/secret" >/dev/null 2>&1 && echo "LEAK other task"
for p in $VICTIMS; do
  kill -0 "$p" 2>/dev/null && echo "LEAK signal $p"
  cat "/proc/$p/environ" >/dev/null 2>&1 && echo "LEAK environ $p"
done
for p in /proc/[0-9]*; do
  grep -aq -e "wester""lyd" -e "SECRET_OF_""ANOTHER" "$p/cmdline" "$p/environ" 2>/dev/null && echo "LEAK sees $p"
done
kill -9 -1 2>/dev/null
env | grep -q WESTERLY_KEY && echo "LEAK key"
[ "$(id -u)" = "$BROKER_UID" ] && [ "$BROKER_UID" = 0 ] && echo "LEAK root"
su -c true 2>/dev/null </dev/null && echo "LEAK su"
echo tried
"""


class BreakOutTest(unittest.TestCase):
    """A tenant's code tries to reach the broker's files, other tasks and other processes."""

    def try_out(self, broker):
        broker.wait_offers("west")
        member = broker.member("vision")
        other = member.request("POST", "/v1/workloads", {
            "kind": "batch", "name": "victim",
            "variants": [{"command": ["sh", "-c", "echo SECRET >secret; echo ready; sleep 600"],
                          "env": {"WORD": "SECRET_OF_ANOTHER"}}],
        }).json["id"]
        wait_state(member, other, "active")
        token = next(member.items(f"/v1/workloads/{other}/attempts"))["launch_token"]
        folder = broker.home / "adapters" / "west" / "attempts" / token
        wait_for("the victim keeps its secret", lambda: (folder / "tasks" / "0" / "scratch" / "secret").exists())
        victims = [pid for pid in e2e.processes_below(broker.home)]
        self.assertIn(broker.pid, victims)
        thief = broker.cli(
            "run", "--policy", "cheapest", "--name", "thief", "--env", f"HOME_OF_BROKER={broker.home}",
            "--env", f"OTHER={folder}", "--env", "VICTIMS=" + " ".join(map(str, victims)),
            "--env", f"BROKER_UID={broker_uid(broker)}", "--", "sh", "-c", BREAK_OUT, key=member.key,
        )
        leaks = [line for line in thief.stdout.splitlines() if line.startswith("LEAK")]
        self.assertEqual(leaks, [], thief.stdout + thief.stderr)
        self.assertIn("tried", thief.stdout, thief.stderr)
        self.assertEqual(member.request("GET", f"/v1/workloads/{other}").json["state"], "active")
        self.assertIsNone(broker.process.poll(), "westerlyd was ended")
        member.request("POST", f"/v1/workloads/{other}/cancel")
        wait_end(member, other)

    def test_as_root_each_attempt_has_a_user_of_its_own(self):
        if os.geteuid() != 0:
            self.skipTest("isolation by uid needs root: run this test as root too")
        broker = Broker(providers={"west": demo_sites()["west"]})
        self.addCleanup(broker.close)
        broker.start()
        self.try_out(broker)

    def test_as_another_user_bubblewrap_isolates(self):
        if not (shutil.which("bwrap") and (os.geteuid() != 0 or shutil.which("setpriv"))):
            self.skipTest("needs bubblewrap, and setpriv where the test runs as root: install them")
        broker = OtherUsersBroker(providers={"west": demo_sites()["west"]})
        self.addCleanup(broker.close)
        broker.start()
        state = wait_for("the adapter is up or says why not", lambda: settled(broker))
        if state["state"] != "ready":
            self.skipTest(f"bubblewrap does not work for this user here: {state.get('message')}")
        self.try_out(broker)


def settled(broker):
    known = list(broker.client().items("/v1/providers"))
    if not known:  # the first view of the market is published a moment after the start
        return None
    (one,) = known
    return one["health"] if one["health"]["state"] != "starting" and (
        one["health"]["state"] == "ready" or one["health"].get("message")) else None


def broker_uid(broker):
    return os.stat(f"/proc/{broker.pid}").st_uid


class OtherUsersBroker(Broker):
    """The same as a user without rights; its programs are copied to where that user may run them."""

    def __init__(self, **how):
        super().__init__(**how)
        if os.geteuid() != 0:
            return
        programs = self.home / "bin"
        programs.mkdir(mode=0o755)
        for name in ("westerlyd", "westerly-spawn", "westerly-adapter-local", "westerly-local-shim"):
            shutil.copy2(bin_dir() / name, programs / name)
            (programs / name).chmod(0o755)
        for path in (self.home, *self.home.rglob("*")):
            os.chown(path, NOBODY, NOBODY)

    def start(self):
        if os.geteuid() != 0:
            return super().start()
        # westerlyd is started through setpriv, which becomes it: the process id stays.
        wrapper = self.home / "wrapped"
        wrapper.mkdir(exist_ok=True)
        script = wrapper / "westerlyd"
        script.write_text(f'#!/bin/sh\nexec setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups '
                          f'"{self.home}/bin/westerlyd" "$@"\n')
        script.chmod(0o755)
        before = os.environ.get("WESTERLY_BIN_DIR")
        os.environ["WESTERLY_BIN_DIR"] = str(wrapper)
        try:
            return super().start()
        finally:
            os.environ["WESTERLY_BIN_DIR"] = before


if __name__ == "__main__":
    e2e.main()
