"""What is told without being asked: hours of prices, regions nobody knows, probes that reach nobody, what is no news."""

import json
import socket
import subprocess
import unittest

import broker as e2e
from broker import Broker, bin_dir, demo_sites, main, wait_end, wait_for, workload

CERTIFICATES = {"certificates": [
    {"id": "GEC-1", "grid_zone": "cn-ningxia", "generated": "2026-03", "expires_at": "2099-01-01T00:00:00Z", "mwh": 12},
    {"id": "GEC-2", "grid_zone": "cn-ningxia", "generated": "2020-03", "expires_at": "2021-01-01T00:00:00Z", "mwh": 3,
     "beneficiary": "acme"},
]}


def money(amount):
    return {"amount": amount, "currency": "CNY"}


def by_the_hour(night="0.04"):
    return {
        "kind": "catalogue", "sites": [{"site": "hall", "region": "cn-ningxia", "jurisdiction": "CN"}],
        "offers": [{
            "site": "hall", "name": "vm", "billing_mode": "on_demand", "unit": "instance", "vcpus": 4, "memory_mib": 8192,
            "price": money("0.10"), "price_source": "our list",
            "price_schedule": {"utc_offset": "+08:00", "windows": [
                {"from": "23:00", "to": "07:00", "amount": night},
                {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "11:30", "amount": "0.17"}]},
        }, {
            "site": "hall", "name": "x1-node", "billing_mode": "on_demand", "unit": "node", "vcpus": 4, "memory_mib": 8192,
            "host": "maker", "host_units": 40, "accelerators": {
                "model": "Nobody X1", "count": 8, "memory_gib": 80, "stack": "none", "fp16_tflops": 312, "bf16_tflops": 312,
                "int8_tops": 624, "memory_gb_s": 2039, "interconnect_gb_s": 600},
        }],
    }


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as here:
        return here.getsockname()[1]


class Telling(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        sites = {name: {**site, "poll_s": 1} for name, site in demo_sites().items()}
        cls.port = closed_port()
        sites["east"]["config"] = {**sites["east"]["config"], "probe_every_s": 10, "probes": [
            {"region": "cn-beijing", "endpoint": f"127.0.0.1:{cls.port}"}]}
        cls.broker = Broker(providers={**sites, "tariff": by_the_hour()})
        cls.addClassCleanup(cls.broker.close)
        cls.broker.start()
        cls.broker.wait_offers("east", "west", "tariff")
        cls.member = cls.broker.member("acme")

    def cli(self, *arguments):
        got = self.broker.cli(*arguments, key=self.member.key)
        self.assertEqual(got.returncode, 0, got.stderr)
        return got.stdout

    def test_prices_by_the_hour_are_shown_as_such_and_their_changes_too(self):
        row = next(line for line in self.cli("offers").splitlines() if line.startswith("tariff/"))
        self.assertRegex(row, r"0\.(04|10|17) CNY now, 0\.04 to 0\.17 CNY")
        offer = json.loads(self.cli("-o", "json", "offers", "--provider", "tariff"))[0]
        self.assertEqual(offer["hourly_price"]["least"], money("0.040000000"))
        self.assertIn(offer["hourly_price"]["now"]["amount"], {"0.040000000", "0.100000000", "0.170000000"})
        self.assertGreater(offer["hourly_price"]["until"], offer["as_of"])
        shown = self.cli("offers", "show", offer["id"])
        for text in ("0.10 CNY per unit-hour, outside of the hours below", "of the clock +08:00", "daily 23:00-07:00 0.04",
                     "mon-fri 09:00-11:30 0.17", "0.04 to 0.17 CNY", "x86_64", "begun 1 s"):
            self.assertIn(text, shown)
        self.assertEqual(json.loads(self.cli("-o", "json", "offers", "show", offer["id"]))["id"], offer["id"])
        self.assertEqual(self.broker.cli("offers", "show", "nobody/s/n/spot", key=self.member.key).returncode, 126)
        shown = self.cli("offers", "show", "tariff/hall/x1-node/on_demand")
        self.assertRegex(shown, "a card +312 fp16, 312 bf16 TFLOPS; 624 int8 TOPS; memory 2039 GB/s; to other cards 600 GB/s\n")
        self.assertRegex(shown, "host +maker, 40 units in all\n")

        def told():
            return json.loads(self.cli("-o", "json", "offers", "history", offer["id"]))["items"]

        self.assertEqual(told()[0]["price_schedule"], offer["price_schedule"])
        self.broker.write_provider("tariff", by_the_hour(night="0.03"))
        self.broker.reload()
        wait_for("the other night is told", lambda: len(told()) == 2)
        self.assertEqual(told()[1]["hourly_price"]["least"], money("0.030000000"))
        table = self.cli("offers", "history", offer["id"])
        self.assertIn("+08:00: daily 23:00-07:00 0.03, mon-fri 09:00-11:30 0.17", table)
        self.assertIn("0.04 to 0.17 CNY", table)

    def test_a_region_that_nobody_knows_is_told_in_plans_and_waits(self):
        asked = workload(name="lost", constraints={"regions": ["cn-nignxia"], "origin": {"region": "moon"}})
        words = 'No offer and no fact knows the region "cn-nignxia" (/constraints/regions/0); "cn-ningxia" may be meant.'
        plan = self.member.request("POST", "/v1/plans", asked)
        self.assertEqual(plan.status, 200, plan.body)
        self.assertIn(words, plan.json["decision"]["notes"])
        self.assertIn('No offer and no fact knows the region "moon" (/constraints/origin/region).',
                      plan.json["decision"]["notes"])
        made = self.member.request("POST", "/v1/workloads", asked).json
        self.addCleanup(self.member.request, "POST", f"/v1/workloads/{made['id']}/cancel")
        self.assertIn(words, made["waiting"][0]["detail"])
        self.assertIn(words, self.cli("show", made["id"]))
        path = f"/v1/workloads/{made['id']}"
        told = self.member.request("GET", path + "?language=zh").json["waiting"][0]["detail"]
        self.assertRegex(told, "^现有报价（[0-9]+ 个）都不能满足要求：.*可能是指“cn-ningxia”。")
        self.assertIn(told, self.cli("show", made["id"], "--language", "zh"))
        listed = self.member.request("GET", "/v1/workloads?state=queued&language=zh").json["items"]
        self.assertEqual([one["waiting"][0]["detail"] for one in listed if one["id"] == made["id"]], [told])
        self.assertEqual(self.member.request("GET", path + "?language=fr").status, 400)

    def test_a_runtime_that_the_wall_limit_cuts_off_is_told_in_plans(self):
        job = self.broker.home / "cut.json"
        job.write_text(json.dumps(workload(work={"runtime_s": 7200}, timing={"max_runtime_s": 3600})), encoding="utf-8")
        self.assertIn("It takes 7200 s by work.runtime_s and what its checkpoints write, but is stopped after 3600 s (timing.max_runtime_s)",
                      self.cli("plan", str(job)))
        self.assertIn("按 work.runtime_s 并计入写检查点的时间需运行 7200 s，但运行满 3600 s（timing.max_runtime_s）时",
                      self.cli("plan", "--language", "zh", str(job)))

    def test_a_probe_that_reaches_nobody_is_told(self):
        words = f"the RTT probe of cn-beijing (127.0.0.1:{self.port}) reaches nobody"
        wait_for("the provider says so", lambda: words in self.cli("providers"))
        self.assertRegex(self.cli("providers"), r"east +local +ready .*reaches nobody")
        self.assertEqual(self.broker.log_text().count("local.probe_unreached"), 1)

    def test_looks_that_find_nothing_new_are_no_events(self):
        made = self.member.request("POST", "/v1/workloads", workload(
            name="dull", constraints={"providers": {"allow": ["west"]}}, variants=[{"command": ["sleep", "4"]}])).json
        self.assertEqual(wait_end(self.member, made["id"])["state"], "succeeded")
        kinds = [one["type"] for one in self.member.items(f"/v1/workloads/{made['id']}/events")]
        self.assertNotIn("attempt.updated", kinds)


class CheckConfig(unittest.TestCase):
    def check(self, broker):
        return subprocess.run([str(bin_dir() / "westerlyd"), "--home", str(broker.home), "--check-config"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=e2e.DEADLINE_S, check=False)

    def home(self, **providers):
        broker = Broker(providers={**demo_sites(), **providers})
        self.addCleanup(broker.close)
        return broker

    def test_it_lists_certificates(self):
        broker = self.home()
        (broker.home / "certificates").mkdir()
        (broker.home / "certificates" / "parks.json").write_text(json.dumps(CERTIFICATES), encoding="utf-8")
        told = self.check(broker)
        self.assertEqual(told.returncode, 0, told.stderr)
        self.assertIn("certificate GEC-1, 12 MWh of cn-ningxia, generated 2026-03, expires 2099-01-01\n", told.stdout)
        self.assertIn("expires 2021-01-01 (is past), for acme\n", told.stdout)
        self.assertIn("2 certificate(s) of green power, 15 MWh in all\n", told.stdout)

    def test_it_doubts_certificates_that_cover_nothing(self):
        told = self.home_with(certificates={"parks.json": {"certificates": [
            {"id": "FAR", "grid_zone": "cn-mars", "generated": "2026-03", "expires_at": "2099-01-01T00:00:00Z", "mwh": 1},
            {"id": "FAR-2", "grid_zone": "cn-mars", "generated": "2026-04", "expires_at": "2099-01-01T00:00:00Z", "mwh": 1},
            {"id": "NEAR", "grid_zone": "CN-GDD", "generated": "2026-03", "expires_at": "2099-01-01T00:00:00Z", "mwh": 1},
            {"id": "HALF", "grid_zone": "CN-GD", "generated": "2026-03", "expires_at": "2026-03-20T00:00:00Z", "mwh": 1},
            {"id": "DEAD", "grid_zone": "CN-GD", "generated": "2026-03", "expires_at": "2026-02-01T00:00:00Z", "mwh": 1},
            {"id": "GOOD", "grid_zone": "CN-GD", "generated": "2026-03", "expires_at": "2026-04-01T00:00:00Z", "mwh": 1}]}})
        self.assertEqual(told.returncode, 0, told.stderr)
        self.assertEqual([line for line in told.stdout.splitlines() if line.startswith("warning: certificate")], [
            "warning: certificate FAR: it covers no run until its grid_zone, or a site's, is corrected: no site's grid_zone is "
            '"cn-mars"',
            "warning: certificate NEAR: it covers no run until its grid_zone, or a site's, is corrected: no site's grid_zone is "
            '"CN-GDD"; did you mean "CN-GD"?',
            "warning: certificate HALF: it expires within the month in which its power is generated; correct generated or "
            "expires_at",
            "warning: certificate DEAD: it expires before its power is generated; correct generated or expires_at"])

    def bare(self):
        broker = Broker(providers={})
        self.addCleanup(broker.close)
        for folder in ("providers", "policies"):
            (broker.home / folder).rmdir()
        return broker

    def home_with(self, **folders):
        broker = self.home()
        for folder, files in folders.items():
            (broker.home / folder).mkdir()
            for name, content in files.items():
                (broker.home / folder / name).write_text(json.dumps(content), encoding="utf-8")
        return self.check(broker)

    def test_files_in_the_place_of_folders_are_faults(self):
        for folder in ("providers", "policies", "certificates", "signals"):
            with self.subTest(folder=folder):
                broker = self.bare()
                (broker.home / folder).write_text("{}", encoding="utf-8")
                told = self.check(broker)
                self.assertEqual(told.returncode, 1, told.stdout)
                self.assertIn(f"{broker.home}/{folder}: cannot be read as a folder: Not a directory", told.stderr)
                self.assertIn("make it a folder that the broker's user may read, or move it away", told.stderr)

    def test_a_home_that_cannot_be_one_is_a_fault(self):
        broker = self.bare()
        (broker.home / "taken").write_text("", encoding="utf-8")
        (broker.home / "logs").write_text("", encoding="utf-8")
        for home, bad in (("taken", "taken"), ("taken/below", "taken"), (".", "./logs")):
            told = subprocess.run([str(bin_dir() / "westerlyd"), "--home", f"{broker.home}/{home}", "--check-config"],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=e2e.DEADLINE_S, check=False)
            self.assertEqual(told.returncode, 1, told.stdout)
            self.assertIn(f"{broker.home}/{bad} is not a folder, and the broker keeps its files in it", told.stderr)
            self.assertIn("another home (--home)", told.stderr)

    def test_no_policies_and_no_providers_are_told_in_a_sentence(self):
        self.assertIn("(warning: it has neither a folder policies nor a folder providers)\n", self.check(self.bare()).stdout)

    def test_it_doubts_regions_that_look_misspelt(self):
        far = demo_sites()["east"]
        far["sites"] = [{**far["sites"][0], "region": "cn-guangdnog", "rtt_ms": {"cn-estern": 3, "cn-ningxia": 30}}]
        far["config"]["probes"] = [{"region": "cn-bejing", "endpoint": "192.0.2.1:443"}]
        own = demo_sites()["east"]
        own["sites"] = [{**own["sites"][0], "region": "our-hall", "rtt_ms": {"our-hall": 1}}]
        told = self.check(self.home(far=far, own=own))
        self.assertEqual(told.returncode, 0, told.stderr)
        doubts = [line.strip() for line in told.stdout.splitlines() if "knows the region" in line]
        self.assertEqual(doubts, [
            'warning: /sites/0/region: no fact and no site elsewhere knows the region "cn-guangdnog"; did you mean '
            '"cn-guangdong"?',
            'warning: /sites/0/rtt_ms/cn-estern: no fact and no site elsewhere knows the region "cn-estern"',
            'warning: /config/probes/0/region: no fact and no site elsewhere knows the region "cn-bejing"; did you mean '
            '"cn-beijing"?'])

    def test_it_doubts_what_is_hardly_meant(self):
        priced = demo_sites()["east"]
        priced["prices"] = [{**priced["prices"][0], "offer": "no-such-offer"}] * 2
        broker = self.home(priced=priced)
        (broker.home / "signals").mkdir()
        (broker.home / "signals" / "feed.json").write_text(json.dumps({"feed": {
            "form": "electricity_maps", "url": "https://example.org", "zones": {"CN-DG": "CN"}, "token_file": "no.token"}}))
        told = self.check(broker)
        self.assertEqual(told.returncode, 0, told.stderr)
        for words in ('warning: /prices/0/offer: the adapter has no offer "no-such-offer"',
                      "warning: /prices/1 never counts: /prices/0 is for the same site and offer; remove one of the two",
                      'signals/feed.json: no site\'s grid_zone is "CN-DG"; did you mean "CN-GD"?',
                      "no.token cannot be read"):
            self.assertIn(words, told.stdout)
        nowhere = subprocess.run([str(bin_dir() / "westerlyd"), "--home", str(broker.home), "--config-dir", "/nowhere",
                                  "--check-config"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                 timeout=e2e.DEADLINE_S, check=False)
        self.assertEqual(nowhere.returncode, 1, nowhere.stdout)
        self.assertIn("there is no folder /nowhere", nowhere.stderr)

    def test_it_asks_adapters_about_their_config(self):
        wrong = demo_sites()["west"]
        wrong["config"] = {"sites": [{"site": wrong["sites"][0]["site"], "vcpus": 0, "memory_mib": 4096}]}
        silent = {**demo_sites()["west"], "adapter_command": ["sh", "-c", "echo no licence >&2; exit 3"]}
        broker = self.home(silent=silent)
        told = self.check(broker)
        self.assertEqual(told.returncode, 0, told.stderr)
        self.assertRegex(told.stdout, r"warning: its adapter does not tell whether it takes the config: .*exit code 3.*no licence")
        broker.write_provider("wrong", wrong)
        told = self.check(broker)
        self.assertEqual(told.returncode, 1, told.stdout)
        self.assertIn(f"{broker.home}/providers/wrong.json /config: its adapter refuses it: ", told.stderr)
        self.assertEqual(told.stderr.count("/sites/0/vcpus"), 1, told.stderr)
        self.assertFalse((broker.home / "westerly.db").exists())
        self.assertFalse((broker.home / "adapters").exists())


if __name__ == "__main__":
    main()
