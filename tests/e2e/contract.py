"""An HTTPS client for end-to-end tests that holds every answer against schema/openapi.json.

Every request goes through `Contract.request` (or `stream`): an answer whose status, content type, body or headers the
document does not describe raises ContractError. The server's certificate is pinned by its SHA-256 fingerprint or by a
CA file. Standard library and Debian's python3-jsonschema only; run with /usr/bin/python3.
"""

import copy
import hashlib
import http.client
import json
import pathlib
import re
import ssl
import urllib.parse

import jsonschema

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "schema" / "openapi.json"
TIMEOUT_S = 30


class ContractError(AssertionError):
    """An answer that the document does not describe."""


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # names in lower case
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)


def _embed(schema, at):
    """A schema with an `$id` of its own has references relative to it: rewrites them to the whole document."""
    if isinstance(schema, list):
        return [_embed(one, at) for one in schema]
    if not isinstance(schema, dict):
        return schema
    out = {}
    for name, value in schema.items():
        if name == "$ref" and isinstance(value, str) and value.startswith("#/"):
            out[name] = at + value[1:]
        elif name not in ("$id", "$schema") or not isinstance(value, str):
            out[name] = _embed(value, at)
    return out


class Document:
    """The OpenAPI document, ready to judge answers by."""

    def __init__(self, text):
        self.source = json.loads(text)
        self.whole = copy.deepcopy(self.source)
        schemas = self.whole["components"]["schemas"]
        for name, schema in schemas.items():
            if "$id" in schema:
                schemas[name] = _embed(schema, "#/components/schemas/" + name)
        self.resolver = jsonschema.RefResolver("", self.whole)
        self.paths = [(self._pattern(path), path) for path in self.whole["paths"]]
        # Fixed paths go before those with parameters.
        self.paths.sort(key=lambda one: one[1].count("{"))
        self.seen = set()

    @staticmethod
    def _pattern(path):
        parts = re.split(r"(\{[a-z_]+\})", path)
        return re.compile(
            "".join(".+" if p == "{path}" else "[^/]+" if p.startswith("{") else re.escape(p) for p in parts)
        )

    def operations(self):
        return {(method.upper(), path) for path, methods in self.whole["paths"].items() for method in methods}

    def resolve(self, value):
        return self.resolver.resolve(value["$ref"])[1] if "$ref" in value else value

    def operation(self, method, target):
        """The operation and its path; (None, None) for what is not described."""
        path_asked = urllib.parse.urlsplit(target).path
        for pattern, path in self.paths:
            if pattern.fullmatch(path_asked):
                methods = self.whole["paths"][path]
                return methods.get("get" if method == "HEAD" else method.lower()), path
        return None, None

    def validate(self, schema, value, what):
        validator = jsonschema.Draft202012Validator(schema, resolver=self.resolver)
        faults = sorted(validator.iter_errors(value), key=lambda e: list(e.absolute_path))
        if faults:
            first = faults[0]
            at = "/" + "/".join(str(p) for p in first.absolute_path)
            raise ContractError(f"{what}: {at}: {first.message}")

    def check(self, method, target, answer, with_body=True):
        what = f"{method} {target} answered {answer.status}"
        operation, path = self.operation(method, target)
        kind = answer.headers.get("content-type", "").split(";")[0]
        if operation is None:
            # Not described: only problems may come back, and the 204 of OPTIONS.
            if method == "OPTIONS" and answer.status == 204:
                return
            if kind != "application/problem+json" or answer.status < 400:
                raise ContractError(f"{what} {kind}, but the document does not know it")
            response = self.whole["components"]["responses"]["problem"]
        else:
            self.seen.add((method, path))
            responses = operation["responses"]
            described = responses.get(str(answer.status))
            if described is None:
                if answer.status < 400:
                    raise ContractError(f"{what}, which the document does not list")
                described = responses["default"]
            response = self.resolve(described)
        self._check_headers(response, answer, what)
        content = response.get("content")
        if content is None or method == "HEAD":
            if answer.body:
                raise ContractError(f"{what} with a body of {len(answer.body)} bytes, none is described")
            return
        if kind not in content:
            raise ContractError(f"{what} as {kind!r}, described are {sorted(content)}")
        if with_body and kind.endswith("json"):
            try:
                value = json.loads(answer.body)
            except ValueError as e:
                raise ContractError(f"{what} with broken JSON: {e}") from e
            self.validate(content[kind]["schema"], value, what)
            if kind == "application/problem+json" and value["status"] != answer.status:
                raise ContractError(f"{what}, its problem says {value['status']}")

    def _check_headers(self, response, answer, what):
        for name, described in response.get("headers", {}).items():
            value = answer.headers.get(name.lower())
            if value is None:
                # Streams of bytes come without offsets.
                if answer.headers.get("transfer-encoding") == "chunked":
                    continue
                raise ContractError(f"{what} without the header {name}")
            self.validate(described["schema"], value, f"{what}, header {name}")


class Contract:
    """A client for one broker. `key` is used where a request names none; key="" sends none."""

    def __init__(self, port, host="127.0.0.1", fingerprint=None, ca_file=None, key="", document=None):
        if not fingerprint and not ca_file:
            raise ValueError("pin the certificate: give a fingerprint or a CA file")
        self.host, self.port, self.key = host, port, key
        self.fingerprint = fingerprint.replace(":", "").lower() if fingerprint else None
        if ca_file:
            self.tls = ssl.create_default_context(cafile=ca_file)
        else:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self.tls.check_hostname = False
            self.tls.verify_mode = ssl.CERT_NONE
        self.tls.minimum_version = ssl.TLSVersion.TLSv1_2
        self.document = Document((document or DOCUMENT).read_text(encoding="utf-8"))
        self.connection = None

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def _connect(self):
        connection = http.client.HTTPSConnection(self.host, self.port, timeout=TIMEOUT_S, context=self.tls)
        connection.connect()
        if self.fingerprint:
            seen = hashlib.sha256(connection.sock.getpeercert(binary_form=True)).hexdigest()
            if seen != self.fingerprint:
                connection.close()
                raise ContractError(f"the server's certificate has the fingerprint {seen}")
        return connection

    def _headers(self, headers, key, body):
        out = dict(headers or {})
        key = self.key if key is None else key
        if key:
            out["Authorization"] = "Bearer " + key
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            out.setdefault("Content-Type", "application/json")
        return out, body.encode() if isinstance(body, str) else body

    def request(self, method, target, body=None, headers=None, key=None):
        """One request on a kept connection; a dict or list as body is sent as JSON. Gives a checked Answer."""
        headers, body = self._headers(headers, key, body)
        reused = self.connection is not None
        for last in (not reused, True):
            if self.connection is None:
                self.connection = self._connect()
            try:
                self.connection.request(method, target, body=body, headers=headers)
                got = self.connection.getresponse()
                break
            except (http.client.BadStatusLine, ConnectionError, ssl.SSLEOFError, BrokenPipeError):
                # A kept connection may have been ended meanwhile; a new one is tried once.
                self.close()
                if last:
                    raise
        answer = Answer(got.status, {k.lower(): v for k, v in got.getheaders()}, got.read())
        if answer.headers.get("connection") == "close":
            self.close()
        self.document.check(method, target, answer)
        return answer

    def stream(self, target, headers=None, key=None):
        """GET on a connection of its own whose body is read as it comes: gives (Answer without body, response).
        The caller reads from the response and closes it."""
        headers, _ = self._headers(headers, key, None)
        connection = self._connect()
        connection.request("GET", target, headers=headers)
        got = connection.getresponse()
        answer = Answer(got.status, {k.lower(): v for k, v in got.getheaders()}, b"")
        if answer.status >= 400:
            answer.body = got.read()
        self.document.check("GET", target, answer, with_body=answer.status >= 400)
        return answer, got

    def events(self, target, headers=None, key=None):
        """Server-sent events as dicts (event, data as JSON, id), until the stream ends or the caller stops."""
        answer, got = self.stream(target, {"Accept": "text/event-stream", **(headers or {})}, key)
        if answer.status != 200:
            raise ContractError(f"GET {target} as a stream answered {answer.status}: {answer.body!r}")
        event_schema = self.document.whole["components"]["schemas"]["event"]
        current = {}
        try:
            for line in got:
                line = line.decode().rstrip("\n")
                if not line:
                    if "data" in current:
                        current["data"] = json.loads(current["data"])
                        if current.get("event") != "end":
                            self.document.validate(event_schema, current["data"], f"an event of {target}")
                        yield current
                    current = {}
                elif not line.startswith(":"):
                    name, _, value = line.partition(": ")
                    current[name] = value
        finally:
            got.close()

    def items(self, target, key=None):
        """All items of a list, page by page."""
        separator = "&" if "?" in target else "?"
        cursor = ""
        while True:
            page = self.request("GET", target + (f"{separator}cursor={cursor}" if cursor else ""), key=key).json
            yield from page["items"]
            cursor = urllib.parse.quote(page.get("next_cursor", ""))
            if not cursor or not page["items"]:
                return
