"""What a policy says of one shop: overrides name only what differs."""

import json
from dataclasses import replace
from typing import Any

import pytest

from hub.codes.computing import Policies, metrics_of
from hub.codes.effective import ShopKind, effective, parse_policy
from hub.codes.policy import BadPolicy, Policy, default_json, default_policy
from hub.codes.publishing import differences, policy_json
from tests.hub.shop_facts import DAY, back

MALL = ShopKind(shop="17", region="east", format="mall")


def policy_with(*overrides: Any) -> Policy:
    return parse_policy(json.dumps(default_json() | {"overrides": overrides}), called="test")


def test_without_an_override_of_its_own_a_shop_has_the_policy_itself() -> None:
    policy = policy_with({"region": "west", "goods": {"red": {"below": 0.5}}})
    assert replace(effective(policy, MALL), overrides=()) == default_policy()


def test_a_shops_override_stands_above_its_formats_and_that_above_its_regions() -> None:
    # In the file the other way round: the order there does not matter.
    policy = policy_with(
        {"shop": "17", "place": {"red": {"below": 1.0}}},
        {"format": "mall", "place": {"red": {"below": 1.5}, "orange": {"below": 1.6}}},
        {"region": "east", "place": {"red": {"below": 2.0}, "yellow": {"below": 4.0}}},
    )
    limits = [rule.below for rule in effective(policy, MALL).place.rules]
    assert limits == [1.0, 1.6, 4.0]
    other = ShopKind(shop="18", region="east", format="mall")
    assert [rule.below for rule in effective(policy, other).place.rules] == [1.5, 1.6, 4.0]


def test_an_override_changes_only_what_it_names() -> None:
    policy = policy_with(
        {
            "region": "east", "open_weekdays": ["mon"], "change_probability": 0.9,
            "goods": {"evidence": {"valid_days": 3}, "push": {"due_hours": 8},
                      "further": [{"name": "late", "colour": "yellow",
                                   "when": [{"metric": "checklists_overdue", "above": 0}]}]},
        }
    )  # fmt: skip
    changed = differences(policy_json(default_policy()), policy_json(effective(policy, MALL)))
    assert {field for field, _, _ in changed} == {
        "open_weekdays", "change_probability", "goods.evidence.valid_days", "goods.push.due_hours",
        "goods.further.0",
    }  # fmt: skip
    assert "checklists_overdue" in metrics_of([policy])


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        pytest.param([{"goods": {"red": {"below": 0.5}}}], "exactly one of region", id="nowhere"),
        pytest.param([{"region": "a", "shop": "b"}], "exactly one of region", id="two places"),
        pytest.param([{"region": "a"}], "changes something", id="nothing"),
        pytest.param([{"region": "a", "goods": {"red": {"belo": 1}}}], r"goods\.red\.belo",
                     id="misspelt"),
        pytest.param([{"region": "a", "unknown_days_max": 1}] * 2, "shop once", id="twice"),
        pytest.param([{"region": "a", "goods": {"red": {"below": 0.85}}}],
                     r"overrides\.0 \(region a\): goods: .*red.*orange", id="limits cross"),
        pytest.param([{"region": "a", "goods": {"red": {"below": 0.78}}},
                      {"format": "b", "goods": {"orange": {"below": 0.75}}}],
                     r"overrides\.0 \(region a\) with overrides\.1 \(format b\): goods",
                     id="each alone would do"),
        pytest.param([{"shop": "a", "goods": {"push": {"playbook": "talk_track"}}}],
                     "is none for this", id="playbook"),
    ],
)  # fmt: skip
def test_a_bad_override_is_refused_with_its_place(overrides: list[Any], words: str) -> None:
    with pytest.raises(BadPolicy, match=words):
        policy_with(*overrides)


def test_the_day_says_which_version_and_the_shop_which_overrides() -> None:
    newer = policy_with({"region": "east", "unknown_days_max": 5})
    newer = replace(newer, version=2, starts_on=DAY)
    policies = Policies([default_policy(), newer])
    assert policies.in_force_at(MALL, DAY).unknown_days_max == 5
    assert policies.in_force_at(MALL, back(1)).unknown_days_max == 2
