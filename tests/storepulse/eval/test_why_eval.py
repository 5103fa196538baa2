"""The measures of causes and of trials: small runs of the whole way."""

import pytest

from storepulse.eval.experiments import measure_experiments, watch
from storepulse.eval.progress import silently
from storepulse.eval.why import cases_of, measure_why
from storepulse.simulated.chain_causes import simulate


@pytest.fixture(scope="module")
def cases() -> list:  # type: ignore[type-arg]
    return list(cases_of(simulate(3, shops=60, days=136)))


def test_cases_are_of_every_kind_and_planted_ones_have_a_cause(cases: list) -> None:  # type: ignore[type-arg]
    kinds = {case.kind for case in cases}
    assert {"planted", "mixed", "not worse"} <= kinds
    assert kinds & {"hidden", "noise"}
    for case in cases:
        if case.kind == "planted":
            assert case.true is not None
            assert case.dominant
            assert case.size > 0


def test_most_planted_causes_come_first_and_few_are_claimed_in_vain(cases: list) -> None:  # type: ignore[type-arg]
    planted = [case for case in cases if case.kind == "planted"]
    without = [case for case in cases if case.kind in ("hidden", "noise")]
    assert len(planted) > 10
    assert sum(case.first == case.true for case in planted) > 0.8 * len(planted)
    assert sum(case.claimed for case in without) <= 0.1 * len(without)


def test_the_report_names_its_seeds() -> None:
    report = measure_why(chains=1, seed=7, steps=silently, shops=30, days=133)
    assert report.settings["seeds"] == "1007 to 1007"
    assert report.figure("true cause first").n is not None


def test_a_trial_with_a_large_effect_is_won_and_the_truth_is_within() -> None:
    by_effect = {one.true: one for one in watch(0, shops=60, days=14)}
    assert by_effect[0.2].standing == "won"
    assert by_effect[0.0].standing == "open"
    report = measure_experiments(trials=4, seed=0, steps=silently, shops=30, days=7)
    assert report.figure("a winner declared without an effect").n == 4
