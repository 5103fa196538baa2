"""The installer's page is the owner's; what it tries leaves nothing behind."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from edge.bench import Heard, look_at_calibration, look_at_ears, look_at_judge, look_at_plans
from edge.workers import Phase, WorkerState
from storepulse.facts import Fact
from tests.edge.shop import Shop, error

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
PATHS = [
    pytest.param("GET", "", id="about"),
    pytest.param("GET", "/doctor", id="doctor"),
    pytest.param("POST", "/test-photo", id="test photo"),
    pytest.param("POST", "/pairing-code", id="code"),
    pytest.param("POST", "/enrol", id="enrol"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_a_clerks_phone_gets_nothing_of_the_installers(
    shop: Shop, method: str, path: str
) -> None:
    answer = await shop.phone.request(method, f"/api/installer{path}", json={})
    assert error(answer) == (403, "not_yours", False)
    stranger = await shop.browser().request(method, f"/api/installer{path}", json={})
    assert error(stranger) == (401, "unpaired", False)
    guessed = shop.client(headers={"authorization": "Bearer not-the-key"})
    assert error(await guessed.request(method, f"/api/installer{path}"))[0] == 401


async def test_the_owner_sees_everything_and_what_to_do(shop: Shop) -> None:
    about = (await shop.owner.get("/api/installer")).json()
    assert about["shop"] == "shop-17"
    assert (about["enrolled"], about["phones"], about["planograms"]) == (False, 1, ["plan"])
    told = (await shop.owner.get("/api/installer/doctor")).json()
    found = {one["name"]: one for one in told["findings"]}
    assert list(found) == [
        "network", "clock", "hub", "broker", "certificate", "outbox", "pictures", "phones", "disk",
        "judge", "planograms", "radio", "calibration",
    ]  # fmt: skip
    # Nothing listens there, and it was never enrolled: said, with what to do.
    assert found["network"]["standing"] == "ill"
    assert found["certificate"]["standing"] == "look"
    assert (found["judge"]["standing"], found["phones"]["standing"]) == ("well", "well")
    for one in told["findings"]:
        assert all(one["says"].values())
        assert [bool(do) for do in one["do"].values()] == 2 * [one["standing"] != "well"]


def send(shop: Shop, content: bytes, **fields: str) -> "httpx.Request":
    return shop.owner.build_request(
        "POST", "/api/installer/test-photo", files={"file": content}, data=fields
    )


async def test_a_photo_that_is_tried_is_judged_and_forgotten(shop: Shop) -> None:
    before = len(shop.said())
    answer = await shop.owner.send(send(shop, b"shelf"))
    told = answer.json()
    assert (told["verdict"], told["findings"], told["planogram"]) == ("usable", 1, "plan")
    assert len(shop.said()) == before
    assert not list(shop.disk.path.parent.glob("tried-*"))
    assert (await shop.phone.get("/api/checklists")).json() == []
    assert error(await shop.owner.send(send(shop, b"bad")))[:2] == (422, "bad_input")
    assert error(await shop.owner.send(send(shop, b"shelf", planogram="x")))[0] == 404


async def test_a_code_made_here_lets_one_phone_in(shop: Shop) -> None:
    code = (await shop.owner.post("/api/installer/pairing-code")).json()["code"]
    phone = shop.browser()
    said = {"code": code, "uuid": "3f9c1f6e-0000-4000-8000-0000000000aa", "name": "till"}
    assert (await phone.post("/api/pair", json=said)).status_code == 200
    said["uuid"] = "3f9c1f6e-0000-4000-8000-0000000000ab"
    assert error(await shop.browser().post("/api/pair", json=said))[0] == 403


@pytest.mark.parametrize(
    ("code", "hub"),
    [
        pytest.param("NOT-A-CODE", "https://127.0.0.1:1", id="slip in the code"),
        pytest.param("", "", id="empty"),
    ],
)
async def test_enrolling_says_what_was_typed_wrong(shop: Shop, code: str, hub: str) -> None:
    answer = await shop.owner.post("/api/installer/enrol", json={"code": code, "hub": hub})
    assert answer.status_code == 422
    assert (await shop.owner.get("/api/installer")).json()["enrolled"] is False


@pytest.mark.parametrize(
    ("phase", "facts", "standing"),
    [("ready", 3, "well"), ("ready", 0, "look"), ("starting", 0, "look"), ("resting", 3, "ill"),
     ("refused", 0, "ill"), ("finished", 5, "well")],
)  # fmt: skip
def test_the_radio_is_well_when_it_runs_and_tells(phase: Phase, facts: int, standing: str) -> None:
    heard = Heard(facts=facts, last_at=NOW if facts else None)
    assert look_at_ears([WorkerState("radio", phase)], heard, NOW).standing == standing


def test_a_radio_that_fell_silent_and_a_calibration_of_last_year_are_to_be_looked_at() -> None:
    state = WorkerState("radio", "ready")
    heard = Heard(facts=1, last_at=NOW - timedelta(days=3), calibrated="2025-10-01")
    assert look_at_ears([state], heard, NOW).standing == "look"
    assert look_at_calibration(heard, NOW.date()).standing == "look"
    well = [state, WorkerState("door+folder:/in", "refused", trouble="no folder")]
    assert look_at_ears(well, heard, NOW).standing == "ill"
    lately = Heard(facts=1, last_at=NOW, calibrated="2026-10-01")
    assert look_at_calibration(lately, NOW.date()).standing == "well"
    assert look_at_calibration(Heard(), NOW.date()).standing == "look"
    assert look_at_judge(None).standing == "ill"
    assert look_at_plans(0).standing == "look"


def test_what_the_ears_told_is_counted_and_their_newest_calibration_kept() -> None:
    fact = Fact(
        id="f", shop="s", metric="visitors", start=NOW, end=NOW, value=1.0, low=1.0, high=1.0,
        source="n", dims={"calibrated": "2026-03-01"},
    )  # fmt: skip
    heard = Heard(calibrated="2025-01-01").with_more([fact, fact], NOW)
    assert (heard.facts, heard.last_at, heard.calibrated) == (2, NOW, "2026-03-01")
    assert heard.with_more([], NOW + timedelta(1)).last_at == NOW
