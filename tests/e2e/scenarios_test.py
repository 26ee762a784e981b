"""Worked scenarios of the decision, through the API, with the arithmetic visible: cards of catalogues under policies."""

import datetime
import json
import socket
import unittest

from broker import Broker, demo_sites, main, wait_end, wait_for, workload
from placement_test import Placed

# What a node of eight cards costs a card-hour (CNY), and its links.
CARDS = {
    "a100": ("A100", 80, "7.80", {}),
    "ascend": ("Ascend 910B", 64, "5.20", {}),
    "v100": ("V100", 32, "3.00", {}),
    "h100": ("H100", 80, "20.00", {}),
    "h800": ("H800", 80, "18.00", {}),
}


def cards(model, memory_gib, card_hour, links):
    return {
        "kind": "catalogue",
        "sites": [{"site": "hall", "region": "cn-beijing", "jurisdiction": "CN"}],
        "offers": [{
            "site": "hall", "name": "node", "billing_mode": "on_demand", "unit": "node", "compute_class": "intelligent",
            "vcpus": 128, "memory_mib": 1048576, "stacks": ["none"],
            "accelerators": {"model": model, "count": 8, "memory_gib": memory_gib, "stack": "cuda", **links},
            "price": {"amount": f"{8 * float(card_hour):.2f}", "currency": "CNY"}, "price_source": "scenario",
            "hazard": {"hardware_per_card_h": 0},
        }],
    }


def gang(models, hours, reference, **work):
    return {
        "compute_class": "intelligent", "policy": "cheapest", "tasks": 1,
        "resources": {"accelerators": [{"model": model, "count": 8} for model in models]},
        "work": {"accelerator_hours": hours, "reference": {"model": reference, "count": 8}, **work},
    }


class FinishedWork(Placed):
    providers = {name: cards(*facts) for name, facts in CARDS.items()}
    expected = tuple(CARDS)

    def costs(self, **asked):
        """What each model's offer comes to, by provider, and the decision."""
        decision = self.plan(**asked)["decision"]
        return {one["provider"]: one["cost_base"] for one in decision["ranked"]}, decision

    def test_p1_the_slower_card_finishes_cheaper(self):
        # 500 reference hours: 500 x 7.80 = 3 900; 500 / 0.80 x 5.20 = 3 250; 500 / 0.343 x 3.00 = 4 373.
        asked = gang(["A100", "Ascend 910B", "V100"], 500, "A100",
                     relative_throughput={"Ascend 910B": {"value": 0.80, "low": 0.74, "high": 0.86}, "V100": 0.343})
        costs, decision = self.costs(**asked)
        self.assertAlmostEqual(costs["a100"], 3900, delta=0.01)
        self.assertAlmostEqual(costs["ascend"], 3250, delta=0.01)
        self.assertAlmostEqual(costs["v100"], 4373.18, delta=0.05)
        self.assertEqual(decision["ranked"][0]["provider"], "ascend")
        self.assertTrue(decision["robust"])
        self.assertAlmostEqual(decision["ranked"][0]["cost_high"], 500 / 0.74 * 5.20, delta=0.05)

    def test_p1_turns_where_the_range_reaches_the_runner_up(self):
        # At r = 0.66 the 910B would come to 500 / 0.66 x 5.20 = 3 939, above the A100's 3 900.
        asked = gang(["A100", "Ascend 910B"], 500, "A100",
                     relative_throughput={"Ascend 910B": {"value": 0.80, "low": 0.66, "high": 0.86}})
        _, decision = self.costs(**asked)
        self.assertEqual(decision["ranked"][0]["provider"], "ascend")
        self.assertFalse(decision["robust"])
        self.assertEqual(decision["rivals"], ["a100/hall/node/on_demand"])
        self.assertIn("Not robust", decision["explanation"])

    def test_p2_eight_h800_take_a_quarter_longer_than_eight_h100(self):
        # c = 0.20 on 8 x H100 at 900 GB/s: η = 0.80; at 400 GB/s η = 1 / (1 + 0.25 x 900 / 400) = 0.64.
        asked = gang(["H100", "H800"], 800, "H100", communication_fraction=0.20, relative_throughput={"H800": 1})
        _, decision = self.costs(**asked)
        took = {one["provider"]: one["run"]["work_s"] for one in decision["ranked"]}
        self.assertEqual(took["h100"], round(800 / 8 / 0.80 * 3600))
        self.assertAlmostEqual(took["h800"] / took["h100"], 1.25, places=6)

    def test_checkpoints_decide_whether_spot_pays(self):
        # λ = 0.02 an hour over 62.5 hours: without checkpoints E = (e^1.25 - 1) / 0.02 = 124.5 hours.
        asked = gang(["A100"], 500, "A100")
        self.broker.write_provider("spot", {**cards(*CARDS["a100"])})
        spot = cards(*CARDS["a100"])
        spot["offers"][0].update(billing_mode="spot", price={"amount": f"{8 * 4.68:.2f}", "currency": "CNY"})
        spot["offers"][0]["hazard"]["spot_per_h"] = 0.02
        self.broker.write_provider("spot", spot)
        self.addCleanup(self.remove_spot)
        self.broker.reload()
        self.broker.wait_offers("spot")
        costs, decision = self.costs(**asked)
        self.assertEqual(decision["ranked"][0]["provider"], "a100", "4.68 x 124.5 / 62.5 is above 7.80")
        self.assertAlmostEqual(costs["spot"], 8 * 4.68 * 124.52, delta=8 * 4.68 * 0.02)
        costs, decision = self.costs(**asked, checkpoint={"interval_s": 3600, "write_s": 60, "restore_s": 300})
        self.assertEqual(decision["ranked"][0]["provider"], "spot")
        self.assertLess(costs["spot"], 8 * 4.68 * 62.5 * 1.05)

    def remove_spot(self):
        (self.broker.home / "providers" / "spot.json").unlink()
        self.broker.reload()

    def test_pangu_weather_200_cards_for_two_months_is_over_two_million(self):
        # 200 x 24 x 60 x 7.8 = 2 246 400.
        asked = gang(["A100"], 200 * 24 * 60, "A100")
        asked["tasks"] = 25
        costs, _ = self.costs(**asked, checkpoint={"interval_s": 3600})
        self.assertAlmostEqual(costs["a100"], 2_246_400, delta=1)


class Scaling(unittest.TestCase):
    """P5. A 20 an hour at 10 ms, B 18 at 25 ms, 10 ms is 1 CNY an hour: A comes to 21, B to 20.5. Z, at 60 and 30 ms,
    changes nothing; scaled over the candidates at hand it would turn the answer."""

    POLICY = {"prices": {"latency": {"amount": "0.1", "currency": "CNY", "per": "ms·replica-h"}}}

    @staticmethod
    def at(price, rtt):
        return {
            "kind": "catalogue",
            "sites": [{"site": "hall", "region": "cn-beijing", "jurisdiction": "CN", "rtt_ms": {"cn-east": rtt}}],
            "offers": [{"site": "hall", "name": "vm", "billing_mode": "on_demand", "unit": "instance", "vcpus": 4,
                        "memory_mib": 4096, "price": {"amount": price, "currency": "CNY"}, "price_source": "scenario"}],
        }

    def ranked(self, **providers):
        broker = Broker(providers=providers, policies={"by-latency": self.POLICY})
        self.addCleanup(broker.close)
        broker.start()
        broker.wait_offers(*providers)
        asked = workload(policy="by-latency", interactive=True, work={"runtime_s": 3600},
                         constraints={"origin": {"region": "cn-east"}})
        got = broker.member("vision").request("POST", "/v1/plans", asked)
        self.assertEqual(got.status, 200, got.body)
        return [(one["provider"], round(one["j"], 6)) for one in got.json["decision"]["ranked"]]

    def test_p5_a_third_offer_never_turns_the_first_two(self):
        a, b, z = self.at("20", 10), self.at("18", 25), self.at("60", 30)
        self.assertEqual(self.ranked(a=a, b=b), [("b", 20.5), ("a", 21)])
        self.assertEqual(self.ranked(a=a, b=b, z=z), [("b", 20.5), ("a", 21), ("z", 63)])


class Spread(unittest.TestCase):
    """Eight replicas, three quarters of the demand in the east; 5 ms at home, 45 across; 0.10 CNY per ms and replica-hour.
    All east: 8 x 3 + 8 x 15 x 0.10 = 36. All west: 8 x 2 + 8 x 35 x 0.10 = 44. 6 and 2: 18 + 4 + 8 x 5 x 0.10 = 26."""

    SERVICE = dict(kind="service", tasks=8, resources={"vcpus": 4, "memory_mib": 1024}, policy="by-latency",
                   constraints={"origins": [{"region": "users-east", "weight": 3}, {"region": "users-west", "weight": 1}]},
                   spread={"rule": "near_users"})

    @staticmethod
    def at(price, east, west):
        site = {"site": "hall", "region": "cn-beijing", "jurisdiction": "CN",
                "rtt_ms": {"users-east": east, "users-west": west}}
        return {**Scaling.at(price, 1), "sites": [site]}

    def setUp(self):
        east = self.at("3", 9, 45)
        # What an agent measured counts before what is declared, until it is a day old.
        measured = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
        east["sites"][0]["rtt_measured"] = [
            {"region": "users-east", "ms": 5, "measured_at": measured.isoformat(timespec="milliseconds"), "samples": 20}]
        self.broker = Broker(providers={"east": east, "west": self.at("2", 45, 5)},
                             policies={"by-latency": Scaling.POLICY})
        self.addCleanup(self.broker.close)
        self.broker.start()
        self.broker.wait_offers("east", "west")
        self.member = self.broker.member("vision")

    def test_a_service_goes_where_its_users_are(self):
        asked = workload(**self.SERVICE)
        got = self.member.request("POST", "/v1/plans", asked)
        self.assertEqual(got.status, 200, got.body)
        spread = got.json["spread"]
        self.assertEqual([(p["provider"], p["replicas"]) for p in spread["parts"]], [("east", 6), ("west", 2)])
        self.assertAlmostEqual(spread["cost_base"], 22)
        self.assertAlmostEqual(spread["j"], 26)
        self.assertAlmostEqual(spread["rtt_ms"], 5)
        self.assertAlmostEqual(spread["alone"]["j"], 36)
        self.assertEqual(spread["parts"][0]["serves"],
                         [{"origin": "users-east", "share": 0.75, "rtt_ms": 5, "rtt_method": "measured"}])
        self.assertEqual(spread["parts"][1]["serves"][0]["rtt_method"], "declared")
        decision = got.json["decision"]
        self.assertEqual(decision["ranked"][0]["provider"], "east", "all in one place")
        self.assertAlmostEqual(decision["ranked"][0]["j"], 36)
        self.assertIn("was measured at", decision["explanation"])
        refused = self.member.request("POST", "/v1/workloads", asked)
        self.assertEqual((refused.status, refused.json["errors"][0]["pointer"]), (422, "/kind"))

    def test_the_cli_tells_it_in_both_languages(self):
        path = self.broker.home / "service.json"
        asked = workload(**self.SERVICE)
        path.write_text(json.dumps(asked), encoding="utf-8")
        for language, words in (("en", "6 of the replicas for 18.00 CNY an hour, serving users-east (75.0 % of the demand, RTT 5.0 ms, measured)"),
                                ("zh", "6 个副本，每小时 18.00 CNY，服务 users-east（需求的 75.0 %，RTT 5.0 ms，实测）")):
            told = self.broker.cli("plan", path, "--language", language, key=self.member.key)
            self.assertEqual(told.returncode, 0, told.stderr)
            self.assertIn(words, told.stdout)


class MeasuredByTheAdapter(unittest.TestCase):
    def test_what_the_adapter_measures_counts_before_what_is_declared(self):
        with socket.create_server(("127.0.0.1", 0), backlog=64) as users:
            east = demo_sites()["east"]
            east["config"]["probes"] = [
                {"region": "cn-guangdong", "endpoint": f"127.0.0.1:{users.getsockname()[1]}"}]
            with Broker(providers={"east": east}) as broker:
                broker.wait_offers("east")
                member = broker.member("vision")

                def measured():
                    facts = next(iter(member.items("/v1/offers")))["site_facts"]
                    return facts.get("rtt_measured")

                told = wait_for("the adapter has measured", measured)
                self.assertEqual([(one["region"], one["samples"]) for one in told], [("cn-guangdong", 5)])
                asked = workload(interactive=True, constraints={"origin": {"region": "cn-guangdong"}})
                got = member.request("POST", "/v1/workloads", asked)
                self.assertEqual(got.status, 201, got.body)
                wait_end(member, got.json["id"])
                decision = member.request("GET", f"/v1/workloads/{got.json['id']}/decision").json
                self.assertEqual(decision["ranked"][0]["rtt_method"], "measured")
                self.assertAlmostEqual(decision["ranked"][0]["rtt_ms"], told[0]["ms"], places=6)
                self.assertNotEqual(decision["ranked"][0]["rtt_ms"], 3, "as declared")
                replay = broker.cli("-o", "json", "decisions", "replay", decision["id"])
                self.assertEqual(replay.returncode, 0, replay.stdout + replay.stderr)


if __name__ == "__main__":
    main()
