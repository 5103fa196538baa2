"""Notices while no page is open, in a real browser: the worker shows one, and a tap leads on."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.dashboards.fake_hub import FakeHub
from tests.dashboards.fake_node import FakeNode
from tests.dashboards.looking import PYTESTMARK, open_view
from tests.dashboards.served import served
from tests.dashboards.test_behaviour import PHONE
from tests.patience import expect, until

pytestmark = PYTESTMARK
NOTE = '{"kind": "escalation", "title": "东一店：陈列整改", "tag": "notice-7", "path": "/#/me"}'


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    node = FakeNode()
    node.pair()
    with served(FakeHub(signed_in=True).app()) as hub, served(node.app()) as shop:
        yield {"board": hub, "clerk": shop}


def push(page: Any, origin: str, data: str) -> None:
    """As a push service would bring it: by the browser's own tools for those who make pages."""
    tools = page.context.new_cdp_session(page)
    found: list[str] = []
    tools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: found.extend(
            one["registrationId"] for one in told["registrations"] if origin in one["scopeURL"]
        ),
    )
    tools.send("ServiceWorker.enable")
    page.evaluate("async () => void (await navigator.serviceWorker.ready)")
    until(lambda: found, what="the worker's registration", page=page)
    asked = {"origin": origin, "registrationId": found[-1], "data": data}
    tools.send("ServiceWorker.deliverPushMessage", asked)


def shown(page: Any) -> list[list[str]]:
    """The notes that stand, once there is one; empty when none comes."""
    told: list[list[str]] = page.evaluate(
        """async () => {
          const worker = await navigator.serviceWorker.ready
          for (let tries = 0; tries < 1000; tries++) {
            const notes = await worker.getNotifications()
            if (notes.length) return notes.map((one) => [one.title, one.tag, one.data.path])
            await new Promise((go) => setTimeout(go, 50))
          }
          return []
        }"""
    )
    return told


@pytest.mark.parametrize("which", ["board", "clerk"])
def test_a_push_is_shown_and_a_tap_leads_to_its_place(
    urls: dict[str, str],
    browser: Any,
    which: str,
) -> None:
    url = urls[which]
    page = open_view(browser, f"{url}/#/me" if which == "board" else url, PHONE)
    page.context.grant_permissions(["notifications"], origin=url)
    page.reload()
    switch = page.get_by_role("switch")
    switch.wait_for()
    expect(switch).not_to_be_checked()
    push(page, url, NOTE)
    assert shown(page) == [["东一店：陈列整改", "notice-7", "/#/me"]]
    page.evaluate("location.hash = '#/'")
    page.wait_for_function("() => !!navigator.serviceWorker.controller")
    (worker,) = until(lambda: page.context.service_workers, what="the worker", page=page)
    # What a tap on it does; a tap itself is the system's.
    worker.evaluate("() => show('/#/me').then(() => undefined)")
    page.wait_for_function("() => location.hash === '#/me'")
    page.context.close()
