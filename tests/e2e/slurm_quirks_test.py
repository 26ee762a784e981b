"""The adapter against a real Slurm, one test for each way in which Slurm surprises.

Without a broker between, so that a crash can be put at a precise place. Each class has a laboratory of its own, and all
run at the same time, since most of the time is spent waiting for Slurm: `slurm_quirks_test.py BIN-DIR [TEST…]`.
"""

import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import broker as e2e
import slurm_lab
from adapter import OWNER, Adapter, RpcError, new_token
from broker import wait_for
from slurm_lab import API, Lab


class QuirksTest(unittest.TestCase):
    settings = {"min_job_age_s": 5, "node_timeout_s": 5, "max_minutes": 30}
    name = "alpha"

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(cls.name, **cls.settings).up()
        cls.addClassCleanup(cls.lab.down)
        cls.home = pathlib.Path(tempfile.mkdtemp(prefix="westerly-quirks-", dir="/tmp"))
        cls.addClassCleanup(shutil.rmtree, cls.home, ignore_errors=True)

    def setUp(self):
        self.adapter = self.new_adapter()
        self.addCleanup(self.show_log)

    def new_adapter(self, **config):
        self.tests = QuirksTest.tests = QuirksTest.tests + 1
        name = f"centre{self.tests}"  # so that the tests of a cluster do not see each other's jobs
        made = Adapter("slurm", self.lab.provider(**config), self.home / name, name)
        made.start()
        self.addCleanup(made.log.close)
        self.addCleanup(made.stop)
        self.addCleanup(self.lab.clear)
        return made

    tests = 0

    def show_log(self):
        if self._outcome.result.errors or self._outcome.result.failures:
            print(self.adapter.log_text()[-3000:], flush=True)

    def job_of(self, token):
        """The job of this token as Slurm shows it."""
        found = [job for job in self.lab.jobs() if job["name"] == token]
        return found[0] if found else None

    def wait_job(self, token, state):
        return wait_for(
            f"the job of {token} is {state}",
            lambda: (job := self.job_of(token)) and job["job_state"] == state and job,
        )

    def marks(self, token, name):
        """A file that the job wrote below the attempt's folder."""
        (folder,) = self.lab.shared.glob(f"*/attempts/{token}")
        return folder / name


class FormTest(QuirksTest):
    """What a job is given, and how its end is read."""

    def test_codes_and_signals_are_the_tasks_own(self):
        # 98 and 99 are in the site's lists of exit codes after which Slurm runs a job again, although ours forbids it.
        wanted = {
            "exit 0": {"exit_code": 0},
            "exit 7": {"exit_code": 7, "failed_rank": 0},
            "exit 98": {"exit_code": 98, "failed_rank": 0},
            "exit 99": {"exit_code": 99, "failed_rank": 0},
            "kill -SEGV $$": {"exit_signal": 11, "failed_rank": 0},
            "kill -KILL $$": {"exit_signal": 9, "failed_rank": 0},
        }
        tokens = {script: self.adapter.run(script) for script in wanted}
        for script, token in tokens.items():
            with self.subTest(script=script):
                seen = self.adapter.wait_phase(token, "exited")
                got = {key: seen[key] for key in ("exit_code", "exit_signal", "failed_rank") if key in seen}
                self.assertEqual(got, wanted[script], seen)
                self.assertNotIn("preempted", {key for key, value in seen.items() if value is True})
        token = new_token()
        self.adapter.launch(token, command=["/no/such/program"])
        self.assertEqual(self.adapter.wait_phase(token, "exited")["exit_code"], 127)
        self.assertIn("/no/such/program", self.adapter.logs(token, stream="stderr"))

    def test_times_are_slurms_own(self):
        token = self.adapter.run("sleep 1.3")
        seen = self.adapter.wait_phase(token, "exited")
        job = self.job_of(token)
        self.assertEqual(seen["started_at"], stamp(job["start_time"]))
        self.assertEqual(seen["ended_at"], stamp(job["end_time"]))

    def test_text_of_any_kind_reaches_the_task(self):
        value = "a b'c\"d $HOME `id` \\ \n ü 中 %j"
        token = new_token()
        self.adapter.launch(token, command=["printf", "%s|", "x y", "$Z", "'", "-n", value], env={"V": value})
        self.adapter.wait_phase(token, "exited")
        self.assertEqual(self.adapter.logs(token), "".join(f"{part}|" for part in ("x y", "$Z", "'", "-n", value)))
        token = self.adapter.run('printf %s "$V"', env={"V": value, "BIG": "x" * 100_000})
        self.adapter.wait_phase(token, "exited")
        self.assertEqual(self.adapter.logs(token), value)

    def test_a_variable_that_exec_would_refuse_is_refused_at_once(self):
        # Slurm takes 200 000 bytes, and then the job fails with exit code 7 before it begins.
        with self.assertRaisesRegex(RpcError, "the variable BIG"):
            self.adapter.launch(new_token(), env={"BIG": "ü" * 70_000})

    def test_gang_spans_nodes_and_starts_whole(self):
        script = 'echo "$WESTERLY_RANK/$WESTERLY_TASKS $SLURMD_NODENAME $WESTERLY_MASTER_ADDR:$WESTERLY_MASTER_PORT"'
        token = self.adapter.run(script, tasks=2, units=80, vcpus=40)
        self.assertEqual(self.adapter.wait_phase(token, "exited")["exit_code"], 0)
        said = [self.adapter.logs(token, rank=rank).split() for rank in range(2)]
        self.assertEqual([one[0] for one in said], ["0/2", "1/2"])
        self.assertEqual({one[1] for one in said}, {f"{self.name}-n1", f"{self.name}-n2"})
        self.assertEqual(said[0][2], said[1][2])

    def test_first_rank_that_fails_ends_the_others(self):
        script = 'trap "echo told; exit 0" TERM; [ "$WESTERLY_RANK" != 1 ] || { sleep 1; exit 5; }; sleep 100 & wait'
        token = self.adapter.run(script, tasks=3, units=3)
        seen = self.adapter.wait_phase(token, "exited")
        self.assertEqual((seen["exit_code"], seen["failed_rank"]), (5, 1), seen)
        self.assertEqual(self.adapter.logs(token, rank=2), "told\n")

    def test_cards_are_asked_for_by_gres(self):
        offers = wait_for(
            "the cluster is idle",
            lambda: (now := self.adapter.offers()) and now["gpu.gpu-a100.64c-256g"]["units_free"] == 8 and now,
        )
        self.assertEqual(offers["gpu.npu-ascend910b.64c-256g"]["units_free"], 16)
        self.assertEqual(offers["batch.64c-256g"]["units_free"], 128)
        # Four cards each, two tasks: a list of two numbers for nodes would be accepted and ignored.
        token = self.adapter.run("sleep 60", offer="gpu.npu-ascend910b.64c-256g", stack="cann", tasks=4, units=16)
        job = self.wait_job(token, "RUNNING")
        self.assertEqual((job["node_count"], job["tres_per_node"]), (2, "gres:npu:ascend910b:8"))
        self.adapter.wait_phase(token, "running")
        offers = self.adapter.offers()
        busy = offers["gpu.npu-ascend910b.64c-256g"]
        self.assertEqual((busy["units_free"], busy["units_ours"]), (0, 16))
        # A card comes with its share of cores: 62 of 64 are left on each node, and three times sixteen fit into that.
        self.assertEqual(offers["gpu.gpu-a100.64c-256g"]["units_free"], 6)
        self.adapter.cancel(token, 0)
        self.adapter.wait_phase(token, "exited")

    def test_what_slurm_can_never_run_is_refused(self):
        for what, expected in (
            ({"units": 65, "vcpus": 65}, "does not fit a node"),
            ({"max_runtime_s": 3600}, "ends work after 30 minutes"),
            ({"offer": "none"}, "no offer"),
            ({"run": {"stack": "cuda", "command": ["/bin/true"], "env": {}}}, "stack cuda"),
        ):
            with self.subTest(expected=expected):
                reply = self.adapter.launch(new_token(), **{"offer": "batch.64c-256g", **what})
                self.assertEqual((reply["outcome"], reply["why"]), ("not_done", "invalid"), reply)
                self.assertIn(expected, reply["message"])
        self.assertEqual([job for job in self.lab.jobs() if job["job_state"] == "PENDING"], [])

    def test_walltime_is_kept_to_the_second(self):
        # Slurm counts in minutes.
        token = self.adapter.run('trap "echo told; exit 4" TERM; sleep 100 & wait', max_runtime_s=2)
        seen = self.adapter.wait_phase(token, "exited", deadline_s=30)
        self.assertTrue(seen["timed_out"], seen)
        self.assertEqual(self.adapter.logs(token), "told\n")

    def test_cancel_of_what_waits_never_ran(self):
        blocker = self.lab.submit(self.lab.stranger, tasks=2, cpus_per_task=64, nodes="2-2", name="westerly-not")
        wait_for("the cluster is full", lambda: self.lab.job(blocker)["job_state"] == "RUNNING")
        token = self.adapter.run("echo ran")
        self.assertEqual(self.adapter.find(token)["phase"], "pending")
        self.assertEqual(self.adapter.cancel(token)["outcome"], "done")
        seen = self.adapter.wait_phase(token, "exited")
        # Slurm gives it the time of the cancel as start and end.
        self.assertNotIn("started_at", seen)
        self.assertNotIn("exit_code", seen)
        self.assertEqual(self.adapter.cancel(token)["outcome"], "done", "once more")
        self.assertEqual(self.lab.job(blocker)["job_state"], "RUNNING", "a stranger's job was touched")

    def test_cancel_gives_the_tenants_grace_not_the_sites(self):
        # KillWait of this site is 2 s.
        token = self.adapter.run('trap "sleep 4; echo saved; exit 0" TERM; sleep 100 & wait')
        self.adapter.wait_phase(token, "running")
        wait_for("it began", lambda: self.marks(token, "began").exists())
        self.adapter.cancel(token, grace_s=20)
        seen = self.adapter.wait_phase(token, "exited")
        self.assertEqual(seen["exit_code"], 0, seen)
        self.assertEqual(self.adapter.logs(token), "saved\n")
        deaf = self.adapter.run('trap "" TERM; while :; do sleep 0.1; done')
        wait_for("it began", lambda: self.marks(deaf, "began").exists())
        self.adapter.cancel(deaf, grace_s=1)
        self.assertEqual(self.adapter.wait_phase(deaf, "exited")["exit_signal"], 9)


class IdentityTest(QuirksTest):
    """Crashes, lost answers, and ids that change hands."""

    def test_launch_of_one_token_makes_one_job(self):
        token = new_token()
        first = self.adapter.launch(token, command=["sleep", "60"])
        again = self.adapter.launch(token, command=["sleep", "60"])
        self.adapter.kill()
        self.adapter.start()
        third = self.adapter.launch(token, command=["sleep", "60"])
        self.assertEqual([one["handle"] for one in (first, again, third)], [first["handle"]] * 3)
        self.assertEqual(len([job for job in self.lab.jobs() if job["name"] == token]), 1)
        with self.assertRaises(RpcError) as refused:
            self.adapter.launch(token, command=["sleep", "60"], fence=0)
        self.assertEqual(refused.exception.kind, "unauthorised")
        self.adapter.cancel(token, 0)

    def test_kill_in_the_middle_of_launches_loses_and_doubles_nothing(self):
        tokens = [new_token() for _ in range(12)]
        for round_number in range(6):
            for token in tokens[2 * round_number : 2 * round_number + 2]:
                self.adapter.begin("launch", **self.adapter.request(token, command=["sh", "-c", "echo ran"]))
            time.sleep(0.08 * round_number)
            self.adapter.kill()
            self.adapter.start()
        ran = 0
        for token in tokens:
            # The broker asks until it knows; what is proved absent it would launch under another token.
            seen = self.adapter.wait_phase(token, "exited", "absent")
            if seen["phase"] == "exited":
                ran += 1
                self.assertEqual(self.adapter.logs(token), "ran\n")
        left = [job for job in self.lab.jobs() if job["name"] in tokens and job["job_state"] == "PENDING"]
        self.assertEqual(left, [])
        print(f"{ran} of {len(tokens)} had been submitted when the adapter was killed", flush=True)

    def held_job(self, token, **fields):
        """As a launch leaves it that is cut off between submit and record."""
        return self.lab.submit(
            name=token, comment=f"westerly owner={OWNER} provider={self.adapter.name} attempt=x workload=y name=z", hold=True, **fields
        )

    def test_held_job_without_a_record_is_adopted_and_a_second_one_ended(self):
        token = new_token()
        self.adapter.kill()
        request = self.adapter.request(token, command=["sh", "-c", "echo ran"])
        # The state directory of an adapter that was killed after its submit: the intent, no job.
        record = {"token": token, "workload": request["workload"], "site": self.name, "offer": request["offer"],
                  "tasks": 1, "units": 1, "fence": 1, "intended_at": stamp(time.time())}
        (self.adapter.state_dir / "attempts" / token).write_text(json.dumps(record))
        first, second = self.held_job(token), self.held_job(token)
        self.adapter.start()
        seen = self.adapter.find(token)
        self.assertEqual(seen["phase"], "pending", seen)
        self.assertIn(int(seen["handle"].split("/")[1]), (first, second))
        other = ({first, second} - {int(seen["handle"].split("/")[1])}).pop()
        self.adapter.call("list", owner=OWNER, cursor="")
        self.assertEqual(self.lab.job(other)["job_state"], "CANCELLED")

    def test_strangers_jobs_of_similar_names_are_left_alone(self):
        ours = self.adapter.run("sleep 60")
        job = self.job_of(ours)
        theirs = [
            self.lab.submit(self.lab.stranger, name=ours, comment=job["comment"]),  # another user
            self.lab.submit(name=ours, comment=job["comment"].replace(OWNER, OWNER[:-2] + "bb")),
            self.lab.submit(name=ours, comment=job["comment"].replace(f"provider={self.adapter.name} ", "provider=other ")),
            self.lab.submit(name=ours),
            self.lab.submit(name=ours[:-1], comment=job["comment"]),
        ]
        listed = self.adapter.call("list", owner=OWNER, cursor="")
        self.assertEqual([one["handle"] for one in listed["items"] if one["token"] == ours], [f"{self.name}/{job['job_id']}"])
        self.adapter.cancel(ours, 0)
        self.adapter.wait_phase(ours, "exited")
        for ident in theirs:
            self.assertIn(self.lab.job(ident)["job_state"], ("RUNNING", "PENDING"))

    def test_scratch_of_a_killed_job_is_removed_by_the_next(self):
        scratch = self.lab.dir / "scratch"
        scratch.mkdir()
        scratch.chmod(0o1777)
        (scratch / "westerly-of.somebody.else-12345678").mkdir()
        self.adapter = self.new_adapter(scratch_directory=str(scratch))
        alive, killed = self.adapter.run("sleep 90"), self.adapter.run("sleep 91")
        for token in (alive, killed):
            self.adapter.wait_phase(token, "running")
        wait_for("both have a scratch directory", lambda: len(list(scratch.iterdir())) == 3)
        slurm_lab.end_processes(slurm_lab.job_processes(self.lab, self.job_of(killed)["job_id"]))
        self.assertEqual(len(list(scratch.iterdir())), 3)
        token = self.adapter.run("pwd; ls -A")
        self.adapter.wait_phase(token, "exited")
        self.assertTrue(self.adapter.logs(token).startswith(f"{scratch}/westerly-"))
        self.assertEqual(len(self.adapter.logs(token).splitlines()), 1, "the directory is not empty")
        self.assertEqual(len(list(scratch.iterdir())), 2, "of the living job, and of somebody else")
        self.adapter.cancel(alive, 0)

    def test_job_that_the_centre_cancels_was_taken_away(self):
        running = self.adapter.run("echo run; sleep 60")
        self.adapter.wait_phase(running, "running")
        wait_for("it wrote", lambda: self.adapter.logs(running))
        blocker = self.lab.submit(self.lab.stranger, tasks=2, cpus_per_task=63, nodes="2-2")
        wait_for("the cluster is full", lambda: self.lab.job(blocker)["job_state"] == "RUNNING")
        waiting = self.adapter.run("echo run", units=64, vcpus=64)
        for token in (running, waiting):
            done = self.lab.command("scancel", str(self.job_of(token)["job_id"]))
            self.assertEqual(done.returncode, 0, done.stderr)
            seen = self.adapter.wait_phase(token, "exited")
            self.assertTrue(seen["preempted"], seen)
        # Should a node be told to start it after all, it finds the gate shut.
        self.assertTrue(self.marks(waiting, "gate").is_dir())
        self.assertFalse(self.marks(waiting, "began").exists())

    def test_second_run_of_a_requeued_job_ends_itself(self):
        token = self.adapter.run("echo run; sleep 60")
        self.adapter.wait_phase(token, "running")
        wait_for("it wrote", lambda: self.adapter.logs(token))
        job = self.job_of(token)
        self.lab.command("scontrol", "update", f"job={job['job_id']}", "Requeue=1")
        done = self.lab.command("scontrol", "requeue", str(job["job_id"]))
        self.assertEqual(done.returncode, 0, done.stderr)
        seen = self.adapter.wait_phase(token, "exited")
        self.assertTrue(seen["preempted"], seen)
        self.assertEqual(seen["started_at"], stamp(job["start_time"]))
        self.assertEqual(self.adapter.logs(token), "run\n", "it ran twice")


class ForgettingTest(QuirksTest):
    """A controller that is killed forgets what it acknowledged."""

    name = "gamma"

    def forgotten_job(self, script):
        """(token, job id) of a job that was launched and then forgotten with the controller's state."""
        for _ in range(6):
            # slurmctld saves at a change, but not within 5 s of the last time: what comes right after a save is lost.
            time.sleep(6)
            self.lab.submit(hold=True)
            time.sleep(0.5)
            token = self.adapter.run(script)
            ident = int(self.adapter.find(token)["handle"].split("/")[1])
            if script.startswith("for"):
                wait_for("it writes", lambda token=token: self.adapter.logs(token))
            self.lab.kill("slurmctld")
            self.lab.up()
            if self.lab.job(ident) is None:
                return token, ident
            self.adapter.cancel(token, 0)  # saved in time, by chance or on a slow machine
        self.fail("the controller forgot nothing in six tries")

    def test_acknowledged_job_that_the_controller_forgot_is_proved_absent(self):
        # Held up by a full cluster, so that it is released and does not run.
        blocker = self.lab.submit(self.lab.stranger, tasks=2, cpus_per_task=64, nodes="2-2")
        wait_for("the cluster is full", lambda: self.lab.job(blocker)["job_state"] == "RUNNING")
        token, ident = self.forgotten_job("echo ran")
        while (again := self.lab.submit(name="somebody-else", hold=True)) < ident:
            pass
        self.assertEqual(again, ident, "the id was to be given to another job")
        seen = self.adapter.wait_phase(token, "absent", "exited")
        self.assertEqual(seen["phase"], "absent", seen)
        # It can never run: whatever comes back finds the gate shut.
        self.assertTrue(self.marks(token, "gate").is_dir())
        self.assertEqual(self.lab.job(ident)["name"], "somebody-else")

    def test_start_that_the_controller_forgot(self):
        # Its state is put back to when the job waited for a full cluster.
        blocker = self.lab.submit(self.lab.stranger, tasks=2, cpus_per_task=64, nodes="2-2")
        wait_for("the cluster is full", lambda: self.lab.job(blocker)["job_state"] == "RUNNING")
        token = self.adapter.run("echo run; sleep 60")
        ident = self.job_of(token)["job_id"]
        self.lab.wait_saved()
        saved = self.lab.dir / "state" / "job_state"
        then = saved.read_bytes()
        self.lab.command("scancel", str(blocker))
        self.adapter.wait_phase(token, "running")
        wait_for("it writes", lambda: self.adapter.logs(token))
        self.lab.kill("slurmctld")
        saved.write_bytes(then)
        self.lab.up()
        seen = self.adapter.wait_phase(token, "exited", "absent", deadline_s=120)
        self.assertTrue(seen["phase"] == "absent" or seen["preempted"], seen)
        job = self.lab.job(ident)  # gone meanwhile, or
        self.assertTrue(job is None or job["job_state"] == "CANCELLED", job)
        self.assertEqual(self.adapter.logs(token), "run\n", "it ran twice")

    def forgotten_end(self, before_the_end):
        """(token, job id) of a job that has ended and that the controller believes to run: its state is put back, which
        is what a kill between the end and the next save does."""
        token = self.adapter.run("sleep 8; exit 3")
        ident = self.job_of(token)["job_id"]
        self.adapter.wait_phase(token, "running")
        self.lab.wait_saved()
        saved = self.lab.dir / "state" / "job_state"
        then = saved.read_bytes()
        before_the_end()
        wait_for("it ended", lambda: self.lab.job(ident)["job_state"] == "FAILED")
        seen = self.adapter.find(token) if self.adapter.process else None
        self.lab.kill("slurmctld")
        saved.write_bytes(then)
        self.lab.up()
        self.assertEqual(self.lab.job(ident)["job_state"], "RUNNING", "the state was not put back")
        return token, ident, seen

    def test_end_that_the_controller_forgot_after_it_was_seen_is_told_to_it(self):
        token, ident, seen = self.forgotten_end(lambda: None)
        self.assertEqual(seen["phase"], "exited", seen)
        self.adapter.call("list", owner=OWNER, cursor="")
        wait_for("Slurm knows", lambda: self.lab.job(ident)["job_state"] == "CANCELLED")
        # What was told once stays.
        again = self.adapter.find(token)
        self.assertEqual({**again, "seq": 0}, {**seen, "seq": 0})

    def test_end_that_the_controller_forgot_is_told_to_it(self):
        token, ident, _ = self.forgotten_end(self.adapter.kill)  # or it would see the end
        self.adapter.start()
        seen = self.adapter.wait_phase(token, "exited", deadline_s=120)
        self.assertEqual(seen["exit_code"], 3, seen)
        job = self.lab.job(ident)
        self.assertEqual((seen["started_at"], seen["ended_at"]), (stamp(job["start_time"]), stamp(job["end_time"])))

    def test_run_that_the_controller_forgot_is_stopped_before_it_is_given_up(self):
        token, _ = self.forgotten_job("for i in $(seq 600); do date +%s; sleep 0.2; done")
        seen = self.adapter.wait_phase(token, "absent", "exited")
        ended = time.time()
        last = int(self.adapter.logs(token).split()[-1])
        self.assertLess(last, ended, "it still runs")
        self.assertTrue(self.marks(token, "ended").exists() or self.marks(token, "control/stop").exists())
        print(f"told as {seen['phase']} {ended - last:.0f} s after its last line", flush=True)

    def test_ended_and_purged_job_is_told_from_its_own_record(self):
        token = self.adapter.run("sleep 1; exit 6")
        job = self.wait_job(token, "RUNNING")
        self.adapter.kill()
        wait_for("Slurm has forgotten it", lambda: self.lab.job(job["job_id"]) is None)
        self.adapter.start()
        seen = self.adapter.find(token)
        self.assertEqual((seen["phase"], seen["exit_code"]), ("exited", 6), seen)
        # Its own clock starts when its script does, a little after Slurm's.
        self.assertIn(parse(seen["started_at"]) - job["start_time"], range(0, 30))


class OutageTest(QuirksTest):
    """Nodes, controllers and tokens that end."""

    name = "delta"

    def test_node_failure_takes_the_run_away(self):
        token = self.adapter.run("sleep 300")
        self.adapter.wait_phase(token, "running")
        job = self.job_of(token)
        node = job["nodes"]
        keepers = slurm_lab.job_processes(self.lab, job["job_id"])
        self.lab.kill(node)
        slurm_lab.end_processes(keepers)
        try:
            seen = self.adapter.wait_phase(token, "exited", deadline_s=120)
        finally:
            self.lab.up()
        self.assertTrue(seen["preempted"], seen)
        self.assertIn("NODE_FAIL", seen["message"])
        self.assertEqual(seen["started_at"], stamp(job["start_time"]))

    def test_dead_controller_and_bad_token_prove_nothing(self):
        token = self.adapter.run("sleep 30")
        self.adapter.wait_phase(token, "running")
        (self.home / "token").write_text("SLURM_JWT=" + self.lab.token(self.lab.stranger))
        config = dict(self.adapter.provider["config"], token={"file": str(self.home / "token")})
        config.pop("signing_key")
        self.adapter.stop()
        self.adapter.provider["config"], good = config, self.adapter.provider["config"]
        self.adapter.start()
        with self.assertRaises(RpcError) as refused:
            self.adapter.find(token)
        self.assertEqual(refused.exception.kind, "unavailable")
        self.adapter.stop()
        self.adapter.provider["config"] = good
        self.adapter.start()
        self.lab.kill("slurmctld")
        # At once, because slurmrestd takes its time to say nothing.
        asked = [self.adapter.begin("find", token=token), self.adapter.begin("get", tokens=[token]),
                 self.adapter.begin("list", owner=OWNER, cursor="")]
        with self.assertRaises(RpcError) as refused:
            self.adapter.answer(asked[0])
        self.assertEqual(refused.exception.kind, "unavailable")
        self.assertEqual(self.adapter.answer(asked[1])["items"], [])
        self.assertFalse(self.adapter.answer(asked[2])["complete"])
        self.lab.up()
        wait_for("it is seen again", lambda: self.adapter.look(token))
        self.adapter.cancel(token, 0)

    def test_token_is_renewed_before_it_ends_and_refused_after(self):
        source = self.home / "token"
        ended = self.lab.token(lifespan_s=1)
        # So near its end a token is read again at every use.
        source.write_text(self.lab.token(lifespan_s=50))
        config = dict(self.lab.provider()["config"], token={"file": str(source)})
        config.pop("signing_key")
        self.adapter.stop()
        self.adapter.provider["config"] = config
        self.adapter.start()
        token = self.adapter.run("sleep 60")
        time.sleep(1)
        source.write_text(ended)
        reply = self.adapter.launch(new_token())
        # Its end is known here, so nothing was sent: that is a proof.
        self.assertEqual(reply["outcome"], "not_done", reply)
        self.assertIn("ended at", reply["message"])
        self.assertIn("ended at", self.adapter.call("probe")["message"])
        source.write_text(self.lab.token())
        self.assertIn(self.adapter.find(token)["phase"], ("pending", "running"))
        self.adapter.cancel(token, 0)


class AccountingTest(QuirksTest):
    """With slurmdbd, which remembers what slurmctld has purged."""

    name = "beta"
    settings = {"min_job_age_s": 5, "accounting": "yes"}

    def test_purged_job_is_told_by_slurmdbd_to_the_second(self):
        token = self.adapter.run("sleep 2; exit 5")
        job = self.wait_job(token, "RUNNING")
        self.adapter.kill()
        ended = wait_for("it ended", lambda: (one := self.lab.job(job["job_id"])) and one["job_state"] == "FAILED" and one)
        wait_for("Slurm has forgotten it", lambda: self.lab.job(job["job_id"]) is None)
        self.adapter.start()
        seen = self.adapter.find(token)
        # slurmdbd of 22.05 shows exit code 0 for it; the job's own record says 5.
        self.assertEqual((seen["phase"], seen["exit_code"]), ("exited", 5), seen)
        self.assertEqual(seen["started_at"], stamp(ended["start_time"]))
        self.assertEqual(seen["ended_at"], stamp(ended["end_time"]))

    def test_account_that_is_not_ours_is_refused(self):
        self.adapter.stop()
        self.adapter.provider["config"]["account"] = "nobodys"
        self.adapter.start()
        reply = self.adapter.launch(new_token())
        self.assertEqual((reply["outcome"], reply["why"]), ("not_done", "unauthorised"), reply)


def stamp(at_s):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(at_s))


def parse(text):
    import calendar

    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))


def run_all_at_once():
    """Each class in a process of its own; its output when it has ended. The exit code of the whole."""
    classes = ("FormTest", "IdentityTest", "ForgettingTest", "OutageTest", "AccountingTest")
    started = [
        subprocess.Popen([sys.executable, "-u", *sys.argv, name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for name in classes
    ]

    def end_them():
        for one in started:
            if one.poll() is None:
                one.terminate()  # each ends its own laboratory
                one.wait()

    e2e.also_at_end.append(end_them)
    signal.signal(signal.SIGTERM, e2e.end_at_once)
    for name, one in zip(classes, started):
        print(f"== {name}", flush=True)
        print(one.communicate()[0].decode(errors="replace"), flush=True)
    return max(one.returncode != 0 for one in started)


if __name__ == "__main__":
    slurm_lab.needed_or_skip()
    if len(sys.argv) <= 2:
        sys.exit(run_all_at_once())
    e2e.main()
