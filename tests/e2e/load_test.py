"""The load generator `westerly-load` against a real broker: what it asks, what it reports, and that it cannot be fooled
by a broker that stalls."""

import json
import os
import signal
import time
import unittest

from broker import DEADLINE_S, Broker, begin, bin_dir, demo_sites, main, wait_for

STALL_S = 0.5


def answered(client, method, route):
    text = client.request("GET", "/metrics").body.decode()
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
               if line.startswith("westerly_http_requests_total{") and f'method="{method}",route="{route}"' in line)


class Load(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = Broker(providers=demo_sites())
        cls.addClassCleanup(cls.broker.close)
        cls.broker.start()
        cls.broker.wait_offers("east", "west")

    def setUp(self):
        """Each test is a tenant of its own."""
        self.key = self.broker.member_key(self._testMethodName.replace("_", "-")[-63:])
        self.member = self.broker.client(self.key)

    def begin(self, *arguments, **environment):
        return begin(self, [bin_dir() / "westerly-load", *arguments],
                     {**self.broker.cli_environment(self.key), **environment})

    def stalled(self, stall_s, *arguments):
        """Exit code and report of plans during which the broker stood still for so long."""
        before = self.answered("POST", "/v1/plans")
        running = self.begin("-o", "json", "--mix", "plan=1", "--rate", 50, *arguments)
        wait_for("the load has begun", lambda: self.answered("POST", "/v1/plans") > before + 20, step_s=0.02)
        os.kill(self.broker.pid, signal.SIGSTOP)
        try:
            time.sleep(stall_s)
        finally:
            os.kill(self.broker.pid, signal.SIGCONT)
        out, err = running.communicate(timeout=DEADLINE_S)
        self.assertTrue(out, err)
        return running.returncode, json.loads(out)

    def load(self, *arguments, code=0, **environment):
        process = self.begin(*arguments, **environment)
        out, err = process.communicate(timeout=DEADLINE_S)
        self.assertEqual(process.returncode, code, out + err)
        return out if code in (0, 1) else err

    def report(self, *arguments, **more):
        return json.loads(self.load("-o", "json", *arguments, **more))

    def answered(self, method, route):
        """How often the broker has answered so far, by its own count."""
        return answered(self.member, method, route)

    def test_submits_are_distinct_and_repeats_give_the_same(self):
        got = self.report("--mix", "submit=1", "--rate", "max", "--count", 40, "--duration-s", 60, "--connections", 4,
                          "--repeat-share", 0.5, "--seed", 7)
        self.assertEqual(got["errors"], {})
        self.assertEqual(got["answers"], 40)
        submits = got["requests"]["submit"]
        self.assertEqual(submits["answers"], 40)
        self.assertGreater(submits["repeats"], 0)
        made = list(self.member.items(f"/v1/workloads?label=load={got['run']}"))
        self.assertEqual(len(made), 40 - submits["repeats"])
        self.assertEqual(len({one["spec"]["name"] for one in made}), len(made))
        self.assertEqual(len({one["spec"]["labels"]["load-number"] for one in made}), len(made))

    def test_a_mix_at_a_rate_with_a_workload_of_ones_own(self):
        path = self.broker.home / "own.yaml"
        path.write_text("kind: batch\nname: own-work\nlabels: {team: a}\nvariants: [{command: ['true']}]\n")
        got = self.report("--mix", "submit=1,read=6,list=1,plan=2", "--rate", 50, "--duration-s", 2, "--seed", 1,
                          "--workload", path)
        self.assertEqual(got["errors"], {})
        self.assertEqual((got["sent"], got["answers"], got["unsent"]), (100, 100, 0))
        self.assertEqual(set(got["requests"]), {"submit", "read", "list", "plan"})
        self.assertEqual(sum(one["answers"] for one in got["requests"].values()), 100)
        for times in (got["latency_ms"], got["service_ms"]):
            self.assertLessEqual(0, times["p50"])
            self.assertEqual(sorted(times[q] for q in ("p50", "p90", "p99", "p99_9", "max")),
                             [times[q] for q in ("p50", "p90", "p99", "p99_9", "max")])
        made = next(iter(self.member.items(f"/v1/workloads?label=load={got['run']}&label=team=a")))
        self.assertTrue(made["spec"]["name"].startswith(f"own-work-{got['run']}-"), made["spec"]["name"])

    def test_a_broker_that_stalls_is_charged_with_all_that_it_delayed(self):
        code, got = self.stalled(STALL_S, "--duration-s", 6, "--connections", 2)
        self.assertEqual(code, 0, got)
        self.assertEqual(got["answers"], 300)
        # Twenty-five of 300 starts fell into the stall; three of them, p99, into its first eighth. Only two requests were
        # under way: from when they were sent, p99 would not see them. On a busy machine the stall begins late.
        self.assertGreaterEqual(got["latency_ms"]["p99"], 0.7 * STALL_S * 1000)
        self.assertGreaterEqual(got["latency_ms"]["max"], 0.8 * STALL_S * 1000)
        self.assertGreater(got["latency_ms"]["p99"], got["service_ms"]["p99"])

    def test_requests_that_time_out_are_counted_with_what_they_waited(self):
        code, got = self.stalled(3, "--duration-s", 4, "--timeout-s", 1)
        self.assertEqual(code, 1, got)
        self.assertGreater(got["errors"]["connection timed out"], 0)
        self.assertGreaterEqual(got["latency_ms"]["p99"], 950)

    def test_ctrl_c_ends_it_with_the_report_so_far(self):
        before = self.answered("GET", "/v1/workloads")
        running = self.begin("-o", "json", "--mix", "list=1", "--rate", 50, "--duration-s", 3000)
        wait_for("the load has begun", lambda: self.answered("GET", "/v1/workloads") > before + 10)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=DEADLINE_S)
        got = json.loads(out)
        self.assertTrue(got["interrupted"], out)
        self.assertGreater(got["answers"], 5)  # the broker's count has the list before the load, and what is on its way
        self.assertLess(got["seconds"], 3000)
        self.assertEqual(running.returncode, 0, err)

    def test_a_broker_that_goes_away_is_told_and_the_run_still_ends(self):
        with Broker(providers={}) as other:
            running = self.begin("-o", "json", "--mix", "list=1", "--rate", 100, "--duration-s", 3, "--connections", 4,
                                 **other.cli_environment())
            client = other.client()
            wait_for("the load has begun", lambda: answered(client, "GET", "/v1/workloads") > 20)
            other.kill()
            out, err = running.communicate(timeout=DEADLINE_S)
        self.assertEqual(running.returncode, 1, out + err)
        got = json.loads(out)
        self.assertGreaterEqual(got["seconds"], 2.9, "the rate is that of the whole run")
        errors = got["errors"]
        self.assertIn("no request lost: connection refused", errors)
        self.assertGreater(errors["never sent"], 0)

    def test_what_it_refuses(self):
        for arguments, environment, told in (
            ((), {"WESTERLY_URL": "https://192.0.2.1:8443"}, "--allow-remote"),
            ((), {"WESTERLY_KEY": ""}, "login"),
            ((), {"WESTERLY_KEY": "wk_" + "0" * 64}, "westerly login"),
            ((), {"WESTERLY_FINGERPRINT": ":".join(["00"] * 32)}, "certificate"),
            (("--key", self.key), {}, "--help"),
            (("--mix", "delete=1"), {}, "mix"),
            (("--mix", "read=1"), {}, "no workload to read"),
            (("--rate", "0"), {}, "max"),
            (("--duration-s", "86400"), {}, "duration"),
            (("--count", "99999999999"), {}, "count"),
            (("--connections", "100000"), {}, "connections"),
            (("--workload", "/nowhere"), {}, "/nowhere"),
        ):
            with self.subTest(arguments=arguments, environment=environment):
                process = self.begin(*arguments, **environment)
                out, err = process.communicate(timeout=DEADLINE_S)
                self.assertIn(process.returncode, (125, 126), out + err)
                self.assertIn(told, err)
                self.assertEqual(out, "")
        self.assertIn("WESTERLY_KEY", self.load("--help"))


if __name__ == "__main__":
    main()
