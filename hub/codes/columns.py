"""A whole chain's board as columns: ten thousand shops in one answer. As stored; computes none.

What a row says in words (`hub.api.answers.BoardRow`), its rules and reasons, is left to the pages
of a board and to a shop's own page: here are signs and figures alone, a letter or a number each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from hub.codes.sentences import unit_of
from hub.store.database import Connection
from hub.store.queries import question
from storepulse.actions import DIMENSIONS, Dimension

NONE: Final = "-"
"""The letter where there is no code, and where a code is not turning."""
_DIGITS: Final = 4
"""Of a figure and a probability: no board shows more, and each travels ten thousand times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionColumns:
    """One dimension of every shop, in the order of `BoardColumns.shop`.

    Colours are the first letter of their word (green, yellow, orange, red, unknown), `-` for none.
    """

    dimension: Dimension
    unit: str
    colour: str
    """A letter a shop."""
    before: str
    """The same of the day before."""
    turning: str
    probability: tuple[float | None, ...]
    value: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardColumns:
    """The shops of whoever asks, and their codes of one day; without any day or shop, empty."""

    day: date | None = None
    shop: tuple[str, ...] = ()
    name: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    format: tuple[str, ...] = ()
    simulated: tuple[bool, ...] = ()
    dimensions: tuple[DimensionColumns, ...] = ()


def read_columns(
    connection: Connection, day: date, *, shops: Sequence[str] | None = None
) -> BoardColumns:
    """The stored codes of a day, the newest version of each; `shops` None for all."""
    asked = {"day": day, "shops": None if shops is None else list(shops)}
    rows = connection.execute(question("board_columns"), asked).fetchall()

    def column(name: str) -> tuple[Any, ...]:
        return tuple(row[name] for row in rows)

    return BoardColumns(
        day=day, shop=column("shop"), name=column("name"), region=column("region"),
        format=column("format"), simulated=column("simulated"),
        dimensions=tuple(_dimension(one, rows) for one in DIMENSIONS),
    )  # fmt: skip


def _dimension(dimension: Dimension, rows: Sequence[Mapping[str, Any]]) -> DimensionColumns:
    now = [_place(row["dimensions"], dimension) for row in rows]
    before = [_place(row["dimensions_before"], dimension) for row in rows]
    return DimensionColumns(
        dimension=dimension, unit=unit_of(dimension),
        colour=_letters(rows, "colours", now), before=_letters(rows, "before", before),
        turning=_letters(rows, "turning", now), probability=_numbers(rows, "probabilities", now),
        value=_numbers(rows, "values", now),
    )  # fmt: skip


def _place(named: str | None, dimension: Dimension) -> int | None:
    """Where a dimension stands among those of a row, named in one word; None: it does not."""
    if named == _ALL_FOUR:
        return _AT[dimension]
    names = (named or "").split(",")
    return names.index(dimension) if dimension in names else None


_ALL_FOUR: Final = ",".join(sorted(DIMENSIONS))
_AT: Final[Mapping[str, int]] = {name: at for at, name in enumerate(sorted(DIMENSIONS))}


def _letters(
    rows: Sequence[Mapping[str, Any]], name: str, places: Sequence[int | None]
) -> str:  # fmt: skip
    return "".join(
        NONE if at is None else row[name][at] for row, at in zip(rows, places, strict=True)
    )


def _numbers(
    rows: Sequence[Mapping[str, Any]], name: str, places: Sequence[int | None]
) -> tuple[float | None, ...]:
    found = (
        None if at is None else row[name][at] for row, at in zip(rows, places, strict=True)
    )  # fmt: skip
    return tuple(None if one is None else round(one, _DIGITS) for one in found)
