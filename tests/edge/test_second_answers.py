"""Prices come second: after the photo's answer, on a list of their own, and at last in any case."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from edge.disk import Disk
from edge.on_demand import OnDemand
from edge.outbox import Outbox
from edge.workers import WorkerState
from storepulse.errors import Unavailable
from storepulse.events import ChecklistMade
from storepulse.facts import Fact
from tests.edge.samples import StandingClock
from tests.edge.shop import UUID, Shop

PHOTO = f"{UUID}1"


class ScriptedReader:
    """Stands in for the child that reads tags: one wrong price, or what a test says."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.failure: Exception | None = None
        self.wrong = True

    async def ask(self, header: dict[str, Any], body: bytes = b"") -> dict[str, Any]:
        self.asked.append({**header, "original": Path(header["photo"]).read_bytes()})
        await self.open.wait()
        if self.failure is not None:
            raise self.failure
        score = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 2, "coverage": 1.0, "planned": 2}
        item = {
            "id": "1-wrong_price-p1", "kind": "wrong_price", "positions": ["p1"], "position": "p1",
            "sentence": {"en": "Change the tag", "zh": "更换价签"},
            "box_xyxy_px": [0, 0, 10, 10], "confidence": 0.8, "sku": "p",
        }  # fmt: skip
        return {
            "checklist": {
                "id": "the-prices", "shop": header["shop"], "bay": header["bay"],
                "photo": header["uuid"], "planogram": "plan", "planogram_version": 1,
                "made_at": header["at"], "items": [item] if self.wrong else [],
            },
            "compliance": score,
            "fact": {
                "id": f"{header['uuid']}:price_compliance", "shop": header["shop"],
                "metric": "price_compliance", "start": header["at"], "end": header["at"],
                "value": 0.5, "low": 0.4, "high": 0.6, "n": 2, "source": header["source"],
            },
            "late": False,
        }  # fmt: skip


@pytest.fixture
def reader() -> ScriptedReader:
    return ScriptedReader()


@pytest.fixture
async def shop(
    tmp_path: Path,
    disk: Disk,
    outbox: Outbox,
    now: StandingClock,
    reader: ScriptedReader,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Shop]:
    monkeypatch.setattr("sys.argv", ["fake", str(tmp_path / "judged")])
    shop = Shop(tmp_path, disk, outbox, now, reader)
    shop.pair()
    yield shop
    await shop.phone.aclose()
    await shop.owner.aclose()


async def prices_of(shop: Shop) -> dict[str, Any]:
    body = (await shop.phone.get(f"/api/photos/{PHOTO}")).json()
    prices: dict[str, Any] = body["prices"]
    return prices


async def told(shop: Shop) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while (prices := await prices_of(shop))["state"] == "coming":
            await asyncio.sleep(0.01)
    return prices


async def test_prices_come_after_the_answer_on_a_list_of_their_own(
    shop: Shop, reader: ScriptedReader
) -> None:
    reader.open.clear()
    first = (await shop.snap(1)).json()
    assert first["prices"]["state"] == "coming"
    ticked = f"/api/checklists/{first['checklist']['id']}/items/1"
    await shop.phone.post(ticked, json={"uuid": f"{UUID}7", "state": "done"})
    reader.open.set()
    prices = await told(shop)
    assert prices["state"] == "read"
    assert prices["compliance"]["value"] == 0.5
    assert [item["kind"] for item in prices["checklist"]["items"]] == ["wrong_price"]
    again = (await shop.snap(1)).json()
    assert {**again, "prices": None} == {**first, "prices": None}
    lists = {one["id"]: one for one in (await shop.phone.get("/api/checklists")).json()}
    assert lists[first["checklist"]["id"]]["items"][0]["state"] == "done"
    assert lists["the-prices"]["items"][0]["state"] == "open"
    said = shop.said()
    made = [one.checklist.id for one in said if isinstance(one, ChecklistMade)]
    assert made == [first["checklist"]["id"], "the-prices"]
    assert "price_compliance" in {one.metric for one in said if isinstance(one, Fact)}


async def test_a_wrong_price_is_ticked_as_any_item(shop: Shop) -> None:
    await shop.snap(1)
    await told(shop)
    path = "/api/checklists/the-prices/items/1-wrong_price-p1"
    answer = await shop.phone.post(path, json={"uuid": f"{UUID}8", "state": "done"})
    assert answer.json()["items"][0]["state"] == "done"


async def test_the_original_stays_until_its_tags_were_read(
    shop: Shop, reader: ScriptedReader
) -> None:
    reader.open.clear()
    await shop.snap(1, b"shelf with tags")
    async with asyncio.timeout(60):
        while not (shop.original(1).parent / "photo.jpg").exists():
            await asyncio.sleep(0.01)
    assert shop.original(1).exists()
    reader.open.set()
    await shop.pictures_made(1)
    assert [one["original"] for one in reader.asked] == [b"shelf with tags"]
    assert (await told(shop))["state"] == "read"


async def test_where_no_price_is_wrong_there_is_no_second_list(
    shop: Shop, reader: ScriptedReader
) -> None:
    reader.wrong = False
    await shop.snap(1)
    prices = await told(shop)
    assert (prices["state"], prices["checklist"]) == ("read", None)
    assert len((await shop.phone.get("/api/checklists")).json()) == 1


async def test_prices_that_cannot_be_read_are_told_as_unread(
    shop: Shop, reader: ScriptedReader
) -> None:
    reader.failure = Unavailable("the child ended")
    await shop.snap(1)
    assert (await told(shop))["state"] == "unread"
    await shop.pictures_made(1)


async def test_what_was_promised_before_a_crash_is_unread_after_it(
    shop: Shop, reader: ScriptedReader
) -> None:
    reader.open.clear()
    await shop.snap(1)
    restarted = shop.restart_photos()
    task = asyncio.create_task(restarted.run())
    async with asyncio.timeout(60):
        while shop.original(1).exists():
            await asyncio.sleep(0.01)
    task.cancel()
    assert (await prices_of(shop))["state"] == "unread"
    reader.open.set()
    await shop.photos.prices.done_with(PHOTO)
    assert (await prices_of(shop))["state"] == "unread"


class SleepyChild:
    """A child without a process: it lives as long as its `run` does."""

    def __init__(self) -> None:
        self.state = WorkerState("prices")
        self.lives = 0
        self.alive = asyncio.Event()
        self.ended = asyncio.Event()

    async def run(self) -> None:
        self.lives += 1
        self.ended.clear()
        self.alive.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.alive.clear()
            self.ended.set()

    async def ask(self, header: dict[str, Any], body: bytes = b"") -> dict[str, Any]:
        await self.alive.wait()
        return {"of": header["n"]}


async def test_the_child_lives_while_it_is_asked_and_a_while_longer() -> None:
    child = SleepyChild()
    needed = OnDemand(child, idle_s=0.01)
    assert needed.state.phase == "stopped"
    answers = await asyncio.gather(*(needed.ask({"n": number}) for number in range(3)))
    assert [answer["of"] for answer in answers] == [0, 1, 2]
    async with asyncio.timeout(60):
        await child.ended.wait()
    assert needed.state.phase == "stopped"
    assert await needed.ask({"n": 4}) == {"of": 4}
    assert child.lives == 2


async def test_the_child_ends_with_the_node() -> None:
    child = SleepyChild()
    needed = OnDemand(child, idle_s=60)
    node = asyncio.create_task(needed.run())
    await needed.ask({"n": 1})
    node.cancel()
    await asyncio.gather(node, return_exceptions=True)
    assert child.ended.is_set()
