"""The live view in a browser with a fake camera: marks stay on the shelf, a loss is said at once.

Reported as not run (skipped, with the reason) where chromium or the built pages are missing.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from storepulse.simulated.shelves import DrawnShelf, draw_shelf
from tests.dashboards.fake_node import FakeNode
from tests.dashboards.fake_shelf import PHOTO, FakeShelf
from tests.dashboards.looking import CHROMIUM, PYTESTMARK, look_at, open_view
from tests.dashboards.served import served
from tests.patience import expect

pytestmark = PYTESTMARK

SIZE: Final = (480, 360)
SCALE: Final = 0.32
"""Camera pixels for one of the drawn photo: all of it is seen, and wall around it."""
STILL: Final = 50
"""Pictures that the camera rests at either end of its way, and looks at the wall."""
WAY: Final = 30
LOOK: Final = ("phone", "en", "light")
OFF_MAX: Final = 0.015 * SIZE[0]
"""What a mark may be off: 1.5 % of the picture's width."""

COLLECT: Final = """() => {
  const dialog = document.querySelector('dialog')
  const stage = dialog.querySelector('.stage')
  window.seen = []
  const look = () => {
    const polygon = dialog.querySelector('polygon.ink[data-mark="1"]')
    const status = dialog.querySelector('[role=status]').textContent
    window.seen.push({ phase: dialog.dataset.live, status,
      wide: stage.clientWidth, high: stage.clientHeight,
      points: polygon && [...polygon.points].map(({ x, y }) => [x, y]) })
    requestAnimationFrame(look)
  }
  look()
}"""


def places() -> list[tuple[float, float] | None]:
    """Where the photo's corner lies in each camera picture; None where it sees the wall alone."""
    left, right = (10.0, 14.0), (-90.0, -26.0)
    way = [tuple(np.add(left, np.subtract(right, left) * k / WAY)) for k in range(WAY)]
    return [*[left] * STILL, *[(float(x), float(y)) for x, y in way], *[right] * STILL,
            *[None] * STILL]  # fmt: skip


def write_camera(shelf: DrawnShelf, path: Path) -> None:
    """A camera file (y4m) that goes along `places` again and again."""
    small = cv2.GaussianBlur(shelf.rgb, (0, 0), 0.4 / SCALE)
    wall = np.full((SIZE[1], SIZE[0], 3), 150, np.uint8)
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{SIZE[0]} H{SIZE[1]} F30:1 Ip A1:1 C420jpeg\n".encode())
        for place in places():
            picture: npt.NDArray[Any] = wall
            if place is not None:
                plane = np.array([[SCALE, 0, place[0]], [0, SCALE, place[1]]])
                picture = cv2.warpAffine(small, plane, SIZE, wall.copy(),
                                         borderMode=cv2.BORDER_TRANSPARENT)  # fmt: skip
            yuv = cv2.cvtColor(np.asarray(picture, np.uint8), cv2.COLOR_RGB2YUV_I420)
            file.write(b"FRAME\n" + yuv.tobytes())


@pytest.fixture(scope="module")
def shelf() -> DrawnShelf:
    return draw_shelf(4)


@pytest.fixture(scope="module")
def browser(
    shelf: DrawnShelf, playwright: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    camera = tmp_path_factory.mktemp("camera") / "camera.y4m"
    write_camera(shelf, camera)
    opened = playwright.chromium.launch(
        executable_path=str(CHROMIUM),
        args=["--no-sandbox", "--use-fake-device-for-media-stream",
              f"--use-file-for-fake-video-capture={camera}"],
    )  # fmt: skip
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def url(shelf: DrawnShelf) -> Iterator[str]:
    """A node that has judged one photo of the drawn shelf, with two things to put right."""
    fake = FakeNode()
    fake.pair()
    app = fake.app()
    app.router.routes[:0] = FakeShelf(shelf, marked(shelf)).routes().routes
    with served(app) as address:
        yield address


def marked(shelf: DrawnShelf) -> list[tuple[float, float, float, float]]:
    """The facing in the middle of the middle row, and the row's last one."""
    row = [f for f in shelf.facings if f.row == len(shelf.row_lines_px) // 2]
    return [row[len(row) // 2].box_xyxy_px, row[-1].box_xyxy_px]


def offs(one: dict[str, Any], box: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """How far a drawn outline is from where each picture's truth has it, in camera pixels."""
    scale = max(one["wide"] / SIZE[0], one["high"] / SIZE[1])
    cut = (np.array([one["wide"], one["high"]]) - np.array(SIZE) * scale) / 2
    drawn = (np.array(one["points"]) - cut) / scale
    x1, y1, x2, y2 = box
    corners = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]]) * SCALE
    true = [corners + place for place in places() if place is not None]
    return np.array([np.abs(drawn - one_true).max() for one_true in true])


def test_marks_stay_on_the_shelf_and_a_loss_is_said_at_once(
    browser: Any, url: str, shelf: DrawnShelf
) -> None:
    page = open_view(browser, f"{url}/#/photo/{PHOTO}", LOOK)
    page.context.grant_permissions(["camera"])
    page.locator(".live button").click()
    page.locator("dialog[data-live=tracking] polygon").first.wait_for(state="attached")
    look_at(page, "live-tracking", LOOK)
    page.evaluate(COLLECT)
    # The camera's whole way: until it was lost and found again.
    page.wait_for_function(
        "() => seen.findIndex((one, at) => one.phase === 'tracking' && one.points"
        " && seen.slice(0, at).some(({ phase }) => phase === 'lost')) > 0"
    )
    page.wait_for_function("() => seen.filter(({ points }) => points).length > 60")
    seen = page.evaluate("seen")
    shown = [one for one in seen if one["points"]]
    assert {one["phase"] for one in shown} == {"tracking"}
    box = marked(shelf)[0]
    nearest = np.array([offs(one, box).min() for one in shown])
    assert np.percentile(nearest, 95) <= OFF_MAX, "a mark is not where any picture has its place"
    at_rest = [min(offs(one, box)[k] for k in (0, -1)) <= OFF_MAX for one in shown]
    assert np.mean(at_rest) > 0.4, "the marks do not rest when the camera does"
    lost = [one for one in seen if one["phase"] == "lost"]
    assert all(one["points"] is None for one in lost)
    assert any("Lost the shelf" in one["status"] for one in lost)
    assert page.faults == []
    page.context.close()


def test_an_arrow_says_which_way_and_done_is_told(browser: Any, url: str) -> None:
    page = open_view(browser, f"{url}/#/photo/{PHOTO}", LOOK)
    page.context.grant_permissions(["camera"])
    page.locator(".live button").click()
    # The screen is narrower than the shelf: the row's last place lies outside.
    page.locator("dialog .say button", has_text="Next").click()
    page.locator("dialog .pointer").first.wait_for(state="attached")
    expect(page.locator("dialog [role=status]")).to_contain_text("further", use_inner_text=True)
    page.locator("dialog .say button", has_text="Done").click()
    page.locator("dialog .number.closed").first.wait_for(state="attached")
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    page.context.close()


def test_without_a_camera_the_photo_shows_the_same_places(browser: Any, url: str) -> None:
    page = open_view(browser, f"{url}/#/photo/{PHOTO}", LOOK)
    page.locator(".live button").click()
    page.locator("dialog[data-live=refused] img").wait_for()
    expect(page.locator("dialog .badge")).to_have_count(2)
    # The task that the sheet tells of stands out, and the photo stays whole.
    current = page.locator("dialog .photo .badge.current")
    expect(current).to_have_text("1")
    page.locator("dialog .say button", has_text="Next").click()
    expect(current).to_have_text("2")
    look_at(page, "live-refused", LOOK)
    said = page.locator("dialog .status").bounding_box()
    assert said["x"] >= 0
    assert said["x"] + said["width"] <= page.viewport_size["width"]
    page.context.close()
