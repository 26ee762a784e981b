"""Workloads made from schema/workload.schema.json: every place that a document can have, what is valid there, and what is
just past it."""

import json

import jsonschema

from broker import ROOT

SCHEMA = json.loads((ROOT / "schema" / "workload.schema.json").read_text(encoding="utf-8"))
# What a field of this pattern can be; the smallest valid example for what a schema cannot show by itself.
EXAMPLES = {
    "^sha256:[0-9a-f]{64}$": "sha256:" + "0" * 64,
    "^[A-Z]{2}$": "CN",
    "^/": "/",
}


def resolve(schema):
    while "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema


def validator(schema):
    return jsonschema.Draft202012Validator({**schema, "$defs": SCHEMA["$defs"]})


def met(way, names):
    if "required" in way:
        return set(way["required"]) <= set(names)
    return any(met(one, names) for one in way.get("anyOf", ()))


def lacking(schema, names):
    """What one of several ways to be valid still needs beside `names`: nothing when one is met."""
    more = []
    for key in ("anyOf", "oneOf"):
        ways = [way for way in schema.get(key, ()) if "required" in way or "anyOf" in way]
        if ways and not any(met(way, names) for way in ways):
            more += ways[0]["required"]
    return more


def sample(schema, needed=()):
    """A small valid value; of an object what is required, and what is `needed`."""
    schema = resolve(schema)
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema and "properties" not in schema:
        return sample(schema["anyOf"][0])
    kind = schema["type"]
    if kind == "object":
        names = [*schema.get("required", ()), *needed]
        for one in names:  # which grows: what one needs may need more
            names += [more for more in schema.get("dependentRequired", {}).get(one, ()) if more not in names]
        names += lacking(schema, names)
        for rule in (schema, *schema.get("allOf", ())):
            if "if" in rule and set(rule["if"].get("required", ("",))) <= set(names):
                names += lacking(rule["then"], names)
        return {one: sample(schema["properties"][one]) for one in names if one in schema.get("properties", {})}
    if kind == "array":
        count = schema.get("minItems", 0)
        inner = (schema.get("prefixItems") or [schema.get("items")])[0]
        return [sample(inner) for _ in range(count)]
    if kind == "boolean":
        return True
    if kind in ("integer", "number"):
        return max(schema.get("minimum", 1), schema.get("exclusiveMinimum", 0) + 1 if "exclusiveMinimum" in schema else
                   schema.get("minimum", 1))
    pattern = schema.get("pattern", "")
    for candidate in (EXAMPLES.get(pattern), "x", "1", "2030-01-01T00:00:00Z"):
        if candidate is not None and validator(schema).is_valid(candidate):
            return candidate
    raise AssertionError(f"no example for {schema}")


class Field:
    """One place of the schema: how to build a document that holds it, and what is wrong there."""

    def __init__(self, path, schema, required, closed, unsupported):
        self.path = path  # tokens; an array's item is 0, a map's name is a text
        self.schema = schema
        self.required = required
        self.closed = closed  # the parent refuses unknown names
        self.unsupported = unsupported  # the pointer of what is refused as a whole, whatever stands in it

    @property
    def pointer(self):
        return "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in self.path)

    @property
    def parent(self):
        return self.pointer.rpartition("/")[0]

    def document(self, value):
        """A workload that is valid but for `value` standing here."""
        return build(SCHEMA, self.path, value)


def build(schema, path, value):
    schema = resolve(schema)
    if not path:
        return value
    head, rest = path[0], path[1:]
    if "anyOf" in schema and "properties" not in schema and schema.get("type") is None:
        schema = resolve(schema["anyOf"][1])
    if schema["type"] == "array":
        inner = (schema.get("prefixItems") or [schema["items"]])[0]
        return [build(inner, rest, value)]
    properties = schema.get("properties", {})
    if head in properties:
        got = sample(schema, (head,))
        if path[0] in ("image", "secrets", "env", "files", "stack") and "command" in properties:
            got.setdefault("command", ["x"])
        if head == "in":  # a list of words is of a fact that is one
            got["fact"] = "jurisdiction"
        got[head] = build(properties[head], rest, value)
        return got
    return {head: build(schema["additionalProperties"], rest, value)}


def fields(schema, path=(), required=False, closed=True, unsupported=None, within=()):
    """Every place of the schema, the root not included; of a definition that contains itself one level."""
    if schema.get("$ref") in within:
        return
    within = (*within, schema["$ref"]) if "$ref" in schema else within
    if unsupported is None and schema.get("description", "").startswith("Not supported yet."):
        unsupported = "".join(f"/{token}" for token in path)
    schema = resolve(schema)
    if path:
        yield Field(path, schema, required, closed, unsupported)
    if "anyOf" in schema and schema.get("type") is None:
        for one in schema["anyOf"]:
            if resolve(one).get("type") == "object":
                yield from list(fields(one, path, required, closed, unsupported, within))[1:]
        return
    kind = schema.get("type")
    if kind == "object":
        for name, inner in schema.get("properties", {}).items():
            yield from fields(inner, (*path, name), name in schema.get("required", ()),
                              schema.get("additionalProperties") is False, unsupported, within)
        if isinstance(schema.get("additionalProperties"), dict):
            yield from fields(schema["additionalProperties"], (*path, "name"), False, False, unsupported, within)
    elif kind == "array":
        inner = (schema.get("prefixItems") or [schema["items"]])[0]
        yield from fields(inner, (*path, 0), False, False, unsupported, within)


def edges(schema):
    """Values just past what the schema allows."""
    if "minimum" in schema:
        yield schema["minimum"] - 1
    if "maximum" in schema:
        yield schema["maximum"] + 1
    if "exclusiveMinimum" in schema:
        yield schema["exclusiveMinimum"]
    if "maxLength" in schema:
        yield "x" * (schema["maxLength"] + 1)
    if "maxItems" in schema:
        inner = (schema.get("prefixItems") or [schema["items"]])[0]
        yield [sample(inner)] * (schema["maxItems"] + 1)
    if schema.get("uniqueItems"):
        yield [sample(schema["items"])] * 2
    if "maxProperties" in schema:
        yield {f"K{i}": sample(schema["additionalProperties"]) for i in range(schema["maxProperties"] + 1)}
    if "propertyNames" in schema:
        yield {"bad name!": sample(schema["additionalProperties"])}
        yield {"x" * 1000: sample(schema["additionalProperties"])}
