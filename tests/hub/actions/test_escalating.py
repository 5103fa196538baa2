"""Silence in the database: it goes up once, whoever looks, and people hear of it."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from hub.actions.escalating import confirm, escalate
from hub.actions.listing import Filter, listed_actions
from hub.actions.rules import RULES_JSON, default_rules, rules_from
from hub.actions.store import (
    NewAction,
    given_actions,
    insert_actions,
    move_action,
    publish_rules,
    read_rules_in_force,
)
from hub.care.keyring import new_keyring
from hub.codes.computing import ensure_default_policy
from hub.notices.choice import NoticeChoice
from hub.notices.store import save_choice, take_due
from hub.notices.telling import tell_digests
from hub.people.roles import Session
from hub.scheduler import Scheduler
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from storepulse.actions import Action
from storepulse.checklists import Sentence
from tests.hub.staff import session_for
from tests.hub.visitor import Visitor

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEYS = new_keyring()


def action(name: str, shop: str = "e1", **changes: Any) -> Action:
    given: dict[str, Any] = {
        "id": name, "shop": shop, "kind": name, "dimension": "people", "day": "2026-11-20",
        "title": Sentence("Invite", "邀请"), "text": Sentence("x", "x"), "reason": "few receptions",
        "reason_zh": "接待少", "created_at": NOON, "due_at": NOON + timedelta(hours=4),
    }  # fmt: skip
    return Action(**(given | changes))


@pytest.fixture
def chain(database: Database) -> Database:
    with database.connection() as connection:
        ensure_default_policy(connection)
        for shop, region in (("e1", "east"), ("w1", "west")):
            save_shop(connection, Shop(shop=shop, name=f"Shop {shop}", region=region))
        insert_actions(
            connection,
            [NewAction(action=action("seen")), NewAction(action=action("unseen")),
             NewAction(action=action("far", "w1"))],
        )  # fmt: skip
        move_action(connection, "seen", "opened", at=NOON)
    return database


def choose(database: Database, session: Session, **changes: Any) -> None:
    asked: dict[str, Any] = {"channels": ("li@example.com",), "kinds": ("escalation",)}
    with database.of_session(session) as connection:
        assert save_choice(connection, NoticeChoice(**(asked | changes)), KEYS)


def up(database: Database, minutes: float) -> list[tuple[str, str]]:
    with database.connection() as connection:
        found = escalate(connection, now=NOON + timedelta(minutes=minutes))
    return sorted((one.action, one.why) for one in found)


def test_what_nobody_sees_goes_up_and_later_what_nobody_does_each_once(chain: Database) -> None:
    assert up(chain, 29) == []
    assert up(chain, 30) == [("far", "not_seen"), ("unseen", "not_seen")]
    assert up(chain, 31) == []
    assert up(chain, 240) == [("seen", "not_done")]
    assert up(chain, 9999) == []
    with chain.connection() as connection:
        (one,) = listed_actions(connection, Filter(id="unseen")).actions
    assert one.escalation is not None
    assert (one.escalation.to_role, one.escalation.why) == ("region", "not_seen")
    assert [step.what for step in one.history] == ["escalated"]


def test_the_scheduler_listens_for_silence(chain: Database) -> None:
    scheduler = Scheduler(chain)
    assert scheduler.step(NOON + timedelta(minutes=29)).escalated == 0
    assert scheduler.step(NOON + timedelta(minutes=31)).escalated == 2
    # Another hub over the same database finds nothing left to send up.
    assert Scheduler(chain).step(NOON + timedelta(minutes=31)).escalated == 0


def test_those_one_level_up_hear_of_it_with_the_history_in_their_language(chain: Database) -> None:
    east, token = session_for(chain, "region", regions=["east"], name="East")
    west, _ = session_for(chain, "region", regions=["west"], name="West")
    head, _ = session_for(chain, "head_office", name="Head")
    choose(chain, east, language="zh")
    choose(chain, west, kinds=("digest",), digest_at=time(9))
    choose(chain, head)
    assert len(up(chain, 240)) == 3
    told = Visitor(chain, token=token).get("/api/notices").json()["notices"]
    assert [(one["kind"], one["sent_at"]) for one in told] == [("escalation", None)] * 2
    for one in told:
        assert one["title"] == "Shop e1: 邀请 (已过截止时间仍未完成)"
        assert one["body"].startswith("接待少")
    assert [("moved pushed → seen" in one["body"]) for one in told] == [False, True]
    with chain.connection() as connection:
        rows = connection.execute("select distinct person from notices").fetchall()
    assert [row["person"] for row in rows] == [east.person.id], "not the west, not two levels up"


def test_a_notice_waits_for_the_end_of_quiet_hours(chain: Database) -> None:
    east, _ = session_for(chain, "region", regions=["east"])
    choose(chain, east, quiet_from=time(12), quiet_until=time(13))
    up(chain, 30)
    with chain.connection() as connection:
        at = NOON + timedelta(minutes=59)
        assert take_due(connection, now=at, until=at) == []
        at = NOON + timedelta(minutes=60)
        assert len(take_due(connection, now=at, until=at + timedelta(minutes=5))) == 1
        assert take_due(connection, now=at, until=at) == [], "another sender leaves it alone"


def test_a_digest_comes_once_a_day_at_its_time_and_names_ones_own_shops(chain: Database) -> None:
    east, token = session_for(chain, "region", regions=["east"])
    choose(
        chain, east, kinds=("digest",), digest_at=time(21), timezone="Asia/Shanghai",
    )  # fmt: skip
    for minutes, told in ((30, 0), (60, 1), (70, 0), (60 * 24, 0), (60 * 25, 1)):
        with chain.connection() as connection:
            assert tell_digests(connection, now=NOON + timedelta(minutes=minutes)) == told
    (_, digest) = Visitor(chain, token=token).get("/api/notices").json()["notices"]
    assert digest["title"] == "Today: 2 open actions, 0 overdue, 0 gone up"
    assert "Shop e1" in digest["body"]
    assert "w1" not in digest["body"]


def test_rules_in_force_are_the_newest_version(chain: Database) -> None:
    body = RULES_JSON.dump_python(default_rules(), mode="json")
    later = rules_from(body | {"version": 2, "unseen_minutes_max": 5}, called="x")
    with chain.connection() as connection:
        assert read_rules_in_force(connection) == default_rules()
        assert publish_rules(connection, later)
        assert not publish_rules(connection, later)
        assert read_rules_in_force(connection) == later
    assert up(chain, 5) == [("far", "not_seen"), ("unseen", "not_seen")]


@pytest.mark.parametrize(
    ("kind", "days_later", "colours", "confirmed"),
    [
        pytest.param("talk_track", 2, ["green"], True, id="green again"),
        pytest.param("talk_track", 2, ["green", "red"], False, id="green was corrected"),
        pytest.param("talk_track", 2, ["yellow"], False, id="not green"),
        pytest.param("talk_track", 1, ["green"], False, id="of a figure that may be older"),
        pytest.param("evidence_missing", 2, ["orange"], True, id="known again"),
        pytest.param("evidence_missing", 2, ["unknown"], False, id="still unknown"),
    ],
)
def test_a_later_code_confirms_what_was_done(
    chain: Database, kind: str, days_later: int, colours: list[str], confirmed: bool
) -> None:
    with chain.connection() as connection:
        insert_actions(connection, [NewAction(action=action("it", kind=kind))])
        move_action(connection, "it", "ticked", at=NOON)
        for version, colour in enumerate(colours, start=1):
            connection.execute(
                "insert into codes (shop, dimension, day, version, computed_at, policy_version,"
                " colour, probability, rule, facts) values ('e1', 'people', %s, %s, %s, 1, %s, 1,"
                " '', '{}')",
                [NOON.date() + timedelta(days=days_later), version, NOON, colour],
            )
        assert confirm(connection, now=NOON + timedelta(days=3)) == confirmed
        assert confirm(connection, now=NOON + timedelta(days=3)) == 0
        (one,) = listed_actions(connection, Filter(id="it")).actions
    assert one.state == ("confirmed" if confirmed else "done")


def test_what_was_done_rests_from_the_moment_it_was_done(chain: Database) -> None:
    at = NOON + timedelta(hours=1)
    with chain.connection() as connection:
        move_action(connection, "seen", "ticked", at=at)
        given = {one.kind: one for one in given_actions(connection, ["e1"], since=NOON)["e1"]}
        assert (given["seen"].over_at, given["unseen"].over_at) == (at, None)
        move_action(connection, "seen", "later_fact_differs", at=at + timedelta(hours=1))
        move_action(connection, "seen", "ticked", at=at + timedelta(hours=2))
        move_action(connection, "seen", "later_fact_agrees", at=at + timedelta(hours=3))
        given = {one.kind: one for one in given_actions(connection, ["e1"], since=NOON)["e1"]}
        assert given["seen"].over_at == at + timedelta(hours=2)
        later = given_actions(connection, ["e1"], since=at + timedelta(hours=2, minutes=1))
        assert [one.kind for one in later["e1"]] == ["unseen"]
