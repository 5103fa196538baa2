"""A simulated chain of 12 shops and what was said of it day by day. Judges nothing, stores nothing.

Each fact depends on the seed, its shop, metric and day alone, never on the moment of asking: asked
again on a later day, the older days say the same.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from zlib import crc32
from zoneinfo import ZoneInfo

import numpy as np

from storepulse.facts import FACT_JSON, Fact
from storepulse.units import Z90

SOURCE: Final = "simulated"
METHOD: Final = "simulated.chain/1"
DEALS_KNOWN_AFTER_DAYS: Final = 4
"""The deals of a day's experiences are told when the last of them is 72 h old."""
_OPENS, _CLOSES, _PHOTO_AT = time(10), time(21), time(10, 20)

Trouble = Literal[
    "none", "few_receptions", "fewer_receptions", "empty_facings", "short_dwell", "few_deals",
    "fewer_deals", "no_photos", "no_radio", "slightly_short_dwell",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class SimulatedShop:
    """A shop that does not exist, and what is wrong with it."""

    id: str
    name: str
    region: str
    format: str
    latitude: float
    longitude: float
    timezone: str
    trouble: Trouble
    bays: tuple[str, ...]

    def __post_init__(self) -> None:
        if "simulated" not in self.name.lower():
            raise ValueError("the name of a simulated shop says that it is simulated")


@dataclass(frozen=True, slots=True)
class Habits:
    """What is true of a shop beneath the noise."""

    staff: float
    receptions_a_head: float
    exposure: float
    dwell_min: float
    deals_share: float
    visitors: float


_PLACES: Final = (
    ("Asia/Shanghai", 31.2, 121.5),
    ("Europe/Berlin", 52.5, 13.4),
    ("America/New_York", 40.7, -74.0),
    ("America/Los_Angeles", 34.0, -118.2),
    ("Pacific/Auckland", -36.9, 174.8),
)
_AFTERNOON_HOURS: Final = range(13, 21)

_NAMED: Final[tuple[tuple[str, str, Trouble], ...]] = (
    ("Riverside", "flagship", "none"),
    ("Old Market", "street", "fewer_receptions"),
    ("Station", "street", "few_receptions"),
    ("Lakeview", "street", "none"),
    ("North Gate", "mall", "empty_facings"),
    ("University", "street", "slightly_short_dwell"),
    ("Harbour", "mall", "short_dwell"),
    ("Hilltop", "street", "none"),
    ("Airport", "kiosk", "few_deals"),
    ("West End", "mall", "fewer_deals"),
    ("Garden City", "mall", "no_photos"),
    ("South Bridge", "street", "no_radio"),
)
"""Demo's own shop is the first: nothing is planted there, what it shows comes out of the loop."""
_MARK: Final = " (simulated)"
_REGIONS: Final = ("North", "East", "South")
_HEALTHY: Final = Habits(
    staff=4.0, receptions_a_head=15.0, exposure=0.97, dwell_min=3.7, deals_share=0.23, visitors=260
)


def afternoon_timezone(now: datetime) -> str:
    """A zone in which it is 13 to 21 o'clock now: a demo at midnight still has a shop's day."""
    for timezone, _, _ in _PLACES:
        if now.astimezone(ZoneInfo(timezone)).hour in _AFTERNOON_HOURS:
            return timezone
    return _PLACES[0][0]


def simulated_shops(
    *, timezone: str, demo_bays: Sequence[str] = ("bay-1",)
) -> tuple[SimulatedShop, ...]:
    """The 12 shops, in three regions around the zone's city; ids "sim-01" to "sim-12".

    Args:
        timezone: of all of them; see `afternoon_timezone`.
        demo_bays: the bays of the first shop, which a demo's own node looks at.
    """
    latitude, longitude = next(((y, x) for name, y, x in _PLACES if name == timezone), (0.0, 0.0))
    shops = []
    for index, (name, kind, trouble) in enumerate(_NAMED):
        rng = _rng(0, "place", f"{index}", date(2026, 1, 1))
        shops.append(
            SimulatedShop(
                id=f"sim-{index + 1:02d}",
                name=name + _MARK,
                region=_REGIONS[index % 3] + _MARK,
                format=kind,
                latitude=round(latitude + rng.uniform(-1.5, 1.5), 4),
                longitude=round(longitude + rng.uniform(-1.5, 1.5), 4),
                timezone=timezone,
                trouble=trouble,
                bays=tuple(demo_bays) if index == 0 else ("bay-1", "bay-2", "bay-3"),
            )
        )
    return tuple(shops)


def shops_csv(shops: Sequence[SimulatedShop]) -> str:
    """As `storepulse hub shops load` reads them."""
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\n")
    writer.writerow(
        ["shop", "name", "region", "format", "latitude", "longitude", "timezone", "simulated"]
    )
    for shop in shops:
        writer.writerow(
            # Whoever shows the shop says that it is simulated, by the last column.
            [shop.id, shop.name.removesuffix(_MARK), shop.region, shop.format, shop.latitude,
             shop.longitude, shop.timezone, "yes"]
        )  # fmt: skip
    return page.getvalue()


def facts_jsonl(facts: Sequence[Fact]) -> str:
    """As `storepulse hub load` reads them: a fact a line."""
    return "".join(FACT_JSON.dump_json(fact).decode() + "\n" for fact in facts)


def chain_facts(
    seed: int, shops: Sequence[SimulatedShop], *, now: datetime, days: int = 28
) -> list[Fact]:
    """What was said of the shops on the `days` days before today, and this morning's photos.

    A day's figures stand in one window, 10:00 to 21:00 of the shop's time. What a trouble hides is
    not said at all. The first shop has no photos of today: its own node takes them.

    Args:
        now: with a time zone; nothing later is said.
        days: 28 fill the window of conversion.
    Raises:
        ValueError: now without a time zone, or no days.
    """
    if now.tzinfo is None or days < 1:
        raise ValueError("now needs a time zone, and days at least 1")
    facts: list[Fact] = []
    for index, shop in enumerate(shops):
        today = now.astimezone(ZoneInfo(shop.timezone)).date()
        for age in range(days, 0, -1):
            day = today - timedelta(days=age)
            facts += _day_facts(seed, shop, day, age)
        if index > 0 and _moment(shop, today, _PHOTO_AT) <= now:
            facts += _photo_facts(seed, shop, today, age=0)
    return facts


def habits_of(seed: int, shop: SimulatedShop) -> Habits:
    """A shop's true levels: a healthy shop's, some per cent to either side, and its trouble."""
    rng = _rng(seed, shop.id, "habits", date(2026, 1, 1))
    vary = rng.uniform(0.96, 1.06, 6)
    staff = {"flagship": 6.0, "mall": 5.0, "street": 4.0, "kiosk": 2.0}[shop.format]
    receptions = {"few_receptions": 4.6, "fewer_receptions": 9.8}.get(
        shop.trouble, _HEALTHY.receptions_a_head
    )
    dwell = {"short_dwell": 2.1, "slightly_short_dwell": 3.0}.get(shop.trouble, _HEALTHY.dwell_min)
    deals = {"few_deals": 0.06, "fewer_deals": 0.12}.get(shop.trouble, _HEALTHY.deals_share)
    return Habits(
        staff=staff,
        receptions_a_head=receptions * vary[1],
        exposure=0.58 if shop.trouble == "empty_facings" else _HEALTHY.exposure,
        dwell_min=dwell * vary[2],
        deals_share=deals * vary[3],
        visitors=_HEALTHY.visitors * staff / 4 * vary[4],
    )


def _rng(seed: int, *names: str | date) -> np.random.Generator:
    """A stream of its own for everything that can be asked for."""
    return np.random.default_rng([seed, *(crc32(str(name).encode()) for name in names)])


def _moment(shop: SimulatedShop, day: date, at: time) -> datetime:
    return datetime.combine(day, at, ZoneInfo(shop.timezone)).astimezone(UTC)


def _day_facts(seed: int, shop: SimulatedShop, day: date, age: int) -> Iterator[Fact]:
    habits = habits_of(seed, shop)
    weekend = day.weekday() >= 5
    crowd = 1.35 if weekend else (0.92, 0.88, 0.95, 1.0, 1.12)[day.weekday()]
    yield from _weather_facts(seed, shop, day)
    yield from _people_facts(seed, shop, day, habits, crowd)
    if not (shop.trouble == "no_photos" and age <= 5):
        yield from _photo_facts(seed, shop, day, age)
    if not (shop.trouble == "no_radio" and age <= 4):
        yield from _place_facts(seed, shop, day, habits, crowd)
    yield from _deal_facts(seed, shop, day, habits, crowd, age)


def _fact(
    shop: SimulatedShop, metric: str, day: date, value: float | None,
    spread: tuple[float, float] | None = None, **more: object,
) -> Fact:  # fmt: skip
    """A figure of the day's window; `spread` is (standard deviation, largest possible value)."""
    low = high = None
    if spread is not None and value is not None:
        low = max(0.0, value - Z90 * spread[0])
        high = min(spread[1], value + Z90 * spread[0])
    return Fact(
        id=f"simulated-{shop.id}-{metric}-{day.isoformat()}",
        shop=shop.id,
        metric=metric,
        start=_moment(shop, day, _OPENS),
        end=_moment(shop, day, _CLOSES),
        value=value,
        low=low,
        high=high,
        method=METHOD,
        source=SOURCE,
        **more,  # type: ignore[arg-type]
    )


def _people_facts(
    seed: int, shop: SimulatedShop, day: date, habits: Habits, crowd: float
) -> Iterator[Fact]:
    rng = _rng(seed, shop.id, "people", day)
    staff = max(1, round(habits.staff * (1.2 if crowd > 1.2 else 1.0) + rng.normal(0, 0.4)))
    # Customers come in proportion to the crowd, so a head receives about as many on a full day.
    receptions = int(rng.poisson(habits.receptions_a_head * staff * (0.9 + 0.1 * crowd)))
    yield _fact(shop, "staff_on_duty", day, float(staff))
    yield _fact(shop, "receptions", day, float(receptions), n=receptions)


def _place_facts(
    seed: int, shop: SimulatedShop, day: date, habits: Habits, crowd: float
) -> Iterator[Fact]:
    rng = _rng(seed, shop.id, "place", day)
    truth = int(rng.poisson(habits.visitors * crowd))
    heard = int(rng.binomial(truth, 0.55))
    visitors = truth * rng.normal(1, 0.06)
    yield _fact(shop, "visitors", day, round(visitors, 1), (0.08 * visitors, 1e9), n=heard,
                independent=0.3)  # fmt: skip
    if rng.random() < 0.03:  # a day on which the radio was mostly off
        yield _fact(shop, "dwell_mean", day, None, n=3, coverage=0.1)
        return
    # Stays spread by about 70 % of their mean; the calibration is good to 3 %.
    own, shared = habits.dwell_min * 0.7 / heard**0.5, habits.dwell_min * 0.03
    deviation = (own**2 + shared**2) ** 0.5
    dwell = habits.dwell_min * rng.normal(1, 0.025) + rng.normal(0, own)
    yield _fact(shop, "dwell_mean", day, round(float(dwell), 3), (deviation, 1e9), n=heard,
                coverage=float(rng.uniform(0.93, 1.0)),
                independent=round(own**2 / deviation**2, 3))  # fmt: skip
    bounced = rng.binomial(heard, 0.14 if habits.dwell_min > 2.6 else 0.3) / heard
    yield _fact(shop, "bounce_45s", day, float(bounced), (0.03, 1.0), n=heard)
    people = visitors * dwell / (11 * 60)
    yield _fact(shop, "occupancy", day, round(float(people), 2), (0.12 * people, 1e9), n=heard)
    touches = int(rng.poisson(truth * 0.08))
    yield _fact(shop, "screen_touches", day, float(touches), n=touches)


def _deal_facts(
    seed: int, shop: SimulatedShop, day: date, habits: Habits, crowd: float, age: int
) -> Iterator[Fact]:
    rng = _rng(seed, shop.id, "deals", day)
    begun = int(rng.poisson(habits.visitors * crowd * 0.12))
    dealt = int(rng.binomial(begun, habits.deals_share))
    yield _fact(shop, "experiences", day, float(begun), n=begun)
    if age >= DEALS_KNOWN_AFTER_DAYS:
        yield _fact(shop, "experience_deals", day, float(dealt), n=begun)
        yield _fact(shop, "experiences_open_72h", day, float(begun - dealt), n=begun)
    yield _fact(shop, "sales", day, round(float(dealt * rng.normal(310, 25)), 2))


def _photo_facts(seed: int, shop: SimulatedShop, day: date, age: int) -> Iterator[Fact]:
    """One photo of each bay in the morning."""
    if shop.trouble == "no_photos" and age <= 5:
        return
    at = _moment(shop, day, _PHOTO_AT)
    exposure = habits_of(seed, shop).exposure
    for bay in shop.bays:
        rng = _rng(seed, shop.id, "photo", bay, day)
        main_push = int(rng.integers(8, 19))
        planned = int(rng.integers(70, 140))
        for metric, facings, level in (
            ("exposure_main_push", main_push, exposure),
            ("facing_compliance", planned, min(0.98, exposure + 0.06)),
        ):
            share = int(rng.binomial(facings, level)) / facings
            # A facing is misread one time in fifty, to either side.
            doubt = Z90 * (0.02 * 0.98 / facings) ** 0.5 + 0.005
            yield Fact(
                id=f"simulated-{shop.id}-{metric}-{bay}-{day.isoformat()}",
                shop=shop.id,
                metric=metric,
                start=at,
                end=at,
                value=share,
                low=max(0.0, share - doubt),
                high=min(1.0, share + doubt),
                n=facings,
                independent=0.8,
                dims={"bay": bay},
                method=METHOD,
                source=SOURCE,
            )


def _weather_facts(seed: int, shop: SimulatedShop, day: date) -> Iterator[Fact]:
    """Weather is the region's; it keeps for some days, as weather does."""
    front = np.mean([_rng(seed, shop.region, "front", day - timedelta(days=d)).normal()
                     for d in range(3)])  # fmt: skip
    rng = _rng(seed, shop.region, "weather", day)
    rain = max(0.0, float(front) * 9 - 2) * float(rng.uniform(0.5, 1.5))
    warm = 17 - 3 * float(front) + float(rng.normal(0, 1.2))
    yield _fact(shop, "rain", day, round(rain, 1))
    yield _fact(shop, "temperature", day, round(warm, 1))
    yield _fact(shop, "promotion", day, float(day.day <= 3 or 15 <= day.day <= 17))
    event = _rng(seed, shop.id, "competitor", day).random() < 0.03
    yield _fact(shop, "competitor_event", day, float(event))
