"""Where work goes, why, and why not: two local sites whose facts are those of the demonstration.

The same workload file goes west under `greenest` and `cheapest` and, as interactive with users in the east, east under
`nearest`; with the two sites' facts exchanged, the answers are exchanged.
"""

import json
import unittest

from broker import (
    DEADLINE_S, Broker, demo_sites, main, wait_end, wait_for, wait_state, workload,
)

EAST, WEST = "east/shaoguan/cores/on_demand", "west/zhongwei/cores/on_demand"
US_CARDS, DARK = "us/unnamed/card/on_demand", "dark/unnamed/node/on_demand"
GUANGDONG = {"origin": {"region": "cn-guangdong"}}

FILE = """# One file, placed under several policies.
kind: batch
name: one-file
tasks: 2
resources: {vcpus: 1, memory_mib: 256}
variants:
  - command: [/bin/sh, -c, "echo rank $WESTERLY_RANK"]
work: {runtime_s: 86400}
constraints:
  origin: {region: cn-guangdong}
"""


def sourced(value):
    return {"value": value, "source": "example", "quality": "declared"}


def catalogue(region, jurisdiction, name, price=None, facts=None, **more):
    offer = {
        "site": "unnamed", "name": name, "billing_mode": "on_demand", "unit": "node", "compute_class": "general",
        "vcpus": 16, "memory_mib": 65536, "architecture": "x86_64", "stacks": ["none"], "price_source": "example",
        **more,
    }
    if price:
        offer["price"] = {"amount": price, "currency": "CNY"}
    return {"kind": "catalogue", "sites": [{"site": "unnamed", "region": region, "jurisdiction": jurisdiction, **(facts or {})}],
            "offers": [offer]}


def exchanged(sites):
    """The two sites with each other's facts and prices; they keep their names."""
    east, west = sites["east"], sites["west"]
    facts = [dict(one["sites"][0]) for one in (east, west)]
    facts[0]["site"], facts[1]["site"] = facts[1]["site"], facts[0]["site"]
    return {
        "east": {**east, "sites": [facts[1]], "prices": west["prices"]},
        "west": {**west, "sites": [facts[0]], "prices": east["prices"]},
    }


class Placed(unittest.TestCase):
    """A broker for all tests of a class, and what they ask of it."""

    providers = None
    policies = None
    expected = ("east", "west")

    @classmethod
    def setUpClass(cls):
        cls.broker = Broker(providers=cls.providers, policies=cls.policies)
        cls.addClassCleanup(cls.broker.close)
        cls.broker.start()
        cls.broker.wait_offers(*cls.expected)
        cls.member = cls.broker.member("vision")

    def plan(self, **fields):
        got = self.member.request("POST", "/v1/plans", workload(**fields))
        self.assertEqual(got.status, 200, got.body)
        return got.json

    def winner(self, **fields):
        return self.plan(**fields)["decision"]["ranked"][0]["offer"]

    def submit(self, **fields):
        got = self.member.request("POST", "/v1/workloads", workload(**fields))
        self.assertEqual(got.status, 201, got.body)
        return got.json

    def state(self, ident):
        return self.member.request("GET", f"/v1/workloads/{ident}").json

    def cancel(self, ident):
        got = self.member.request("POST", f"/v1/workloads/{ident}/cancel")
        self.assertIn(got.status, (202, 409), got.body)


class TheSameFile(Placed):
    def run_file(self, name, policy, *more):
        """Runs the file with the CLI to its end; the provider that ran it, and its decision."""
        path = self.broker.home / "one-file.yaml"
        path.write_text(FILE, encoding="utf-8")
        done = self.broker.cli("run", path, "--policy", policy, "--name", name, *more, key=self.member.key)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(sorted(line[-6:] for line in done.stdout.splitlines()), ["rank 0", "rank 1"])
        (found,) = self.member.items(f"/v1/workloads?name={name}")
        (attempt,) = self.member.items(f"/v1/workloads/{found['id']}/attempts")
        decision = self.member.request("GET", f"/v1/workloads/{found['id']}/decision").json
        self.assertEqual(decision["policy"], policy)
        self.assertEqual(decision["ranked"][0]["provider"], attempt["provider"])
        return attempt["provider"], decision

    def plan_file(self, policy, *more):
        """The CLI's plan in JSON and in words, as one."""
        path = self.broker.home / "one-file.yaml"
        path.write_text(FILE, encoding="utf-8")
        arguments = ("plan", path, "--policy", policy, *more)
        told = self.broker.cli("-o", "json", *arguments, key=self.member.key)
        self.assertEqual(told.returncode, 0, told.stderr)
        words = self.broker.cli(*arguments, key=self.member.key)
        self.assertEqual(words.returncode, 0, words.stderr)
        return json.loads(told.stdout), words.stdout

    def answers(self, prefix, cheap_green, near):
        for policy, more, expected in (
            ("greenest", (), cheap_green), ("cheapest", (), cheap_green), ("nearest", ("--interactive",), near),
        ):
            with self.subTest(policy=policy, turn=prefix):
                planned, words = self.plan_file(policy, *more)
                best = planned["decision"]["ranked"][0]
                self.assertEqual(best["provider"], expected)
                self.assertIn(f"Policy {policy} chooses {best['offer']}", words)
                self.assertIn("Runner-up is", words)
                ran, _ = self.run_file(f"{prefix}-{policy}", policy, *more)
                self.assertEqual(ran, expected)

    def test_goes_west_or_east_by_policy_and_exchanged_facts_exchange_the_answers(self):
        self.answers("first", "west", "east")
        for name, content in exchanged(demo_sites()).items():
            self.broker.write_provider(name, content)
        self.broker.reload()

        def east_is_cheap():
            prices = {one["provider"]: one["price"]["amount"] for one in self.member.items("/v1/offers")}
            return prices if prices == {"east": "0.060000000", "west": "0.085000000"} else None

        wait_for("the offers carry the exchanged prices", east_is_cheap)
        self.answers("second", "east", "west")


class PlansExplain(Placed):
    providers = {
        **demo_sites(),
        # Two that no work can go to: they are planned with, and rejected by what is not known of one, and by the
        # other's price.
        "us": catalogue("us-west", "US", "card", "30.00", {
            "pue": sourced(1.15), "green_power_share": sourced(0.4), "carbon_g_per_kwh": sourced(200),
            "latitude": 37.4, "longitude": -122.1,
        }, idle_w=100, max_w=400),
        "dark": catalogue("cn-beijing", "CN", "node"),
    }
    expected = ("east", "west", "us", "dark")

    def rejected(self, **fields):
        plan = self.plan(**fields)
        decision = plan["decision"]
        by_offer = {one["offer"]: one["reason"] for one in plan["rejected"]}
        counted = {one["reason"]: one["count"] for one in decision["rejections"]}
        told = {}
        for reason in by_offer.values():
            told[reason] = told.get(reason, 0) + 1
        self.assertEqual(counted, told, "the counts are those of the offers")
        self.assertEqual(decision["considered"], 4)
        self.assertEqual(len(by_offer) + len(decision["ranked"]), 4)
        self.assertFalse(by_offer.keys() & {one["offer"] for one in decision["ranked"]})
        for reason, count in counted.items():
            self.assertRegex(decision["explanation"], rf"\b{count} [^(]*\({reason}\)")
        return by_offer

    def test_a_plan_names_winner_runner_up_pareto_switch_price_and_baseline(self):
        plan = self.plan(work={"runtime_s": 86400}, policy="balanced", constraints=GUANGDONG, interactive=True, tasks=2)
        decision = plan["decision"]
        ranked = decision["ranked"]
        self.assertEqual([one["offer"] for one in ranked[:2]], [EAST, WEST], "latency decides: 0.10 CNY a ms and hour")
        self.assertEqual(sorted(one["j"] for one in ranked), [one["j"] for one in ranked])
        for one in ranked:
            self.assertAlmostEqual(one["j"], one["cost_base"] + sum(term["amount"] for term in one["terms"]), places=6)
        self.assertEqual(decision["baseline"]["offer"], WEST, "the cheapest feasible one")
        self.assertEqual(set(decision["pareto"]) & {EAST, WEST}, {EAST, WEST}, "each is better in something")
        self.assertTrue(decision["switch_prices"])
        for one in decision["switch_prices"]:
            self.assertNotEqual(one["alternative"], EAST, "a switch price speaks of an alternative to the winner")
        words = decision["explanation"]
        for text in (f"chooses {EAST}", f"Runner-up is {WEST}", "cheapest", "RTT", "gCO2e", "green power", "would win"):
            self.assertIn(text, words)
        self.assertIn("sha256:", decision["policy_version"])
        self.assertFalse(decision["runtime_assumed"])
        self.assertEqual(decision["exchange_rates"]["base"], "CNY")
        self.assertEqual(plan["rejected"], [{"offer": DARK, "reason": "price_missing"}])

    def test_the_switch_price_of_carbon_is_where_the_answer_turns(self):
        asked = {"work": {"runtime_s": 86400}, "policy": "balanced", "tasks": 2}
        decision = self.plan(**asked)["decision"]
        best, second = decision["ranked"][:2]
        (at,) = [one["at"] for one in decision["switch_prices"]
                 if one["term"] == "carbon" and one["alternative"] == second["offer"]]
        self.assertGreater(at, 0)
        self.assertAlmostEqual(second["j"] - best["j"], at * (best["carbon_kg"] - second["carbon_kg"]), places=6)

    def test_money_is_price_times_units_times_time(self):
        for one in self.plan(work={"runtime_s": 5400}, policy="cheapest", tasks=3)["decision"]["ranked"]:
            if one["provider"] in ("east", "west"):
                per_hour = 85 if one["provider"] == "east" else 60  # thousandths
                self.assertEqual(one["cost"], {"amount": f"{per_hour * 3 * 1.5 / 1000:.6f}", "currency": "CNY"})
                self.assertEqual(one["units"], 3)

    def test_the_same_question_has_the_same_answer_in_the_api_and_on_the_command_line(self):
        asked = workload(work={"runtime_s": 3600}, constraints=GUANGDONG, policy="cheapest")
        path = self.broker.home / "asked.json"
        path.write_text(json.dumps(asked), encoding="utf-8")
        told = json.loads(self.broker.cli("-o", "json", "plan", path, key=self.member.key).stdout)
        again = self.member.request("POST", "/v1/plans", asked).json
        for plan in (told, again):
            for one in (*plan["decision"]["ranked"], plan["decision"]["baseline"]):
                del one["start_at"], one["finish_at"]
        for name in ("ranked", "rejections", "pareto", "baseline", "switch_prices", "policy", "policy_version"):
            self.assertEqual(told["decision"][name], again["decision"][name], name)
        self.assertEqual(told["rejected"], again["rejected"])
        words = self.broker.cli("plan", path, key=self.member.key).stdout
        for text in ("OFFER", "RTT", "GREEN", "CO2e", "FINISH", WEST, EAST, "price_missing"):
            self.assertIn(text, words)

    def test_each_filter_rejects_with_its_reason(self):
        china = {"jurisdictions": ["CN"]}
        money = lambda amount: {"amount": amount, "currency": "CNY"}
        # What is asked; what each offer is rejected for.
        table = [
            ("green floor", {"constraints": {"min_green_power_share": 0.5}},
             {EAST: "green_power_share", US_CARDS: "green_power_share", DARK: "green_power_share"}),
            ("green floor, met exactly", {"constraints": {"min_green_power_share": 0.8, "providers": {"allow": ["west"]}}},
             {EAST: "provider_denied", US_CARDS: "provider_denied", DARK: "provider_denied"}),
            ("green floor, just missed", {"constraints": {"min_green_power_share": 0.8001, **china}},
             {EAST: "green_power_share", WEST: "green_power_share", US_CARDS: "jurisdiction",
              DARK: "green_power_share"}),
            ("max RTT", {"constraints": {**GUANGDONG, "max_rtt_ms": 10, **china}},
             {WEST: "rtt", US_CARDS: "jurisdiction"}),
            ("max RTT from where nobody knows the way",
             {"constraints": {"origin": {"region": "nowhere"}, "max_rtt_ms": 10, **china}},
             {EAST: "rtt_unknown", WEST: "rtt_unknown", US_CARDS: "jurisdiction", DARK: "rtt_unknown"}),
            ("jurisdictions", {"constraints": {"jurisdictions": ["US"]}},
             {EAST: "jurisdiction", WEST: "jurisdiction", DARK: "jurisdiction"}),
            ("regions", {"constraints": {"regions": ["cn-ningxia"]}},
             {EAST: "region", US_CARDS: "region", DARK: "region"}),
            ("providers denied", {"constraints": {"providers": {"deny": ["west", "us"]}}},
             {WEST: "provider_denied", US_CARDS: "provider_denied", DARK: "price_missing"}),
            ("max price of the gang", {"tasks": 2, "constraints": {"max_price_per_hour": money("0.169999"), **china}},
             {EAST: "max_price", US_CARDS: "jurisdiction", DARK: "price_missing"}),
            ("max price, met exactly", {"tasks": 2, "constraints": {"max_price_per_hour": money("0.17"), **china}},
             {US_CARDS: "jurisdiction", DARK: "price_missing"}),
            ("budget", {"work": {"runtime_s": 7200}, "budget": money("0.12"), "constraints": china},
             {EAST: "budget", US_CARDS: "jurisdiction", DARK: "price_missing"}),
            ("PUE", {"constraints": {"max_pue": 1.2, **china}},
             {EAST: "pue", US_CARDS: "jurisdiction", DARK: "pue"}),
            ("carbon", {"tasks": 2, "constraints": {"max_carbon_kg": 0.016, **china}},
             {WEST: "max_carbon", US_CARDS: "jurisdiction", DARK: "price_missing"}),
            ("deadline", {"work": {"runtime_s": 3600}, "timing": {"deadline_at": "2262-01-01T00:00:00Z"},
                          "constraints": china},
             {US_CARDS: "jurisdiction", DARK: "price_missing"}),
            ("architecture", {"resources": {"architecture": "arm64"}},
             {EAST: "architecture", WEST: "architecture", US_CARDS: "architecture", DARK: "architecture"}),
            ("stack", {"variants": [{"stack": "cuda", "command": ["/bin/true"]}]},
             {EAST: "stack", WEST: "stack", US_CARDS: "stack", DARK: "stack"}),
            ("gang beyond a site's size", {"tasks": 5, "constraints": china},
             {EAST: "capacity_never", WEST: "capacity_never", US_CARDS: "jurisdiction", DARK: "price_missing"}),
            ("class", {"compute_class": "super", "constraints": china},
             {EAST: "compute_class", WEST: "compute_class", US_CARDS: "jurisdiction", DARK: "compute_class"}),
        ]
        for name, asked, expected in table:
            with self.subTest(name):
                got = self.rejected(**{"policy": "cheapest", **asked})
                if DARK in got and DARK not in expected:
                    expected = {**expected, DARK: got[DARK]}
                self.assertEqual(got, expected)

    def test_work_never_goes_to_a_plan_only_offer(self):
        made = self.submit(constraints={"providers": {"allow": ["us"]}}, timing={"max_wait_s": 86400})
        self.assertEqual(made["state"], "queued")
        self.assertIn("plan_only", made["waiting"][0]["detail"])
        self.cancel(made["id"])
        self.assertEqual(self.state(made["id"])["state"], "cancelled")

    def test_a_policy_bound_says_what_is_too_dear(self):
        got = self.rejected(policy="greenest", work={"runtime_s": 86400})
        self.assertEqual(got, {US_CARDS: "too_dear_for_policy", DARK: "price_missing"})


class Waiting(Placed):
    def fill(self, provider, tasks=4):
        made = self.submit(name=f"fill-{provider}", tasks=tasks, constraints={"providers": {"allow": [provider]}},
                           variants=[{"command": ["/bin/sleep", "600"]}], grace_s=0)
        self.addCleanup(self.cancel, made["id"])
        wait_state(self.member, made["id"], "active")
        return made["id"]

    def free(self, ident):
        self.cancel(ident)
        wait_state(self.member, ident, "cancelled")

    def assert_waits(self, ident, code, *texts):
        got = self.state(ident)
        self.assertEqual(got["state"], "queued")
        self.assertEqual([one["code"] for one in got["waiting"]], [code])
        for text in texts:
            self.assertIn(text, got["waiting"][0]["detail"])

    def test_it_waits_with_reasons_and_wakes_when_capacity_frees(self):
        west, east = self.fill("west"), self.fill("east", 3)
        # 1 core is free in the east, none in the west: a gang of two waits, for it never spans sites.
        gang = self.submit(name="gang", tasks=2, constraints={"providers": {"allow": ["west", "east"]}})
        self.assert_waits(gang["id"], "no_capacity", "2 offers would fit but are full now")
        single = self.submit(name="single")
        ended = wait_end(self.member, single["id"])
        self.assertEqual(ended["state"], "succeeded", "what fits does not wait behind what does not")
        self.assert_waits(gang["id"], "no_capacity", "full now")
        self.free(west)
        ended = wait_end(self.member, gang["id"])
        self.assertEqual(ended["state"], "succeeded")
        (attempt,) = self.member.items(f"/v1/workloads/{gang['id']}/attempts")
        self.assertEqual(attempt["provider"], "west")
        kinds = [one["type"] for one in self.member.items(f"/v1/workloads/{gang['id']}/events")]
        self.assertEqual(kinds[:2], ["workload.queued", "workload.waiting"])
        self.assertEqual(kinds[2], "workload.launching")
        self.free(east)

    def test_a_gang_larger_than_any_site_waits_and_expires(self):
        made = self.submit(name="huge-gang", tasks=9, timing={"max_wait_s": 2})
        self.assert_waits(made["id"], "no_feasible_offer", "capacity_never")
        ended = wait_end(self.member, made["id"])
        self.assertEqual(ended["state"], "expired")
        self.assertEqual(ended["attempts"], 0)
        self.assertIn("capacity_never", ended["message"])

    def test_max_wait_0_is_now_or_never(self):
        made = self.submit(name="now", tasks=9, timing={"max_wait_s": 0})
        self.assertEqual(wait_end(self.member, made["id"])["state"], "expired")

    def test_a_deadline_that_has_passed_expires(self):
        got = self.member.request("POST", "/v1/workloads", workload(timing={"deadline_at": "2001-01-01T00:00:00Z"}))
        if got.status == 201:
            self.assertEqual(wait_end(self.member, got.json["id"])["state"], "expired")
        else:
            self.assertEqual(got.status, 400)
            self.assertEqual(got.json["errors"][0]["pointer"], "/timing/deadline_at")

    def test_it_waits_for_its_earliest_start(self):
        made = self.submit(name="later", timing={"earliest_start_at": "2262-01-01T00:00:00Z"})
        self.assertEqual(made["state"], "queued")
        self.assertTrue(made["waiting"][0]["detail"])
        self.free(made["id"])

    def test_a_cordoned_provider_takes_nothing_new_until_it_is_opened(self):
        operator = self.broker.client()
        for name in ("east", "west"):
            self.addCleanup(operator.request, "POST", f"/v1/providers/{name}/uncordon")
            self.assertEqual(operator.request("POST", f"/v1/providers/{name}/cordon").status, 204)
        made = self.submit(name="patient")
        self.assert_waits(made["id"], "provider_unhealthy", "2 offers", "east: the operator", "west: the operator")
        self.assertEqual(operator.request("POST", "/v1/providers/east/uncordon").status, 204)
        self.assertEqual(wait_end(self.member, made["id"])["state"], "succeeded")
        (attempt,) = self.member.items(f"/v1/workloads/{made['id']}/attempts")
        self.assertEqual(attempt["provider"], "east")
        self.assertEqual(operator.request("POST", "/v1/providers/west/uncordon").status, 204)


class PolicyFiles(Placed):
    INTERACTIVE = {"interactive": True, "constraints": GUANGDONG, "work": {"runtime_s": 3600}}
    policies = {
        # 1 CNY is much, and 10 ms a replica-hour: the price of latency is weight x 0.1 CNY.
        "near-by-weight": {"weights": {"price": {"weight": 1, "reference": "1"},
                                       "latency": {"weight": 5, "reference": 10}}},
        "cheap-by-weight": {"weights": {"price": {"weight": 1, "reference": "1"},
                                        "latency": {"weight": 0, "reference": 10}}},
        "half-green": {"filters": {"min_green_power_share": 0.5}},
    }

    def test_weights_are_prices(self):
        self.assertEqual(self.winner(policy="near-by-weight", **self.INTERACTIVE), EAST)
        self.assertEqual(self.winner(policy="cheap-by-weight", **self.INTERACTIVE), WEST)
        terms = self.member.request("GET", "/v1/policies/near-by-weight").json["terms"]
        self.assertEqual([one["term"] for one in terms], ["latency"])
        self.assertAlmostEqual(terms[0]["price"], 0.5)

    def test_a_policy_filter_is_laid_on_every_workload(self):
        plan = self.plan(policy="half-green", **self.INTERACTIVE)
        self.assertEqual(plan["rejected"], [{"offer": EAST, "reason": "green_power_share"}])

    def test_an_unknown_policy_is_refused_by_name(self):
        got = self.member.request("POST", "/v1/plans", workload(policy="no-such"))
        self.assertIn(got.status, (400, 404, 422))
        self.assertEqual(got.json["errors"][0]["pointer"], "/policy")

    def version(self, name):
        got = self.member.request("GET", f"/v1/policies/{name}")
        return got.json["version"] if got.status == 200 else None

    def test_files_are_reloaded_together_or_not_at_all(self):
        asked = {"policy": "house", **self.INTERACTIVE}
        self.assertEqual(self.member.request("GET", "/v1/policies/house").status, 404)

        self.broker.write_policy("house", {"description": "As cheap as can be."})
        self.broker.reload()
        first = wait_for("the policy is there", lambda: self.version("house"))
        self.assertEqual(self.winner(**asked), WEST)

        near = [{"term": "rtt", "step": 1}]
        self.broker.write_policy("house", {"order": {"service": near, "interactive": near, "batch": near}})
        self.broker.reload()
        second = wait_for("it has changed", lambda: self.version("house") not in (None, first) and self.version("house"))
        decision = self.plan(**asked)["decision"]
        self.assertEqual((decision["ranked"][0]["offer"], decision["policy_version"]), (EAST, second))

        # A bad one changes nothing, not even the good ones beside it; the log says where and what.
        for text, line, column, what in (
            ('{\n  "description": "Bad.",\n  "within_of_cheapest": -1\n}\n', 3, 25, "/within_of_cheapest"),
            ('{\n  "prices": {"latency": {"amount": "1", "currency": "CNY",, "per": "ms"}}\n}\n', 2, None, ""),
            ('{"weihgts": {}}', 1, None, "/weihgts"),
        ):
            with self.subTest(text):
                self.broker.write_policy("house", text)
                self.broker.write_policy("beside", {"description": f"Good: {what}"})
                known = len(self.broker.log_lines("config.refused"))
                self.broker.reload()
                wait_for("the refusal is logged", lambda: len(self.broker.log_lines("config.refused")) > known)
                told = self.broker.log_lines("config.refused")[-1]
                self.assertIn(f"{self.broker.home}/policies/house.json", told["where"])
                self.assertTrue(told["where"].endswith(what), told)
                self.assertRegex(told["fault"], rf"line {line}, column {column or '[0-9]+'}\b")
                self.assertTrue(told["remedy"])
                self.assertEqual(self.version("house"), second)
                self.assertIsNone(self.version("beside"))
                self.assertEqual(self.winner(**asked), EAST)

        self.broker.write_policy("house", {"description": "Mended."})
        self.broker.reload()
        wait_for("the mended one is there", lambda: self.version("house") not in (None, second))
        self.assertTrue(self.version("beside"))
        self.assertEqual(self.winner(**asked), WEST)

    def test_a_bad_provider_file_changes_nothing_either(self):
        self.broker.write_provider("third", {"kind": "catalogue", "sites": []})
        known = len(self.broker.log_lines("config.refused"))
        self.broker.reload()
        wait_for("the refusal is logged", lambda: len(self.broker.log_lines("config.refused")) > known)
        self.assertIn("providers/third.json", self.broker.log_lines("config.refused")[-1]["where"])
        self.assertEqual({one["id"] for one in self.member.items("/v1/providers")}, {"east", "west"})
        (self.broker.home / "providers" / "third.json").unlink()


if __name__ == "__main__":
    assert DEADLINE_S >= 60
    main()
