"""Phones are answered once, in one shape, whatever they send."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from edge.errors import WorkerAway, WorkerEnded
from edge.photos import ORIGINAL
from storepulse.errors import BadInput
from storepulse.events import ChecklistMade
from storepulse.facts import Fact
from tests.edge.samples import PLAN, StandingClock, action
from tests.edge.shop import UUID, Shop, error


async def test_a_photo_gets_its_checklist_and_the_hub_is_told(shop: Shop) -> None:
    answer = await shop.snap(1)
    told = answer.json()
    assert answer.status_code == 200
    assert told["observation"]["verdict"] == "usable"
    assert told["scores"] == {"exposure_main_push": 0.5}
    assert [item["sentence"]["en"] for item in told["checklist"]["items"]] == ["Put it back"]
    made, fact, at_rest = shop.said()
    assert (at_rest.metric, at_rest.value) == ("facings_resting", 0)
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
        "anchors.bin", "annotated.jpg", "photo.jpg",
    ]  # fmt: skip


async def test_a_repeat_gets_the_first_answer(shop: Shop, now: StandingClock) -> None:
    first = await shop.snap(1)
    again = await shop.snap(1, b"another shelf", bay="b2")
    assert again.json() == first.json()
    assert shop.judged() == [f"judge {UUID}1"]
    assert len(shop.said()) == 3


async def test_a_repeat_while_the_first_is_judged_waits_for_the_same_answer(shop: Shop) -> None:
    shop.child.open.clear()
    posts = [asyncio.create_task(shop.snap(1)) for _ in range(3)]
    async with asyncio.timeout(60):
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
    async with asyncio.timeout(60):
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
    async with asyncio.timeout(60):
        while (await shop.phone.get(f"/api/photos/{UUID}1")).status_code != 200:
            await asyncio.sleep(0.01)
    restarted.cancel()
    await asyncio.gather(restarted, return_exceptions=True)
    assert not stray.exists()
    assert len(shop.said()) == 3


async def test_a_fault_over_one_photo_leaves_those_behind_it_no_worse(shop: Shop) -> None:
    shop.child.failures = [WorkerAway("starting")] * 2
    await shop.snap(1)
    await shop.snap(2)
    shop.child.failures = [ZeroDivisionError("of ours")]
    restarted = asyncio.create_task(shop.restart_photos().run())
    async with asyncio.timeout(60):
        while (await shop.phone.get(f"/api/photos/{UUID}2")).status_code != 200:
            await asyncio.sleep(0.01)
    assert (await shop.phone.get(f"/api/photos/{UUID}1")).status_code == 202
    restarted.cancel()
    await asyncio.gather(restarted, return_exceptions=True)


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
    async with asyncio.timeout(60):
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
    assert len(shop.said()) == 4
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
    assert health["outbox"]["waiting"] == 3
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
        "/api/photos/{uuid}/photo.jpg", "/api/photos/{uuid}/anchors.bin", "/api/checklists",
        "/api/checklists/{checklist}",
        "/api/checklists/{checklist}/items/{item}", "/api/taps", "/api/taps/{uuid}",
        "/api/actions", "/api/actions/{action}", "/api/planograms", "/api/planograms/{planogram}",
        "/healthz", "/api/pair", "/api/phone", "/api/push", "/api/installer",
        "/api/installer/doctor", "/api/installer/test-photo", "/api/installer/pairing-code",
        "/api/installer/enrol",
        "/api/staff", "/api/staff/own", "/api/staff/turn", "/api/rounds", "/api/bay",
    } == set(paths)  # fmt: skip
