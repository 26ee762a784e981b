#!/usr/bin/python3
"""Recomputes what a simulation claims of its assignments, from published options, capacities and prices alone.

usage: check_certificate.py FILE...     (JSON lines, plain or .gz; see core/certificate.hpp)

For prices lambda >= 0, one per pool and slot, no assignment whatever costs less than
    LB = sum over workloads of min(refusal, unlisted floor, least over options and starts of
             cost + quantity * (sum of lambda over the slots held))  -  sum of lambda * capacity,
because a feasible assignment pays each workload's part at least, and holds no more than the capacity. Each line is
checked: options and choices are well formed, gangs whole and within the windows, no pool over its capacity in any slot,
the cost is that of the choices, the bound is LB, and the floor is LB at no prices. Nothing of the simulator is used.
Ends in 0 when every line holds, 1 when one does not, 2 when a file cannot be read. Standard library only.
"""
import gzip
import itertools
import json
import math
import sys

TOLERANCE = 1e-9  # of the sums of doubles, relative


class Refused(Exception):
    pass


def need(holds, why):
    if not holds:
        raise Refused(why)


def number(value, what, least=0.0):
    need(isinstance(value, (int, float)) and not isinstance(value, bool), f"{what} is not a number")
    need(math.isfinite(value) and value >= least, f"{what} is {value}")
    return value


def whole(value, what, least, most):
    need(isinstance(value, int) and not isinstance(value, bool) and least <= value <= most, f"{what} is {value}")
    return value


def near(claimed, found, what):
    scale = max(1.0, abs(claimed), abs(found))
    need(abs(claimed - found) <= TOLERANCE * scale, f"{what} is {found!r}, not {claimed!r} as claimed")


def read_prices(line, slots, pools):
    """Sums of lambda before each slot, one list a pool, and the sum of lambda times capacity."""
    prices, paid = {}, []
    for entry in line["lambda"]:
        need(isinstance(entry, list) and len(entry) == 3, "a price is not [pool, slot, price]")
        pool = whole(entry[0], "pool of a price", 0, len(pools) - 1)
        slot = whole(entry[1], "slot of a price", 0, slots - 1)
        need((pool, slot) not in prices, f"pool {pool} slot {slot} has two prices")
        prices[pool, slot] = number(entry[2], "a price")
        need(pools[pool][slot] is not None, f"pool {pool} has no limit in slot {slot}, but a price")
        paid.append(prices[pool, slot] * pools[pool][slot])
    before = {}
    for pool in {pool for pool, _ in prices}:
        before[pool] = [0.0, *itertools.accumulate(prices.get((pool, slot), 0.0) for slot in range(slots))]
    return before, math.fsum(paid)


def read_option(entry, slots, pools):
    need(isinstance(entry, list) and len(entry) == 7, "an option does not have seven numbers")
    pool = whole(entry[0], "pool of an option", 0, len(pools) - 1)
    quantity = whole(entry[1], "quantity", 1, 2**32 - 2)
    length = whole(entry[2], "slots of an option", 1, 2**32 - 1)
    first = whole(entry[3], "first start", 0, slots - 1)
    last = whole(entry[4], "last start", first, slots - 1)
    return pool, quantity, length, first, last, number(entry[5], "cost"), number(entry[6], "cost of a slot later")


def least_at(option, before, slots):
    """The option's least over its starts at the prices."""
    pool, quantity, length, first, last, cost, later = option
    sums = before.get(pool)
    if sums is None:
        return cost  # nothing to pay there, and later is never cheaper
    return min(cost + later * (start - first) + quantity * (sums[min(start + length, slots)] - sums[start])
               for start in range(first, last + 1))


def check(line):
    slots = whole(line["slots"], "slots", 1, 10**6)
    pools = line["pools"]
    for free in pools:
        need(len(free) == slots, "a pool does not state every slot")
        for cell in free:
            need(cell is None or whole(cell, "capacity", 0, 2**32 - 2) >= 0, "capacity")
    before, paid = read_prices(line, slots, pools)
    held = {}
    costs, parts, floors = [], [], []
    chosen_known = all("chosen" in job for job in line["jobs"])
    for job in line["jobs"]:
        options = [read_option(entry, slots, pools) for entry in job["options"]]
        refusal = number(job["refusal"], "refusal")
        elsewhere = min(refusal, number(job.get("unlisted_floor", refusal), "unlisted floor"))
        parts.append(min([elsewhere, *(least_at(option, before, slots) for option in options)]))
        floors.append(min([elsewhere, *(option[5] for option in options)]))
        if not chosen_known:
            continue
        if job["chosen"] is None:
            costs.append(refusal)
            continue
        pool, quantity, length, first, last, cost, later = options[whole(job["chosen"][0], "choice", 0, len(options) - 1)]
        start = whole(job["chosen"][1], "start", first, last)
        costs.append(cost + later * (start - first))
        for slot in range(start, min(start + length, slots)):
            held[pool, slot] = held.get((pool, slot), 0) + quantity
    for (pool, slot), units in held.items():
        free = pools[pool][slot]
        need(free is None or units <= free, f"pool {pool} holds {units} of {free} in slot {slot}")
    bound, floor = math.fsum(parts) - paid, math.fsum(floors)
    near(line["bound"], bound, "the bound")
    near(line["floor"], floor, "the floor")
    cost = number(line["cost"], "the cost")
    if chosen_known:
        near(cost, math.fsum(costs), "the cost")
    need(cost >= bound - TOLERANCE * max(1.0, abs(bound)), f"the cost {cost} is below the bound {bound}")
    return cost, bound, floor


def main(names):
    if not names:
        print(__doc__.split("\n\n")[1], file=sys.stderr)
        return 2
    sums = {}
    refused = 0
    for name in names:
        try:
            with (gzip.open if name.endswith(".gz") else open)(name, "rt", encoding="utf-8") as lines:
                for count, text in enumerate(lines, 1):
                    try:
                        line = json.loads(text)
                        found = check(line)
                    except Refused as why:
                        print(f"{name}:{count}: refused: {why}", file=sys.stderr)
                        refused += 1
                        continue
                    except (ValueError, KeyError, TypeError) as why:
                        print(f"{name}:{count}: refused: not a certificate: {why!r}", file=sys.stderr)
                        refused += 1
                        continue
                    sums.setdefault(line["kind"], []).append(found)
        except (OSError, EOFError) as why:
            print(f"{name}: {why}", file=sys.stderr)
            return 2
    for kind, found in sorted(sums.items()):
        cost, bound, floor = (math.fsum(part) for part in zip(*found))
        gap = 100 * (cost - bound) / bound if bound > 0 else 0.0
        above = f", of what contention costs at least {100 * (cost - bound) / (bound - floor):.4f} %" if bound > floor else ""
        print(f"{kind}: {len(found)} certificates hold: cost {cost:.6f}, bound {bound:.6f}, gap {gap:.6f} %{above}")
    if refused:
        print(f"{refused} refused", file=sys.stderr)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
