"""Taps that cannot be true lose coverage; honest days, good or bad, lose none."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.codes.code import Code
from hub.codes.computing import compute_codes, ensure_default_policy, read_policies
from hub.ingest.facts_store import SaidFact, insert_facts
from hub.scheduler import Scheduler
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from hub.taps.plausible import TapDay, plausible
from storepulse.facts import Fact
from tests.hub.shop_facts import DAY, SHOP, midnight

USUAL = TapDay(receptions=40, visitors=100.0, visitors_high=120.0, deals=20)
PAST = [
    replace(USUAL, receptions=40 + shift, visitors=100.0 - shift, deals=20 + shift % 3)
    for shift in (-6, -5, -4, -3, -2, -1, 0, 0, 1, 2, 3, 4, 5, 6)
]


@pytest.mark.parametrize(
    ("day", "why"),
    [
        pytest.param(USUAL, "", id="a usual day"),
        pytest.param(replace(USUAL, receptions=20, deals=10), "", id="a bad day that is true"),
        pytest.param(replace(USUAL, receptions=65), "", id="a very good day"),
        pytest.param(TapDay(receptions=400), "", id="nothing to compare with"),
        pytest.param(TapDay(receptions=0, visitors=100.0, deals=20), "", id="nobody tapped"),
        pytest.param(replace(USUAL, receptions=240), "more than came", id="twice as many as came"),
        pytest.param(
            TapDay(receptions=118, visitors=60.0, visitors_high=130.0),
            "more a visitor than ever",
            id="as many as may have come",
        ),
        pytest.param(
            replace(USUAL, receptions=3), "fewer a deal than ever", id="the till sold, few tapped"
        ),
    ],
)
def test_a_day_is_believed_unless_it_cannot_be_true(day: TapDay, why: str) -> None:
    found = plausible(day, PAST)
    assert found.why == why
    assert (found.coverage < 1) == bool(why)


def test_at_half_as_many_again_as_came_the_default_policy_believes_nothing() -> None:
    day = TapDay(receptions=180, visitors=100.0, visitors_high=120.0)
    assert plausible(day, []).coverage < 0.5


def test_two_weeks_are_needed_before_the_past_speaks() -> None:
    day = TapDay(receptions=118, visitors=60.0, visitors_high=130.0)
    assert plausible(day, PAST[:13]).coverage == 1


def test_a_past_without_scatter_allows_for_counting() -> None:
    assert plausible(replace(USUAL, receptions=50), [USUAL] * 28).coverage == 1


DAYS = st.builds(
    TapDay, receptions=st.integers(0, 500), visitors=st.none() | st.floats(0, 500),
    deals=st.none() | st.integers(0, 200),
)  # fmt: skip


@settings(max_examples=60)
@given(DAYS, st.lists(DAYS, max_size=28), st.integers(1, 300))
def test_more_taps_are_never_believed_more_where_only_visitors_are_known(
    day: TapDay, past: list[TapDay], more: int
) -> None:
    day = replace(day, deals=None, receptions=day.receptions + 1)
    fewer, others = plausible(day, past), [one for one in past if one.visitors]
    assert 0 <= fewer.coverage <= 1
    if len(others) < 14:  # else the fence itself moves with the counts
        assert plausible(replace(day, receptions=day.receptions + more), past).coverage <= (
            fewer.coverage
        )


@settings(max_examples=30)
@given(st.permutations(PAST))
def test_the_order_of_the_past_does_not_matter(past: list[TapDay]) -> None:
    day = replace(USUAL, receptions=3)
    assert plausible(day, past) == plausible(day, PAST)


NOW = midnight(DAY) + timedelta(days=1, hours=6)


def _people(database: Database, taps: int, visitors: float) -> Code:
    """The people code of a day with so many taps (of eight hours with staff) and visitors."""
    start = midnight(DAY) + timedelta(hours=9)
    said = [
        Fact(id="v", shop=SHOP, metric="visitors", start=start, end=start + timedelta(hours=12),
             value=visitors, low=visitors * 0.9, high=visitors * 1.1, method="m"),
        Fact(id="s", shop=SHOP, metric="staff_on_duty", start=start,
             end=start + timedelta(hours=12), value=3.0, method="m"),
    ]  # fmt: skip
    with database.connection() as connection:
        save_shop(connection, Shop(shop=SHOP))
        ensure_default_policy(connection)
        insert_facts(connection, [SaidFact(one) for one in said], received_at=NOW)
        for n in range(taps):
            connection.execute(
                "insert into receptions (shop, id, at) values (%s, %s, %s)",
                [SHOP, f"r{n}", _spread(start, n, taps)],
            )
    Scheduler(database).step(NOW)
    with database.connection() as connection:
        (four,) = compute_codes(connection, {SHOP: [DAY]}, read_policies(connection), now=NOW)
    return next(code for code in four if code.dimension == "people")


def _spread(start: datetime, n: int, of: int) -> datetime:
    return start + timedelta(hours=11) * (n / of)


def test_taps_that_cannot_be_true_make_people_unknown(database: Database) -> None:
    honest = _people(database, 110, 300)
    assert honest.colour != "unknown", honest.rule


def test_and_they_do_when_there_are_too_many(database: Database) -> None:
    made_up = _people(database, 220, 100)
    assert made_up.colour == "unknown"
    assert "receptions" in made_up.rule, made_up.rule
    assert "0.00" in made_up.rule or "0%" in made_up.rule, made_up.rule


def test_visitors_that_come_late_correct_the_day(database: Database) -> None:
    _people(database, 220, 300)
    with database.connection() as connection:
        late = Fact(
            id="v~2", shop=SHOP, metric="visitors", start=midnight(DAY) + timedelta(hours=9),
            end=midnight(DAY) + timedelta(hours=21), value=100.0, low=90.0, high=110.0, method="m",
        )  # fmt: skip
        insert_facts(connection, [SaidFact(late)], received_at=NOW)
    Scheduler(database).step(NOW + timedelta(days=1))
    with database.connection() as connection:
        rows = connection.execute(
            "select id, value, coverage from facts where metric = 'receptions' order by id"
        ).fetchall()
    assert [row["coverage"] for row in rows] == [1.0, 0.0]
    assert {row["value"] for row in rows} == {220.0}


def test_no_tap_carries_a_name(database: Database) -> None:
    """Nobody can be ranked by what is not there."""
    with database.connection() as connection:
        rows = connection.execute(
            "select table_name as t, array_agg(column_name::text order by ordinal_position) as c"
            " from information_schema.columns where table_schema = 'storepulse'"
            " and table_name in ('receptions', 'experiences', 'deals') group by 1 order by 1"
        ).fetchall()
    assert {row["t"]: row["c"] for row in rows} == {
        "deals": ["shop", "id", "ticket", "made_at", "amount", "undone"],
        "experiences": ["shop", "ticket", "begun_at", "undone"],
        "receptions": ["shop", "id", "at", "undone"],
    }
