"""Terms of libraries: the example changes a decision as its arithmetic says, and each bad one is dealt with.

Each term runs in a westerly-termhost of its own: one that says nonsense, one that takes a minute, one that crashes at
every question, one that tries what it must not.
"""

import os
import pathlib
import re
import shutil
import statistics
import subprocess
import tempfile
import time
import unittest

from broker import ROOT, Broker, bin_dir, demo_sites, main, processes_below, wait_end, wait_for, wait_state, workload

EAST, WEST = "east/shaoguan/cores/on_demand", "west/zhongwei/cores/on_demand"
WATER = {"west/zhongwei": "9.5", "cn-guangdong": "1.8"}  # litres per kWh; the second by its region
PRICE = 20  # CNY per litre, so that two sites of some watts differ
LATE_MS = 300


def built(name):
    return bin_dir().parent / "terms" / f"{name}.so"


def terms_below(home):
    """The settings' list; the libraries lie below `home`, so that their hosts are found as processes of this test."""
    folder = home / "terms"
    folder.mkdir()
    entries = [
        {"name": "water", "library": "water", "options": WATER, "deadline_ms": 10_000},
        {"name": "gaps", "library": "nan", "options": {"site": "zhongwei"}, "deadline_ms": 10_000},
        {"name": "slow", "library": "slow", "deadline_ms": LATE_MS},
        {"name": "crash", "library": "crash", "deadline_ms": 10_000},
        {"name": "greedy", "library": "greedy", "deadline_ms": 10_000},
    ]
    for entry in entries:
        entry["library"] = str(shutil.copy(built(entry["library"]), folder))
    return entries


def priced(term, unit, amount="1", **more):
    return {"prices": {term: {"amount": amount, "currency": "CNY", "per": unit, **more}}}


POLICIES = {
    "watery": priced("water", "L", str(PRICE)),
    "driest": {"order": {kind: [{"term": "water", "step": 0.001}, {"term": "cost"}]
                         for kind in ("service", "interactive", "batch")}},
    "gappy": priced("gaps", "trouble"),
    "greedy": priced("greedy", "trouble"),
    **{f"{name}-{way}": priced(name, "trouble", on_failure=way) for name in ("slow", "crash") for way in ("wait", "ignore")},
}


def hosts_below(home):
    found = []
    for pid in processes_below(home):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if b"westerly-termhost" in f.read():
                    found.append(pid)
        except OSError:
            pass
    return found


class Terms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = Broker(policies=POLICIES)
        cls.addClassCleanup(cls.broker.close)
        settings = {"terms": terms_below(cls.broker.home)}
        cls.broker._write(cls.broker.home / "westerlyd.yaml", settings)
        cls.broker.start()
        cls.broker.wait_offers("east", "west")
        cls.member = cls.broker.member("vision")

    def decided(self, policy, **fields):
        got = self.member.request("POST", "/v1/plans", workload(policy=policy, work={"runtime_s": 3600}, **fields))
        self.assertEqual(got.status, 200, got.body)
        return got.json["decision"]

    def submitted(self, policy):
        made = self.member.request("POST", "/v1/workloads", workload(policy=policy))
        self.assertEqual(made.status, 201, made.body)
        return made.json["id"]

    def metric(self, name, **labels):
        text = self.broker.client().request("GET", "/metrics").body
        text = text.decode() if isinstance(text, bytes) else text
        wanted = ",".join(f'{key}="{value}"' for key, value in labels.items())
        found = re.search(rf"^{name}\{{{re.escape(wanted)}\}} (\d+)$", text, re.M)
        self.assertIsNotNone(found, f"{name}{{{wanted}}} in:\n{text[:4000]}")
        return int(found.group(1))

    def told_of(self, term, event):
        return [line for line in self.broker.log_lines(event) if line["term"] == term]

    # The example

    def test_water_changes_the_choice_as_its_arithmetic_says(self):
        plain = {one["offer"]: one for one in self.decided("cheapest")["ranked"]}
        self.assertLess(plain[WEST]["cost_base"], plain[EAST]["cost_base"])
        # Litres are litres per kWh x IT energy, and IT energy is the facility's by its PUE.
        litres = {offer: per_kwh * plain[offer]["energy_kwh"] / plain[offer]["pue"]
                  for offer, per_kwh in ((WEST, 9.5), (EAST, 1.8))}
        j = {offer: plain[offer]["cost_base"] + PRICE * litres[offer] for offer in litres}
        self.assertGreater(j[WEST], j[EAST], "the figures of this test are so that water turns the choice")

        made = self.decided("watery")
        self.assertEqual([one["offer"] for one in made["ranked"]], [EAST, WEST])
        for one in made["ranked"]:
            self.assertEqual([term["term"] for term in one["terms"]], ["water"])
            self.assertAlmostEqual(one["terms"][0]["amount"], PRICE * litres[one["offer"]], places=9)
            self.assertAlmostEqual(one["j"], j[one["offer"]], places=9)
        self.assertIn("water at 20.00 CNY per L", made["notes"][0])

        first = self.decided("driest")["ranked"][0]
        self.assertEqual(first["offer"], EAST)
        self.assertEqual(first["keys"][0], -(-litres[EAST] // 0.001))

        ident = self.submitted("watery")
        ended = wait_end(self.member, ident)
        self.assertEqual(ended["state"], "succeeded")
        decision = self.member.request("GET", f"/v1/workloads/{ident}/decision").json
        self.assertEqual(decision["ranked"][0]["offer"], EAST)
        self.replayed(decision["id"])

    def replayed(self, decision):
        """What the library said is kept with the decision; nobody asks it again."""
        got = self.member.request("GET", f"/v1/decisions/{decision}/replay")
        self.assertEqual(got.json, {"decision": decision, "identical": True})

    # Bad ones

    def test_nonsense_is_unknown_and_unknown_is_not_ranked(self):
        made = self.decided("gappy")
        self.assertEqual([one["offer"] for one in made["ranked"]], [EAST])
        self.assertEqual({one["reason"]: one["count"] for one in made["rejections"]}, {"quantity_unknown": 1})
        self.assertGreaterEqual(self.metric("westerly_term_unknown_total", term="gaps"), 1)
        self.assertEqual(wait_end(self.member, self.submitted("gappy"))["state"], "succeeded")

    def plans_take(self, count):
        """Seconds, each, of a policy that weighs nothing of a library."""
        took = []
        for _ in range(count):
            begun = time.monotonic()
            self.decided("cheapest")
            took.append(time.monotonic() - begun)
        return statistics.median(took)

    def dealt_with(self, name, cause, metric_why):
        # Decided without it where the policy says so, and told.
        ident = self.submitted(f"{name}-ignore")
        self.assertEqual(wait_end(self.member, ident)["state"], "succeeded")
        decision = self.member.request("GET", f"/v1/workloads/{ident}/decision").json
        self.assertTrue(any(note.startswith(f'The term "{name}" could not be had (') and "decides without it" in note
                            for note in decision["notes"]), decision["notes"])
        self.replayed(decision["id"])
        # Else it waits, with the reason, and asks again.
        quiet = self.plans_take(20)
        waiting = self.submitted(f"{name}-wait")

        def reason():
            got = self.member.request("GET", f"/v1/workloads/{waiting}").json
            return next((one["detail"] for one in got.get("waiting", []) if one["code"] == "term_failed"), None)

        self.assertRegex(wait_for("the reason is told", reason), cause)
        falls = len(self.told_of(name, "term.failed"))
        wait_for("it is asked again", lambda: len(self.told_of(name, "term.failed")) > falls)
        self.assertRegex(self.told_of(name, "term.failed")[-1]["reason"], cause)
        self.assertGreaterEqual(self.metric("westerly_term_failures_total", term=name, why=metric_why), 2)
        self.assertGreaterEqual(self.metric("westerly_term_starts_total", term=name), 2)
        # Meanwhile others are placed as ever: a broker that waited for it would take its deadline each time.
        beside = self.plans_take(20)
        self.assertLess(beside, 5 * quiet + 0.1, f"{quiet:.4f} s without, {beside:.4f} s beside a term that is {name}")
        self.assertEqual(wait_end(self.member, self.submitted("cheapest"))["state"], "succeeded")
        self.assertEqual(self.member.request("GET", f"/v1/workloads/{waiting}").json["state"], "queued")
        self.assertEqual(self.member.request("POST", f"/v1/workloads/{waiting}/cancel").status, 202)
        wait_state(self.member, waiting, "cancelled")

    def test_a_slow_one_is_ended_at_its_deadline(self):
        self.dealt_with("slow", f"did not answer within {LATE_MS} ms", "late")

    def test_one_that_crashes_is_started_again(self):
        self.dealt_with("crash", r"signal 11.*it said: about to crash|it is started again within", "crashed")

    def test_it_gets_no_further_than_its_figures(self):
        made = self.decided("greedy")
        for one in made["ranked"]:
            self.assertEqual(one["terms"][0]["amount"], 0, "files, network, processes, signals, the shared columns")

    def test_hosts_end_with_the_broker(self):
        self.decided("watery")
        self.assertTrue(hosts_below(self.broker.home))
        self.broker.kill()
        wait_for("no host is left", lambda: not hosts_below(self.broker.home))
        self.broker.start()
        self.broker.wait_offers("east", "west")
        type(self).member = self.broker.member("vision")
        self.decided("watery")
        self.broker.stop()
        self.assertEqual(hosts_below(self.broker.home), [])
        self.broker.start()
        self.broker.wait_offers("east", "west")
        type(self).member = self.broker.member("vision")


class CheckConfig(unittest.TestCase):
    def check(self, *terms):
        broker = Broker(providers={})
        self.addCleanup(broker.close)
        broker._write(broker.home / "westerlyd.yaml", {"terms": list(terms)})
        return subprocess.run([str(bin_dir() / "westerlyd"), "--home", str(broker.home), "--check-config"],
                              capture_output=True, encoding="utf-8", timeout=90, check=False)

    def test_every_fault_is_told(self):
        got = self.check(
            {"name": "fallen", "library": str(built("crash_on_load"))},
            {"name": "old", "library": str(built("old"))},
            {"name": "gone", "library": "nowhere.so"},
            {"name": "carbon", "library": str(built("slow"))},
            {"name": "dry", "library": str(built("water")), "options": {"default": "much"}},
            {"name": "nothing", "library": os.path.realpath("/bin/true")},
        )
        self.assertEqual(got.returncode, 1, got.stdout)
        for told in (r"/terms/0: .*crash_on_load\.so: its host ended: signal 6",
                     r"/terms/1: .*built for version 42 of the ABI - build it with the westerly_term\.h of this broker",
                     r"/terms/2: .*nowhere\.so: its library cannot be loaded: .*No such file",
                     r'/terms/3/name: "carbon" is built in',
                     r'/terms/4: .*refuses the options: "much" of "default" is no number',
                     r"/terms/5: .*cannot be loaded"):
            self.assertRegex(got.stderr, told)

    def test_a_good_one_is_told_with_its_unit(self):
        got = self.check({"name": "water", "library": str(built("water")), "options": {"default": "1.5"}})
        self.assertEqual(got.returncode, 0, got.stderr)
        self.assertRegex(got.stdout, r"term water, in L, of .*water\.so: Water that")

    def test_the_guides_example_builds_with_one_command(self):
        guide = (ROOT / "docs" / "guides" / "terms.md").read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory(prefix="westerly-e2e-", dir="/tmp") as folder:
            source = pathlib.Path(folder) / "sun.c"
            source.write_text(re.search(r"^```c\n(.*?)^```$", guide, re.S | re.M).group(1), encoding="utf-8")
            command = re.search(r"^    (cc .*)$", guide, re.M).group(1)
            command = command.replace("/usr/local/include", str(ROOT / "policies" / "sdk")).replace("water", "sun")
            subprocess.run(command.split(), cwd=folder, check=True, timeout=90)
            got = self.check({"name": "north", "library": str(source.with_suffix(".so"))})
        self.assertEqual(got.returncode, 0, got.stderr)
        self.assertIn("term north, in degree", got.stdout)

    def test_settings_are_strict(self):
        got = self.check({"name": "Water", "deadline": 5})
        self.assertEqual(got.returncode, 1)
        for pointer in ("/terms/0/name", "/terms/0/library", "/terms/0/deadline"):
            self.assertIn(pointer, got.stderr)


if __name__ == "__main__":
    main()
