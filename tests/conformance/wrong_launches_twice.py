"""Wrong on purpose: a repeated launch runs the command once more."""
import subprocess
import sys

from example import Adapter, main


class LaunchesTwice(Adapter):
    def launch(self, **request):
        if request["token"] in self.requests:
            # Bounded, because nothing will ever end it.
            subprocess.Popen(["timeout", "5", *request["run"]["command"]], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=sys.stderr)
        return super().launch(**request)


main(LaunchesTwice())
