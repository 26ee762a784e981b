"""Price catalogues as supply, from the CSV file to a plan; recorded decisions made again, and under other policies."""

import contextlib
import json
import pathlib
import re
import sqlite3
import struct
import subprocess
import tempfile
import unittest
import uuid

import broker as e2e
from broker import ROOT, Broker, bin_dir, demo_sites, wait_end, wait_for, workload

REAL = ROOT.parent / "shared" / "data" / "prices" / "offers.csv.gz"
HEAD = ("provider,region,zone,instance_type,vcpus,memory_gib,accelerator_name,accelerator_count,"
        "accelerator_memory_gib,price_usd_per_hour,spot_price_usd_per_hour\n")
SMALL = HEAD + """alpha,us-east-1,,small,2,4,,,,0.05,0.02
alpha,us-east-1,,cards,16,128,A100-80G,8,,20.123456789,
alpha,us-east-1,,add-on,0,0,T4,1,16,0.35,
beta,"Taiwan, TW, AS",,small,2,4,,,,0.04,0.05
"""


def westerly(*arguments):
    return subprocess.run([str(bin_dir() / "westerly"), *map(str, arguments)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=300, check=False)


def offers_metric(broker):
    text = broker.client().request("GET", "/metrics").body
    text = text if isinstance(text, str) else text.decode()
    return int(re.search(r"^westerly_offers (\d+)", text, re.M).group(1))


class ImportTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="westerly-e2e-import-", dir="/tmp")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.csv = self.folder / "prices.csv"
        self.csv.write_text(SMALL, encoding="utf-8")

    def test_a_small_one_is_planned_over(self):
        out = self.folder / "out"
        out.mkdir()
        report = self.folder / "report"
        got = westerly("-o", "json", "offers", "import", self.csv, "--out", out, "--report", report)
        self.assertEqual(got.returncode, 1, got.stderr)  # the add-on is left out
        summary = json.loads(got.stdout)
        self.assertEqual((summary["rows"], summary["rows_used"]), (4, 3))
        found = {one["kind"]: one for one in summary["findings"]}
        self.assertEqual(found["no_host"]["first"][0]["line"], 4)
        self.assertTrue(found["no_host"]["left_out"])
        self.assertFalse(found["spot_dearer"]["left_out"])
        self.assertEqual(len(report.read_text().splitlines()), sum(one["count"] for one in summary["findings"]))

        providers = {one.stem: one.read_text(encoding="utf-8") for one in out.iterdir()}
        self.assertEqual(set(providers), {"alpha", "beta"})
        with Broker(providers=providers) as broker:
            offers = {one["id"]: one for one in broker.wait_offers("alpha", "beta")}
            cards = offers["alpha/us-east-1/cards/on_demand"]
            self.assertEqual(cards["price"], {"amount": "20.123456789", "currency": "USD"})
            self.assertEqual(cards["accelerators"]["model"], "A100")
            self.assertEqual(cards["accelerators"]["memory_gib"], 80)
            self.assertFalse(cards["launchable"])
            plan = broker.member("vision").request("POST", "/v1/plans", workload(policy="cheapest")).json
            self.assertEqual(plan["decision"]["ranked"][0]["offer"], "alpha/us-east-1/small/spot")

    def test_exit_codes_and_remedies(self):
        sound = self.folder / "sound.csv"
        sound.write_text(HEAD + "alpha,us-east-1,,small,2,4,,,,0.05,\n", encoding="utf-8")
        self.assertEqual(westerly("offers", "import", sound, "--out", self.folder).returncode, 0)
        self.assertTrue((self.folder / "alpha.json").exists())
        nothing = self.folder / "nothing.csv"
        nothing.write_text(HEAD, encoding="utf-8")
        for arguments, words in (
            ((self.folder / "missing.csv",), "check the path"), ((nothing,), "nothing was written"),
            ((self.csv, "--out", self.folder / "one.json"), "--provider"),
            ((sound, "--out", self.folder / "nowhere"), "there is no folder"), ((sound, "--as-of", "soon"), "2026-05-20"),
        ):
            got = westerly("offers", "import", *arguments)
            self.assertEqual(got.returncode, 126, f"{arguments}: {got.stdout} {got.stderr}")
            self.assertIn(words, got.stderr)
            self.assertEqual(got.stderr.count("Traceback"), 0)

    @unittest.skipUnless(REAL.exists(), "skipped: the catalogue of the development machines is not here")
    def test_the_real_one_starts_reloads_and_is_planned_over(self):
        out = self.folder / "out"
        out.mkdir()
        got = westerly("-o", "json", "offers", "import", REAL, "--out", out)
        self.assertEqual(got.returncode, 1, got.stderr)
        summary = json.loads(got.stdout)
        self.assertEqual(summary["rows"], 90637)
        left_out = sum(one["count"] for one in summary["findings"] if one["left_out"])
        self.assertEqual(summary["rows_used"] + left_out, summary["rows"])
        offers = sum(one["offers"] for one in summary["written"])
        self.assertGreater(offers, 170_000)
        providers = {one.stem: one.read_text(encoding="utf-8") for one in out.iterdir()}
        with Broker(providers=providers) as broker:
            wait_for("all offers are in the book", lambda: offers_metric(broker) == offers)
            asked = workload(policy="cheapest", compute_class="intelligent", tasks=2, work={"runtime_s": 36000},
                             resources={"vcpus": 16, "memory_mib": 65536, "accelerators": [{"model": "A100", "count": 8,
                                                                                           "min_memory_gib": 80}]})
            member = broker.member("vision")
            plan = member.request("POST", "/v1/plans", asked).json
            self.assertEqual(plan["decision"]["considered"], offers)
            first = plan["decision"]["ranked"][0]
            self.assertFalse(first["launchable"])
            before = len(broker.log_lines("config.reloaded"))
            broker.reload()
            wait_for("the reload", lambda: len(broker.log_lines("config.reloaded")) > before)
            again = member.request("POST", "/v1/plans", asked).json
            self.assertEqual(again["decision"]["ranked"][0]["offer"], first["offer"])


class ReplayTest(unittest.TestCase):
    """Decisions are made again after offers, policies and the broker have moved on."""

    def setUp(self):
        sites = {name: {**site, "poll_s": 1} for name, site in demo_sites().items()}
        mine = {"description": "least money"}
        self.broker = Broker(providers=sites, policies={"mine": mine})
        self.addCleanup(self.broker.close)
        self.broker.start()
        self.broker.wait_offers("east", "west")
        self.member = self.broker.member("vision")

    def place(self, policy, **more):
        made = self.member.request("POST", "/v1/workloads", workload(policy=policy, **more)).json["id"]
        wait_end(self.member, made)
        return made

    def replay(self, *arguments, code=0):
        got = self.broker.cli("-o", "json", "decisions", "replay", *arguments)
        self.assertEqual(got.returncode, code, got.stdout + got.stderr)
        return json.loads(got.stdout)

    def test_replays_and_comparisons(self):
        broker = self.broker
        first = [self.place(policy) for policy in ("cheapest", "greenest", "balanced", "mine")]
        # Prices move, a policy changes under its name, a provider goes.
        east = {**demo_sites()["east"], "poll_s": 1}
        for price in east["prices"]:
            price["price"]["amount"] = "99.5"
        broker.write_provider("east", east)
        broker.write_policy("mine", {"prices": {"time": {"amount": "5", "currency": "CNY", "per": "h"}}})
        broker.reload()
        wait_for("the new price", lambda: any(one["price"]["amount"].startswith("99.5")
                                              for one in broker.client().items("/v1/offers") if one["provider"] == "east"))
        second = [self.place(policy) for policy in ("cheapest", "mine")]
        broker.restart()
        broker.wait_offers("east", "west")
        self.member = broker.member("vision")
        third = [self.place("greenest")]

        made = len(first + second + third)
        self.assertEqual([one["identical"] for one in self.replay("--all")], [True] * made)
        self.assertEqual(len(self.replay("--all", "--last", 2)), 2)
        told = broker.cli("decisions", "replay", *first)
        self.assertEqual((told.returncode, told.stdout.count("identical")), (0, len(first)), told.stderr)
        other = broker.cli("decisions", "replay", first[0], key=broker.member_key("other"))
        self.assertEqual(other.returncode, 126)

        same = broker.cli("policies", "diff", "cheapest", "cheapest")
        self.assertEqual(same.returncode, 0, same.stdout + same.stderr)
        got = broker.cli("-o", "json", "policies", "diff", "cheapest", "greenest")
        report = json.loads(got.stdout)
        self.assertEqual(report["compared"], made)
        self.assertEqual(got.returncode, 1 if report["differ"] else 0)
        for one in report["differ"]:
            self.assertNotEqual(one["before"]["offer"], one["after"]["offer"])
            self.assertAlmostEqual(one["difference"]["cost_base"],
                                   one["after"]["cost_base"] - one["before"]["cost_base"])
        # A policy of the past by its version, and a file.
        decision = self.member.request("GET", f"/v1/workloads/{first[3]}/decision").json
        past = broker.cli("policies", "diff", "mine@" + decision["policy_version"], "cheapest", "--last", 3)
        self.assertEqual(past.returncode, 0, past.stdout + past.stderr)
        file = broker.home / "other.json"
        file.write_text('{"description": "least money"}', encoding="utf-8")
        self.assertEqual(broker.cli("policies", "diff", "cheapest", file).returncode, 0)
        for arguments in (("cheapest", "none"), ("none", "cheapest"), ("cheapest", "mine@sha256:0"),
                          ("cheapest", broker.home / "missing.json")):
            self.assertEqual(broker.cli("policies", "diff", *arguments).returncode, 126, arguments)

        self.tamper(self.member.request("GET", f"/v1/workloads/{first[0]}/decision").json)

    def tamper(self, decision):
        """One byte of a recorded cost, and of the offers that another was made from."""
        broker = self.broker
        broker.stop()
        with contextlib.closing(sqlite3.connect(next(broker.home.glob("**/westerly.db")))) as database:
            ident = uuid.UUID(decision["id"]).bytes
            packed = database.execute("SELECT packed FROM decisions WHERE id = ?", (ident,)).fetchone()[0]
            at = packed.index(struct.pack("<d", decision["ranked"][0]["cost_base"]))
            changed = packed[:at] + bytes([packed[at] ^ 1]) + packed[at + 1:]
            database.execute("UPDATE decisions SET packed = ? WHERE id = ?", (changed, ident))
            database.commit()
        broker.start()
        report = self.replay(decision["id"], code=1)[0]
        self.assertFalse(report["identical"])
        self.assertTrue(report["first_difference"]["recorded"])
        broker.stop()
        with contextlib.closing(sqlite3.connect(next(broker.home.glob("**/westerly.db")))) as database:
            database.execute("UPDATE book_contents SET packed = CAST(packed || x'00' AS BLOB)")
            database.commit()
        broker.start()
        got = broker.cli("decisions", "replay", decision["id"])
        self.assertEqual(got.returncode, 125, got.stdout)
        self.assertIn("was changed", got.stderr)


if __name__ == "__main__":
    e2e.main()
