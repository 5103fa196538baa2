"""What is due is told to phones; what was not photographed is told to the hub; rests rest."""

import json
from datetime import date, time, timedelta
from typing import Any

import pytest

from planograms.after import CELLS
from storepulse.facts import Fact
from storepulse.node_config import NodeConfig
from storepulse.rounds import RestDue, RoundDue, Window
from tests.edge.fake_judge import judge as judge_as_the_child_does
from tests.edge.samples import NOON, PLAN
from tests.edge.shop import Shop

MORNING = Window(opens=time(12, 10), due=time(12, 40))
EVENING = Window(opens=time(18), due=time(19))
DAILY = RoundDue(round="daily", version=1, name="Daily", windows=(MORNING, EVENING))


@pytest.fixture
def two_bays(shop: Shop) -> Shop:
    other = json.dumps(PLAN | {"id": "other", "bay": "b2"}).encode()
    shop.plans.put("other", other)
    shop.rounds.take(NodeConfig(revision=1, rounds=(DAILY,)))
    return shop


async def now_due(shop: Shop) -> Any:
    return (await shop.phone.get("/api/rounds")).json()


def told(shop: Shop) -> list[Fact]:
    return shop.rounds.tell(shop.now())


async def test_the_phone_is_sent_from_bay_to_bay(two_bays: Shop) -> None:
    shop = two_bays
    assert await now_due(shop) == {"next": None, "rounds": []}
    shop.now.forward(timedelta(minutes=15))
    found = await now_due(shop)
    assert found["next"] == "b1"
    assert [bay["state"] for bay in found["rounds"][0]["bays"]] == ["due", "due"]
    assert (await shop.snap(1)).status_code == 200
    found = await now_due(shop)
    assert found["next"] == "b2"
    assert found["rounds"][0]["bays"][0]["at"] == "2026-11-20T12:15:00Z"
    shop.now.forward(timedelta(minutes=30))
    assert [bay["state"] for bay in (await now_due(shop))["rounds"][0]["bays"]] == [
        "done", "overdue",
    ]  # fmt: skip
    assert (await shop.client().get("/api/rounds")).status_code == 401


async def test_the_hub_hears_once_what_was_not_photographed(two_bays: Shop) -> None:
    shop = two_bays
    shop.now.forward(timedelta(minutes=15))
    await shop.snap(1)
    assert told(shop) == []
    shop.now.forward(timedelta(minutes=30))
    facts = told(shop)
    assert told(shop) == []
    by = {(fact.metric, fact.dims.get("bay")): fact for fact in facts}
    assert by["bays_overdue", None].value == 1
    assert by["round_completion", None].value == 0.5
    unseen = by["facing_compliance", "b2"]
    assert (unseen.value, unseen.coverage, unseen.n, unseen.dims["planned"]) == (None, 0.0, 0, "1")
    assert by["exposure_main_push", "b2"].dims["basis"] == "facing_compliance"
    assert unseen.start == NOON + timedelta(minutes=40)
    assert ("facing_compliance", "b1") not in by
    # Who comes late is late, and the number is told anew.
    await shop.snap(2, bay="b2")
    (late,) = told(shop)
    assert (late.metric, late.value) == ("bays_overdue", 0)


async def test_a_node_that_was_off_tells_what_it_missed_and_not_what_it_never_heard_of(
    two_bays: Shop,
) -> None:
    shop = two_bays
    shop.now.forward(timedelta(hours=20))
    assert [fact.value for fact in told(shop) if fact.metric == "round_completion"] == [0, 0]
    late = RoundDue(round="late", version=1, name="Late", windows=(
        Window(opens=time(1), due=time(2)),))  # fmt: skip
    shop.rounds.take(NodeConfig(revision=2, rounds=(late,)))
    assert told(shop) == []
    assert (await now_due(shop))["rounds"] == []


async def test_an_earlier_photo_again_is_no_photo_of_the_round_and_says_nothing(
    two_bays: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = two_bays

    async def ask(header: dict[str, Any], body: bytes = b"") -> dict[str, Any]:
        answer = judge_as_the_child_does(header, b"")
        if header["do"] == "judge":
            answer["signature"] = (bytes([7]) * CELLS * CELLS).hex()
            answer["taken"] = "2026:11:20 11:00:00"
        return answer

    monkeypatch.setattr(shop.child, "ask", ask)
    await shop.snap(1)
    shop.now.forward(timedelta(minutes=15))
    before = len(shop.said())
    again = await shop.snap(2)
    assert again.json()["closed"]["nothing"] == "same_photo"
    assert [one for one in shop.said()[before:] if isinstance(one, Fact)] == []
    assert (await now_due(shop))["next"] == "b1"


async def test_photos_of_a_round_are_told_to_the_child_as_one_look(
    two_bays: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, headers = two_bays, []
    inner = shop.child.ask

    async def ask(header: dict[str, Any], body: bytes = b"") -> dict[str, Any]:
        answer = await inner(header, body)
        if header["do"] == "judge":
            headers.append(header)
            answer["judgement"]["positions"] = [{"id": "p1", "status": "ok", "right": 0.9}]
        return answer

    monkeypatch.setattr(shop.child, "ask", ask)
    await shop.snap(1)
    shop.now.forward(timedelta(minutes=15))
    await shop.snap(2)
    shop.now.forward(timedelta(minutes=5))
    await shop.snap(3)
    opened = "daily@2026-11-20T12:10:00+00:00"
    assert [(one["round"], one["earlier"]) for one in headers] == [
        ("", {}), (opened, {}), (opened, {"p1": 0.9}),
    ]  # fmt: skip


async def test_what_a_manager_lets_rest_rests_up_to_its_day_and_is_told_apart(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = shop.child.ask

    async def ask(header: dict[str, Any], body: bytes = b"") -> dict[str, Any]:
        answer = await inner(header, body)
        if header["do"] == "judge":
            answer["checklist"]["items"][0] |= {"sku": "tea", "positions": ["p1"]}
        return answer

    monkeypatch.setattr(shop.child, "ask", ask)
    rests = (
        RestDue(bay="", sku="tea", reason="delivery_due", until=date(2026, 11, 20)),
        RestDue(bay="b9", sku="tea", reason="other", until=date(2026, 12, 20)),
    )
    shop.rounds.take(NodeConfig(revision=1, rests=rests))

    async def marked(number: int) -> list[tuple[str, str]]:
        await shop.snap(number)
        (newest, *_) = (await shop.phone.get("/api/checklists")).json()
        return [(item["state"], item["reason"]) for item in newest["items"]]

    assert await marked(1) == [("cannot_do", "delivery_due")]
    resting = [one for one in shop.said() if isinstance(one, Fact)]
    (fact,) = [one for one in resting if one.metric == "facings_resting"]
    assert (fact.value, fact.n, fact.dims["bay"]) == (1.0, 1, "b1")
    shop.now.forward(timedelta(days=1))
    assert await marked(2) == [("open", "")]


async def test_the_child_is_asked_which_bay_with_what_is_known_of_each(two_bays: Shop) -> None:
    shop = two_bays
    await shop.snap(1)
    await shop.pictures_made(1)
    shop.child.recognised = {
        "by": "look", "bay": "b2", "candidates": [{"bay": "b2", "confidence": 0.97}],
    }  # fmt: skip
    told = await shop.phone.post("/api/bay", files={"file": b"a photo"})
    assert told.json() == shop.child.recognised
    ((header, body),) = shop.child.recognise
    assert body == b"a photo"
    assert header["shop"] == "shop-17"
    assert [len(header["known"][bay]["photos"]) for bay in ("b1", "b2")] == [1, 0]
    assert all(header["known"][bay]["planogram"].endswith(".json") for bay in ("b1", "b2"))
    shop.child.recognised = {"error": "photo: no photo", "bad_input": True}
    refused = await shop.phone.post("/api/bay", files={"file": b"none"})
    assert refused.status_code == 422
