"""Where in a file something is wrong, and numbers read with that in mind. Pure."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from re import compile as pattern
from typing import Final

from planograms.errors import BadPlanogram


@dataclass(frozen=True, slots=True)
class Place:
    """A line or a cell of a file, as messages call it."""

    file: str
    line: int | None = None
    field: str = ""

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}, line {self.line}"
        return f"{where}: {self.field}" if self.field else where

    def at(self, field: str) -> "Place":
        """The same line, another field."""
        return Place(self.file, self.line, field)

    def wrong(self, what: str) -> BadPlanogram:
        """An error that names this place."""
        return BadPlanogram(f"{self}: {what}")


@contextmanager
def told_at(place: Place) -> Iterator[None]:
    """Say of a value that refuses itself where in the file it came from."""
    try:
        yield
    except ValueError as error:
        raise place.wrong(str(error)) from error


def number(
    text: str, place: Place, *, default: float | None = None, above: float | None = None
) -> float:
    """A number as the file spells it; a decimal comma is none.

    Args:
        default: for an empty cell; None: it must not be empty.
        above: it must be larger than this.
    Raises:
        BadPlanogram: it is no number, or out of range; says what is allowed.
    """
    wanted = "a number such as 12 or 12.5" + ("" if above is None else f" above {above:g}")
    if not text.strip():
        if default is None:
            raise place.wrong(f"is empty; {wanted} is needed")
        return default
    try:
        value = float(text)
    except ValueError:
        raise place.wrong(f"{text[:40]!r} is not allowed; {wanted} is") from None
    if not isfinite(value) or (above is not None and value <= above):
        raise place.wrong(f"{text[:40]!r} is not allowed; {wanted} is")
    return value


def count(text: str, place: Place, *, default: int = 1, most: int = 500) -> int:
    """A whole number of 1 or more; empty, 0 and -1 (other systems' "as usual") are the default.

    Raises:
        BadPlanogram: it is none.
    """
    value = number(text, place, default=default)
    if value in (0, -1):
        return default
    if value != int(value) or not 1 <= value <= most:
        raise place.wrong(f"{text[:40]!r} is not allowed; a whole number from 1 to {most} is")
    return int(value)


_UNFIT: Final = pattern(r"[^A-Za-z0-9._-]+")


def file_safe(name: str, *, otherwise: str) -> str:
    """A name as an id that can be a file's name: letters, digits, dot, dash, underscore."""
    return _UNFIT.sub("-", name).strip("-.")[:80] or otherwise


def unlike(names: list[str]) -> list[str]:
    """The same names, later ones of equal ones with -2, -3, ... added."""
    out: list[str] = []
    taken: set[str] = set()
    for name in names:
        tried, k = name, 2
        while tried in taken:
            tried, k = f"{name}-{k}", k + 1
        taken.add(tried)
        out.append(tried)
    return out
