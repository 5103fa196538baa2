"""What each possible cause does to a figure in the whole chain, on average and between shops. Pure.

A panel regression: every shop against its own past (its level and drift taken out), against the
shops of its kind on the same weekday (taken out too), and against the other shops on the same day
(difference in differences). Days and regions have errors of their own that all their shops share:
they are taken out as far as their variances say (the random-effects transformation of a nested
error, Fuller and Battese 1973; Baltagi, Song, Jung 2001), not fully, because a holiday or rain that
comes over all shops at once would go with them. Solved and given its errors by statsmodels, which
clusters them by shop and by week (Cameron, Gelbach, Miller 2011). How much the effect differs
between shops: DerSimonian and Laird 1986 over the shops' own slopes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr
from statsmodels.regression.linear_model import OLS

from hub.why.causes import CauseName
from hub.why.panel import Daily, Floats, exposures, figures, temperature
from storepulse.actions import Dimension

Known = NDArray[np.bool_]
"""(shops, days)"""

SHOP_DAYS_MIN: Final = 28
"""Shops with fewer known days take no part."""
SHOPS_MIN: Final = 5
"""Fewer shops are no chain to compare with."""
EXPOSED_DAYS_MIN: Final = 8
"""Shop-days on which a cause must have differed from its usual, for its effect to be asked."""
EXPOSED_FROM: Final = 0.05
TOLD_SHARE_MIN: Final = 0.5
DIFFERS_MIN: Final = 0.25
"""The least by which effects are taken to differ between shops, as a share of the effect: with few
episodes the data cannot show it, and they do differ (Fisher, Gallino, Netessine 2021, of staff)."""
_COLLINEAR: Final = 0.03
"""A column of which others leave no more than this share of its size adds nothing of its own."""
_PASSES: Final = 4
_NOTHING: Final = slice(0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainEffects:
    """Effects of the causes on one figure, as shares of a shop's usual, at exposure 1."""

    causes: tuple[CauseName, ...]
    effect: Floats
    """(k,)"""
    covariance: Floats
    """(k, k) of the estimates."""
    between: Floats
    """(k,) standard deviation of the shops' own effects around it."""
    exposed: NDArray[np.int64]
    """(k,) shop-days on which the cause differed from usual."""
    own_variance: float
    """Of a shop's day, what nothing explains; as if days were independent (memory is counted)."""
    gap_variance: float
    """Of the mean over as many days as are to be explained, where nothing is to be explained."""
    rest: Floats
    """(shops, days) what no cause explains, other shops' days taken out; NaN: not known."""
    design: Floats
    """(shops, days, k) the exposures, treated like `rest`."""
    usual: Floats
    """(shops, 1) each shop's mean figure."""
    raw: Floats
    """(shops, days, k) the exposures as they are; 0 where not told."""
    told: Floats
    """(shops, days, k) 1 where the exposure was told."""
    rough: Floats
    """(shops, days, k) variance of the error with which it was told."""
    course: Floats
    """(shops, days) the figure without level, drift and weekdays, as a share of usual; or NaN."""


def chain_effects(
    daily: Daily, dimension: Dimension, *, without: slice = _NOTHING
) -> ChainEffects | None:
    """Learn the effects from a panel; None when too few shops or days are known.

    Args:
        without: the days that are to be explained: no effect is learnt from them.
    """
    figure = figures(daily, dimension)
    known = np.isfinite(figure)
    learn = known.copy()
    learn[:, without] = False
    enough = learn.sum(axis=1) >= SHOP_DAYS_MIN
    usual = np.full((len(figure), 1), np.nan)
    usual[enough, 0] = np.nanmean(np.where(learn, figure, np.nan)[enough], axis=1)
    usual[~(usual > 0)] = np.nan
    known, learn = known & np.isfinite(usual), learn & np.isfinite(usual)
    if learn.any(axis=1).sum() < SHOPS_MIN:
        return None
    outcome = np.where(known, figure / usual - 1, 0.0)
    causes, raw, told, rough, exposed = _candidates(daily, learn)
    cells = np.concatenate([outcome[:, :, None], raw, temperature(daily)[:, :, None]], axis=2)
    flat = _taken_out(daily, cells, learn)
    alone, aside = _told_apart(flat[learn][:, 1:], len(causes))
    return _fitted(
        daily, flat[:, :, [0, *(1 + number for number in (*alone, *aside))]], known, learn,
        [causes[number] for number in alone], raw[:, :, alone], told[:, :, alone],
        rough[:, :, alone], exposed[alone], usual, max(1, without.stop - without.start),
    )  # fmt: skip


def _told_apart(columns: Floats, causes: int) -> tuple[list[int], list[int]]:
    """Which causes can be told apart, and which columns are only adjusted for.

    Causes that always come together (a rank that is short) are told apart from none of each other:
    one of them stays to be adjusted for, none is given an effect.
    """
    size = np.sqrt((columns**2).mean(axis=0))
    there = np.flatnonzero(size > 1e-9)
    if not len(there):
        return [], []
    _, triangle, order = qr(columns[:, there] / size[there], mode="economic", pivoting=True)
    by_rank = np.abs(np.diag(triangle))
    rank = int((by_rank > _COLLINEAR * by_rank[0]).sum())
    kept, short = there[order[:rank]], there[order[rank:]]
    apart = set(kept.tolist())
    if len(short):
        made_of = np.linalg.lstsq(columns[:, kept], columns[:, short], rcond=None)[0]
        scale = size[kept][:, None] / size[short][None, :]
        together = (np.abs(made_of * scale) > _COLLINEAR).any(axis=1)
        apart -= set(kept[together].tolist())
    alone = [number for number in range(causes) if number in apart]
    return alone, [int(number) for number in sorted(kept) if number not in alone]


def _candidates(
    daily: Daily, known: Known
) -> tuple[tuple[CauseName, ...], Floats, Floats, Floats, NDArray[np.int64]]:
    names: list[CauseName] = []
    values, told_of, rough_of, exposed = [], [], [], []
    for name, exposure in exposures(daily).items():
        found = exposure.value
        told = np.isfinite(found)
        if (told & known).sum() < TOLD_SHARE_MIN * known.sum():
            continue
        filled = np.where(told, found, _means(found, told))
        away = (np.abs(filled - np.median(filled[known])) > EXPOSED_FROM) & known
        if away.sum() < EXPOSED_DAYS_MIN:
            continue
        names.append(name)
        values.append(filled)
        told_of.append(told.astype(np.float64))
        rough_of.append(np.nan_to_num(exposure.variance))
        exposed.append(int(away.sum()))
    shape = (*known.shape, 0)
    return (
        tuple(names),
        np.stack(values, axis=2) if values else np.empty(shape),
        np.stack(told_of, axis=2) if values else np.empty(shape),
        np.stack(rough_of, axis=2) if values else np.empty(shape),
        np.array(exposed, np.int64),
    )


def _means(found: Floats, told: NDArray[np.bool_]) -> Floats:
    count = told.sum(axis=1, keepdims=True)
    total = np.where(told, found, 0.0).sum(axis=1, keepdims=True)
    overall = np.where(told, found, 0.0).sum() / max(1, told.sum())
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), overall))


def _taken_out(daily: Daily, cells: Floats, known: Known) -> Floats:
    """Take each shop's level and drift, and its kind's weekdays, out of every column.

    Learnt on known days, applied to all days.
    """
    days = np.arange(cells.shape[1], dtype=np.float64)
    days = (days - days.mean()) / max(1.0, days.std())
    weekday = np.array([day.weekday() for day in daily.days])
    weight = known.astype(np.float64)[:, :, None]
    found = cells.copy()
    total = np.maximum(weight.sum(axis=1, keepdims=True), 1.0)
    middle = (weight * days[None, :, None]).sum(axis=1, keepdims=True) / total
    slope_by = days[None, :, None] - middle
    spread = np.maximum((weight * slope_by**2).sum(axis=1, keepdims=True), 1e-9)
    kinds = [daily.format == kind for kind in np.unique(daily.format)]
    for _ in range(_PASSES):
        for kind in kinds:
            for one in range(7):
                on = weekday == one
                block, by = found[np.ix_(kind, on)], weight[np.ix_(kind, on)]
                found[np.ix_(kind, on)] = block - (by * block).sum((0, 1)) / max(1.0, by.sum())
        found -= (weight * found).sum(axis=1, keepdims=True) / total
        found -= slope_by * (weight * slope_by * found).sum(axis=1, keepdims=True) / spread
    return found


def _fitted(
    daily: Daily, flat: Floats, known: Known, learn: Known, causes: Sequence[CauseName],
    raw: Floats, told: Floats, rough: Floats, exposed: NDArray[np.int64], usual: Floats,
    length: int,
) -> ChainEffects:  # fmt: skip
    k = len(causes)
    first = _least_squares(flat[learn])
    kept = _kept_of_shared(daily, flat[:, :, 0] - flat[:, :, 1:] @ first, learn)
    freed = _freed(daily, flat, known, *kept)
    shop, day = np.nonzero(learn)
    outcome, columns = freed[learn][:, 0], freed[learn][:, 1:]
    effect, clustered = _solved(outcome, columns, np.column_stack([shop, day // 7]))
    rest = freed[:, :, 0] - freed[:, :, 1:] @ effect
    plain = _plain_covariance(columns, rest[learn])
    covariance = _wider(clustered, plain)[:k, :k]
    memory = _memory(np.where(learn, rest, np.nan))
    own = float(np.var(rest[learn]))
    between = [
        _between(freed, rest, learn, column, own, memory, float(effect[column]))
        for column in range(k)
    ]
    return ChainEffects(
        causes=tuple(causes), effect=effect[:k], covariance=covariance,
        between=np.array(between), exposed=exposed,
        own_variance=own * (1 + memory) / (1 - memory),
        gap_variance=_gap_variance(np.where(learn, rest, np.nan), length),
        rest=np.where(known, rest, np.nan), design=freed[:, :, 1 : k + 1], usual=usual, raw=raw,
        told=told, rough=rough, course=np.where(known, flat[:, :, 0], np.nan),
    )  # fmt: skip


def _solved(outcome: Floats, columns: Floats, groups: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """The effects and their covariance, clustered both ways; empty without a column."""
    if not columns.shape[1]:
        return np.empty(0), np.empty((0, 0))
    found = OLS(outcome, columns).fit(cov_type="cluster", cov_kwds={"groups": groups})
    return np.asarray(found.params), np.asarray(found.cov_params())


def _least_squares(cells: Floats) -> Floats:
    return np.asarray(np.linalg.lstsq(cells[:, 1:], cells[:, 0], rcond=None)[0])


def _kept_of_shared(daily: Daily, rest: Floats, known: Known) -> tuple[float, float]:
    """How much of a region's day, and of the chain's day, the errors' variances leave standing.

    1: days share nothing, all stays; 0: what shops share on a day is all taken out.
    """
    by_region, count = _region_days(daily, rest, known)
    some = count >= 2
    if not some.any():
        return 1.0, 1.0
    size = float(count[some].mean())
    inside = rest - by_region[daily.region]
    inside[~known] = 0.0
    own = float((inside**2).sum() / max(1, known.sum() - some.sum()))
    days = np.where(some, by_region, np.nan)
    regions_a_day = float(some.sum(axis=0)[some.any(axis=0)].mean())
    day_mean = np.nanmean(days[:, some.any(axis=0)], axis=0)
    region_var = float(np.nanvar(days[:, some.any(axis=0)] - day_mean)) * regions_a_day / max(
        1.0, regions_a_day - 1
    )  # fmt: skip
    region = max(0.0, region_var - own / size) if regions_a_day > 1 else 0.0
    chain = max(0.0, float(np.var(day_mean)) - (region + own / size) / regions_a_day)
    of_region = own + size * region
    of_day = of_region + size * regions_a_day * chain
    return (own / of_region) ** 0.5, (own / of_day) ** 0.5


def _region_days(daily: Daily, values: Floats, known: Known) -> tuple[Floats, NDArray[np.int64]]:
    """(regions, days) means over known shops, and their counts; regions as numbered."""
    count = np.zeros((int(daily.region.max()) + 1, values.shape[1]), np.int64)
    total = np.zeros((count.shape[0], *values.shape[1:]))
    np.add.at(count, daily.region, known.astype(np.int64))
    weight = known if values.ndim == 2 else known[:, :, None]
    np.add.at(total, daily.region, np.where(weight, values, 0.0))
    by = np.maximum(count, 1)
    return total / (by if values.ndim == 2 else by[:, :, None]), count


def _freed(daily: Daily, flat: Floats, known: Known, keep_region: float, keep_day: float) -> Floats:
    """Take out of every column what shops share on a day, as far as it is not kept."""
    by_region, _ = _region_days(daily, flat, known)
    count = np.maximum(known.sum(axis=0), 1)[None, :, None]
    by_day = np.where(known[:, :, None], flat, 0.0).sum(axis=0, keepdims=True) / count
    return np.asarray(
        flat - (1 - keep_region) * by_region[daily.region] - (keep_region - keep_day) * by_day
    )


def _plain_covariance(columns: Floats, rest: Floats) -> Floats:
    return np.asarray(np.linalg.pinv(columns.T @ columns) * np.var(rest))


def _wider(clustered: Floats, plain: Floats) -> Floats:
    """The clustered errors, but never below the plain ones.

    Few treated clusters (two holidays in a season) make the clustered ones far too small.
    """
    own = np.maximum(np.diag(clustered), 1e-12)
    factor = np.sqrt(np.maximum(1.0, np.diag(plain) / own))
    mended = clustered + np.diag(own - np.diag(clustered))
    return np.asarray(mended * factor[:, None] * factor[None, :])


def _memory(series: Floats) -> float:
    """The correlation of a day with the next."""
    here, then = series[:, :-1], series[:, 1:]
    both = np.isfinite(here) & np.isfinite(then)
    if both.sum() < SHOP_DAYS_MIN:
        return 0.0
    return float(np.clip(np.corrcoef(here[both], then[both])[0, 1], 0.0, 0.9))


def _between(
    freed: Floats, rest: Floats, known: Known, column: int, own: float,
    memory: float, effect: float,
) -> float:  # fmt: skip
    """The standard deviation of the shops' own effects of one cause."""
    others = np.delete(freed[:, :, 1:], column, axis=2)
    own_column = freed[:, :, 1 + column]
    by = np.linalg.lstsq(others[known], own_column[known], rcond=None)[0]
    alone = np.where(known, own_column - others @ by, 0.0)
    together = _memory(np.where(known, alone, np.nan))
    spread = (alone**2).sum(axis=1)
    some = spread > 0.05 * np.median(spread[spread > 0]) if (spread > 0).any() else spread > 0
    floor = DIFFERS_MIN * abs(effect)
    if some.sum() < SHOPS_MIN:
        return floor
    slope = (alone * np.where(known, rest, 0.0)).sum(axis=1)[some] / spread[some]
    longer = (1 + memory * together) / (1 - memory * together)
    weight = spread[some] / (own * longer)
    middle = (weight * slope).sum() / weight.sum()
    excess = (weight * (slope - middle) ** 2).sum() - (some.sum() - 1)
    scale = weight.sum() - (weight**2).sum() / weight.sum()
    return float(max(floor, max(0.0, excess / scale) ** 0.5))


def _gap_variance(rest: Floats, length: int) -> float:
    """Of the mean of so many days running less that of all.

    Taken from all stretches of all shops: so memory, heavy tails and what no fact tells are in it.
    """
    known = np.isfinite(rest)
    total = np.cumsum(np.where(known, rest, 0.0), axis=1)
    count = np.cumsum(known, axis=1)
    sums, counts = total[:, length:] - total[:, :-length], count[:, length:] - count[:, :-length]
    some = counts >= max(1, length // 2)
    if not some.any():
        return float(np.nanvar(rest)) / length
    return float(np.var(sums[some] / counts[some]))
