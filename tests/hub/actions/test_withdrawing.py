"""When an open action need not be done any more, and that its node hears of it until it says so."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.actions.couriers import send_due
from hub.actions.escalating import withdraw
from hub.actions.kinds import CHECKLIST_KIND, LAYOUT_KIND, MISSING_KIND
from hub.actions.listing import Filter, listed_actions
from hub.actions.store import NewAction, insert_actions, move_action, moves_of
from hub.actions.withdrawing import Standing, why_withdrawn
from hub.shops_store import Shop, add_missing_shops, save_shop, see_node
from hub.store.database import Database
from storepulse.actions import Action
from storepulse.checklists import Sentence
from tests.edge.line import Broker, NodeProcess
from tests.hub.actions.test_couriers import NOON, OURS, Post, action
from tests.hub.phones.test_pairing_line import SHOP, broker, eventually, hub, node

__all__ = ["broker", "node"]
DAY = date(2026, 11, 20)
OPEN = Standing(
    id="a", kind="walking_route", state="delivered", day=DAY, due_at=NOON + timedelta(hours=6),
    code_day=DAY, colour="red", trial_state=None, trial_ends_on=None, today=DAY,
)  # fmt: skip


@pytest.mark.parametrize(
    ("one", "why"),
    [
        pytest.param({}, None, id="still red"),
        pytest.param({"colour": "orange"}, "cause_gone", id="not red any more"),
        pytest.param({"colour": "unknown"}, None, id="nobody knows"),
        pytest.param({"colour": None, "code_day": None}, None, id="no code"),
        pytest.param({"colour": "green", "state": "seen"}, None, id="somebody is at it today"),
        pytest.param({"colour": "green", "state": "seen", "code_day": DAY + timedelta(days=1)},
                     "cause_gone", id="opened and left until the next day"),
        pytest.param({"kind": CHECKLIST_KIND, "colour": "green"}, "cause_gone", id="a checklist"),
        pytest.param({"kind": CHECKLIST_KIND, "colour": "green", "state": "overdue"}, None,
                     id="a checklist that is overdue"),
        pytest.param({"kind": MISSING_KIND, "colour": "unknown"}, None, id="still missing"),
        pytest.param({"kind": MISSING_KIND, "colour": "red"}, "cause_gone", id="there is evidence"),
        pytest.param({"due_at": NOON - timedelta(days=7)}, "expired", id="a week late"),
        pytest.param({"due_at": NOON - timedelta(days=6)}, None, id="six days late"),
        pytest.param({"kind": LAYOUT_KIND, "trial_state": "running", "trial_ends_on": DAY}, None,
                     id="a trial's last day"),
        pytest.param({"kind": LAYOUT_KIND, "trial_state": "stopped", "colour": "green"},
                     "cause_gone", id="a trial that was stopped"),
        pytest.param({"kind": LAYOUT_KIND, "trial_state": "rolled_out", "colour": "green"}, None,
                     id="rolled out"),
    ],
)  # fmt: skip
def test_why_nobody_need_do_it_any_more(one: dict[str, Any], why: str | None) -> None:
    assert why_withdrawn(replace(OPEN, **one), days_after_due=7, now=NOON) == why


async def test_a_withdrawn_action_goes_down_until_its_receipt_and_only_where_it_was(
    database: Database,
) -> None:
    with database.connection() as connection:
        see_node(connection, OURS, at=NOON)
        insert_actions(connection, [NewAction(action=action(name)) for name in ("sent", "late")])
        move_action(connection, "late", "cause_gone", at=NOON)
    post = Post()
    assert await send_due(database, post, now=NOON, resend_s=30) == 1  # the other never left
    with database.connection() as connection:
        move_action(connection, "sent", "dismissed", at=NOON, reason="no need")
    assert await send_due(database, post, now=NOON + timedelta(seconds=1), resend_s=30) == 1
    assert await send_due(database, post, now=NOON + timedelta(seconds=20), resend_s=30) == 0
    assert await send_due(database, post, now=NOON + timedelta(seconds=32), resend_s=30) == 1
    assert await send_due(database, post, now=NOON + timedelta(days=40), resend_s=30) == 0
    assert [names for _, names in post.sent] == [["sent"]] * 3


def asked(name: str, now: datetime) -> Action:
    return Action(
        id=name, shop=SHOP, kind=name, dimension="place", day=str(now.date()),
        title=Sentence("t", "t"), text=Sentence("x", "x"), reason="r", created_at=now,
        due_at=now + timedelta(days=1),
    )  # fmt: skip


@pytest.mark.journey
async def test_a_real_node_takes_it_off_its_list_and_keeps_the_history(
    database: Database, broker: Broker, node: NodeProcess, tmp_path: Path
) -> None:
    """Hub, broker and node, all real; what was done before the word came down stays done."""
    now = datetime.now(UTC)
    with database.connection() as connection:
        save_shop(connection, Shop(shop=SHOP))
        add_missing_shops(connection, [SHOP])

    def states() -> dict[str, str]:
        with database.connection() as connection:
            return {one.id: one.state for one in listed_actions(connection, Filter()).actions}

    def receipts() -> int:
        with database.connection() as connection:
            row = connection.execute(
                "select count(*) as n from actions where withdrawal_kept_at is not null"
            ).fetchone()
        assert row is not None
        return int(row["n"])

    def store(*work: Callable[[Any], Any]) -> None:
        with database.connection() as connection:
            for one in work:
                one(connection)

    await node.start()
    async with node.owner() as phone, hub(database, broker):
        new = [NewAction(action=asked(name, now)) for name in ("dismissed", "gone", "done_offline")]
        await eventually(lambda: bool(_nodes(database)))
        store(lambda c: insert_actions(c, new))
        await eventually(lambda: set(states().values()) == {"delivered"})
        store(
            lambda c: move_action(c, "dismissed", "dismissed", at=now, reason="being rebuilt"),
            lambda c: c.execute(  # nothing but its colour is looked at
                "insert into codes (shop, dimension, day, version, computed_at, policy_version,"
                " colour, rule, rule_zh, turns_green_at, facts, unit, unknown_days)"
                " values (%s, 'place', %s, 1, %s, 1, 'green', 'r', 'r', '1', '{}', 'min', 0)",
                [SHOP, now.date(), now],
            ),
        )
        # Done while the hub is about to withdraw it.
        told = await phone.post("/api/actions/done_offline", json={"event": "ticked"})
        assert told.json()["state"] == "done"
        await eventually(lambda: states()["done_offline"] == "done")
        store(lambda c: withdraw(c, now=now))
        assert states() == {"dismissed": "withdrawn", "gone": "withdrawn", "done_offline": "done"}
        await eventually(lambda: receipts() == 2)
        on_node = {one["action"]["id"]: one for one in (await phone.get("/api/actions")).json()}
        assert {name: one["state"] for name, one in on_node.items()} == {
            "dismissed": "withdrawn", "gone": "withdrawn", "done_offline": "done",
        }  # fmt: skip
        said = on_node["dismissed"]["action"]["withdrawn"]
        assert (said["why"], said["reason"]) == ("dismissed", "being rebuilt")
        assert on_node["gone"]["action"]["withdrawn"]["why"] == "cause_gone"
        again = await phone.post("/api/actions/gone", json={"event": "opened"})
        assert again.status_code == 409
        # A phone that was offline did it after all: that is what happened.
        late = await phone.post("/api/actions/gone", json={"event": "ticked"})
        assert (late.status_code, late.json()["state"]) == (200, "done")
        await eventually(lambda: states()["gone"] == "done")
        with database.connection() as connection:
            steps = [one.event for one in moves_of(connection, "gone")]
        assert steps == ["receipt_stored", "cause_gone", "ticked"]
    assert isinstance(phone, httpx.AsyncClient)


def _nodes(database: Database) -> list[Any]:
    with database.connection() as connection:
        return connection.execute("select node_path from nodes").fetchall()
