"""Actions move by compare and set; codes and policies are never overwritten."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hub.actions.store import (
    NewAction,
    actions,
    due_actions,
    insert_actions,
    move_action,
    moves_of,
    note_delivered,
    note_sent,
    unsent_actions,
)
from hub.codes.store import (
    StoredCode,
    StoredPolicy,
    codes_of_days,
    insert_codes,
    insert_policy,
    policies,
)
from hub.shops_store import add_missing_shops, node_said_state, see_node
from hub.store.database import Database
from storepulse.actions import Action
from storepulse.checklists import Sentence
from storepulse.topics import Address

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = date(2026, 11, 20)
FIRST = Address("acme", "17", "node-1")
SECOND = Address("acme", "17", "node-2")


def action(name: str = "a1", **changes: Any) -> Action:
    given: dict[str, Any] = {
        "id": name, "shop": "17", "kind": "talk_track", "dimension": "people",
        "day": "2026-11-20", "title": Sentence("Invite", "邀请"), "text": Sentence("x", "x"),
        "reason": "r", "created_at": NOON, "due_at": NOON + timedelta(days=1),
        "evidence": ("f1", "f2"), "dims": {"bay": "b1"},
    }  # fmt: skip
    return Action(**(given | changes))


def push(database: Database, *new: NewAction) -> list[str]:
    with database.connection() as connection:
        add_missing_shops(connection, [one.action.shop for one in new])
        return insert_actions(connection, new)


def test_an_action_comes_back_as_it_was_pushed(database: Database) -> None:
    assert push(database, NewAction(action=action())) == ["a1"]
    with database.connection() as connection:
        (held,) = actions(connection, shops=["17"], day=DAY, states=["pushed"])
        assert held.action == action()
        assert actions(connection, shops=["18"]) == []
        assert actions(connection, states=["done"]) == []


def test_the_same_reason_pushes_once_a_day(database: Database) -> None:
    push(database, NewAction(action=action()))
    assert push(database, NewAction(action=action("a2"))) == []
    assert push(database, NewAction(action=action("a3", day="2026-11-21"))) == ["a3"]
    # Two customers on one day are two subjects.
    assert push(database, NewAction(action=action("a4"), subject="t-4")) == ["a4"]


def test_a_move_is_recorded_and_a_move_that_does_not_apply_changes_nothing(
    database: Database,
) -> None:
    push(database, NewAction(action=action()))
    with database.connection() as connection:
        moved = move_action(connection, "a1", "ticked", at=NOON, reason="ok")
        assert moved is not None
        assert (moved.from_state, moved.to_state) == ("pushed", "done")
        assert move_action(connection, "a1", "opened", at=NOON) is None
        assert move_action(connection, "nobody", "opened", at=NOON) is None
        assert moves_of(connection, "a1") == [moved]


def test_of_many_who_move_at_once_one_is_first(database: Database) -> None:
    push(database, NewAction(action=action()))

    def tick(_: int) -> bool:
        with database.connection() as connection:
            return move_action(connection, "a1", "ticked", at=NOON) is not None

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(tick, range(8))) == 1


def test_what_is_past_its_due_time_is_told_until_it_says_so(database: Database) -> None:
    push(database, NewAction(action=action()), NewAction(action=action("a2", kind="other")))
    late = NOON + timedelta(days=1)
    with database.connection() as connection:
        assert due_actions(connection, now=late - timedelta(seconds=1)) == []
        move_action(connection, "a2", "declined", at=NOON)
        assert due_actions(connection, now=late) == ["a1"]
        move_action(connection, "a1", "due_time_passed", at=late)
        assert due_actions(connection, now=late) == []


def test_an_action_goes_to_the_shops_first_node_until_its_receipt(database: Database) -> None:
    with database.connection() as connection:
        see_node(connection, FIRST, at=NOON)
        see_node(connection, SECOND, at=NOON + timedelta(days=1))
    push(database, NewAction(action=action()))
    push(database, NewAction(action=action("a2", kind="k"), node_path=SECOND.path))
    with database.connection() as connection:

        def unsent(sent_before: datetime = NOON, node: str | None = None) -> dict[str, str]:
            found = unsent_actions(connection, sent_before=sent_before, node_path=node)
            return {one.action.id: one.to.node for one in found}

        assert unsent() == {"a1": "node-1", "a2": "node-2"}
        assert unsent(node=SECOND.path) == {"a2": "node-2"}
        note_sent(connection, [action()], at=NOON + timedelta(seconds=1))
        assert unsent() == {"a2": "node-2"}
        assert unsent(NOON + timedelta(seconds=1)) == {"a1": "node-1", "a2": "node-2"}
        node_said_state(connection, SECOND, online=False, config=0, state={})
        assert unsent(NOON + timedelta(seconds=1)) == {"a1": "node-1"}
        note_delivered(connection, "a1", at=NOON)
        assert unsent(NOON + timedelta(seconds=1)) == {}


def test_an_overdue_action_is_still_brought_to_its_node(database: Database) -> None:
    with database.connection() as connection:
        see_node(connection, FIRST, at=NOON)
    push(database, NewAction(action=action()))
    with database.connection() as connection:
        move_action(connection, "a1", "due_time_passed", at=NOON)
        assert len(unsent_actions(connection, sent_before=NOON)) == 1


def code(**changes: Any) -> StoredCode:
    given: dict[str, Any] = {
        "shop": "17", "dimension": "goods", "day": DAY, "computed_at": NOON, "policy_version": 1,
        "colour": "red", "probability": 0.97, "value": 0.61, "low": 0.55, "high": 0.66,
        "rule": "exposure below 70 %", "turns_green_at": {"value": 0.9}, "facts": ("f1",),
    }  # fmt: skip
    return StoredCode(**(given | changes))


def test_a_code_that_says_something_else_is_a_new_version(database: Database) -> None:
    with database.connection() as connection:
        add_missing_shops(connection, ["17"])
        assert insert_codes(connection, [code()]) == [code(version=1)]
        assert insert_codes(connection, [code(computed_at=NOON + timedelta(days=1))]) == []
        assert insert_codes(connection, [code(colour="green")]) == [code(colour="green", version=2)]
        assert codes_of_days(connection, DAY, DAY) == [code(colour="green", version=2)]
        held = connection.execute("select version, colour from codes order by version").fetchall()
    assert [tuple(row.values()) for row in held] == [(1, "red"), (2, "green")]


def test_an_unknown_code_has_no_value(database: Database) -> None:
    unknown = code(colour="unknown", value=None, low=None, high=None, turns_green_at=None)
    with database.connection() as connection:
        add_missing_shops(connection, ["17"])
        insert_codes(connection, [unknown])
        assert codes_of_days(connection, DAY, DAY, shops=["17"]) == [replace(unknown, version=1)]
        assert codes_of_days(connection, DAY, DAY, shops=["18"]) == []


def test_a_published_policy_stays_as_it_was(database: Database) -> None:
    first = StoredPolicy(version=1, name="default", starts_on=DAY, body={"a": 1})
    with database.connection() as connection:
        assert insert_policy(connection, first)
        assert not insert_policy(connection, replace(first, body={"a": 2}))
        assert policies(connection) == [first]
