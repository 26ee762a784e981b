"""The command line as people and programs use it: exit codes, every command, JSON everywhere, remedies."""

import json
import os
import pathlib
import signal
import stat
import subprocess
import unittest

import broker as e2e
from broker import Broker, bin_dir, demo_sites, wait_end, wait_for

ESCAPE = "\x1b["


class CliTest(unittest.TestCase):
    """One broker for all tests: each uses names of its own."""

    @classmethod
    def setUpClass(cls):
        sites = {name: {**site, "poll_s": 1} for name, site in demo_sites().items()}
        cls.broker = Broker(providers=sites)
        cls.addClassCleanup(cls.broker.close)
        cls.broker.start()
        cls.broker.wait_offers("east", "west")
        cls.key = cls.broker.member_key("vision")
        cls.member = cls.broker.client(cls.key)
        cls.folder = cls.broker.home / "client"
        cls.folder.mkdir()

    def cli(self, *arguments, key=None, code=0, **more):
        got = self.broker.cli(*arguments, key=self.key if key is None else key, **more)
        self.assertEqual(got.returncode, code, f"{arguments}:\n{got.stdout}\n{got.stderr}")
        self.assertNotIn(ESCAPE, got.stdout + got.stderr, "colours without a terminal")
        return got

    def operator(self, *arguments, **more):
        return self.cli(*arguments, key=self.broker.operator_key, **more)

    def json(self, *arguments, **more):
        return json.loads(self.cli("-o", "json", *arguments, **more).stdout)

    def submit(self, name, *command, flags=()):
        return self.cli("run", "-d", "--name", name, *flags, "--", *command).stdout.strip()

    # Exit codes

    def test_run_gives_the_workloads_own_exit_code(self):
        cases = [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", 128 + 9), ("kill -15 $$", 128 + 15)]
        for script, code in cases:
            with self.subTest(script=script):
                got = self.cli("run", "--", "sh", "-c", f"echo out; echo err >&2; {script}", code=code)
                self.assertEqual(got.stdout, "out\n")
                self.assertIn("err\n", got.stderr)
                states = got.stderr.splitlines()
                end = [line for line in states if line.split(":")[0] in ("succeeded", "failed")]
                self.assertEqual(len(end), 1, f"the end is told twice: {states}")
                self.assertRegex(got.stderr, r"charged [0-9.]+ CNY at (east|west)/")

    def test_run_gives_124_when_time_is_up(self):
        self.cli("run", "--max-runtime-s", 1, "--", "sleep", "60", code=124)
        got = self.cli("run", "--vcpus", 64, "--max-wait-s", 1, "--", "true", code=124)
        self.assertIn("queued: ", got.stderr)
        got = self.cli("run", "--name", "slow", "--timeout-s", 1, "--", "sleep", "60", code=124)
        self.assertIn("goes on", got.stderr)
        self.cli("cancel", "slow")

    def test_run_gives_125_when_cancelled(self):
        follower = subprocess.Popen(
            [str(bin_dir() / "westerly"), "run", "--name", "ended", "--", "sleep", "60"],
            env=self.broker.cli_environment(self.key), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        try:
            wait_for("it is active", lambda: "active" in self.cli("ls", "--name", "ended").stdout)
            self.cli("cancel", "ended")
            _, told = follower.communicate(timeout=e2e.DEADLINE_S)
        finally:
            follower.kill()
            follower.wait()
        self.assertEqual(follower.returncode, 125, told)
        self.assertIn("cancelled", told)

    def test_ctrl_c_detaches_and_the_work_goes_on(self):
        follower = subprocess.Popen(
            [str(bin_dir() / "westerly"), "run", "--name", "goes-on", "--", "sh", "-c", "echo began; sleep 5; echo done"],
            env=self.broker.cli_environment(self.key), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        try:
            self.assertEqual(follower.stdout.readline(), "began\n")
            follower.send_signal(signal.SIGINT)
            _, told = follower.communicate(timeout=e2e.DEADLINE_S)
        finally:
            follower.kill()
            follower.wait()
        self.assertEqual(follower.returncode, 130, told)
        self.assertIn("detached; the workload goes on", told)
        got = self.cli("logs", "-f", "goes-on")
        self.assertEqual(got.stdout, "began\ndone\n")
        (one,) = self.json("ls", "--name", "goes-on")["items"]
        self.assertEqual(wait_end(self.member, one["id"])["state"], "succeeded")

    # Ways to run

    def test_run_ships_a_folder_and_get_fetches_results(self):
        code = self.folder / "code"
        (code / "lib").mkdir(parents=True)
        (code / "lib" / "word.txt").write_text("shipped\n")
        script = code / "work.sh"
        script.write_text('#!/bin/sh\nmkdir -p "$WESTERLY_OUTPUT_DIR/deep"\n'
                          'cat lib/word.txt | tee "$WESTERLY_OUTPUT_DIR/deep/result-$WESTERLY_RANK"\n')
        script.chmod(0o755)
        got = self.cli("run", "--name", "ships", "--tasks", 2, "--with", code, "--", "./work.sh")
        self.assertEqual(sorted(got.stdout.splitlines()), ["[0] shipped", "[1] shipped"])
        into = self.folder / "results"
        self.cli("get", "ships", "--into", into)
        for rank in (0, 1):
            self.assertEqual((into / "deep" / f"result-{rank}").read_text(), "shipped\n")
        self.assertEqual(self.cli("get", "ships", "deep/result-1", "--into", "-").stdout, "shipped\n")
        self.assertEqual(len(self.json("get", "ships", "--into", into)), 2)
        self.assertEqual(self.cli("logs", "ships", "--rank", 1).stdout, "shipped\n")

    def test_run_reads_files_in_yaml_and_json(self):
        plain = {"kind": "batch", "name": "from-json", "variants": [{"command": ["sh", "-c", "echo $WORD"]}]}
        (self.folder / "job.json").write_text(json.dumps(plain))
        (self.folder / "job.yaml").write_text(
            "kind: batch\nname: from-yaml\nvariants:\n  - command: [sh, -c, 'echo $WORD']\n"
        )
        for name in ("json", "yaml"):
            got = self.cli("run", self.folder / f"job.{name}", "--env", "WORD=mine", "--label", "a=b")
            self.assertEqual(got.stdout, "mine\n")
            (one,) = self.json("ls", "--name", f"from-{name}")["items"]
            self.assertEqual(one["spec"]["labels"], {"a": "b"})

    def test_idempotency_key_runs_once(self):
        flags = ("--idempotency-key", "only-once")
        first = self.submit("once", "true", flags=flags)
        self.assertEqual(self.submit("once", "true", flags=flags), first)
        self.cli("run", "-d", "--name", "other", *flags, "--", "true", code=126)

    # Looking

    def test_plan_tells_where_and_why_and_runs_nothing(self):
        got = self.cli("plan", "--name", "planned", "--policy", "cheapest", "--", "true")
        for part in ("west/zhongwei", "east/shaoguan", "cn-ningxia", "CNY", "cheapest"):
            self.assertIn(part, got.stdout)
        whole = self.json("plan", "--policy", "cheapest", "--", "true")
        self.assertTrue(whole["decision"]["ranked"][0]["offer"].startswith("west/"))
        none = self.cli("plan", "--vcpus", 64, "--", "true")
        self.assertIn("REJECTED OFFER", none.stdout)
        self.assertNotIn("FINISH", none.stdout, "a table without rows")
        self.assertEqual(self.json("ls", "--name", "planned")["items"], [])

    def test_decisions_are_told_in_english_and_chinese(self):
        asked = ("plan", "--policy", "balanced", "--runtime-s", 3600, "--")
        english = self.cli(*asked, "true").stdout
        in_chinese = self.cli(*asked[:-1], "--language", "zh", "--", "true").stdout
        for text, parts in ((english, ("Policy balanced chooses west/", "green power at 0.61 CNY per kWh", "finish 2", "CNY")),
                            (in_chinese, ("策略 balanced 选择 west/", "绿电占比", "报价", "完成于 2", "CNY"))):
            for part in parts:
                self.assertIn(part, text)
        self.assertNotRegex(english, "[\u4e00-\u9fff]")
        self.assertNotIn("chooses", in_chinese)
        # The locale decides where nothing is said; programs get English unless they ask.
        for variables in ({"LANG": "zh_CN.UTF-8"}, {"LC_ALL": "zh_CN.UTF-8", "LANG": "en_GB.UTF-8"}):
            self.assertIn("策略 balanced", self.cli(*asked, "true", variables=variables).stdout)
        for variables in ({"LANG": "zh_CN.GBK"}, {"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}):
            self.assertIn("Policy balanced", self.cli(*asked, "true", variables=variables).stdout)
        self.assertIn("Policy", self.cli(*asked[:-1], "--language", "en", "--", "true",
                                         variables={"LANG": "zh_CN.UTF-8"}).stdout)
        told = json.loads(self.cli("-o", "json", *asked, "true", variables={"LANG": "zh_CN.UTF-8"}).stdout)
        self.assertIn("Policy balanced", told["decision"]["explanation"])
        told = self.json(*asked[:-1], "--language", "zh", "--", "true")["decision"]
        self.assertIn("策略 balanced", told["explanation"])
        self.assertRegex(told["notes"][0], "绿电（每 kWh 计 0.61 CNY）")
        self.assertEqual([one["term"] for one in told["ranked_by"]], ["green_power", "time"])
        self.cli("plan", "--language", "fr", "--", "true", code=126)

    def test_a_chart_of_the_ranked_offers_fits_its_terminal(self):
        asked = ("plan", "--policy", "balanced", "--runtime-s", 3600, "--", "true")
        plain = self.cli(*asked).stdout
        chart = plain[plain.index("What each costs"):plain.index("Policy balanced")]
        self.assertIn("# cost  + green power", chart)
        self.assertRegex(chart, r"\n1 west\S+ +[#+=]+ ")
        self.assertTrue(chart.isascii(), chart)
        self.assertLessEqual(max(map(len, chart.splitlines())), 80)
        utf8 = {"LANG": "C.UTF-8", "COLUMNS": "60"}
        blocks = self.cli(*asked, variables=utf8).stdout
        chart = blocks[blocks.index("What each costs"):blocks.index("Policy balanced")]
        self.assertIn("█ cost  ▓ green power", chart)
        self.assertLessEqual(max(map(len, chart.splitlines())), 60)
        self.assertNotIn("What each costs", self.cli("plan", "--no-chart", "--", "true").stdout)
        keys = self.cli("plan", "--policy", "greenest", "--runtime-s", 3600, "--", "true").stdout
        self.assertRegex(keys, "In the order of non-green energy, then carbon, then cost; bars: key [123], ")

    def test_explain_shows_a_stored_decision_by_workload_or_by_its_own_id(self):
        ident = self.submit("explained", "true")
        wait_end(self.member, ident)
        by_name = self.cli("explain", "explained").stdout
        self.assertIn(" under balanced ", by_name)
        self.assertIn("Policy balanced chooses", by_name)
        self.assertEqual(self.cli("explain", ident).stdout, by_name)
        decision = self.json("explain", ident)["id"]
        self.assertEqual(self.cli("explain", decision).stdout, by_name)
        self.assertIn("策略 balanced 选择", self.cli("explain", "explained", "--language", "zh").stdout)
        self.assertIn("策略 balanced 选择", self.cli("show", "explained", "--language", "zh").stdout)
        self.cli("explain", "00000000-0000-7000-8000-000000000000", code=126)

    def test_ls_show_events_and_logs(self):
        ident = self.submit("looked-at", "sh", "-c", "echo out; echo err >&2; exit 4", flags=("--label", "look=yes"))
        wait_end(self.member, ident)
        for way in (("--name", "looked-at"), ("--label", "look=yes"), ("--state", "failed", "--label", "look=yes")):
            self.assertEqual([one["id"] for one in self.json("ls", *way)["items"]], [ident])
            self.assertIn(ident, self.cli("ls", *way).stdout)
        self.assertNotIn(ident, self.cli("ls", "--state", "succeeded").stdout)
        shown = self.cli("show", "looked-at").stdout
        for part in (ident, "failed", "exit code: 4", " under balanced ", "per unit-hour"):
            self.assertIn(part, shown)
        self.assertRegex(shown, r"decision of 20\S+Z under balanced", "without its time")
        whole = self.json("show", ident)
        self.assertEqual((whole["workload"]["exit_code"], len(whole["attempts"])), (4, 1))
        self.assertIn("workload.failed", self.cli("events", "looked-at").stdout)
        self.assertEqual(self.json("events", ident)["items"][0]["type"], "workload.queued")
        self.assertTrue(self.json("events")["items"])
        self.assertEqual(self.cli("logs", "looked-at").stdout, "out\n")
        self.assertEqual(self.cli("logs", "looked-at", "--stderr").stdout, "err\n")
        self.assertEqual(self.cli("logs", "looked-at", "--attempt", 1).stdout, "out\n")

    def test_charges_and_usage_name_money_energy_and_carbon(self):
        ident = self.submit("billed", "sleep", "1")
        wait_end(self.member, ident)
        charges = self.cli("charges", "--workload", "billed").stdout
        self.assertRegex(charges, r"total: 0\.0000[0-9]+ CNY")
        usage = self.cli("usage", "--workload", "billed").stdout
        self.assertRegex(usage, r"[0-9.]+ Wh .*[0-9.]+ g ")
        self.assertIn("Scope 3 category 1", usage)
        self.assertNotRegex(usage, r"\d\.\d+e-\d", "numbers for programs in a table for people")
        whole = self.json("charges", "--workload", ident)
        self.assertEqual([one["workload"] for one in whole["items"]], [ident])
        self.assertEqual(whole["totals"][0]["billed_cost"], whole["items"][0]["billed_cost"])
        self.assertEqual(self.json("usage", "--workload", ident)["totals"]["rows"], 1)
        self.assertEqual(self.json("charges", "--until", "2020-01-01T00:00:00Z")["items"], [])

    def test_market_commands(self):
        self.assertIn("west/zhongwei", self.cli("offers").stdout)
        self.assertEqual({o["provider"] for o in self.json("offers", "--provider", "east")}, {"east"})
        self.assertEqual({o["provider"] for o in self.json("offers", "--region", "cn-ningxia")}, {"west"})
        west = self.json("offers", "--provider", "west")[0]
        self.assertFalse(west["stale"])
        told = self.cli("offers", "history", west["id"]).stdout
        self.assertIn("Price per unit-hour of " + west["id"], told)
        self.assertEqual(self.json("offers", "history", west["id"])["items"][0]["price"], west["price"])
        self.assertEqual([p["id"] for p in self.json("providers")], ["east", "west"])
        self.assertIn("ready", self.cli("providers").stdout)
        self.assertTrue(self.json("providers", "probe", "east", key=self.broker.operator_key)["ok"])
        self.assertIn("ok", self.operator("providers", "probe", "west").stdout)
        for policy in ("balanced", "cheapest", "greenest", "lowest_carbon", "nearest"):
            self.assertIn(policy, self.cli("policies").stdout)
        self.assertEqual(len(self.json("policies")), 5)
        # A member may not cordon.
        self.cli("providers", "cordon", "west", code=126)
        self.assertIn("no new work", self.operator("providers", "cordon", "east").stdout)
        try:
            wait_for("it is shown as cordoned", lambda: "cordoned" in self.cli("providers").stdout)
        finally:
            self.json("providers", "uncordon", "east", key=self.broker.operator_key)

    def test_policies_check_names_line_and_column(self):
        good = self.folder / "good.json"
        good.write_text('{"description": "Cost, and some green.",\n'
                        ' "prices": {"green_power": {"amount": "0.40", "currency": "CNY", "per": "kWh"}}}')
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder)}

        def check(*arguments):
            return subprocess.run([str(bin_dir() / "westerly"), *map(str, arguments)], env=environment, text=True,
                                  capture_output=True, timeout=e2e.DEADLINE_S, check=False)

        got = check("policies", "check", good)
        self.assertEqual(got.returncode, 0, got.stderr)
        self.assertIn("sound", got.stdout)
        self.assertIn("0.4 CNY per kWh", got.stdout)
        self.assertEqual(json.loads(check("-o", "json", "policies", "check", good).stdout)[0]["file"], str(good))
        for text, line in (('{\n  "description": "x",\n  "prices": {"beauty": {}}\n}', 3), ('{\n  "description": }', 2)):
            bad = self.folder / "bad.json"
            bad.write_text(text)
            got = check("policies", "check", bad, good)
            self.assertEqual(got.returncode, 126)
            self.assertRegex(got.stderr, rf"bad\.json.*(.|\n)*line {line}, column [0-9]+")
            self.assertIn("good.json: sound", got.stdout)

    # Acting

    def test_cancel_by_id_name_and_label(self):
        one = self.submit("cancel-id", "sleep", "600")
        two = self.submit("cancel-name", "sleep", "600")
        labelled = [self.submit(f"cancel-label-{i}", "sleep", "600", flags=("--label", "batch=seven")) for i in (1, 2)]
        spared = self.submit("spared", "sleep", "600", flags=("--label", "batch=eight"))
        self.assertIn(one, self.cli("cancel", one).stdout)
        self.cli("cancel", "cancel-name")
        self.assertEqual({w["id"] for w in self.json("cancel", "--label", "batch=seven")}, set(labelled))
        for ident in (one, two, *labelled):
            self.assertEqual(wait_end(self.member, ident)["state"], "cancelled")
        self.assertNotIn(self.member.request("GET", f"/v1/workloads/{spared}").json["state"], e2e.ENDED)
        self.cli("cancel", "spared")
        self.assertIn("nothing to cancel", self.cli("cancel", "--label", "batch=none").stdout)

    def test_retry_runs_again_under_a_new_id(self):
        ident = self.submit("failing", "false")
        wait_end(self.member, ident)
        again = self.cli("retry", "failing").stdout.strip()
        self.assertNotEqual(again, ident)
        self.assertEqual(wait_end(self.member, again)["state"], "failed")
        self.assertEqual(self.json("retry", ident)["spec"]["name"], "failing")

    # Accounts

    def test_login_keeps_a_private_profile(self):
        profile = self.folder / "profile" / "profile.json"
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "WESTERLY_PROFILE": str(profile)}

        def run(*arguments):
            return subprocess.run([str(bin_dir() / "westerly"), *arguments], env=environment, text=True,
                                  capture_output=True, timeout=e2e.DEADLINE_S, check=False)

        url = f"https://127.0.0.1:{self.broker.port}"
        got = run("whoami")
        self.assertEqual(got.returncode, 126)
        self.assertIn("westerly login", got.stderr)
        got = run("login", url, "--key", self.key, "--fingerprint", ":".join(["AB"] * 32))
        self.assertEqual(got.returncode, 126, got.stderr)
        self.assertIn("certificate", got.stderr)
        self.assertFalse(profile.exists(), "a refused login was saved")
        got = run("login", url, "--key", "wk_" + "0" * 64, "--fingerprint", self.broker.fingerprint)
        self.assertEqual(got.returncode, 126, got.stderr)
        self.assertFalse(profile.exists(), "a refused login was saved")
        got = run("login", url, "--key", self.key, "--fingerprint", self.broker.fingerprint)
        self.assertEqual(got.returncode, 0, got.stderr)
        self.assertIn("as member of tenant vision", got.stdout)
        self.assertEqual(stat.S_IMODE(profile.stat().st_mode), 0o600)
        self.assertIn("member of tenant vision", run("whoami").stdout)
        got = run("login", url, "--key", self.key)
        self.assertIn(self.broker.fingerprint, got.stdout, "trust on first use shows what it trusts")
        self.assertEqual(json.loads(run("-o", "json", "whoami").stdout)["role"], "member")

    def test_tenants_keys_and_backup(self):
        made = self.json("tenants", "--create", "acme", key=self.broker.operator_key)
        self.assertIn("acme", self.operator("tenants").stdout)
        self.assertIn("acme", {one["name"] for one in self.json("tenants", key=self.broker.operator_key)})
        secret = self.json("keys", "--create", "first", "--tenant", made["id"], "--role", "member",
                           key=self.broker.operator_key)
        self.assertIn("tenant acme", self.cli("whoami", key=secret["secret"]).stdout)
        self.assertIn("first", self.operator("keys").stdout)
        shown = self.operator("keys", "--create", "second", "--tenant", made["id"], "--role", "member").stdout
        self.assertRegex(shown, r"key \(shown once\): wk_\S+\nid: [0-9a-f-]{36}\n")
        # Another tenant's work is none of its business.
        ident = self.submit("private", "true")
        wait_end(self.member, ident)
        self.cli("show", ident, key=secret["secret"], code=126)
        self.assertEqual(self.json("ls", key=secret["secret"])["items"], [])
        told = self.json("keys", "--revoke", secret["key"]["id"], key=self.broker.operator_key)
        self.assertEqual(told["revoked"], secret["key"]["id"])
        self.cli("whoami", key=secret["secret"], code=126)
        path = self.json("backup", key=self.broker.operator_key)["path"]
        self.assertTrue(pathlib.Path(path).is_file())
        self.assertIn("--restore", self.operator("backup").stdout)
        self.cli("backup", code=126)
        self.assertEqual(self.json("orphans", key=self.broker.operator_key), [])
        self.json("sweep", "--confirm", key=self.broker.operator_key)

    # Errors

    def test_every_error_names_a_remedy(self):
        ended = self.submit("over", "true")
        wait_end(self.member, ended)
        big = self.folder / "big"
        big.mkdir()
        (big / "data").write_bytes(os.urandom(1 << 20) * 17)
        (self.folder / "torn.yaml").write_text("kind: [")
        (self.folder / "strange.yaml").write_text("kind: batch\nname: x\ncolour: red\nvariants: [{command: [a]}]\n")
        cases = [
            ("run",), ("run", "file.yaml", "--", "true"), ("run", self.folder / "none.yaml"),
            ("run", self.folder / "torn.yaml"), ("run", self.folder / "strange.yaml"),
            ("run", "--tasks", "0", "--", "true"), ("run", "--policy", "none", "--", "true"),
            ("run", "--label", "bad", "--", "true"), ("run", "--with", "/nowhere", "--", "true"),
            ("run", "--with", big, "--", "true"), ("run", "--tasks", "many", "--", "true"),
            ("show", "nothing"), ("explain", "nothing"), ("logs", "nothing"), ("logs", "over", "--rank", "7"), ("get", "over", "nothing"),
            ("get", "over", "--into", "-"), ("events", "nothing"), ("cancel",), ("cancel", "nothing"),
            ("cancel", "over"), ("retry", "nothing"), ("charges", "--from", "yesterday"), ("ls", "--state", "blue"),
            ("ls", "--limit", "0"), ("tenants",), ("tenants", "--create", "x"), ("keys", "--create", "x"), ("backup",),
            ("orphans",), ("sweep",), ("sweep", "--confirm"), ("providers", "cordon", "none"),
            ("policies", "check", "/nowhere.json"), ("login", "nowhere", "--key", "x"), ("dance",), (),
        ]
        for case in cases:
            with self.subTest(case=case):
                got = self.broker.cli(*case, key=self.key)
                self.assertEqual(got.returncode, 126, got.stderr)
                self.assertEqual(got.stdout, "")
                lines = got.stderr.splitlines()
                self.assertRegex(lines[0], "^westerly: .")
                self.assertTrue(any(" - " in line or line.startswith("  ") for line in lines[1:]), got.stderr)
                self.assertEqual(len(lines), len(set(line.strip() for line in lines)), f"said twice: {got.stderr}")
        gone = subprocess.run(
            [str(bin_dir() / "westerly"), "ls"],
            env={**self.broker.cli_environment(self.key), "WESTERLY_URL": "https://127.0.0.1:1"}, text=True,
            capture_output=True, timeout=e2e.DEADLINE_S, check=False,
        )
        self.assertEqual(gone.returncode, 125)
        self.assertIn("see that westerlyd runs there", gone.stderr)


if __name__ == "__main__":
    e2e.main()
