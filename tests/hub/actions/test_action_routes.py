"""A manager looks through the actions of the region, gives one up or to somebody else."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.actions.store import NewAction, insert_actions, move_action
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from storepulse.actions import Action
from storepulse.checklists import Sentence
from tests.hub.staff import make_person, session_for
from tests.hub.visitor import Visitor

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def action(name: str, shop: str = "e1", **changes: Any) -> Action:
    given: dict[str, Any] = {
        "id": name, "shop": shop, "kind": name, "dimension": "people", "day": "2026-11-20",
        "title": Sentence("t", "t"), "text": Sentence("x", "x"), "reason": "r",
        "created_at": NOON, "due_at": NOON + timedelta(days=1),
    }  # fmt: skip
    return Action(**(given | changes))


@pytest.fixture
def chain(database: Database) -> Database:
    with database.connection() as connection:
        for shop, region in (("e1", "east"), ("w1", "west")):
            save_shop(connection, Shop(shop=shop, name=f"Shop {shop}", region=region))
        insert_actions(
            connection,
            [
                NewAction(action=action("small", worth=0.1)),
                NewAction(action=action("large", worth=0.9, shift="late", dimension="goods")),
                NewAction(action=action("over", worth=2.0)),
                NewAction(action=action("far", "w1")),
            ],
        )
        move_action(connection, "over", "ticked", at=NOON, reason="ok")
    return database


@pytest.fixture
def manager(chain: Database) -> Visitor:
    _, token = session_for(chain, "region", regions=["east"], name="Li Wei")
    return Visitor(chain, token=token)


def ids(visitor: Visitor, query: str = "") -> list[str]:
    return [one["id"] for one in visitor.get(f"/api/actions{query}").json()["actions"]]


def test_open_actions_come_first_and_the_most_worth_before_others(manager: Visitor) -> None:
    assert ids(manager) == ["large", "small", "over"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?state=done", ["over"]),
        ("?state=done&state=pushed", ["large", "small", "over"]),
        ("?dimension=goods", ["large"]),
        ("?kind=small", ["small"]),
        ("?role=region", []),
        ("?escalated=true", []),
        ("?shop=w1", []),
        ("?region=east&from=2026-11-20&to=2026-11-20", ["large", "small", "over"]),
        ("?from=2026-11-21", []),
    ],
)
def test_a_filter_lets_through_what_it_names(
    manager: Visitor, query: str, found: list[str]
) -> None:
    assert ids(manager, query) == found


def test_a_longer_list_says_that_there_are_more(manager: Visitor) -> None:
    told = manager.get("/api/actions?limit=2").json()
    assert [one["id"] for one in told["actions"]] == ["large", "small"]
    assert told["more"] is True


def test_an_action_tells_its_history(manager: Visitor) -> None:
    (step,) = manager.get("/api/actions/over").json()["history"]
    assert (step["what"], step["how"], step["went_to"], step["reason"]) == (
        "moved", "ticked", "done", "ok",
    )  # fmt: skip


def test_a_dismissed_action_says_who_gave_it_up_and_why(manager: Visitor) -> None:
    told = manager.post(
        "/api/actions/large/dismiss", json={"reason": " shelf is being rebuilt "}
    ).json()
    assert told["state"] == "withdrawn"
    assert [(one["what"], one["by_whom"], one["reason"]) for one in told["history"]] == [
        ("moved", None, "shelf is being rebuilt"),
        ("dismissed", "Li Wei", "shelf is being rebuilt"),
    ]
    again = manager.post("/api/actions/large/dismiss", json={"reason": "x"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "action_is_over")


def test_an_action_goes_to_somebody_else_and_the_history_says_so(
    chain: Database, manager: Visitor
) -> None:
    clerk = make_person(chain, "Chen", "clerk", shops=["e1"])
    make_person(chain, "Stranger", "clerk", shops=["w1"])
    takers = manager.get("/api/shops/e1/takers").json()
    assert [(one["name"], one["role"]) for one in takers] == [
        ("Chen", "clerk"), ("Li Wei", "region"),
    ]  # fmt: skip
    said = {"role": "clerk", "shift": "late", "person": str(clerk.id), "reason": "knows the shelf"}
    told = manager.post("/api/actions/small/reassign", json=said).json()
    assert (told["shift"], told["assignee_name"], told["state"]) == ("late", "Chen", "pushed")
    assert told["history"][-1]["went_to"] == "clerk, late, Chen"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        pytest.param("large/dismiss", {"reason": "  "}, 422, id="no reason"),
        pytest.param("large/dismiss", {}, 422, id="nothing said"),
        pytest.param("far/dismiss", {"reason": "x"}, 404, id="another region's"),
        pytest.param("far/reassign", {"reason": "x", "role": "region"}, 404, id="not ours to give"),
        pytest.param("none/dismiss", {"reason": "x"}, 404, id="none"),
        pytest.param("large/reassign", {"reason": "x", "role": "king"}, 422, id="no role"),
        pytest.param(
            "large/reassign",
            {"reason": "x", "role": "clerk", "person": "3f9c1f6e-0000-4000-8000-000000000001"},
            409, id="nobody",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused(
    manager: Visitor, path: str, body: dict[str, str], status: int
) -> None:
    assert manager.post(f"/api/actions/{path}", json=body).status_code == status
    assert ids(manager) == ["large", "small", "over"]


def test_a_clerk_reads_actions_and_leads_nobody(chain: Database) -> None:
    _, token = session_for(chain, "clerk", shops=["e1"])
    clerk = Visitor(chain, token=token)
    assert ids(clerk) == ["large", "small", "over"]
    for path in ("/api/actions/large/dismiss", "/api/actions/large/reassign"):
        answer = clerk.post(path, json={"reason": "x", "role": "clerk"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_yours")
    assert clerk.get("/api/shops/e1/takers").status_code == 403
