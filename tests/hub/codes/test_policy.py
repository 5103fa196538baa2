"""The policy is data that checks itself."""

import json
from pathlib import Path
from typing import Any

import pytest

from hub.codes.effective import parse_policy, read_policy
from hub.codes.policy import BadPolicy, default_json, default_policy, policy_schema


@pytest.mark.parametrize(
    ("dimension", "limits"),
    [
        pytest.param("people", [8, 8, 12], id="people"),
        pytest.param("goods", [0.7, 0.8, 0.9], id="goods"),
        pytest.param("place", [2.5, 2.8, 3.2], id="place"),
        pytest.param("conversion", [0.1, 0.14, 0.18], id="conversion"),
    ],
)
def test_the_default_policy_has_the_limits_of_the_design(
    dimension: str, limits: list[float]
) -> None:
    part = getattr(default_policy(), dimension)
    assert [rule.below for rule in part.rules] == limits
    assert part.green_from == limits[-1]


def test_three_days_running_turn_people_red_by_default() -> None:
    assert [rule.days_running for rule in default_policy().people.rules] == [3, 1, 1]
    assert default_policy().change_probability == 0.8


def changed(path: str, value: object) -> str:
    body = default_json()
    *way, last = path.split("/")
    at: Any = body
    for step in way:
        at = at[int(step) if step.isdigit() else step]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return json.dumps(body)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        pytest.param("goods/rules/0/below", -1, r"goods\.rules\.0.*above 0", id="limit below zero"),
        pytest.param("goods/rules/0/below", "x", r"goods\.rules\.0\.below.*number", id="no number"),
        pytest.param("goods/rules/0/below", 0.85, r"goods: .*red.*orange", id="limits cross"),
        pytest.param("goods/rules/2/below", 90, "shares, from 0 to 1", id="per cent for a share"),
        pytest.param("goods/rules/0/colour", "blue", "'red', 'orange' or 'yellow'", id="colour"),
        pytest.param("goods/evidence/coverage_min", 2, "between 0 and 1", id="coverage"),
        pytest.param("change_probability", 0.3, "above 0.5 and below 1", id="sure at 0.3"),
        pytest.param("open_weekdays", ["mon", "someday"], r"open_weekdays\.1.*'tue'", id="weekday"),
        pytest.param("place", None, "place: Field required", id="dimension missing"),
        pytest.param("plase", {}, "plase: .*(unexpected|Unexpected|not permitted)", id="misspelt"),
        pytest.param("starts_on", "soon", "starts_on", id="start is no date"),
        pytest.param("conversion/rules/0/days_running", 2, "must be 1", id="conversion streak"),
        pytest.param("goods/push/playbook", "none_such", r"goods\.push.*correction_checklist",
                     id="no such playbook"),
        pytest.param("goods/push/playbook", "talk_track", "is none for this", id="other playbook"),
        pytest.param("people/rules/0/days_running", 1, "more days_running", id="same limit twice"),
    ],
)  # fmt: skip
def test_a_bad_policy_is_refused_with_its_field_and_what_is_allowed(
    path: str, value: object, words: str
) -> None:
    with pytest.raises(BadPolicy, match=words):
        parse_policy(changed(path, value), called="mine.json")


def test_a_policy_that_is_no_json_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text("thresholds: many")
    with pytest.raises(BadPolicy, match=r"policy\.json: Invalid JSON"):
        read_policy(file)
    with pytest.raises(BadPolicy, match="cannot be read"):
        read_policy(tmp_path / "none.json")


def test_a_changed_limit_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "policy.json"
    file.write_text(changed("place/rules/2/below", 4.5))
    assert read_policy(file).place.green_from == 4.5


def test_the_schema_names_every_field_of_the_default_policy() -> None:
    schema = policy_schema()
    assert set(default_json()) <= set(schema["properties"])
    assert schema["additionalProperties"] is False
