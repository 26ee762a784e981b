#!/usr/bin/python3
"""An adapter for tests, whose faults are scripted by the provider file's config:

    {"kind": "fake", "version": 1, "probe_ok": [false, true], "pages": 2, "faults": [{"verb": "launch", "nth": 1, "do": …}]}

A fault hits the nth call of its verb (absent: each) and does one of: delay (seconds; the answer comes late), drop,
garble (a line that is no JSON), repeat (the answer comes twice), die, exit (with code 3), die_after (answers, then
dies), stranger (answers a call that was never made), long (a line past the limit), fail (an error: kind,
retry_after_s), reply (this result), or close (its standard output). What it launched is kept in its state_dir, so that
it survives the adapter.
"""
import base64
import json
import os
import signal
import sys
import threading
import time

lock = threading.Lock()
counts = {}
config = {}
state_dir = "."
AT = "2026-01-31T08:00:00.000Z"
LOG = b"0123456789" * 100


def send(message):
    with lock:
        sys.stdout.write(message if isinstance(message, str) else json.dumps(message) + "\n")
        sys.stdout.flush()


def note(text):
    with open(os.path.join(state_dir, "calls"), "a") as out:
        out.write(text + "\n")


def things():
    return sorted(n for n in os.listdir(state_dir) if n.startswith("w") and len(n) == 33)


def seen(token):
    phase = "running" if os.path.exists(os.path.join(state_dir, token)) else "absent"
    return {"phase": phase, "token": token, "handle": "thing-" + token[-4:], "seq": 1}


def offer(site, name):
    return {"site": site, "name": name, "compute": "general", "billing": "on_demand", "unit": "core", "divisible": True,
            "launchable": True, "vcpus": 1, "memory_mib": 1024, "disk_mib": 0, "architecture": "x86_64",
            "stacks": ["none"], "units_free": 8, "units_ours": 0, "increment_s": 1, "minimum_s": 0, "queue_wait_s": 0}


def page(items, cursor):
    """Splits items over config["pages"] pages: (items of this page, next cursor)."""
    pages, at = config.get("pages", 1), int(cursor or 0)
    size = (len(items) + pages - 1) // pages or 1
    return items[at * size:(at + 1) * size], str(at + 1) if at + 1 < pages else ""


def answer(verb, p):
    if verb == "offers":
        offers, cursor = page([offer("east", "cpu"), offer("nowhere", "cpu"), offer("west", "cpu")], p.get("cursor"))
        return {"offers": offers, "as_of": AT, "next_cursor": cursor,
                **({"warnings": config["warnings"]} if "warnings" in config else {})}
    if verb == "probe":
        script = config.get("probe_ok", [True])
        ok = script[min(counts["probe"], len(script)) - 1]
        return {"ok": ok, "message": "" if ok else "no credentials; log in first"}
    if verb == "launch":
        with open(os.path.join(state_dir, p["token"]), "w") as out:
            out.write(json.dumps(p))
        if config.get("tell"):
            send({"jsonrpc": "2.0", "method": "attempt.changed", "params": seen(p["token"])})
        return {"outcome": "done", "handle": "thing-" + p["token"][-4:]}
    if verb == "put":
        path = os.path.join(state_dir, "put-" + p["token"])
        with open(path, "r+b" if os.path.exists(path) else "w+b") as out:
            out.seek(p["from"])
            out.write(base64.b64decode(p["base64"]))
        return {"outcome": "done"}
    if verb == "find":
        return seen(p["token"])
    if verb == "get":
        return {"items": [seen(t) for t in p["tokens"]]}
    if verb == "cancel":
        os.unlink(os.path.join(state_dir, p["token"]))
        return {"outcome": "done"}
    if verb == "list":
        tokens, cursor = page(things(), p.get("cursor"))
        return {"items": [seen(t) for t in tokens], "complete": not cursor, "as_of": AT, "next_cursor": cursor}
    if verb == "logs":
        data = LOG[p["from"]:p["from"] + 300] if p["stream"] == "stdout" else b""
        end = p["from"] + len(data)
        return {"from": p["from"], "next": end, "base64": base64.b64encode(data).decode(),
                "complete": p["stream"] != "stdout" or end == len(LOG)}
    if verb == "fetch":
        return {"entries": [{"path": "result.txt", "size_bytes": 5}]}
    return None


def fault_of(verb):
    counts[verb] = counts.get(verb, 0) + 1
    for fault in config.get("faults", []):
        if fault["verb"] == verb and fault.get("nth", counts[verb]) == counts[verb]:
            return fault
    return {"do": "nothing"}


def reply_to(call, fault):
    if fault["do"] == "fail":
        data = {"kind": fault["kind"]}
        if "retry_after_s" in fault:
            data["retry_after_s"] = fault["retry_after_s"]
        return {"jsonrpc": "2.0", "id": call["id"], "error": {"code": -32000, "message": "scripted", "data": data}}
    result = fault["result"] if fault["do"] == "reply" else answer(call["method"], call.get("params", {}))
    return {"jsonrpc": "2.0", "id": call["id"], "result": result}


def serve(call):
    verb = call["method"]
    note(verb)
    fault = fault_of(verb)
    do = fault["do"]
    if do == "drop":
        return
    if do == "die":
        sys.stderr.write("dying as scripted\n")
        sys.stderr.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    if do == "exit":
        os._exit(3)
    if do == "garble":
        return send("{\"jsonrpc\": \"2.0\", \"id\"\n")
    if do == "long":
        return send("x" * (1 << 20) + "xx\n")
    if do == "stranger":
        return send({"jsonrpc": "2.0", "id": 10 ** 9, "result": {}})
    if do == "close":
        os.close(1)
        return time.sleep(60)
    reply = reply_to(call, fault)
    if do == "delay":
        return threading.Timer(fault["s"], send, [reply]).start()
    send(reply)
    if do == "repeat":
        send(reply)
    if do == "die_after":
        os.kill(os.getpid(), signal.SIGKILL)


def main():
    global config, state_dir
    for line in sys.stdin:
        call = json.loads(line)
        if call["method"] == "initialize":
            config, state_dir = call["params"]["config"], call["params"]["state_dir"]
            note("initialize " + call["params"]["provider"] + " " + str(os.getpid()))
            sys.stderr.write("hello from the fake adapter\n")
            sys.stderr.flush()
            if "refuse" in config:
                send({"jsonrpc": "2.0", "id": call["id"],
                      "error": {"code": -32000, "message": config["refuse"], "data": {"kind": "invalid"}}})
                continue
            send({"jsonrpc": "2.0", "id": call["id"],
                  "result": {"version": config.get("version", 1), "kind": config.get("kind", "fake"),
                             "adapter_version": "0.1", "idempotency": "native_token", "max_visibility_delay_s": 7,
                             "capabilities": config.get("capabilities", ["put", "fetch", "logs", "gang"])}})
        elif call["method"] == "$/cancel":
            note("$/cancel")
        else:
            serve(call)
    if config.get("ignore_stop"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(60)
    note("stopped")


main()
