"""Watch simulated trials every day: how often is a winner declared, without and with an effect?

60 shops of a simulated chain with all its weather, promotions, episodes and noise, eight weeks of
past and four weeks of trial. Each trial is a chain of its own; the dimensions take turns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from hub.experiments.pairs import Pair, matched_pairs
from hub.experiments.trials import BEFORE_DAYS, looks, standing
from hub.why.panel import Daily, Floats
from hub.why.panel import figures as figures_of
from storepulse.actions import DIMENSIONS, Dimension
from storepulse.eval.figures import Figure, Report
from storepulse.eval.progress import Steps
from storepulse.eval.resampling import ratio_interval
from storepulse.simulated.chain_causes import simulate

EFFECTS: Final = (0.0, 0.02, 0.04, 0.06, 0.08, 0.12, 0.2)
SCORED_SEEDS_FROM: Final = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One trial with one true effect, watched to its end."""

    dimension: Dimension
    true: float
    standing: str
    covered_always: bool
    """Whether the interval of every single look held the true effect."""
    half_width: float
    """Of the last look."""


def watch(seed: int, *, shops: int, days: int) -> list[Watched]:
    """One chain's trial, with every true effect in turn."""
    chain = simulate(seed, shops=shops, days=BEFORE_DAYS + days)
    dimension = DIMENSIONS[seed % len(DIMENSIONS)]
    told = figures_of(
        Daily(shops=chain.shops, region=chain.region, format=chain.format, days=chain.days,
              metrics=chain.metrics), dimension,
    )  # fmt: skip
    before = {
        shop: float(np.nanmean(told[row, :BEFORE_DAYS])) for row, shop in enumerate(chain.shops)
    }
    formats = {shop: str(chain.format[row]) for row, shop in enumerate(chain.shops)}
    pairs = matched_pairs(before, formats, seed=seed)
    acting = np.isin(chain.shops, [pair.acts for pair in pairs])
    return [_one(told, chain.shops, chain.days, pairs, acting, dimension, e) for e in EFFECTS]


def _one(
    told: Floats, shops: Sequence[str], days: Sequence[date], pairs: Sequence[Pair],
    acting: np.ndarray, dimension: Dimension, true: float,
) -> Watched:  # fmt: skip
    moved = told.copy()
    moved[acting, BEFORE_DAYS:] *= 1 + true
    seen = looks(dict(zip(shops, moved, strict=True)), pairs, days, start=BEFORE_DAYS)
    return Watched(
        dimension=dimension, true=true, standing=standing(seen),
        covered_always=all(look.low <= true <= look.high for look in seen),
        half_width=(seen[-1].high - seen[-1].low) / 2,
    )  # fmt: skip


def measure_experiments(
    *, trials: int, seed: int, steps: Steps, shops: int = 60, days: int = 28
) -> Report:
    """Watch so many trials of every true effect."""
    seeds = [SCORED_SEEDS_FROM + seed + number for number in range(trials)]
    watched = [
        one
        for each in steps(seeds, "simulated trials")
        for one in watch(each, shops=shops, days=days)
    ]
    none = [one for one in watched if one.true == 0]
    figures = [
        _share("a winner declared without an effect", [w.standing == "won" for w in none], seed),
        _share("won or lost without an effect",
               [w.standing in ("won", "lost") for w in none], seed),
        _share("the interval held at every look", [w.covered_always for w in watched], seed),
    ]  # fmt: skip
    for dimension in DIMENSIONS:
        of = [w for w in none if w.dimension == dimension]
        figures.append(
            _share("a winner declared without an effect", [w.standing == "won" for w in of], seed,
                   of=dimension)
        )  # fmt: skip
    for part in ("all", *DIMENSIONS):
        for true in EFFECTS[1:]:
            some = [
                w.standing == "won"
                for w in watched
                if w.true == true and part in ("all", w.dimension)
            ]
            figures.append(
                _share("won, by true effect", some, seed, of=f"{part}, {100 * true:.0f} %")
            )
    return Report(
        measure="trials watched every day",
        settings={
            "trials": trials, "shops": shops, "days": days, "seeds": f"{seeds[0]} to {seeds[-1]}",
        },
        figures=tuple(figures),
        notes=("effects are shares of the usual figure; intervals by drawing trials anew",),
    )  # fmt: skip


def _share(name: str, true: Sequence[bool], seed: int, *, of: str = "all") -> Figure:
    low, high = ratio_interval([float(one) for one in true], np.ones(len(true)), seed=seed)
    value = sum(true) / len(true) if true else None
    return Figure(name=name, of=of, value=value, low=low, high=high, n=len(true))
