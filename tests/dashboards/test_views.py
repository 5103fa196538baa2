"""Every view of the pages in a browser: nothing serious for axe, nothing wider than the screen.

Hub and node are fakes that answer with the real ones' types; the journeys use the real ones. Which
looks: `looking`. Reported as not run (skipped, with the reason) where chromium or the built pages
are missing.
"""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.dashboards.fake_hub import COMING, PHOTO, FakeHub
from tests.dashboards.fake_installer import OWNER_KEY
from tests.dashboards.fake_node import CODE, FakeNode
from tests.dashboards.fake_shop import phone_of_shop
from tests.dashboards.looking import (
    LANGUAGES,
    PYTESTMARK,
    Show,
    Step,
    click,
    fill,
    look_around,
    see,
)
from tests.dashboards.served import served
from tests.hub.shop_facts import SHOP

pytestmark = PYTESTMARK


@pytest.fixture(scope="module")
def hub() -> Iterator[tuple[FakeHub, str]]:
    fake = FakeHub()
    with served(fake.app()) as url:
        yield fake, url


@pytest.fixture(scope="module")
def node() -> Iterator[tuple[FakeNode, str]]:
    fake = FakeNode()
    with served(fake.app()) as url:
        yield fake, url


BOARD_VIEWS: Final[dict[str, tuple[dict[str, Any], str, list[Step]]]] = {
    "sign-in": ({"signed_in": False}, "#/shop/17", [see("input[type=password]")]),
    "sign-in-wrong": (
        {"signed_in": False}, "",
        [fill("input[name=username]", "Lin"), fill("input[type=password]", "not the one"),
         click("button.first"), see("[role=alert]")],
    ),
    "welcome-first": ({"signed_in": False}, "#/welcome/first", [see("#new-password")]),
    "welcome-person": (
        {"signed_in": False}, "#/welcome/abc", [fill("#new-password", "short"), see("h1")],
    ),
    "welcome-used": ({"signed_in": False}, "#/welcome/used", [see("[role=alert]")]),
    "board": ({}, "", [see("tr[data-shop]"), see(".live.on")]),
    "board-filtered": ({}, "#/?region=East&by=goods&colour=red", [see("tr[data-shop]")]),
    "board-many": ({"shops": 600}, "", [see("tr[data-shop]")]),
    "shop": ({}, f"#/shop/{SHOP}", [see("article"), see(".phones")]),
    "shop-curve": (
        {}, f"#/shop/{SHOP}?curve=place",
        [see(".curve canvas"), Show(".curve")],
    ),
    "shop-pairing": (
        {"paired": [phone_of_shop("Till phone")]}, f"#/shop/{SHOP}",
        [click(".phones .top button"), see(".qr svg"),
         Show(".phones")],
    ),
    "photo": ({}, f"#/shop/{SHOP}/photo/{PHOTO}", [see("img"), see(".step a")]),
    "photo-coming": ({}, f"#/shop/{SHOP}/photo/{COMING}", [see(".coming[role=status]")]),
    "shop-calendar": (
        {}, f"#/shop/{SHOP}?calendar=goods",
        [see(".calendar td a"),
         Show(".calendar")],
    ),
    "shop-scores": (
        {}, f"#/shop/{SHOP}",
        [see(".scores td"), Show(".scores")],
    ),
    "shop-rests": (
        {}, f"#/shop/{SHOP}",
        [see(".rests li"), Show(".rests")],
    ),
    "rounds": ({}, "#/rounds", [see("li[data-round]")]),
    "rounds-new": ({}, "#/rounds", [see("li[data-round]"), click("li[data-round] button"),
                                    see("fieldset")]),
    "compare": ({}, "#/compare", [see("figure svg .sign")]),
    "compare-groups": (
        {}, "#/compare?x=place&y=goods&by=region",
        [see("figure svg .sign"), see(".table td")],
    ),
    "compare-metrics": (
        {}, "#/compare?x=visitors&y=price_compliance&order=-y",
        [see("figure svg .sign"), click("summary"), see(".missing li")],
    ),
    "policy": ({}, "#/policy", [see("fieldset")]),
    "policy-tried": (
        {}, "#/policy",
        [fill("fieldset[data-dimension=goods] input", "72"), click("form button.first"),
         see("article[data-trial=goods] li"),
         Show("article")],
    ),
    "kit": ({"signed_in": False}, "#/kit", [see("canvas"), see(".calendar td a")]),
    "kit-broken": ({"signed_in": False}, "#/kit", [click("[data-break]"), see(".broken")]),
    "no-shop": ({}, "#/shop/none", [see("[role=alert]")]),
    "people": ({}, "#/people", [see("li[data-person]")]),
    "people-invite": ({}, "#/people", [click(".top button.first"), see("fieldset input")]),
    "people-clerk": (
        {}, "#/people",
        [
            click(".top button.first"),
            lambda page: page.locator("form select").select_option("clerk"),
        ],
    ),
    "people-link": ({}, "#/people", [click(".do button:nth-child(3)"), see(".link input")]),
    "people-end": ({}, "#/people", [click(".do button:nth-child(4)"), see("dialog[open]")]),
    "me": ({}, "#/me", [see("li[data-session]")]),
    "installer": ({"role": "installer"}, "", [see(".nodes li")]),
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", BOARD_VIEWS)
def test_a_view_of_the_board(
    hub: tuple[FakeHub, str], browser: Any, name: str, language: str
) -> None:
    given, path, steps = BOARD_VIEWS[name]
    fake, url = hub
    for field, default in (
        ("shops", 60), ("role", "head_office"), ("signed_in", True), ("paired", []),
        ("told_nodes", False),
    ):  # fmt: skip
        setattr(fake, field, given.get(field, default))
    fake.office.reset(empty=False)
    look_around(browser, f"{url}/{path}", name, language, steps)


def _photo(page: Any) -> None:
    content = {"name": "bay.jpg", "mimeType": "image/jpeg", "buffer": b"shelf"}
    page.locator("input[type=file]").first.set_input_files(content)


CLERK_VIEWS: Final[dict[str, tuple[bool, str, list[Step]]]] = {
    "pair": (False, "", [see("input.code")]),
    "pair-code": (False, f"#/pair/{CODE}", [click("summary"), see("details p")]),
    "pair-wrong": (False, "#/pair/0000-0000", [click("button.first"), see("[role=alert]")]),
    "home": (True, "", [see("label.big"), see("footer"), see("section li a")]),
    "action": (True, "", [click("a[href^='#/action/']"), see(".say button")]),
    "clerk-round": (True, "?rounds", [see(".round li")]),
    "clerk-bay": (True, "?rounds", [see(".round li"), _photo, see(".ask .first")]),
    "clerk-bay-which": (
        True, "?rounds", [see(".round li"), _photo, see(".ask .first"),
                          click(".ask button:nth-of-type(2)"), see(".bays button")],
    ),
    "action-cannot": (
        True, "", [click("a[href^='#/action/']"), click(".say button:nth-child(2)")],
    ),
    "action-said": (
        True, "",
        [click("a[href^='#/action/']"), click(".say button.first"), see(".undo button")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CLERK_VIEWS)
def test_a_view_of_the_clerks_page(
    node: tuple[FakeNode, str], browser: Any, name: str, language: str
) -> None:
    is_paired, path, steps = CLERK_VIEWS[name]
    fake, url = node
    fake.phone = None
    fake.states.clear()
    fake.walk(bays=8 if path == "?rounds" else 1)
    if is_paired:
        fake.pair()
    look_around(browser, f"{url}/{path}", name, language, steps)


def _key(page: Any) -> None:
    page.locator("input[name=owner-key]").fill(OWNER_KEY)
    page.locator("button.first").click()


INSTALLER_VIEWS: Final[dict[str, tuple[bool, str, list[Step]]]] = {
    "installer-key": (False, "", [see("input[name=owner-key]")]),
    "installer-key-wrong": (
        False, "",
        [fill("input[name=owner-key]", "not it"), click("button.first"), see("[role=alert]")],
    ),
    "installer-check": (False, "", [_key, see("li[data-check]")]),
    "installer-well": (True, "", [_key, see("li[data-check]"), _photo, see(".result")]),
    "installer-enrol": (False, "#/enrol", [_key, see("input[type=url]")]),
    "installer-enrolled": (
        False, "#/enrol",
        [_key, fill("form label input", "RGXUS-E57UU"), click("form button"),
         see("[role=status] strong")],
    ),
    "installer-pairing": (
        False, "#/pairing", [_key, see(".sheet svg"), click(".do button.first"), see(".code")],
    ),
    "installer-notice": (False, "#/notice", [_key, see(".sheet")]),
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", INSTALLER_VIEWS)
def test_a_view_of_the_installers_page(
    node: tuple[FakeNode, str], browser: Any, name: str, language: str
) -> None:
    is_well, path, steps = INSTALLER_VIEWS[name]
    fake, url = node
    fake.all_well[:] = [True] if is_well else []
    look_around(browser, f"{url}/installer{path}", name, language, steps)
