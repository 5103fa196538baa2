"""What is due now follows from the rounds, the shop's own clock, and the photos that came."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planograms.rounds import due_now, in_force, in_order, next_bay, occurrences
from storepulse.rounds import ONCE_A_DAY, WEEKDAYS, RoundDue, Window

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 11, 23)
BAYS = ("bay-1", "bay-2", "bay-10")
TWICE = (Window(opens=time(9), due=time(11)), Window(opens=time(15), due=time(17)))


def made(**changes: object) -> RoundDue:
    return RoundDue(**{"round": "daily", "version": 1, "name": "All", "windows": TWICE} | changes)  # type: ignore[arg-type]


def at(hour: float, day: date = MONDAY, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.combine(day, time(0), zone) + timedelta(hours=hour)


def standing(hour: float, photographed: dict[str, list[datetime]], *rounds: RoundDue):  # type: ignore[no-untyped-def]
    return due_now(rounds or (made(),), photographed, now=at(hour), zone=SHANGHAI, bays_here=BAYS)


def test_the_clerk_walks_bay_by_bay_and_the_second_window_starts_anew() -> None:
    assert standing(8, {}) == ()
    (now,) = standing(9.5, {"bay-1": [at(9.2)]})
    assert (now.done, len(now.bays), now.next, now.overdue) == (1, 3, "bay-2", ())
    (late,) = standing(12, {"bay-1": [at(9.2)], "bay-10": [at(11.9)]})
    assert (late.done, late.overdue) == (2, ("bay-2",))
    (again,) = standing(15.5, {"bay-1": [at(9.2)], "bay-10": [at(11.9)]})
    assert (again.done, again.next) == (0, "bay-1")
    assert standing(24.5, {}) == ()


def test_what_is_due_first_is_gone_to_first() -> None:
    endcap = made(round="endcap", bays=("bay-10",), windows=(Window(opens=time(9), due=time(10)),))
    found = standing(9.1, {}, made(), endcap)
    assert [one.round for one in found] == ["endcap", "daily"]
    assert next_bay(found) == "bay-10"


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        pytest.param({"weekdays": ("tue",)}, 0, id="another weekday"),
        pytest.param({"weekdays": ()}, 0, id="not for this shop any more"),
        pytest.param({"bays": ("bay-7",)}, 0, id="no planogram for its bay"),
        pytest.param({"starts_on": date(2026, 11, 24)}, 0, id="starts tomorrow"),
        pytest.param({"windows": (ONCE_A_DAY,)}, 1, id="once a day"),
        pytest.param({}, 2, id="twice a day"),
    ],
)
def test_a_day_has_the_rounds_that_hold_on_it(changes: dict[str, object], count: int) -> None:
    assert len(occurrences([made(**changes)], MONDAY, zone=SHANGHAI, bays_here=BAYS)) == count


def test_the_version_that_started_last_holds() -> None:
    first, second = made(), made(version=2, starts_on=date(2026, 11, 24), weekdays=())
    assert in_force([second, first], MONDAY) == (first,)
    assert in_force([second, first], date(2026, 11, 24)) == ()


def test_bays_stand_as_people_count_them() -> None:
    assert in_order(["bay-10", "bay-2", "a1", "10", "9"]) == ("9", "10", "a1", "bay-2", "bay-10")


def test_the_hour_that_a_clock_change_takes_away_takes_no_round_away() -> None:
    night = made(windows=(Window(opens=time(2, 30), due=time(3)),))
    spring = date(2027, 3, 28)
    (one,) = occurrences([night], spring, zone=BERLIN, bays_here=BAYS)
    assert one.opens <= one.due < one.until


@st.composite
def rounds(draw: st.DrawFn) -> RoundDue:
    edges = sorted(draw(st.sets(st.integers(0, 1439), min_size=2, max_size=6)))
    times = [time(edge // 60, edge % 60) for edge in edges]
    windows = tuple(
        Window(opens=opens, due=due) for opens, due in zip(times[::2], times[1::2], strict=False)
    )
    return made(
        round=draw(st.sampled_from(["a", "b"])), version=draw(st.integers(1, 3)), windows=windows,
        bays=tuple(draw(st.lists(st.sampled_from([*BAYS, "bay-9"]), unique=True))),
        weekdays=tuple(draw(st.lists(st.sampled_from(WEEKDAYS), unique=True))),
        starts_on=draw(st.none() | st.dates(MONDAY, MONDAY + timedelta(days=3))),
    )  # fmt: skip


versions = st.lists(rounds(), max_size=4, unique_by=lambda one: (one.round, one.version))
moments = st.datetimes(
    datetime(2026, 11, 22),  # noqa: DTZ001
    datetime(2026, 11, 28),  # noqa: DTZ001
    timezones=st.just(UTC),
)
photos = st.dictionaries(st.sampled_from([*BAYS, "bay-9"]), st.lists(moments, max_size=3))


@settings(max_examples=60, deadline=None)
@given(versions, photos, moments, st.sampled_from([SHANGHAI, BERLIN]))
def test_laws_of_what_is_due(
    told: list[RoundDue], photographed: dict[str, list[datetime]], now: datetime, zone: ZoneInfo
) -> None:
    def due(seen: dict[str, list[datetime]]):  # type: ignore[no-untyped-def]
        return due_now(told, seen, now=now, zone=zone, bays_here=BAYS)

    found = due(photographed)
    assert found == due_now(told[::-1], photographed, now=now, zone=zone, bays_here=BAYS[::-1])
    # Photos of one bay count once, in whatever order they came.
    assert found == due({bay: [*came, *came][::-1] for bay, came in photographed.items()})
    target = next_bay(found)
    assert (target is None) == all(one.done == len(one.bays) for one in found)
    for one in found:
        assert one.opens <= now < one.until
        assert {bay.bay for bay in one.bays} <= set(BAYS)
        assert one.done + sum(bay.state != "done" for bay in one.bays) == len(one.bays)
        assert bool(one.overdue) <= (now > one.due)
        assert all(bay.at is None or one.opens <= bay.at < one.until for bay in one.bays)
    if target is not None:
        # Where the clerk is sent a photo makes a difference, and it is not sent there again.
        more = due({**photographed, target: [*photographed.get(target, []), now]})
        assert sum(one.done for one in more) > sum(one.done for one in found)
        assert next_bay(more) != target
