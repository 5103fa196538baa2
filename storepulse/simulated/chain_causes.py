"""A simulated chain whose figures move for known causes, to try estimators on. Estimates nothing.

200 shops, 180 days by default. What is told of each day (metrics) and what truly moved each figure
(contributions) are kept side by side; an estimator is shown the first alone. Sizes come from
`storepulse.simulated.causes`. The world is on purpose not the estimator's own model: rain acts by
its duration but is told in mm, promotions fade, staff counts are whole people, noise has heavy
tails and memory, and effects differ between shops.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from storepulse.actions import DIMENSIONS, Dimension
from storepulse.simulated.causes import CAUSES, Cause, effects_of, episodes_of, parameters

Floats = NDArray[np.float64]

SHOPS: Final = 200
DAYS: Final = 180
REGIONS: Final = 10
FIRST_DAY: Final = date(2026, 4, 1)
FORMATS: Final = ("street", "mall", "flagship", "kiosk")
TWO_AT_ONCE: Final = 0.25
"""Share of episodes that start together with one of another cause: the pairs that confound."""
_PHOTOS_DUE: Final = 6
_MAIN_PUSH_FACINGS: Final = 30
_FEEDS: Final[Mapping[Cause, tuple[str, ...]]] = {
    "staffing": (),  # without the number of staff there is no figure of people either
    "photo_compliance": ("photos_judged",),
    "main_push_out_of_stock": ("on_shelf_availability",),
    "main_push_out_of_position": ("position_compliance",),
    "promotion": ("promotion",),
    "weather": ("rain", "temperature"),
    "holiday": ("holiday",),
    "competitor_event": ("competitor_event",),
    "entrance_bounce": ("bounce_45s",),
    "screen_untouched": ("screen_touches",),
    "node_offline": (),
    "hidden": (),
}
"""The metrics that tell of each cause, which a chain may lack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CausedChain:
    """A chain over some days. Every array is (shops, days); NaN: not told."""

    seed: int
    shops: tuple[str, ...]
    region: NDArray[np.int64]
    format: NDArray[np.int64]
    days: tuple[date, ...]
    metrics: Mapping[str, Floats]
    """What facts tell, by metric of the catalogue; beside them `coverage`, of the node's facts."""
    level: Mapping[Dimension, Floats]
    """(shops, 1): the figure of a usual day."""
    contributions: Mapping[Dimension, Mapping[Cause, Floats]]
    """What truly moved each figure, as a share of its level; only causes that move it here."""
    not_recorded: tuple[Cause, ...]
    """Causes of which this chain has no feed: they act, and no fact tells."""


@dataclass(slots=True)
class _Draw:
    """The random stream of one chain and its size."""

    rng: np.random.Generator
    shops: int
    days: int
    region: NDArray[np.int64]
    format: NDArray[np.int64]

    def ar1(self, rows: int, memory: float, deviation: float) -> Floats:
        """(rows, days) noise with heavy tails: memory of the day before, of this deviation."""
        tails = float(parameters()["shapes"]["tails"])
        shocks = self.rng.standard_t(tails, (rows, self.days)) * ((tails - 2) / tails) ** 0.5
        series = np.empty((rows, self.days))
        series[:, 0] = shocks[:, 0]
        fresh = (1 - memory**2) ** 0.5
        for day in range(1, self.days):
            series[:, day] = memory * series[:, day - 1] + fresh * shocks[:, day]
        return series * deviation


def simulate(
    seed: int, *, shops: int = SHOPS, days: int = DAYS, strength: float = 1.0
) -> CausedChain:
    """Draw a chain; the same seed and size give the same one.

    Args:
        strength: factor on all effects: for a curve over effect size.
    """
    rng = np.random.default_rng([seed, 0xCA05E])
    formats = rng.choice(len(FORMATS), shops, p=[0.5, 0.3, 0.1, 0.1])
    draw = _Draw(rng, shops, days, rng.integers(0, REGIONS, shops), formats)
    exposures = _exposures(draw)
    level = _levels(draw)
    staff_usual = np.array([4, 5, 6, 2])[draw.format][:, None]
    staff = _staff(draw, staff_usual, exposures["staffing"])
    exposures["staffing"] = np.maximum(0.0, 1 - staff / staff_usual)
    contributions = _contributions(draw, exposures, strength)
    metrics = _metrics(draw, level, staff, exposures, contributions)
    lacking = _take_away(draw, metrics)
    first = FIRST_DAY
    return CausedChain(
        seed=seed, shops=tuple(f"sim-{number + 1:03d}" for number in range(shops)),
        region=draw.region, format=draw.format,
        days=tuple(first + timedelta(days=number) for number in range(days)),
        metrics=metrics, level=level, contributions=contributions, not_recorded=lacking,
    )  # fmt: skip


def _levels(draw: _Draw) -> dict[Dimension, Floats]:
    def around(middle: float, low: float, high: float) -> Floats:
        return middle * draw.rng.uniform(low, high, (draw.shops, 1))

    return {
        "people": around(13.0, 0.75, 1.25),
        "goods": around(0.9, 0.9, 1.05),
        "place": around(3.4, 0.8, 1.2),
        "conversion": around(0.21, 0.75, 1.25),
    }


def _exposures(draw: _Draw) -> dict[Cause, Floats]:
    """Each cause's strength by shop and day, 0 none to 1 all."""
    found: dict[Cause, Floats] = {cause: np.zeros((draw.shops, draw.days)) for cause in CAUSES}
    own = [cause for cause in CAUSES if cause != "holiday" and episodes_of(cause) is not None]
    for cause in own:
        told = episodes_of(cause)
        assert told is not None
        for shop in range(draw.shops):
            for _ in range(draw.rng.poisson(told.per_180_days * draw.days / 180)):
                start = int(draw.rng.integers(0, draw.days))
                _add_episode(draw, found[cause], cause, shop, start)
                if draw.rng.random() < TWO_AT_ONCE:
                    other = own[int(draw.rng.integers(len(own)))]
                    if other not in (cause, "hidden") and cause != "hidden":
                        _add_episode(draw, found[other], other, shop, start)
    found["holiday"] = _holidays(draw)
    found["promotion"] = _promotions(draw)
    found["weather"] = _wet(draw)[draw.region]
    return found


def _add_episode(draw: _Draw, into: Floats, cause: Cause, shop: int, start: int) -> None:
    told = episodes_of(cause)
    assert told is not None
    length = int(draw.rng.integers(told.days[0], told.days[1] + 1))
    strength = draw.rng.uniform(*told.exposure)
    stretch = into[shop, start : start + length]
    stretch[:] = np.maximum(stretch, strength)


def _holidays(draw: _Draw) -> Floats:
    told = episodes_of("holiday")
    assert told is not None
    days = np.zeros(draw.days)
    count = max(1, round(told.per_180_days * draw.days / 180))
    for start in draw.rng.choice(draw.days, count, replace=False):
        days[start : start + int(draw.rng.integers(told.days[0], told.days[1] + 1))] = 1.0
    return np.tile(days, (draw.shops, 1))


def _promotions(draw: _Draw) -> Floats:
    """Waves by region; a format may stay out. The value falls from 1 as the promotion fades."""
    told = parameters()["promotion"]
    running = np.zeros((draw.shops, draw.days))
    for region in range(REGIONS):
        start = int(draw.rng.integers(0, told["every_days"]))
        while start < draw.days:
            length = int(draw.rng.integers(told["days"][0], told["days"][1] + 1))
            takes_part = draw.rng.random(len(FORMATS)) < told["takes_part"]
            shops = (draw.region == region) & takes_part[draw.format]
            fading = np.maximum(0.3, 1 - told["fades"] * np.arange(length))
            end = min(start + length, draw.days)
            running[shops, start:end] = fading[: end - start]
            # They like to begin towards the week-end.
            start += int(told["every_days"]) + int(draw.rng.integers(-4, 5))
            start += (3 - (FIRST_DAY.weekday() + start)) % 7 if draw.rng.random() < 0.7 else 0
    return running


def _wet(draw: _Draw) -> Floats:
    """(regions, days): the share of the day that is wet."""
    told = parameters()["rain"]
    wet = np.zeros((REGIONS, draw.days))
    yesterday = draw.rng.random(REGIONS) < told["wet_after_dry"]
    for day in range(draw.days):
        likely = np.where(yesterday, told["wet_after_wet"], told["wet_after_dry"])
        yesterday = draw.rng.random(REGIONS) < likely
        wet[:, day] = yesterday * draw.rng.choice([1 / 3, 0.6, 1.0], REGIONS, p=[0.45, 0.35, 0.2])
    return wet


def _staff(draw: _Draw, usual: NDArray[np.int64], missing: Floats) -> Floats:
    there = np.round(usual * (1 - missing) + draw.rng.normal(0, 0.25, missing.shape))
    return np.maximum(1.0, there)


def _contributions(
    draw: _Draw, exposures: Mapping[Cause, Floats], strength: float
) -> dict[Dimension, dict[Cause, Floats]]:
    shapes = parameters()["shapes"]
    found: dict[Dimension, dict[Cause, Floats]] = {name: {} for name in DIMENSIONS}
    for cause in CAUSES:
        for dimension, size in effects_of(cause).items():
            chain = size * strength * float(draw.rng.lognormal(0, shapes["chain_differs"]))
            absent = draw.rng.random() < shapes["no_effect"]
            own = draw.rng.lognormal(0, shapes["shop_differs"], (draw.shops, 1))
            if absent and cause != "hidden":
                continue
            # Never more than all of it.
            moved = np.maximum(chain * own * exposures[cause], -0.8)
            found[dimension][cause] = moved
    return found


def _usual_course(draw: _Draw, dimension: Dimension) -> Floats:
    """(shops, days): weekdays, season, drift and noise, as a share of the level."""
    told, noise, shapes = parameters(), parameters()[dimension], parameters()["shapes"]
    weekday = np.array([(FIRST_DAY.weekday() + day) % 7 for day in range(draw.days)])
    by_format = np.array(told["weekday"][dimension]) + draw.rng.normal(
        0, told["weekday"]["between_formats"] / 2, (len(FORMATS), 7)
    )
    days = np.arange(draw.days)
    season = told["season"]["size"] * np.sin(2 * np.pi * (days / 180 + draw.rng.random()))
    drift = draw.rng.normal(0, shapes["trend_180_days"], (draw.shops, 1)) * (days / 180 - 0.5)
    return np.asarray(
        by_format[draw.format][:, weekday] + season + drift
        + draw.ar1(draw.shops, noise["autocorrelation"], noise["own_day"])
        + draw.ar1(REGIONS, 0.3, noise["region_day"])[draw.region]
        + draw.ar1(1, 0.3, noise["chain_day"])
    )  # fmt: skip


def _metrics(
    draw: _Draw, level: Mapping[Dimension, Floats], staff: Floats,
    exposures: Mapping[Cause, Floats], contributions: Mapping[Dimension, Mapping[Cause, Floats]],
) -> dict[str, Floats]:  # fmt: skip
    rng, shape = draw.rng, (draw.shops, draw.days)
    rest = {name: _usual_course(draw, name) for name in DIMENSIONS}
    true = {
        name: level[name]
        * np.maximum(0.05, 1 + rest[name] + sum(contributions[name].values(), np.zeros(shape)))
        for name in DIMENSIONS
    }
    crowd = np.maximum(0.2, 1 + rest["people"])
    visitors = rng.poisson(220 * crowd).astype(float)
    heard = np.maximum(20, visitors * 0.55 * (1 - exposures["node_offline"]))
    begun = rng.poisson(30 * crowd).astype(float)
    deals = rng.binomial(begun.astype(int), np.clip(true["conversion"], 0, 1)).astype(float)
    wet = exposures["weather"]
    # One sky over a region: its shops are told the same rain.
    fall = rng.lognormal(0, 0.4, (REGIONS, draw.days))[draw.region]
    rain = (wet > 0) * 2 * np.exp(2.2 * wet) * fall
    found: dict[str, Floats] = {
        "staff_on_duty": staff,
        "receptions": rng.poisson(true["people"] * staff).astype(float),
        "exposure_main_push": rng.binomial(_MAIN_PUSH_FACINGS * 5, np.clip(true["goods"], 0, 1))
        / (_MAIN_PUSH_FACINGS * 5),
        "dwell_mean": true["place"] * (1 + rng.normal(0, 0.7, shape) / np.sqrt(heard)),
        "experiences": begun,
        "experience_deals": deals,
        "visitors": visitors,
        "bounce_45s": np.clip(
            0.14 + exposures["entrance_bounce"] + rng.normal(0, 0.03, shape), 0, 1),
        "screen_touches": rng.poisson(
            18 * crowd * (1 - exposures["screen_untouched"])).astype(float),
        "photos_judged": rng.binomial(_PHOTOS_DUE, 1 - exposures["photo_compliance"]).astype(float),
        "on_shelf_availability": np.clip(
            0.96 - exposures["main_push_out_of_stock"] + rng.normal(0, 0.015, shape), 0, 1),
        "position_compliance": np.clip(
            0.95 - exposures["main_push_out_of_position"] + rng.normal(0, 0.02, shape), 0, 1),
        "rain": rain,
        "temperature": 20 + rng.normal(0, 2, (REGIONS, draw.days))[draw.region] - 3 * wet,
        "promotion": (exposures["promotion"] > 0).astype(float),
        "holiday": exposures["holiday"],
        "competitor_event": (exposures["competitor_event"] > 0).astype(float),
        "coverage": np.clip(0.97 - exposures["node_offline"] + rng.normal(0, 0.01, shape), 0, 1),
    }  # fmt: skip
    lost = float(parameters()["shapes"]["unknown_day"])
    for name in ("receptions", "exposure_main_push", "dwell_mean", "experience_deals"):
        found[name][rng.random(shape) < lost] = np.nan
    return found


def _take_away(draw: _Draw, metrics: dict[str, Any]) -> tuple[Cause, ...]:
    """Take away the feeds that this chain does not have; says of which causes nothing is told."""
    share = float(parameters()["shapes"]["not_recorded"])
    lacking = []
    for cause, names in _FEEDS.items():
        if draw.rng.random() < share and names:
            lacking.append(cause)
            for name in names:
                del metrics[name]
    return tuple(lacking)
