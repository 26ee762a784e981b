"""The run-time decoders as a subprocess, and the schemas as python3-jsonschema reads them."""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77  # the return code that ctest counts as skipped

try:
    import jsonschema
except ImportError:
    print("SKIPPED: python3-jsonschema is not installed (apt-get install python3-jsonschema)")
    sys.exit(SKIPPED)

KINDS = ("workload", "policy", "provider", "certificates")


class Decoder:
    """Speaks with schema_decode: one document in, one answer out."""

    def __init__(self, program):
        self.program = program
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, kind, document):
        self.process.stdin.write(b"%s %d\n%s" % (kind.encode(), len(document), document))
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"schema_decode ended at this {kind}:\n{document[:2000]!r}")
        return json.loads(line)

    def unsupported_fields(self):
        listed = subprocess.run([self.program, "--unsupported"], check=True, capture_output=True, text=True)
        return listed.stdout.split()

    def close(self):
        self.process.stdin.close()
        return self.process.wait(timeout=10)


def load_schema(kind):
    return json.loads((ROOT / "schema" / f"{kind}.schema.json").read_text())


def validator(kind):
    schema = load_schema(kind)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def pointer(path):
    """RFC 6901."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


def parse(document):
    """Strict JSON; raises ValueError (UnicodeDecodeError is one)."""
    return json.loads(document.decode("utf-8"), parse_constant=refuse_constant)
