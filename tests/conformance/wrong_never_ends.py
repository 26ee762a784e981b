"""Wrong on purpose: nothing can be cancelled. What it runs is bounded, because nothing will ever end it."""
from example import Adapter, Refused, main


class NeverEnds(Adapter):
    def launch(self, **request):
        request["run"]["command"] = ["timeout", "60", *request["run"]["command"]]
        return super().launch(**request)

    def cancel(self, token, grace_s=30):
        raise Refused("unavailable", "the provider does not answer")


main(NeverEnds())
