"""Figures and possible causes of many shops over many days, side by side. Pure; estimates nothing.

Causes are put as *exposures*: how much more of the cause there was than usual at this shop, so that
0 is a usual day, and at 1 the cause is all there can be of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hub.why.causes import COVERAGE, CauseName
from storepulse.actions import Dimension

Floats = NDArray[np.float64]

WET_MM: Final = 20.0
"""Rain whose exposure is 1; between, by the logarithm: what keeps people in is that it rains."""
UNTOUCHED_BELOW: Final = 0.15
"""A screen with less than this share of its usual touches counts as untouched."""
SCATTERS: Final = 2.5
"""So many standard deviations of its days a share must lie beyond its usual to be an event."""
_SHOP_DAYS_MIN: Final = 14
"""A usual day is not told from fewer."""

OUTCOME_METRICS: Final[Mapping[Dimension, tuple[str, ...]]] = {
    "people": ("receptions", "staff_on_duty"),
    "goods": ("exposure_main_push", "facing_compliance"),
    "place": ("dwell_mean",),
    "conversion": ("experience_deals", "experiences"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    """What facts told of each shop and day. Every array is (shops, days); NaN: not told."""

    shops: tuple[str, ...]
    region: NDArray[np.int64]
    """Any number that shops of one region share."""
    format: NDArray[np.int64]
    days: tuple[date, ...]
    """Without holes, oldest first."""
    metrics: Mapping[str, Floats]

    def between(self, first: date, last: date) -> "Daily":
        """The same without the days before `first` and after `last`."""
        start = sum(day < first for day in self.days)
        end = sum(day <= last for day in self.days)
        cut = {name: values[:, start:end] for name, values in self.metrics.items()}
        return Daily(
            shops=self.shops, region=self.region, format=self.format, days=self.days[start:end],
            metrics=cut,
        )  # fmt: skip

    def told(self, metric: str) -> Floats:
        """One metric; NaN throughout where nothing was told."""
        found = self.metrics.get(metric)
        if found is None:
            return np.full((len(self.shops), len(self.days)), np.nan)
        return found


def figures(daily: Daily, dimension: Dimension) -> Floats:
    """The dimension's figure by shop and day, (shops, days)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        match dimension:
            case "people":
                heads = daily.told("staff_on_duty")
                found = daily.told("receptions") / np.where(heads > 0, heads, np.nan)
            case "goods":
                main_push = daily.told("exposure_main_push")
                # Shops without any main push are read by all facings, as their codes are.
                marked = _ever(main_push)
                found = np.where(marked, main_push, daily.told("facing_compliance"))
            case "place":
                found = daily.told("dwell_mean").copy()
            case _:
                begun = daily.told("experiences")
                found = daily.told("experience_deals") / np.where(begun > 0, begun, np.nan)
    return np.asarray(found, np.float64)


@dataclass(frozen=True, slots=True)
class Exposure:
    """One cause by shop and day, (shops, days) each; NaN where not told."""

    value: Floats
    variance: Floats
    """Of the error with which it is told: a share of six photos is a rough one."""


def exposures(daily: Daily) -> dict[CauseName, Exposure]:
    """Every cause, as far as it was told."""
    staff, photos = daily.told("staff_on_duty"), daily.told("photos_judged")
    coverage, touches = daily.told(COVERAGE), daily.told("screen_touches")
    # A node that heard visitors and judged no photo was shown none.
    photos = np.where(np.isnan(photos) & np.isfinite(coverage) & _ever(photos), 0.0, photos)
    untaken = np.clip(_missing_share(photos), 0.0, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        rain = np.log1p(np.maximum(daily.told("rain"), 0.0)) / np.log1p(WET_MM)
        untouched = np.where(
            np.isnan(touches), np.nan, touches < UNTOUCHED_BELOW * _usual(touches)
        ).astype(np.float64)
    return {
        "staffing": _exact(np.maximum(_missing_share(staff), 0.0)),
        "photo_compliance": Exposure(untaken, untaken * (1 - untaken) / _usual(photos)),
        "main_push_out_of_stock": _beyond_scatter(-daily.told("on_shelf_availability")),
        "main_push_out_of_position": _beyond_scatter(-daily.told("position_compliance")),
        "promotion": _exact(_unless_said(daily.told("promotion"))),
        "weather": _exact(rain),
        "holiday": _exact(_unless_said(daily.told("holiday"))),
        "competitor_event": _exact(_unless_said(daily.told("competitor_event"))),
        "entrance_bounce": _beyond_scatter(daily.told("bounce_45s")),
        "screen_untouched": _exact(untouched),
        "node_offline": _beyond_scatter(-coverage),
    }


def _exact(told: Floats) -> Exposure:
    return Exposure(told, np.zeros_like(told))


def _beyond_scatter(told: Floats) -> Exposure:
    """How far a share lies above its usual, 0 within what it scatters from day to day.

    Kept, the scatter of all the days on which nothing was the matter would water down the effect
    (errors in variables).
    """
    above = told - _usual(told)
    known = np.isfinite(above)
    scatter = 1.4826 * float(np.median(np.abs(above[known]))) if known.any() else 0.0
    value = np.where(known, np.where(above > SCATTERS * scatter, above, 0.0), np.nan)
    return Exposure(value, np.where(known, scatter**2, np.nan))


def temperature(daily: Daily) -> Floats:
    """Degrees above the shop's mean over ten; 0 where not told: adjusted for, not judged."""
    told = daily.told("temperature")
    return np.nan_to_num((told - _usual(told)) / 10)


def _usual(told: Floats) -> Floats:
    """(shops, 1): the median of a shop; NaN where too few days are known."""
    known = np.isfinite(told).sum(axis=1)
    usual = np.full(len(told), np.nan)
    enough = known >= _SHOP_DAYS_MIN
    if enough.any():
        usual[enough] = np.nanmedian(told[enough], axis=1)
    return usual[:, None]


def _missing_share(told: Floats) -> Floats:
    usual = _usual(told)
    return np.asarray(1 - told / np.where(usual > 0, usual, np.nan), np.float64)


def _ever(told: Floats) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(told).any(axis=1, keepdims=True))


def _unless_said(told: Floats) -> Floats:
    """A yes/no feed that told anything of a shop tells of its silent days: no."""
    return np.where(np.isnan(told) & _ever(told), 0.0, told)


__all__ = [
    "OUTCOME_METRICS",
    "Daily",
    "Exposure",
    "Floats",
    "exposures",
    "figures",
    "temperature",
]
