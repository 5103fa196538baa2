"""How a test waits: until a page shows something, or something has happened. Never a fixed time.

A page goes on changing while it is asked, so it is asked again until it is as it should be. What a
limit stops is a test that has failed anyway: limits are long, for machines that are slow or busy.
"""

import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

try:
    from playwright.sync_api import expect
except ImportError:  # the tests with a browser say so themselves (tests/conftest.py)
    expect: Any = None  # type: ignore[no-redef]

__all__ = ["PATIENCE_MS", "PATIENCE_S", "expect", "until"]

PATIENCE_S: Final = 30.0
PATIENCE_MS: Final = PATIENCE_S * 1000
_LOOK_EVERY_S: Final = 0.05

if expect is not None:
    expect.set_options(timeout=PATIENCE_MS)

Found = TypeVar("Found")


def until(
    look: Callable[[], Found], *, what: str, page: Any = None, limit_s: float = PATIENCE_S
) -> Found:
    """Look again and again until something is found; gives what was found.

    Args:
        look: gives something that counts as true once it is there.
        what: names it, should it not come.
        page: of a browser, if one is open: what it tells meanwhile is heard.
    Raises:
        AssertionError: it did not come in time.
    """
    ends = time.monotonic() + limit_s
    while not (found := look()):
        assert time.monotonic() < ends, f"{what}: not within {limit_s:g} s"
        if page is None:
            time.sleep(_LOOK_EVERY_S)
        else:
            page.wait_for_timeout(_LOOK_EVERY_S * 1000)
    return found
