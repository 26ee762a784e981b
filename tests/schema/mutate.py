"""Seeded mutations of valid documents: one or two small faults (or none) at random places, as bytes."""

import copy
import json

OTHER_TYPES = [None, True, False, 0, 1, -1, 1.5, "", "x", "0", [], ["x"], {}, {"x": 1}]
NUMBERS = [-1, 0, 1, 0.5, -0.5, 1.0, 2.0, 1e-300, 1e300, -1e300, 2**31, 2**53, 2**63, 2**64, 10**30, -(2**63)]
TEXTS = [
    "", " ", "-", "a", "A", "a-", "-a", "ab", "none", "CNY", "USD", "EUR", "0", "0.0", "00", "01", "1.", ".5", "-1",
    "1e3", "1.1234567", "0.1234567890", "9" * 13, "999999999999.999999", "1234567890", "WESTERLY_X", "1X", "PATH=", "日本",
    "a\u0000b", "a" * 63, "a" * 64, "é" * 255, "é" * 256, "x" * 40000, "sha256:" + "0" * 64, "sha256:" + "A" * 64,
    "2026-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01", "2026-01-01T24:00:00Z",
    "2026-01-01T00:00:00.1234567890Z", "1969-12-31T00:00:00Z", "2263-01-01T00:00:00Z", "2030-01-01t00:00:00-05:30",
    "batch", "service", "super", "failed", "cn", "CN", "x86_64", "catalogue", "local", "price", "carbon", "green_power",
]
BAD_BYTES = [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"]


def places(value, path=()):
    """Every place in a document, the root first."""
    yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from places(inner, path + (name,))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, path + (index,))


def look(document, path):
    for part in path:
        document = document[part]
    return document


def put(document, path, value):
    if not path:
        return value
    look(document, path[:-1])[path[-1]] = value
    return document


def bounds(schema):
    """Every number that a schema states, and its neighbours: where an off-by-one would show."""
    found = set()

    def walk(node):
        if isinstance(node, dict):
            for key, value in node.items():
                if key in ("minimum", "maximum", "exclusiveMinimum") and abs(value) < 2**53:
                    found.update([value - 1, value, value + 1])
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(schema)
    return sorted(found)


def names(schema):
    """Every field name that a schema states."""
    found = set()

    def walk(node):
        if isinstance(node, dict):
            found.update(node["properties"] if isinstance(node.get("properties"), dict) else ())
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(schema)
    return sorted(found)


def nested(chance, depth):
    value = chance.choice([1, "x", None])
    for _ in range(depth):
        value = [value] if chance.random() < 0.5 else {"x": value}
    return value


class Mutator:
    def __init__(self, chance, schema, valid):
        self.chance = chance
        self.valid = valid
        self.numbers = NUMBERS + bounds(schema)
        self.names = names(schema)

    def other_value(self, old):
        """Something else than `old`: most often of the same type."""
        chance = self.chance
        kind = chance.random()
        if kind < 0.25:
            return copy.deepcopy(chance.choice(OTHER_TYPES))
        if isinstance(old, bool):
            return not old
        if isinstance(old, (int, float)):
            return chance.choice(self.numbers)
        if isinstance(old, str):
            return self.other_text(old)
        if isinstance(old, list):
            return self.other_list(old)
        donor = chance.choice(self.valid)
        return copy.deepcopy(look(donor, chance.choice(list(places(donor)))))

    def other_text(self, old):
        chance = self.chance
        if chance.random() < 0.6 or not old:
            return chance.choice(TEXTS)
        at = chance.randrange(len(old))
        return old[:at] + chance.choice(["", "\u0000", "_", "A", "-", ".", "é", " ", old]) + old[at:]

    def other_list(self, old):
        chance = self.chance
        kind = chance.random()
        if kind < 0.3 or not old:
            return []
        if kind < 0.6:
            return old + [copy.deepcopy(chance.choice(old))]
        return [copy.deepcopy(chance.choice(old)) for _ in range(chance.choice([2, 3, 17, 65, 257]))]

    def change(self, document):
        chance = self.chance
        path = chance.choice(list(places(document)))
        at = look(document, path)
        kind = chance.random()
        if kind < 0.2 and path:
            del look(document, path[:-1])[path[-1]]  # missing
            return document
        if kind < 0.4 and isinstance(at, dict):
            name = chance.choice(self.names + TEXTS + ["tsaks", "comand"])
            at[name] = self.other_value(chance.choice([0, "", [], True]))
            return document
        if kind < 0.44:
            return put(document, path, nested(chance, chance.choice([2, 30, 31, 32, 33, 40, 200])))
        if kind < 0.47 and isinstance(at, dict):
            for i in range(chance.choice([65, 257, 300])):
                at[f"k{i}"] = "v"
            return document
        return put(document, path, self.other_value(at))

    def as_bytes(self, document):
        """Mostly plain JSON; sometimes broken in ways that only bytes can be."""
        chance = self.chance
        text = json.dumps(document, ensure_ascii=chance.random() < 0.5).encode()
        kind = chance.random()
        at = chance.randrange(len(text) + 1)
        if kind < 0.02:
            return text[:at] + chance.choice(BAD_BYTES) + text[at:]
        if kind < 0.04:
            return text[:at]
        if kind < 0.05:
            return text + chance.choice([b"{}", b" x", b"\x00", b","])
        if kind < 0.07 and isinstance(document, dict) and document:
            name = chance.choice(list(document))
            return b"{" + json.dumps(name).encode() + b": 0, " + text[1:]
        return text

    def next(self):
        document = copy.deepcopy(self.chance.choice(self.valid))
        for _ in range(self.chance.choice([0, 1, 1, 1, 1, 2])):
            document = self.change(document)
        return self.as_bytes(document)
