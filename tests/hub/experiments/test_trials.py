"""Pairs, lots, intervals that hold at every look, and worths: laws and small cases."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.experiments.pairs import Pair, TooFewShops, matched_pairs
from hub.experiments.sequences import ALPHA, radius, widened
from hub.experiments.trials import (
    BEFORE_DAYS,
    Look,
    Trial,
    looks,
    standing,
    worth_of_playbooks,
)

FIRST = date(2026, 9, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(BEFORE_DAYS + 28)]


def shops_and_pairs(effect: float, *, seed: int = 1, pairs: int = 30):
    rng = np.random.default_rng(seed)
    level = rng.uniform(8, 14, (2 * pairs, 1))
    told = level * (1 + 0.1 * rng.standard_normal((2 * pairs, len(DAYS))))
    names = [f"s{n:02d}" for n in range(2 * pairs)]
    before = {name: float(told[n, :BEFORE_DAYS].mean()) for n, name in enumerate(names)}
    matched = matched_pairs(before, dict.fromkeys(names, "street"), seed=seed)
    acting = {pair.acts for pair in matched}
    for n, name in enumerate(names):
        if name in acting:
            told[n, BEFORE_DAYS:] *= 1 + effect
    return dict(zip(names, told, strict=True)), matched


def test_at_whichever_look_the_truth_is_left_out_as_seldom_as_promised() -> None:
    number = np.arange(1, 401)
    draws = np.random.default_rng(7).normal(0, 0.2, (4000, len(number)))
    means = draws.cumsum(axis=1) / number
    half = np.array([radius(0.2**2 / n) for n in number])
    left_out = (np.abs(means) > half).any(axis=1).mean()
    # No wider than need be either: of four thousand walks 5.75 % cross it somewhere.
    assert 0.03 < left_out <= ALPHA


@given(st.floats(1e-8, 10), st.floats(1e-8, 10))
def test_more_information_never_makes_the_interval_wider(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert radius(low) <= radius(high) * (1 + 1e-12)


@given(st.floats(1e-6, 1), st.integers(4, 500))
def test_an_interval_that_may_be_looked_at_any_time_is_wider_than_one_of_a_single_look(
    variance: float, freedom: int
) -> None:
    half = radius(variance)
    assert half > 1.645 * variance**0.5
    assert widened(half, variance, freedom) >= half


def test_shops_are_paired_with_their_like_and_the_lots_are_kept_by_the_seed() -> None:
    before = {f"a{n}": 10.0 + n for n in range(10)} | {f"b{n}": 10.1 + n for n in range(10)}
    formats = {shop: shop[0] for shop in before}
    pairs = matched_pairs(before, formats, seed=3)
    assert len(pairs) == 10
    assert all(pair.acts[0] == pair.waits[0] for pair in pairs)
    assert all(abs(before[pair.acts] - before[pair.waits]) <= 1.001 for pair in pairs)
    assert matched_pairs(before, formats, seed=3) == pairs
    assert any(matched_pairs(before, formats, seed=seed) != pairs for seed in range(4, 9))


def test_too_few_shops_are_refused() -> None:
    with pytest.raises(TooFewShops, match="pairs of shops"):
        matched_pairs({f"s{n}": 1.0 for n in range(9)}, {}, seed=0)


def test_an_effect_is_found_with_its_size() -> None:
    figures, pairs = shops_and_pairs(0.12)
    seen = looks(figures, pairs, DAYS, start=BEFORE_DAYS)
    assert len(seen) == 28
    assert standing(seen) == "won"
    assert seen[-1].low <= 0.12 <= seen[-1].high
    assert seen[-1].high - seen[-1].low < seen[0].high - seen[0].low


def test_an_effect_to_the_worse_is_lost_and_none_stays_open() -> None:
    worse, pairs = shops_and_pairs(-0.15)
    assert standing(looks(worse, pairs, DAYS, start=BEFORE_DAYS)) == "lost"
    none, same = shops_and_pairs(0.0)
    assert standing(looks(none, same, DAYS, start=BEFORE_DAYS)) == "open"


def test_the_order_of_pairs_and_a_scale_make_no_difference() -> None:
    figures, pairs = shops_and_pairs(0.08)
    here = looks(figures, pairs, DAYS, start=BEFORE_DAYS)[-1]
    scaled = {shop: 60 * told for shop, told in figures.items()}
    there = looks(scaled, pairs[::-1], DAYS, start=BEFORE_DAYS)[-1]
    assert (here.effect, here.low) == pytest.approx((there.effect, there.low))


def test_swapping_who_acts_turns_the_effect_round() -> None:
    figures, pairs = shops_and_pairs(0.08)
    here = looks(figures, pairs, DAYS, start=BEFORE_DAYS)[-1]
    swapped = [Pair(pair.waits, pair.acts) for pair in pairs]
    there = looks(figures, swapped, DAYS, start=BEFORE_DAYS)[-1]
    assert (there.effect, there.low) == pytest.approx((-here.effect, -here.high))


def test_days_and_shops_without_figures_are_left_out_and_few_pairs_say_nothing() -> None:
    figures, pairs = shops_and_pairs(0.1)
    for pair in pairs[:26]:
        figures[pair.acts] = np.full(len(DAYS), np.nan)
    assert looks(figures, pairs, DAYS, start=BEFORE_DAYS) == ()
    assert standing(()) == "unknown"
    figures, pairs = shops_and_pairs(0.1)
    figures[pairs[0].acts][BEFORE_DAYS + 2 :] = np.nan
    del figures[pairs[1].acts]
    assert looks(figures, pairs, DAYS, start=BEFORE_DAYS)[-1].pairs == 29


def test_the_first_decision_stands() -> None:
    won = Look(day=FIRST, effect=0.1, low=0.01, high=0.2, pairs=30)
    later = Look(day=FIRST, effect=0.05, low=-0.01, high=0.1, pairs=30)
    assert standing([later, won, later]) == "won"


def trial(subject: str, effect: float, half: float) -> Trial:
    return Trial(
        subject=subject, dimension="place", effect=effect, low=effect - half, high=effect + half
    )


def test_worths_rank_by_what_is_to_be_expected_not_by_luck() -> None:
    lucky, sure = trial("lucky", 0.12, 0.4), trial("sure", 0.06, 0.03)
    first, second = worth_of_playbooks([lucky, sure])
    assert (first.subject, second.subject) == ("sure", "lucky")
    assert 0 < second.expected < first.expected < 0.06


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(-0.3, 0.3), st.floats(0.01, 0.3)), min_size=1, max_size=6))
def test_a_worth_lies_within_its_trials_and_more_trials_are_not_less_sure(
    told: list[tuple[float, float]],
) -> None:
    (one,) = worth_of_playbooks([trial("p", effect, half) for effect, half in told])
    effects = [effect for effect, _ in told]
    assert min(effects) - 1e-9 <= one.effect <= max(effects) + 1e-9
    assert one.trials == len(told)
    assert abs(one.expected) <= abs(one.effect) + 1e-12
