"""Wrong on purpose: lists the newest five only, and says that this is all."""
from example import Adapter, main


class HalfList(Adapter):
    def list(self, owner, cursor=""):
        page = super().list(owner)
        return dict(page, items=page["items"][-5:], complete=True, next_cursor="")


main(HalfList())
