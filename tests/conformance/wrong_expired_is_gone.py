"""Wrong on purpose: when its credentials have expired it sees nothing, and says that nothing is there."""
from far import Far, main


class ExpiredIsGone(Far):
    def refused(self, verb, params, refusal):
        if refusal.code in (401, 403) and verb == "find":
            return {"phase": "absent", "token": params["token"], "seq": 0}
        if refusal.code in (401, 403) and verb == "list":
            return {"items": [], "complete": True, "as_of": "2026-01-01T00:00:00.000Z", "next_cursor": ""}
        return super().refused(verb, params, refusal)


main(ExpiredIsGone())
