"""Day figures in a real database: late facts show everywhere, and retention loses none of them."""

import tracemalloc
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from hub.bench.sender import node_address, quarter_facts
from hub.codes.computing import UnknownShop
from hub.figures.keeping import refresh_one
from hub.figures.reading import BadSpan, Point, Series, UnknownMetric, read_series
from hub.figures.retention import BadKeeping, Removed, remove_old_facts, set_kept_days
from hub.ingest.batches import Heard, Stored, store_batches
from hub.ingest.facts_store import SaidFact, insert_facts
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from storepulse.facts import Fact
from storepulse.wire import Clock, Key, Message

DAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BEGIN = datetime(2026, 11, 20, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
ZONE = "Asia/Shanghai"


@pytest.fixture(autouse=True)
def shop_17(database: Database) -> None:
    with database.connection() as connection:
        save_shop(connection, Shop(shop="17", timezone="UTC"))


def visits(day: date, quarter: int, value: float, **more: Any) -> Fact:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) + quarter * QUARTER
    given: dict[str, Any] = {
        "id": f"v{start}", "shop": "17", "metric": "visitors", "start": start,
        "end": start + QUARTER, "value": value, "low": value - 1, "high": value + 1, "n": 5,
        "source": "/storepulse/c/17/n", "method": "m/1",
    }  # fmt: skip
    return Fact(**(given | more))


def tell(database: Database, *facts: Fact, at: datetime = NOW) -> None:
    with database.connection() as connection:
        insert_facts(connection, [SaidFact(one) for one in facts], received_at=at)


def refresh(database: Database, now: datetime | None = None) -> int:
    """Add up all that was touched; returns how many figures changed."""
    changed = 0
    while (one := refresh_one(database, now=now or later(), settle_s=0)) is not None:
        changed += one
    return changed


def later() -> datetime:
    """What the database calls now is behind it."""
    return datetime.now(UTC) + timedelta(minutes=1)


def series(database: Database, by: Any, metric: str = "visitors", **more: Any) -> Series:
    asked = {"first": DAY - timedelta(days=20), "last": DAY, "now": NOW} | more
    with database.connection() as connection:
        return read_series(
            connection, "17", metric, by, asked.pop("first"), asked.pop("last"), **asked
        )


def values(database: Database, by: Any, **more: Any) -> list[float | None]:
    return [one.value for one in series(database, by, **more).figures]


@pytest.mark.parametrize("kept", [False, True], ids=["before they are kept", "kept"])
def test_a_fact_of_three_weeks_ago_shows_in_every_view(database: Database, kept: bool) -> None:
    old = DAY - timedelta(days=20)
    tell(database, visits(DAY, 40, 10.0))
    refresh(database)
    tell(database, visits(old, 40, 3.0), visits(old, 41, 4.0))
    if kept:
        refresh(database)
    assert values(database, "quarter") == [3.0, 4.0, 10.0]
    assert values(database, "hour") == [7.0, 10.0]
    assert values(database, "day") == [7.0, 10.0]
    assert values(database, "week") == [7.0, 10.0]
    first, last = series(database, "day").figures
    assert (first.low, first.high) == pytest.approx((5.0, 9.0))  # one node's errors are one
    assert last.starts_at == BEGIN


def test_only_the_days_that_were_touched_are_added_up_again(database: Database) -> None:
    tell(database, *(visits(DAY - timedelta(days=n), 40, 10.0) for n in range(10)))
    assert refresh(database) == 10
    before = kept_rows(database)
    tell(database, visits(DAY - timedelta(days=4), 41, 5.0))
    assert refresh(database) == 1
    changed = {day for (_, day), row in kept_rows(database).items() if before[_, day] != row}
    assert changed == {DAY - timedelta(days=4)}
    assert refresh(database) == 0


def test_a_whole_day_of_utc_is_that_of_the_local_day_whose_midday_it_holds(
    database: Database,
) -> None:
    with database.connection() as connection:
        save_shop(connection, Shop(shop="17", timezone="America/Los_Angeles"))
    # It begins there at 16:00 of the day before.
    tell(database, visits(DAY, 0, 50.0, end=BEGIN + timedelta(days=1)))
    before = values(database, "day")
    refresh(database)
    assert before == values(database, "day") == [50.0]
    assert list(kept_rows(database)) == [("visitors", DAY)]


def test_a_moved_shop_s_facts_move_to_its_new_days(database: Database) -> None:
    tell(database, visits(DAY, 90, 10.0))
    refresh(database)
    with database.connection() as connection:
        save_shop(connection, Shop(shop="17", timezone=ZONE))
    refresh(database)
    assert list(kept_rows(database)) == [("visitors", DAY + timedelta(days=1))]


def test_opening_hours_leave_the_rest_out(database: Database) -> None:
    tell(database, visits(DAY, 8, 3.0), visits(DAY, 48, 10.0))  # 02:00 and 12:00
    assert values(database, "day") == [13.0]
    assert values(database, "day", open_only=True) == [10.0]
    assert values(database, "week", open_only=True) == [10.0]


def test_a_ratio_is_that_of_the_sums(database: Database) -> None:
    for metric, value in (("receptions", 12.0), ("staff_on_duty", 3.0)):
        for back in range(2):
            tell(database, visits(
                DAY - timedelta(days=back), 40, value * (1 + back), metric=metric,
                id=f"{metric}{back}", low=None, high=None, n=None,
            ))  # fmt: skip
    (week,) = series(database, "week", metric="receptions").figures
    assert week.value == 36.0
    assert week.ratio is not None
    assert (week.ratio.per, week.ratio.value) == ("staff_on_duty", 8.0)
    assert (week.ratio.low, week.ratio.high) == (8.0, 8.0)


def test_what_cannot_be_asked_is_said(database: Database) -> None:
    with pytest.raises(UnknownMetric):
        series(database, "day", metric="nothing")
    with pytest.raises(BadSpan):
        series(database, "quarter", first=DAY - timedelta(days=25), last=DAY + timedelta(days=20))
    with pytest.raises(BadSpan):
        series(database, "day", first=DAY, last=DAY - timedelta(days=1))
    with pytest.raises(UnknownShop), database.connection() as connection:
        read_series(connection, "none", "visitors", "day", None, None, now=NOW)


def test_three_weeks_of_a_shop_that_comes_back_take_no_more_memory_than_some_days(
    database: Database,
) -> None:
    node, a_day = node_address(0), 96 * 5
    peaks = {}
    for name, first, days in (("some days", 0, 6), ("three weeks", 6, 21)):
        facts = quarter_facts(0, first * a_day, days * a_day)
        for at in range(0, len(facts), 2000):
            said = [
                message(one, first * a_day + at + n) for n, one in enumerate(facts[at : at + 2000])
            ]
            outcome = store_batches(database, [Heard(node, said)], received_at=NOW)[node]
            assert isinstance(outcome, Stored)
            assert outcome.new == len(said)
        tracemalloc.start()
        assert refresh(database) == days * 5
        peaks[name] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peaks["three weeks"] < 1.5 * peaks["some days"]
    with database.connection() as connection:
        told = read_series(
            connection, node.shop, "visitors", "week", date(2026, 11, 2), DAY, now=NOW
        ).figures
    assert sum(one.facts for one in told) == 19 * 96


def message(fact: Fact, before: int) -> Message:
    return Message(
        key=Key(node="n1", epoch="e", number=before + 1), said_at=NOW, body=fact,
        clock=Clock(boot="b", monotonic_s=1.0, synchronised=True),
    )  # fmt: skip


OLD = date(2026, 5, 4)
LONG_AGO = datetime(2026, 5, 5, tzinfo=UTC)


def kept_for_100_days(database: Database) -> None:
    with database.connection() as connection:
        set_kept_days(connection, "visitors", 100)


def old_point(database: Database, by: Any = "day") -> Point:
    (point,) = series(database, by, first=OLD, last=OLD).figures
    return point


def test_what_is_older_than_it_is_kept_goes_and_its_day_figure_stays(database: Database) -> None:
    tell(database, visits(OLD, 40, 3.0), visits(OLD, 41, 4.0), visits(DAY, 40, 9.0), at=LONG_AGO)
    refresh(database)
    kept_for_100_days(database)
    before = old_point(database)
    (would,) = remove_old_facts(database, now=NOW, dry_run=True)
    assert would == Removed(
        metric="visitors", days_kept=100, facts=2, shop_days=1, oldest=OLD, newest=OLD
    )
    assert count(database) == 3
    assert remove_old_facts(database, now=NOW) == [would]
    assert count(database) == 1
    assert old_point(database) == before
    refresh(database)
    assert (old_point(database), values(database, "week", last=DAY)) == (before, [9.0])
    assert series(database, "quarter", first=OLD, last=OLD).figures == ()
    tell(database, visits(OLD, 40, 3.0))  # said again: the same as before
    assert count(database) == 1


def test_what_comes_late_is_kept_as_long_and_adds_to_what_was_removed(database: Database) -> None:
    tell(database, visits(OLD, 40, 3.0), visits(OLD, 41, 4.0), at=LONG_AGO)
    kept_for_100_days(database)
    remove_old_facts(database, now=NOW)
    tell(database, visits(OLD, 60, 5.0), at=NOW)
    for step in (lambda: None, lambda: refresh(database)):
        step()
        assert (old_point(database).value, old_point(database).facts) == (12.0, 3)
        assert old_point(database, "quarter").value == 5.0
    assert remove_old_facts(database, now=NOW)[0].facts == 0
    remove_old_facts(database, now=NOW + timedelta(days=101))
    refresh(database)
    assert (count(database), old_point(database).value) == (0, 12.0)
    assert old_point(database).low == pytest.approx(9.0)


def test_corrections_and_what_they_correct_stay(database: Database) -> None:
    first = visits(OLD, 40, 3.0)
    tell(database, first, visits(OLD, 40, 8.0, id=f"{first.id}~2"), at=LONG_AGO)
    kept_for_100_days(database)
    (removed,) = remove_old_facts(database, now=NOW)
    assert (removed.facts, removed.left, count(database)) == (0, 1, 2)
    assert old_point(database).value == 8.0


def test_quarters_go_beside_their_whole_day_s_own_fact_which_stays(database: Database) -> None:
    whole = visits(OLD, 0, 30.0, id="whole")
    whole = Fact(
        **{
            **{n: getattr(whole, n) for n in whole.__slots__},
            "end": whole.start + timedelta(days=1),
        }
    )
    tell(database, whole, visits(OLD, 40, 3.0), at=LONG_AGO)
    kept_for_100_days(database)
    assert remove_old_facts(database, now=NOW)[0].facts == 1
    assert (count(database), old_point(database).value) == (1, 30.0)


def test_too_short_a_time_is_refused_and_each_change_is_in_the_audit_log(
    database: Database,
) -> None:
    with database.connection() as connection:
        with pytest.raises(BadKeeping):
            set_kept_days(connection, "visitors", 30)
        with pytest.raises(BadKeeping):
            set_kept_days(connection, "nothing", 100)
        set_kept_days(connection, "visitors", 100)
        set_kept_days(connection, "visitors", None)
        rows = connection.execute("select detail from audit order by id").fetchall()
    assert [row["detail"] for row in rows] == [
        {"before": None, "after": 100}, {"before": 100, "after": None}
    ]  # fmt: skip


def count(database: Database) -> int:
    with database.connection() as connection:
        row = connection.execute("select count(*) as n from facts").fetchone()
    assert row is not None
    return int(row["n"])


def kept_rows(database: Database) -> dict[tuple[str, date], tuple[Any, ...]]:
    with database.connection() as connection:
        rows = connection.execute("select metric, day, value, computed_at from day_figures")
        return {(row["metric"], row["day"]): (row["value"], row["computed_at"]) for row in rows}
