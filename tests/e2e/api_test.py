"""Every operation of schema/openapi.json, once and more in success and in failure, each answer held against it.

The last test fails when an operation was not visited both ways; so a new path cannot come without a test here.
"""

import decimal
import io
import json
import pathlib
import tarfile
import unittest
import urllib.parse

from broker import Broker, main, wait_end, wait_for, wait_state, workload

NOBODY = "01890000-0000-7000-8000-000000000000"
GREETING = "hello from rank "
JOB = workload(
    name="greeter", tasks=2, labels={"team": "vision", "step": "one"}, project="eyes",
    variants=[{"command": ["/bin/sh", "-c",
                           f"echo {GREETING}$WESTERLY_RANK; echo oops >&2; echo $WESTERLY_RANK > $WESTERLY_OUTPUT_DIR/r$WESTERLY_RANK"]}],
)


class Visits:
    """Which operations answered well, and which badly."""

    def __init__(self, document):
        self.document = document
        self.well, self.badly = set(), set()
        self.check = document.check
        document.check = self

    def __call__(self, method, target, answer, with_body=True):
        self.check(method, target, answer, with_body)
        operation, path = self.document.operation(method, target)
        if operation:
            (self.well if answer.status < 400 else self.badly).add((method, path))


class Api(unittest.TestCase):
    broker = None

    @classmethod
    def setUpClass(cls):
        if Api.broker:
            return
        broker = Broker()
        unittest.addModuleCleanup(broker.close)
        Api.visits = Visits(Broker.document())
        broker.start()
        broker.wait_offers("east", "west")
        Api.operator = broker.client()
        Api.member, Api.other = broker.member("vision"), broker.member("ocean")
        made = Api.member.request("POST", "/v1/workloads", JOB)
        assert made.status == 201, made.body
        Api.job = wait_end(Api.member, made.json["id"])
        assert Api.job["state"] == "succeeded", Api.job
        Api.run_path = "/v1/workloads/" + Api.job["id"]
        Api.broker = broker

    def ask(self, method, target, *statuses, client=None, **more):
        got = (client or self.member).request(method, target, **more)
        self.assertIn(got.status, statuses, f"{method} {target}: {got.body[:500]!r}")
        return got

    def submit(self, **fields):
        return self.ask("POST", "/v1/workloads", 201, body=workload(**fields)).json


class Workloads(Api):
    def test_etags_and_conditions(self):
        made = self.ask("POST", "/v1/workloads", 201, body=workload(name="tagged", tasks=9))
        path = made.headers["location"]
        self.assertEqual(path, "/v1/workloads/" + made.json["id"])
        got = self.ask("GET", path, 200)
        tag = got.headers["etag"]
        self.assertEqual(self.ask("GET", path, 304, headers={"If-None-Match": tag}).body, b"")
        self.ask("GET", path, 304, headers={"If-None-Match": f'"x", {tag}'})
        self.ask("GET", path, 200, headers={"If-None-Match": '"x"'})
        self.ask("POST", path + "/cancel", 412, headers={"If-Match": '"999999"'})
        self.ask("POST", path + "/cancel", 412, headers={"If-Match": "nonsense"})
        self.ask("POST", path + "/cancel", 202, headers={"If-Match": tag})
        ended = wait_state(self.member, made.json["id"], "cancelled")
        self.assertNotEqual(self.ask("GET", path, 200).headers["etag"], tag)
        self.assertEqual(ended["attempts"], 0)

    def test_cancelling_what_has_ended_is_a_conflict(self):
        before = self.ask("GET", self.run_path, 200).body
        told = self.ask("POST", self.run_path + "/cancel", 409).json
        self.assertTrue(told["remedy"])
        self.assertEqual(self.ask("GET", self.run_path, 200).body, before)
        self.ask("POST", f"/v1/workloads/{NOBODY}/cancel", 404)

    def test_cancel_ends_what_runs(self):
        made = self.submit(name="sleeper", variants=[{"command": ["/bin/sleep", "600"]}], grace_s=0)
        wait_state(self.member, made["id"], "active")
        self.ask("POST", f"/v1/workloads/{made['id']}/cancel", 202)
        ended = wait_end(self.member, made["id"])
        self.assertEqual(ended["state"], "cancelled")
        (attempt,) = self.member.items(f"/v1/workloads/{made['id']}/attempts")
        self.assertEqual((attempt["state"], attempt["outcome"]), ("ended", "cancelled"))

    def test_the_same_idempotency_key_is_the_same_workload(self):
        headers = {"Idempotency-Key": "once and only once"}
        body = workload(name="once")
        first = self.ask("POST", "/v1/workloads", 201, body=body, headers=headers)
        self.assertNotIn("idempotent-replayed", first.headers)
        again = self.ask("POST", "/v1/workloads", 200, body=body, headers=headers)
        self.assertEqual(again.headers["idempotent-replayed"], "true")
        self.assertEqual(again.json["id"], first.json["id"])
        self.assertTrue(self.ask("POST", "/v1/workloads", 422, body=workload(name="twice"), headers=headers).json["remedy"])
        theirs = self.ask("POST", "/v1/workloads", 201, client=self.other, body=body, headers=headers)
        self.assertNotEqual(theirs.json["id"], first.json["id"], "keys are a tenant's own")
        wait_end(self.member, first.json["id"])
        self.assertEqual(self.ask("POST", "/v1/workloads", 200, body=body, headers=headers).json["id"], first.json["id"])
        self.assertEqual(len(list(self.member.items("/v1/workloads?name=once"))), 1)

    def test_retry_is_for_what_has_failed(self):
        made = self.submit(name="failing", variants=[{"command": ["/bin/sh", "-c", "exit 7"]}])
        ended = wait_end(self.member, made["id"])
        self.assertEqual((ended["state"], ended["exit_code"]), ("failed", 7))
        path = f"/v1/workloads/{made['id']}/retry"
        again = self.ask("POST", path, 201, headers={"Idempotency-Key": "retried"}).json
        self.assertNotEqual(again["id"], made["id"])
        self.assertEqual(again["spec"], made["spec"])
        self.assertEqual(self.ask("POST", path, 200, headers={"Idempotency-Key": "retried"}).json["id"], again["id"])
        self.assertEqual(wait_end(self.member, again["id"])["state"], "failed")
        self.ask("POST", f"/v1/workloads/{NOBODY}/retry", 404)

    def test_lists_are_filtered_and_paged(self):
        for index in range(5):
            self.submit(name="paged", tasks=9, labels={"n": str(index)}, timing={"max_wait_s": 3600})
        everything = list(self.member.items("/v1/workloads?name=paged"))
        self.assertEqual(len(everything), 5)
        for limit in (1, 2, 3, 5, 100):
            paged = list(self.member.items(f"/v1/workloads?name=paged&limit={limit}"))
            self.assertEqual([one["id"] for one in paged], [one["id"] for one in everything], limit)
        found = list(self.member.items("/v1/workloads?label=n=3&name=paged&state=queued&state=active"))
        self.assertEqual([one["spec"]["labels"]["n"] for one in found], ["3"])
        self.assertEqual(list(self.member.items("/v1/workloads?name=paged&state=succeeded")), [])
        self.assertEqual([one["id"] for one in self.member.items("/v1/workloads?project=eyes")], [self.job["id"]])
        tenant = self.job["tenant"]
        self.assertIn(self.job["id"], {one["id"] for one in self.operator.items(f"/v1/workloads?tenant={tenant}")})
        self.ask("GET", f"/v1/workloads?tenant={tenant}", 403, client=self.other)
        self.ask("GET", "/v1/workloads?limit=0", 400)
        for one in everything:
            self.ask("POST", f"/v1/workloads/{one['id']}/cancel", 202)

    def test_attempts_and_decisions(self):
        (attempt,) = self.member.items(self.run_path + "/attempts")
        self.assertEqual((attempt["outcome"], attempt["exit_code"], attempt["number"]), ("succeeded", 0, 1))
        decision = self.ask("GET", self.run_path + "/decision", 200).json
        self.assertEqual(decision["id"], attempt["decision"])
        self.assertEqual(decision["ranked"][0]["offer"], attempt["offer"])
        self.assertEqual(self.ask("GET", "/v1/decisions/" + decision["id"], 200).json, decision)
        self.assertEqual(attempt["lease"]["price"], decision["ranked"][0]["price"])
        for path in (f"/v1/workloads/{NOBODY}/attempts", f"/v1/workloads/{NOBODY}/decision", f"/v1/decisions/{NOBODY}",
                     f"/v1/workloads/{NOBODY}"):
            self.ask("GET", path, 404)

    def test_events_by_page_and_as_a_stream(self):
        listed = list(self.member.items(self.run_path + "/events?limit=2"))
        self.assertEqual([one["seq"] for one in listed], sorted({one["seq"] for one in listed}))
        kinds = [one["type"] for one in listed]
        self.assertEqual((kinds[0], kinds[-1]), ("workload.queued", "workload.succeeded"))
        streamed = list(self.member.events(self.run_path + "/events"))
        self.assertEqual(streamed[-1]["event"], "end")
        self.assertEqual([one["data"]["seq"] for one in streamed[:-1]], [one["seq"] for one in listed])
        # Resuming from an id misses nothing and may repeat a little.
        mark = next(one["id"] for one in streamed if one.get("id"))
        resumed = list(self.member.events(self.run_path + "/events", {"Last-Event-ID": mark}))
        self.assertEqual(resumed[-1]["event"], "end")
        self.assertLessEqual({one["data"]["seq"] for one in resumed[:-1]}, {one["seq"] for one in listed})
        # A stream that is open sees what comes.
        made = self.submit(name="watched", variants=[{"command": ["/bin/sleep", "600"]}], grace_s=0)
        stream = self.member.events(f"/v1/workloads/{made['id']}/events")
        for one in stream:
            if one.get("data", {}).get("type") == "workload.active":
                break
        self.ask("POST", f"/v1/workloads/{made['id']}/cancel", 202)
        rest = [one for one in stream]
        self.assertEqual(rest[-2]["data"]["type"], "workload.cancelled")
        self.assertEqual(rest[-1]["event"], "end")
        mine = list(self.member.items("/v1/events?limit=7"))
        self.assertEqual({one["tenant"] for one in mine}, {self.job["tenant"]})
        self.assertLessEqual({one["seq"] for one in listed}, {one["seq"] for one in mine})
        for path in (f"/v1/workloads/{NOBODY}/events", f"/v1/workloads/{NOBODY}/logs"):
            self.ask("GET", path, 404)
        self.ask("GET", "/v1/events?limit=0", 400)

    def test_logs_whole_from_an_offset_and_followed(self):
        for rank in (0, 1):
            text = f"{GREETING}{rank}\n"
            self.assertEqual(self.ask("GET", f"{self.run_path}/logs?rank={rank}", 200).body.decode(), text)
            self.assertEqual(self.ask("GET", f"{self.run_path}/logs?rank={rank}&from=6", 200).body.decode(), text[6:])
        self.assertEqual(self.ask("GET", self.run_path + "/logs?stream=stderr", 200).body, b"oops\n")
        answer, body = self.member.stream(self.run_path + "/logs?follow=true")
        self.assertEqual((answer.status, body.read()), (200, f"{GREETING}0\n".encode()))
        made = self.submit(name="talker", grace_s=0, variants=[
            {"command": ["/bin/sh", "-c", "for i in 1 2 3; do echo line $i; sleep 0.3; done; echo last; sleep 600"]}])
        wait_state(self.member, made["id"], "active")
        answer, body = self.member.stream(f"/v1/workloads/{made['id']}/logs?follow=true")
        self.assertEqual(answer.status, 200)
        got = b""
        while b"last\n" not in got:
            piece = body.read1(4096)
            self.assertTrue(piece, "the stream ended before the task did")
            got += piece
        self.ask("POST", f"/v1/workloads/{made['id']}/cancel", 202)
        got += body.read()
        self.assertEqual(got, b"line 1\nline 2\nline 3\nlast\n")
        self.ask("GET", self.run_path + "/logs?rank=2", 400, 404)

    def test_files(self):
        listed = {one["path"]: one["size_bytes"] for one in self.member.items(self.run_path + "/files")}
        self.assertEqual(set(listed.values()), {2})
        got = {path: self.ask("GET", f"{self.run_path}/files/{urllib.parse.quote(path)}", 200).body for path in listed}
        self.assertEqual(sorted(got.values()), [b"0\n", b"1\n"])
        self.ask("GET", self.run_path + "/files/none", 404)
        self.ask("GET", f"/v1/workloads/{NOBODY}/files", 404)

    def test_bundles_reach_the_task(self):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            info = tarfile.TarInfo("code/words.txt")
            info.size = 6
            tar.addfile(info, io.BytesIO(b"packed"))
        headers = {"Content-Type": "application/x-tar"}
        made = self.ask("POST", "/v1/bundles", 201, body=packed.getvalue(), headers=headers).json
        self.assertEqual(made["size_bytes"], len(packed.getvalue()))
        self.assertEqual(self.ask("POST", "/v1/bundles", 201, body=packed.getvalue(), headers=headers).json, made)
        job = self.submit(name="with-code", variants=[{"command": ["/bin/cat", "code/words.txt"], "files": made["files"]}])
        self.assertEqual(wait_end(self.member, job["id"])["state"], "succeeded")
        self.assertEqual(self.ask("GET", f"/v1/workloads/{job['id']}/logs", 200).body, b"packed")
        self.ask("POST", "/v1/bundles", 400, 415, body=b"x", headers={"Content-Type": "text/plain"})

    def test_plans(self):
        self.assertTrue(self.ask("POST", "/v1/plans", 200, body=JOB).json["decision"]["ranked"])
        self.ask("POST", "/v1/plans", 400, body=workload(tasks=0))
        self.ask("POST", "/v1/workloads", 400, body=workload(tasks=0))
        names = {one["spec"]["name"] for one in self.member.items("/v1/workloads")}
        self.assertNotIn("probe", names, "a plan starts nothing")


class Market(Api):
    def test_offers_providers_and_policies(self):
        self.assertEqual({one["provider"] for one in self.member.items("/v1/offers?limit=1")}, {"east", "west"})
        (west,) = self.member.items("/v1/offers?provider=west")
        self.assertEqual([one["id"] for one in self.member.items("/v1/offers?region=cn-ningxia")], [west["id"]])
        self.assertEqual([one["id"] for one in self.member.items("/v1/providers?limit=1")], ["east", "west"])
        self.assertEqual(self.ask("GET", "/v1/providers/west", 200).json["health"]["state"], "ready")
        shipped = ["balanced", "cheapest", "greenest", "lowest_carbon", "nearest"]
        self.assertEqual([one["name"] for one in self.member.items("/v1/policies?limit=1")], shipped)
        for name in shipped:
            self.assertRegex(self.ask("GET", f"/v1/policies/{name}", 200).json["version"], "^sha256:")
        for path in ("/v1/providers/none", "/v1/policies/none"):
            self.ask("GET", path, 404)
        for path in ("/v1/offers", "/v1/signals", "/v1/providers", "/v1/policies"):
            self.ask("GET", path + "?limit=0", 400)
        self.assertFalse(west["stale"])
        self.assertLess(west["age_s"], west["stale_after_s"])
        told = self.ask("GET", f"/v1/offer-history?offer={west['id']}", 200).json["items"]
        self.assertEqual((told[0]["offered"], told[0]["price"]), (True, west["price"]))
        self.ask("GET", f"/v1/offer-history?offer={west['id']}&until=2026-01-01T00:00:00Z", 404)
        self.ask("GET", f"/v1/offer-history?offer={west['id']}&from=yesterday", 400)

    def test_decisions_are_made_again_and_compared_by_operators(self):
        made = self.submit(name="replayed")
        wait_end(self.member, made["id"])
        decision = self.ask("GET", f"/v1/workloads/{made['id']}/decision", 200).json["id"]
        listed = [one["id"] for one in self.ask("GET", "/v1/decisions", 200, client=self.operator).json["items"]]
        self.assertIn(decision, listed)
        self.assertTrue(self.ask("GET", f"/v1/decisions/{decision}/replay", 200).json["identical"])
        self.ask("GET", "/v1/decisions?limit=0", 400, client=self.operator)
        self.ask("GET", "/v1/certificates", 200, client=self.operator)
        self.ask("GET", "/v1/certificates", 403)
        self.ask("GET", "/v1/certificates?limit=0", 400, client=self.operator)
        self.ask("GET", f"/v1/decisions/{NOBODY}/replay", 404)
        compared = {"before": {"name": "cheapest"}, "after": {"name": "greenest"}}
        self.ask("POST", "/v1/policy-comparisons", 403, body=compared)
        told = self.ask("POST", "/v1/policy-comparisons", 200, client=self.operator, body=compared).json
        self.assertGreaterEqual(told["compared"], 1)
        self.ask("GET", "/v1/signals", 200)

    def test_operators_correct_carbon(self):
        told = {"zone": "NOWHERE", "source": "the test", "year": 2026, "quality": "annual_national",
                "factors": [{"start_at": "2026-01-01T00:00:00Z", "end_at": "2027-01-01T00:00:00Z", "g_per_kwh": 500}]}
        made = self.ask("POST", "/v1/carbon-corrections", 200, client=self.operator, body=told).json
        self.assertEqual((made["items"], sum(made["rows"].values())), ([], 0))
        self.ask("POST", "/v1/carbon-corrections", 403, body=told)
        self.ask("POST", "/v1/carbon-corrections", 400, client=self.operator, body={**told, "site": "east/here"})
        self.ask("POST", "/v1/carbon-corrections", 400, client=self.operator, body={**told, "year": "2026"})

    def test_what_is_managed_by_files_is_read_only(self):
        for kind, one in (("providers", "west"), ("policies", "cheapest")):
            self.ask("POST", f"/v1/{kind}", 409, client=self.operator, body={})
            for method in ("PUT", "DELETE"):
                self.ask(method, f"/v1/{kind}/{one}", 409, client=self.operator, body={} if method == "PUT" else None)
                self.ask(method, f"/v1/{kind}/{one}", 403, body={} if method == "PUT" else None)

    def test_an_operator_probes_and_cordons(self):
        self.assertTrue(self.ask("POST", "/v1/providers/east/probe", 200, client=self.operator).json["ok"])
        self.ask("POST", "/v1/providers/east/cordon", 204, client=self.operator)
        wait_for("it is cordoned", lambda: self.ask("GET", "/v1/providers/east", 200).json["cordoned"])
        self.ask("POST", "/v1/providers/east/uncordon", 204, client=self.operator)
        wait_for("it is open", lambda: not self.ask("GET", "/v1/providers/east", 200).json["cordoned"])
        for verb in ("probe", "cordon", "uncordon"):
            self.ask("POST", f"/v1/providers/east/{verb}", 403)
            self.ask("POST", f"/v1/providers/none/{verb}", 404, client=self.operator)

    def test_charges_sum_exactly_and_follow_from_usage(self):
        made = [self.submit(name="billed", project="bills", tasks=tasks)["id"] for tasks in (1, 2, 3)]
        for ident in made:
            wait_end(self.member, ident)
        wait_for("all are billed", lambda: len(list(self.member.items("/v1/charges?project=bills"))) == 3)
        for query in ("", "&project=bills", "&workload=" + made[0]):
            charges = list(self.member.items("/v1/charges?limit=2" + query))
            usage = {one["id"]: one for one in self.member.items("/v1/usage?limit=2" + query)}
            sums = {}
            for one in charges:
                cost = one["billed_cost"]
                sums[cost["currency"]] = sums.get(cost["currency"], 0) + decimal.Decimal(cost["amount"])
                metered = usage[one["usage"]]
                self.assertEqual((one["start_at"], one["end_at"], one["units"]),
                                 (metered["start_at"], metered["end_at"], metered["units"]))
                self.assertTrue(metered["measured"])
                exact = decimal.Decimal(one["price"]["amount"]) * one["units"] * one["billed_ms"] / 3_600_000
                self.assertLessEqual(abs(exact - decimal.Decimal(cost["amount"])), decimal.Decimal("0.0000005"))
                self.assertEqual(one["billed_ms"] % 1000, 0, "the offer's increment is a second")
            totals = self.ask("GET", "/v1/charges?limit=1" + query, 200).json["totals"]
            self.assertEqual({one["billed_cost"]["currency"]: decimal.Decimal(one["billed_cost"]["amount"])
                              for one in totals}, sums)
            told = self.ask("GET", "/v1/usage?limit=1" + query, 200).json["totals"]
            self.assertEqual(told["rows"], len(usage))
            self.assertAlmostEqual(told["energy_kwh"], sum(one["energy_kwh"] for one in usage.values()), places=9)
            self.assertAlmostEqual(told["carbon_kg"], sum(one["carbon_kg"] for one in usage.values()), places=9)
        self.assertEqual(list(self.member.items("/v1/charges?until=2001-01-01T00:00:00Z")), [])
        self.assertEqual(list(self.other.items(f"/v1/charges?workload={made[0]}")), [])
        for path in ("usage", "charges"):
            self.ask("GET", f"/v1/{path}?from=yesterday", 400)


class House(Api):
    def test_who_is_asking(self):
        told = self.ask("GET", "/v1/whoami", 200).json
        self.assertEqual((told["tenant_name"], told["role"]), ("vision", "member"))
        self.assertEqual(self.ask("GET", "/v1/whoami", 200, client=self.operator).json["role"], "operator")
        self.ask("GET", "/v1/whoami", 401, key="")

    def test_tenants_and_keys(self):
        made = self.ask("POST", "/v1/tenants", 201, client=self.operator, body={"name": "house"}).json
        self.ask("POST", "/v1/tenants", 409, client=self.operator, body={"name": "house"})
        self.ask("POST", "/v1/tenants", 403, body={"name": "mine"})
        self.assertIn(made["id"], {one["id"] for one in self.operator.items("/v1/tenants?limit=1")})
        self.ask("GET", "/v1/tenants", 403)
        for method, end in (("DELETE", ""), ("POST", "/revoke")):
            new = self.ask("POST", "/v1/keys", 201, client=self.operator, body={"tenant": "house", "name": "k"}).json
            path = f"/v1/keys/{new['key']['id']}{end}"
            self.assertEqual(self.ask("GET", "/v1/whoami", 200, key=new["secret"]).json["tenant"], made["id"])
            shown = json.dumps(list(self.operator.items(f"/v1/keys?tenant={made['id']}")))
            self.assertNotIn(new["secret"], shown)
            self.ask(method, path, 403)
            self.ask(method, path, 204, client=self.operator)
            self.ask("GET", "/v1/whoami", 401, key=new["secret"])
            self.ask(method, f"/v1/keys/{NOBODY}{end}", 404, client=self.operator)
        self.ask("POST", "/v1/keys", 400, client=self.operator, body={"name": "k", "role": "king"})
        self.ask("GET", "/v1/keys?limit=0", 400)
        self.assertEqual({one["tenant"] for one in self.member.items("/v1/keys")}, {self.job["tenant"]})

    def test_upkeep(self):
        self.assertEqual(list(self.operator.items("/v1/orphans")), [])
        self.ask("GET", "/v1/orphans", 403)
        self.ask("POST", "/v1/sweep/confirm", 204, client=self.operator)
        self.ask("POST", "/v1/sweep/confirm", 403)
        path = self.ask("POST", "/v1/backup", 201, client=self.operator).json["path"]
        self.assertTrue(path.startswith(str(self.broker.home)))
        self.ask("POST", "/v1/backup", 403)

    def test_what_is_open_to_all(self):
        for path in ("/healthz", "/readyz", "/metrics", "/openapi.json"):
            self.ask("GET", path, 200, key="")
            self.ask("GET", path + "?colour=red", 400, key="")
        served = self.ask("GET", "/openapi.json", 200, key="").json
        self.assertEqual(served["paths"].keys(), self.member.document.source["paths"].keys())
        metrics = self.ask("GET", "/metrics", 200, key="").body.decode()
        self.assertIn("# TYPE westerly_", metrics)

    def test_heads_options_and_other_methods(self):
        for path in (self.run_path, "/v1/offers", "/healthz"):
            self.assertEqual(self.ask("HEAD", path, 200).body, b"")
            self.ask("OPTIONS", path, 204)
            self.assertIn("GET", self.ask("PATCH", path, 405).headers["allow"])
        self.ask("GET", "/v1/nothing", 404)


class SecondCopy(Api):
    def test_what_nothing_is_known_of_may_be_given_up(self):
        # A broker of its own: no other test's work may go to a provider that answers nothing.
        broker = Broker(providers={})
        self.addCleanup(broker.close)
        control = broker.home / "control"
        Broker._write(control, {"launch": "lose", "unreachable": True})
        broker.write_provider("silent", {
            "kind": "scripted", "sites": [{"site": "here", "region": "cn-guangdong", "jurisdiction": "CN"}],
            "adapter_command": ["/usr/bin/python3", str(pathlib.Path(__file__).resolve().parent / "scripted_adapter.py")],
            "config": {"control": str(control)},
            "prices": [{"price": {"amount": "0.01", "currency": "CNY"}, "source": "test"}],
        })
        broker.start()
        broker.wait_offers("silent")
        client = broker.client()
        made = self.ask("POST", "/v1/workloads", 201, client=client, body=workload(
            policy="cheapest", resources={"vcpus": 1, "memory_mib": 64}, variants=[{"command": ["run", "600"]}])).json
        path = f"/v1/workloads/{made['id']}"

        def unknown():
            attempts = client.request("GET", path + "/attempts").json["items"]
            return attempts[0] if attempts and attempts[0]["state"] == "unknown" else None

        attempt = wait_for("its launch is unknown", unknown)
        self.ask("POST", path + "/give-up", 400, client=client, body={"attempt": attempt["id"]})
        told = self.ask("POST", path + "/give-up", 202, client=client,
                        body={"attempt": attempt["id"], "accept_second_copy": True})
        self.assertEqual(told.headers["etag"], f'"{told.json["revision"]}"')
        ended = {"attempt": NOBODY, "accept_second_copy": True}
        self.ask("POST", self.run_path + "/give-up", 409, body=ended)
        self.ask("POST", f"/v1/workloads/{NOBODY}/give-up", 404, body=ended)


class ZCoverage(Api):
    """Last by name."""

    def test_every_operation_was_visited_well_and_badly(self):
        if len(self.visits.well) < 20:
            self.skipTest("only a part of this program ran")
        document = self.member.document
        self.assertEqual(document.operations() - self.visits.badly, set(), "not visited in failure")
        with_success = {
            (method, path) for method, path in document.operations()
            if any(status.startswith("2") for status in document.whole["paths"][path][method.lower()]["responses"])
        }
        self.assertEqual(with_success - self.visits.well, set(), "not visited in success")


if __name__ == "__main__":
    main()
