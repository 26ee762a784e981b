"""Visits every operation of the API once, well and badly, and fails unless each answer is as openapi.json describes.

The broker must hold one workload of the member's tenant that has run: its id and its decision's id are given.
"""

import argparse
import sys

from contract import Contract, ContractError

BODY = {"kind": "batch", "name": "tour", "variants": [{"command": ["/bin/true"]}]}
NOBODY = "01890000-0000-7000-8000-000000000000"


def expect(answer, *statuses):
    if answer.status not in statuses:
        raise ContractError(f"expected {statuses}, got {answer.status}: {answer.body[:500]!r}")
    return answer


def tour_workloads(member, workload, decision):
    made = expect(member.request("POST", "/v1/workloads", BODY, {"Idempotency-Key": "tour"}), 201)
    expect(member.request("POST", "/v1/workloads", BODY, {"Idempotency-Key": "tour"}), 200)
    expect(member.request("POST", "/v1/workloads", {**BODY, "tasks": 0}), 400)
    expect(member.request("POST", "/v1/workloads", {**BODY, "ports": []}), 400, 422)
    expect(member.request("POST", "/v1/workloads", "{", {"Content-Type": "application/json"}), 400)
    path = made.headers["location"]
    expect(member.request("GET", path), 200)
    expect(member.request("HEAD", path), 200)
    expect(member.request("OPTIONS", path), 204)
    expect(member.request("PATCH", path), 405)
    expect(member.request("GET", path, headers={"If-None-Match": made.headers["etag"]}), 304)
    expect(member.request("POST", path + "/cancel", headers={"If-Match": '"999999"'}), 412)
    expect(member.request("POST", path + "/cancel"), 202)
    expect(member.request("GET", "/v1/workloads?state=queued&state=succeeded&limit=1"), 200)
    expect(member.request("GET", "/v1/workloads?colour=red"), 400)
    assert any(one["id"] == workload for one in member.items("/v1/workloads?limit=1"))
    run = "/v1/workloads/" + workload
    expect(member.request("POST", run + "/retry"), 201, 409)
    expect(member.request("POST", run + "/give-up", {"attempt": NOBODY, "accept_second_copy": True}), 409)
    expect(member.request("POST", run + "/give-up", {"attempt": NOBODY}), 400)
    for end in ("", "/events", "/logs", "/files", "/attempts", "/decision"):
        expect(member.request("GET", run + end), 200)
        expect(member.request("GET", f"/v1/workloads/{NOBODY}{end}"), 404)
    for one in member.request("GET", run + "/files").json["items"]:
        expect(member.request("GET", f"{run}/files/{one['path']}"), 200)
    expect(member.request("GET", run + "/files/none"), 404)
    answer, body = member.stream(run + "/logs?follow=true")
    expect(answer, 200)
    body.read()
    last = [one for one in member.events(run + "/events")][-1]
    assert last["event"] == "end", last
    for target in ("/v1/decisions/" + decision, run + "/decision"):
        told = {spoken: member.request("GET", f"{target}?language={spoken}") for spoken in ("en", "zh")}
        for answer in told.values():
            expect(answer, 200)
        assert told["en"].json == member.request("GET", target).json
        assert told["en"].json["explanation"] != told["zh"].json["explanation"]
        expect(member.request("GET", target + "?language=fr"), 400)
    for target in (run, "/v1/workloads"):
        expect(member.request("GET", target + "?language=zh"), 200)
        expect(member.request("GET", target + "?language=fr"), 400)
    expect(member.request("GET", "/v1/decisions/" + decision), 200)
    expect(member.request("GET", f"/v1/decisions/{decision}/replay"), 200)
    expect(member.request("GET", f"/v1/decisions/{NOBODY}/replay"), 404)
    expect(member.request("GET", "/v1/events?limit=2"), 200)
    expect(member.request("POST", "/v1/plans", BODY), 200)
    expect(member.request("POST", "/v1/plans?language=zh", BODY), 200)
    expect(member.request("POST", "/v1/plans?language=", BODY), 400)
    expect(member.request("POST", "/v1/bundles", b"bytes", {"Content-Type": "application/x-tar"}), 201)


def tour_market(member, operator):
    for target in ("/v1/offers", "/v1/signals", "/v1/providers", "/v1/policies", "/v1/usage", "/v1/charges"):
        expect(member.request("GET", target), 200)
        list(member.items(target + "?limit=1"))
    offer = next(member.items("/v1/offers"))["id"]
    expect(member.request("GET", f"/v1/offer-history?offer={offer}"), 200)
    expect(member.request("GET", f"/v1/offer-history?offer={offer}&from=2026-01-01T00:00:00Z&until=2025-01-01T00:00:00Z"), 400)
    expect(member.request("GET", f"/v1/offer-history?offer={offer}&from=yesterday"), 400)
    expect(member.request("GET", "/v1/offer-history?offer=nobody/nowhere/none/spot"), 404)
    expect(member.request("GET", "/v1/offer-history"), 400)
    provider = [p for p in member.items("/v1/providers") if p["kind"] != "catalogue"][0]["id"]
    policy = next(member.items("/v1/policies"))["name"]
    expect(member.request("GET", "/v1/providers/" + provider), 200)
    expect(member.request("GET", "/v1/policies/" + policy), 200)
    for verb, status in (("probe", 200), ("cordon", 204), ("uncordon", 204)):
        expect(member.request("POST", f"/v1/providers/{provider}/{verb}"), 403)
        expect(operator.request("POST", f"/v1/providers/{provider}/{verb}"), status)
    for kind, one in (("providers", provider), ("policies", policy)):
        expect(operator.request("POST", f"/v1/{kind}", {}), 409)
        expect(operator.request("PUT", f"/v1/{kind}/{one}", {}), 409)
        expect(operator.request("DELETE", f"/v1/{kind}/{one}"), 409)
    correction = {"zone": "CN-EAST", "source": "tour", "year": 2026, "quality": "monthly", "dry_run": True,
                  "factors": [{"start_at": "2026-01-01T00:00:00Z", "end_at": "2027-01-01T00:00:00Z", "g_per_kwh": 500}]}
    expect(operator.request("POST", "/v1/carbon-corrections", correction), 200)
    expect(operator.request("POST", "/v1/carbon-corrections?limit=1", correction), 200)
    expect(operator.request("POST", "/v1/carbon-corrections", {**correction, "site": "hall/east"}), 400)
    expect(operator.request("POST", "/v1/carbon-corrections", {**correction, "factors": []}), 400)
    expect(operator.request("POST", "/v1/carbon-corrections?cursor=x", correction), 400)
    expect(member.request("POST", "/v1/carbon-corrections", correction), 403)
    expect(operator.request("GET", "/v1/certificates"), 200)
    expect(member.request("GET", "/v1/certificates"), 403)
    expect(operator.request("GET", "/v1/decisions"), 200)
    list(operator.items("/v1/decisions?limit=1"))
    compared = {"before": {"name": "cheapest"}, "after": {"name": "greenest"}, "last": 5}
    expect(operator.request("POST", "/v1/policy-comparisons", compared), 200)
    expect(operator.request("POST", "/v1/policy-comparisons", {**compared, "after": {"name": "none"}}), 404)
    expect(operator.request("POST", "/v1/policy-comparisons", {**compared, "last": 0}), 400)


def tour_upkeep(member, operator):
    expect(member.request("GET", "/v1/whoami"), 200)
    expect(member.request("GET", "/v1/whoami", key=""), 401)
    expect(member.request("GET", "/v1/tenants"), 403)
    expect(operator.request("POST", "/v1/tenants", {"name": "tour"}), 201)
    expect(operator.request("POST", "/v1/tenants", {"name": "tour"}), 409)
    expect(operator.request("GET", "/v1/tenants"), 200)
    for method, end in (("DELETE", ""), ("POST", "/revoke")):
        made = expect(operator.request("POST", "/v1/keys", {"tenant": "tour", "name": "tour"}), 201).json
        expect(operator.request("GET", "/v1/whoami", key=made["secret"]), 200)
        expect(operator.request(method, f"/v1/keys/{made['key']['id']}{end}"), 204)
        expect(operator.request("GET", "/v1/whoami", key=made["secret"]), 401)
    expect(member.request("GET", "/v1/keys"), 200)
    expect(operator.request("GET", "/v1/orphans"), 200)
    expect(operator.request("POST", "/v1/sweep/confirm"), 204)
    expect(operator.request("POST", "/v1/backup"), 201)
    for target in ("/healthz", "/readyz", "/metrics", "/openapi.json"):
        expect(member.request("GET", target, key=""), 200)
    served = member.request("GET", "/openapi.json").json
    assert served == member.document.source, "the served document is not the file"


def main():
    parser = argparse.ArgumentParser()
    for name in ("port", "fingerprint", "operator", "member", "workload", "decision"):
        parser.add_argument("--" + name, required=True)
    args = parser.parse_args()
    member = Contract(int(args.port), fingerprint=args.fingerprint, key=args.member)
    operator = Contract(int(args.port), fingerprint=args.fingerprint, key=args.operator)
    operator.document = member.document
    tour_workloads(member, args.workload, args.decision)
    tour_market(member, operator)
    tour_upkeep(member, operator)
    missed = member.document.operations() - member.document.seen
    if missed:
        raise ContractError(f"not visited: {sorted(missed)}")
    member.close()
    operator.close()


if __name__ == "__main__":
    try:
        main()
    except (ContractError, AssertionError) as failed:
        print(f"contract: {failed}", file=sys.stderr)
        sys.exit(1)
