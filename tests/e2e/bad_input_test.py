"""Bad input of every kind is a 4xx problem that names the field and the remedy: never a 5xx, a hang or a leak.

The cases for workloads are made from schema/workload.schema.json: every field that it knows is left out, given a wrong
type, a value out of range, an unknown neighbour, something huge, deep, not UTF-8, and given twice. The schema itself
(python3-jsonschema) says which of the values that are tried are really wrong.
"""

import copy
import json
import socket
import ssl
import time
import unittest

from broker import DEADLINE_S, Broker, main, processes_below, rss_kib, wait_end, workload
from schema_documents import SCHEMA, edges, fields, resolve, sample, validator

NOBODY = "01890000-0000-7000-8000-000000000000"
RSS_GROWTH_MAX_KIB = 24 * 1024
JSON_TYPE = {"Content-Type": "application/json"}
HOLE = "@hole@"

# Values that suit no or few fields; the schema picks those that are wrong for a field.
ANYTHING = [
    None, True, -1, 0, 1.5, 10**18, 10**30, -(10**30), 1e300, "", "!", "a\u0000b", "\U0001f600", "x" * 40_000, [], {},
    [[]], [None], {"colour": 1}, ["x"] * 1000, {f"k{i}": "v" for i in range(300)},
]


def names(faults, pointer):
    return any(one == pointer or one.startswith(pointer + "/") for one in faults)


class BadInput(unittest.TestCase):
    broker = None

    @classmethod
    def setUpClass(cls):
        if BadInput.broker:
            return
        # One broker for all classes: what one test leaves behind, the others must bear.
        broker = Broker()
        unittest.addModuleCleanup(broker.close)
        broker.start()
        broker.wait_offers("east", "west")
        BadInput.member, BadInput.other = broker.member("vision"), broker.member("ocean")
        BadInput.operator = broker.client()
        BadInput.ran = wait_end(BadInput.member, BadInput.member.request(
            "POST", "/v1/workloads", workload(name="the-only-one")).json["id"])
        BadInput.broker = broker

    def tearDown(self):
        health = self.operator.request("GET", "/healthz", key="")
        self.assertEqual(health.status, 200)
        self.assertIsNone(self.broker.process.poll(), "westerlyd has ended")

    def refused(self, answer, *statuses, pointer=None):
        """A 4xx that says what to do; with `pointer`, one that names this field or something in it."""
        self.assertTrue(400 <= answer.status < 500, f"{answer.status}: {answer.body[:500]!r}")
        if statuses:
            self.assertIn(answer.status, statuses, answer.body[:500])
        self.assertEqual(answer.headers["content-type"], "application/problem+json")
        told = answer.json
        faults = told.get("errors", [])
        self.assertTrue(told.get("remedy") or (faults and all(one.get("remedy") for one in faults)),
                        f"no remedy: {answer.body[:500]!r}")
        if pointer is not None:
            self.assertTrue(names([one["pointer"] for one in faults], pointer),
                            f"{pointer} is not named: {answer.body[:500]!r}")
        self.assertLess(len(answer.body), 64 * 1024, "an answer must not grow with the question")
        return told

    def post(self, body, headers=None, target="/v1/workloads"):
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        return self.member.request("POST", target, body, headers or JSON_TYPE)


class Workloads(BadInput):
    def test_the_cases_are_made_from_valid_documents(self):
        whole = validator(SCHEMA)
        count = 0
        for field in fields(SCHEMA):
            document = field.document(sample(field.schema))
            faults = [one.message for one in whole.iter_errors(document)]
            self.assertEqual(faults, [], f"{field.pointer}: {document}")
            count += 1
        self.assertGreater(count, 120, "the walk has lost fields")

    def cases(self):
        """Every (field, what, body, pointers of which one must be named)."""
        for field in fields(SCHEMA):
            judge = validator(field.schema)
            good = sample(field.schema)
            holding = field.document(good)
            if field.required:
                lacking = copy.deepcopy(holding)
                owner = lacking
                for token in field.path[:-1]:
                    owner = owner[token]
                del owner[field.path[-1]]
                yield field, "missing", lacking, (field.pointer,)
            for value in (*ANYTHING, *edges(field.schema)):
                if not judge.is_valid(value):
                    yield field, "wrong", field.document(value), (field.pointer,)
            if field.closed:
                beside = copy.deepcopy(holding)
                owner = beside
                for token in field.path[:-1]:
                    owner = owner[token]
                owner["colour"] = 1
                yield field, "unknown neighbour", beside, (field.parent + "/colour",)
            text = json.dumps(field.document(HOLE))
            hole = json.dumps(HOLE)
            assert text.count(hole) == 1
            # Deep: within the limit of depth it is a wrong type, past it a fault of the document.
            for depth, named in ((20, (field.pointer,)), (100, (field.pointer, "")), (20_000, (field.pointer, ""))):
                if depth == 20_000 and len(field.path) > 1:
                    continue
                for opening, closing in (("[", "]"), ('{"x":', "}")):
                    value = opening * depth + "1" + closing * depth
                    if depth == 20 and judge.is_valid(json.loads(value)):
                        continue
                    yield field, f"{depth} deep", text.replace(hole, value).encode(), named
            for bad in (b'"\xff\xfe"', b'"\xc0\xaf"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"'):
                yield field, "not UTF-8", text.encode().replace(hole.encode(), bad), (field.pointer, "")
            for bad in ('"\\ud800"', "1e999", "-", "01", "NaN", "'x'"):
                if bad != "1e999" or resolve(field.schema).get("type") in ("integer", "number"):
                    yield field, "not JSON", text.replace(hole, bad).encode(), (field.pointer, "")
            if isinstance(field.path[-1], str):
                name = json.dumps(field.path[-1])
                twice = f"{json.dumps(good)}, {name}: {json.dumps(good)}"
                yield field, "duplicated", text.replace(hole, twice).encode(), (field.pointer,)

    def send_all(self):
        count = 0
        for field, what, body, pointers in self.cases():
            began = time.monotonic()
            got = self.post(body)
            took = time.monotonic() - began
            with self.subTest(field=field.pointer, what=what, body=str(body)[:300]):
                told = self.refused(got, 400, 422)
                faults = [one["pointer"] for one in told.get("errors", [])]
                # What is refused as a whole is not looked into.
                wanted = {*pointers, *([field.unsupported] if field.unsupported else [])}
                self.assertTrue("" in wanted or any(names(faults, one) for one in wanted),
                                f"none of {pointers} is named: {got.body[:500]!r}")
                self.assertLess(took, 20, "that is a hang")
            count += 1
        return count

    def test_every_field_every_way_without_a_leak(self):
        sent = self.send_all()
        self.assertGreater(sent, 2000)
        first = rss_kib(self.broker.pid)
        # A part of it once more: what it grew to by now is enough.
        for number, (_, _, body, _) in enumerate(self.cases()):
            if number % 4 == 0:
                self.post(body)
        grown = rss_kib(self.broker.pid) - first
        self.assertLess(grown, RSS_GROWTH_MAX_KIB, f"{grown} KiB more after {sent} refused requests")
        self.assertEqual([one["spec"]["name"] for one in self.member.items("/v1/workloads")], ["the-only-one"],
                         "something bad was taken")

    def test_many_faults_are_all_named_and_bounded(self):
        got = self.post({"kind": "job", "name": "A B", "tasks": 0, "priority": "high", "colour": 1})
        told = self.refused(got, 400)
        self.assertLessEqual({"/kind", "/name", "/tasks", "/priority", "/colour", "/variants"},
                             {one["pointer"] for one in told["errors"]})
        self.refused(self.post({f"field{i}": i for i in range(20_000)}), 400)

    def test_a_name_is_escaped_in_its_pointer(self):
        self.refused(self.post(workload(**{"a/b~c": 1})), 400, pointer="/a~1b~0c")

    def test_plans_are_read_like_workloads(self):
        self.refused(self.post(workload(tasks=0), target="/v1/plans"), 400, pointer="/tasks")
        self.refused(self.post(workload(ports=[]), target="/v1/plans"), 422, pointer="/ports")

    def test_what_is_not_supported_yet_is_refused_by_name(self):
        for field in fields(SCHEMA):
            if field.unsupported == field.pointer:
                with self.subTest(field.pointer):
                    got = self.post(field.document(sample(field.schema)))
                    told = self.refused(got, 400, 422, pointer=field.pointer)
                    self.assertIn("not supported yet", json.dumps(told))
        self.refused(self.post(workload(kind="service")), 400, 422, pointer="/kind")

    def test_rules_between_fields(self):
        for document, pointer in (
            (workload(constraints={"max_rtt_ms": 5}), "/constraints/origin"),
            (workload(constraints={"origin": {"latitude": 1}}), "/constraints/origin"),
            (workload(constraints={"origin": {}}), "/constraints/origin"),
            (workload(constraints={"origin": {"region": "x", "latitude": 1, "longitude": 1}}), "/constraints/origin"),
            (workload(constraints={"providers": {"allow": ["a"], "deny": ["a"]}}), "/constraints/providers"),
            (workload(variants=[{"command": ["x"]}, {"command": ["y"]}]), "/variants/1"),
            (workload(timing={"earliest_start_at": "2030-01-02T00:00:00Z", "deadline_at": "2030-01-01T00:00:00Z"}),
             "/timing/deadline_at"),
            (workload(timing={"deadline_at": "2030-02-30T00:00:00Z"}), "/timing/deadline_at"),
            (workload(variants=[{"command": ["x"], "files": "sha256:" + "0" * 64}]), "/variants/0/files"),
            (workload(policy="no-such-policy"), "/policy"),
        ):
            with self.subTest(pointer=pointer, document=str(document)):
                self.refused(self.post(document), 400, 404, 422, pointer=pointer)


class Bodies(BadInput):
    def test_what_is_no_json_object(self):
        good = json.dumps(workload())
        for body in (b"", b" ", b"{", b"}", b"null", b"[]", b'"text"', b"1", b"{'kind': 'batch'}", b'{"kind":}',
                     good.encode() + b"x", good.encode() + good.encode(), b"\xef\xbb\xbf" + good.encode(),
                     good.encode("utf-16"), good.encode()[:-1], b"\x00" * 100, b"kind: batch", b"{" * 1_000_000,
                     b'{"a":' * 200_000, b"/* */" + good.encode()):
            with self.subTest(body[:40]):
                self.refused(self.post(body), 400)

    def test_no_body_at_all(self):
        self.refused(self.member.request("POST", "/v1/workloads"), 400, 411, 415)

    def test_a_wrong_content_type(self):
        for kind in ("text/plain", "application/xml", "multipart/form-data", "application/x-yaml", "nonsense", ""):
            with self.subTest(kind):
                self.refused(self.post(json.dumps(workload()), {"Content-Type": kind}), 400, 415)

    def test_an_oversized_body(self):
        big = json.dumps(workload(labels={"x": "y"})).encode() + b" " * (2 * 1024 * 1024)
        self.refused(self.post(big), 413)
        for path in ("/v1/plans", "/v1/tenants", "/v1/keys", "/v1/policies", "/v1/providers"):
            with self.subTest(path):
                got = self.operator.request("POST", path, big, JSON_TYPE)
                self.refused(got, 400, 409, 413)

    def test_a_bundle_that_is_too_large(self):
        got = self.member.request("POST", "/v1/bundles", b"\0" * (17 * 1024 * 1024 + 1),
                                  {"Content-Type": "application/x-tar"})
        self.refused(got, 413)

    def test_small_bodies_of_operators(self):
        for path, body, pointer in (
            ("/v1/tenants", {}, "/name"), ("/v1/tenants", {"name": ""}, "/name"),
            ("/v1/tenants", {"name": "A B"}, "/name"), ("/v1/tenants", {"name": 1}, "/name"),
            ("/v1/tenants", {"name": "x" * 64}, "/name"), ("/v1/tenants", {"name": "x", "colour": 1}, "/colour"),
            ("/v1/keys", {}, "/name"), ("/v1/keys", {"name": "x", "role": "king"}, "/role"),
            ("/v1/keys", {"name": "x", "role": 1}, "/role"), ("/v1/keys", {"name": "x", "tenant": 1}, "/tenant"),
            ("/v1/keys", {"name": "x", "tenant": "no-such"}, "/tenant"),
            ("/v1/keys", {"name": "x", "tenant": NOBODY}, "/tenant"),
            ("/v1/keys", {"name": "x", "colour": 1}, "/colour"),
        ):
            with self.subTest(path=path, body=body):
                self.refused(self.operator.request("POST", path, body), 400, 404, pointer=pointer)
        for path in ("/v1/tenants", "/v1/keys"):
            for body in (b"", b"{", b"[]", b"null", b'{"name":"a","name":"b"}', b'{"name":"\xff"}', b"[" * 100_000):
                with self.subTest(path=path, body=body[:30]):
                    self.refused(self.operator.request("POST", path, body, JSON_TYPE), 400)


class Requests(BadInput):
    def test_a_bad_idempotency_key(self):
        for key in ("", "x" * 256, "caf\u00e9".encode("latin-1"), "tab\tkey", "x" * 5000):
            with self.subTest(key[:20]):
                got = self.post(workload(), {**JSON_TYPE, "Idempotency-Key": key})
                self.refused(got, 400, 431, pointer="Idempotency-Key" if len(key) < 5000 else None)

    def test_bad_query_parameters(self):
        run = "/v1/workloads/" + self.ran["id"]
        table = [(path, f"{name}={value}", "?" + name)
                 for path in ("/v1/workloads", "/v1/offers", "/v1/usage", "/v1/charges", "/v1/events", "/v1/providers",
                              "/v1/policies", "/v1/keys", run + "/events")
                 for name, value in (("limit", "0"), ("limit", "-1"), ("limit", "ten"), ("limit", "1e3"), ("limit", ""),
                                     ("limit", "99999999999999999999"), ("limit", "100000"), ("colour", "red"),
                                     ("cursor", "nonsense"), ("cursor", "ff" * 5000))]
        table += [
            ("/v1/workloads", "state=bogus", "?state"), ("/v1/workloads", "label=alone", "?label"),
            ("/v1/workloads", "&".join(["label=a=b"] * 17), "?label"),
            ("/v1/workloads", "limit=1&limit=2", "?limit"),
            ("/v1/usage", "from=yesterday", "?from"), ("/v1/usage", "until=2026-13-01T00:00:00Z", "?until"),
            ("/v1/charges", "workload=x", "?workload"), ("/v1/charges", "from=1", "?from"),
            (run + "/logs", "rank=x", "?rank"), (run + "/logs", "rank=-1", "?rank"),
            (run + "/logs", "from=-1", "?from"), (run + "/logs", "from=99999999999999999999", "?from"),
            (run + "/logs", "stream=both", "?stream"), (run + "/logs", "follow=maybe", "?follow"),
            (run + "/logs", "attempt=x", "?attempt"), (run + "/files", "attempt=0", "?attempt"),
        ]
        for path, query, pointer in table:
            with self.subTest(path=path, query=query[:40]):
                got = self.member.request("GET", f"{path}?{query}")
                self.refused(got, 400, 414, 431, pointer=pointer if len(query) < 5000 else None)
        for query in ("%", "cursor=%00", "limit=%zz", "limit=%ff", "=1", "&&limit=x"):
            with self.subTest(query):
                self.refused(self.member.request("GET", "/v1/workloads?" + query), 400)

    def test_wrong_keys_and_none(self):
        tail = self.member.key[:-1] + ("0" if self.member.key[-1] != "0" else "1")
        for header in (None, "", "Bearer", "Bearer ", "Basic dTpw", "Bearer wk_short", "Bearer " + tail,
                       "Bearer " + self.member.key.upper(), self.member.key, "Bearer " + "x" * 4000,
                       "Bearer \u00e9".encode("latin-1")):
            for method, path in (("GET", "/v1/workloads"), ("POST", "/v1/workloads"), ("GET", "/v1/tenants"),
                                 ("GET", "/v1/workloads/" + self.ran["id"]), ("POST", "/v1/backup")):
                with self.subTest(header=header and header[:30], path=path):
                    headers = {} if header is None else {"Authorization": header}
                    body = json.dumps(workload()) if method == "POST" else None
                    got = self.member.request(method, path, body, {**headers, **(JSON_TYPE if body else {})}, key="")
                    self.refused(got, 401)
                    self.assertEqual(got.headers["www-authenticate"], "Bearer")

    def test_another_tenants_things_are_like_missing_ones(self):
        run = self.ran["id"]
        decision = self.ran["last_decision"]
        for method, path in (
            *(("GET", "/v1/workloads/{}" + end)
              for end in ("", "/events", "/logs", "/logs?follow=true", "/files", "/files/x", "/attempts", "/decision")),
            ("POST", "/v1/workloads/{}/cancel"), ("POST", "/v1/workloads/{}/retry"), ("GET", "/v1/decisions/{}"),
        ):
            with self.subTest(path):
                ident = decision if "decisions" in path else run
                theirs = self.other.request(method, path.format(ident))
                none = self.other.request(method, path.format(NOBODY))
                no_id = self.other.request(method, path.format("nonsense"))
                for got in (theirs, none, no_id):
                    self.refused(got, 404)
                self.assertEqual(theirs.body, none.body)
                self.assertEqual(theirs.headers.keys(), none.headers.keys())
        self.assertEqual(list(self.other.items("/v1/workloads")), [])
        self.assertNotIn(self.ran["tenant"], {one["tenant"] for one in self.other.items("/v1/events")})
        self.assertEqual(list(self.other.items(f"/v1/usage?workload={run}")), [])
        self.assertEqual(list(self.other.items(f"/v1/charges?workload={run}")), [])
        self.assertEqual({one["tenant"] for one in self.other.items("/v1/keys")},
                         {self.other.request("GET", "/v1/whoami").json["tenant"]})
        mine = self.ran["tenant"]
        for path in ("workloads", "events", "usage", "charges", "keys"):
            with self.subTest(path):
                self.refused(self.other.request("GET", f"/v1/{path}?tenant={mine}"), 403)
        bundle = self.member.request("POST", "/v1/bundles", b"bytes", {"Content-Type": "application/x-tar"})
        if bundle.status == 201:
            asked = workload(variants=[{"command": ["x"], "files": bundle.json["files"]}])
            self.refused(self.other.request("POST", "/v1/workloads", asked), 400, pointer="/variants/0/files")

    def test_members_are_no_operators(self):
        for method, path in (
            ("GET", "/v1/tenants"), ("POST", "/v1/tenants"), ("POST", "/v1/keys"), ("DELETE", f"/v1/keys/{NOBODY}"),
            ("POST", f"/v1/keys/{NOBODY}/revoke"), ("GET", "/v1/orphans"), ("POST", "/v1/sweep/confirm"),
            ("POST", "/v1/backup"), ("POST", "/v1/providers/east/cordon"), ("POST", "/v1/providers/east/uncordon"),
            ("POST", "/v1/providers/east/probe"), ("PUT", "/v1/policies/cheapest"), ("DELETE", "/v1/providers/east"),
        ):
            with self.subTest(path):
                self.refused(self.member.request(method, path, {} if method in ("POST", "PUT") else None), 403)

    def test_paths_that_lead_nowhere(self):
        run = "/v1/workloads/" + self.ran["id"]
        for path in ("/", "/v1", "/v2/workloads", "/v1/workloads/", run + "/files/", run + "/files/../../etc/passwd",
                     run + "/files/%2e%2e/%2e%2e/etc/passwd", run + "/files/..%2f..%2fetc%2fpasswd",
                     run + "/files/%00", run + "/files//etc/passwd", run + "/files/" + "a/" * 500, "/v1/policies/none",
                     "/v1/policies/..%2fcheapest", "/v1/providers/none", "/.git/config", "/console/../v1"):
            with self.subTest(path[:60]):
                got = self.member.request("GET", path)
                self.refused(got, 400, 404)
                self.assertNotIn(b"root:", got.body)

    def test_methods_that_are_not_there(self):
        for method, path in (("PATCH", "/v1/workloads"), ("DELETE", "/v1/workloads/" + self.ran["id"]),
                             ("PUT", "/v1/usage"), ("POST", "/healthz"), ("TRACE", "/healthz"), ("BREW", "/v1/offers")):
            with self.subTest(method):
                got = self.member.request(method, path)
                self.refused(got, 400, 405, 501)


class Wire(BadInput):
    """Below HTTP: whatever comes, the connection is ended in time and the broker stays well."""

    def speak(self, sent, tls=True, limit_s=DEADLINE_S):
        """Sends bytes, gives what comes until the other side ends it."""
        raw = socket.create_connection(("127.0.0.1", self.broker.port), timeout=limit_s)
        try:
            if tls:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                raw = context.wrap_socket(raw)
            got = b""
            try:
                raw.sendall(sent)
                while piece := raw.recv(65536):
                    got += piece
            except (ConnectionError, ssl.SSLError):
                pass  # ended: that is an answer too
            return got
        finally:
            raw.close()

    def test_bytes_that_are_no_request(self):
        key = b"Authorization: Bearer " + self.member.key.encode() + b"\r\nHost: x\r\n"
        for sent in (
            b"\x00" * 64 + b"\r\n\r\n", b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET\r\n\r\n",
            b"GET /v1/workloads HTTP/1.1\r\n" + key + b"Bad Header\r\n\r\n",
            b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n" + key + b"\r\n",
            b"GET /v1/workloads HTTP/1.1\r\n" + key + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
            b"GET /v1/workloads HTTP/1.1\r\n" + key + b"X: y\r\n" * 50_000 + b"\r\n",
            b"POST /v1/workloads HTTP/1.1\r\n" + key + b"Content-Length: -1\r\n\r\n",
            b"POST /v1/workloads HTTP/1.1\r\n" + key + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
            b"POST /v1/workloads HTTP/1.1\r\n" + key + b"Content-Type: application/json\r\n"
            b"Content-Length: 99999999999\r\n\r\n{",
            b"POST /v1/workloads HTTP/1.1\r\n" + key + b"Content-Length: 99999999999999999999999\r\n\r\n{",
            b"POST /v1/workloads HTTP/1.1\r\n" + key + b"Content-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
            b"POST /v1/workloads HTTP/1.1\r\n" + key + b"Content-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n" + b"80000\r\n" + b" " * 0x80000 + b"\r\n" * 1
            + b"80000\r\n" + b" " * 0x80000 + b"\r\n80000\r\n" + b" " * 0x80000 + b"\r\n0\r\n\r\n",
        ):
            with self.subTest(sent[:60]):
                got = self.speak(sent)
                if got:
                    status = int(got.split(b" ", 2)[1])
                    self.assertTrue(400 <= status < 500 or status in (501, 505), got[:200])

    def test_what_is_no_tls(self):
        for sent in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"\x00" * 1000, b"\x00" * 100):
            with self.subTest(sent[:20]):
                self.assertNotIn(b"200 OK", self.speak(sent, tls=False))

    def test_connections_that_are_left_are_no_leak(self):
        def open_files():
            import os
            return len(os.listdir(f"/proc/{self.broker.pid}/fd"))

        self.member.request("GET", "/healthz")
        before = open_files()
        for _ in range(50):
            raw = socket.create_connection(("127.0.0.1", self.broker.port))
            raw.sendall(b"\x16\x03\x01")
            raw.close()
        until = time.monotonic() + DEADLINE_S
        while open_files() > before + 5 and time.monotonic() < until:
            time.sleep(0.1)
        self.assertLessEqual(open_files(), before + 5)


class ZAfterwards(BadInput):
    def test_the_broker_still_does_its_work(self):
        for body in (b"{" * 500_000, json.dumps(workload(tasks="x" * 500_000)), b"\xff" * 500_000):
            self.refused(self.post(body), 400)
        made = self.post(workload(name="still-well"))
        self.assertEqual(made.status, 201)
        self.assertEqual(wait_end(self.member, made.json["id"])["state"], "succeeded")
        self.assertIn(self.broker.pid, processes_below(self.broker.home))
        self.assertEqual([one for one in self.broker.log_lines() if one.get("level") == "error"], [])


if __name__ == "__main__":
    main()
