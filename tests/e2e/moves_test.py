"""A run is moved while it runs: a price falls by reload, the work goes on from its checkpoint elsewhere, both are billed.

The tasks keep their checkpoints in a small store of the test's own that every place reaches, as `checkpoint.portable`
says: it hears from them where each attempt began and how far it came.
"""

import http.server
import threading
import unittest

from broker import Broker, main, wait_end, wait_for, wait_state, workload

# Counts steps, a checkpoint each; ends when it is told to.
SCRIPT = """
import os, sys, time, urllib.request
def ask(method, name, text=None):
    body = None if text is None else str(text).encode()
    request = urllib.request.Request(sys.argv[1] + name, data=body, method=method)
    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30).read().decode()
step = int(ask("GET", "step"))
ask("POST", "begins", os.environ["WESTERLY_ATTEMPT"] + " " + str(step))
while ask("GET", "finish") != "yes":
    time.sleep(0.2)
    step += 1
    ask("PUT", "step", step)
"""


class CheckpointStore:
    """What tasks PUT under a name they GET again; what they POST is kept as a list."""

    def __init__(self):
        store = self
        self.values = {"step": "0", "finish": "no"}
        self.posted = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self, text):
                body = text.encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def told(self):
                return self.rfile.read(int(self.headers["Content-Length"])).decode()

            def do_GET(self):
                self.answer(store.values[self.path[1:]])

            def do_PUT(self):
                store.values[self.path[1:]] = self.told()
                self.answer("")

            def do_POST(self):
                store.posted.append(self.told().split())
                self.answer("")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def site(price):
    return {
        "kind": "local",
        "sites": [{"site": "hall", "region": "cn-ningxia", "jurisdiction": "CN"}],
        "config": {"sites": [{"site": "hall", "vcpus": 4, "memory_mib": 4096}]},
        "prices": [{"price": {"amount": price, "currency": "CNY"}, "source": "example price", "increment_s": 1}],
        "offers_refresh_s": 1,
        "poll_s": 1,
    }


MOVING = {"replacement": {"min_gain": 0.2, "min_gain_amount": 1, "at_most_every_s": 3, "look_every_s": 1}}


class Moves(unittest.TestCase):
    def setUp(self):
        self.store = CheckpointStore()
        self.addCleanup(self.store.close)
        self.broker = Broker(providers={"here": site("36.00"), "there": site("40.00")}, policies={"moving": MOVING})
        self.addCleanup(self.broker.close)
        self.broker.start()
        self.broker.wait_offers("here", "there")
        self.member = self.broker.member("vision")

    def submit(self, **fields):
        asked = workload(policy="moving", work={"runtime_s": 36_000}, **{
            "checkpoint": {"interval_s": 1, "portable": True}, **fields})
        asked["variants"] = [{"command": ["/usr/bin/python3", "-c", SCRIPT, self.store.url]}]
        made = self.member.request("POST", "/v1/workloads", asked)
        self.assertEqual(made.status, 201, made.body)
        ident = made.json["id"]
        wait_state(self.member, ident, "active")
        wait_for("some steps are done", lambda: int(self.store.values["step"]) >= 10)
        return ident

    def attempts(self, ident):
        return list(self.member.items(f"/v1/workloads/{ident}/attempts"))

    def events(self, ident):
        return [one for one in self.member.items(f"/v1/workloads/{ident}/events")]

    def fall(self):
        """Ten hours at 36 an hour are 360; from now on there are ten at 3.60."""
        self.broker.write_provider("there", site("3.60"))
        self.broker.reload()

        def price():
            return [float(one["price"]["amount"]) for one in self.member.items("/v1/offers")
                    if one["provider"] == "there"]

        wait_for("the price has fallen", lambda: price() == [3.6])

    def test_a_price_that_falls_moves_the_run_once_and_it_goes_on_where_it_was(self):
        ident = self.submit()
        self.assertEqual([one["provider"] for one in self.attempts(ident)], ["here"])
        self.fall()
        wait_for("it began anew", lambda: len(self.store.posted) == 2)
        came_to = int(self.store.values["step"])
        wait_for("it goes on", lambda: int(self.store.values["step"]) >= came_to + 20)
        self.store.values["finish"] = "yes"
        self.assertEqual(wait_end(self.member, ident)["state"], "succeeded")

        first, second = self.attempts(ident)
        self.assertEqual((first["provider"], second["provider"]), ("here", "there"))
        self.assertEqual((first["displaced_for"], first["outcome"]), ("better_place", "cancelled"))
        self.assertNotIn("displaced_for", second)
        self.assertEqual([begun[0] for begun in self.store.posted], [first["id"], second["id"]])
        self.assertEqual(self.store.posted[0][1], "0")
        self.assertGreaterEqual(int(self.store.posted[1][1]), 10, "it goes on from its checkpoint")
        self.assertLess(first["ended_at"], second["started_at"])

        charges = list(self.member.items(f"/v1/charges?workload={ident}"))
        self.assertEqual({one["attempt"]: one["provider"] for one in charges},
                         {first["id"]: "here", second["id"]: "there"})
        usage = list(self.member.items(f"/v1/usage?workload={ident}"))
        self.assertEqual(len(usage), 2)

        told = [one for one in self.events(ident) if one["type"] == "workload.displaced"]
        self.assertEqual(len(told), 1)
        self.assertIn("Moved from here/hall/", told[0]["detail"])
        launched = self.member.request("GET", f"/v1/decisions/{second['decision']}").json
        self.assertEqual(launched["ranked"][0]["provider"], "there")
        self.assertIn("of the work is left", launched["explanation"])

    def test_what_keeps_its_checkpoints_at_its_site_or_may_not_be_moved_stays(self):
        ident = self.submit(movable=False)
        other = self.submit(checkpoint={"interval_s": 1})
        self.fall()
        third = self.submit()  # placed there: the price has fallen
        wait_for("new work goes there", lambda: [one["provider"] for one in self.attempts(third)] == ["there"])
        before = int(self.store.values["step"])
        wait_for("they run on", lambda: int(self.store.values["step"]) >= before + 60)
        for one in (ident, other):
            self.assertEqual([each["provider"] for each in self.attempts(one)], ["here"])
        self.store.values["finish"] = "yes"
        for one in (ident, other, third):
            self.assertEqual(wait_end(self.member, one)["state"], "succeeded")


if __name__ == "__main__":
    main()
