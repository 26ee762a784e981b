"""Signals by file: decisions read them, a start is put off for them and told, files are watched on reload."""

import datetime
import json
import unittest

from broker import Broker, demo_sites, main, wait_for, wait_state, workload

HOUR = datetime.timedelta(hours=1)


def stamp(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def hourly(zone, values, **more):
    """Hours from the one before this on."""
    start = datetime.datetime.now(datetime.timezone.utc).replace(minute=0, second=0, microsecond=0)
    return {"source": "the test", "series": [{
        "zone": zone, "unit": "g/kWh", "quality": "modelled_hourly", "start_at": stamp(start), "step_s": 3600,
        "values": values, **more}]}


def sites():
    """The demonstration's two sites, each in a grid zone of its own."""
    both = demo_sites()
    for name, content in both.items():
        for site in content["sites"]:
            site["grid_zone"] = f"ZONE-{name}"
    return both


LEAST = {"prices": {"carbon": {"amount": "100", "currency": "CNY", "per": "kg"}}}


class Signals(unittest.TestCase):
    def setUp(self):
        self.broker = Broker(providers=sites(), policies={"least": LEAST})
        self.addCleanup(self.broker.close)
        (self.broker.home / "signals").mkdir()
        self.write("grid", hourly("ZONE-east", [400, 400, 50, 50, 50, 400]))
        self.write("grid-west", hourly("ZONE-west", [500] * 6))
        self.broker.start()
        self.broker.wait_offers("east", "west")
        self.member = self.broker.member("green")

    def write(self, name, content):
        self.broker._write(self.broker.home / "signals" / f"{name}.json", content)

    def plan(self, **fields):
        got = self.member.request("POST", "/v1/plans", workload(policy="least", **fields))
        self.assertEqual(got.status, 200, got.body)
        return got.json["decision"]

    def signals(self):
        return {one["zone"]: one for one in self.member.items("/v1/signals")}

    def test_a_start_is_put_off_and_told(self):
        at_once = self.plan(work={"runtime_s": 3600})
        self.assertNotIn("put_off", at_once)
        self.assertEqual(at_once["ranked"][0]["provider"], "east")
        later = self.plan(work={"runtime_s": 3600}, timing={"max_delay_s": 6 * 3600})
        self.assertIn("put_off", later)
        self.assertGreater(later["put_off"]["carbon_saved_kg"], 0)
        self.assertLess(later["ranked"][0]["carbon_kg"], at_once["ranked"][0]["carbon_kg"])
        self.assertIn("Waits until", later["explanation"])

        made = self.member.request("POST", "/v1/workloads", workload(
            policy="least", work={"runtime_s": 3600}, timing={"max_delay_s": 6 * 3600})).json
        self.assertEqual(made["state"], "queued")
        waits = self.member.request("GET", f"/v1/workloads/{made['id']}").json
        self.assertEqual(waits["waiting"][0]["code"], "chosen_start")
        decided = self.member.request("GET", f"/v1/workloads/{made['id']}/decision").json
        self.assertEqual(decided["put_off"]["why"], waits["waiting"][0]["detail"])

        # The forecast turns: now is as good as any time, and it starts.
        self.write("grid", hourly("ZONE-east", [50] * 6))
        self.broker.reload()
        wait_state(self.member, made["id"], "succeeded")
        started = self.member.request("GET", f"/v1/workloads/{made['id']}/decision").json
        self.assertNotEqual(started["id"], decided["id"])
        self.replayed(decided["id"], started["id"])

        # What feeds told is kept over a restart, and other signals come after it.
        (self.broker.home / "signals" / "grid-west.json").unlink()
        self.broker.stop()
        self.broker.start()
        self.broker.wait_offers("east", "west")
        self.member = self.broker.member("green")
        ident = self.member.request("POST", "/v1/workloads", workload(policy="least")).json["id"]
        wait_state(self.member, ident, "succeeded")
        after = self.member.request("GET", f"/v1/workloads/{ident}/decision").json
        self.replayed(decided["id"], started["id"], after["id"])
        every = self.broker.cli("decisions", "replay", "--all")
        self.assertEqual(every.returncode, 0, every.stdout)
        self.assertRegex(every.stdout, r"^\d+ identical, 0 differ, 0 cannot be replayed")

        # Two policies over them, with the signals that each one saw.
        compared = self.broker.cli("-o", "json", "policies", "diff", "least", "cheapest")
        report = json.loads(compared.stdout)
        self.assertGreaterEqual(report["compared"], 3)
        self.assertEqual(report["not_comparable"], 0)
        self.assertIn(decided["id"], [one["decision"] for one in report["differ"]])

    def replayed(self, *decisions):
        for decision in decisions:
            got = self.member.request("GET", f"/v1/decisions/{decision}/replay")
            self.assertEqual(got.json, {"decision": decision, "identical": True})

    def test_the_list_the_cli_and_a_bad_file(self):
        found = wait_for("both zones are told", lambda: len(self.signals()) == 2 and self.signals())
        east = found["ZONE-east"]
        self.assertTrue(east["in_use"])
        self.assertEqual(east["now"]["value"], 400)
        self.assertEqual(east["source"], "the test")
        told = self.broker.cli("signals", key=self.member.key)
        self.assertEqual(told.returncode, 0, told.stderr)
        self.assertIn("ZONE-east", told.stdout)
        self.assertIn("in use", told.stdout)

        self.write("broken", {"source": "x", "series": [{"zone": "Z", "unit": "lb/MWh", "quality": "monthly"}]})
        self.broker.reload()
        wait_for("the fault is logged", lambda: "config.refused" in self.broker.log.read_text())
        self.assertEqual(len(self.signals()), 2, "a bad file changes nothing")
        (self.broker.home / "signals" / "broken.json").unlink()
        (self.broker.home / "signals" / "grid-west.json").unlink()
        self.broker.reload()
        wait_for("the file that is gone is forgotten", lambda: set(self.signals()) == {"ZONE-east"})

    def test_both_methods_and_certificates(self):
        month = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m")
        held = {"certificates": [{"id": "GEC-1", "grid_zone": "ZONE-east", "generated": month, "mwh": 1,
                                  "period": "year", "expires_at": "2099-01-01T00:00:00Z"}]}
        folder = self.broker.home / "certificates"
        folder.mkdir()
        self.broker._write(folder / "broken.json", {"certificates": [{"id": "GEC-1", "mwh": 0}]})
        self.broker.reload()
        wait_for("the fault is logged", lambda: "config.refused" in self.broker.log.read_text())
        (folder / "broken.json").unlink()
        self.broker._write(folder / "held.json", held)
        self.broker.reload()
        operator = self.broker.client()
        wait_for("it is held", lambda: list(operator.items("/v1/certificates")))

        best, other = self.plan(work={"runtime_s": 3600})["ranked"]
        self.assertEqual((best["provider"], best["carbon_market_rest_by"], best["carbon_market_kg"]),
                         ("east", "certificates", 0))
        self.assertAlmostEqual(best["certificates_kwh"], best["non_green_kwh"], places=6)
        self.assertGreater(best["carbon_kg"], 0, "certificates never change the location-based number")
        self.assertEqual(other["carbon_market_rest_by"], "grid_average", "they are of another grid")
        self.assertNotIn("certificates_kwh", other)
        self.assertAlmostEqual(other["carbon_market_kg"], other["carbon_kg"] * (1 - other["green_power_share"]))

        long_enough = [{"stack": "none", "command": ["sleep", "2"]}]
        ident = self.member.request("POST", "/v1/workloads", workload(policy="least", variants=long_enough)).json["id"]
        wait_state(self.member, ident, "succeeded")
        (used,) = wait_for("it is metered", lambda: list(self.member.items(f"/v1/usage?workload={ident}")))
        self.assertEqual(used["provider"], "east")
        decided = self.member.request("GET", f"/v1/workloads/{ident}/decision").json
        self.assertEqual(decided["ranked"][0]["carbon_market_rest_by"], "certificates")
        self.assertIn("the rest by certificates", decided["explanation"])
        self.replayed(decided["id"])
        self.assertGreater(used["carbon_kg"], 0, "certificates never change the location-based number")
        self.assertEqual(used["carbon_market_kg"], 0)
        self.assertIn("certificate GEC-1 for", used["carbon_market_source"])
        given = wait_for("it is told", lambda: next(operator.items("/v1/certificates"))["given_kwh"])
        self.assertAlmostEqual(given, used["non_green_kwh"], places=6)
        told = self.broker.cli("certificates", key=operator.key)
        self.assertEqual(told.returncode, 0, told.stderr)
        self.assertIn("GEC-1", told.stdout)
        self.assertEqual(self.member.request("GET", "/v1/certificates").status, 403)

        self.corrected_by_what_is_published_later(ident, used)

        self.broker.stop()
        self.broker.start()
        operator = self.broker.client()
        again = wait_for("it is held again", lambda: list(operator.items("/v1/certificates")))
        self.assertAlmostEqual(again[0]["given_kwh"], given, places=6)


    def corrected_by_what_is_published_later(self, ident, used):
        def correct(*more):
            told = self.broker.cli("-o", "json", "carbon", "correct", "--source", "the ministry", "--year", "2026",
                                   "--reason", "published late", *more)
            self.assertEqual(told.returncode, 0, told.stderr)
            return json.loads(told.stdout)

        def rows():
            return list(self.member.items(f"/v1/usage?workload={ident}"))

        always = ("--zone", "ZONE-east", "--factor", "800", "--from", "2020-01-01T00:00:00Z",
                  "--to", "2100-01-01T00:00:00Z")
        yearly = correct(*always, "--quality", "annual_provincial")
        self.assertEqual((yearly["rows"]["better_known"], yearly["items"]), (1, []), "it was counted by the hour")
        planned = correct(*always, "--quality", "measured_hourly", "--dry-run")
        self.assertEqual(len(planned["items"]), 1)
        self.assertEqual(len(rows()), 1)
        made = correct(*always, "--quality", "measured_hourly")
        self.assertAlmostEqual(made["carbon_kg"], used["carbon_kg"], places=6)  # 400 g/kWh before, 800 now
        correction, metered = rows()
        self.assertEqual(metered, used, "the metered row is not changed")
        self.assertEqual(correction["correction"]["usage"], used["id"])
        self.assertEqual((correction["units"], correction["energy_kwh"]), (0, 0))
        self.assertEqual(correction["carbon_source"], "the ministry (2026)")
        self.assertEqual(correction["correction"]["reason"], "published late")
        self.assertNotIn("carbon_market_kg", correction, "certificates cover all of it")

        totals = self.member.request("GET", f"/v1/usage?workload={ident}").json["totals"]
        self.assertEqual((totals["rows"], totals["corrections"]), (2, 1))
        self.assertAlmostEqual(totals["carbon_kg"], used["energy_kwh"] * 0.8, places=6)
        self.assertEqual(len(list(self.member.items(f"/v1/charges?workload={ident}"))), 1)

        file = self.broker.home / "factors.csv"
        file.write_text("zone,start_at,end_at,g_per_kwh\n"
                        "ZONE-east,2020-01-01T00:00:00Z,2050-01-01T00:00:00Z,600\n"
                        "ZONE-east,2050-01-01T00:00:00Z,2100-01-01T00:00:00Z,900\n"
                        "ZONE-none,2020-01-01T00:00:00Z,2050-01-01T00:00:00Z,1\n")
        overlaps = self.broker.home / "overlaps.csv"
        overlaps.write_text("ZONE-east,2020-01-01T00:00:00Z,2020-01-02T00:00:00Z,600\n"
                            "ZONE-west,2020-01-01T00:00:00Z,2020-01-02T00:00:00Z,600\n"
                            "ZONE-east,2020-01-01T12:00:00Z,2020-01-03T00:00:00Z,700\n")
        refused = self.broker.cli("carbon", "correct", "--file", str(overlaps), "--source", "x", "--year", "2026",
                                  "--quality", "monthly")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("overlaps.csv:3: begins before the line before it of its zone ends", refused.stderr)
        self.broker.stop()
        self.broker.start()
        self.member = self.broker.member("green")
        again = correct(*always, "--quality", "measured_hourly")
        self.assertEqual((again["rows"]["repeated"], again["items"]), (1, []))
        by_file = correct("--file", str(file), "--quality", "measured_hourly")
        self.assertEqual(by_file["rows"]["corrected"], 1)
        totals = self.member.request("GET", f"/v1/usage?workload={ident}").json["totals"]
        self.assertAlmostEqual(totals["carbon_kg"], used["energy_kwh"] * 0.6, places=6)
        told = self.broker.cli("usage", "--workload", ident, key=self.member.key)
        self.assertIn("correction", told.stdout)
        self.assertIn("corrections included", told.stdout)
        refused = self.broker.cli("carbon", "correct", *always, "--source", "x", "--year", "2026", "--quality",
                                  "monthly", key=self.member.key)
        self.assertEqual(refused.returncode, 126)


if __name__ == "__main__":
    main()
