"""The simulated chain with known causes: what is told comes from what truly moved the figures."""

import numpy as np
import pytest

from storepulse.simulated.causes import CAUSES, effects_of, parameters
from storepulse.simulated.chain_causes import CausedChain, simulate


@pytest.fixture(scope="module")
def chain() -> CausedChain:
    return simulate(7, shops=60, days=120)


def test_the_same_seed_gives_the_same_chain(chain: CausedChain) -> None:
    again = simulate(7, shops=60, days=120)
    for metric, told in chain.metrics.items():
        np.testing.assert_array_equal(told, again.metrics[metric])
    other = simulate(8, shops=60, days=120)
    assert not np.array_equal(chain.metrics["receptions"], other.metrics["receptions"])


def test_every_figure_has_a_source_or_says_that_it_is_assumed() -> None:
    for table, values in parameters().items():
        own = [name for name in values if name.endswith("source")]
        nested = [v for v in values.values() if isinstance(v, dict)]
        assert own or nested, table
        for cause_effect in nested:
            assert "source" in cause_effect or table == "weekday", table


def test_what_moved_a_figure_shows_in_what_is_told(chain: CausedChain) -> None:
    hidden = chain.contributions["people"]["hidden"]
    a_head = chain.metrics["receptions"] / chain.metrics["staff_on_duty"] / chain.level["people"]
    touched, free = hidden < 0, hidden == 0
    lower = np.nanmean(a_head[touched]) - np.nanmean(a_head[free])
    assert lower == pytest.approx(hidden[touched].mean(), abs=0.05)


def test_a_cause_moves_only_the_figures_that_its_file_lists() -> None:
    for seed in range(3):
        drawn = simulate(seed, shops=20, days=60)
        for dimension, moved in drawn.contributions.items():
            for cause in moved:
                assert dimension in effects_of(cause)


def test_some_chains_lack_a_feed_and_the_cause_still_acts() -> None:
    chains = [simulate(seed, shops=10, days=60) for seed in range(12)]
    lacking = [(one, cause) for one in chains for cause in one.not_recorded]
    assert lacking
    assert all(cause in CAUSES and cause != "hidden" for _, cause in lacking)
    assert any(cause in one.contributions[d] for one, cause in lacking for d in one.contributions)
