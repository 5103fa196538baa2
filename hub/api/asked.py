"""What requests to the hub's API have in common: days, names, the clock. Answers nothing."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, Final, Literal

from fastapi import Path, Query

from storepulse.errors import BadInput

FIRST_DAY: Final = date(2001, 1, 1)
LAST_DAY: Final = date(2098, 12, 31)

Clock = Callable[[], datetime]
Day = Annotated[date | None, Query(ge=FIRST_DAY, le=LAST_DAY)]
Since = Annotated[date | None, Query(alias="from", ge=FIRST_DAY, le=LAST_DAY)]
Until = Annotated[date | None, Query(alias="to", ge=FIRST_DAY, le=LAST_DAY)]
Name = Annotated[str, Path(min_length=1, max_length=200)]
ShopAsked = Annotated[str, Query(min_length=1, max_length=200)]
Language = Annotated[
    Literal["en", "zh"], Query(description="Of the sentences; figures and names stay as they are.")
]
MetricAsked = Annotated[str | None, Query(max_length=200)]


class NotThere(BadInput):
    """Nothing of this id, for whoever asks."""


def utc_now() -> datetime:
    """The moment, by this machine's clock."""
    return datetime.now(UTC)
