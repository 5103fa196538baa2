"""A phone that asked for it is told of new actions: once each, sealed, not at night."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from edge.errors import BadSettings
from edge.push import TOLD_A_DAY_MAX, read_quiet
from storepulse.actions import Action, Withdrawal
from storepulse.checklists import Sentence
from tests.edge.samples import NOON, action
from tests.edge.shop import Shop
from tests.storepulse.push_service import Browser, PushService, push_service


@pytest.fixture(scope="module")
def service() -> Iterator[PushService]:
    with push_service() as running:
        yield running


@pytest.fixture
async def browser(shop: Shop, service: PushService) -> Browser:
    """Of a phone that is paired and lets itself be told."""
    service.status, service.got = 201, []
    shop.pushes._hosts = (service.host,)
    one = Browser(service)
    answer = await shop.phone.put("/api/push", json=one.said | {"language": "en"})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"key": shop.pushes.key.public, "told": True}
    return one


def arrive(shop: Shop, *names: str, **changes: Any) -> None:
    titled = [
        replace(action(name), title=Sentence(f"Task {name}", f"任务 {name}"), **changes)
        for name in names
    ]
    shop.inbox.receive(titled, shop.now())


async def test_new_actions_are_told_once_and_sealed(shop: Shop, browser: Browser) -> None:
    assert shop.pushes.send_due()
    assert browser.opened() == []
    arrive(shop, "a")
    assert shop.pushes.send_due()
    assert shop.pushes.send_due()
    assert browser.opened() == [
        {"kind": "pushed", "title": "Task a", "tag": "actions", "path": "/"}
    ]
    assert browser.service.claims()["k"] == shop.pushes.key.public
    assert browser.service.got[0][1]["topic"] == "actions"
    arrive(shop, "b", "c")
    arrive(shop, "for the region", role="region")
    shop.pushes.send_due()
    assert browser.opened()[-1]["title"] == "2 new tasks"
    assert len(browser.service.got) == 2


async def test_what_was_opened_or_withdrawn_or_is_old_is_no_news(
    shop: Shop, browser: Browser
) -> None:
    arrive(shop, "opened", "withdrawn")
    await shop.phone.post("/api/actions/opened", json={"event": "opened"})
    gone: Action = replace(
        action("withdrawn"), withdrawn=Withdrawal(at=NOON, why="cause_gone", reason="green")
    )
    shop.inbox.receive([gone], shop.now())
    shop.pushes.send_due()
    arrive(shop, "old")
    shop.now.forward(timedelta(hours=25))
    shop.pushes.send_due()
    assert browser.opened() == []


async def test_at_night_it_waits_and_a_phone_is_not_told_all_day_long(
    shop: Shop, browser: Browser
) -> None:
    shop.now.forward(timedelta(hours=10))  # ten at night
    arrive(shop, "late")
    shop.pushes.send_due()
    assert browser.opened() == []
    shop.now.forward(timedelta(hours=10, minutes=1))
    shop.pushes.send_due()
    assert [one["title"] for one in browser.opened()] == ["Task late"]
    for number in range(TOLD_A_DAY_MAX + 3):
        shop.now.forward(timedelta(minutes=5))
        arrive(shop, f"a{number}")
        shop.pushes.send_due()
    assert len(browser.opened()) == TOLD_A_DAY_MAX


async def test_a_phone_that_has_gone_is_forgotten_and_an_outage_is_not_the_end(
    shop: Shop, browser: Browser
) -> None:
    arrive(shop, "a")
    browser.service.status = 503
    assert not shop.pushes.send_due()
    browser.service.status = 201
    assert shop.pushes.send_due()
    assert len(browser.opened()) == 2  # the same tag: the phone shows one
    browser.service.status = 410
    arrive(shop, "b")
    shop.pushes.send_due()
    assert (await shop.phone.get("/api/push")).json()["told"] is False


async def test_each_phone_speaks_for_itself_and_an_ended_one_is_told_nothing(
    shop: Shop, browser: Browser
) -> None:
    assert (await shop.owner.get("/api/push")).status_code == 401  # the owner is no phone
    assert (await shop.browser().get("/api/push")).status_code == 401
    elsewhere = browser.said | {"endpoint": "https://10.0.0.1/x"}
    refused = await shop.phone.put("/api/push", json=elsewhere)
    assert refused.status_code in (400, 422)
    assert "10.0.0.1" not in refused.text
    assert (await shop.phone.delete("/api/push")).json()["told"] is False
    await shop.phone.put("/api/push", json=browser.said)
    arrive(shop, "a")
    (phone,) = shop.phones.all()
    shop.phones.end(phone.phone, shop.now())
    shop.pushes.send_due()
    assert browser.opened() == []


def test_quiet_may_pass_midnight() -> None:
    night, noon = read_quiet("21:00-08:00"), read_quiet("12:00 - 13:30")
    assert night.holds(NOON.replace(hour=23).time())
    assert night.holds(NOON.replace(hour=7, minute=59).time())
    assert not night.holds(NOON.replace(hour=8).time())
    assert noon.holds(NOON.time())
    assert not noon.holds(NOON.replace(hour=14).time())
    with pytest.raises(BadSettings, match="of the form 21:00-08:00"):
        read_quiet("at night")
