"""The kill campaign says what it did, and that nothing was shown where a kill missed the middle."""

from dataclasses import replace

import pytest

from storepulse.eval.kill import KillReport

REPORT = KillReport(
    broker="mosquitto", tls=False, facts_said=1000, at_hub_when_broker_was_killed=250,
    at_hub_when_node_was_killed=260, said_when_node_was_killed=740, at_hub_when_hub_was_killed=420,
    said_when_hub_was_killed=760, facts_at_hub=1000, facts_at_hub_twice=0, facts_missing=0,
    quarantined=0, alarms=0, actions_pushed=2, receipts_when_node_was_killed=0, actions_at_node=2,
    actions_at_node_twice=0, actions_delivered=2, seconds=30.0,
)  # fmt: skip


def test_each_kill_is_told_with_what_it_met() -> None:
    assert REPORT.ok
    words = REPORT.in_words()
    for told in ("250 of 1000", "740 facts said and 260", "420 of 760", "had 0 receipts"):
        assert told in words
    assert list(REPORT.as_json()["did"]) == [line[11:] for line in words.splitlines()[:-1]]


@pytest.mark.parametrize(
    "missed",
    [
        {"at_hub_when_broker_was_killed": 0},
        {"at_hub_when_node_was_killed": 740},
        {"at_hub_when_hub_was_killed": 1000},
        {"receipts_when_node_was_killed": 2},
    ],
    ids=str,
)
def test_a_kill_that_missed_the_middle_shows_nothing(missed: dict[str, int]) -> None:
    assert not replace(REPORT, **missed).ok  # type: ignore[arg-type]
