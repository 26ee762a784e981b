"""Wrong on purpose: what was launched is kept in memory only, so a restart forgets it."""
from example import Adapter, main


class Forgets(Adapter):
    def initialize(self, **params):
        answer = super().initialize(**params)
        self.requests, self.live = {}, {}
        return answer

    def launch(self, **request):
        # Bounded, because what is forgotten is never ended.
        request["run"]["command"] = ["timeout", "30", *request["run"]["command"]]
        return super().launch(**request)


main(Forgets())
