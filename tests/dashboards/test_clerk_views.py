"""The clerk's views of a judged photo, its camera and its dialogs, in a browser.

Which looks: `looking`; without STOREPULSE_SHOTS the desk is left out, where no clerk stands.
"""

import base64
from collections.abc import Iterator
from typing import Any, Final

import cv2
import numpy as np
import pytest

from planograms.bay_answers import NOTHING
from storepulse.simulated.shelves import DrawnShelf, draw_shelf
from tests.dashboards.fake_node import FakeNode
from tests.dashboards.fake_shelf import PHOTO, FakeShelf, jpeg
from tests.dashboards.looking import (
    CHROMIUM,
    LANGUAGES,
    PYTESTMARK,
    SHAPES,
    SHOTS,
    Show,
    Step,
    click,
    look_around,
    see,
)
from tests.dashboards.served import served

pytestmark = PYTESTMARK

SIZE: Final = (480, 640)
"""A phone that is held upright."""
SHAPES_HERE: Final = SHAPES if SHOTS else [("phone", "dark"), ("tablet", "light")]


@pytest.fixture(scope="module")
def shelf() -> DrawnShelf:
    return draw_shelf(4)


@pytest.fixture(scope="module")
def browser(
    shelf: DrawnShelf, playwright: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    camera = tmp_path_factory.mktemp("camera") / "camera.y4m"
    picture = np.full((SIZE[1], SIZE[0], 3), 150, np.uint8)
    high = round(shelf.rgb.shape[0] * SIZE[0] / shelf.rgb.shape[1])
    top = (SIZE[1] - high) // 2
    picture[top : top + high] = cv2.resize(shelf.rgb, (SIZE[0], high), interpolation=cv2.INTER_AREA)
    yuv = cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420).tobytes()
    head = f"YUV4MPEG2 W{SIZE[0]} H{SIZE[1]} F30:1 Ip A1:1 C420jpeg\n".encode()
    camera.write_bytes(head + (b"FRAME\n" + yuv) * 3)
    opened = playwright.chromium.launch(
        executable_path=str(CHROMIUM),
        args=["--no-sandbox", "--use-fake-device-for-media-stream",
              f"--use-file-for-fake-video-capture={camera}"],
    )  # fmt: skip
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def node(shelf: DrawnShelf) -> Iterator[tuple[FakeNode, FakeShelf, str]]:
    fake = FakeNode()
    rows = sorted(shelf.facings, key=lambda one: (-one.row, one.box_xyxy_px[0]))
    seen = FakeShelf(shelf, [one.box_xyxy_px for one in rows[2:30:7]])
    app = fake.app()
    app.router.routes[:0] = seen.routes().routes
    with served(app) as url:
        yield fake, seen, url


def allow(page: Any) -> None:
    page.context.grant_permissions(["camera"])


def photo(page: Any) -> None:
    content = {"name": "bay.jpg", "mimeType": "image/jpeg", "buffer": jpeg(draw_shelf(9).rgb)}
    page.locator("label.choose input").first.set_input_files(content)
    page.locator(".back").wait_for()


def away(page: Any) -> None:
    """The node does not answer any more."""
    page.context.set_offline(True)


def share(page: Any) -> None:
    """As the share target's worker keeps a photo."""
    page.evaluate(
        """async (bytes) => {
          const kept = await caches.open('storepulse-shared')
          const photo = new Blob([Uint8Array.from(atob(bytes), (one) => one.charCodeAt(0))])
          await kept.put('/shared/3f9c1f6e-0000-4000-8000-0000000000bb', new Response(photo))
        }""",
        _base64(jpeg(draw_shelf(9).rgb)),
    )
    page.goto(page.url.partition("#")[0] + "#/shared")


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


AT_PHOTO: Final = f"#/photo/{PHOTO}"
FIXED: Final = {"confirmed": 2, "reopened": 1, "minutes": 17.0, "nothing": ""}
VIEWS: Final[dict[str, tuple[dict[str, Any], str, list[Step]]]] = {
    "home-full": (
        {"listed": True, "sold": True, "names": ("Anna", "陈敏")}, "",
        [see("a[href^='#/photo/']"), see("footer")],
    ),
    "home-waiting": (
        {"listed": True}, "",
        [see("a[href^='#/photo/']"), away, click("button[data-tap=reception]"), see(".line.some")],
    ),
    "person-who": (
        {"names": ("Anna", "陈敏")}, "", [click("button[data-person]"), see("button.name")],
    ),
    "person-wrong": (
        {"names": ("Anna",)}, "",
        [click("button[data-person]"), lambda page: page.locator("input[type=password]").fill("1"),
         lambda page: page.locator("input[type=password]").fill("1111"),
         click("dialog[open] button.first"), see("dialog [role=alert]")],
    ),
    "person-own": (
        {"names": ("Anna",)}, "",
        [click("button[data-person]"),
         lambda page: page.locator("input[type=password]").fill("4077"),
         click("dialog[open] button.first"), see(".own")],
    ),
    "tap-said": ({}, "", [click("button[data-tap=experience]"), see("button[data-ticket]")]),
    "ticket": (
        {"ticket_pages": "https://hub.example/ticket#"}, "",
        [click("button[data-tap=experience]"), click("button[data-ticket]"), see(".number"),
         see("dialog[open] svg path")],
    ),
    "deal": (
        {}, "",
        [click("button[data-tap=experience]"), see("button[data-ticket]"),
         click("button[data-tap=deal]"), see(".tickets button")],
    ),
    "shared": ({}, "", [see("label.big"), share, see(".shared img")]),
    "shared-which": ({"bays": 8}, "", [see("label.big"), share, see(".shared .bays button")]),
    "stages": ({}, "", [see("label.big"), away, photo, see("section ol li")]),
    "refused": (
        {"reasons": ("blurred", "too_tilted")}, "", [photo, see(".again"), see(".sheet p")],
    ),
    "result": ({"unsure": 3}, AT_PHOTO, [see("[data-item]"), see(".shelf img")]),
    "result-item": (
        {"unsure": 3}, AT_PHOTO, [click("[data-item='2'] .head"), see("[data-item='2'] .say")],
    ),
    "result-why": (
        {}, AT_PHOTO,
        [click("[data-item='1'] .head"), click("[data-item='1'] .say button:nth-child(2)"),
         see("[data-item='1'] .say button:nth-child(5)")],
    ),
    "result-rest": (
        {}, AT_PHOTO,
        [click("[data-item='1'] .head"), click("[data-item='1'] .say button:nth-child(2)"),
         click("[data-item='1'] .say button:nth-child(4)"), see("[data-item='1'] .say")],
    ),
    "result-closeups": (
        {"unsure": 7}, AT_PHOTO,
        [see(".closeups svg"), Show(".closeups")],
    ),
    "result-fixed": (
        {"closed": FIXED, "marks": ["1", "2"]}, "", [photo, see(".fixed"), see("[data-item]")],
    ),
    "result-clean": ({"boxes": 0}, "", [photo, see(".sheet h2")]),
    "result-prices": (
        {"prices": "read"}, AT_PHOTO,
        [see("[data-item='1-wrong_price-f1']"), see("[data-prices=read]"),
         lambda page: page.locator("[data-prices]").scroll_into_view_if_needed()],
    ),
    "camera-lined": (
        {"listed": True}, "",
        [see("a[href^='#/photo/']"), allow, click("label.big"),
         see("dialog[data-camera=live] .ghost"),
         see("dialog[data-hint=lined], dialog[data-hint=good]")],
    ),
    "camera-refused": ({}, "", [click("label.big"), see("dialog[data-camera=refused] label.big")]),
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", VIEWS)
def test_a_view_of_a_clerk(
    node: tuple[FakeNode, FakeShelf, str], browser: Any, name: str, language: str
) -> None:
    given, path, steps = VIEWS[name]
    fake, seen, url = node
    fake.pair()
    fake.walk(bays=given.get("bays", 1))
    fake.seen = NOTHING
    fake.ticket_pages = given.get("ticket_pages")
    fake.names, fake.picked = given.get("names", ()), None
    seen.reasons, seen.unsure = given.get("reasons", ()), given.get("unsure", 0)
    seen.listed, seen.closed = given.get("listed", False), given.get("closed")
    seen.sold = given.get("sold", False)
    seen.prices = given.get("prices")
    seen.marks[:] = [(item, "confirmed") for item in given.get("marks", ())]
    seen.shown = given.get("boxes", len(seen.boxes))
    look_around(browser, f"{url}/{path}", f"clerk-{name}", language, steps, SHAPES_HERE)
