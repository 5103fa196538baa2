"""The words of a code say the same in both languages."""

import re
from collections.abc import Iterable
from datetime import timedelta

import pytest

from hub.codes.code import codes_of_shop
from hub.codes.policy import default_policy
from hub.codes.sentences import said
from storepulse.actions import DIMENSIONS, Dimension
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

MORNING = [
    window_fact("receptions", midnight(DAY) + timedelta(hours=9), 30),
    day_fact("staff_on_duty", DAY, 4.0),
]
CASES: dict[str, Iterable[Fact]] = {
    "nothing": [],
    "green": [*people(DAY, 14), goods(DAY, 0.95), dwell(DAY, 3.4), *experiences(back(10), 99, 40)],
    "red": [goods(DAY, 0.64, doubt=0.06), dwell(DAY, 2.0), *experiences(back(10), 200, 8)],
    "last day": people(DAY, 7.5),
    "three days": [fact for n in range(3) for fact in people(back(n), 7.5)],
    "two days": [fact for n in range(2) for fact in people(back(n), 7.5)],
    "yesterday's": [*people(back(1), 14), *MORNING],
    "half a day": MORNING,
    "nobody": [*people(DAY, 9, heads=4)[:1], day_fact("staff_on_duty", DAY, 0.0)],
    "little": [goods(DAY, 0.9, coverage=0.3), dwell(DAY, 3.0, n=4), *experiences(back(8), 6, 1)],
    "contradiction": experiences(back(8), 20, 21),
    "no value": [day_fact("exposure_main_push", DAY, None, n=0), day_fact("dwell_mean", DAY, None)],
    "all facings": [day_fact("facing_compliance", DAY, 0.75, n=60)],
    "kept": [
        *[goods(back(n), 0.95) for n in range(1, 10)],
        goods(DAY, 0.88, doubt=0.06),
    ],
}


def figures(words: str) -> list[str]:
    """The numbers and dates of a sentence, in any order: languages put a date elsewhere."""
    return sorted(re.findall(r"\d{4}-\d\d-\d\d|\d+(?:\.\d+)?", words))


@pytest.mark.parametrize("facts", [pytest.param(facts, id=name) for name, facts in CASES.items()])
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_both_languages_name_the_same_figures(facts: Iterable[Fact], dimension: Dimension) -> None:
    now = midnight(DAY) + timedelta(hours=12) if facts in (CASES["half a day"],) else LATER
    codes = codes_of_shop(SHOP, facts, default_policy(), DAY, timezone="UTC", now=now)
    code = next(one for one in codes if one.dimension == dimension)
    assert figures(code.rule_zh) == figures(code.rule)
    # Beside units and percentages, no word of the other language is left over.
    assert re.findall(r"[A-Za-z]{2,}", code.rule_zh) == []
    assert not re.search(r"[\u4e00-\u9fff]", code.rule)
    assert "  " not in code.rule + code.rule_zh


def test_a_figure_is_written_as_each_language_writes_it() -> None:
    assert (said("place", 2.5).en, said("place", 2.5).zh) == ("2.5 min", "2.5 分钟")
    assert (said("goods", 0.7).en, said("goods", 0.7).zh) == ("70%", "70%")


@pytest.mark.parametrize("facts", [pytest.param(facts, id=name) for name, facts in CASES.items()])
def test_a_colour_is_called_by_its_word(facts: Iterable[Fact]) -> None:
    for code in codes_of_shop(SHOP, facts, default_policy(), DAY, timezone="UTC", now=LATER):
        words = f"{code.rule} {code.turns_green_when}"
        assert not re.search(r"\b(green|yellow|orange|red)\b", words)
        assert "“healthy”" in code.turns_green_when
        assert "“健康”" in code.turns_green_when_zh
        assert " %" not in words
