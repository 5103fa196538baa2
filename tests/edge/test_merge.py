"""A coarser fact says no more than its parts did."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.merge import ADDS_UP, DAY, HOUR, Told, merge_facts
from hub.metrics import CATALOGUE
from storepulse.facts import Fact
from tests.edge.samples import NOON, QUARTER, fact


def told(*facts: Fact, boot: str = "boot-1", synchronised: bool = True) -> list[Told]:
    return [Told(number, one, boot, synchronised) for number, one in enumerate(facts, start=1)]


def test_metrics_add_up_here_as_in_the_hubs_catalogue() -> None:
    assert {name: CATALOGUE[name].adds_up for name in ADDS_UP} == ADDS_UP


def test_a_mean_is_weighted_by_its_visitors() -> None:
    (merged,) = merge_facts(
        told(fact(0, value=2, low=1, high=3, n=30), fact(1, value=4, low=3, high=5, n=10)),
        window=HOUR,
    )
    assert merged.numbers == (1, 2)
    assert (merged.fact.value, merged.fact.n) == (2.5, 40)
    assert (merged.fact.start, merged.fact.end) == (NOON, NOON + 2 * QUARTER)
    assert merged.fact.method == "probes.visits/1+edge.merge/1"


def test_shared_errors_do_not_average_out() -> None:
    (merged,) = merge_facts(told(*(fact(number) for number in range(4))), window=HOUR)
    assert (merged.fact.low, merged.fact.high) == (2.5, 3.5)


def test_independent_errors_do() -> None:
    parts = [fact(number, independent=1.0) for number in range(4)]
    (merged,) = merge_facts(told(*parts), window=HOUR)
    assert merged.fact.low == pytest.approx(3 - 0.25)
    assert merged.fact.independent == pytest.approx(1.0)


def test_counts_are_added() -> None:
    parts = [fact(n, metric="visitors", value=5, low=4, high=7) for n in range(4)]
    (merged,) = merge_facts(told(*parts), window=HOUR)
    assert (merged.fact.value, merged.fact.low, merged.fact.high) == (20, 16, 28)


def test_the_last_word_stands() -> None:
    parts = [fact(n, metric="outbox_age", value=n, low=None, high=None) for n in range(3)]
    (merged,) = merge_facts(told(*parts), window=HOUR)
    assert merged.fact.value == 2


def test_what_was_not_seen_stays_not_seen() -> None:
    (merged,) = merge_facts(told(fact(0), fact(3, coverage=0.5)), window=HOUR)
    assert merged.fact.coverage == pytest.approx(1.5 / 4)


def test_unknown_is_never_averaged_into_a_figure() -> None:
    unknown = [fact(n, value=None, low=None, high=None, n=1) for n in (0, 2)]
    merged = merge_facts(told(unknown[0], fact(1), unknown[1], fact(3)), window=HOUR)
    assert sorted((one.fact.value or 0, one.numbers) for one in merged) == [
        (0, (1, 3)),
        (3, (2, 4)),
    ]
    assert sum(one.fact.value is None for one in merged) == 1


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"metric": "occupancy"}, id="another metric"),
        pytest.param({"dims": {"bay": "b2"}}, id="another breakdown"),
        pytest.param({"shop": "shop-18"}, id="another shop"),
        pytest.param({"method": "probes.visits/2"}, id="another method"),
        pytest.param({"source": "till"}, id="another source"),
        pytest.param({"end": NOON + timedelta(hours=1)}, id="an hour beside its quarters"),
        pytest.param({"start": NOON, "end": NOON + QUARTER}, id="the same window again"),
        pytest.param({"start": NOON + HOUR, "end": NOON + HOUR + QUARTER}, id="another hour"),
    ],
)
def test_only_like_is_merged_with_like(other: dict[str, object]) -> None:
    assert merge_facts(told(fact(0), fact(1, **other)), window=HOUR) == []


def test_facts_of_different_clocks_stay_apart() -> None:
    apart = [*told(fact(0)), *told(fact(1), boot="boot-2"), *told(fact(2), synchronised=False)]
    assert merge_facts(apart, window=HOUR) == []


def test_a_metric_that_is_not_known_is_left_alone() -> None:
    assert (
        merge_facts(told(fact(0, metric="promotion"), fact(1, metric="promotion")), window=HOUR)
        == []
    )


def test_hours_become_a_day() -> None:
    hours = [one.fact for one in merge_facts(told(*(fact(n) for n in range(40))), window=HOUR)]
    assert len(hours) == 10
    (day,) = merge_facts(told(*hours), window=DAY)
    assert day.fact.n == 400
    assert day.fact.method.count("+edge.merge/1") == 1


widths = st.floats(0, 10)


@st.composite
def quarters(draw: st.DrawFn) -> list[Fact]:
    parts = []
    for number in range(draw(st.integers(2, 4))):
        value = draw(st.floats(0, 100))
        parts.append(
            fact(
                number, value=value, low=value - draw(widths), high=value + draw(widths),
                n=draw(st.integers(0, 50)), independent=draw(st.floats(0, 1)),
                coverage=draw(st.floats(0, 1)),
            )
        )  # fmt: skip
    return parts


@given(quarters())
def test_a_merged_mean_lies_among_its_parts_and_keeps_every_visitor(parts: list[Fact]) -> None:
    (merged,) = merge_facts(told(*parts), window=HOUR)
    values = [part.value or 0.0 for part in parts]
    assert min(values) - 1e-9 <= (merged.fact.value or 0) <= max(values) + 1e-9
    assert merged.fact.n == sum(part.n or 0 for part in parts)
    assert merged.numbers == tuple(range(1, len(parts) + 1))
