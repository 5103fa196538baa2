"""Weather of each shop's days, as Open-Meteo tells it: past days and the forecast. Judges no row.

The same JSON comes from one's own Open-Meteo server (option `url`); the public one is free for
non-commercial use only, a chain takes a key (option `key`) or runs its own.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from hub.codes.days import local_day
from hub.feeds.reasons import FeedFailed, RunReason
from hub.feeds.rows import FeedShop

if TYPE_CHECKING:
    from hub.feeds.sources import Asked

OPEN_METEO: Final = "https://api.open-meteo.com/v1/forecast"
_PAST_DAYS: Final = 7
"""Looked at again for so long: a model's word of yesterday is mended when measurements come in."""
_FORECAST_DAYS: Final = 7
_SHOPS_AT_ONCE: Final = 50
"""Places stand in the address, and an address should stay below 8 kB."""
_DAILY: Final = {"precipitation_sum": "rain_mm", "temperature_2m_mean": "degc"}
_UNITS: Final = {"precipitation_sum": "mm", "temperature_2m_mean": "°C"}


@dataclass(frozen=True, slots=True)
class OpenMeteo:
    """Open-Meteo, theirs or one's own."""

    url: str
    key: str
    get: Callable[[str], bytes]

    def fetch(self, asked: "Asked") -> Iterator[Mapping[str, object]]:
        """A row a shop and day, for shops whose place is known."""
        placed = [shop for shop in asked.shops if shop.latitude is not None]
        for first in range(0, len(placed), _SHOPS_AT_ONCE):
            some = placed[first : first + _SHOPS_AT_ONCE]
            yield from weather_rows(self.get(self._address(some)), some, now=asked.now)

    def _address(self, shops: Sequence[FeedShop]) -> str:
        asked = {
            "latitude": ",".join(f"{shop.latitude:.3f}" for shop in shops),
            "longitude": ",".join(f"{shop.longitude:.3f}" for shop in shops),
            # One for each place, so that a day is the shop's own.
            "timezone": ",".join(shop.timezone for shop in shops),
            "daily": ",".join(_DAILY),
            "past_days": str(_PAST_DAYS),
            "forecast_days": str(_FORECAST_DAYS),
        } | ({"apikey": self.key} if self.key else {})
        return f"{self.url}?{urlencode(asked, safe=',/')}"


def weather_rows(
    content: bytes, shops: Sequence[FeedShop], *, now: datetime
) -> Iterator[Mapping[str, object]]:
    """What an answer says of these shops, which were asked for in this order.

    Raises:
        FeedFailed: it is no answer of Open-Meteo to this.
    """
    try:
        said = json.loads(content)
        places = said if isinstance(said, list) else [said]
        if len(places) != len(shops):
            raise ValueError(f"{len(places)} places for {len(shops)} shops")
        found = [
            row
            for shop, place in zip(shops, places, strict=True)
            for row in _days(shop, place, now)
        ]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise FeedFailed(RunReason.UNREADABLE, f"no answer of Open-Meteo: {error!r}") from error
    yield from found


def _days(shop: FeedShop, place: Mapping[str, Any], now: datetime) -> Iterator[dict[str, object]]:
    units, daily = place["daily_units"], place["daily"]
    for name, unit in _UNITS.items():
        if units[name] != unit:
            raise ValueError(f"{name} in {units[name]} and not in {unit}")
    today = local_day(now, shop.timezone)
    for n, said in enumerate(daily["time"]):
        row: dict[str, object] = {"shop": shop.shop, "day": said}
        row |= {ours: daily[theirs][n] for theirs, ours in _DAILY.items()}
        if any(row[name] is not None for name in _DAILY.values()):
            yield row | {"forecast": date.fromisoformat(said) >= today}
