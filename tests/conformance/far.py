"""An adapter whose provider is elsewhere (centre.py), for the faults that the kit plays between the two."""
import functools
import http.client
import json
import urllib.error
import urllib.request

from example import Adapter, Refused, main  # noqa: F401  (main is for who imports this)

TIMEOUT_S = 10


def asked_far_away(name):
    @functools.wraps(getattr(Adapter, name))
    def verb(self, **params):
        return self.ask(name, params)
    return verb


class Far:
    def initialize(self, version, provider, owner, state_dir, config, sites):
        if version != 1 or set(config) != {"endpoint"}:
            raise Refused("invalid", f"understood are version 1 and a config {{\"endpoint\": URL}}, not {version}, {config}")
        self.at = f"{config['endpoint']}/{owner}/"
        return {"version": 1, "kind": "far", "adapter_version": "1", "idempotency": "native_token",
                "max_visibility_delay_s": 0, "capabilities": []}

    def ask(self, verb, params):
        request = urllib.request.Request(self.at + verb, json.dumps(params).encode())
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refusal:
            return self.refused(verb, params, refusal)
        except (OSError, http.client.HTTPException, ValueError) as e:  # no answer, half of one, or nonsense
            return self.silent(verb, e)

    def refused(self, verb, params, refusal):
        if refusal.code in (401, 403):
            raise Refused("unauthorised", "the provider does not take our credentials")
        try:
            said = json.load(refusal)
        except (OSError, http.client.HTTPException, ValueError) as e:
            return self.silent(verb, e)
        raise Refused(said["kind"], said["message"])

    def silent(self, verb, why):
        raise Refused("unavailable", f"the provider does not answer: {why}")


for name in ("probe", "offers", "launch", "find", "get", "list", "cancel"):
    setattr(Far, name, asked_far_away(name))

if __name__ == "__main__":
    main(Far())
