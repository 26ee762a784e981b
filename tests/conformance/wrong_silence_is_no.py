"""Wrong on purpose: a launch that the provider did not answer is told as one that did not happen."""
from far import Far, main


class SilenceIsNo(Far):
    def silent(self, verb, why):
        return {"outcome": "not_done", "message": "no answer"} if verb == "launch" else super().silent(verb, why)


main(SilenceIsNo())
