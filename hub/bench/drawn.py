"""Draw shops and their facts, the same for the same number. Nobody's data, and says so.

A shop tells what a node and a till tell in a day: receptions, heads, four bays photographed, dwell,
experiences and deals. Levels differ between shops and wander from day to day, so that all colours
come up.
"""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from hub.codes.batch import ShopFacts
from hub.codes.touched import KnownShop
from hub.shops_store import Shop
from storepulse.facts import Fact

REGIONS: Final = 20
FORMATS: Final = ("mall", "street", "station")
BAYS: Final = ("b1", "b2", "b3", "b4")
FACTS_A_DAY: Final = 5 + len(BAYS)


def shop_name(number: int) -> str:
    """The name of the drawn shop of this number."""
    return f"bench-{number:05d}"


def drawn_shop(number: int) -> Shop:
    """A shop, marked as simulated."""
    return Shop(
        shop=shop_name(number), name=f"Bench shop {number}", timezone="Asia/Shanghai",
        region=f"region-{number % REGIONS:02d}", format=FORMATS[number % len(FORMATS)],
        simulated=True,
    )  # fmt: skip


def drawn_facts(number: int, last: date, days: int) -> list[Fact]:
    """All facts of one shop over so many days up to `last`."""
    rng = random.Random(number)  # noqa: S311 - nobody is kept out by it
    level = rng.gauss(0, 1)
    shop = shop_name(number)
    found: list[Fact] = []
    for back in reversed(range(days)):
        day = last - timedelta(days=back)
        # Midnight in Shanghai, without the time of a zone's lookup for millions of facts.
        start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=8)
        found += _of_day(rng, level + rng.gauss(0, 0.7), shop, day, start)
    return found


def _of_day(rng: random.Random, mood: float, shop: str, day: date, start: datetime) -> list[Fact]:
    end = start + timedelta(days=1)

    def fact(metric: str, value: float, doubt: float | None = None, **more: Any) -> Fact:
        bay = more.get("dims", {}).get("bay", "")
        return Fact(
            id=f"{shop}|{metric}{bay}|{day}", shop=shop, metric=metric, start=start, end=end,
            value=value, low=None if doubt is None else max(value - doubt, 0.0),
            high=None if doubt is None else value + doubt, method="bench/1",
            source=f"/storepulse/bench/{shop}/n1", **more,
        )  # fmt: skip

    heads = rng.randint(2, 6)
    begun = rng.randint(2, 9)
    dealt = sum(rng.random() < max(min(0.15 + 0.06 * mood, 1.0), 0.0) for _ in range(begun))
    facts = [
        fact("receptions", float(max(round(heads * (11 + 3 * mood + rng.gauss(0, 1))), 0))),
        fact("staff_on_duty", float(heads)),
        fact("dwell_mean", max(3.1 + 0.5 * mood, 0.5), 0.25, n=rng.randint(40, 200)),
        fact("experiences", float(begun)),
        fact("experience_deals", float(dealt)),
    ]
    for bay in BAYS:
        share = min(max(0.83 + 0.08 * mood + rng.gauss(0, 0.04), 0.05), 0.96)
        more = {"n": 20, "independent": 0.5, "dims": {"bay": bay}}
        facts.append(fact("exposure_main_push", share, 0.04, **more))
    return facts


def drawn_shop_facts(number: int, last: date, days: int) -> ShopFacts:
    """A shop as the batch computes it."""
    shop = drawn_shop(number)
    since = datetime(last.year, last.month, last.day, tzinfo=UTC) - timedelta(days=days)
    known = KnownShop(shop.timezone, since, shop.region, shop.format)
    return ShopFacts(shop.shop, known, drawn_facts(number, last, days))
