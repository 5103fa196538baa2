"""Taps become facts when their day is final; a later word is a new version."""

from datetime import date, datetime, timedelta

from hub.codes.days import day_figure, shop_days
from hub.taps.tickets import (
    Begun,
    Dealt,
    Taps,
    dealt_in_time,
    newest_versions,
    open_at_end_of,
    open_tickets,
    tap_facts,
)
from storepulse.facts import Fact
from tests.hub.shop_facts import DAY, SHOP, midnight

NOON = midnight(DAY) + timedelta(hours=12)
LATER = NOON + timedelta(days=5)


def facts_of(
    taps: Taps, *, now: datetime = LATER, known: list[Fact] | None = None, day: date = DAY
) -> dict[str, Fact]:
    made = tap_facts(SHOP, taps, newest_versions(known or []), [day], timezone="UTC", now=now)
    return {fact.metric: fact for fact in made}


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def test_a_deal_counts_within_72_hours_of_its_experience() -> None:
    taps = Taps(
        experiences=[
            Begun(name, NOON) for name in ("at once", "in", "limit", "late", "never", "early")
        ],
        deals=[
            Dealt("at once", NOON),
            Dealt("in", NOON + hours(5)),
            Dealt("limit", NOON + hours(72)),
            Dealt("late", NOON + hours(72.1)),
            Dealt("early", NOON - hours(1)),
            Dealt("someone else", NOON),
        ],
    )
    assert dealt_in_time(taps) == {"at once", "in", "limit"}
    assert facts_of(taps)["experiences"].value == 6
    assert facts_of(taps)["experience_deals"].value == 3


def test_a_fact_is_made_when_its_day_is_final() -> None:
    taps = Taps(receptions=[NOON, NOON], experiences=[Begun("1", NOON)])
    end = midnight(DAY) + timedelta(days=1)
    assert facts_of(taps, now=end - hours(1)) == {}
    assert set(facts_of(taps, now=end)) == {"receptions"}
    assert set(facts_of(taps, now=end + hours(71))) == {"receptions"}
    assert set(facts_of(taps, now=end + hours(72))) == {
        "receptions", "experiences", "experience_deals",
    }  # fmt: skip


def test_no_deal_is_told_as_zero_and_no_tap_is_not_told() -> None:
    assert facts_of(Taps(experiences=[Begun("1", NOON)]))["experience_deals"].value == 0
    assert facts_of(Taps()) == {}


def test_a_day_is_the_shops_own() -> None:
    late = Taps(receptions=[midnight(DAY) - hours(6)])  # 02:00 of the next day in Shanghai
    made = tap_facts(SHOP, late, {}, [DAY], timezone="Asia/Shanghai", now=LATER)
    assert [fact.value for fact in made] == [1]
    assert made[0].start.isoformat() == "2026-11-20T00:00:00+08:00"


def test_the_same_taps_again_make_no_second_fact() -> None:
    taps = Taps(receptions=[NOON], experiences=[Begun("1", NOON)])
    told = list(facts_of(taps).values())
    assert facts_of(taps, known=told) == {}


def test_a_tap_that_came_late_or_was_undone_is_a_new_version_that_counts() -> None:
    told = list(facts_of(Taps(receptions=[NOON, NOON])).values())
    more = list(facts_of(Taps(receptions=[NOON] * 3), known=told).values())
    assert [fact.id for fact in more] == [told[0].id + "~2"]
    none = list(facts_of(Taps(), known=[*told, *more]).values())
    assert [(fact.id, fact.value) for fact in none] == [(told[0].id + "~3", 0)]
    figure = day_figure(shop_days(SHOP, [*none, *told, *more], "UTC"), "receptions", DAY)
    assert getattr(figure, "value", None) == 0


def test_open_experiences_are_72_hours_to_28_days_old_and_without_a_deal() -> None:
    now = NOON + timedelta(days=30)
    taps = Taps(
        experiences=[
            Begun("old", now - timedelta(days=29)),
            Begun("second", now - timedelta(days=5)),
            Begun("first", now - timedelta(days=9)),
            Begun("dealt late", now - timedelta(days=9)),
            Begun("young", now - hours(71)),
        ],
        deals=[Dealt("dealt late", now - timedelta(days=1))],
    )
    assert open_tickets(taps, now=now) == ["first", "second"]


def test_the_open_experiences_of_a_day_are_told_at_its_end() -> None:
    taps = Taps(experiences=[Begun("1", NOON - timedelta(days=4))])
    fact = open_at_end_of(SHOP, taps, DAY, {}, timezone="UTC", now=LATER)
    assert fact is not None
    assert (fact.metric, fact.value) == ("experiences_open_72h", 1)
    assert open_at_end_of(SHOP, taps, DAY, {}, timezone="UTC", now=NOON) is None
    known = newest_versions([fact])
    assert open_at_end_of(SHOP, taps, DAY, known, timezone="UTC", now=LATER) is None
