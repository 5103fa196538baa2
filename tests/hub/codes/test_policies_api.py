"""Policies over HTTP: read, tried, published by head office alone, never for days gone by."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.actions.store import actions
from hub.codes.computing import ensure_default_policy
from hub.codes.policy import default_json
from hub.ingest.facts_store import SaidFact, insert_facts
from hub.scheduler import Scheduler
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from tests.hub.shop_facts import DAY, dwell, goods, midnight
from tests.hub.staff import session_for
from tests.hub.visitor import Visitor, visitor_of

NOON = midnight(DAY) + timedelta(hours=12)
EAST, WEST = "east-1", "west-1"


@pytest.fixture
def house(database: Database) -> Database:
    with database.connection() as connection:
        for shop, region in ((EAST, "east"), (WEST, "west")):
            save_shop(connection, Shop(shop=shop, region=region, format="mall"))
            facts = [
                goods(DAY, 0.705 if region == "east" else 0.74, shop=shop, id=f"g-{shop}"),
                dwell(DAY, 3.0, shop=shop, id=f"d-{shop}"),
            ]
            insert_facts(connection, [SaidFact(fact) for fact in facts], received_at=NOON)
    Scheduler(database).step(NOON)
    return database


@pytest.fixture
def head(house: Database) -> Visitor:
    return visitor_of(house, now=NOON)


def region(database: Database) -> Visitor:
    return visitor_of(database, "region", now=NOON, regions=["west"])


def draft_of(visitor: Visitor, **changes: Any) -> dict[str, Any]:
    draft: dict[str, Any] = visitor.get("/api/policy/draft").json()
    draft["goods"]["rules"][0]["below"] = 0.75
    return draft | {"starts_on": "2098-01-01", "name": "stricter"} | changes


def test_a_draft_says_which_shops_it_would_turn_red(head: Visitor) -> None:
    found = head.post("/api/policy/try", json={"policy": draft_of(head)}).json()
    assert found["shops"] == 2
    goods_trial = found["dimensions"][1]
    assert goods_trial["turn_red"] == 2
    assert [(row["shop"], row["near"]) for row in goods_trial["worse"]] == [
        (EAST, False), (WEST, True),
    ]  # fmt: skip
    assert found["sentence"] == {
        "en": "2 shops turn to “act now” in goods, 1 of them within 1 point of the limit",
        "zh": "货：2 家门店变为“整改”，其中 1 家距界限不超过1 个百分点",
    }
    assert head.get("/api/policies").json()[0]["version"] == 1, "nothing was published"


def test_a_region_tries_at_its_own_shops_and_publishes_nothing(
    house: Database, head: Visitor
) -> None:
    draft = draft_of(head)
    west = region(house)
    found = west.post("/api/policy/try", json={"policy": draft}).json()
    assert found["shops"] == 1
    assert EAST not in str(found)
    refused = west.post("/api/policy/publish", json={"policy": draft})
    assert refused.status_code == 403
    assert len(head.get("/api/policies").json()) == 1


def test_the_database_itself_lets_only_head_office_publish(house: Database) -> None:
    session, _ = session_for(house, "region", regions=["west"])
    with house.of_session(session) as connection:
        row = connection.execute("select became from publish_policy('{}')").fetchone()
        assert row == {"became": "not_yours"}


def test_a_published_draft_is_the_next_version_and_named(head: Visitor) -> None:
    draft = draft_of(head)
    answer = head.post("/api/policy/publish", json={"policy": draft})
    assert answer.status_code == 201
    newest, oldest = head.get("/api/policies").json()
    assert (newest["version"], newest["in_force"], oldest["in_force"]) == (2, False, True)
    assert newest["published_by"]
    assert head.get("/api/policies/2").json() == answer.json()
    assert head.get("/api/policies/3").status_code == 404
    again = head.post("/api/policy/publish", json={"policy": draft})
    assert again.status_code == 400
    assert "version: must be 3" in again.json()["error"]["message"]


def test_a_policy_cannot_start_yesterday(head: Visitor) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    asked = {"policy": draft_of(head, starts_on=yesterday.isoformat())}
    answer = head.post("/api/policy/publish", json=asked)
    assert answer.status_code == 400
    assert "starts_on: must be" in answer.json()["error"]["message"]


def test_a_bad_draft_is_refused_with_its_field(head: Visitor) -> None:
    draft = draft_of(head)
    draft["goods"]["push"]["playbook"] = "none_such"
    answer = head.post("/api/policy/try", json={"policy": draft})
    assert "goods.push.playbook" in answer.json()["error"]["message"]
    draft["goods"]["rules"][0]["below"] = "many"
    answer = head.post("/api/policy/try", json={"policy": draft})
    assert answer.status_code == 422
    assert "goods.rules.0.below" in answer.json()["error"]["message"]


def test_the_policy_of_a_shop_has_its_overrides(head: Visitor) -> None:
    overrides = [{"region": "east", "goods": {"red": {"below": 0.5}}}]
    later = datetime.now(UTC).date() + timedelta(days=2)
    draft = draft_of(head, overrides=overrides, starts_on=later.isoformat())
    assert head.post("/api/policy/publish", json={"policy": draft}).status_code == 201
    of_shop = {
        shop: head.get("/api/policy", params={"shop": shop, "day": later.isoformat()}).json()
        for shop in (EAST, WEST)
    }
    assert of_shop[EAST]["goods"]["rules"][0]["below"] == 0.5
    assert of_shop[WEST]["goods"]["rules"][0]["below"] == 0.75


def test_the_calendar_shows_a_correction_beside_what_it_took_the_place_of(
    house: Database, head: Visitor
) -> None:
    corrected = goods(DAY, 0.95, shop=EAST, id=f"g-{EAST}~2")
    with house.connection() as connection:
        insert_facts(connection, [SaidFact(corrected)], received_at=NOON)
    Scheduler(house).step(NOON)
    found = head.get(f"/api/shops/{EAST}/calendar", params={"days": 7}).json()
    (day,) = found["dimensions"][1]["days"]
    assert (day["day"], day["colour"], day["version"], day["was"]) == (
        DAY.isoformat(), "green", 2, ["orange"],
    )  # fmt: skip
    assert region(house).get(f"/api/shops/{EAST}/calendar").status_code == 404


def test_an_override_reaches_what_is_pushed(database: Database) -> None:
    body = default_json() | {"version": 2, "overrides": [
        {"shop": EAST, "goods": {"push": {"due_hours": 8}}},
    ]}  # fmt: skip
    with database.connection() as connection:
        ensure_default_policy(connection)
        connection.execute(
            "insert into policies (version, name, starts_on, body) values (2, 'x', %s, %s)",
            [DAY, json.dumps(body)],
        )
        for shop in (EAST, WEST):
            save_shop(connection, Shop(shop=shop))
            red = goods(DAY, 0.5, shop=shop, id=f"g-{shop}")
            insert_facts(connection, [SaidFact(red)], received_at=NOON)
    Scheduler(database).step(NOON)
    with database.connection() as connection:
        pushed = [one.action for one in actions(connection) if one.action.dimension == "goods"]
    due = {one.shop: one.due_at - one.created_at for one in pushed}
    assert due == {EAST: timedelta(hours=8), WEST: timedelta(hours=4)}
