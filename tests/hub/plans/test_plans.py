"""Drafts change, published versions stand still, each reads what holds in his shops, nodes hear."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from hub.plans.photo_work import PhotoRefused, WaitingPhoto, look_by_child, work_once
from hub.plans.store import plans_due
from hub.shops_store import Shop, save_shop, see_node
from hub.store.database import Database
from planograms.model import PLANOGRAM_JSON, Planogram
from storepulse.checklists import Sentence
from storepulse.topics import Address
from tests.hub.visitor import Visitor, visitor_of
from tests.planograms.bays import bay

NOW = datetime(2026, 11, 22, 20, tzinfo=UTC)
PLAN = replace(bay([[1, 1, 2], [3, 4, 4]]), id="tea")
JPEG = b"\xff\xd8\xff a photo"


@pytest.fixture
def chain(database: Database) -> Database:
    with database.connection() as connection:
        for shop, region, zone in (
            ("s1", "east", "Asia/Shanghai"), ("s2", "east", "UTC"), ("s3", "west", "UTC"),
        ):  # fmt: skip
            save_shop(connection, Shop(shop=shop, region=region, timezone=zone))
            see_node(connection, Address("c", shop, "n"), at=NOW)
    return database


def body(plan: Planogram) -> bytes:
    return PLANOGRAM_JSON.dump_json(plan)


def put(office: Visitor, plan: Planogram, revision: int = 0) -> Any:
    path = f"/api/plans/{plan.id}/draft?revision={revision}"
    return office.ask("PUT", path, content=body(plan))


def publish(office: Visitor, revision: int, *, starts_on: str | None = None, **bays: Any) -> Any:
    assigned = [{"shop": shop, "bays": named} for shop, named in bays.items()]
    said = {"revision": revision, "starts_on": starts_on, "assigned": assigned}
    return office.post("/api/plans/tea/publish", json=said)


def revisions(database: Database) -> dict[str, int]:
    with database.connection() as connection:
        rows = connection.execute("select shop, config_revision from nodes")
        return {row["shop"]: row["config_revision"] for row in rows}


def test_a_draft_is_saved_compared_and_published(chain: Database) -> None:
    office = visitor_of(chain, now=NOW)
    saved = put(office, PLAN).json()
    assert saved == {"id": "tea", "revision": 1, "version": 1}
    before = revisions(chain)
    assert publish(office, 1, s1=["b1", "b2"], s2=["b1"]).json()["version"] == 1
    after = revisions(chain)
    assert {shop for shop in after if after[shop] > before[shop]} == {"s1", "s2"}
    # The next draft begins as what is published, and is told apart from it in words.
    opened = office.get("/api/plans/tea/draft").json()
    assert (opened["revision"], opened["plan"]["version"]) == (0, 2)
    renamed = replace(PLAN, products=(replace(PLAN.products[0], name="Green tea"),
                                      *PLAN.products[1:]))  # fmt: skip
    assert put(office, renamed).json()["version"] == 2
    told = office.get("/api/plans/tea/changes").json()
    assert told["against"] == 1
    assert [one["words"]["en"] for one in told["changes"]] == ["p1 is now called Green tea."]
    (listed,) = office.get("/api/plans").json()
    assert (listed["version"], listed["shops"], listed["draft"] is not None) == (1, 2, True)
    assert office.delete("/api/plans/tea/draft").json() == {"dropped": True}
    (version,) = office.get("/api/plans/tea/versions").json()
    assert version["assigned"] == [
        {"shop": "s1", "bays": ["b1", "b2"]}, {"shop": "s2", "bays": ["b1"]},
    ]  # fmt: skip
    assert (version["nodes"], version["nodes_told"]) == (2, 0)
    drawing = office.get("/api/plans/tea/versions/1/drawing.svg")
    assert drawing.text.startswith("<svg")
    assert "sandbox" in drawing.headers["content-security-policy"]


def test_what_is_published_cannot_change_not_even_for_the_owner(chain: Database) -> None:
    office = visitor_of(chain, now=NOW)
    put(office, PLAN)
    publish(office, 1, s1=["b1"])
    for text in ("update plan_versions set name = 'x'", "delete from plan_places"):
        with pytest.raises(psycopg.errors.IntegrityError), chain.connection() as connection:
            connection.execute(text)  # type: ignore[call-overload]


def test_two_who_edit_at_once_do_not_overwrite_each_other(chain: Database) -> None:
    office = visitor_of(chain, now=NOW)
    assert put(office, PLAN).status_code == 200
    assert put(office, PLAN).json()["error"]["code"] == "plan_changed"
    assert put(office, replace(PLAN, name="mine"), 1).json()["revision"] == 2
    late = put(office, replace(PLAN, name="theirs"), 1)
    assert (late.status_code, late.json()["error"]["code"]) == (409, "plan_changed")
    assert publish(office, 1, s1=["b1"]).status_code == 409
    assert office.get("/api/plans/tea/draft").json()["plan"]["name"] == "mine"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"positions": []}, "positions must not be empty", id="no positions"),
        pytest.param({"width": -1}, "width must be above 0", id="a width below 0"),
        pytest.param({"id": "milk"}, "not 'tea'", id="another id"),
        pytest.param({"reference": {"picture": {"base64": "AAAA"}, "scale": 1}}, "reference",
                     id="a picture that is none"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_name_and_nothing_is_kept(
    chain: Database, change: dict[str, Any], said: str
) -> None:
    office = visitor_of(chain, now=NOW)
    told = json.loads(body(PLAN)) | change
    answer = office.ask("PUT", "/api/plans/tea/draft", content=json.dumps(told).encode())
    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]
    assert office.get("/api/plans/tea/draft").status_code == 404
    for assigned in ([], [{"shop": "nowhere", "bays": ["b1"]}], [{"shop": "s1", "bays": []}]):
        put(office, PLAN)
        asked = {"revision": 1, "assigned": assigned}
        assert office.post("/api/plans/tea/publish", json=asked).status_code in (400, 422)
    assert office.get("/api/plans/tea/versions").json() == []


def test_each_role_reads_and_writes_what_is_its_own(chain: Database) -> None:
    office = visitor_of(chain, now=NOW)
    put(office, PLAN)
    publish(office, 1, s1=["b1"])
    put(office, PLAN)
    east, west = (visitor_of(chain, "region", regions=[one], name=one) for one in ("east", "west"))
    (seen,) = east.get("/api/plans").json()
    assert (seen["id"], seen["draft"]) == ("tea", None)
    assert east.get("/api/plans/tea/versions/1").json()["id"] == "tea"
    assert west.get("/api/plans").json() == []
    assert west.get("/api/plans/tea/versions/1").status_code == 404
    asked = [("GET", "/api/plans/tea/draft"), ("PUT", "/api/plans/tea/draft"),
             ("DELETE", "/api/plans/tea/draft"), ("POST", "/api/plans/tea/photo?bay=b1"),
             ("GET", "/api/plans/tea/changes")]  # fmt: skip
    clerk = visitor_of(chain, "clerk", shops=["s1"])
    for somebody in (east, clerk, visitor_of(chain, "installer")):
        assert {somebody.ask(*one).status_code for one in asked} == {403}
    assert clerk.get("/api/plans").status_code == 403
    assert office.other().get("/api/plans").status_code == 401


def test_a_photo_becomes_a_draft_and_is_gone(chain: Database) -> None:
    office = visitor_of(chain, now=NOW)
    asked = office.post("/api/plans/tea/photo?bay=b7&name=Tea", content=JPEG).json()
    path = f"/api/plans/photos/{asked['id']}"
    assert office.get(path).json()["state"] == "waiting"
    seen: list[WaitingPhoto] = []

    def look(waiting: WaitingPhoto) -> Planogram:
        seen.append(waiting)
        if len(seen) == 1:
            raise RuntimeError("the child was killed")
        return replace(PLAN, bay=waiting.bay, name=waiting.name)

    def work() -> bool:
        return work_once(chain, now=lambda: NOW, look=look)

    assert work()
    assert office.get(path).json()["state"] == "waiting"
    assert work()
    assert not work()
    assert [(one.photo, one.bay) for one in seen] == [(JPEG, "b7")] * 2
    assert office.get(path).json()["state"] == "drafted"
    assert office.get("/api/plans/tea/draft").json()["plan"]["bay"] == "b7"
    with chain.connection() as connection:
        row = connection.execute("select photo from plan_photos").fetchone()
    assert row == {"photo": None}
    again = office.post("/api/plans/tea/photo?bay=b7", content=JPEG)
    assert again.json()["error"]["code"] == "plan_changed"


def test_a_photo_that_shows_no_shelf_is_refused_with_the_reason(chain: Database) -> None:
    office = visitor_of(chain, now=NOW)
    asked = office.post("/api/plans/tea/photo?bay=b7", content=JPEG).json()

    def look(waiting: WaitingPhoto) -> Planogram:
        raise PhotoRefused(Sentence(en="2 facings are needed", zh="至少需要 2 个排面"))

    work_once(chain, now=lambda: NOW, look=look)
    told = office.get(f"/api/plans/photos/{asked['id']}").json()
    assert (told["state"], told["reason"]) == ("refused", "2 facings are needed")
    assert told["reason_zh"] == "至少需要 2 个排面"
    none = office.post("/api/plans/tea/photo?bay=b7", content=b"no photo")
    assert none.json()["error"]["code"] == "unreadable_photo"


def test_what_a_killed_worker_left_over_is_looked_at_again(chain: Database) -> None:
    office = visitor_of(chain, now=NOW)
    office.post("/api/plans/tea/photo?bay=b7", content=JPEG)

    def killed(waiting: WaitingPhoto) -> Planogram:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work_once(chain, now=lambda: NOW, look=killed)
    assert not work_once(chain, now=lambda: NOW, look=lambda _: PLAN)
    later = NOW + timedelta(minutes=5)
    assert work_once(chain, now=lambda: later, look=lambda _: PLAN)
    assert office.get("/api/plans/tea/draft").status_code == 200


def test_nodes_are_told_of_what_holds_and_of_what_is_to_start(chain: Database) -> None:
    office = visitor_of(chain, now=NOW)
    for version, starts_on in ((1, None), (2, "2026-11-23"), (3, "2026-12-24")):
        put(office, PLAN)
        assert publish(office, 1, starts_on=starts_on, s1=["b1"], s2=["b1"]).json()["version"] == (
            version
        )
    with chain.connection() as connection:
        # At eight in the evening of the 22nd in London it is the 23rd in Shanghai.
        held = {
            shop: [(one.version, one.starts_on) for one in plans_due(connection, shop, now=NOW)]
            for shop in ("s1", "s2", "s3")
        }
    eve = date(2026, 12, 24)
    assert held["s1"] == [(2, date(2026, 11, 23)), (3, eve)]
    assert held["s2"] == [(1, None), (2, date(2026, 11, 23)), (3, eve)]
    assert held["s3"] == []


def test_what_the_child_refuses_is_told_in_both_languages() -> None:
    waiting = WaitingPhoto(
        id=uuid4(), planogram="tea", name="", bay="b1", photo=b"no photo", tries=1
    )  # fmt: skip
    with pytest.raises(PhotoRefused) as refused:
        look_by_child(waiting)
    assert "JPEG" in refused.value.words.en
    assert refused.value.words.zh.startswith("无法读取此文件")
