"""The kinds of faults, and their striking at random moments, several at a time."""

import signal
import threading
import time
import traceback
from collections import Counter

from world import Process

PAUSE_S = (0.3, 5)
AWAY_S = (0, 2)      # between a kill and the next start
FULL_S = (0.5, 4)
STEP_S = (-30, 300)  # of the clock; what waits for an instant waits longer by as much as it is set back
GAP_S = (0.4, 3.5)   # between two faults


class Fault:
    """One kind. `strike(world, target, length_s)` does it and takes it back; False: there was nothing to strike at."""

    def __init__(self, kind, target_of, length_s, strike):
        self.kind, self.target_of, self.length_s, self.strike = kind, target_of, length_s, strike


def killed(process):
    if process is None:
        return False
    process.kill()
    process.close()
    return True


def paused(process, length_s):
    if process is None:
        return False
    process.signal(signal.SIGSTOP)
    time.sleep(length_s)
    process.signal(signal.SIGCONT)
    process.close()
    return True


def broker_killed(world, _, length_s):
    world.broker.kill()
    time.sleep(length_s)
    world.broker.start()


def broker_paused(world, _, length_s):
    return paused(world.broker_process(), length_s)


def adapter_killed(world, which, _):
    return killed(world.adapter(which))


def adapter_paused(world, which, length_s):
    return paused(world.adapter(which), length_s)


def shim_killed(world, _, __):
    """Of a task of the local adapter; the task ends with it."""
    return killed(world.some_shim())


def daemon_killed(world, where, length_s):
    lab, daemon = where
    world.labs[lab].kill(daemon)
    time.sleep(length_s)
    world.labs[lab].up()


def daemon_paused(world, where, length_s):
    lab, daemon = where
    return paused(Process(world.labs[lab].pid(daemon)), length_s)


def disk_full(world, _, length_s):
    broker = world.broker
    broker.fill()
    time.sleep(length_s)
    broker.free()
    world.settle_broker()


def clock_step(world, by_s, _):
    world.clock.set(world.clock.shift_s + by_s)


def kinds(world):
    """Those that can be made here."""
    def at_broker(_):
        return None

    def at_adapter(chance):
        return chance.choice([("local", 0), *(("slurm", index) for index in range(len(world.labs)))])

    def at_daemon(daemon):
        def choose(chance):
            lab = chance.choice(list(world.labs))
            return lab, daemon or f"{lab}-n{chance.randint(1, 2)}"
        return choose

    found = [
        Fault("broker killed", at_broker, AWAY_S, broker_killed),
        Fault("broker paused", at_broker, PAUSE_S, broker_paused),
        Fault("adapter killed", at_adapter, (0, 0), adapter_killed),
        Fault("adapter paused", at_adapter, PAUSE_S, adapter_paused),
        Fault("local shim killed", at_broker, (0, 0), shim_killed),
    ]
    if world.labs:
        for name, daemon in (("slurmctld", "slurmctld"), ("slurmrestd", "slurmrestd"), ("slurmd", None)):
            found.append(Fault(f"{name} killed", at_daemon(daemon), AWAY_S, daemon_killed))
            found.append(Fault(f"{name} paused", at_daemon(daemon), PAUSE_S, daemon_paused))
    if "disk full" not in world.left_out:
        found.append(Fault("disk full", at_broker, FULL_S, disk_full))
    if "clock step" not in world.left_out:
        found.append(Fault("clock step", lambda chance: round(chance.uniform(*STEP_S), 3), (0, 0), clock_step))
    return found


class Campaign:
    """Strikes `count` times. Each kind gets its turn in a shuffled deck, so that even few faults try them all."""

    def __init__(self, world, chance, only=None):
        self.world, self.chance = world, chance
        self.kinds = [one for one in kinds(world) if not only or one.kind in only]
        self.struck, self.missed, self.failures = Counter(), Counter(), []
        self.busy = set()
        self.changed = threading.Condition()

    def run(self, count):
        began, deck, threads, dealt = time.monotonic(), [], [], 0
        while not self.failures and self._done() < count:
            if not deck:
                deck = self._next_deck(again=dealt > 0)
                dealt += 1
            fault = deck.pop()
            target, length_s = fault.target_of(self.chance), self.chance.uniform(*fault.length_s)
            place = self._place(fault, target)
            with self.changed:
                self.changed.wait_for(lambda: place not in self.busy)
                self.busy.add(place)
            print(f"{time.monotonic() - began:7.1f} s  {fault.kind}  {target or ''}  {length_s:.1f} s", flush=True)
            thread = threading.Thread(target=self._strike, args=(fault, target, length_s, place))
            thread.start()
            threads.append(thread)
            time.sleep(self.chance.uniform(*GAP_S))
        for thread in threads:
            thread.join()

    def _next_deck(self, again):
        """Every kind; before that, those that found nothing to strike at so far."""
        with self.changed:
            late = [one for one in self.kinds if again and not self.struck[one.kind] and self.missed[one.kind]]
        deck = [one for one in self.kinds if one not in late]
        self.chance.shuffle(deck)
        return deck + late  # dealt from the end

    def _done(self):
        with self.changed:
            return self.struck.total()

    @staticmethod
    def _place(fault, target):
        """Of faults in one place one strikes at a time."""
        if "adapter" in fault.kind:
            return f"adapter {target}"
        if "slurm" in fault.kind:
            return f"centre {target[0]}"
        return "clock" if "clock" in fault.kind else "shims" if "shim" in fault.kind else "broker"

    def _strike(self, fault, target, length_s, place):
        try:
            hit = fault.strike(self.world, target, length_s) is not False
        except Exception:
            hit = False
            self.failures.append(f"{fault.kind} {target}: {traceback.format_exc()}")
        with self.changed:
            (self.struck if hit else self.missed)[fault.kind] += 1
            self.busy.discard(place)
            self.changed.notify_all()
