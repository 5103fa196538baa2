"""What a trial of so many shops finds: by the arithmetic, and as often as it says."""

import numpy as np
import pytest

from hub.experiments.sequences import radius, widened
from hub.experiments.sizes import FOUND_IN, sizes, spread_of_pairs

SPREAD = 0.2**2


def half_of(spread: float, pairs: int) -> float:
    return widened(radius(spread / pairs), spread / pairs, pairs - 1)


@pytest.mark.parametrize("pairs", [5, 30, 400])
def test_the_spread_behind_an_interval_is_found_again(pairs: int) -> None:
    assert spread_of_pairs(half_of(SPREAD, pairs), pairs) == pytest.approx(SPREAD, rel=1e-6)


def test_more_shops_find_less_and_too_few_find_nothing() -> None:
    told = sizes(SPREAD, 45)
    assert [one.shops for one in told] == [10, 20, 30, 40, 60, 90]
    effects = [one.effect for one in told]
    assert effects == sorted(effects, reverse=True)
    assert sizes(SPREAD, 4) == ()


def test_the_effect_is_found_as_often_as_it_says() -> None:
    pairs = 30
    effect = next(one.effect for one in sizes(SPREAD, pairs) if one.shops == 2 * pairs)
    rng = np.random.default_rng(7)
    told = effect + SPREAD**0.5 * rng.standard_normal((2000, pairs))
    halves = np.array([half_of(one.var(ddof=1), pairs) for one in told])
    found = float((told.mean(axis=1) > halves).mean())
    # 0.009 is one standard error of 2,000 trials; that the variance is estimated costs a little.
    assert found == pytest.approx(FOUND_IN, abs=0.04)


@pytest.mark.parametrize(("half", "pairs"), [(0.0, 5), (0.1, 1)])
def test_what_has_no_spread_is_refused(half: float, pairs: int) -> None:
    with pytest.raises(ValueError, match="half width"):
        spread_of_pairs(half, pairs)
