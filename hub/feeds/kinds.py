"""The kinds of feeds: a table of their columns, and how a row of each is read. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from hub.codes.days import day_start
from hub.feeds.reasons import BadRow, RowReason
from hub.feeds.rows import (
    FeedShop,
    Row,
    Said,
    SaidDeal,
    SaidFigure,
    SaidReception,
    Shops,
    day_of,
    moment,
    needed,
    number,
    shop_of,
    window,
    yes,
)

_EVENT_DAYS_MAX: Final = 92
_DAY: Final = timedelta(days=1, hours=1)
"""One day, also the one on which clocks go back."""
_KEY_CHARACTERS_MAX: Final = 120

Read = Callable[[Row, Shops, datetime], list[Said]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of feed."""

    name: str
    meaning: str
    columns: tuple[str, ...]
    read: Read
    fetched_from: str = ""
    """The name of the service, for those that are neither sent nor a file."""
    windows_apart: bool = False
    """Two rows of one sending must not tell of the same time of one shop."""


def _deal(row: Row, shops: Shops, now: datetime) -> list[Said]:
    shop = shop_of(row, shops)
    return [
        SaidDeal(
            key=_key(row), shop=shop.shop, at=moment(row, "at", shop, now=now),
            amount=number(row, "amount") if row.get("amount") else None,
            ticket=row.get("ticket") or None, undone=yes(row, "undone"),
        )
    ]  # fmt: skip


def _reception(row: Row, shops: Shops, now: datetime) -> list[Said]:
    shop = shop_of(row, shops)
    at = moment(row, "at", shop, now=now)
    return [SaidReception(key=_key(row), shop=shop.shop, at=at, undone=yes(row, "undone"))]


def _key(row: Row) -> str:
    text = needed(row, "id")
    if len(text) > _KEY_CHARACTERS_MAX:
        raise BadRow(RowReason.TOO_LONG, f"id: at most {_KEY_CHARACTERS_MAX} characters")
    return text


def _window_of(metric: str, column: str, *, past: bool, least: float) -> Read:
    def read(row: Row, shops: Shops, now: datetime) -> list[Said]:
        shop = shop_of(row, shops)
        start, end = window(row, shop, longest=_DAY, now=now if past else None)
        return [
            SaidFigure(
                key=f"{shop.shop}/{start.timestamp():.0f}/{end.timestamp():.0f}",
                shop=shop.shop, metric=metric, start=start, end=end,
                value=number(row, column, least=least),
            )
        ]  # fmt: skip

    return read


def _days_of(metric: str) -> Read:
    """An event of one shop or a whole region: a yes for each of its days."""

    def read(row: Row, shops: Shops, now: datetime) -> list[Said]:  # noqa: ARG001
        first, last = day_of(row, "first_day"), day_of(row, "last_day")
        if last < first:
            raise BadRow(RowReason.BACKWARDS, f"last_day {last} lies before first_day")
        if (last - first).days >= _EVENT_DAYS_MAX:
            raise BadRow(RowReason.TOO_LONG, f"at most {_EVENT_DAYS_MAX} days")
        key, value = _key(row), 0.0 if yes(row, "undone") else 1.0
        return [
            _of_day(f"{key}/{shop.shop}/{day}", shop, metric, day, value)
            for shop in _reached(row, shops)
            for day in _days(first, last)
        ]

    return read


def _reached(row: Row, shops: Shops) -> Sequence[FeedShop]:
    if row.get("shop"):
        return [shop_of(row, shops)]
    region = needed(row, "region")
    found = [shop for shop in shops.values() if shop.region == region]
    if not found:
        raise BadRow(RowReason.UNKNOWN_REGION, f"no shop of a list lies in {region!r}")
    return found


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def _of_day(
    key: str, shop: FeedShop, metric: str, day: date, value: float,
    dims: Mapping[str, str] | None = None,
) -> SaidFigure:  # fmt: skip
    return SaidFigure(
        key=key, shop=shop.shop, metric=metric, start=day_start(day, shop.timezone),
        end=day_start(day + timedelta(days=1), shop.timezone), value=value, dims=dims or {},
    )  # fmt: skip


def _weather(row: Row, shops: Shops, now: datetime) -> list[Said]:  # noqa: ARG001
    """A day of a shop: past ones are facts, those to come a forecast and said to be one."""
    shop, day, forecast = shop_of(row, shops), day_of(row, "day"), yes(row, "forecast")
    dims = {"said": "forecast"} if forecast else {}
    key = f"{shop.shop}/{day}/forecast" if forecast else f"{shop.shop}/{day}"
    said: list[Said] = [
        _of_day(key, shop, metric, day, number(row, column, least=least), dims)
        for metric, column, least in (("rain", "rain_mm", 0.0), ("temperature", "degc", -90.0))
        if row.get(column)
    ]
    if not said:
        raise BadRow(RowReason.MISSING, "rain_mm and degc are empty")
    return said


def _holiday(row: Row, shops: Shops, now: datetime) -> list[Said]:  # noqa: ARG001
    shop, day = shop_of(row, shops), day_of(row, "day")
    value = 1.0 if yes(row, "holiday") else 0.0
    return [_of_day(f"{shop.shop}/{day}", shop, "holiday", day, value)]


_EVENT_COLUMNS: Final = ("id", "shop", "region", "first_day", "last_day", "undone")

_KINDS: Final = (
    Kind(name="deals", meaning="receipts of the till or of the customer system, with their tickets",
         columns=("shop", "id", "at", "amount", "ticket", "undone"), read=_deal),
    Kind(name="sales", meaning="what a shop sold in a window",
         columns=("shop", "start", "end", "amount"), windows_apart=True,
         read=_window_of("sales", "amount", past=True, least=-1e12)),
    Kind(name="receptions", meaning="customers received: queue tickets, WeCom",
         columns=("shop", "id", "at", "undone"), read=_reception),
    Kind(name="screen", meaning="touches of the electronic screen in a window",
         columns=("shop", "start", "end", "touches"), windows_apart=True,
         read=_window_of("screen_touches", "touches", past=True, least=0.0)),
    Kind(name="rota", meaning="how many are on duty in a window; no names",
         columns=("shop", "start", "end", "people"), windows_apart=True,
         read=_window_of("staff_on_duty", "people", past=False, least=0.0)),
    Kind(name="competitors", meaning="a competitor's events, by shop or region",
         columns=_EVENT_COLUMNS, read=_days_of("competitor_event")),
    Kind(name="promotions", meaning="our own promotions, by shop or region",
         columns=_EVENT_COLUMNS, read=_days_of("promotion")),
    Kind(name="weather", meaning="rain and temperature of each shop's days",
         columns=("shop", "day", "rain_mm", "degc", "forecast"), read=_weather,
         fetched_from="open-meteo"),
    Kind(name="holidays", meaning="public holidays of each shop's days",
         columns=("shop", "day", "holiday"), read=_holiday, fetched_from="holidays"),
)  # fmt: skip

KINDS: Final[Mapping[str, Kind]] = {kind.name: kind for kind in _KINDS}
