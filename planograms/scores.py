"""Scores of one comparison, each with its interval. Pure; formulas in docs/scores.md.

A score is the share of planned places (or products) that are as planned. Of each place that was
seen we have the probability that it is right; of those not seen we know only what the seen ones
suggest. The distribution of the share follows from both, and value, low and high are its mean, 5th
and 95th percentile. Places of one shelf are wrong together (glare, a map that is off there, a shelf
that was emptied): what they share is a random shift of the log odds of the whole row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import betabinom

from planograms.findings import Finding, PositionState, Status
from planograms.model import Planogram, Position

Reals = npt.NDArray[np.float64]

_TAIL: Final = 0.05
ROW_SPREAD: Final = 1.5
"""Standard deviation of what the places of one row share, in log odds: the likeliest value on 62
second photos of 11 train photos (4,965 places; 1.2 to 1.5 fit alike, 0 far worse)."""
_NODES: Final = 9
_STEPS: Final = 12

Basis = Literal["main_push", "facing_compliance"]
BRANDS_MAX: Final = 40
"""Of one bay, those with the most planned facings; the others count among all."""
_STANDS: Final[frozenset[Status]] = frozenset({"ok", "unsure", "wrong_product", "misplaced"})
"""At such a place a facing stands, whichever."""


@dataclass(frozen=True, slots=True)
class Score:
    """A share with its 90 % interval; `value` None where nothing of it was seen."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    """Places or products seen."""
    coverage: float
    """Seen, of those planned."""
    planned: int = 0
    """Places or products planned, seen or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandShare:
    """How much of the shelf a brand has."""

    brand: str
    share: Score
    """Facings of the brand, of all facings that stand there; n: those in view."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The scores of one photo against its planogram."""

    exposure_main_push: Score
    """Planned facings of main-push products that are in place and to be seen."""
    exposure_basis: Basis
    """`facing_compliance` where no product is marked as main push: then both are one figure."""
    position_compliance: Score
    """Runs (adjacent facings planned for one product) at which at least one of them is right."""
    facing_compliance: Score
    """Planned facings that are right."""
    on_shelf_availability: Score
    """Planned products of which at least one facing stands in its place."""
    main_push_in_main_visual: Score | None = None
    """Main-push products of which at least one facing stands right at eye level; None where the
    planogram marks no product, or no shelf."""
    share_of_shelf: tuple[BrandShare, ...] = ()
    """By brand, the one with most planned facings first; empty where no brand is known."""


def seen_together(
    states: Sequence[PositionState], earlier: Mapping[str, float]
) -> tuple[PositionState, ...]:
    """States of a bay by several photos of one round: where the newest sees a place, it counts.

    Args:
        states: by the newest photo.
        earlier: of places that earlier photos of the round showed, the probability of being right.
    """
    return tuple(
        replace(one, right=earlier[one.id], status="ok" if earlier[one.id] >= 0.5 else "unsure")
        if one.right is None and one.id in earlier
        else one
        for one in states
    )


def scores_of(
    planogram: Planogram, states: Sequence[PositionState], findings: Sequence[Finding] = ()
) -> Scores:
    """Score a comparison.

    Args:
        planogram: the plan.
        states: of each of its positions.
        findings: what stands there instead, for the share of shelf.
    """
    right = {state.id: state.right for state in states}
    order = planogram.in_order
    pushed = [position for position in order if planogram.product_at(position).main_push]
    runs = planogram.runs()
    of_product: dict[str, list[Position]] = {}
    for position in order:
        of_product.setdefault(position.product, []).append(position)

    def share_of(places: Sequence[Sequence[Position]]) -> Score:
        return share(
            [_any_of([right[position.id] for position in place]) for place in places],
            rows=[place[0].row for place in places],
        )

    facing_compliance = share_of([[position] for position in order])
    return Scores(
        exposure_main_push=share_of([[position] for position in pushed])
        if pushed
        else facing_compliance,
        exposure_basis="main_push" if pushed else "facing_compliance",
        position_compliance=share_of(runs),
        facing_compliance=facing_compliance,
        on_shelf_availability=share_of(list(of_product.values())),
        main_push_in_main_visual=_in_main_visual(planogram, pushed, right),
        share_of_shelf=_share_of_shelf(planogram, states, findings),
    )


def _in_main_visual(
    planogram: Planogram, pushed: Sequence[Position], right: Mapping[str, float | None]
) -> Score | None:
    if not pushed or not planogram.main_visual:
        return None
    products: dict[str, list[Position]] = {}
    for position in pushed:
        products.setdefault(position.product, []).append(position)
    rights: list[float | None] = []
    for places in products.values():
        there = [place for place in places if place.id in planogram.main_visual]
        # One that is planned elsewhere only does not stand there, seen or not.
        rights.append(_any_of([right[place.id] for place in there]) if there else 0.0)
    return share(rights)


def _share_of_shelf(
    planogram: Planogram, states: Sequence[PositionState], findings: Sequence[Finding]
) -> tuple[BrandShare, ...]:
    """Of the facings that stand there, each by the chances of what it is."""
    order: dict[str, int] = {}
    for position in planogram.positions:
        brand = planogram.product_at(position).brand
        if brand is not None:
            order[brand] = order.get(brand, 0) + 1
    if not order:
        return ()
    brand_of = {product.sku: product.brand for product in planogram.products}
    by_place = {finding.position: finding for finding in findings if finding.position is not None}
    facings: list[Mapping[str | None, float] | None] = []
    rows: list[int] = []
    for state in states:
        place = planogram.position_by_id[state.id]
        if state.right is None:
            facings.append(None)
        elif state.status in _STANDS:
            chances = {planogram.product_at(place).brand: state.right}
            finding = by_place.get(state.id)
            if finding is not None and finding.seen is not None:
                other = brand_of.get(finding.seen)
                chances[other] = chances.get(other, 0.0) + 1 - state.right
            facings.append(chances)
        else:
            continue
        rows.append(place.row)
    top = max((shelf.row for shelf in planogram.shelves), default=0)
    for finding in findings:
        if finding.position is None:
            # What stands at no planned place takes room all the same; of the row nobody knows.
            facings.append({brand_of.get(finding.seen or finding.sku or ""): finding.confidence})
            rows.append(top + 1)
    brands = sorted(order, key=lambda brand: (-order[brand], brand))[:BRANDS_MAX]
    return tuple(
        BrandShare(
            brand=brand,
            share=share(
                [None if one is None else one.get(brand, 0.0) for one in facings], rows=rows
            ),
        )
        for brand in brands
    )


def _any_of(rights: Sequence[float | None]) -> float | None:
    """Probability that at least one is right; None where none was seen."""
    seen = [value for value in rights if value is not None]
    return float(1 - np.prod([1 - value for value in seen])) if seen else None


def share(rights: Sequence[float | None], *, rows: Sequence[int] | None = None) -> Score:
    """The share that is right, from the probability of each; None for those not seen.

    Those not seen follow a beta-binomial whose rate is learnt from the seen ones (Jeffreys' prior).

    Args:
        rights: (n,) probability of each thing planned.
        rows: (n,) the shelf of each: those of one are right or wrong together to a degree. None:
            each by itself.
    """
    planned = len(rights)
    seen = np.array([value for value in rights if value is not None])
    n = len(seen)
    if not n:
        return Score(None, None, None, 0, 0.0, planned)
    if rows is None:
        chances = poisson_binomial(seen)
    else:
        of = np.array([row for row, value in zip(rows, rights, strict=True) if value is not None])
        chances = together(seen, of, spread=ROW_SPREAD)
    unseen = planned - n
    good = float(seen.sum())
    if unseen:
        rest = betabinom.pmf(np.arange(unseen + 1), unseen, good + 0.5, n - good + 0.5)
        chances = np.convolve(chances, rest)
    up_to = np.cumsum(chances)
    # The mean of the unseen is that of the seen, drawn a little towards one half by the prior.
    value = (good + (unseen * (good + 0.5) / (n + 1) if unseen else 0.0)) / planned
    low = int(np.searchsorted(up_to, _TAIL)) / planned
    high = int(np.searchsorted(up_to, 1 - _TAIL)) / planned
    return Score(
        value=round(value, 4),
        # The mean of a lopsided distribution may lie beyond a percentile of whole facings.
        low=round(min(low, value), 4),
        high=round(max(high, value), 4),
        n=n,
        coverage=round(n / planned, 4),
        planned=planned,
    )


def together(chances: Reals, rows: npt.NDArray[np.int64], *, spread: float) -> Reals:
    """Probability of 0 to n successes where those of one row share a normal shift of log odds.

    Args:
        chances: (n,) probability of each, over all shifts.
        rows: (n,) the row of each.
        spread: standard deviation of the shift; 0: all by themselves.
    Returns:
        (n + 1,).
    """
    if spread == 0:
        return poisson_binomial(chances)
    shifts, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    weights = weights / weights.sum()
    odds = _odds_before_shift(chances, spread * shifts, weights)
    out = np.ones(1)
    for row in np.unique(rows):
        mine = odds[rows == row]
        shifted = 1 / (1 + np.exp(-(mine[None] + spread * shifts[:, None])))
        mixed = sum(
            weight * poisson_binomial(each) for weight, each in zip(weights, shifted, strict=True)
        )
        out = np.convolve(out, mixed)
    return out


def _odds_before_shift(chances: Reals, shifts: Reals, weights: Reals) -> Reals:
    """The log odds whose average over the shifts gives each probability: (n,)."""
    wanted = np.clip(chances, 1e-6, 1 - 1e-6)
    odds: Reals = np.log(wanted / (1 - wanted))
    for _ in range(_STEPS):
        curve = 1 / (1 + np.exp(-(odds[:, None] + shifts[None])))
        slope = (curve * (1 - curve)) @ weights
        odds = odds + np.clip((wanted - curve @ weights) / np.maximum(slope, 1e-9), -1, 1)
    return odds


def poisson_binomial(chances: Reals) -> Reals:
    """Probability of 0 to n successes of n independent trials with those chances: (n + 1,)."""
    out = np.ones(1)
    for chance in chances:
        out = np.convolve(out, [1 - chance, chance])
    return out
