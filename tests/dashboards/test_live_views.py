"""The live view's looks in a browser with a fake camera: found, further on, not found, refused.

Which looks: `looking`; without STOREPULSE_SHOTS the desk is left out, where no clerk stands. How
well the marks stay on the shelf: `test_live`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pytest

from storepulse.simulated.shelves import DrawnShelf, draw_shelf
from tests.dashboards.fake_node import FakeNode
from tests.dashboards.fake_shelf import PHOTO, FakeShelf
from tests.dashboards.looking import (
    CHROMIUM,
    LANGUAGES,
    PYTESTMARK,
    SHAPES,
    SHOTS,
    Step,
    click,
    look_around,
    see,
)
from tests.dashboards.served import served

pytestmark = PYTESTMARK

SIZE: Final = (480, 640)
"""A phone that is held upright."""
SCALE: Final = 0.36
"""Camera pixels for one of the drawn photo: its ends lie outside."""
PICTURES: Final = 90
SWAY_PX: Final = 6.0
"""A hand: a camera that stands still puts the view to rest."""
WALL: Final = 150
SHAPES_HERE: Final = SHAPES if SHOTS else [("phone", "dark"), ("tablet", "light")]


def write_camera(path: Path, shelf: DrawnShelf | None) -> None:
    """A camera file (y4m) that sways before a shelf, or before a wall."""
    wall = np.full((SIZE[1], SIZE[0], 3), WALL, np.uint8)
    high, wide = (0, 0) if shelf is None else shelf.rgb.shape[:2]
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{SIZE[0]} H{SIZE[1]} F30:1 Ip A1:1 C420jpeg\n".encode())
        for turn in np.arange(PICTURES) * 2 * np.pi / PICTURES:
            picture = wall
            if shelf is not None:
                x = (SIZE[0] - wide * SCALE) / 2 + SWAY_PX * np.sin(turn)
                y = (SIZE[1] - high * SCALE) / 2 + SWAY_PX * np.cos(turn)
                plane = np.array([[SCALE, 0, x], [0, SCALE, y]])
                small = cv2.GaussianBlur(shelf.rgb, (0, 0), 0.4 / SCALE)
                picture = cv2.warpAffine(  # type: ignore[assignment]
                    small, plane, SIZE, wall.copy(), borderMode=cv2.BORDER_TRANSPARENT
                )
            yuv = cv2.cvtColor(np.asarray(picture, np.uint8), cv2.COLOR_RGB2YUV_I420)
            file.write(b"FRAME\n" + yuv.tobytes())


@pytest.fixture(scope="module")
def shelf() -> DrawnShelf:
    return draw_shelf(4)


@pytest.fixture(scope="module")
def browsers(
    shelf: DrawnShelf, playwright: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    """One whose camera sees the shelf, and one whose camera sees a wall."""
    folder = tmp_path_factory.mktemp("camera")
    opened = {}
    for name, before in (("shelf", shelf), ("wall", None)):
        write_camera(folder / f"{name}.y4m", before)
        opened[name] = playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--use-fake-device-for-media-stream",
                  f"--use-file-for-fake-video-capture={folder / name}.y4m"],
        )  # fmt: skip
    yield opened
    for one in opened.values():
        one.close()


@pytest.fixture(scope="module")
def url(shelf: DrawnShelf) -> Iterator[str]:
    """A node that has judged one photo of the shelf, with five things to put right."""
    fake = FakeNode()
    fake.pair()
    rows = sorted(shelf.facings, key=lambda one: (-one.row, one.box_xyxy_px[0]))
    seen = FakeShelf(shelf, [one.box_xyxy_px for one in (*rows[5:30:7], rows[-1])])
    app = fake.app()
    app.router.routes[:0] = seen.routes().routes
    with served(app) as address:
        yield address


def allow(page: Any) -> None:
    page.context.grant_permissions(["camera"])


def last(page: Any) -> None:
    """The one before the first: the last, at the shelf's end."""
    page.locator("dialog .say button").first.click()


FOUND: Final = "dialog[data-live=tracking]"
VIEWS: Final[dict[str, tuple[str, list[Step]]]] = {
    "live-found": ("shelf", [allow, click(".live button"), see(f"{FOUND} .badge")]),
    "live-further": (
        "shelf",
        [allow, click(".live button"), see(f"{FOUND} .badge"), last, see(f"{FOUND} .pointer")],
    ),
    "live-searching": ("wall", [allow, click(".live button"), see("dialog[data-live=searching]")]),
    "live-unfound": (
        "wall", [allow, click(".live button"), see("dialog .instead .badge")],
    ),
    "live-no-camera": ("shelf", [click(".live button"), see("dialog[data-live=refused] .badge")]),
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", VIEWS)
def test_a_view_of_the_live_shelf(
    browsers: dict[str, Any], url: str, name: str, language: str
) -> None:
    camera, steps = VIEWS[name]
    look_around(browsers[camera], f"{url}/#/photo/{PHOTO}", name, language, steps, SHAPES_HERE)
