"""Codes: the colours of the design's table, with reasons."""

import json
from datetime import date, datetime, timedelta

import pytest

from hub.codes.code import (
    CODES_JSON,
    Code,
    bounds,
    codes_of_days,
    codes_of_shop,
    own_colour,
    settle,
)
from hub.codes.colours import COLOURS
from hub.codes.days import shop_days
from hub.codes.effective import parse_policy
from hub.codes.policy import Policy, default_json, default_policy
from hub.codes.rules import Chances, Reading
from storepulse.actions import Dimension
from storepulse.facts import Fact
from tests.hub.shop_facts import (
    DAY,
    LATER,
    SHOP,
    back,
    day_fact,
    dwell,
    experiences,
    goods,
    midnight,
    people,
    window_fact,
)


def code(
    facts: list[Fact], dimension: Dimension, *, policy: Policy | None = None, now: datetime = LATER
) -> Code:
    codes = codes_of_shop(SHOP, facts, policy or default_policy(), DAY, timezone="UTC", now=now)
    return next(one for one in codes if one.dimension == dimension)


@pytest.mark.parametrize(
    ("share", "colour"),
    [(0.9, "green"), (0.899, "yellow"), (0.8, "yellow"), (0.799, "orange"), (0.7, "orange"),
     (0.699, "red"), (0.0, "red")],
)  # fmt: skip
def test_goods_follow_the_table(share: float, colour: str) -> None:
    assert code([goods(DAY, share)], "goods").colour == colour


@pytest.mark.parametrize(
    ("minutes", "colour"),
    [(3.2, "green"), (3.19, "yellow"), (2.8, "yellow"), (2.79, "orange"), (2.5, "orange"),
     (2.49, "red")],
)  # fmt: skip
def test_place_follows_the_table(minutes: float, colour: str) -> None:
    assert code([dwell(DAY, minutes)], "place").colour == colour


@pytest.mark.parametrize(
    ("a_head_newest_first", "colour", "words"),
    [
        pytest.param([12], "green", "at least 12", id="at the limit"),
        pytest.param([11.9], "yellow", "below 12", id="below twelve"),
        pytest.param([8, 7, 7], "yellow", "below 12", id="the streak has ended"),
        pytest.param([7.9], "orange", "on the last day", id="first day"),
        pytest.param([7.9, 7, 9], "orange", "on the last 2 days", id="second day"),
        pytest.param([7.9, 7, 7.5, 20], "red", "on 3 days running", id="third day"),
    ],
)
def test_people_follow_the_table(a_head_newest_first: list[float], colour: str, words: str) -> None:
    facts = [
        fact for n, a_head in enumerate(a_head_newest_first) for fact in people(back(n), a_head)
    ]
    found = code(facts, "people")
    assert found.colour == colour
    assert words in found.rule


@pytest.mark.parametrize(
    ("dealt", "colour"), [(40, "green"), (32, "yellow"), (24, "orange"), (12, "red")]
)
def test_conversion_follows_the_table(dealt: int, colour: str) -> None:
    found = code(experiences(back(10), 200, dealt), "conversion")
    assert found.colour == colour
    assert found.value == dealt / 200
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high


def test_a_code_says_its_rule_its_doubt_and_what_would_turn_it_green() -> None:
    found = code([goods(DAY, 0.64, doubt=0.06)], "goods")
    assert found.rule == "exposure of main-push products 64% (58 to 70%) is below 70%"
    assert (found.low, found.high) == (0.58, 0.7)
    assert found.probability == pytest.approx(0.95, abs=0.01)
    assert found.turns_green_at == 0.9
    assert "at least 90%" in found.turns_green_when
    assert found.facts == (goods(DAY, 0.64).id,)


def test_without_main_push_facing_compliance_stands_in_and_says_so() -> None:
    facing = day_fact("facing_compliance", DAY, 0.75, n=60)
    found = code([facing], "goods")
    assert found.colour == "orange"
    assert "no main-push product is marked: facing compliance 75%" in found.rule
    assert code([facing, goods(DAY, 0.95)], "goods").colour == "green"


def test_main_push_that_was_not_seen_is_unknown_not_all_facings() -> None:
    unseen = day_fact("exposure_main_push", DAY, None, n=0)
    facing = day_fact("facing_compliance", DAY, 0.75, n=60)
    assert code([unseen, facing], "goods").colour == "unknown"


@pytest.mark.parametrize(
    ("facts", "dimension", "reason"),
    [
        pytest.param([], "people", "no receptions on 2026-11-20", id="nothing said"),
        pytest.param([day_fact("receptions", DAY, 30.0)], "people", "no staff_on_duty", id="half"),
        pytest.param([*people(DAY, 9, heads=4)[:1], day_fact("staff_on_duty", DAY, 0.0)], "people",
                     "nobody was on duty", id="no heads"),
        pytest.param([*people(DAY, 9, heads=4)[:1], day_fact("staff_on_duty", DAY, 1e-320)],
                     "people", "nobody was on duty", id="a head that is none"),
        pytest.param([goods(DAY, 0.9, coverage=0.3)], "goods", "covers 30%", id="coverage"),
        pytest.param([dwell(DAY, 3.0, n=4)], "place", "rests on 4 observations", id="few visits"),
        pytest.param(experiences(back(8), 6, 1), "conversion", "6 experiences", id="few tries"),
        pytest.param(experiences(back(8), 20, 21), "conversion", "cannot be", id="contradiction"),
        pytest.param(experiences(back(1), 90, 20), "conversion", "72 h", id="too young"),
        pytest.param([goods(back(2), 0.9)], "goods", "no shelf photo", id="old photo"),
    ],
)  # fmt: skip
def test_short_evidence_is_unknown_with_its_reason(
    facts: list[Fact], dimension: Dimension, reason: str
) -> None:
    found = code(facts, dimension)
    assert found.colour == "unknown"
    assert found.probability is None
    assert found.value is None
    assert found.rule.startswith("unknown: ")
    assert reason in found.rule


MORNING = [window_fact("receptions", midnight(DAY) + timedelta(hours=9), 30),
           day_fact("staff_on_duty", DAY, 4.0)]  # fmt: skip


def test_a_morning_is_not_a_day_and_yesterday_stands_until_evening() -> None:
    noon = midnight(DAY) + timedelta(hours=12)
    assert "span 1.0 h so far" in code(MORNING, "people", now=noon).rule
    found = code([*people(back(1), 14), *MORNING], "people", now=noon)
    assert found.colour == "green"
    assert "on 2026-11-19" in found.rule


@pytest.mark.parametrize(
    "now",
    [pytest.param(midnight(DAY) + timedelta(hours=24), id="over"),
     pytest.param(midnight(back(1)), id="to come: facts of a day that is told ahead")],
)  # fmt: skip
def test_of_a_day_that_does_not_run_what_was_counted_is_what_was_counted(now: datetime) -> None:
    found = code([*people(back(1), 14), *MORNING], "people", now=now)
    assert (found.colour, found.value) == ("orange", 7.5)


def test_a_day_ends_at_the_shop_not_at_the_server() -> None:
    evening = midnight(DAY) + timedelta(hours=16)  # midnight in Shanghai, afternoon in UTC
    facts = [window_fact("receptions", midnight(DAY), 30), day_fact("staff_on_duty", DAY, 4.0)]
    for timezone, colour in (("Asia/Shanghai", "orange"), ("UTC", "unknown")):
        codes = codes_of_shop(SHOP, facts, default_policy(), DAY, timezone=timezone, now=evening)
        assert codes[0].colour == colour


def test_a_code_keeps_its_colour_until_another_is_sure() -> None:
    before = [goods(back(n), 0.95) for n in range(1, 10)]
    slipping = code([*before, goods(DAY, 0.88, doubt=0.06)], "goods")
    assert slipping.colour == "green"
    assert slipping.turning == "yellow"
    assert slipping.probability is not None
    assert 0.2 < slipping.probability < 0.4
    assert "stays “healthy” until another colour is 80% probable" in slipping.rule
    assert "(“below target” is " in slipping.rule
    sure = code([*before, goods(DAY, 0.85, doubt=0.03)], "goods")
    assert (sure.colour, sure.turning) == ("yellow", None)


def test_green_does_not_stand_when_it_is_ruled_out_though_no_other_colour_is_sure() -> None:
    before = [goods(back(n), 0.95) for n in range(1, 10)]
    found = code([*before, goods(DAY, 0.70, doubt=0.06)], "goods")
    # Orange and red are about as likely; green is out of the question.
    assert found.colour == "orange"


def test_a_closed_day_shows_the_code_of_the_last_open_day() -> None:
    body = default_json()
    body["open_weekdays"] = ["mon", "tue", "wed", "thu"]
    weekdays = parse_policy(json.dumps(body), called="test")
    facts = [dwell(back(1), 2.0), *people(back(1), 20)]
    assert DAY.strftime("%a") == "Fri"
    assert code(facts, "place", policy=weekdays).colour == "red"


def test_days_without_evidence_are_counted_from_the_first_fact_on() -> None:
    silent = code([goods(back(6), 0.95)], "goods")
    # The photo stood on its day and the next.
    assert (silent.colour, silent.unknown_days) == ("unknown", 5)
    assert code([goods(DAY, 0.95)], "place").unknown_days == 1
    assert code([], "place").unknown_days == 0
    codes = codes_of_shop(
        SHOP, [], default_policy(), DAY, timezone="UTC", now=LATER, known_since=back(9)
    )
    assert [one.unknown_days for one in codes] == [10] * 4


def test_a_gap_in_the_evidence_does_not_end_a_streak_but_age_does() -> None:
    low = [fact for n in (0, 2, 3) for fact in people(back(n), 6)]
    assert code(low, "people").colour == "red"
    stale = [fact for n in (0, 2, 6) for fact in people(back(n), 6)]
    assert code(stale, "people").colour == "orange"


def test_there_are_four_codes_and_the_worst_is_the_shops_own() -> None:
    codes = codes_of_shop(SHOP, [dwell(DAY, 3.0)], default_policy(), DAY, timezone="UTC", now=LATER)
    assert [one.dimension for one in codes] == ["people", "goods", "place", "conversion"]
    assert own_colour(codes) == "unknown"  # above place's yellow
    orange = codes_of_shop(
        SHOP, [dwell(DAY, 2.6)], default_policy(), DAY, timezone="UTC", now=LATER
    )
    assert own_colour(orange) == "orange"


def test_many_days_at_once_give_what_each_day_gives_alone() -> None:
    facts = [dwell(back(n), 2.2 + 0.08 * n, doubt=0.3) for n in range(20)]
    days = shop_days(SHOP, facts, "UTC")
    wanted: list[date] = [back(n) for n in range(5)]
    together = codes_of_days(days, default_policy(), wanted, now=LATER)
    for day in wanted:
        alone = codes_of_shop(SHOP, facts, default_policy(), day, timezone="UTC", now=LATER)
        assert together[day] == alone


def test_a_code_survives_json() -> None:
    facts = [goods(DAY, 0.64, doubt=0.05)]
    codes = codes_of_shop(SHOP, facts, default_policy(), DAY, timezone="UTC", now=LATER)
    assert CODES_JSON.validate_json(CODES_JSON.dump_json(codes)) == codes


@pytest.mark.parametrize(
    ("chances", "mildest", "harshest"),
    [
        pytest.param((1, 0, 0, 0), 0, 0, id="surely green"),
        pytest.param((0.3, 0.7, 0, 0), 0, 1, id="green or yellow"),
        pytest.param((0, 0, 0.5, 0.5), 2, 3, id="orange or red"),
        pytest.param((0.25, 0.25, 0.25, 0.25), 0, 3, id="anything"),
    ],
)
def test_the_colours_that_are_tenable(chances: Chances, mildest: int, harshest: int) -> None:
    assert bounds(chances, 0.8) == (mildest, harshest)


@pytest.mark.parametrize("before", COLOURS)
def test_a_colour_that_is_sure_replaces_any_other(before: str) -> None:
    reading = Reading(
        day=DAY, value=1, low=1, high=1, point=2, running=1, chances=(0, 0.1, 0.85, 0.05),
        fact_groups=(), words="",
    )  # fmt: skip
    assert settle(before, reading, 0.8) == "orange"  # type: ignore[arg-type]
