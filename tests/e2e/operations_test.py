"""What an operator does to a broker: backup, restore, reload, certificates, a full disk, wrong starts, upkeep."""

import hashlib
import http.client
import os
import pathlib
import re
import shutil
import socket
import sqlite3
import ssl
import subprocess
import time
import unittest
import urllib.parse

import broker as e2e
from broker import Broker, bin_dir, demo_provider, wait_end, wait_for, wait_state, workload


def sites():
    return {"west": {**demo_provider("west"), "offers_refresh_s": 1, "poll_s": 1}}


def sleeper(seconds, name="sleeper"):
    return workload(name=name, variants=[{"command": ["sleep", str(seconds)]}])


def daemon(*arguments):
    """Runs westerlyd to its end: for starts that must refuse, and for what it does without serving."""
    return subprocess.run(
        [str(bin_dir() / "westerlyd"), *map(str, arguments)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=e2e.DEADLINE_S, check=False,
    )


def fingerprint_at(port):
    """The certificate that a new connection gets, as sixteen-bit hex pairs without colons."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plain:
        with context.wrap_socket(plain) as secure:
            return hashlib.sha256(secure.getpeercert(binary_form=True)).hexdigest()


def make_certificate(folder, name):
    """A self-signed certificate and its key, by openssl."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )
    return certificate, key


class OperationsTest(unittest.TestCase):
    def start(self, **how):
        how.setdefault("providers", sites())
        broker = Broker(**how)
        self.addCleanup(broker.close)
        return broker.start()

    def refused(self, got, *parts):
        """It ended with an error that says these parts, and a remedy on a line of its own."""
        self.assertNotEqual(got.returncode, 0, got.stdout)
        self.assertGreater(got.returncode, 0, f"ended by a signal: {got}")
        for part in parts:
            self.assertIn(part, got.stderr)
        self.assertRegex(got.stderr, r"(?m)^  \S|\S - \S")

    def submit(self, client, body, status=201):
        made = client.request("POST", "/v1/workloads", body)
        self.assertEqual(made.status, status, made.body)
        return made.json["id"]

    # Backup and restore

    def test_restored_backup_kills_nothing(self):
        broker = self.start()
        broker.wait_offers("west")
        key = broker.member_key("vision")
        member = broker.client(key)
        before = self.submit(member, workload(name="before"))
        wait_end(member, before)
        made = broker.cli("-o", "json", "backup")
        self.assertEqual(made.returncode, 0, made.stderr)
        backup = re.search(r'"path": "([^"]+)"', made.stdout).group(1)
        self.assertEqual(os.stat(backup).st_mode & 0o077, 0, "others may read the backup")

        ident = self.submit(member, sleeper(600))
        wait_state(member, ident, "active")
        token = next(member.items(f"/v1/workloads/{ident}/attempts"))["launch_token"]
        refused = daemon("--home", broker.home, "--restore", backup)
        self.refused(refused, "another westerlyd")
        self.assertEqual(broker.stop(), 0)

        restored = daemon("--home", broker.home, "--restore", backup)
        self.assertEqual(restored.returncode, 0, restored.stderr)
        self.assertIn("westerly sweep --confirm", restored.stdout)
        broker.start()
        member = broker.client(key)
        self.assertEqual(member.request("GET", f"/v1/workloads/{before}").json["state"], "succeeded")
        self.assertEqual(member.request("GET", f"/v1/workloads/{ident}").status, 404)

        def listed():
            got = broker.cli("orphans")
            return got.stdout if token in got.stdout else None

        self.assertIn("west", wait_for("the unknown work is listed", listed))
        self.assertTrue(broker.log_lines("sweep.off"), "the start does not say that sweeping is off")
        self.assertTrue(self.runs(broker, token), "the restored broker ended work")
        # A member learns nothing of it.
        self.assertEqual(member.request("GET", "/v1/orphans").status, 403)

        unsure = broker.cli("sweep")
        self.assertEqual(unsure.returncode, 126)
        self.assertIn("westerly sweep --confirm", unsure.stderr)
        self.assertEqual(broker.cli("sweep", "--confirm").returncode, 0)
        # It is ended only when it was unknown for two minutes: right after the confirmation it still runs.
        self.assertTrue(self.runs(broker, token))
        # New work is taken as ever.
        wait_end(member, self.submit(member, workload(name="after")))

    @staticmethod
    def runs(broker, token):
        folder = broker.home / "adapters" / "west" / "attempts" / token / "tasks" / "0"
        return folder.is_dir() and not (folder / "ended").exists()

    def test_database_on_another_machine_sweeps_nothing(self):
        broker = self.start()
        self.assertEqual(broker.stop(), 0)
        with sqlite3.connect(broker.home / "westerly.db") as database:
            database.execute("UPDATE installation SET machine_id = 'another machine', sweeping = 1")
        database.close()
        broker.start()
        self.assertTrue(broker.log_lines("sweep.off"))
        # Confirmed once, it stays confirmed.
        self.assertEqual(broker.cli("sweep", "--confirm").returncode, 0)
        broker.log.write_bytes(b"")
        broker.restart()
        self.assertEqual(broker.log_lines("sweep.off"), [])

    def test_restore_refuses_what_is_no_backup(self):
        broker = self.start()
        broker.stop()
        bad = broker.home / "bad.db"
        bad.write_bytes(b"not a database" * 100)
        kept = (broker.home / "westerly.db").read_bytes()
        for path, words in ((bad, "bad.db"), (broker.home / "none.db", "does not exist")):
            self.refused(daemon("--home", broker.home, "--restore", path), words)
        self.assertEqual(kept, (broker.home / "westerly.db").read_bytes())

    # Starts that must refuse

    def test_port_in_use_is_refused_and_the_key_is_kept(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            broker = Broker(providers=sites())
            self.addCleanup(broker.close)
            got = daemon("--home", broker.home, "--port", port)
        self.refused(got, f"127.0.0.1:{port} is in use", "another port")
        key = re.search(r"operator key \(shown once\): (\S+)", got.stdout)
        self.assertTrue(key, "the first key was made and not shown")
        broker.start()
        self.assertEqual(broker.client(key.group(1)).request("GET", "/v1/whoami").json["role"], "operator")

    def test_second_westerlyd_on_the_same_home_is_refused(self):
        broker = self.start()
        for arguments in (["--port", "0"], ["--new-operator-key"]):
            self.refused(daemon("--home", broker.home, *arguments), "another westerlyd", "--home")
        self.assertEqual(broker.client().request("GET", "/v1/whoami").status, 200)

    def test_newer_database_is_refused(self):
        broker = self.start()
        broker.stop()
        with sqlite3.connect(broker.home / "westerly.db") as database:
            database.execute("INSERT INTO migrations VALUES (1007, '1007_from_the_future', 1006)")
            database.execute("PRAGMA user_version = 1007")
        database.close()
        newest = max(int(one.name[:4]) for one in (e2e.ROOT / "schema" / "sql").glob("*.sql"))
        self.refused(daemon("--home", broker.home, "--port", "0"), "schema 1007", f"up to {newest};", "newer westerlyd")

    def test_database_of_another_program_is_refused(self):
        broker = Broker(providers=sites())
        self.addCleanup(broker.close)
        with sqlite3.connect(broker.home / "westerly.db") as database:
            database.execute("CREATE TABLE theirs (x)")
        database.close()
        self.refused(daemon("--home", broker.home, "--port", "0"), "another program")

    def test_lost_operator_key_is_replaced(self):
        broker = self.start()
        broker.stop()
        got = daemon("--home", broker.home, "--new-operator-key")
        self.assertEqual(got.returncode, 0, got.stderr)
        fresh = re.fullmatch(r"operator key \(shown once\): (wk_[0-9a-f]{64})\n", got.stdout)
        self.assertTrue(fresh, got.stdout)
        broker.start()
        for key in (fresh.group(1), broker.operator_key):
            self.assertEqual(broker.client(key).request("GET", "/v1/whoami").json["role"], "operator")
        for file in broker.home.glob("westerly.db*"):
            self.assertNotIn(fresh.group(1).encode(), file.read_bytes(), "the key itself is stored")

    # Configuration

    def test_check_config_names_file_line_and_column(self):
        broker = Broker(providers=sites(), policies={"thrifty": '{"description": "Cost only."}'})
        self.addCleanup(broker.close)
        (broker.home / "providers" / "spare.yaml").write_text("kind: local\n")
        sound = daemon("--home", broker.home, "--check-config")
        self.assertIn("spare.yaml is not read", sound.stdout)
        self.assertIn("no settings file", sound.stdout)
        self.assertEqual(sound.returncode, 0, sound.stderr)
        self.assertIn("policy thrifty", sound.stdout)
        self.assertIn("provider west", sound.stdout)

        broker.write_provider("broken", '{\n  "kind": "local",\n  "colour": "red"\n}')
        broker.write_policy("wrong", '{\n  "description": "x",\n  "prices": 7\n}')
        broker.write_policy("torn", '{\n  "description": "x"\n  "prices": {}\n}')
        got = daemon("--home", broker.home, "--check-config")
        self.refused(got)
        for file, line, word in (("broken.json", 3, "colour"), ("wrong.json", 3, "prices"), ("torn.json", 3, "")):
            told = [one for one in got.stderr.splitlines() if file in one and f"line {line}, column" in one]
            self.assertTrue(any(word in one for one in told), f"{file}:\n{got.stderr}")
        self.assertFalse((broker.home / "westerly.db").exists(), "--check-config started something")
        self.refused(daemon("--home", broker.home, "--port", "0"), "broken.json")

    def test_check_config_tries_what_it_names(self):
        broker = Broker(providers=sites())
        self.addCleanup(broker.close)
        broker.write_provider("far", {**demo_provider("east"), "adapter_command": ["/nowhere/adapter", "--x"]})
        broker.write_provider("near", {**demo_provider("west"), "adapter_command": ["sleep", "1"]})
        got = daemon("--home", broker.home, "--check-config")
        self.assertEqual(got.returncode, 0, got.stderr)
        self.assertEqual([line for line in got.stdout.splitlines() if "warning: there is no program" in line],
                         ["  warning: there is no program /nowhere/adapter; install it, or name another one in "
                          "adapter_command"])
        paper = broker.home / "paper.pem"
        paper.write_text("not a certificate")
        self.refused(daemon("--home", broker.home, "--check-config", "--tls-certificate", paper,
                            "--tls-private-key", paper), "paper.pem")

    def test_reload_reads_providers_anew(self):
        broker = self.start()
        broker.wait_offers("west")
        east = {**demo_provider("east"), "offers_refresh_s": 1}
        broker.write_provider("east", east)
        broker.reload()
        broker.wait_offers("west", "east")

        # One bad file, and nothing changes.
        broker.write_provider("east", "{")
        broker.write_provider("north", east)
        broker.reload()
        wait_for("the fault is logged", lambda: [e for e in broker.log_lines("config.refused") if "east" in e["where"]])
        self.assertEqual(sorted(p["id"] for p in broker.client().items("/v1/providers")), ["east", "west"])

        # Taken away, it is gone; what stays, stays.
        for name in ("east", "north"):
            (broker.home / "providers" / f"{name}.json").unlink()
        broker.reload()
        wait_for("the east is gone", lambda: {o["provider"] for o in broker.client().items("/v1/offers")} == {"west"})

    def test_cordoned_provider_gets_no_new_work(self):
        broker = self.start()
        broker.wait_offers("west")
        member = broker.member("vision")
        self.assertEqual(broker.cli("providers", "cordon", "west").returncode, 0)
        ident = self.submit(member, workload())
        waiting = wait_for(
            "the reason is told", lambda: member.request("GET", f"/v1/workloads/{ident}").json.get("waiting")
        )
        self.assertTrue(waiting[0]["detail"])
        self.assertEqual(broker.cli("providers", "uncordon", "west").returncode, 0)
        self.assertEqual(wait_end(member, ident)["state"], "succeeded")

    def test_cordon_in_the_file_counts_at_reload_and_restart(self):
        broker = self.start()
        broker.wait_offers("west")
        broker.write_provider("west", {**sites()["west"], "cordoned": True})
        broker.reload()
        wait_for("it is cordoned", lambda: "cordoned" in broker.cli("providers").stdout)
        key = broker.member_key("vision")
        ident = self.submit(broker.client(key), workload())
        broker.restart()
        wait_for("it is cordoned again", lambda: "cordoned" in broker.cli("providers").stdout)
        broker.wait_offers("west")
        self.assertEqual(broker.client(key).request("GET", f"/v1/workloads/{ident}").json["state"], "queued")
        broker.write_provider("west", sites()["west"])
        broker.reload()
        self.assertEqual(wait_end(broker.client(key), ident)["state"], "succeeded")

    def test_missing_adapter_downs_its_provider_only(self):
        strange = {**demo_provider("east"), "kind": "moonbase"}
        broker = self.start(providers={**sites(), "moon": strange})
        broker.wait_offers("west")

        def down():
            (one,) = [p for p in broker.client().items("/v1/providers") if p["id"] == "moon"]
            return one["health"].get("message") and one["health"]["state"] != "ready" and one["health"]

        health = wait_for("the provider without adapter is down", down)
        self.assertIn("westerly-adapter-moonbase", health["message"])
        member = broker.member("vision")
        self.assertEqual(wait_end(member, self.submit(member, workload()))["state"], "succeeded")

    # Certificates

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
    def test_given_certificates_are_used_and_reloaded(self):
        broker = Broker(providers=sites())
        self.addCleanup(broker.close)
        certificate, key = make_certificate(broker.home, "first")
        broker.arguments += ["--tls-certificate", str(certificate), "--tls-private-key", str(key)]
        broker.start()
        first = fingerprint_at(broker.port)
        self.assertEqual(first, broker.fingerprint.replace(":", "").lower())
        self.assertFalse((broker.home / "tls" / "cert.pem").exists())
        trusted = e2e.Contract(broker.port, ca_file=str(certificate), key=broker.operator_key)
        self.assertEqual(trusted.request("GET", "/v1/whoami").status, 200)

        # Halves that do not belong together change nothing.
        second, second_key = make_certificate(broker.home, "second")
        os.replace(second, certificate)
        broker.reload()
        wait_for("the fault is logged", lambda: broker.log_lines("certificate.refused"))
        self.assertEqual(fingerprint_at(broker.port), first)

        os.replace(second_key, key)
        broker.reload()
        wait_for("new connections get the new certificate", lambda: fingerprint_at(broker.port) != first)
        # A connection from before goes on.
        self.assertEqual(trusted.request("GET", "/v1/whoami").status, 200)
        trusted.close()

    def test_missing_certificate_is_refused(self):
        broker = Broker(providers=sites())
        self.addCleanup(broker.close)
        self.refused(daemon("--home", broker.home, "--port", "0", "--tls-certificate", "/nowhere.pem"), "together")

    # Health

    def test_health_readiness_and_metrics(self):
        broker = self.start()
        nobody = broker.client("")
        self.assertEqual(nobody.request("GET", "/healthz").status, 200)
        self.assertEqual(nobody.request("GET", "/readyz").status, 200)
        member = broker.member("vision")
        broker.wait_offers("west")
        wait_end(member, self.submit(member, workload()))
        text = broker.client().request("GET", "/metrics").body.decode()
        for line in text.splitlines():
            self.assertRegex(line, r'^(#.*|[a-z_:][a-z0-9_:]*(\{.*\})? (-?[0-9][0-9.e+-]*|[+-]?Inf|NaN))$')
        self.assertRegex(text, r"(?m)^westerly_\S+ [0-9]")
        for secret in (broker.operator_key, member.key):
            self.assertNotIn(secret, text + broker.log_text())

    # A full disk

    def test_full_disk_loses_nothing_acknowledged(self):
        place = Broker(providers=sites())
        self.addCleanup(place.close)
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=24m,mode=711", "tmpfs", str(place.home)], capture_output=True, text=True,
            check=False,
        ) if os.geteuid() == 0 else None
        if mounted is None or mounted.returncode != 0:
            self.skipTest("a full disk needs the right to mount a tmpfs: run as root with CAP_SYS_ADMIN")
        # Cleanups run last first: before the home is removed, it is unmounted.
        self.addCleanup(subprocess.run, ["umount", "-l", str(place.home)], check=False)
        self.addCleanup(place.stop)
        for folder in ("providers", "policies"):
            (place.home / folder).mkdir()
        # Nothing runs: each submit waits, so that the database alone grows.
        place.write_provider("west", {**sites()["west"], "kind": "moonbase"})
        place.start()
        member = place.member("vision")
        filler = place.home / "filler"
        with open(filler, "wb", buffering=0) as out:  # what did not fit is not tried again when it is closed
            try:
                while True:
                    out.write(b"x" * 65536)
            except OSError:
                pass
        os.truncate(filler, filler.stat().st_size - (1 << 20))  # room for some submits

        acknowledged, refusal = [], None
        label = "y" * 60
        for i in range(20000):
            body = workload(name=f"full-{i}", labels={f"l{n}": label for n in range(16)})
            try:
                answer = member.request("POST", "/v1/workloads", body, {"Idempotency-Key": f"full-{i}"})
            except (OSError, http.client.HTTPException):
                break
            if answer.status != 201:
                refusal = answer
                break
            acknowledged.append(answer.json["id"])
        self.assertTrue(acknowledged)
        wait_for("westerlyd ends by itself", lambda: place.process.poll() is not None)
        self.assertEqual(place.process.poll(), 1)
        if refusal is not None:
            self.assertGreaterEqual(refusal.status, 500)
            self.assertTrue(refusal.json["remedy"])
        told = place.log_text() + place.out.read_text()
        self.assertIn("store.failed", told)
        self.assertRegex(told, "(?i)free space")

        key = member.key
        place.stop()
        filler.unlink()
        place.start()
        member = place.client(key)
        stored = {one["id"] for one in member.items("/v1/workloads?limit=500")}
        self.assertEqual(set(acknowledged) - stored, set(), "an acknowledged workload is lost")
        self.submit(member, workload(name="again"))


if __name__ == "__main__":
    e2e.main()
