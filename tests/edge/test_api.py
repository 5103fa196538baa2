"""Phones are answered once, in one shape, whatever they send."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from edge.api import Parts, make_app
from edge.checks import Checks
from edge.disk import Disk
from edge.errors import WorkerAway, WorkerEnded
from edge.inbox import Inbox
from edge.judging import Judge
from edge.link import LinkState
from edge.lock import COOKIE, LOOPBACK_NAMES
from edge.outbox import Outbox
from edge.pairing import Phones
from edge.photos import ORIGINAL, Photos
from edge.plans import Plans
from edge.taps import Taps
from edge.workers import WorkerState
from storepulse.errors import BadInput
from storepulse.events import ChecklistMade
from storepulse.facts import Fact
from storepulse.topics import Address
from storepulse.wire import Acknowledgement
from tests.edge.fake_judge import judge as judge_as_the_child_does
from tests.edge.samples import PLAN, StandingClock, action

ORIGIN = "http://127.0.0.1"
OWNER_KEY = "the owner's key"
UUID = "3f9c1f6e-0000-4000-8000-00000000000"


class ScriptedChild:
    """Stands in for the child: judges as the fake one does, or fails as a test says."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[str] = []
        self.failures: list[Exception] = []
        self.blurring_fails: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()
        self._log = folder / "log"

    async def ask(self, header: dict[str, Any], body: bytes = b"") -> dict[str, Any]:
        self.asked.append(f"{header['do']} {header['uuid']}")
        await self.open.wait()
        if header["do"] == "keep" and self.blurring_fails is not None:
            raise self.blurring_fails
        if self.failures:
            raise self.failures.pop(0)
        content = Path(header["photo"]).read_bytes()
        if content.startswith(b"bad"):
            return {"error": "photo.jpg: the file is empty (0 bytes)", "bad_input": True}
        if content.startswith(b"fault"):
            return {"error": "it broke", "bad_input": False}
        return judge_as_the_child_does(header, b"")


class Shop:
    """A node's API over real parts, without its processes."""

    def __init__(self, folder: Path, disk: Disk, outbox: Outbox, now: StandingClock) -> None:
        self.folder = folder / "photos"
        self.disk = disk
        self.outbox = outbox
        self.child = ScriptedChild(folder)
        self.inbox = Inbox(disk, outbox)
        self.checks = Checks(disk, outbox)
        self.plans = Plans(folder / "planograms")
        self.plans.put("plan", json.dumps(PLAN).encode())
        self.now = now
        self.photos = self.start_photos()
        self.phones = Phones(disk, outbox)
        parts = Parts(
            photos=self.photos,
            checks=self.checks,
            taps=Taps(disk, outbox),
            inbox=self.inbox,
            plans=self.plans,
            outbox=outbox,
            now=now,
            link=LinkState,
            workers=lambda: [WorkerState("judge", "ready", 1)],
            upload_bytes_max=100_000,
            node="/storepulse/chain/shop-17/node-1",
            shop="shop-17",
            phones=self.phones,
            owner_key=OWNER_KEY,
            names=LOOPBACK_NAMES,
        )
        self.app = make_app(parts)
        self.phone = self.browser()
        self.owner = self.client(headers={"authorization": f"Bearer {OWNER_KEY}"})

    def client(self, **how: Any) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=ORIGIN, **how)

    def browser(self) -> httpx.AsyncClient:
        """A browser that shows the node's own page, not paired yet."""
        return self.client(headers={"origin": ORIGIN})

    def pair(self) -> None:
        """Pair the phone; what that says to the hub is acknowledged, so that tests count theirs."""
        code, _ = self.phones.make_code(self.now())
        token = self.phones.pair(code, f"{UUID}0", "a phone", self.now()).token
        self.phone.cookies.set(COOKIE, token, domain="127.0.0.1")
        self.outbox.acknowledge(Acknowledgement(epoch=self.outbox.epoch, through=1))

    def start_photos(self) -> Photos:
        address = Address("chain", "shop-17", "node-1")
        return Photos(
            self.folder, self.disk, self.outbox, self.checks, self.plans,
            Judge(self.child, address), self.now, tries_max=3,
        )  # fmt: skip

    def restart_photos(self) -> Photos:
        photos = self.start_photos()
        photos.tidy()
        return photos

    async def snap(self, number: int, content: bytes = b"shelf", **fields: str) -> httpx.Response:
        data = {"uuid": f"{UUID}{number}", "bay": "b1"} | fields
        return await self.phone.post("/api/photos", files={"file": content}, data=data)

    def said(self) -> list[object]:
        return [message.body for message in self.outbox.unacknowledged(0, 100)]

    async def pictures_made(self, number: int) -> None:
        async with asyncio.timeout(10):
            while self.original(number).exists():
                await asyncio.sleep(0.01)

    def judged(self) -> list[str]:
        return [asked for asked in self.child.asked if asked.startswith("judge")]

    def original(self, number: int) -> Path:
        return self.folder / f"{UUID}{number}" / ORIGINAL


@pytest.fixture
async def shop(
    tmp_path: Path, disk: Disk, outbox: Outbox, now: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Shop]:
    monkeypatch.setattr("sys.argv", ["fake", str(tmp_path / "judged")])
    shop = Shop(tmp_path, disk, outbox, now)
    shop.pair()
    yield shop
    await shop.phone.aclose()
    await shop.owner.aclose()


def error(answer: httpx.Response) -> tuple[int, str, bool]:
    (body,) = answer.json().values()
    assert set(body) == {"code", "message", "retryable"}
    return answer.status_code, body["code"], body["retryable"]


async def test_a_photo_gets_its_checklist_and_the_hub_is_told(shop: Shop) -> None:
    answer = await shop.snap(1)
    told = answer.json()
    assert answer.status_code == 200
    assert told["observation"]["verdict"] == "usable"
    assert told["scores"] == {"exposure_main_push": 0.5}
    assert [item["sentence"]["en"] for item in told["checklist"]["items"]] == ["Put it back"]
    made, fact = shop.said()
    assert isinstance(made, ChecklistMade)
    assert made.checklist.id == told["checklist"]["id"]
    assert isinstance(fact, Fact)
    for name, content in (("annotated_url", b"drawn"), ("photo_url", b"kept")):
        assert (await shop.phone.get(told[name])).content == content
    assert (await shop.phone.get(f"/api/photos/{UUID}1")).json() == told
    (listed,) = (await shop.phone.get("/api/checklists")).json()
    assert listed["items"][0]["state"] == "open"


async def test_only_the_blurred_copy_stays(shop: Shop) -> None:
    await shop.snap(1)
    await shop.pictures_made(1)
    assert sorted(path.name for path in shop.original(1).parent.iterdir()) == [
        "annotated.jpg", "photo.jpg",
    ]  # fmt: skip


async def test_a_repeat_gets_the_first_answer(shop: Shop, now: StandingClock) -> None:
    first = await shop.snap(1)
    again = await shop.snap(1, b"another shelf", bay="b2")
    assert again.json() == first.json()
    assert shop.judged() == [f"judge {UUID}1"]
    assert len(shop.said()) == 2


async def test_a_repeat_while_the_first_is_judged_waits_for_the_same_answer(shop: Shop) -> None:
    shop.child.open.clear()
    posts = [asyncio.create_task(shop.snap(1)) for _ in range(3)]
    async with asyncio.timeout(10):
        while not shop.child.asked:
            await asyncio.sleep(0.01)
    waiting = await shop.phone.get(f"/api/photos/{UUID}1")
    assert (waiting.status_code, waiting.json()["state"]) == (202, "waiting")
    assert shop.original(1).read_bytes() == b"shelf", "kept before it is judged"
    shop.child.open.set()
    answers = [(await post).json() for post in posts]
    assert answers[0] == answers[1] == answers[2]
    assert len(shop.judged()) == 1


async def test_a_phone_that_hangs_up_does_not_stop_the_judging(shop: Shop) -> None:
    shop.child.open.clear()
    post = asyncio.create_task(shop.snap(1))
    async with asyncio.timeout(10):
        while not shop.child.asked:
            await asyncio.sleep(0.01)
    post.cancel()
    await asyncio.gather(post, return_exceptions=True)
    shop.child.open.set()
    assert (await shop.snap(1)).status_code == 200
    assert len(shop.judged()) == 1


async def test_a_photo_that_is_none_is_refused_in_the_judges_words_each_time(shop: Shop) -> None:
    for _ in range(2):
        answer = await shop.snap(1, b"bad")
        assert error(answer) == (422, "bad_input", False)
        assert "0 bytes" in answer.json()["error"]["message"]
    assert len(shop.judged()) == 1
    assert not shop.original(1).exists()
    assert shop.said() == []


async def test_a_photo_is_not_lost_when_the_child_dies_over_it(shop: Shop) -> None:
    shop.child.failures = [WorkerEnded("ended")]
    assert error(await shop.snap(1)) == (503, "worker_ended", True)
    assert shop.original(1).exists()
    assert (await shop.snap(1)).status_code == 200
    await shop.pictures_made(1)


async def test_a_photo_that_kills_every_child_is_given_up(shop: Shop) -> None:
    shop.child.failures = [WorkerAway("starting")] * 5 + [WorkerEnded("ended")] * 3
    for _ in range(5):
        assert error(await shop.snap(1)) == (503, "worker_away", True)
    for _ in range(2):
        assert error(await shop.snap(1)) == (503, "worker_ended", True)
    for _ in range(2):
        assert error(await shop.snap(1)) == (422, "not_judged", False)
    assert not shop.original(1).exists()


async def test_a_photo_at_which_the_judge_fails_is_retryable(shop: Shop) -> None:
    assert error(await shop.snap(1, b"fault")) == (503, "judge_broke", True)


async def test_what_was_left_over_is_judged_after_a_restart(shop: Shop) -> None:
    shop.child.failures = [WorkerAway("starting")]
    await shop.snap(1)
    stray = shop.folder / f"{UUID}9"
    stray.mkdir()
    (stray / ORIGINAL).write_bytes(b"a crash came before its row")
    restarted = asyncio.create_task(shop.restart_photos().run())
    async with asyncio.timeout(10):
        while (await shop.phone.get(f"/api/photos/{UUID}1")).status_code != 200:
            await asyncio.sleep(0.01)
    restarted.cancel()
    await asyncio.gather(restarted, return_exceptions=True)
    assert not stray.exists()
    assert len(shop.said()) == 2


async def test_pictures_that_a_crash_prevented_are_made_at_the_next_start(shop: Shop) -> None:
    shop.child.blurring_fails = WorkerAway("the node is being killed")
    url = (await shop.snap(1)).json()["annotated_url"]
    assert error(await shop.phone.get(url)) == (404, "not_here", False)
    assert shop.original(1).exists()
    shop.child.blurring_fails = None
    restarted = asyncio.create_task(shop.restart_photos().run())
    await shop.pictures_made(1)
    assert (await shop.phone.get(url)).content == b"drawn"
    restarted.cancel()
    await asyncio.gather(restarted, return_exceptions=True)


async def test_a_photo_that_cannot_be_blurred_is_answered_and_not_kept(shop: Shop) -> None:
    shop.child.blurring_fails = BadInput("this picture fits no JPEG")
    answer = await shop.snap(1)
    assert answer.status_code == 200
    async with asyncio.timeout(10):
        while shop.original(1).parent.exists():
            await asyncio.sleep(0.01)
    assert error(await shop.phone.get(answer.json()["photo_url"])) == (404, "not_here", False)
    assert (await shop.phone.get(f"/api/photos/{UUID}1")).json() == answer.json()


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        pytest.param({"uuid": "seven"}, 422, "bad_input", id="no UUID"),
        pytest.param({"uuid": "../../etc"}, 422, "bad_input", id="a path"),
        pytest.param({"bay": " "}, 422, "bad_input", id="no bay"),
        pytest.param({"bay": "b9"}, 404, "not_here", id="a bay without a planogram"),
        pytest.param({"planogram": "other"}, 404, "not_here", id="an unknown planogram"),
    ],
)
async def test_a_photo_that_cannot_be_judged_is_not_kept(
    shop: Shop, fields: dict[str, str], status: int, code: str
) -> None:
    assert error(await shop.snap(1, b"shelf", **fields)) == (status, code, False)
    assert shop.child.asked == []
    assert not shop.folder.exists()


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "streamed"])
async def test_too_large_an_upload_is_refused_while_it_streams(shop: Shop, declared: bool) -> None:
    taken = 0
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'

    async def body() -> AsyncIterator[bytes]:
        nonlocal taken
        yield head
        for _ in range(1000):
            taken += 1
            yield b"0" * 10_000

    headers = {"content-type": "multipart/form-data; boundary=x"}
    if declared:
        headers["content-length"] = "10000000"
    answer = await shop.phone.post("/api/photos", content=body(), headers=headers)
    assert error(answer) == (413, "too_large", False)
    assert taken < 100


async def test_an_item_is_ticked(shop: Shop) -> None:
    listed = (await shop.snap(1)).json()["checklist"]["id"]
    path = f"/api/checklists/{listed}/items/1"
    mark = {"state": "done", "uuid": f"{UUID}2"}
    assert (await shop.phone.post(path, json=mark)).json()["items"][0]["state"] == "done"
    assert (await shop.phone.post(path, json=mark)).is_success
    assert len(shop.said()) == 3
    clash = await shop.phone.post(path, json={**mark, "state": "not_true"})
    assert error(clash) == (409, "contradicts", False)
    wrong = await shop.phone.post(path, json={"state": "eaten", "uuid": f"{UUID}3"})
    assert error(wrong) == (422, "bad_input", False)
    assert "state" in wrong.json()["error"]["message"]
    assert error(await shop.phone.get("/api/checklists/nine")) == (404, "not_here", False)


async def test_taps(shop: Shop) -> None:
    first = await shop.phone.post("/api/taps", json={"uuid": f"{UUID}1", "kind": "experience"})
    ticket = first.json()["ticket"]
    deal = {"uuid": f"{UUID}2", "kind": "deal", "ticket": ticket, "amount": 12.5}
    assert (await shop.phone.post("/api/taps", json=deal)).json()["ticket"] == ticket
    undone = await shop.phone.delete(f"/api/taps/{UUID}2")
    assert undone.json()["undone_at"] is not None
    assert error(await shop.phone.delete(f"/api/taps/{UUID}8")) == (404, "not_here", False)


async def test_a_tap_that_waited_on_the_phone_counts_when_it_was_tapped(
    shop: Shop, now: StandingClock
) -> None:
    tap = {"uuid": f"{UUID}1", "kind": "experience", "waited_s": 3 * 86_400}
    told = (await shop.phone.post("/api/taps", json=tap)).json()
    tapped = now().at - timedelta(days=3)
    assert datetime.fromisoformat(told["at"]) == tapped
    assert told["ticket"].startswith(f"{tapped:%m%d}-")
    # Asked again later it has waited longer; it is the same tap.
    again = await shop.phone.post("/api/taps", json=tap | {"waited_s": 4 * 86_400})
    assert again.json() == told


@pytest.mark.parametrize("waited_s", [-1, 29 * 86_400])
async def test_a_tap_of_tomorrow_or_of_last_month_is_refused(shop: Shop, waited_s: int) -> None:
    tap = {"uuid": f"{UUID}1", "kind": "reception", "waited_s": waited_s}
    assert (await shop.phone.post("/api/taps", json=tap)).status_code == 422


async def test_actions(shop: Shop, now: StandingClock) -> None:
    shop.inbox.receive([action()], now())
    (told,) = (await shop.phone.get("/api/actions")).json()
    assert (told["action"]["title"]["en"], told["state"]) == ("Invite", "delivered")
    answer = await shop.phone.post("/api/actions/action-1", json={"event": "opened"})
    assert answer.json()["state"] == "seen"


async def test_planograms(shop: Shop) -> None:
    (listed,) = (await shop.phone.get("/api/planograms")).json()
    assert (listed["id"], listed["bay"], listed["version"]) == ("plan", "b1", 1)
    newer = {**PLAN, "version": 2, "name": "Newer"}
    assert (await shop.owner.put("/api/planograms/plan", json=newer)).json()["version"] == 2
    assert (await shop.phone.get("/api/planograms/plan")).json()["name"] == "Newer"
    assert error(await shop.owner.put("/api/planograms/plan", json=PLAN))[:2] == (
        409,
        "contradicts",
    )
    lacking = {key: value for key, value in newer.items() if key != "positions"}
    answer = await shop.owner.put("/api/planograms/plan", json=lacking)
    assert error(answer) == (422, "bad_planogram", False)
    assert "positions" in answer.json()["error"]["message"]
    for path in ("/api/planograms/other", "/api/planograms/..%2fplan"):
        assert (await shop.owner.put(path, json=newer)).status_code in (404, 422)
    assert error(await shop.phone.get("/api/planograms/none")) == (404, "not_here", False)


async def test_health_says_how_much_waits(shop: Shop) -> None:
    await shop.snap(1)
    health = (await shop.owner.get("/healthz")).json()
    assert health["status"] == "ok"
    assert health["outbox"]["waiting"] == 2
    assert health["outbox"]["oldest_age_s"] == 0
    assert health["link"]["connected"] is False


async def test_every_error_has_the_one_shape(shop: Shop) -> None:
    assert error(await shop.phone.get("/nowhere")) == (404, "not_here", False)
    assert error(await shop.phone.put("/api/taps")) == (405, "not_allowed", False)
    assert error(await shop.phone.post("/api/taps", content=b"{"))[:2] == (422, "bad_input")
    assert error(await shop.phone.post("/api/photos", data={"uuid": "x"}))[:2] == (422, "bad_input")


async def test_a_fault_of_ours_is_told_without_its_secrets(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop.inbox, "all", lambda: 1 / 0)
    answer = await shop.phone.get("/api/actions")
    assert error(answer) == (500, "fault", True)
    assert "division" not in answer.text


async def test_the_openapi_page_names_every_route(shop: Shop) -> None:
    paths = (await shop.phone.get("/openapi.json")).json()["paths"]
    assert {
        "/api/photos", "/api/photos/{uuid}", "/api/photos/{uuid}/annotated.jpg",
        "/api/photos/{uuid}/photo.jpg", "/api/checklists", "/api/checklists/{checklist}",
        "/api/checklists/{checklist}/items/{item}", "/api/taps", "/api/taps/{uuid}",
        "/api/actions", "/api/actions/{action}", "/api/planograms", "/api/planograms/{planogram}",
        "/healthz", "/api/pair", "/api/phone",
    } == set(paths)  # fmt: skip
