#!/usr/bin/python3
"""A whole Westerly adapter: an attempt is one process of this machine, not kept apart from others (it is an example).
An attempt exists from the moment its request.json does. The process that runs it holds its lock, and the lock outlives
the adapter: so a token runs once, whatever is killed, and after a restart everything is read back from the disk."""
import datetime, fcntl, inspect, json, os, signal, subprocess, sys, time
RUN_AT_ONCE = 32  # the others wait their turn, and begin when they are next asked about

class Refused(Exception): pass  # arguments: the protocol's kind of error, and the message
def now(): return datetime.datetime.utcnow().isoformat(timespec="milliseconds") + "Z"
def read(path): return json.load(open(path)) if os.path.exists(path) else None
def write(path, value):  # the whole of it or nothing, also when the machine stops
    with open(path + ".new", "w") as file: json.dump(value, file), file.flush(), os.fsync(file.fileno())
    os.rename(path + ".new", path)

def run(folder, request, lock):  # in a process of its own; the task holds the lock too
    os.setsid(), signal.signal(signal.SIGCHLD, signal.SIG_DFL), os.dup2(os.open("/dev/null", 2), 0), os.dup2(0, 1)
    paths = {name: f"{folder}/{name.lower()}" for name in ("WORK", "INPUT_DIR", "OUTPUT_DIR")}
    paths["CHECKPOINT_DIR"] = f"{folder}/../checkpoints-{request['workload']}"  # shared by all attempts of a workload
    for path in paths.values(): os.makedirs(path, exist_ok=True)
    env = dict(paths, WORKLOAD=request["workload"], ATTEMPT=request["attempt"], TASKS="1", RANK="0",
               MASTER_ADDR="127.0.0.1", MASTER_PORT="29500")
    env = {"PATH": os.environ["PATH"], **request["run"]["env"], **{f"WESTERLY_{k}": v for k, v in env.items()}}
    begun, kill_at = {"started_at": now()}, 0
    write(f"{folder}/start.json", begun)  # before it starts: what has a start.json is never started again
    task = subprocess.Popen(request["run"]["command"], cwd=paths["WORK"], env=env, stdin=0, stdout=1, stderr=1,
                            start_new_session=True, pass_fds=[lock.fileno()])
    while task.poll() is None:
        grace_s = read(f"{folder}/cancel.json")
        if grace_s is not None and time.time() > kill_at:
            os.killpg(task.pid, signal.SIGKILL if kill_at else signal.SIGTERM)
            kill_at = time.time() + grace_s
        time.sleep(0.05)
    code = task.returncode if task.returncode >= 0 else 128 - task.returncode
    write(f"{folder}/end.json", dict(begun, ended_at=now(), exit_code=code, **({"failed_rank": 0} if code else {})))

class Adapter:
    def initialize(self, version, provider, owner, state_dir, config, sites):
        if version != 1 or set(config) != {"slots"}: raise Refused("invalid", f"not {{'slots': N}}: {config}")
        self.root, self.slots, self.site = state_dir, config["slots"], (sites or ["here"])[0]
        self.requests = {t: r for t in os.listdir(state_dir) if (r := read(f"{state_dir}/{t}/request.json"))}
        self.live = {t: r for t, r in self.requests.items() if not os.path.exists(f"{state_dir}/{t}/end.json")}
        return {"version": 1, "kind": "example", "adapter_version": "1", "idempotency": "native_token",
                "max_visibility_delay_s": 0, "capabilities": []}
    def probe(self): return {"ok": True}
    def held(self):
        for token in [*self.live][:RUN_AT_ONCE]: os.path.exists(f"{self.root}/{token}/end.json") and self.find(token)
        return sum(request["units"] for request in self.live.values())
    def offers(self, cursor=""):
        return {"as_of": now(), "offers": [{"site": self.site, "name": "slot", "compute": "general", "unit": "core",
            "billing": "on_demand", "divisible": False, "launchable": True, "vcpus": 1, "memory_mib": 1024,
            "disk_mib": 0, "architecture": "x86_64", "stacks": ["none"], "units_free": self.slots - self.held(),
            "units_ours": self.held(), "increment_s": 1, "minimum_s": 0, "queue_wait_s": 0}]}
    def launch(self, **request):
        token, known = request["token"], self.requests.get(request["token"])
        if known and request["fence"] < known["fence"]: raise Refused("unauthorised", "a newer fence was seen")
        wanted = [request["site"], request["offer"], request["run"]["stack"], request["tasks"], request["has_files"]]
        if wanted != [self.site, "slot", "none", 1, False]: raise Refused("invalid", f"not run here: {wanted}")
        if not known and request["units"] > self.slots - self.held(): raise Refused("no_capacity", "too few are free")
        os.makedirs(f"{self.root}/{token}", exist_ok=True)
        write(f"{self.root}/{token}/request.json", request)  # from here on it exists
        self.live[token] = self.requests[token] = request
        return {"outcome": "done", "handle": self.find(token)["handle"]}
    def find(self, token, grace_s=0):
        if token not in self.requests: return {"phase": "absent", "token": token, "seq": 0}
        folder, seen = f"{self.root}/{token}", {"token": token, "handle": token, "phase": "pending", "seq": 1}
        with open(f"{folder}/lock", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # who gets it knows that nobody runs it now
                begun, ended = read(f"{folder}/start.json"), read(f"{folder}/end.json")
                if not ended and (begun or os.path.exists(f"{folder}/cancel.json")):  # killed unseen, or never begun
                    write(f"{folder}/end.json", dict(begun or {}, ended_at=now(), exit_code=137, failed_rank=0))
                elif not ended and token in [*self.live][:RUN_AT_ONCE] and os.fork() == 0:
                    try: run(folder, self.requests[token], lock)
                    finally: os._exit(0)
            except BlockingIOError: pass  # it runs
        if begun := read(f"{folder}/start.json"): seen.update(begun, phase="running", seq=2)
        if ended := read(f"{folder}/end.json"): seen.update(ended, phase="exited", seq=3), self.live.pop(token, None)
        return seen
    def get(self, tokens): return {"items": [self.find(token) for token in tokens]}
    def list(self, owner, cursor=""):
        ours = sorted(t for t, r in self.requests.items() if r["owner"] == owner and t > cursor)
        return dict(self.get(ours[:256]), complete=True, as_of=now(), next_cursor=ours[255] if ours[256:] else "")
    def cancel(self, token, grace_s=30):
        if token not in self.requests: raise Refused("not_found", "no such attempt")
        return write(f"{self.root}/{token}/cancel.json", grace_s) or {"outcome": "done"}

def main(provider):
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for call in map(json.loads, sys.stdin):
        if "id" not in call: continue  # $/cancel: no call takes long
        try:
            verb = getattr(provider, call["method"], None)
            inspect.signature(verb).bind(**call["params"])  # unknown verbs and members are refused
            answer = {"result": verb(**call["params"])}
        except (Refused, TypeError) as e:
            kind = {"kind": e.args[0] if isinstance(e, Refused) else "invalid"}
            answer = {"error": {"code": -32000, "message": e.args[-1], "data": kind}}
        print(json.dumps(dict(answer, jsonrpc="2.0", id=call["id"])), flush=True)
if __name__ == "__main__": main(Adapter())
