"""What a feed's row says: cells in, taps and facts out. Pure: no clock, no database.

A row is a mapping from a column's name to its text, whatever it came as (CSV, JSON). Times without
a zone are the shop's own.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from hub.feeds.reasons import BadRow, RowReason
from hub.ingest.fact_rules import storable

Row = Mapping[str, str]

CELL_CHARACTERS_MAX: Final = 200
_AHEAD: Final = timedelta(days=1)
"""A till's clock may be ahead of ours, and on the other side of the date line."""
_FIRST_YEAR: Final = 2000
_YES: Final = frozenset({"1", "yes", "y", "true", "是"})
_NO: Final = frozenset({"0", "no", "n", "false", "否", ""})


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidDeal:
    """A receipt: a deal of a shop. `undone`: taken back as a whole."""

    key: str
    shop: str
    at: datetime
    amount: float | None
    ticket: str | None
    undone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidReception:
    """A customer was received, as a queue's ticket or a chat says."""

    key: str
    shop: str
    at: datetime
    undone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidFigure:
    """A counted figure of one shop and window."""

    key: str
    """What tells it apart from all others of its feed and metric; the fact's id comes from it."""
    shop: str
    metric: str
    start: datetime
    end: datetime
    value: float
    dims: Mapping[str, str] = field(default_factory=dict)


Said = SaidDeal | SaidReception | SaidFigure


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedShop:
    """What a row must know of a shop."""

    shop: str
    timezone: str
    region: str = ""
    latitude: float | None = None
    longitude: float | None = None


Shops = Mapping[str, FeedShop]


def as_row(value: object, columns: Sequence[str]) -> Row:
    """A JSON object as a row: only the columns that its kind knows, null as an empty cell.

    What else it holds (a name, a telephone number) is not looked at and nowhere kept.

    Raises:
        BadRow: no object, or a cell that is one itself.
    """
    if not isinstance(value, Mapping):
        raise BadRow(RowReason.NOT_A_ROW, "an object of column and value is needed")
    return {name: _text(name, value.get(name)) for name in columns}


def _text(name: str, value: Any) -> str:
    match value:
        case None:
            text = ""
        case bool():
            text = "yes" if value else "no"
        case int() | float():
            text = repr(value)
        case str():
            text = value.strip()
        case _:
            raise BadRow(RowReason.NOT_A_ROW, f"{name}: a text or a number is needed")
    if len(text) > CELL_CHARACTERS_MAX:
        raise BadRow(RowReason.TOO_LONG, f"{name}: at most {CELL_CHARACTERS_MAX} characters")
    if not storable(text):
        raise BadRow(RowReason.NOT_A_ROW, f"{name}: characters that no text can hold")
    return text


def row_sha256(row: Row) -> bytes:
    """By this a row that comes again is the same."""
    said = json.dumps(dict(row), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(said.encode()).digest()


def needed(row: Row, name: str) -> str:
    """A cell that must be there."""
    text = row.get(name, "")
    if not text:
        raise BadRow(RowReason.MISSING, f"{name} is empty")
    return text


def shop_of(row: Row, shops: Shops) -> FeedShop:
    """The row's shop, if a list has named it."""
    name = needed(row, "shop")
    if name not in shops:
        raise BadRow(RowReason.UNKNOWN_SHOP, f"no list of shops names {name!r}")
    return shops[name]


def number(row: Row, name: str, *, least: float = -math.inf) -> float:
    """A finite number with a point; spaces and thousands' commas are not guessed at."""
    text = needed(row, name)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadRow(RowReason.NOT_A_NUMBER, f"{name}: {text!r} is no number such as 12.5")
    if value < least:
        raise BadRow(RowReason.OUT_OF_RANGE, f"{name}: {text} is below {least:g}")
    return value


def moment(row: Row, name: str, shop: FeedShop, *, now: datetime | None = None) -> datetime:
    """A time as 2026-11-20T10:00:00+08:00, or without zone in the shop's own.

    Args:
        now: later than this (and a day) it cannot be; None: it may be to come.
    """
    text = needed(row, name)
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRow(
            RowReason.NOT_A_TIME, f"{name}: {text!r} is no time such as 2026-11-20T10:00:00+08:00"
        ) from error
    if at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(shop.timezone))
    if at.year < _FIRST_YEAR or at.year > 2098:
        raise BadRow(RowReason.NOT_A_TIME, f"{name}: {text} is of no year that we count")
    if now is not None and at > now + _AHEAD:
        raise BadRow(RowReason.IN_FUTURE, f"{name}: {text} has not come yet")
    return at


def day_of(row: Row, name: str) -> date:
    """A day as 2026-11-20."""
    text = needed(row, name)
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise BadRow(
            RowReason.NOT_A_TIME, f"{name}: {text!r} is no day such as 2026-11-20"
        ) from error
    if not _FIRST_YEAR <= day.year <= 2098:
        raise BadRow(RowReason.NOT_A_TIME, f"{name}: {text} is of no year that we count")
    return day


def window(
    row: Row, shop: FeedShop, *, longest: timedelta, now: datetime | None = None
) -> tuple[datetime, datetime]:
    """The cells start and end."""
    start, end = moment(row, "start", shop, now=now), moment(row, "end", shop)
    if end <= start:
        raise BadRow(RowReason.BACKWARDS, f"end {end.isoformat()} does not lie after start")
    if end - start > longest:
        raise BadRow(RowReason.TOO_LONG, f"start to end: at most {longest}")
    return start, end


def yes(row: Row, name: str) -> bool:
    """yes or no; an empty cell means no."""
    text = row.get(name, "").lower()
    if text not in _YES | _NO:
        raise BadRow(RowReason.NOT_A_ROW, f"{name}: yes or no is needed, got {text!r}")
    return text in _YES
