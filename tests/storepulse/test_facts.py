"""A fact checks itself."""

from datetime import UTC, datetime, timedelta

import pytest

from storepulse.facts import Fact

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def fact(**changes: object) -> Fact:
    given: dict[str, object] = {
        "id": "1", "shop": "17", "metric": "dwell_mean", "start": NOON,
        "end": NOON + timedelta(minutes=15), "value": 2.4, "low": 2.1, "high": 2.8,
    }  # fmt: skip
    return Fact(**(given | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"low": 2.5}, "low <= value <= high", id="value outside its interval"),
        pytest.param({"low": None}, "come together", id="half an interval"),
        pytest.param({"start": datetime(2026, 11, 20, 12)}, "time zone", id="no zone"),  # noqa: DTZ001
        pytest.param({"end": NOON - timedelta(seconds=1)}, "before start", id="ends early"),
        pytest.param({"coverage": 1.2}, "coverage", id="coverage above one"),
        pytest.param({"n": -1}, "negative", id="negative count"),
        pytest.param({"shop": " "}, "shop", id="no shop"),
        pytest.param({"value": float("nan")}, "finite", id="not a number"),
    ],
)
def test_a_fact_that_contradicts_itself_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        fact(**changes)


def test_unknown_is_not_zero() -> None:
    unknown = fact(value=None, low=None, high=None)
    assert unknown.value is None
    assert not unknown.exact


def test_a_counted_figure_is_exact() -> None:
    assert fact(low=None, high=None).exact
    assert not fact().exact
