"""Ask why figures worsened in simulated chains whose causes are known, and compare.

A case is a dimension of a shop on a day whose figure is worse than usual by about half a colour's
width, whatever made it so: chosen by what is told, as codes choose. What truly moved it is then
looked up. It is *planted* when one cause that facts tell of made most of it; *without a cause in
the data* when all such causes together made at most a tenth of it (what no fact tells of, or noise,
did the rest); *mixed* otherwise.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

import numpy as np

from hub.why.causes import CAUSE_NAMES
from hub.why.estimate import USUAL_DAYS, Estimate, estimate
from hub.why.panel import Daily, figures
from hub.why.why import Learnt, days_looked_at, learnt, told_at_all
from storepulse.actions import DIMENSIONS, Dimension
from storepulse.eval.figures import Figure, Report
from storepulse.eval.progress import Steps
from storepulse.eval.resampling import ratio_interval
from storepulse.simulated.chain_causes import CausedChain, simulate

WORSE_FROM: Final[Mapping[Dimension, float]] = {
    "people": 0.12, "goods": 0.06, "place": 0.06, "conversion": 0.12,
}  # fmt: skip
"""About half the width of a colour in the default policy, as a share of usual."""
FIRST_END: Final = 131
END_EVERY: Final[Mapping[Dimension, int]] = {"people": 8, "goods": 8, "place": 8, "conversion": 16}
"""So that no two cases of a shop look at the same days."""
MOST_OF_IT: Final = 0.5
OF_ALL_HARM: Final = 0.6
NOTHING_OF_IT: Final = 0.1
ACTED_FROM: Final = 0.01
BESIDE_IT: Final = 0.3
"""A change of another cause's exposure from which on a case counts as confounded."""
SIZES: Final = (0.01, 0.03, 0.06, 0.1, 0.15, 0.25, 9.0)
SCORED_SEEDS_FROM: Final = 1000
"""Chains below were looked at while the estimator was made."""

Kind = Literal["planted", "hidden", "noise", "mixed", "not worse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One question and its answer."""

    chain: int
    dimension: Dimension
    kind: Kind
    true: str | None
    """The told cause that harmed most; None: none did."""
    size: float
    """By how much it did, as a share of usual."""
    dominant: bool
    """Whether it was most of all that harmed, told or not."""
    beside: bool
    """Whether another cause's exposure changed at the same time."""
    first: str | None
    claimed: bool
    harms: float
    """What the first one named truly did to the figure, as a share of how much worse it is."""
    covered: bool | None
    """Whether the true cause's interval holds its true effect; None: no interval was given."""
    acted: int
    """Causes that truly moved the figure by `ACTED_FROM` or more, and were given an interval."""
    held: int
    """How many of these intervals hold the true effect."""


def measure_why(
    *, chains: int, seed: int, steps: Steps, shops: int = 200, days: int = 180
) -> Report:
    """Ask in so many chains, of seeds from `SCORED_SEEDS_FROM + seed` on."""
    seeds = [SCORED_SEEDS_FROM + seed + number for number in range(chains)]
    cases = [
        case
        for one in steps(seeds, "simulated chains")
        for case in cases_of(simulate(one, shops=shops, days=days))
    ]
    settings: dict[str, str | int] = {
        "chains": chains, "shops": shops, "days": days, "seeds": f"{seeds[0]} to {seeds[-1]}",
    }  # fmt: skip
    return report_of(cases, settings=settings, seed=seed)


def cases_of(chain: CausedChain) -> Iterator[Case]:
    """Every case of one chain."""
    daily = Daily(
        shops=chain.shops, region=chain.region, format=chain.format, days=chain.days,
        metrics=chain.metrics,
    )  # fmt: skip
    for dimension in DIMENSIONS:
        for end in range(
            min(FIRST_END, len(chain.days) - 1), len(chain.days), END_EVERY[dimension]
        ):
            known = learnt(daily, dimension, chain.days[end])
            if known.effects is None:
                continue
            told = told_at_all(known.daily)
            for row in range(len(chain.shops)):
                found = estimate(known.effects, row, known.looked_at, told_at_all=told)
                case = _case(chain, known, row, found)
                if case is not None:
                    yield case


def _case(chain: CausedChain, known: Learnt, row: int, found: Estimate) -> Case | None:
    if found.worse_by is None:
        return None
    did = _true_effects(chain, known, row)
    told = {name: size for name, size in did.items() if name not in ("hidden", *chain.not_recorded)}
    harm = {name: -size for name, size in told.items() if size < 0}
    of_all = sum(-size for size in did.values() if size < 0)
    true = max(harm, key=lambda name: harm[name], default=None)
    size = harm[true] if true is not None else 0.0
    dominant = size >= OF_ALL_HARM * of_all and size > 0
    first = found.causes[0] if found.causes else None
    acted = [one for one in found.causes if abs(told.get(one.cause, 0.0)) >= ACTED_FROM]
    named = next((one for one in found.causes if one.cause == true), None)
    return Case(
        chain=chain.seed, dimension=known.dimension,
        kind=_kind(known.dimension, found.worse_by, size, sum(harm.values()), did, dominant),
        true=true, size=size, dominant=dominant,
        beside=any(one.cause != true and abs(one.change) >= BESIDE_IT for one in found.causes),
        first=None if first is None else first.cause,
        claimed=first is not None and first.claimed,
        harms=0.0 if first is None or found.worse_by <= 0
        else -told.get(first.cause, 0.0) / found.worse_by,
        covered=None if named is None or true is None else named.low <= -size <= named.high,
        acted=len(acted), held=sum(one.low <= told[one.cause] <= one.high for one in acted),
    )  # fmt: skip


def _kind(
    dimension: Dimension, worse_by: float, size: float, told_harm: float,
    did: Mapping[str, float], dominant: bool,
) -> Kind:  # fmt: skip
    if worse_by < WORSE_FROM[dimension]:
        return "not worse"
    if dominant and size >= MOST_OF_IT * worse_by:
        return "planted"
    if told_harm <= NOTHING_OF_IT * worse_by:
        untold = sum(-size for name, size in did.items() if name not in CAUSE_NAMES and size < 0)
        return "hidden" if untold >= MOST_OF_IT * worse_by else "noise"
    return "mixed"


def _true_effects(chain: CausedChain, known: Learnt, row: int) -> dict[str, float]:
    """What each cause truly did on the days looked at, against the days before, as a share."""
    first, last = days_looked_at(known.dimension, known.day)
    here = slice(chain.days.index(first), chain.days.index(last) + 1)
    before = slice(here.start - USUAL_DAYS, here.start)
    start = known.looked_at.start
    told = figures(known.daily, known.dimension)[row, start - USUAL_DAYS : start]
    scale = float(chain.level[known.dimension][row, 0] / np.nanmean(told))
    return {
        cause: scale * float(moved[row, here].mean() - moved[row, before].mean())
        for cause, moved in chain.contributions[known.dimension].items()
    }


def report_of(cases: Sequence[Case], *, settings: Mapping[str, str | int], seed: int) -> Report:
    """The figures of answered cases."""
    planted = [case for case in cases if case.kind == "planted"]
    without = [case for case in cases if case.kind in ("hidden", "noise")]
    claims = [case for case in cases if case.claimed]
    right = _is_first
    figures_ = [
        _share("true cause first", planted, right, seed),
        _share("true cause first and claimed", planted, lambda c: right(c) and c.claimed, seed),
        *(
            _share("true cause first", _of(planted, dimension), right, seed, of=dimension)
            for dimension in DIMENSIONS
        ),
        _share("true cause first", [c for c in planted if c.beside], right, seed,
               of="another cause changed too"),
        _share("true cause first", [c for c in planted if not c.beside], right, seed,
               of="nothing else changed"),
        _share("a cause claimed where the data hold none", without, lambda c: c.claimed, seed),
        *(
            _share("a cause claimed where the data hold none",
                   [c for c in without if c.kind == kind], lambda c: c.claimed, seed, of=kind)
            for kind in ("hidden", "noise")
        ),
        *(
            _share("a cause claimed where the data hold none", _of(without, dimension),
                   lambda c: c.claimed, seed, of=dimension)
            for dimension in DIMENSIONS
        ),
        _held("90 % interval holds the true effect", cases, seed),
        *(
            _held("90 % interval holds the true effect", _of(cases, dimension), seed, of=dimension)
            for dimension in DIMENSIONS
        ),
        _share("90 % interval holds the true effect", [c for c in planted if c.covered is not None],
               lambda c: bool(c.covered), seed, of="planted, most of a worse figure"),
        _share("of what was claimed, truly harmful", claims, lambda c: c.harms > 0, seed),
        *_power(cases, seed),
    ]  # fmt: skip
    count = {kind: sum(case.kind == kind for case in cases) for kind in ("mixed", "not worse")}
    note = (
        f"Beside these: {count['mixed']} cases whose harm has several sources, "
        f"{count['not worse']} of figures that were not worse; intervals by drawing chains anew."
    )
    return Report(
        measure="why a figure worsened, in simulated chains", settings=settings,
        figures=tuple(figures_), notes=(note,),
    )  # fmt: skip


def _of(cases: Sequence[Case], dimension: Dimension) -> list[Case]:
    return [case for case in cases if case.dimension == dimension]


def _is_first(case: Case) -> bool:
    return case.first == case.true


def _power(cases: Sequence[Case], seed: int) -> Iterator[Figure]:
    """How often the true cause is claimed, over its size, whether or not the figure is worse."""
    alone = [case for case in cases if case.dominant]
    for low, high in pairwise(SIZES):
        some = [case for case in alone if low <= case.size < high]
        to = f"{100 * low:.0f} % and more" if high > 1 else f"{100 * low:.0f} to {100 * high:.0f} %"
        yield _share(
            "claimed and first, by true effect", some, lambda c: c.claimed and _is_first(c), seed,
            of=to,
        )  # fmt: skip


def _held(name: str, cases: Sequence[Case], seed: int, *, of: str = "all") -> Figure:
    """Coverage over every cause that acted, whether or not the figure became worse."""
    over: dict[int, int] = defaultdict(int)
    under: dict[int, int] = defaultdict(int)
    for case in cases:
        over[case.chain] += case.held
        under[case.chain] += case.acted
    return _ratio(name, over, under, seed, of)


def _share(
    name: str, cases: Sequence[Case], true: Callable[[Case], bool], seed: int, *, of: str = "all"
) -> Figure:
    over: dict[int, int] = defaultdict(int)
    under: dict[int, int] = defaultdict(int)
    for case in cases:
        over[case.chain] += true(case)
        under[case.chain] += 1
    return _ratio(name, over, under, seed, of)


def _ratio(
    name: str, over: Mapping[int, int], under: Mapping[int, int], seed: int, of: str
) -> Figure:
    groups = sorted(under)
    low, high = ratio_interval([over[g] for g in groups], [under[g] for g in groups], seed=seed)
    count = sum(under.values())
    value = sum(over.values()) / count if count else None
    return Figure(name=name, of=of, value=value, low=low, high=high, n=count)
