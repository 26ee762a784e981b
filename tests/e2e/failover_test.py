"""A provider that fails on purpose: what tenants and operators are told, what they may choose, and where work goes."""

import json
import pathlib
import unittest

from broker import Broker, main, wait_end, wait_for, workload

ADAPTER = pathlib.Path(__file__).resolve().parent / "scripted_adapter.py"


class Failover(unittest.TestCase):
    """Two providers, of which `a` is the cheaper one."""

    def setUp(self):
        self.broker = Broker(providers={})
        self.addCleanup(self.broker.close)
        for name, price in (("a", "0.01"), ("b", "0.02")):
            self.control(name, launch="ok")
            self.broker.write_provider(name, self.provider(name, price))
        self.broker.start()
        self.broker.wait_offers("a", "b")
        self.tenant_key = self.broker.member_key("lab")
        self.tenant = self.broker.client(self.tenant_key)
        self.operator = self.broker.client()

    def provider(self, name, price):
        return {
            "kind": "scripted", "sites": [{"site": "here", "region": "cn-guangdong", "jurisdiction": "CN"}],
            "adapter_command": ["/usr/bin/python3", str(ADAPTER)], "config": {"control": str(self.control_file(name))},
            "prices": [{"price": {"amount": price, "currency": "CNY"}, "source": "test"}], "poll_s": 1,
        }

    def control_file(self, name):
        return self.broker.home / f"{name}.control"

    def control(self, name, **what):
        Broker._write(self.control_file(name), what)

    def submit(self, seconds, name="job"):
        made = self.tenant.request("POST", "/v1/workloads", workload(
            name=name, policy="cheapest", resources={"vcpus": 1, "memory_mib": 64}, grace_s=0,
            variants=[{"command": ["run", str(seconds)]}]))
        self.assertEqual(made.status, 201, made.body)
        return made.json["id"]

    def read(self, ident):
        return self.tenant.request("GET", f"/v1/workloads/{ident}").json

    def attempts(self, ident):
        return list(self.tenant.items(f"/v1/workloads/{ident}/attempts"))

    def quarantine(self, name):
        return self.operator.request("GET", f"/v1/providers/{name}").json.get("quarantine")

    def test_an_unknown_outcome_is_explained_and_a_second_copy_is_the_tenants_choice(self):
        self.control("a", launch="lose", unreachable=True)
        ident = self.submit(600, "careful")

        def explained():
            waiting = self.read(ident).get("waiting")
            return waiting[0] if waiting and waiting[0]["code"] == "outcome_unknown" else None

        why = wait_for("the unknown outcome is explained", explained)
        self.assertIn("attempt 1", why["detail"])
        self.assertIn("--accept-second-copy", why["detail"])
        shown = self.broker.cli("show", "careful", key=self.tenant_key)
        self.assertIn("outcome_unknown", shown.stdout)
        first = self.attempts(ident)[0]
        self.assertEqual(first["state"], "unknown")
        self.assertIn("uncertain_since", first)

        path = f"/v1/workloads/{ident}/give-up"
        for body, pointer in (({"attempt": first["id"]}, "/accept_second_copy"), ({"accept_second_copy": True}, "/attempt")):
            refused = self.tenant.request("POST", path, body)
            self.assertEqual(refused.status, 400, refused.body)
            self.assertEqual(refused.json["errors"][0]["pointer"], pointer)
        stranger = self.broker.member("other")
        self.assertEqual(stranger.request("POST", path, {"attempt": first["id"], "accept_second_copy": True}).status, 404)

        self.assertEqual(self.operator.request("POST", "/v1/providers/a/cordon").status, 204)
        taken = self.broker.cli("retry", "careful", "--accept-second-copy", key=self.tenant_key)
        self.assertEqual(taken.returncode, 0, taken.stderr)
        wait_for("the second copy runs", lambda: self.read(ident)["state"] == "active")
        first, second = self.attempts(ident)
        self.assertEqual((first["state"], second["provider"]), ("unknown", "b"))
        self.assertIn("given_up_at", first)
        repeat = self.tenant.request("POST", path, {"attempt": first["id"], "accept_second_copy": True})
        self.assertEqual(repeat.status, 202, repeat.body)
        self.assertEqual(len(self.attempts(ident)), 2)
        known = self.tenant.request("POST", path, {"attempt": second["id"], "accept_second_copy": True})
        self.assertEqual(known.status, 409, known.body)

        # It outlives the broker; then the first turns up, is stopped and charged, and the second goes on.
        self.broker.restart()
        self.tenant = self.broker.client(self.tenant_key)
        self.operator = self.broker.client()
        self.assertIn("given_up_at", self.attempts(ident)[0])

    def test_the_first_copy_is_stopped_and_charged_when_it_turns_up(self):
        self.control("a", launch="lose", unreachable=True)
        ident = self.submit(600)
        wait_for("its launch is unknown", lambda: self.attempts(ident) and self.attempts(ident)[0]["state"] == "unknown")
        self.assertEqual(self.operator.request("POST", "/v1/providers/a/cordon").status, 204)
        first = self.attempts(ident)[0]
        body = {"attempt": first["id"], "accept_second_copy": True}
        self.assertEqual(self.tenant.request("POST", f"/v1/workloads/{ident}/give-up", body).status, 202)
        wait_for("the second copy runs", lambda: self.read(ident)["state"] == "active")
        self.control("a", launch="ok")

        def ended():
            one = self.attempts(ident)[0]
            return one if one["state"] == "ended" else None

        first = wait_for("the first copy is stopped", ended)
        self.assertEqual(first["outcome"], "cancelled")
        self.assertEqual(self.read(ident)["state"], "active")
        self.assertEqual(self.tenant.request("POST", f"/v1/workloads/{ident}/cancel").status, 202)
        self.assertEqual(wait_end(self.tenant, ident)["state"], "cancelled")
        charged = {one["attempt"] for one in self.tenant.items(f"/v1/charges?workload={ident}")}
        self.assertEqual(charged, {one["id"] for one in self.attempts(ident)})
        told = [one["type"] for one in self.tenant.items(f"/v1/workloads/{ident}/events")]
        self.assertIn("attempt.given_up", told)

    def test_refused_credentials_cost_the_tenant_nothing_and_tell_the_operator(self):
        self.control("a", launch="unauthorised")
        ident = self.submit(0)
        self.assertEqual(wait_end(self.tenant, ident)["state"], "succeeded")
        self.assertEqual([one["provider"] for one in self.attempts(ident)], ["a", "b"])
        told = wait_for("the provider is distrusted", lambda: self.quarantine("a"))
        self.assertEqual(told["kind"], "unauthorised")
        self.assertIn("SIGHUP", told["reason"])
        self.assertIn("unauthorised", self.broker.cli("providers").stdout)
        metrics = self.operator.request("GET", "/metrics").body
        self.assertIn('westerly_provider_quarantined{provider="a"} 1', metrics if isinstance(metrics, str) else metrics.decode())

        self.control("a", launch="ok")
        self.assertEqual(self.broker.cli("providers", "uncordon", "a").returncode, 0)
        wait_for("it is trusted again", lambda: self.quarantine("a") is None)
        again = self.submit(0)
        self.assertEqual(wait_end(self.tenant, again)["state"], "succeeded")
        self.assertEqual([one["provider"] for one in self.attempts(again)], ["a"])

    def test_capacity_that_is_gone_moves_work_on_at_once(self):
        self.control("a", launch="no_capacity")
        ident = self.submit(0)
        self.assertEqual(wait_end(self.tenant, ident)["state"], "succeeded")
        self.assertEqual([one["provider"] for one in self.attempts(ident)], ["a", "b"])
        other = self.submit(0)
        self.assertEqual(wait_end(self.tenant, other)["state"], "succeeded")
        self.assertEqual([one["provider"] for one in self.attempts(other)], ["b"])
        self.assertIsNone(self.quarantine("a"))

    def test_a_provider_whose_launches_fail_is_quarantined(self):
        self.control("a", launch="internal")
        self.operator.request("POST", "/v1/providers/b/cordon")
        idents = [self.submit(0, f"job-{i}") for i in range(5)]
        told = wait_for("the provider is quarantined or down", lambda: self.quarantine("a") or (
            self.operator.request("GET", "/v1/providers/a").json["health"]["state"] == "down" and {"kind": "down"}))
        self.assertIn(told["kind"], ("launches_fail", "down"))
        # Their launches are unknown, and found to have come to nothing: all of them run in the end.
        self.control("a", launch="ok")
        self.operator.request("POST", "/v1/providers/b/uncordon")
        for ident in idents:
            self.assertEqual(wait_end(self.tenant, ident)["state"], "succeeded", json.dumps(self.read(ident)))


if __name__ == "__main__":
    main()
