"""Further rules: conditions on other metrics, with their doubt, beside a dimension's own limits."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.codes.code import Code, codes_of_shop
from hub.codes.effective import parse_policy
from hub.codes.policy import BadPolicy, Policy, default_json
from storepulse.facts import Fact
from tests.hub.shop_facts import DAY, LATER, SHOP, back, day_fact, dwell, goods, midnight, people

BOUNCE = {
    "name": "entrance_bounce", "colour": "orange",
    "when": [{"metric": "bounce_45s", "above": 0.7}],
}  # fmt: skip
SCREEN = {
    "name": "screen_untouched", "colour": "yellow", "days_running": 2,
    "when": [{"metric": "screen_touches", "below": 1}],
    "words": {"en": "nobody touches the screen", "zh": "屏幕无人使用"},
}  # fmt: skip
RAINY = {
    "name": "promotion_in_rain", "colour": "red",
    "when": [
        {"metric": "promotion", "yes": True},
        {"metric": "rain", "above": 1},
        {"metric": "rain_talk_track", "yes": False, "if_unknown": "holds"},
    ],
}  # fmt: skip
OVERDUE = {
    "name": "checklist_overdue", "colour": "yellow",
    "when": [{"metric": "checklists_overdue", "above": 0}],
}  # fmt: skip
ELSEWHERE = {
    "name": "main_push_elsewhere", "colour": "orange",
    "when": [{"metric": "main_push_in_main_visual", "below": 1}],
}  # fmt: skip


def policy_with(dimension: str, *rules: Any) -> Policy:
    body = default_json()
    body[dimension]["further"] = rules
    return parse_policy(json.dumps(body), called="test")


def code(dimension: str, policy: Policy, *facts: Fact, now: Any = LATER) -> Code:
    four = codes_of_shop(SHOP, facts, policy, DAY, timezone="UTC", now=now)
    return next(one for one in four if one.dimension == dimension)


def bounce(value: float, doubt: float = 0.0) -> Fact:
    return day_fact("bounce_45s", DAY, value, low=value - doubt, high=value + doubt, n=100)


def test_most_visitors_who_leave_at_once_make_a_good_dwell_orange() -> None:
    policy = policy_with("place", BOUNCE)
    found = code("place", policy, dwell(DAY, 4.0), bounce(0.74))
    assert (found.colour, found.probability) == ("orange", 1.0)
    assert found.rule == "visitors who leave within 45 s 74%, above 70%"
    assert found.rule_zh == "45 秒内离店的顾客占比 74%，高于 70%"
    assert bounce(0.74).id in found.facts
    assert found.turns_green_when.endswith("and not: visitors who leave within 45 s above 70%")
    assert found.turns_green_when_zh.endswith("并且不出现：45 秒内离店的顾客占比高于 70%")
    assert code("place", policy, dwell(DAY, 4.0), bounce(0.7)).colour == "green", "at the limit"


def test_a_further_rule_in_doubt_lends_its_doubt_to_the_colour() -> None:
    found = code("place", policy_with("place", BOUNCE), dwell(DAY, 4.0), bounce(0.72, 0.05))
    assert found.colour == "orange"
    assert found.probability == pytest.approx(0.745, abs=0.01)  # z = .02 / (.05 / 1.645)
    joint = code("place", policy_with("place", BOUNCE), dwell(DAY, 4.0, doubt=0.1),
                 bounce(0.72, 0.05))  # fmt: skip
    assert joint.probability == pytest.approx(found.probability, abs=0.01)


def test_a_further_rule_never_mends_a_worse_figure() -> None:
    found = code("place", policy_with("place", BOUNCE), dwell(DAY, 2.0), bounce(0.74))
    assert found.colour == "red"
    assert found.rule.startswith("mean dwell of visitors")


def test_without_facts_a_further_rule_says_nothing_and_makes_no_colour() -> None:
    policy = policy_with("place", BOUNCE)
    assert code("place", policy, dwell(DAY, 4.0)).colour == "green"
    assert code("place", policy, bounce(0.9)).colour == "unknown"


@pytest.mark.parametrize(
    ("promotion", "rain", "track", "colour"),
    [
        pytest.param(1, 6, None, "red", id="rain, promotion, no talk track"),
        pytest.param(1, 6, 1, "green", id="with the talk track"),
        pytest.param(1, 6, 0, "red", id="told that there is none"),
        pytest.param(1, 0.5, None, "green", id="dry"),
        pytest.param(0, 6, None, "green", id="no promotion"),
        pytest.param(None, 6, None, "green", id="nobody knows of a promotion"),
    ],
)
def test_rain_on_a_promotion_without_its_talk_track(
    promotion: float | None, rain: float, track: float | None, colour: str
) -> None:
    told = {"promotion": promotion, "rain": rain, "rain_talk_track": track}
    facts = [day_fact(name, DAY, value) for name, value in told.items() if value is not None]
    found = code("people", policy_with("people", RAINY), *people(DAY, 14), *facts)
    assert found.colour == colour
    if colour == "red" and track is None:
        assert found.rule == "a promotion: yes; rain 6 mm, above 1 mm; the rain talk track: " \
            "not told of"  # fmt: skip


def test_a_screen_untouched_two_days_running() -> None:
    policy = policy_with("place", SCREEN)
    touches = [day_fact("screen_touches", back(n), 0) for n in (0, 1)]
    found = code("place", policy, dwell(DAY, 4.0), *touches)
    assert found.colour == "yellow"
    assert found.rule == (
        "nobody touches the screen: touches of the screen 0, below 1, on 2 days running"
    )
    assert code("place", policy, dwell(DAY, 4.0), touches[0]).colour == "green"


def test_a_screen_is_not_untouched_while_its_day_is_running() -> None:
    policy = policy_with("place", SCREEN | {"days_running": 1})
    morning = midnight(DAY) + timedelta(hours=9)
    facts = [dwell(DAY, 4.0), day_fact("screen_touches", DAY, 0)]
    assert code("place", policy, *facts, now=morning).colour == "green"
    assert code("place", policy, *facts).colour == "yellow"


def test_an_overdue_checklist_and_a_main_push_elsewhere_colour_goods() -> None:
    policy = policy_with("goods", OVERDUE, ELSEWHERE)
    overdue = day_fact("checklists_overdue", DAY, 1)
    assert code("goods", policy, goods(DAY, 0.95), overdue).colour == "yellow"
    elsewhere = day_fact("main_push_in_main_visual", DAY, 0.5, dims={"bay": "b1"}, n=2)
    assert code("goods", policy, goods(DAY, 0.95), overdue, elsewhere).colour == "orange"


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        pytest.param({"metric": "rainfall", "above": 1}, "metric must be one of", id="no metric"),
        pytest.param({"metric": "rain"}, "exactly one of above, below and yes", id="no limit"),
        pytest.param({"metric": "rain", "yes": True}, "is in mm", id="yes of millimetres"),
        pytest.param({"metric": "promotion", "above": 1}, "give yes", id="a limit of yes"),
        pytest.param({"metric": "bounce_45s", "above": 70}, "share, from 0 to 1", id="per cent"),
    ],
)
def test_a_bad_condition_is_refused_with_what_is_allowed(condition: Any, words: str) -> None:
    with pytest.raises(BadPolicy, match=words) as refused:
        policy_with("place", BOUNCE | {"when": [condition]})
    assert "place.further.0.when.0" in str(refused.value)


def test_the_rules_that_the_manual_offers_can_be_switched_on() -> None:
    manual = (Path(__file__).parents[3] / "docs" / "policy.md").read_text(encoding="utf-8")
    overrides, further = re.findall(r"```json\n(.*?)```", manual, re.DOTALL)
    body = default_json() | json.loads(f"{{{overrides}}}")
    for dimension, part in json.loads(f"{{{further}}}").items():
        body[dimension] |= part
    policy = parse_policy(json.dumps(body), called="docs/policy.md")
    assert {rule.name for rule in policy.place.further} == {"entrance_bounce", "screen_untouched"}
    assert len(policy.overrides) == 3
