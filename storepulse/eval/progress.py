"""Say on stderr how far a measure is. Counts nothing for the figures."""

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Protocol, TypeVar

from rich.console import Console
from rich.progress import track

T = TypeVar("T")

TALK: Final = Console(stderr=True, soft_wrap=True, highlight=False)
_SAY_EVERY_S: Final = 10.0


class Steps(Protocol):
    """Goes through items and may say how far it is."""

    def __call__(self, items: Sequence[T], what: str) -> Iterable[T]:
        """Yield the items; `what` names the work."""
        ...


def silently(items: Sequence[T], what: str) -> Iterable[T]:  # noqa: ARG001
    """Go through items and say nothing."""
    return items


def on_stderr(items: Sequence[T], what: str) -> Iterable[T]:
    """A bar on a terminal; into a file, a line now and then."""
    if TALK.is_terminal:
        return track(items, what, console=TALK, transient=True)
    return _by_lines(items, what)


def _by_lines(items: Sequence[T], what: str) -> Iterator[T]:
    said_s = time.monotonic()
    TALK.print(f"{what}: {len(items)}", markup=False)
    for number, item in enumerate(items):
        if time.monotonic() - said_s > _SAY_EVERY_S:
            said_s = time.monotonic()
            TALK.print(f"{what}: {number} of {len(items)}", markup=False)
        yield item
