"""A calendar and a trial for the pages' tests, of the hub's own types."""

from datetime import UTC, datetime
from typing import Final

from hub.codes.calendar import Calendar, CalendarDay, CalendarRow
from hub.codes.colours import Shown
from hub.codes.trial import ChangedShop, DimensionTrial, Trial
from storepulse.actions import DIMENSIONS
from storepulse.checklists import Sentence
from tests.hub.shop_facts import DAY, SHOP, back

NOW: Final = datetime(2026, 11, 20, 12, tzinfo=UTC)
COLOURS: Final[tuple[Shown, ...]] = (
    "green", "green", "yellow", "green", "orange", "green", "red", "green", "unknown", "green",
    "yellow",
)  # fmt: skip


def calendar_of(days: int) -> Calendar:
    """A calendar whose colours change by week; the oldest days have none, one was corrected."""

    def day(n: int, at: int) -> CalendarDay:
        colour = COLOURS[(n // 3 + at) % len(COLOURS)]
        known = colour != "unknown"
        return CalendarDay(
            day=back(days - 1 - n), colour=colour, turning=None, version=1 + (n == days - 2),
            probability=0.7 + 0.28 * (n % 2) if known else None,
            value=0.5 + 0.007 * n if known else None, policy_version=1, computed_at=NOW,
            was=("red",) if n == days - 2 else (),
        )  # fmt: skip

    return Calendar(
        shop=SHOP, first=back(days - 1), last=DAY,
        dimensions=tuple(
            CalendarRow(dimension=name, days=tuple(day(n, at) for n in range(6, days)))
            for at, name in enumerate(DIMENSIONS)
        ),
    )  # fmt: skip


def trial_of() -> Trial:
    """What a draft would have changed: goods at two shops."""
    none = Sentence(en="Nothing changes.", zh="没有变化。")
    said = Sentence(
        en="2 shops turn to “act now”, 1 of them only just.",
        zh="2 家门店转为“整改”，其中 1 家刚好越线。",
    )
    worse = tuple(
        ChangedShop(
            shop=shop, day=DAY, before="orange", after="red", days=3, value=0.71, limit=0.72,
            near=shop == SHOP,
        )
        for shop in (SHOP, "0002")
    )  # fmt: skip
    return Trial(
        name="stricter", version=2, first=back(27), last=DAY, shops=60, codes=6720, changed=6,
        sentence=said,
        dimensions=tuple(
            DimensionTrial(
                dimension=name, worse_shops=2 * (name == "goods"), better_shops=0,
                turn_red=2 * (name == "goods"), near_red=int(name == "goods"),
                worse=worse if name == "goods" else (), better=(),
                sentence=said if name == "goods" else none,
            )
            for name in DIMENSIONS
        ),
    )  # fmt: skip
