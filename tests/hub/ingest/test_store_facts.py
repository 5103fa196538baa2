"""Facts are stored once, found by the shop's own day, and never overwritten."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.ingest.fact_texts import fact_sha256
from hub.ingest.facts_store import (
    SaidFact,
    facts_by_id,
    facts_of_days,
    insert_facts,
)
from hub.shops_store import Shop, add_missing_shops, save_shop, shops
from hub.store.database import Database
from storepulse.facts import Fact

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def fact(name: str = "f1", **changes: object) -> Fact:
    given: dict[str, object] = {
        "id": name, "shop": "17", "metric": "dwell_mean", "start": NOON,
        "end": NOON + timedelta(minutes=15), "value": 2.4, "low": 2.1, "high": 2.8, "n": 31,
        "coverage": 0.9, "independent": 0.4, "dims": {"bay": "b1"}, "method": "probes.visits/1",
        "source": "/storepulse/c/17/n",
    }  # fmt: skip
    return Fact(**(given | changes))  # type: ignore[arg-type]


def store(database: Database, *facts: Fact) -> list[str]:
    with database.connection() as connection:
        add_missing_shops(connection, [one.shop for one in facts])
        said = [SaidFact(one) for one in facts]
        return list(insert_facts(connection, said, received_at=NOON))


def on(database: Database, day: date) -> list[Fact]:
    with database.connection() as connection:
        return [one.fact for one in facts_of_days(connection, day, day)]


@given(
    value=st.none() | st.floats(-1e300, 1e300),
    name=st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=50).filter(
        str.strip
    ),
    minutes=st.integers(-(10**6), 10**7),
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_fact_comes_back_as_it_was_told(
    database: Database, value: float | None, name: str, minutes: int
) -> None:
    start = NOON + timedelta(minutes=minutes)
    told = fact(
        name, value=value, low=value, high=value, start=start, end=start, metric="temperature"
    )
    assert store(database, told)[0] in ("new", "other")  # hypothesis may repeat a name
    with database.connection() as connection:
        (found,) = facts_by_id(connection, [name])
        connection.execute("delete from facts")
        connection.execute("delete from fact_ids")
    assert found.fact == told


def test_a_fact_said_again_is_stored_once(database: Database) -> None:
    assert store(database, fact()) == ["new"]
    assert store(database, fact()) == ["same"]
    assert on(database, NOON.date()) == [fact()]


def test_an_id_told_twice_in_one_go_is_stored_once(database: Database) -> None:
    assert sorted(store(database, fact(), fact(), fact(value=2.5))) == ["new", "other", "same"]
    assert len(on(database, NOON.date())) == 1


def test_the_same_id_with_other_content_changes_nothing(database: Database) -> None:
    store(database, fact())
    assert store(database, fact(value=2.5)) == ["other"]
    assert on(database, NOON.date()) == [fact()]


def test_an_id_is_unique_across_months(database: Database) -> None:
    store(database, fact())
    later = NOON + timedelta(days=90)
    assert store(database, fact(start=later, end=later)) == ["other"]


def test_the_same_moment_in_another_zone_is_the_same_fact() -> None:
    shanghai = datetime.fromisoformat("2026-11-20T20:00:00+08:00")
    assert fact_sha256(fact()) == fact_sha256(fact(start=shanghai))


@pytest.mark.parametrize(
    ("timezone", "start", "day"),
    [
        pytest.param("Asia/Shanghai", "2026-11-20T17:00:00+00:00", "2026-11-21", id="ahead"),
        pytest.param("America/Los_Angeles", "2026-11-20T07:59:00+00:00", "2026-11-19", id="behind"),
        pytest.param("Pacific/Kiritimati", "2026-12-31T10:00:00+00:00", "2027-01-01", id="far"),
        pytest.param("UTC", "2026-11-30T23:59:59.999999+00:00", "2026-11-30", id="end of month"),
    ],
)
def test_a_fact_belongs_to_the_day_of_its_shop(
    database: Database, timezone: str, start: str, day: str
) -> None:
    with database.connection() as connection:
        save_shop(connection, Shop(shop="17", timezone=timezone))
    moment = datetime.fromisoformat(start)
    store(database, fact(start=moment, end=moment))
    asked = date.fromisoformat(day)
    with database.connection() as connection:
        (found,) = facts_of_days(connection, asked, asked)
        assert found.day == asked
        assert facts_of_days(connection, asked - timedelta(days=1), asked - timedelta(days=1)) == []
        assert facts_of_days(connection, asked + timedelta(days=1), asked + timedelta(days=1)) == []


def test_facts_are_asked_for_by_shop_and_metric(database: Database) -> None:
    store(database, fact("a"), fact("b", shop="18"), fact("c", metric="visitors"))
    with database.connection() as connection:

        def ids(**asked: list[str]) -> list[str]:
            found = facts_of_days(connection, NOON.date(), NOON.date(), **asked)
            return [one.fact.id for one in found]

        assert ids() == ["a", "c", "b"]
        assert ids(shops=["18"]) == ["b"]
        assert ids(metrics=["visitors"]) == ["c"]
        assert ids(shops=[]) == []


def test_a_shop_that_a_fact_names_is_made_unassigned(database: Database) -> None:
    store(database, fact())
    with database.connection() as connection:
        assert shops(connection) == [Shop(shop="17", assigned=False)]
        assert not save_shop(connection, Shop(shop="17", name="Harbour"))
        assert shops(connection, ["17"]) == [Shop(shop="17", name="Harbour")]
