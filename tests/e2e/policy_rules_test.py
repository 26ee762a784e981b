"""Whom a policy is for, what workloads may override of it, what weights imply, and whether to reserve capacity."""

import json
import re
import unittest

from broker import Broker, demo_sites, main, wait_end, wait_for, workload

MONEY_IN_CNY = "CNY"


def price(amount):
    return {"amount": amount, "currency": MONEY_IN_CNY}


def kept(name, fee, **more):
    """16 vCPUs that are kept for whoever pays by the month."""
    return {
        "site": "unnamed", "name": name, "billing_mode": "reserved", "unit": "node", "vcpus": 16, "memory_mib": 65536,
        "architecture": "x86_64", "term": "month", "term_price": price(fee), "price_source": "example", **more,
    }


SELLER = {
    "kind": "catalogue", "sites": [{"site": "unnamed", "region": "cn-north", "jurisdiction": "CN"}],
    "offers": [kept("dear", "9000000"), kept("cheap", "0.01"), kept("soon", "0.01", available_from="2099-01-01T00:00:00Z")],
}
POLICIES = {
    "house": {
        "prices": {"latency": {"amount": "0.10", "currency": "CNY", "per": "ms·replica-h"}},
        "overrides": {"prices": {"latency": {"max": "1.00"}, "carbon": {"min": "0.1"}}, "within_of_cheapest": {"max": 1.0}},
    },
    "ours": {"description": "For one tenant.", "applies_to": [{"tenants": ["acme"]}]},
    "usual": {"description": "What is taken when none is named.", "default_for": [{"tenants": ["acme"]}]},
    "strict": {
        "filters": {"max_pue": 5, "compliance": [{"name": "export", "from_at": "2022-10-07T00:00:00Z", "max_fp16_tflops": 300}]},
        "forced_for": [{"tenants": ["acme", "globex"], "labels": {"stage": ["prod"]}}],
    },
    "restless": {"replacement": {"min_gain": 0.25, "moves_max": 3}},
    "by-weight": {"weights": {"price": {"weight": 1, "reference": "10"}, "carbon": {"weight": 2, "reference": 40}}},
}


class PolicyRules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        sites = {name: {**site, "poll_s": 1} for name, site in demo_sites().items()}
        cls.broker = Broker(providers={**sites, "seller": SELLER}, policies=POLICIES)
        cls.addClassCleanup(cls.broker.close)
        cls.broker.start()
        cls.broker.wait_offers("east", "west", "seller")
        cls.acme, cls.globex = cls.broker.member("acme"), cls.broker.member("globex")

    def decided(self, client, **fields):
        got = client.request("POST", "/v1/plans", workload(**fields))
        self.assertEqual(got.status, 200, got.body)
        return got.json["decision"]

    def refused(self, client, **fields):
        """The faults by their place; plans and submits refuse alike."""
        told = [client.request("POST", path, workload(**fields)) for path in ("/v1/plans", "/v1/workloads")]
        self.assertEqual([got.status for got in told], [400, 400], told[0].body)
        faults = [{one["pointer"]: one["detail"] for one in got.json["errors"]} for got in told]
        self.assertEqual(faults[0], faults[1])
        return faults[0]

    # Overrides

    def test_overrides_within_the_bounds_are_told_by_the_decision(self):
        plain = self.decided(self.acme, policy="house")
        asked = {"name": "house", "overrides": {"prices": {"latency": price("0.5")}, "within_of_cheapest": 0.25}}
        made = self.decided(self.acme, policy=asked)
        self.assertRegex(made["policy_version"], rf"^{plain['policy_version']}\+overrides:[0-9a-f]{{12}}$")
        self.assertEqual(made["policy"], "house")
        self.assertTrue(any(note.startswith("The workload overrides its policy: prices.latency: 0.1 → 0.5")
                            for note in made["notes"]), made["notes"])
        # The stored workload has them as they were asked, and its decision is made with them.
        ident = self.acme.request("POST", "/v1/workloads", workload(policy=asked)).json["id"]
        self.assertEqual(wait_end(self.acme, ident)["state"], "succeeded")
        spec = self.acme.request("GET", f"/v1/workloads/{ident}").json["spec"]
        self.assertEqual(spec["policy"]["name"], "house")
        self.assertEqual(float(spec["policy"]["overrides"]["prices"]["latency"]["amount"]), 0.5)
        self.assertEqual(spec["policy"]["overrides"]["within_of_cheapest"], 0.25)
        decision = self.acme.request("GET", f"/v1/workloads/{ident}/decision").json
        self.assertEqual(decision["policy_version"], made["policy_version"])
        self.assertIn("house (overridden)", self.broker.cli("ls", key=self.acme.key).stdout)

    def test_overrides_outside_are_refused_by_field_with_the_bound(self):
        faults = self.refused(self.acme, policy={"name": "house", "overrides": {
            "prices": {"latency": price("1.01"), "carbon": price("0.05"), "time": price("1")},
            "within_of_cheapest": 2, "max_pue": 1.2}})
        self.assertEqual(set(faults), {f"/policy/overrides/{field}" for field in (
            "prices/latency", "prices/carbon", "prices/time", "within_of_cheapest", "max_pue")})
        self.assertIn("0 CNY to 1 CNY", faults["/policy/overrides/prices/latency"])
        self.assertIn("0.1 CNY or more", faults["/policy/overrides/prices/carbon"])
        self.assertIn("does not let workloads set prices/time", faults["/policy/overrides/prices/time"])
        self.assertIn("allows: 0 to 1", faults["/policy/overrides/within_of_cheapest"])
        self.assertEqual(list(self.refused(self.acme, policy={"name": "cheapest", "overrides": {"max_pue": 1.2}})),
                         ["/policy/overrides/max_pue"])
        # Money in another currency has no bound to be held against.
        self.refused(self.acme, policy={"name": "house", "overrides": {
            "prices": {"latency": {"amount": "0.1", "currency": "USD"}}}})

    def test_a_value_of_time_is_held_against_the_policy_too(self):
        made = self.decided(self.globex, timing={"value_of_time": price("20")})
        self.assertEqual(made["policy"], "balanced")
        self.assertTrue(any("own value of time" in note for note in made["notes"]), made["notes"])
        for policy in ("cheapest", "nearest"):
            self.assertEqual(list(self.refused(self.acme, policy=policy, timing={"value_of_time": price("20")})),
                             ["/timing/value_of_time"])

    # Whom a policy is for

    def test_tenants_and_labels_choose_the_policy(self):
        self.assertEqual(self.decided(self.acme)["policy"], "usual")
        self.assertEqual(self.decided(self.globex)["policy"], "balanced")
        self.assertEqual(self.decided(self.acme, policy="ours")["policy"], "ours")
        for tenant in (self.acme, self.globex):
            self.assertEqual(self.decided(tenant, labels={"stage": "prod"})["policy"], "strict")
            faults = self.refused(tenant, labels={"stage": "prod"}, policy="cheapest")
            self.assertIn('"strict" only', faults["/policy"])
        self.assertEqual(self.decided(self.acme, labels={"stage": "dev"}, policy="cheapest")["policy"], "cheapest")

    def test_a_policy_for_others_does_not_exist(self):
        faults = self.refused(self.globex, policy="ours")
        self.assertEqual(faults["/policy"], self.refused(self.globex, policy="no-such")["/policy"].replace("no-such", "ours"))
        names = {one["name"] for one in self.globex.items("/v1/policies")}
        self.assertNotIn("ours", names)
        self.assertEqual(self.globex.request("GET", "/v1/policies/ours").status, 404)
        self.assertNotIn("acme", json.dumps(list(self.globex.items("/v1/policies"))))
        self.assertEqual(self.globex.request("GET", "/v1/policies/strict").json["forced_for"],
                         [{"tenants": ["globex"], "labels": {"stage": ["prod"]}}])
        everything = {one["name"]: one for one in self.broker.client().items("/v1/policies")}
        self.assertEqual(everything["ours"]["applies_to"], [{"tenants": ["acme"]}])
        self.assertEqual(everything["strict"]["forced_for"][0]["tenants"], ["acme", "globex"])

    def test_files_that_contradict_each_other_change_nothing(self):
        known = len(self.broker.log_lines("config.refused"))
        self.addCleanup(lambda: (self.broker.home / "policies" / "usual-too.json").unlink(missing_ok=True))
        self.broker.write_policy("usual-too", '{\n  "default_for": [{"labels": {"a": ["b"]}}, {"tenants": ["acme", "x"]}]\n}')
        self.broker.reload()
        wait_for("the refusal is logged", lambda: len(self.broker.log_lines("config.refused")) > known)
        told = self.broker.log_lines("config.refused")[-1]
        self.assertTrue(told["where"].endswith("usual-too.json /default_for/1"), told)
        self.assertRegex(told["fault"], r"line 2, column \d+.*\"usual\"")
        self.assertEqual(self.decided(self.acme)["policy"], "usual")

    def test_reloaded_rules_hold_for_who_waits(self):
        self.broker.write_policy("passing", {"description": "Soon for nobody."})
        self.broker.reload()
        wait_for("it is there", lambda: self.globex.request("GET", "/v1/policies/passing").status == 200)
        ident = self.globex.request("POST", "/v1/workloads", workload(
            name="waits", policy="passing", tasks=900, resources={"vcpus": 64})).json["id"]
        self.addCleanup(self.globex.request, "POST", f"/v1/workloads/{ident}/cancel")

        def waits_for():
            return [one["code"] for one in self.globex.request("GET", f"/v1/workloads/{ident}").json.get("waiting", [])]

        wait_for("it waits for a place", lambda: waits_for() == ["no_feasible_offer"])
        self.broker.write_policy("passing", {"applies_to": [{"tenants": ["acme"]}]})
        self.broker.reload()
        wait_for("it waits for the policy", lambda: waits_for() == ["policy_refused"])
        self.broker.write_policy("passing", {"description": "For everybody again."})
        self.broker.reload()
        wait_for("it waits for a place again", lambda: waits_for() == ["no_feasible_offer"])

    # What is shown

    def test_prices_are_shown_with_what_weights_imply(self):
        (term,) = self.acme.request("GET", "/v1/policies/by-weight").json["terms"]
        # 2/1 of the weight of money, at 10 CNY to 40 kg: 0.5 CNY a kg, 500 a tonne.
        self.assertEqual((term["term"], term["price"], term["per"], term["price_per_tonne"], term["weight"]),
                         ("carbon", 0.5, "kg", 500, 2))
        for arguments in (("policies",), ("policies", "list"), ("policies", "show", "by-weight")):
            told = self.broker.cli(*arguments, key=self.acme.key)
            self.assertEqual(told.returncode, 0, told.stderr)
            self.assertIn("carbon 0.5 CNY/kg, 500 CNY/t, implied by its weight", told.stdout)
        file = self.broker.home / "policies" / "by-weight.json"
        self.assertIn("carbon: 0.5 CNY per kg, 500 CNY per tonne, implied by its weight",
                      self.broker.cli("policies", "check", file).stdout)
        shown = self.broker.cli("policies", "show", "house", key=self.acme.key).stdout
        self.assertIn("workloads may set within_of_cheapest: 0 to 1", shown)
        self.assertIn("forced for workloads of tenant acme labelled stage=prod",
                      self.broker.cli("policies", key=self.acme.key).stdout)
        self.assertIn("filters.compliance: export from 2022-10-07T00:00:00",
                      self.broker.cli("policies", "show", "strict", key=self.acme.key).stdout)
        self.assertEqual(self.broker.cli("policies", "show", "ours", key=self.globex.key).returncode, 126)

    def test_when_a_policy_moves_what_runs_is_shown_with_defaults(self):
        words = ("moves what runs for a gain of more than 25 % of what staying costs and more than 1 CNY; looks every "
                 "300 s, moves a run 3600 s after its start at the earliest, and a workload 3 times at most")
        self.assertIn(words, self.broker.cli("policies", "show", "restless", key=self.acme.key).stdout)
        file = self.broker.home / "policies" / "restless.json"
        self.assertIn(words, self.broker.cli("policies", "check", file).stdout)
        self.assertIn("moves nothing that runs", self.broker.cli("policies", "show", "house", key=self.acme.key).stdout)

    # Reservations

    def test_advice_on_reservations_comes_with_its_arithmetic(self):
        ident = self.acme.request("POST", "/v1/workloads", workload(
            name="used", variants=[{"command": ["/bin/sleep", "2"]}])).json["id"]
        wait_end(self.acme, ident)
        wait_for("it is billed", lambda: list(self.acme.items(f"/v1/charges?workload={ident}")))
        told = json.loads(self.broker.cli("-o", "json", "reservations", "advise", "--days", "7", key=self.acme.key).stdout)
        self.assertEqual(told["rows_unknown"], 0)
        by_offer = {one["offer"].split("/")[2]: one for one in told["items"]}
        self.assertEqual(set(by_offer), {"dear", "cheap"})
        self.assertEqual(told["left_out"], {"owned": 0, "no_term_price": 0, "begin_later": 1, "quotes_ended": 0, "full": 0})
        for one in told["items"]:
            fee = float(one["term_price"]["amount"])
            self.assertEqual((one["cards"], one["counts"], one["hourly_price_is"], one["certainty"]), (16, "vcpu", "paid", "low"))
            self.assertAlmostEqual(one["reserved_price"], fee / (720 * 16))
            self.assertAlmostEqual(one["break_even_h"], fee / (one["hourly_price"] * 16))
        dear, cheap = by_offer["dear"], by_offer["cheap"]
        self.assertEqual(dear["buy_units"], 0, "more than the month costs by the hour, whatever is used")
        self.assertNotIn("buy_units", cheap, "seconds of history tell no month's use")
        self.assertNotIn("saving_per_month", cheap)
        words = self.broker.cli("reservations", "advise", key=self.acme.key).stdout
        self.assertIn("Do not buy: 9000000.00 CNY a month for 16 vCPUs buys", words)
        self.assertIn("even if never idle.", words)
        self.assertNotIn("Buy 1", words)
        self.assertRegex(words, "No number to buy: 0.01 CNY a month .*, but the charges span less than an hour: it takes a week of "
                         "them at least to tell a month's use")
        self.assertIn("Reserved offers left out: 1 not to be had yet (available_from).", words)
        hourly = float(re.search(r"by the hour at ([0-9.]+) CNY a vCPU", words).group(1))
        self.assertAlmostEqual(hourly, dear["hourly_price"], delta=dear["hourly_price"] * 0.006)
        self.assertNotIn("From 0.0 days", words)


if __name__ == "__main__":
    main()
