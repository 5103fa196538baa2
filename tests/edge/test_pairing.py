"""A phone comes in by a code, once; nobody guesses one; the hub is told and is heeded."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from edge.clock import Moment
from edge.lock import COOKIE
from edge.pairing import Phones
from edge.wrong_tries import TRIES_MAX
from storepulse.events import PhoneEnded, PhonePaired
from storepulse.node_config import NodeConfig
from storepulse.phones import OpenCode, code_sha256, token_sha256
from storepulse.wire import Clock
from tests.edge.samples import StandingClock
from tests.edge.shop import UUID, Shop, error

WRONG = "0000-0000"
MINUTE = timedelta(minutes=1)


async def pair(shop: Shop, code: str, /, *, by: int = 5, **more: Any) -> httpx.Response:
    asked = {"code": code, "uuid": f"{UUID}{by}", "name": "Li's phone"} | more
    return await shop.browser().post("/api/pair", json=asked)


def make(shop: Shop) -> str:
    return shop.phones.make_code(shop.now())[0]


async def ask_as(shop: Shop, answer: httpx.Response) -> httpx.Response:
    phone = shop.client(cookies=answer.cookies)
    return await phone.get("/api/phone")


async def test_a_phone_pairs_and_the_hub_is_told_of_checksums_only(shop: Shop) -> None:
    code = make(shop)
    answer = await pair(shop, code, name="  Li's phone ")
    told = answer.json()
    assert told == {"phone": told["phone"], "shop": "shop-17"}
    assert (await ask_as(shop, answer)).json() == {
        "phone": told["phone"], "name": "Li's phone", "shop": "shop-17",
        "paired_at": shop.now().at.isoformat().replace("+00:00", "Z"), "ticket_pages": "",
    }  # fmt: skip
    token = answer.cookies[COOKIE]
    assert shop.said() == [
        PhonePaired(
            phone=told["phone"], token_sha256=token_sha256(token), name="Li's phone",
            code_sha256=code_sha256(code), at=shop.now().at,
        )
    ]  # fmt: skip
    for file in shop.disk.path.parent.iterdir():
        content = file.read_bytes()
        assert token.encode() not in content
        assert code.encode() not in content
        assert code.replace("-", "").encode() not in content


async def test_a_repeat_after_a_lost_answer_pairs_once(shop: Shop, now: StandingClock) -> None:
    code = make(shop)
    lost = await pair(shop, code)
    now.forward(timedelta(seconds=59))
    again = await pair(shop, code)
    assert again.json() == lost.json()
    assert (await ask_as(shop, again)).status_code == 200
    assert (await ask_as(shop, lost)).status_code == 401, "the token that was lost is good no more"
    assert len(shop.phones.all()) == 2  # with the fixture's own
    first, second = shop.said()
    assert isinstance(first, PhonePaired)
    assert isinstance(second, PhonePaired)
    assert first.phone == second.phone
    assert first.token_sha256 != second.token_sha256


async def test_a_phone_that_pairs_again_leaves_no_second_one_behind(shop: Shop) -> None:
    before = (await shop.phone.get("/api/phone")).json()["phone"]
    old = shop.client(cookies=shop.phone.cookies)
    asked = {"code": make(shop), "uuid": f"{UUID}5", "name": "the same"}
    for _ in range(2):
        told = (await shop.phone.post("/api/pair", json=asked)).json()
    assert told["phone"] != before
    assert (await shop.phone.get("/api/phone")).json()["phone"] == told["phone"]
    assert (await old.get("/api/phone")).status_code == 401
    assert [one.phone for one in shop.phones.all() if one.ended_at is None] == [told["phone"]]


@pytest.mark.parametrize(
    ("later", "by"),
    [
        pytest.param(0, 6, id="by another phone"),
        pytest.param(61, 5, id="by the same one, too late"),
        pytest.param(-5, 5, id="by the same one, before it was used"),
    ],
)
async def test_a_used_code_lets_nobody_in(
    shop: Shop, now: StandingClock, later: int, by: int
) -> None:
    code = make(shop)
    first = await pair(shop, code)
    now.forward(timedelta(seconds=later))
    assert error(await pair(shop, code, by=by)) == (403, "code_used_or_ended", False)
    assert (await ask_as(shop, first)).status_code == 200
    assert len(shop.said()) == 1


async def test_an_ended_phone_does_not_come_back_by_its_code(shop: Shop) -> None:
    code = make(shop)
    answer = await pair(shop, code)
    shop.phones.end(answer.json()["phone"], shop.now())
    assert error(await pair(shop, code)) == (403, "code_used_or_ended", False)


async def test_many_at_once_by_one_code_and_one_comes_in(shop: Shop) -> None:
    code = make(shop)
    answers = await asyncio.gather(*(pair(shop, code, by=number) for number in range(9)))
    assert sorted(answer.status_code for answer in answers) == [200] + [403] * 8


async def test_a_code_ends_after_a_quarter_of_an_hour(shop: Shop, now: StandingClock) -> None:
    code, other = make(shop), make(shop)
    now.forward(15 * MINUTE - timedelta(seconds=1))
    assert (await pair(shop, code)).status_code == 200
    now.forward(timedelta(seconds=1))
    assert error(await pair(shop, other)) == (403, "code_used_or_ended", False)


async def test_setting_the_clock_back_keeps_no_code_open(shop: Shop, now: StandingClock) -> None:
    code = make(shop)
    moment = now.forward(15 * MINUTE)
    now.moment = Moment(moment.at - 15 * MINUTE, moment.clock)
    assert error(await pair(shop, code)) == (403, "code_used_or_ended", False)


async def test_a_code_of_another_shop_lets_nobody_in(shop: Shop) -> None:
    """A node knows its own shop's codes only; another's is one that it never heard of."""
    assert error(await pair(shop, "7KM3-Q2ZD")) == (403, "code_used_or_ended", False)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param({"code": "7KM3"}, "bad_pairing_code", id="half a code"),
        pytest.param({"code": "x" * 41}, "bad_input", id="a code without end"),
        pytest.param({"uuid": "seven"}, "bad_input", id="no UUID"),
        pytest.param({"name": "x" * 81}, "bad_input", id="too long a name"),
        pytest.param({"name": "a\u202eb"}, "bad_input", id="a name that reads otherwise"),
        pytest.param({"code": None}, "bad_input", id="no code"),
    ],
)
async def test_what_cannot_be_is_refused_and_uses_nothing_up(
    shop: Shop, change: dict[str, Any], code: str
) -> None:
    made = make(shop)
    for _ in range(TRIES_MAX + 1):
        assert error(await pair(shop, made, **change)) == (422, code, False)
    assert (await pair(shop, made)).status_code == 200


# Guessing


async def test_ten_wrong_codes_in_a_minute_and_no_other_is_tried(
    shop: Shop, now: StandingClock
) -> None:
    code = make(shop)
    for number in range(TRIES_MAX):
        assert error(await pair(shop, WRONG, by=number)) == (403, "code_used_or_ended", False)
    for tried in (WRONG, code):
        answer = await pair(shop, tried)
        assert error(answer) == (429, "too_many_tries", True)
        assert answer.headers["retry-after"] == "60"
    # Whoever is paired already is not disturbed.
    assert (await shop.phone.get("/api/phone")).status_code == 200
    now.forward(timedelta(seconds=60))
    assert (await pair(shop, code)).status_code == 200


async def test_wrong_codes_that_come_at_once_are_counted_too(shop: Shop) -> None:
    answers = await asyncio.gather(*(pair(shop, WRONG) for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [403] * TRIES_MAX + [429] * 40


async def test_right_codes_are_not_counted(shop: Shop) -> None:
    for _ in range(TRIES_MAX + 5):
        assert (await pair(shop, make(shop))).status_code == 200


async def test_a_used_code_and_one_that_never_was_get_the_same_answer(shop: Shop) -> None:
    code = make(shop)
    await pair(shop, code)
    assert (await pair(shop, code, by=6)).text == (await pair(shop, WRONG)).text


# The hub's configuration


def config(revision: int, *codes: str, ended: tuple[str, ...] = (), at: datetime) -> NodeConfig:
    opened = (OpenCode(sha256=code_sha256(code), ends_at=at + 15 * MINUTE) for code in codes)
    return NodeConfig(revision=revision, codes=tuple(opened), ended=ended)


async def test_an_older_configuration_changes_nothing(shop: Shop, now: StandingClock) -> None:
    assert shop.phones.config_revision() == 0
    assert shop.phones.take_config(config(7, "7KM3-Q2ZD", at=now().at), now())
    assert not shop.phones.take_config(config(7, "A000-0000", at=now().at), now())
    assert not shop.phones.take_config(config(6, "A000-0000", at=now().at), now())
    assert shop.phones.config_revision() == 7
    assert error(await pair(shop, "A000-0000"))[0] == 403
    assert (await pair(shop, "7KM3-Q2ZD")).status_code == 200


async def test_a_code_that_the_hub_takes_back_is_good_no_more(
    shop: Shop, now: StandingClock
) -> None:
    own = make(shop)
    shop.phones.take_config(config(1, "7KM3-Q2ZD", "A000-0000", at=now().at), now())
    shop.phones.take_config(config(2, "A000-0000", at=now().at), now())
    assert error(await pair(shop, "7KM3-Q2ZD"))[0] == 403
    assert (await pair(shop, "A000-0000")).status_code == 200
    assert (await pair(shop, own)).status_code == 200, "the node's own are its own affair"


async def test_a_used_code_of_the_hub_stays_used_though_it_is_told_again(
    shop: Shop, now: StandingClock
) -> None:
    shop.phones.take_config(config(1, "7KM3-Q2ZD", at=now().at), now())
    assert (await pair(shop, "7KM3-Q2ZD")).status_code == 200
    shop.phones.take_config(config(2, at=now().at), now())
    shop.phones.take_config(config(3, "7KM3-Q2ZD", at=now().at), now())
    assert error(await pair(shop, "7KM3-Q2ZD", by=6))[0] == 403


def test_a_lagging_clock_opens_the_hubs_code_for_a_quarter_of_an_hour_only(
    shop: Shop, now: StandingClock
) -> None:
    """A node without a battery wakes up last week; the hub's codes end next week by its clock."""
    week = timedelta(days=7)
    shop.phones.take_config(config(1, "7KM3-Q2ZD", at=now().at + week), now())
    now.forward(14 * MINUTE)
    shop.phones.take_config(config(2, "7KM3-Q2ZD", at=now().at + week), now())
    now.forward(MINUTE)
    with pytest.raises(Exception, match="this code was used"):
        shop.phones.pair("7KM3-Q2ZD", f"{UUID}1", "", now())


def test_an_end_is_told_to_the_hub_once(shop: Shop) -> None:
    (phone,) = shop.phones.all()
    first = shop.phones.end(phone.phone, shop.now())
    assert shop.phones.end(phone.phone, shop.now()) == first
    assert shop.said() == [PhoneEnded(phone=phone.phone, at=shop.now().at)]


def test_what_the_hub_ended_is_not_told_back(shop: Shop) -> None:
    (phone,) = shop.phones.all()
    shop.phones.take_config(NodeConfig(revision=1, ended=(phone.phone,)), shop.now())
    assert shop.phones.all()[0].ended_at is not None
    assert shop.said() == []


def test_the_name_of_an_ended_phone_is_forgotten_after_30_days(
    shop: Shop, now: StandingClock
) -> None:
    (phone,) = shop.phones.all()
    shop.phones.end(phone.phone, now())
    now.forward(timedelta(days=29))
    shop.phones.make_code(now())
    assert len(shop.phones.all()) == 1
    now.forward(timedelta(days=1))
    shop.phones.make_code(now())
    assert shop.phones.all() == []


def test_a_full_disk_pairs_nobody_and_uses_nothing_up(shop: Shop, now: StandingClock) -> None:
    code = make(shop)

    class Full:
        def append(self, *_: object) -> None:
            raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        Phones(shop.disk, Full()).pair(code, f"{UUID}5", "", now())  # type: ignore[arg-type]
    assert len(shop.phones.all()) == 1
    shop.phones.pair(code, f"{UUID}6", "", now())


def test_a_code_survives_a_restart_and_no_longer_than_it_would(
    shop: Shop, now: StandingClock
) -> None:
    code = make(shop)
    moment = now.forward(14 * MINUTE)
    # Another boot: its clock of seconds begins anew.
    now.moment = Moment(moment.at, Clock(boot="boot-2", monotonic_s=5.0, synchronised=True))
    shop.phones.pair(code, f"{UUID}5", "", now())
