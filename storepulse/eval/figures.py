"""What a measure has to say: named figures with their doubt, as JSON and as a table. Measures none.

Every figure of docs/proof.md is one of these, printed by the command named beside it there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import TypeAdapter
from rich.table import Table

Setting = str | int | float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure. `low` and `high` are the 5th and 95th percentile, where they are known."""

    name: str
    value: float | None
    """None: not known, and the report's notes say why."""
    of: str = "all"
    """The part of the data it is about."""
    low: float | None = None
    high: float | None = None
    n: int | None = None
    """How many things were counted for it."""
    unit: str = ""

    def __post_init__(self) -> None:
        if (self.low is None) != (self.high is None):
            raise ValueError(f"{self.name}: an interval has two ends")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"{self.name}: low {self.low} is above high {self.high}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one run of a measure gave; the same data, settings and seed give the same report."""

    measure: str
    settings: Mapping[str, Setting]
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = field(default=())
    """What a reader of the figures must know."""

    def figure(self, name: str, of: str = "all") -> Figure:
        """The figure of this name.

        Raises:
            KeyError: there is none.
        """
        for figure in self.figures:
            if (figure.name, figure.of) == (name, of):
                return figure
        raise KeyError(f"{self.measure} has no figure {name} of {of}")


_REPORT_JSON: Final = TypeAdapter(Report)
_DIGITS: Final = 4


def as_json(report: Report) -> dict[str, Any]:
    """Plain JSON values; numbers to four digits after the point."""
    plain = _REPORT_JSON.dump_python(report, mode="json")
    for figure in plain["figures"]:
        for key in ("value", "low", "high"):
            if figure[key] is not None:
                figure[key] = round(figure[key], _DIGITS)
    return dict(plain)


def as_table(report: Report) -> Table:
    """The same for a person to read."""
    said = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in report.settings.items())
    table = Table(
        "figure", "of", "value", "90 % interval", "n",
        title=report.measure, caption="\n".join((said, *report.notes)), caption_justify="left",
    )  # fmt: skip
    for figure in report.figures:
        interval = "" if figure.low is None else f"{_short(figure.low)} to {_short(figure.high)}"
        value = _short(figure.value) + (f" {figure.unit}" if figure.unit else "")
        count = "" if figure.n is None else f"{figure.n:,}"
        table.add_row(figure.name.replace("_", " "), figure.of, value, interval, count)
    return table


def _short(value: float | None) -> str:
    if value is None:
        return "unknown"
    return f"{value:.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:.3f}"
