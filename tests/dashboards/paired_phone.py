"""A clerk's phone that is paired with a fake node: how it looks, and what it is awaited by."""

from typing import Any, Final

from tests.dashboards.fake_node import FakeNode
from tests.dashboards.fake_shelf import FakeShelf
from tests.dashboards.looking import Look
from tests.patience import until

PHONE: Final[Look] = ("phone", "en", "light")
Node = tuple[FakeNode, FakeShelf, str]
"""Of the fixture `node`: what it says, what its shelf was told, its address."""


def wait_until_taken(page: Any, seen: FakeShelf, times: int) -> None:
    """Until the node has so many photos."""
    until(lambda: len(seen.kept) >= times, what=f"photo {times} at the node", page=page)
    assert len(seen.kept) == times
