"""How tests are handed to several workers."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

from tests.support.order import group


class Groups(LoadScopeScheduling):  # type: ignore[misc]
    """Gives workers whole groups, in the order of the tests.

    This is `--dist loadgroup`, whose groups pytest-xdist 3.8 loses with pytest 9: it keeps them in node IDs,
    which pytest lets no one change any more.
    """

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)
