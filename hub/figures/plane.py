"""All shops on a plane of two figures of one day: metrics, or what codes are made of. Adds none up.

A metric is its day's kept figure; a dimension is its newest stored code's, which may look back over
several days (conversion: four weeks). Ten thousand shops come in one answer, by column.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from hub.codes.colours import WORST_FIRST
from hub.codes.reasons import FIGURE_WORDS
from hub.codes.sentences import unit_of
from hub.figures.reading import UnknownMetric
from hub.metrics import CATALOGUE
from hub.store.database import Connection
from hub.store.queries import question
from storepulse.actions import DIMENSIONS, Dimension
from storepulse.checklists import Sentence
from storepulse.errors import BadInput

NONE: Final = "-"
"""The letter where there is nothing."""
_WORST: Final = "".join(colour[0] for colour in WORST_FIRST)
_DIGITS: Final = 6
"""As many as codes have."""


class SameFigure(BadInput):
    """A plane of a figure against itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One figure of every shop, in the order of `Plane.shop`.

    `low` and `high` are the 5th and 95th percentile; both are the value where nothing is in doubt.
    """

    name: str
    """A metric of the catalogue, or a dimension, whose code's figure it is."""
    of_code: bool
    unit: str
    called: Sentence
    dimension: str
    """Which it is of; "around" or "node" for what is of none."""
    standing: str
    """A letter a shop: k known, u told without enough evidence, - nothing told."""
    value: tuple[float | None, ...] = ()
    low: tuple[float | None, ...] = ()
    """Never outside of what there can be: no share above 1, no count below 0."""
    high: tuple[float | None, ...] = ()
    n: tuple[int | None, ...] = ()
    """How many observations stand behind it; None where nobody said, and for codes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """The shops of whoever asks and two figures of each; without any day or shop, empty."""

    day: date | None = None
    x: Axis
    y: Axis
    coloured_by: tuple[Dimension, ...]
    """The dimensions whose worst colour `colour` is: those of the two figures, else all four."""
    shop: tuple[str, ...] = ()
    name: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    format: tuple[str, ...] = ()
    colour: str = ""
    """The first letter of a colour a shop, - for none."""
    behind: int = 0
    """Shops that have told more of the day than its kept metrics hold: a minute later they do."""


def read_plane(connection: Connection, x: str, y: str, day: date | None) -> Plane:
    """Two figures of every shop on a day.

    Args:
        connection: of the owner, or of a session, which then finds its own shops only.
        x: a metric of the catalogue or a dimension, and so is `y`.
        day: None gives a plane without shops, as of a chain that has told nothing.
    Raises:
        UnknownMetric, SameFigure: what was asked for is none, or not two.
    """
    across, up = axis_called(x), axis_called(y)
    if x == y:
        raise SameFigure(f"{x} against itself shows nothing: name two different figures")
    coloured = tuple(one for one in DIMENSIONS if one in (across.dimension, up.dimension))
    coloured = coloured or DIMENSIONS
    if day is None:
        return Plane(x=across, y=up, coloured_by=coloured)
    rows = connection.execute(
        question("plane"),
        {
            "day": day, "x": x, "y": y, "axes": [x, y], "coloured": list(coloured),
            "dimensions": [one for one in DIMENSIONS if one in coloured or one in (x, y)],
        },
    ).fetchall()  # fmt: skip
    is_kept = not (across.of_code and up.of_code)
    return Plane(
        day=day, x=_filled(across, rows, "x"), y=_filled(up, rows, "y"), coloured_by=coloured,
        shop=_column(rows, "shop"), name=_column(rows, "name"), region=_column(rows, "region"),
        format=_column(rows, "format"), colour="".join(_worst(row["letters"]) for row in rows),
        behind=_behind(connection, day) if is_kept else 0,
    )  # fmt: skip


def axis_called(name: str) -> Axis:
    """A figure by its name, without any shop's. Raises UnknownMetric."""
    for dimension in DIMENSIONS:
        if name == dimension:
            return Axis(
                name=name, of_code=True, unit=unit_of(dimension), called=FIGURE_WORDS[dimension],
                dimension=dimension, standing="",
            )  # fmt: skip
    metric = CATALOGUE.get(name)
    if metric is None:
        raise UnknownMetric(f"unknown figure {name!r}: `storepulse hub catalogue` lists them")
    return Axis(
        name=name, of_code=False, unit=metric.unit, called=metric.called,
        dimension=metric.dimension, standing="",
    )  # fmt: skip


def _filled(axis: Axis, rows: Sequence[Mapping[str, Any]], which: str) -> Axis:
    least = float("-inf") if axis.unit == "degC" else 0.0
    most = 1.0 if axis.unit == "share" else float("inf")
    return Axis(
        name=axis.name, of_code=axis.of_code, unit=axis.unit, called=axis.called,
        dimension=axis.dimension,
        standing="".join(
            NONE if not row[f"{which}_told"] else "u" if row[f"{which}_value"] is None else "k"
            for row in rows
        ),
        value=_numbers(rows, f"{which}_value"), low=_numbers(rows, f"{which}_low", least, most),
        high=_numbers(rows, f"{which}_high", least, most), n=_column(rows, f"{which}_n"),
    )  # fmt: skip


def _column(rows: Sequence[Mapping[str, Any]], name: str) -> tuple[Any, ...]:
    return tuple(row[name] for row in rows)


def _numbers(
    rows: Sequence[Mapping[str, Any]],
    name: str,
    least: float = float("-inf"),
    most: float = float("inf"),
) -> tuple[float | None, ...]:
    return tuple(
        None if row[name] is None else round(min(max(row[name], least), most), _DIGITS)
        for row in rows
    )


def _worst(letters: str) -> str:
    return min(letters, key=_WORST.index, default=NONE)


def _behind(connection: Connection, day: date) -> int:
    row = connection.execute(question("shops_behind"), {"day": day}).fetchone()
    assert row is not None
    return int(row["shops"])
