"""schema.examples: every workload, policy and provider that a person may copy is valid by its schema and accepted by the
run-time decoder: fenced blocks of README.md and docs whose info string says so (```yaml workload), policies/*.json,
examples/ and tools/demo. What the broker makes of a catalogue is held against offer.schema.json.

usage: examples.py SCHEMA_DECODE"""

import json
import re
import sys

from decoder import KINDS, ROOT, Decoder, parse, pointer, validator

FENCE = re.compile(r"^( *)```(json|yaml) +(\w+)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)

failures = []
counts = dict.fromkeys(KINDS, 0)


def fail(where, message):
    failures.append(where)
    print(f"FAILED: {where}: {message}")


def blocks():
    """(where, kind, language, text) of every marked example in the documents."""
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]:
        text = path.read_text()
        for found in FENCE.finditer(text):
            indent, language, kind, body = found.groups()
            where = f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, found.start()) + 1}"
            if kind not in KINDS:
                fail(where, f"is marked {kind!r}; known are {', '.join(KINDS)}")
                continue
            yield where, kind, language, re.sub(f"^{indent}", "", body, flags=re.MULTILINE).encode()


def files():
    """The same of files, whose kind is that of their folder or name."""
    for path in sorted((ROOT / "policies").glob("*.json")):
        yield str(path.relative_to(ROOT)), "policy", "json", path.read_bytes()
    for folder in ("examples", "tools/demo"):
        for path in sorted((ROOT / folder).glob("**/*")):
            language = {".json": "json", ".yaml": "yaml", ".yml": "yaml"}.get(path.suffix)
            words = path.relative_to(ROOT).parts
            kind = "policy" if "policies" in words else "provider" if "providers" in words else "workload"
            if language:
                yield str(path.relative_to(ROOT)), kind, language, path.read_bytes()


def check_example(decoder, checkers, where, kind, language, text):
    counts[kind] += 1
    if language == "yaml":
        reply = decoder.ask("yaml", text)
        if reply["answer"] != "ok":
            return fail(where, reply["detail"])
        text = json.dumps(reply["value"]).encode()
    try:
        document = parse(text)
    except ValueError as why:
        return fail(where, why)
    for fault in checkers[kind].iter_errors(document):
        fail(f"{where}{pointer(fault.absolute_path)}", fault.message)
    reply = decoder.ask(kind, text)
    if reply["answer"] != "ok":
        fail(where, json.dumps(reply, ensure_ascii=False))
    elif kind == "provider":
        check_offers(decoder, checkers, where, text)


def check_offers(decoder, checkers, where, text):
    for number, offer in enumerate(decoder.ask("catalogue", text)["value"]):
        for fault in checkers["offer"].iter_errors(offer):
            fail(f"{where} offer {number}{pointer(fault.absolute_path)}", fault.message)


def main():
    decoder = Decoder(sys.argv[1])
    checkers = {kind: validator(kind) for kind in (*KINDS, "offer")}
    for example in (*blocks(), *files()):
        check_example(decoder, checkers, *example)
    for path in sorted((ROOT / "tests" / "schema" / "valid").glob("provider-*.json")):
        check_offers(decoder, checkers, path.name, path.read_bytes())
    if decoder.close() != 0:
        fail("schema_decode", "does not end well")
    print("examples:", ", ".join(f"{count} {kind}" for kind, count in counts.items()))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
