"""Price catalogues as supply, from the CSV file to a plan."""

import json
import pathlib
import re
import subprocess
import tempfile
import unittest

import broker as e2e
from broker import ROOT, Broker, bin_dir, wait_for, workload

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
            ((self.csv, "--out", self.folder / "one.json"), "--provider"), ((sound, "--as-of", "soon"), "2026-05-20"),
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


if __name__ == "__main__":
    e2e.main()
