"""A tenant who submits all the time and repeats whatever was not answered under the same idempotency key."""

import http.client
import threading
import time

from contract import Contract

PATIENCE_S = 3  # then a request counts as not answered and is sent again
REFUSALS_THAT_PASS = (408, 425, 429)

# It says at every step that it lives, so that two runs at once would show. A line that the full disk refused is written
# again; what was written of it before stands in front of it then.
SCRIPT = """
say() {
  until echo "$1 $WESTERLY_ATTEMPT $WESTERLY_RANK $(date +%s%3N)" >>"$WESTERLY_CHECKPOINT_DIR/ran"; do sleep 0.1; done
}
say begin
i=0
while [ "$i" -lt "$STEPS" ]; do say step; sleep 0.25; i=$((i + 1)); done
say end
exit "$CODE"
"""


class Job:
    """What is asked for, and how it must end."""

    def __init__(self, number, chance, providers):
        self.name = f"run-{number}"
        self.kind = chance.choices(["succeeds", "fails", "cancelled", "limited"], [70, 10, 12, 8])[0]
        # At one provider, or at whichever of the centres the broker likes.
        self.only = chance.choice([*providers, "mill", None] if len(providers) > 1 else providers)
        self.tasks = 2 if self.only != "mill" and chance.random() < 0.15 else 1
        self.code = 3 if self.kind == "fails" else 0
        steps = 4000 if self.kind == "limited" else chance.randrange(2, 32)
        self.cancel_after_s = chance.uniform(0, 4) if self.kind == "cancelled" else None
        self.twice = chance.random() < 0.2
        self.spec = {
            "kind": "batch", "name": self.name, "policy": "cheapest", "tasks": self.tasks, "grace_s": 1,
            "resources": {"vcpus": 1, "memory_mib": 64},
            "variants": [{"command": ["sh", "-c", SCRIPT], "env": {"STEPS": str(steps), "CODE": str(self.code)}}],
            "retry": {"attempts_max": 100, "backoff_s": 1},
        }
        if self.only != "mill":
            self.spec["compute_class"] = "super"
        if self.only:
            self.spec["constraints"] = {"providers": {"allow": [self.only]}}
        if self.kind == "limited":
            self.spec["timing"] = {"max_runtime_s": 2}

    def end_allowed(self, state):
        return state in {
            "succeeds": ("succeeded",), "fails": ("failed",), "limited": ("expired",),
            "cancelled": ("cancelled", "succeeded"),
        }[self.kind]


class Client:
    """`acknowledged`: {name: id} of what the broker has answered for."""

    def __init__(self, broker, key, chance, providers, live_max):
        self.broker, self.chance, self.providers, self.live_max = broker, chance, providers, live_max
        self.http = Contract(broker.port, fingerprint=broker.fingerprint, key=key)
        self.jobs, self.acknowledged, self.failures = {}, {}, []
        self.cancels = []  # (when, id)
        self.repeats = 0
        self.enough = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def start(self):
        self.thread.start()

    def finish(self):
        """No new work; what was begun is acknowledged when this returns."""
        self.enough.set()
        self.thread.join()
        self.http.close()

    def _run(self):
        try:
            while not self.enough.is_set():
                job = Job(len(self.jobs), self.chance, self.providers)
                self.jobs[job.name] = job
                self._submit(job)
                self._cancel_what_is_due()
                self.enough.wait(self.chance.uniform(0.05, 0.6))
                while not self.enough.is_set() and self._live() >= self.live_max:
                    self._cancel_what_is_due()
                    self.enough.wait(0.5)
            self._cancel_what_is_due(all_of_them=True)
        except Exception as failed:  # the campaign reads it; a thread's own death would go unseen
            self.failures.append(f"the client broke off: {failed!r}")

    def _answered(self, method, target, body=None, headers=None):
        """The first answer that is one; what the broker could not say is asked again, for as long as it takes."""
        while True:
            self.http.port = self.broker.port  # it comes back at another one
            try:
                got = self.http.request(method, target, body, headers)
                if got.status < 500 and got.status not in REFUSALS_THAT_PASS:
                    return got
            except (OSError, http.client.HTTPException):
                self.http.close()
            self.repeats += 1
            time.sleep(0.1)

    def _submit(self, job):
        for _ in range(1 + job.twice):
            made = self._answered("POST", "/v1/workloads", job.spec, {"Idempotency-Key": job.name})
            if made.status not in (200, 201):
                self.failures.append(f"{job.name}: {made.status} {made.body!r}")
                return
            first = self.acknowledged.setdefault(job.name, made.json["id"])
            if first != made.json["id"]:
                self.failures.append(f"{job.name} was made twice: {first} and {made.json['id']}")
        if job.cancel_after_s is not None:
            self.cancels.append((time.monotonic() + job.cancel_after_s, first))

    def _cancel_what_is_due(self, all_of_them=False):
        for due in sorted(self.cancels):
            if all_of_them or due[0] <= time.monotonic():
                self.cancels.remove(due)
                got = self._answered("POST", f"/v1/workloads/{due[1]}/cancel")
                if got.status not in (200, 202, 409):
                    self.failures.append(f"cancel of {due[1]}: {got.status} {got.body!r}")

    def _live(self):
        return sum(
            len(self._answered("GET", f"/v1/workloads?limit={self.live_max}&state={state}").json["items"])
            for state in ("queued", "launching", "active", "stopping")
        )
