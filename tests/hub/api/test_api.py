"""The JSON API: what the facts give, in one shape, also when it goes wrong."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from hub.ingest.facts_store import SaidFact, insert_facts
from hub.scheduler import Scheduler
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from hub.taps.store import insert_checklist, insert_tap
from storepulse.checklists import Checklist, ChecklistItem, Sentence
from storepulse.events import ExperienceBegun
from tests.hub.shop_facts import DAY, NODE, SHOP, back, dwell, goods, midnight
from tests.hub.visitor import Visitor, visitor_of

NOON = midnight(DAY) + timedelta(hours=12)
LIST = Checklist(
    id="list-1", shop=SHOP, bay="b1", photo="p", planogram="plan", planogram_version=1,
    made_at=NOON - timedelta(minutes=30),
    items=(
        ChecklistItem(
            id="i1", kind="missing", sentence=Sentence(en="put it back", zh="补货"),
            box_xyxy_px=(0, 0, 1, 1), confidence=0.9,
        ),
    ),
)  # fmt: skip


@pytest.fixture
def api(database: Database) -> Visitor:
    with database.connection() as connection:
        save_shop(connection, Shop(shop=SHOP, name="Harbour", region="east"))
        save_shop(connection, Shop(shop="18", simulated=True))
        facts = [goods(DAY, 0.6, doubt=0.03), dwell(DAY, 3.0, doubt=0.1), dwell(back(1), 3.4)]
        insert_facts(connection, [SaidFact(fact) for fact in facts], received_at=NOON)
        insert_checklist(connection, LIST, node_path=NODE)
        begun = ExperienceBegun(ticket="T1", at=NOON - timedelta(days=4))
        insert_tap(connection, SHOP, begun)
    Scheduler(database).step(NOON)
    return visitor_of(database, now=NOON)


def test_the_board_shows_the_worst_shop_first_with_its_own_code(api: Visitor) -> None:
    rows = api.get("/api/board", params={"day": DAY.isoformat()}).json()
    assert [(row["shop"], row["colour"], row["simulated"]) for row in rows] == [
        (SHOP, "red", False), ("18", "unknown", True),
    ]  # fmt: skip
    assert [code["colour"] for code in rows[0]["codes"]] == ["unknown", "red", "yellow", "unknown"]
    assert rows[0]["codes"][1]["rule"].endswith("is below 70%")


def test_the_board_of_a_day_that_nobody_computed_is_computed(api: Visitor) -> None:
    rows = api.get("/api/board", params={"day": back(1).isoformat()}).json()
    assert {row["shop"]: row["codes"][2]["colour"] for row in rows} == {
        SHOP: "green", "18": "unknown",
    }  # fmt: skip


def test_the_codes_of_a_shop_come_with_their_reasons(api: Visitor) -> None:
    four = api.get(f"/api/shops/{SHOP}/codes").json()
    assert [code["dimension"] for code in four] == ["people", "goods", "place", "conversion"]
    code = four[1]
    assert code["colour"] == "red"
    assert code["probability"] > 0.99
    assert code["turns_green_at"] == 0.9
    assert code["facts"] == [goods(DAY, 0.6).id]
    assert code["day"] == DAY.isoformat()


def test_an_action_leads_to_the_nodes_checklist(api: Visitor) -> None:
    answer = api.get(f"/api/shops/{SHOP}/actions").json()
    (action,) = (one for one in answer["actions"] if one["kind"] == "correction_checklist")
    assert action["state"] == "pushed"
    assert api.get(f"/api/actions/{action['id']}").json()["history"] == []
    found = api.get(f"/api/checklists/{action['checklist']}").json()
    assert found["checklist"]["id"] == "list-1"
    assert found["items"]["i1"]["state"] == "open"


def test_of_a_day_the_actions_that_its_codes_call_for_are_shown_too(api: Visitor) -> None:
    of_a_day = api.get(f"/api/shops/{SHOP}/actions", params={"day": DAY.isoformat()})
    assert of_a_day.status_code == 200
    kinds = {one["kind"]: one["state"] for one in of_a_day.json()["actions"]}
    assert kinds["correction_checklist"] == "pushed"


def test_care_messages_are_counted_and_not_sent(api: Visitor) -> None:
    care = api.get(f"/api/shops/{SHOP}/actions").json()["care_messages"]
    assert (care["reached_72h"], care["sent"]) == (1, 0)
    assert "agreed" in care["why"]


def test_facts_are_found_by_metric_and_the_shops_days(api: Visitor) -> None:
    asked = {"shop": SHOP, "metric": "dwell_mean", "from": back(1).isoformat()}
    answer = api.get("/api/facts", params=asked | {"to": DAY.isoformat()}).json()
    assert [fact["value"] for fact in answer["facts"]] == [3.4, 3.0]
    assert answer["more"] is False
    only = api.get("/api/facts", params=asked | {"to": back(1).isoformat()}).json()
    assert [fact["value"] for fact in only["facts"]] == [3.4]


@pytest.mark.parametrize("path", ["shops", "catalogue", "streams", "quarantine", "alarms", "nodes"])
def test_lists_are_lists(api: Visitor, path: str) -> None:
    answer = api.get(f"/api/{path}")
    assert answer.status_code == 200
    assert isinstance(answer.json(), list)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        pytest.param("/api/shops/nobody/codes", 404, "not_there", id="no shop"),
        pytest.param("/api/actions/none", 404, "not_there", id="no action"),
        pytest.param("/api/checklists/none", 404, "not_there", id="no checklist"),
        pytest.param("/nowhere", 404, "not_there", id="no page"),
        pytest.param("/api/board?day=yesterday", 422, "bad_request", id="no day"),
        pytest.param("/api/board?day=0001-01-01", 422, "bad_request", id="no such day"),
        pytest.param("/api/board?day=9999-12-31", 422, "bad_request", id="end of time"),
        pytest.param("/api/facts", 422, "bad_request", id="no shop named"),
        pytest.param("/api/facts?shop=%00", 400, "bad_input", id="no text"),
        pytest.param("/api/actions/%00", 400, "bad_input", id="no id"),
    ],
)
def test_errors_have_one_shape(api: Visitor, path: str, status: int, code: str) -> None:
    answer = api.get(path)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert set(error) == {"code", "message", "retryable"}
    assert error["code"] == code
    assert error["message"]
    assert error["retryable"] is False


def test_a_fault_has_the_same_shape_and_tells_nothing_of_itself(
    api: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise ZeroDivisionError("of the hub's own")

    monkeypatch.setattr("hub.api.board.read_columns", breaks)
    # As a server has it: the fault goes to the log, and not to whoever asks.
    transport = httpx.ASGITransport(api.app, raise_app_exceptions=False)

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(
            transport=transport, base_url=api.address, cookies=api.cookies
        ) as client:
            return await client.get("/api/board/columns")

    answer = asyncio.run(ask())
    assert answer.status_code == 500
    assert set(answer.json()["error"]) == {"code", "message", "retryable"}
    assert "own" not in answer.text


def test_nothing_can_be_written(api: Visitor) -> None:
    answer = api.post("/api/shops", json={})
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "not_allowed")


def test_a_page_from_elsewhere_is_refused(api: Visitor) -> None:
    answer = api.get("/api/shops", headers={"host": "evil.example"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (421, "wrong_host")


def test_the_docs_need_nothing_from_elsewhere(api: Visitor) -> None:
    page = api.get("/docs").text
    assert "openapi.json" in page
    assert "http" not in page.replace("http-equiv", "")
    paths = api.get("/openapi.json").json()["paths"]
    assert "/api/shops/{shop}/codes" in paths


def test_health_says_more_to_those_who_see_nodes(api: Visitor) -> None:
    health = api.get("/healthz").json()
    assert health["broker"] is False
    assert health["database"]
    assert api.other().get("/healthz").json() == {"status": "ok"}
