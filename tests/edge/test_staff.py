"""Names of staff with a PIN: whose figures a phone shows; the hub hears of none of it."""

import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from edge.cli import app
from edge.disk import Disk
from edge.errors import NameLocked, WrongPin
from edge.staff import LOCKED_FIRST, TURN, WRONG_MAX, Staff, StaffNames
from storepulse.events import ReceptionTapped
from tests.edge.samples import StandingClock
from tests.edge.shop import UUID, Shop, error


@pytest.fixture
def anna(shop: Shop) -> tuple[Staff, str]:
    return shop.staff.add("Anna", shop.now().at)


def other_than(pin: str) -> str:
    return f"{(int(pin) + 1) % 10_000:04d}"


async def tap(shop: Shop, number: int, kind: str = "reception", **more: object) -> None:
    said = {"uuid": f"{UUID}{number}", "kind": kind, **more}
    assert (await shop.phone.post("/api/taps", json=said)).status_code == 200


async def pick(shop: Shop, person: str, pin: str) -> tuple[int, str]:
    said = {"person": person, "pin": pin}
    answer = await shop.phone.post("/api/staff/turn", json=said)
    return (200, "") if answer.status_code == 200 else error(answer)[:2]


async def test_taps_under_a_name_are_that_persons_figures_and_the_wire_has_no_person(
    shop: Shop, anna: tuple[Staff, str]
) -> None:
    one, pin = anna
    await tap(shop, 1)
    assert await pick(shop, one.person, pin) == (200, "")
    await tap(shop, 2)
    await tap(shop, 3, "experience")
    own = (await shop.phone.get("/api/staff/own")).json()
    assert own["turn"]["name"] == "Anna"
    assert own["today"] == {"receptions": 1, "experiences": 1, "deals": 0}
    await shop.phone.delete(f"/api/taps/{UUID}2")
    assert (await shop.phone.get("/api/staff/own")).json()["today"]["receptions"] == 0
    said = [one for one in shop.said() if isinstance(one, ReceptionTapped)]
    assert len(said) == 2
    assert "Anna" not in repr(shop.said())
    assert one.person not in repr(shop.said())


async def test_a_phone_that_nobody_taps_on_is_nobodys_after_a_while(
    shop: Shop, anna: tuple[Staff, str]
) -> None:
    one, pin = anna
    await pick(shop, one.person, pin)
    shop.now.forward(TURN - timedelta(minutes=1))
    await tap(shop, 1)
    shop.now.forward(TURN - timedelta(minutes=1))
    assert (await shop.phone.get("/api/staff")).json()["turn"]["name"] == "Anna"
    shop.now.forward(timedelta(minutes=2))
    assert (await shop.phone.get("/api/staff/own")).json() == {"turn": None, "today": None}


async def test_a_tap_that_waited_counts_for_whoever_was_picked_then(
    shop: Shop, anna: tuple[Staff, str]
) -> None:
    one, pin = anna
    await pick(shop, one.person, pin)
    shop.now.forward(timedelta(minutes=10))
    await shop.phone.delete("/api/staff/turn")
    shop.now.forward(timedelta(minutes=10))
    await tap(shop, 1, waited_s=15 * 60)
    await tap(shop, 2)
    assert shop.staff.figures(one.person, shop.now().at - timedelta(days=1)).receptions == 1


async def test_five_wrong_pins_lock_the_name_and_each_series_for_longer(
    shop: Shop, anna: tuple[Staff, str]
) -> None:
    one, pin = anna
    for _ in range(WRONG_MAX):
        assert await pick(shop, one.person, other_than(pin)) == (403, "wrong_pin")
    assert await pick(shop, one.person, pin) == (429, "name_locked")
    shop.now.forward(LOCKED_FIRST)
    for _ in range(WRONG_MAX):
        assert await pick(shop, one.person, other_than(pin)) == (403, "wrong_pin")
    shop.now.forward(LOCKED_FIRST)
    assert await pick(shop, one.person, pin) == (429, "name_locked")
    shop.now.forward(LOCKED_FIRST)
    assert await pick(shop, one.person, pin) == (200, "")


def test_a_new_pin_opens_a_locked_name_and_the_old_one_is_good_no_more(
    disk: Disk, now: StandingClock
) -> None:
    names = StaffNames(disk)
    one, pin = names.add("Bo", now().at)
    for _ in range(WRONG_MAX):
        with pytest.raises(WrongPin):
            names.pick("phone", one.person, other_than(pin), now().at)
    with pytest.raises(NameLocked):
        names.pick("phone", one.person, pin, now().at)
    fresh = names.renew_pin(one.person)
    if fresh != pin:
        with pytest.raises(WrongPin):
            names.pick("phone", one.person, pin, now().at)
    assert names.pick("phone", one.person, fresh, now().at).name == "Bo"


async def test_a_person_who_is_forgotten_leaves_taps_of_nobody(
    shop: Shop, anna: tuple[Staff, str]
) -> None:
    one, pin = anna
    await pick(shop, one.person, pin)
    await tap(shop, 1)
    shop.staff.end(one.person)
    assert (await shop.phone.get("/api/staff")).json() == {"names": [], "turn": None}
    with shop.disk.reading() as db:
        assert db.execute("select person from taps").fetchall() == [(None,)]
        assert db.execute("select count(*) from staff_turns").fetchone() == (0,)


def test_the_disk_holds_no_pin(disk: Disk, now: StandingClock) -> None:
    _, pin = StaffNames(disk).add("Bo", now().at)
    with disk.reading() as db:
        (row,) = db.execute("select * from staff").fetchall()
    assert pin not in [str(value) for value in row]
    assert pin.encode() not in row


@pytest.mark.parametrize("pin", ["", "12345", "12a4"])
async def test_what_is_no_pin_is_refused_and_counts_as_no_try(
    shop: Shop, anna: tuple[Staff, str], pin: str
) -> None:
    assert (await pick(shop, anna[0].person, pin))[0] == 422
    with shop.disk.reading() as db:
        assert db.execute("select wrong from staff").fetchall() == [(0,)]


def test_the_commands_add_list_renew_and_end_a_name(disk: Disk) -> None:
    def run(*words: str) -> str:
        done = CliRunner().invoke(app, ["staff", *words, "--data", str(disk.path.parent), "--json"])
        assert done.exit_code == 0, done.output
        return done.stdout

    added = json.loads(run("add", "Anna"))
    assert len(added["pin"]) == 4
    assert json.loads(run("list")) == [{"person": added["person"], "name": "Anna"}]
    assert json.loads(run("pin", "Anna"))["person"] == added["person"]
    run("end", "Anna")
    assert json.loads(run("list")) == []
