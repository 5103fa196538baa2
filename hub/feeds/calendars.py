"""Public holidays of each shop's days, by the `holidays` library. Asks nobody else."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import holidays

from hub.codes.days import local_day
from hub.errors import BadFeed

if TYPE_CHECKING:
    from hub.feeds.sources import Asked

_PAST_DAYS: Final = 28
_DAYS_AHEAD: Final = 14


@dataclass(frozen=True, slots=True)
class Calendar:
    """The holidays of one country, for the shops of some regions (none named: all)."""

    country: str
    subdivision: str | None = None
    regions: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        try:
            holidays.country_holidays(self.country, subdiv=self.subdivision, years=2026)
        except NotImplementedError as error:
            raise BadFeed(f"holidays: {error}: give country=CN, subdivision=BY") from error

    @classmethod
    def of(cls, options: Mapping[str, str]) -> "Calendar":
        """By a feed's options: country, subdivision, regions (with commas between)."""
        if "country" not in options:
            raise BadFeed("holidays needs --option country=CN (ISO 3166, two letters)")
        return cls(
            options["country"], options.get("subdivision"),
            frozenset(one.strip() for one in options.get("regions", "").split(",") if one.strip()),
        )  # fmt: skip

    def fetch(self, asked: "Asked") -> Iterator[Mapping[str, object]]:
        """A row a shop and day: yes or no, since both are known."""
        for shop in asked.shops:
            if self.regions and shop.region not in self.regions:
                continue
            today = local_day(asked.now, shop.timezone)
            days = [today + timedelta(days=n) for n in range(-_PAST_DAYS, _DAYS_AHEAD + 1)]
            found = holidays.country_holidays(
                self.country, subdiv=self.subdivision, years=sorted({day.year for day in days})
            )
            for day in days:
                yield {"shop": shop.shop, "day": day.isoformat(), "holiday": day in found}
