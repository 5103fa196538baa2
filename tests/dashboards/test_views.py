"""Every view of the pages in a browser: nothing serious for axe, nothing wider than the screen.

Hub and node are fakes that answer with the real ones' types; the journeys use the real ones. With
STOREPULSE_SHOTS=FOLDER each view is kept as a picture, in both languages, themes and sizes.
Reported as not run (skipped, with the reason) where chromium or the built pages are missing.
"""

import itertools
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import pytest

from storepulse.pages import pages_folder
from tests.dashboards.fake_hub import COMING, PHOTO, FakeHub, phone_of_shop
from tests.dashboards.fake_installer import OWNER_KEY
from tests.dashboards.fake_node import CODE, FakeNode
from tests.dashboards.served import served
from tests.hub.shop_facts import SHOP

sync_api = pytest.importorskip("playwright.sync_api", reason="not run: playwright is not installed")

CHROMIUM: Final = Path("/usr/bin/chromium")
HOUSE: Final = Path(__file__).parents[2]
AXE: Final = HOUSE / "dashboards" / "node_modules" / "axe-core" / "axe.min.js"
SIZES: Final[dict[str, dict[str, Any]]] = {
    "phone": {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True},
    "tablet": {"viewport": {"width": 768, "height": 1024}, "has_touch": True},
    "desk": {"viewport": {"width": 1440, "height": 900}},
}
TAGS: Final = {"en": "en", "zh": "zh-CN"}
PSEUDO: Final = "pseudo"
"""The language of the tests: what a page shows outside its brackets is not of the catalogue."""
SHOTS: Final = os.environ.get("STOREPULSE_SHOTS")
ALL_LOOKS: Final = list(itertools.product(SIZES, TAGS, ("light", "dark")))
LOOKS: Final = (
    ALL_LOOKS
    if SHOTS
    else [("phone", "zh", "dark"), ("desk", "en", "light"), ("tablet", PSEUDO, "light")]
)
LIMIT_MS: Final = 60_000

pytestmark = [
    pytest.mark.journey,
    pytest.mark.timeout(120),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="not run: chromium is not installed"),
    pytest.mark.skipif(
        not (pages_folder() / "board.html").exists(),
        reason="not run: the pages are not built (make pages)",
    ),
]

Step = Callable[[Any], None]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield opened
        opened.close()


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


def open_view(browser: Any, url: str, look: tuple[str, str, str]) -> Any:
    size, language, theme = look
    locale = TAGS.get(language, "en")
    context = browser.new_context(locale=locale, color_scheme=theme, **SIZES[size])
    page = context.new_page()
    page.set_default_timeout(LIMIT_MS)
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.answers = []
    if language == PSEUDO:
        page.on("response", lambda answer: page.answers.append(answer))
        root, _, place = url.partition("#")
        asked = f"{root}{'&' if '?' in root else '?'}lang={PSEUDO}"
        url = f"{asked}#{place}" if place else asked
    page.goto(url)
    return page


def serious_faults(page: Any) -> list[str]:
    """What axe-core finds serious or critical."""
    if not AXE.exists():
        pytest.skip("not run: axe-core is not installed (make pages)")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['nodes'][0]['html']}: {one['nodes'][0]['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


_TEXTS: Final = """() => {
  const found = []
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let at = walk.nextNode(); at; at = walk.nextNode()) {
    const into = at.parentElement
    if (into.closest('[translate=no]') || ['SCRIPT', 'STYLE'].includes(into.tagName)) continue
    found.push(at.data)
  }
  for (const one of document.querySelectorAll('*'))
    for (const name of ['title', 'alt', 'placeholder', 'aria-label', 'aria-description'])
      if (one.hasAttribute(name) && !one.closest('[translate=no]'))
        found.push(one.getAttribute(name))
  return found
}"""
_LETTERS: Final = re.compile(r"[^\W\d_]")


def forgotten(page: Any) -> list[str]:
    """Texts on the page that came neither from the catalogue nor from an answer of the API."""
    known: set[str] = set()
    for answer in page.answers:
        if "application/json" in answer.headers.get("content-type", ""):
            known |= set(_words_in(answer.json()))
    known |= {page.evaluate("location.host"), page.evaluate("location.origin")}
    # A shop that there is not is called what the address calls it.
    known |= {unquote(part) for part in page.url.partition("#")[2].partition("?")[0].split("/")}
    data = sorted((one for one in known if one.strip()), key=len, reverse=True)
    found = []
    for text in page.evaluate(_TEXTS):
        rest = text
        while (less := re.sub(r"⟦[^⟦⟧]*⟧", "", rest)) != rest:
            rest = less
        # A sentence with something in bold within: its bracket closes in another text.
        rest = re.sub(r"⟦[^⟦⟧]*$|^[^⟦⟧]*⟧", "", rest)
        for one in data if _LETTERS.search(rest) else ():
            rest = rest.replace(one, "")
        if _LETTERS.search(rest):
            found.append(text)
    return found


def _words_in(told: Any) -> Iterator[str]:
    if isinstance(told, str):
        yield told
    elif isinstance(told, dict):
        for one in told.values():
            yield from _words_in(one)
    elif isinstance(told, list):
        for one in told:
            yield from _words_in(one)


def look_at(page: Any, name: str, look: tuple[str, str, str]) -> None:
    """What must hold of every view."""
    page.evaluate("document.fonts.ready")
    wide = SIZES[look[0]]["viewport"]["width"]
    if SHOTS:
        folder = Path(SHOTS)
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / f"{name}-{'-'.join(look)}.png")
    assert page.evaluate(f"document.documentElement.scrollWidth <= {wide}"), "wider than it is"
    assert page.faults == []
    if look[1] == PSEUDO:
        assert forgotten(page) == []
    else:
        assert serious_faults(page) == []


def _click(selector: str) -> Step:
    return lambda page: page.locator(selector).first.click()


def _see(selector: str) -> Step:
    return lambda page: page.locator(selector).first.wait_for()


def _fill(selector: str, text: str) -> Step:
    return lambda page: page.locator(selector).first.fill(text)


BOARD_VIEWS: Final[dict[str, tuple[dict[str, Any], str, list[Step]]]] = {
    "sign-in": ({"signed_in": False}, "#/shop/17", [_see("input[type=password]")]),
    "sign-in-wrong": (
        {"signed_in": False}, "",
        [_fill("input[name=username]", "Lin"), _fill("input[type=password]", "not the one"),
         _click("button.first"), _see("[role=alert]")],
    ),
    "welcome-first": ({"signed_in": False}, "#/welcome/first", [_see("#new-password")]),
    "welcome-person": (
        {"signed_in": False}, "#/welcome/abc", [_fill("#new-password", "short"), _see("h1")],
    ),
    "welcome-used": ({"signed_in": False}, "#/welcome/used", [_see("[role=alert]")]),
    "board": ({}, "", [_see("tr[data-shop]"), _see(".live.on")]),
    "board-filtered": ({}, "#/?region=East&by=goods&colour=red", [_see("tr[data-shop]")]),
    "board-many": ({"shops": 600}, "", [_see("tr[data-shop]")]),
    "shop": ({}, f"#/shop/{SHOP}", [_see("article"), _see(".phones")]),
    "shop-curve": (
        {}, f"#/shop/{SHOP}?curve=place",
        [_see(".curve canvas"), lambda page: page.locator(".curve").scroll_into_view_if_needed()],
    ),
    "shop-pairing": (
        {"paired": [phone_of_shop("Till phone")]}, f"#/shop/{SHOP}",
        [_click(".phones .top button"), _see(".qr svg"),
         lambda page: page.locator(".phones").scroll_into_view_if_needed()],
    ),
    "photo": ({}, f"#/shop/{SHOP}/photo/{PHOTO}", [_see("img"), _see(".step a")]),
    "photo-coming": ({}, f"#/shop/{SHOP}/photo/{COMING}", [_see(".coming[role=status]")]),
    "shop-calendar": (
        {}, f"#/shop/{SHOP}?calendar=goods",
        [_see(".calendar td a"),
         lambda page: page.locator(".calendar").scroll_into_view_if_needed()],
    ),
    "shop-scores": (
        {}, f"#/shop/{SHOP}",
        [_see(".scores td"), lambda page: page.locator(".scores").scroll_into_view_if_needed()],
    ),
    "shop-rests": (
        {}, f"#/shop/{SHOP}",
        [_see(".rests li"), lambda page: page.locator(".rests").scroll_into_view_if_needed()],
    ),
    "rounds": ({}, "#/rounds", [_see("li[data-round]")]),
    "rounds-new": ({}, "#/rounds", [_see("li[data-round]"), _click("li[data-round] button"),
                                    _see("fieldset")]),
    "compare": ({}, "#/compare", [_see("figure svg .sign")]),
    "compare-groups": (
        {}, "#/compare?x=place&y=goods&by=region",
        [_see("figure svg .sign"), _click("summary"), _see("details td")],
    ),
    "policy": ({}, "#/policy", [_see("fieldset")]),
    "policy-tried": (
        {}, "#/policy",
        [_fill("fieldset[data-dimension=goods] input", "72"), _click("form button.first"),
         _see("article[data-trial=goods] li"),
         lambda page: page.locator("article").first.scroll_into_view_if_needed()],
    ),
    "kit": ({"signed_in": False}, "#/kit", [_see("canvas"), _see(".calendar td a")]),
    "kit-broken": ({"signed_in": False}, "#/kit", [_click("[data-break]"), _see(".broken")]),
    "no-shop": ({}, "#/shop/none", [_see("[role=alert]")]),
    "people": ({}, "#/people", [_see("li[data-person]")]),
    "people-invite": ({}, "#/people", [_click(".top button.first"), _see("fieldset input")]),
    "people-clerk": (
        {}, "#/people",
        [
            _click(".top button.first"),
            lambda page: page.locator("form select").select_option("clerk"),
        ],
    ),
    "people-link": ({}, "#/people", [_click(".do button:nth-child(3)"), _see(".link input")]),
    "people-end": ({}, "#/people", [_click(".do button:nth-child(4)"), _see("dialog[open]")]),
    "me": ({}, "#/me", [_see("li[data-session]")]),
    "installer": ({"role": "installer"}, "", [_see(".nodes li")]),
}  # fmt: skip


@pytest.mark.parametrize("look", LOOKS, ids="-".join)
@pytest.mark.parametrize("name", BOARD_VIEWS)
def test_a_view_of_the_board(
    hub: tuple[FakeHub, str], browser: Any, name: str, look: tuple[str, str, str]
) -> None:
    given, path, steps = BOARD_VIEWS[name]
    fake, url = hub
    for field, default in (
        ("shops", 60), ("role", "head_office"), ("signed_in", True), ("paired", []),
        ("told_nodes", False),
    ):  # fmt: skip
        setattr(fake, field, given.get(field, default))
    fake.office.reset(empty=False)
    page = open_view(browser, f"{url}/{path}", look)
    for step in steps:
        step(page)
    look_at(page, name, look)
    page.context.close()


def _photo(page: Any) -> None:
    content = {"name": "bay.jpg", "mimeType": "image/jpeg", "buffer": b"shelf"}
    page.locator("input[type=file]").first.set_input_files(content)


CLERK_VIEWS: Final[dict[str, tuple[bool, str, list[Step]]]] = {
    "pair": (False, "", [_see("input.code")]),
    "pair-code": (False, f"#/pair/{CODE}", [_click("summary"), _see("details p")]),
    "pair-wrong": (False, "#/pair/0000-0000", [_click("button.first"), _see("[role=alert]")]),
    "home": (True, "", [_see("label.big"), _see("footer"), _see("section li a")]),
    "action": (True, "", [_click("a[href^='#/action/']"), _see(".say button")]),
    "clerk-round": (True, "?rounds", [_see(".round li")]),
    "clerk-bay": (True, "?rounds", [_see(".round li"), _photo, _see(".ask .first")]),
    "clerk-bay-which": (
        True, "?rounds", [_see(".round li"), _photo, _see(".ask .first"),
                          _click(".ask button:nth-of-type(2)"), _see(".bays button")],
    ),
    "action-cannot": (
        True, "", [_click("a[href^='#/action/']"), _click(".say button:nth-child(2)")],
    ),
    "action-said": (
        True, "",
        [_click("a[href^='#/action/']"), _click(".say button.first"), _see(".undo button")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("look", LOOKS, ids="-".join)
@pytest.mark.parametrize("name", CLERK_VIEWS)
def test_a_view_of_the_clerks_page(
    node: tuple[FakeNode, str], browser: Any, name: str, look: tuple[str, str, str]
) -> None:
    is_paired, path, steps = CLERK_VIEWS[name]
    fake, url = node
    fake.phone = None
    fake.states.clear()
    fake.walk(bays=8 if path == "?rounds" else 1)
    if is_paired:
        fake.pair()
    page = open_view(browser, f"{url}/{path}", look)
    for step in steps:
        step(page)
    look_at(page, name, look)
    page.context.close()


def _key(page: Any) -> None:
    page.locator("input[name=owner-key]").fill(OWNER_KEY)
    page.locator("button.first").click()


INSTALLER_VIEWS: Final[dict[str, tuple[bool, str, list[Step]]]] = {
    "installer-key": (False, "", [_see("input[name=owner-key]")]),
    "installer-key-wrong": (
        False, "",
        [_fill("input[name=owner-key]", "not it"), _click("button.first"), _see("[role=alert]")],
    ),
    "installer-check": (False, "", [_key, _see("li[data-check]")]),
    "installer-well": (True, "", [_key, _see("li[data-check]"), _photo, _see(".result")]),
    "installer-enrol": (False, "#/enrol", [_key, _see("input[type=url]")]),
    "installer-enrolled": (
        False, "#/enrol",
        [_key, _fill("form label input", "RGXUS-E57UU"), _click("form button"),
         _see("[role=status] strong")],
    ),
    "installer-pairing": (
        False, "#/pairing", [_key, _see(".sheet svg"), _click(".do button.first"), _see(".code")],
    ),
    "installer-notice": (False, "#/notice", [_key, _see(".sheet")]),
}  # fmt: skip


@pytest.mark.parametrize("look", LOOKS, ids="-".join)
@pytest.mark.parametrize("name", INSTALLER_VIEWS)
def test_a_view_of_the_installers_page(
    node: tuple[FakeNode, str], browser: Any, name: str, look: tuple[str, str, str]
) -> None:
    is_well, path, steps = INSTALLER_VIEWS[name]
    fake, url = node
    fake.all_well[:] = [True] if is_well else []
    page = open_view(browser, f"{url}/installer{path}", look)
    for step in steps:
        step(page)
    look_at(page, name, look)
    page.context.close()
