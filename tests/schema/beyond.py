"""What the decoders refuse and a JSON Schema cannot say: each rule by its name, as a predicate on the document. The
differential test holds the decoders to exactly the schema and these."""

import datetime
import decimal
import json
import math
import re

DEPTH_MAX = 32
BYTES_MAX = 1 << 20
CONFIG_BYTES_MAX = 256 * 1024


def get(value, *path):
    for part in path:
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return value


def items(value, *path):
    found = get(value, *path)
    return found if isinstance(found, list) else []


def depth(value):
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


def name_twice(text):
    """A name stands twice in one object."""
    twice = False

    def pairs(found):
        nonlocal twice
        twice = twice or len({name for name, _ in found}) < len(found)
        return dict(found)

    json.loads(text, object_pairs_hook=pairs)
    return twice


TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)\Z")


def instant(text):
    """Milliseconds since 1970, or None."""
    match = TIME.match(text) if isinstance(text, str) else None
    if not match:
        return None
    try:
        zone = match[4].upper().replace("Z", "+00:00")
        at = datetime.datetime.fromisoformat(f"{match[1]}T{match[2]}{zone}")
    except ValueError:
        return None
    fraction = int(((match[3] or ".0")[1:] + "00")[:3])
    return round(at.timestamp()) * 1000 + fraction


def no_such_day(text):
    return isinstance(text, str) and TIME.match(text) is not None and instant(text) is None


def repeated(values):
    values = [value for value in values if value is not None]
    return len(set(map(json.dumps, values))) < len(values)


def deadline_too_early(w):
    start, end = (instant(get(w, "timing", name)) for name in ("earliest_start_at", "deadline_at"))
    return start is not None and end is not None and end <= start


def workload_days(w):
    return any(no_such_day(get(w, "timing", name)) for name in ("earliest_start_at", "deadline_at", "target_at"))


def compliance_rules(w):
    return items(w, "constraints", "compliance") + items(w, "filters", "compliance")  # of a workload, of a policy


def compliance_days(w):
    return any(no_such_day(get(rule, name)) for rule in compliance_rules(w) for name in ("from_at", "until_at"))


def compliance_ends_early(w):
    spans = [[instant(get(rule, name)) for name in ("from_at", "until_at")] for rule in compliance_rules(w)]
    return any(start is not None and end is not None and end <= start for start, end in spans)


def expression_depth(node):
    parts = [part for name in ("all", "any", "none") for part in items(node, name)]
    joined = isinstance(node, dict) and any(name in node for name in ("all", "any", "none"))
    return int(joined) + max(map(expression_depth, parts), default=0)


def expression_too_deep(w):
    return any(expression_depth(get(rule, "forbid")) > 4 for rule in compliance_rules(w))


def speed_out_of_order(w):
    speeds = get(w, "work", "relative_throughput") or {}
    return any(isinstance(v, dict) and not v["low"] <= v["value"] <= v["high"] for v in speeds.values())


def runtime_p90_below_median(w):
    median, p90 = (get(w, "work", name) for name in ("runtime_s", "runtime_p90_s"))
    return median is not None and p90 is not None and p90 < median


def reference_without_accelerators(w):
    return get(w, "work", "reference") is not None and not items(w, "resources", "accelerators")


def tasks_out_of_order(w):
    tasks = get(w, "tasks")
    return isinstance(tasks, dict) and tasks["max"] < tasks["min"]


def range_without_reference(w):
    return isinstance(get(w, "tasks"), dict) and get(w, "work", "reference") is None


def spread_of_no_service(w):
    return get(w, "spread") is not None and get(w, "kind") != "service"


def spread_without_users(w):
    return get(w, "spread") is not None and get(w, "constraints", "origin") is None and get(w, "constraints", "origins") is None


def spread_too_wide(w):
    tasks = get(w, "tasks")
    return get(w, "spread") is not None and (isinstance(tasks, dict) or (tasks or 1) > 256)


def value_of_time_of_a_service(w):
    return get(w, "timing", "value_of_time") is not None and get(w, "kind") == "service"


def value_of_time_twice(w):
    return get(w, "timing", "value_of_time") is not None and get(w, "policy", "overrides", "prices", "time") is not None


def workload_stacks(w):
    return repeated(get(v, "stack") or "none" for v in items(w, "variants") if isinstance(v, dict))


def allowed_and_denied(w):
    providers = get(w, "constraints", "providers")
    return any(p in items(providers, "allow") for p in items(providers, "deny"))


def amount(value):
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0


def implied_prices(p):
    """Price by term, of prices and of weights."""
    found = {name: amount(get(value, "amount")) for name, value in (get(p, "prices") or {}).items()}
    weights = get(p, "weights") or {}
    for name, value in weights.items():
        if name != "price":
            try:
                found[name] = amount(get(value, "weight")) / amount(get(weights, "price", "weight")) * (
                    amount(get(weights, "price", "reference")) / amount(get(value, "reference")))
            except (ZeroDivisionError, OverflowError):
                found[name] = math.inf
    return found


def counted_twice(p):
    prices = implied_prices(p)
    return prices.get("carbon", 0) > 0 and prices.get("green_power", 0) > 0 and get(p, "counted_twice_meant") is not True


def price_overflows(p):
    return any(not math.isfinite(price) for price in implied_prices(p).values())


def term_twice(p):
    return any(repeated(get(key, "term") for key in items(p, "order", kind))
               for kind in ("service", "interactive", "batch"))


def bounds_crossed(p):
    allowed = get(p, "overrides") or {}
    each = [*(get(allowed, "prices") or {}).values(), *(value for name, value in allowed.items() if name != "prices")]
    exact = [[decimal.Decimal(str(get(bounds, end))) for end in ("min", "max") if get(bounds, end) is not None] for bounds in each]
    return any(len(ends) == 2 and ends[1] < ends[0] for ends in exact)


def sites_repeated(p):
    return repeated(get(site, "site") for site in items(p, "sites"))


def rtt_measured_twice(p):
    return any(repeated(get(m, "region") for m in items(site, "rtt_measured")) for site in items(p, "sites"))


def rtt_days(p):
    return any(no_such_day(get(m, "measured_at")) for site in items(p, "sites") for m in items(site, "rtt_measured"))


def site_unknown(p):
    known = [get(site, "site") for site in items(p, "sites")]
    return any(get(each, "site") is not None and get(each, "site") not in known
               for each in items(p, "prices") + items(p, "offers"))


def idle_above_max(p):
    return any(get(each, "idle_w") is not None and get(each, "max_w") is not None and each["idle_w"] > each["max_w"]
               for each in items(p, "prices") + items(p, "offers"))


def offers_repeated(p):
    return repeated([get(o, "site"), get(o, "name"), get(o, "billing_mode")] for o in items(p, "offers"))


def offer_days(p):
    return any(no_such_day(get(o, name)) for o in items(p, "offers") + items(p, "prices") for name in ("as_of", "available_from", "valid_until"))


def quote_ends_before_it_begins(p):
    ends = [[instant(get(each, name)) for name in ("available_from", "valid_until")]
            for each in items(p, "prices") + items(p, "offers")]
    return any(None not in pair and pair[1] <= pair[0] for pair in ends)


def shadow_price_of_nothing(p):
    return any(get(each, "shadow_price") is not None and get(each, "owned") is not True
               for each in items(p, "prices") + items(p, "offers"))


def shadow_price_in_another_currency(p):
    return any(get(each, "shadow_price") is not None and get(each, "term_price") is not None
               and get(each, "shadow_price", "currency") != get(each, "term_price", "currency")
               for each in items(p, "prices") + items(p, "offers"))


def owned_but_not_reserved(p):
    return any(get(o, "owned") is True and get(o, "billing_mode") != "reserved" for o in items(p, "offers"))


def minutes_of(window, offset):
    """Of the week in UTC, one by one."""
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    clock = lambda text: int(text[:2]) * 60 + int(text[3:])
    length = (clock(window["to"]) - clock(window["from"])) % 1440 or 1440
    for day in get(window, "days") or days:
        start = days.index(day) * 1440 + clock(window["from"]) - offset
        yield from ((start + minute) % 10080 for minute in range(length))


def hours_overlap(p):
    for each in items(p, "prices") + items(p, "offers"):
        hours = get(each, "price_schedule")
        if hours is None:
            continue
        offset = (1 if hours["utc_offset"][0] == "+" else -1) * (int(hours["utc_offset"][1:3]) * 60 + int(hours["utc_offset"][4:]))
        minutes = [minute for window in hours["windows"] for minute in minutes_of(window, offset)]
        if len(set(minutes)) < len(minutes):
            return True
    return False


def hours_of_what_is_owned(p):
    return any(get(each, "price_schedule") is not None and get(each, "owned") is True
               for each in items(p, "prices") + items(p, "offers"))


def wait_p90_below_median(p):
    return any(get(o, "queue_wait_p90_s") is not None and o["queue_wait_p90_s"] < (get(o, "queue_wait_s") or 0)
               for o in items(p, "offers"))


def config_too_large(p):
    return len(json.dumps(get(p, "config") or {}, ensure_ascii=False, separators=(",", ":")).encode()) > CONFIG_BYTES_MAX


def certificates_repeated(p):
    return repeated(get(c, "id") for c in items(p, "certificates"))


def certificate_days(p):
    return any(no_such_day(get(c, "expires_at")) for c in items(p, "certificates"))


RULES = {
    "workload": [
        deadline_too_early, workload_days, workload_stacks, allowed_and_denied, compliance_days, compliance_ends_early,
        tasks_out_of_order, range_without_reference, expression_too_deep, speed_out_of_order, reference_without_accelerators,
        runtime_p90_below_median, spread_of_no_service, spread_without_users, spread_too_wide, value_of_time_of_a_service, value_of_time_twice,
    ],
    "policy": [compliance_days, compliance_ends_early, expression_too_deep, counted_twice, price_overflows, term_twice, bounds_crossed],
    "certificates": [certificates_repeated, certificate_days],
    "provider": [sites_repeated, site_unknown, idle_above_max, offers_repeated, offer_days, config_too_large,
                 shadow_price_of_nothing, shadow_price_in_another_currency, owned_but_not_reserved, wait_p90_below_median,
                 quote_ends_before_it_begins, rtt_measured_twice, rtt_days, hours_overlap, hours_of_what_is_owned],
}


def unreadable(document, text):
    """What is refused before any field is looked at: the rule's name, or None."""
    if len(text) > BYTES_MAX:
        return "too_large"
    if depth(document) > DEPTH_MAX:
        return "too_deep"
    return "name_twice" if name_twice(text) else None


def broken_rule(kind, document):
    """The first rule that a schema-valid document breaks, by its name, or None."""
    return next((rule.__name__ for rule in RULES[kind] if rule(document)), None)
