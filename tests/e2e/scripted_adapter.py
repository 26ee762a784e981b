#!/usr/bin/python3
"""An adapter that does what its control file says, so that a test can have a provider fail on purpose.

The config is {"control": PATH}. The file there is read at each call: {"launch": WHAT, "unreachable": BOOL}. WHAT is `ok`;
`lose` (the thing is made, and the answer lost); or an error's kind, with which launches are refused. An unreachable
provider answers nothing but offers and probes. A thing runs for as many seconds as its command's second word says.
"""

import datetime
import json
import sys
import time


class Refused(Exception):
    pass


def stamp(at):
    return datetime.datetime.utcfromtimestamp(at).isoformat(timespec="milliseconds") + "Z"


class Adapter:
    def initialize(self, version, provider, owner, state_dir, config, sites):
        self.control_file, self.site, self.things = config["control"], sites[0], {}
        return {"version": 1, "kind": "scripted", "adapter_version": "1", "idempotency": "native_token",
                "max_visibility_delay_s": 0, "capabilities": []}

    def control(self):
        with open(self.control_file, encoding="utf-8") as file:
            return json.load(file)

    def reach(self):
        if self.control().get("unreachable"):
            raise Refused("unavailable", "the provider does not answer")

    def probe(self):
        return {"ok": True}

    def offers(self, cursor=""):
        live = sum(1 for one in self.things.values() if one["end"] > time.time())
        return {"as_of": stamp(time.time()), "offers": [{
            "site": self.site, "name": "slot", "compute": "general", "unit": "core", "billing": "on_demand",
            "divisible": False, "launchable": True, "vcpus": 1, "memory_mib": 1024, "disk_mib": 0,
            "architecture": "x86_64", "stacks": ["none"], "units_free": 100 - live, "units_ours": live,
            "increment_s": 1, "minimum_s": 0, "queue_wait_s": 0}]}

    def launch(self, **request):
        what, token = self.control()["launch"], request["token"]
        if what not in ("ok", "lose"):
            raise Refused(what, "so the control file says")
        if token not in self.things:
            begin = time.time()
            self.things[token] = {"begin": begin, "end": begin + float(request["run"]["command"][1]), "code": 0}
        if what == "lose":
            raise Refused("unavailable", "the answer was lost")
        return {"outcome": "done", "handle": token}

    def look(self, token):
        thing = self.things.get(token)
        if not thing:
            return {"phase": "absent", "token": token, "seq": 0}
        seen = {"token": token, "handle": token, "started_at": stamp(thing["begin"])}
        if thing["end"] > time.time():
            return {**seen, "phase": "running", "seq": 1}
        return {**seen, "phase": "exited", "seq": 2, "ended_at": stamp(thing["end"]), "exit_code": thing["code"]}

    def find(self, token):
        self.reach()
        return self.look(token)

    def get(self, tokens):
        self.reach()
        return {"items": [self.look(token) for token in tokens]}

    def list(self, owner, cursor=""):
        self.reach()
        return {"items": [self.look(token) for token in self.things], "complete": True, "as_of": stamp(time.time()),
                "next_cursor": ""}

    def cancel(self, token, grace_s=30):
        self.reach()
        if token not in self.things:
            raise Refused("not_found", "no such attempt")
        if self.things[token]["end"] > time.time():
            self.things[token].update(end=time.time(), code=143)
        return {"outcome": "done"}


def main(provider):
    for line in sys.stdin:
        call = json.loads(line)
        if "id" not in call:
            continue
        try:
            verb = getattr(provider, call["method"], None)
            answer = {"result": verb(**call["params"])}
        except (Refused, TypeError) as why:
            kind = why.args[0] if isinstance(why, Refused) else "invalid"
            answer = {"error": {"code": -32000, "message": str(why.args[-1]), "data": {"kind": kind}}}
        print(json.dumps({**answer, "jsonrpc": "2.0", "id": call["id"]}), flush=True)


if __name__ == "__main__":
    main(Adapter())
