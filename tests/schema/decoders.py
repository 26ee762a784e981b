"""schema.decoders: the schemas say no more than they may, the examples use every field, and thousands of seeded
mutations get the same answer from python3-jsonschema (with the rules of beyond.py) and from the run-time decoders.

usage: decoders.py SCHEMA_DECODE [--seed N] [--count N]"""

import argparse
import collections
import random
import sys

from decoder import KINDS, ROOT, Decoder, load_schema, parse, pointer, validator
from beyond import broken_rule, unreadable
from mutate import Mutator, names

# What a schema of ours may say. Everything else would have to be checked by hand in the decoders first.
KEYWORDS = {
    "$schema", "$id", "$defs", "$ref", "title", "description", "type", "const", "enum", "properties", "required",
    "additionalProperties", "patternProperties", "propertyNames", "dependentRequired", "minProperties", "maxProperties",
    "items", "prefixItems", "minItems", "maxItems", "uniqueItems", "minimum", "maximum", "exclusiveMinimum",
    "minLength", "maxLength", "pattern", "format", "anyOf", "oneOf", "allOf", "not", "if", "then", "else",
}
NAMED = {"properties", "patternProperties", "$defs", "dependentRequired"}  # their keys are names, not keywords
NOT_YET = "Not supported yet."

failures = []


def check(holds, message):
    if not holds:
        failures.append(message)
        print("FAILED:", message)


def keywords(node, where=""):
    if isinstance(node, dict):
        for key, value in node.items():
            yield key, where
            if key in NAMED:
                for name, inner in value.items():
                    yield from keywords(inner, f"{where}/{key}/{name}") if key != "dependentRequired" else ()
            elif key not in ("enum", "const", "required"):
                yield from keywords(value, f"{where}/{key}")
    elif isinstance(node, list):
        for index, inner in enumerate(node):
            yield from keywords(inner, f"{where}/{index}")


FAULTS_MAX = 64


def check_keywords():
    for path in sorted((ROOT / "schema").glob("*.schema.json")):
        kind = path.name.removesuffix(".schema.json")
        schema = load_schema(kind)
        validator(kind)
        check(schema.get("$schema") == "https://json-schema.org/draft/2020-12/schema", f"{path.name} states its draft")
        for key, where in keywords(schema):
            check(key in KEYWORDS, f"{path.name}{where}: keyword {key} is not on the list")


def marked_fields(schema, node, where="", within=()):
    """Where the schema says "Not supported yet.", in the form of the decoder's table. `within`: the definitions that
    this stands in, for one may contain itself."""
    name = node.get("$ref", "").rsplit("/", 1)[-1]
    if name and name not in within:
        yield from marked_fields(schema, schema["$defs"][name], where, (*within, name))
    for option in node.get("anyOf", []):
        yield from marked_fields(schema, option, where, within)
    for name, inner in node.get("properties", {}).items():
        if inner.get("description", "").startswith(NOT_YET):
            yield f"{where}/{name}"
        else:
            yield from marked_fields(schema, inner, f"{where}/{name}", within)
    if isinstance(node.get("items"), dict):
        yield from marked_fields(schema, node["items"], f"{where}/*", within)


def check_table(decoder):
    schema = load_schema("workload")
    marked, listed = set(marked_fields(schema, schema)), set(decoder.unsupported_fields())
    check(marked == listed, f"unsupported in schema only: {marked - listed}, in the decoder only: {listed - marked}")
    return listed


def load_valid(kind):
    paths = sorted((ROOT / "tests" / "schema" / "valid").glob(f"{kind}-*.json"))
    return {path.name: path.read_bytes() for path in paths}


def check_valid(decoder, kind):
    """The examples pass, use every field, and a field that comes later is refused as such."""
    checker, used = validator(kind), set()
    for name, text in load_valid(kind).items():
        document = parse(text)
        for fault in checker.iter_errors(document):
            check(False, f"{name}{pointer(fault.absolute_path)}: {fault.message}")
        reply = decoder.ask(kind, text)
        wanted = "unsupported" if name.endswith("-later.json") else "ok"
        check(reply["answer"] == wanted, f"{name}: {reply}")
        collect_names(document, used)
    missing = set(names(load_schema(kind))) - used
    check(not missing or kind == "provider" and missing == {"env"}, f"no {kind} example has the fields {missing}")


def collect_names(node, used):
    if isinstance(node, dict):
        used.update(node)
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        collect_names(inner, used)


def below(path, fields):
    """Does this place lie at or under one of the table's fields?"""
    for field in fields:
        parts = field.split("/")[1:]
        if len(path) >= len(parts) and all(part == "*" or part == str(step) for part, step in zip(parts, path)):
            return True
    return False


def has_unsupported(kind, document, fields, at=()):
    if kind != "workload":
        return False
    if at == () and isinstance(document, dict) and document.get("kind") == "service":
        return True
    if below(at, fields):
        return True
    inner = document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    return any(has_unsupported(kind, value, fields, at + (step,)) for step, value in inner)


def expected(kind, text, checker, fields):
    """The answer that schema and rules give, with the places of the faults and the reason."""
    try:
        document = parse(text)
    except (ValueError, RecursionError):
        return "invalid", None, "not JSON"
    if reason := unreadable(document, text):
        return ("too_large" if reason == "too_large" else "invalid"), None, reason
    # What stands inside a field that is refused as a whole is not looked at further.
    faults = [f for f in checker.iter_errors(document) if kind != "workload" or not spared(f, fields)]
    if faults:
        return "invalid", [pointer(f.absolute_path) for f in faults], "schema"
    if reason := broken_rule(kind, document):
        return "invalid", None, reason
    if has_unsupported(kind, document, fields):
        return "unsupported", None, "unsupported"
    return "ok", None, "valid"


def spared(fault, fields):
    """Is a fault only about what stands inside such a field? Of alternatives, one that has no other faults is enough."""
    if not fault.context:
        return below(list(fault.absolute_path), fields)
    alternatives = collections.defaultdict(list)
    for inner in fault.context:
        alternatives[inner.schema_path[0]].append(inner)
    return any(all(spared(inner, fields) for inner in each) for each in alternatives.values())


def related(a, b):
    return a == b or a.startswith(b + "/") or b.startswith(a + "/")


def compare(decoder, kind, count, seed, fields):
    schema = load_schema(kind)
    mutator = Mutator(random.Random(f"{kind} {seed}"), schema, [parse(text) for text in load_valid(kind).values()])
    checker, tally = validator(kind), collections.Counter()
    for number in range(count):
        text = mutator.next()
        answer, places, reason = expected(kind, text, checker, fields)
        reply = decoder.ask(kind, text)
        tally[reason] += 1
        where = f"{kind} {number} of seed {seed}"
        check(reply["answer"] == answer, f"{where}: {answer} by {reason}, decoder says {reply}: {text[:1500]!r}")
        if reply["answer"] == "invalid":
            check(reply["faults"] and all(f["message"] and f["remedy"] for f in reply["faults"]),
                  f"{where}: a fault lacks message or remedy: {reply}")
        if reply["answer"] == answer == "invalid" and places:
            found = [f["pointer"] for f in reply["faults"]]
            full = len(found) == FAULTS_MAX  # no more are told, and the schema's may be behind them
            check(full or any(related(a, b) for a in found for b in places), f"{where}: {found} against {places}")
        if len(failures) > 20:
            sys.exit("too many failures")
    print(f"{kind}: {count} mutations,", ", ".join(f"{reason} {n}" for reason, n in tally.most_common()))
    check(tally["valid"] > count / 50 and tally["schema"] > count / 5, f"{kind}: the mutations do not try enough")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("decoder")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--count", type=int, default=2500, help="mutations of each kind")
    given = options.parse_args()
    decoder = Decoder(given.decoder)
    check_keywords()
    fields = check_table(decoder)
    for kind in KINDS:
        check_valid(decoder, kind)
        compare(decoder, kind, given.count, given.seed, fields)
    check(decoder.close() == 0, "schema_decode ends well")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
