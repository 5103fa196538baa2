"""Actions are sent until their receipt has come up, and no more often than needed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.actions.couriers import PARCEL_MAX, parcels, send_due, send_to_node
from hub.actions.store import NewAction, Unsent, insert_actions, move_action, note_delivered
from hub.shops_store import see_node
from hub.store.database import Database
from storepulse.actions import Action
from storepulse.checklists import Sentence
from storepulse.topics import Address
from storepulse.wire import decode_actions

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
OURS = Address("acme", "17", "node-1")
THEIRS = Address("acme", "18", "node-1")


def action(name: str, shop: str = "17", **changes: Any) -> Action:
    given: dict[str, Any] = {
        "id": name, "shop": shop, "kind": name, "dimension": "people", "day": "2026-11-20",
        "title": Sentence("t", "t"), "text": Sentence("x", "x"), "reason": "r",
        "created_at": NOON, "due_at": NOON + timedelta(days=1),
    }  # fmt: skip
    return Action(**(given | changes))


class Post:
    """A way to publish that remembers, and fails on demand."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, list[str]]] = []
        self.broken = False

    async def __call__(self, topic: str, payload: bytes) -> None:
        if self.broken:
            raise ConnectionError
        self.sent.append((topic, [one.id for one in decode_actions(payload)]))


def push(database: Database, *new: Action) -> None:
    with database.connection() as connection:
        see_node(connection, OURS, at=NOON)
        see_node(connection, THEIRS, at=NOON)
        insert_actions(connection, [NewAction(action=one) for one in new])


async def test_each_action_goes_to_its_node_and_again_when_no_receipt_comes(
    database: Database,
) -> None:
    push(database, action("a"), action("b"), action("c", "18"))
    post = Post()
    assert await send_due(database, post, now=NOON, resend_s=30) == 3
    assert post.sent == [
        ("storepulse/1/acme/17/node-1/down/actions", ["a", "b"]),
        ("storepulse/1/acme/18/node-1/down/actions", ["c"]),
    ]
    assert await send_due(database, post, now=NOON + timedelta(seconds=29), resend_s=30) == 0
    with database.connection() as connection:
        note_delivered(connection, "a", at=NOON)
        move_action(connection, "c", "ticked", at=NOON)
    later = NOON + timedelta(seconds=30)
    post.sent.clear()
    assert await send_due(database, post, now=later, resend_s=30) == 1
    assert post.sent == [("storepulse/1/acme/17/node-1/down/actions", ["b"])]


async def test_a_node_that_comes_back_gets_at_once_what_it_has_not_receipted(
    database: Database,
) -> None:
    push(database, action("a"), action("c", "18"))
    post = Post()
    await send_due(database, post, now=NOON, resend_s=30)
    post.sent.clear()
    assert await send_to_node(database, post, OURS, now=NOON) == 1
    assert post.sent == [("storepulse/1/acme/17/node-1/down/actions", ["a"])]


async def test_what_did_not_leave_is_sent_the_next_time(database: Database) -> None:
    push(database, action("a"))
    post = Post()
    post.broken = True
    with pytest.raises(ConnectionError):
        await send_due(database, post, now=NOON, resend_s=30)
    post.broken = False
    assert await send_due(database, post, now=NOON, resend_s=30) == 1


def test_many_actions_go_in_several_parcels() -> None:
    unsent = [Unsent(OURS, action(f"a{number}")) for number in range(2 * PARCEL_MAX + 1)]
    sizes = [len(parcel) for _, parcel in parcels(unsent)]
    assert sizes == [PARCEL_MAX, PARCEL_MAX, 1]
    assert list(parcels([])) == []
