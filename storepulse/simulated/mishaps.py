"""Simulate what goes wrong when a shelf is photographed, at a stated level. Judges nothing.

Each mishap takes a good photo at `LONG_PX` and gives the bad one, and where each point of the good
one lies in it, so that labels can go along. Levels are physical (pixels of blur, degrees, shares),
and what a level does to a detector is for others to measure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from storepulse.simulated.exposures import Homography
from storepulse.simulated.packs import Rgb

LONG_PX: Final = 1280
"""Long side at which mishaps happen: what the detector sees."""
_FOCAL: Final = 0.8
"""Of the long side: the usual main camera of a phone, about 64 degrees across."""

Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Mishap:
    """A photo gone wrong, and where each point of the good one lies in it."""

    rgb: Rgb
    homography: Homography


Makes = Callable[[Rgb, float, Rng], Mishap]
"""Good photo, level, source of chance -> the photo gone wrong."""


def moved(rgb: Rgb, level: float, rng: Rng) -> Mishap:
    """The hand moved: blur along one line, `level` pixels long at 1280."""
    size = int(np.ceil(level)) | 1
    kernel = np.zeros((size, size), np.float32)
    half, angle = (level - 1) / 2, rng.uniform(0, np.pi)
    middle = (size - 1) / 2
    for at in np.linspace(-half, half, 4 * size):
        x, y = middle + at * np.cos(angle), middle + at * np.sin(angle)
        _put(kernel, x, y)
    return _same_place(cv2.filter2D(rgb, -1, kernel / kernel.sum()))


def unfocused(rgb: Rgb, level: float, rng: Rng) -> Mishap:  # noqa: ARG001
    """Out of focus: each point becomes a disc `level` pixels across at 1280."""
    size = int(np.ceil(level)) | 1
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    disc = np.clip(level / 2 + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    return _same_place(cv2.filter2D(rgb, -1, disc / disc.sum()))


def darkened(rgb: Rgb, level: float, rng: Rng) -> Mishap:
    """A `level`-th of the light, with the noise of a small sensor."""
    linear = (np.linspace(0, 1, 256) ** 2.2 / level).astype(np.float32)
    light = cv2.LUT(rgb, linear)
    cv2.setRNGSeed(int(rng.integers(2**31)))
    noise = cv2.randn(np.empty_like(light), np.zeros(1), np.ones(1))
    # The noise of the light itself grows with its root; a little comes from reading it out.
    noisy = cv2.multiply(noise, cv2.LUT(rgb, np.sqrt(linear * 2e-4 + 1e-7))) + light
    return _same_place(255 * cv2.pow(np.clip(noisy, 0, 1), 1 / 2.2))


def glaring(rgb: Rgb, level: float, rng: Rng) -> Mishap:
    """A lamp or a window mirrored: white over a share `level` of the photo, soft at its edge."""
    height, width = rgb.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    field = np.full((height, width), -np.inf, np.float32)
    for _ in range(int(rng.integers(1, 4))):
        cx, cy = rng.uniform(0.1, 0.9) * width, rng.uniform(0.1, 0.9) * height
        stretch, turn = rng.uniform(1, 4), rng.uniform(0, np.pi)
        size = rng.uniform(0.6, 1.0)
        along, aside = np.float32(np.cos(turn)), np.float32(np.sin(turn))
        dx, dy = x - np.float32(cx), y - np.float32(cy)
        u, v = along * dx + aside * dy, along * dy - aside * dx
        np.maximum(field, -cv2.magnitude(u / np.float32(stretch), v) / np.float32(size), out=field)
    edge = np.quantile(field[::4, ::4], 1 - level)
    soft = 0.02 * max(height, width) * rng.uniform(0.5, 2.0)
    veil = 1 / (1 + np.exp(np.clip(-(field - edge) / soft, -30, 30)))[..., None]
    halo = 0.25 * np.exp(np.minimum(0, (field - edge) / (8 * soft)))[..., None]
    kept = (1 - veil) * (1 - halo * np.float32(rng.uniform(0.2, 1.0)))
    return _same_place(255 - (255 - rgb.astype(np.float32)) * kept)


def turned(rgb: Rgb, level: float, rng: Rng) -> Mishap:
    """The camera stood aside: the shelf is seen `level` degrees off its front.

    The picture is cut to what the shelf fills, as a clerk's photo of a long aisle would be.
    """
    height, width = rgb.shape[:2]
    yaw = np.deg2rad(level) * rng.choice([-1, 1])
    pitch, roll = np.deg2rad(rng.uniform(-4, 4)), np.deg2rad(rng.uniform(-2, 2))
    focal = _FOCAL * max(height, width)
    plane = _rotation(pitch, yaw, roll)[:, :2]  # the shelf's plane in the camera's axes
    centred = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1.0]])
    lens = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]])
    # At the distance at which one unit of the plane is one pixel in its middle.
    pose = np.column_stack([plane, [0, 0, focal]])
    view = lens @ pose @ centred
    inner = _upright_inside(cv2.perspectiveTransform(_corners(width, height)[None], view)[0])
    out_scale = LONG_PX / max(inner[2] - inner[0], inner[3] - inner[1])
    cut = np.diag([out_scale, out_scale, 1]) @ np.array(
        [[1, 0, -inner[0]], [0, 1, -inner[1]], [0, 0, 1.0]]
    )
    size = (
        max(64, round((inner[2] - inner[0]) * out_scale)),
        max(64, round((inner[3] - inner[1]) * out_scale)),
    )
    whole = cut @ view
    return Mishap(_warped(rgb, whole, size), whole / whole[2, 2])


def distant(rgb: Rgb, level: float, rng: Rng) -> Mishap:
    """Taken from `level` times as far: the bay is small among others that go on around it."""
    height, width = rgb.shape[:2]
    small = np.diag([1 / level, 1 / level, 1.0])
    room = np.array([width, height]) * (1 - 1 / level)
    small[:2, 2] = room * rng.uniform(0.25, 0.75, 2)
    seen = cv2.resize(
        rgb, (max(1, round(width / level)), max(1, round(height / level))),
        interpolation=cv2.INTER_AREA,
    )  # fmt: skip
    left, top = (round(float(shift)) for shift in small[:2, 2])
    small[:2, 2] = left, top
    padded = cv2.copyMakeBorder(
        seen, top, max(0, height - top - seen.shape[0]),
        left, max(0, width - left - seen.shape[1]), cv2.BORDER_REFLECT_101,
    )[:height, :width]  # fmt: skip
    # A wall above or a floor below, as far views have.
    floor = rng.uniform(0, 0.5) * room[1] * 0.5
    if floor >= 2:
        padded = padded.copy()
        padded[height - int(floor) :] = surroundings(width, int(floor), rng)
    return Mishap(np.asarray(padded, np.uint8), small)


def cut_off(rgb: Rgb, level: float, rng: Rng) -> Mishap:
    """Pointed past the bay: a share `level` of it is outside, and as much else is in the photo."""
    height, width = rgb.shape[:2]
    side = rng.choice(["left", "right", "top", "bottom"])
    across = side in ("left", "right")
    gone = round(level * (width if across else height))
    size = (gone, height) if across else (width, gone)
    entered = surroundings(*size, rng)
    if side == "left":
        seen, shift = np.hstack([rgb[:, gone:], entered]), (-gone, 0)
    elif side == "right":
        seen, shift = np.hstack([entered, rgb[:, : width - gone]]), (gone, 0)
    elif side == "top":
        seen, shift = np.vstack([rgb[gone:], entered]), (0, -gone)
    else:
        seen, shift = np.vstack([entered, rgb[: height - gone]]), (0, gone)
    move = np.eye(3)
    move[:2, 2] = shift
    return Mishap(np.ascontiguousarray(seen), move)


def off_a_screen(rgb: Rgb, level: float, rng: Rng) -> Mishap:
    """A photo of a photo on a screen, `level` camera pixels for each pixel of the screen.

    The screen's red, green and blue stripes are drawn and seen through a lens and a sensor grid, so
    that the moire comes of itself; half the photos show the screen's frame.
    """
    height, width = rgb.shape[:2]
    shown = cv2.resize(
        rgb, (max(8, round(width / level)), max(8, round(height / level))),
        interpolation=cv2.INTER_AREA,
    )  # fmt: skip
    stripes = np.zeros((shown.shape[0], 3, shown.shape[1], 3, 3), np.uint8)
    lines = np.array([1.0, 1.0, rng.uniform(0.15, 0.6)])
    for colour in range(3):
        for line in range(3):
            stripes[:, line, :, colour, colour] = shown[..., colour] * lines[line]
    fine = stripes.reshape(shown.shape[0] * 3, shown.shape[1] * 3, 3)
    framed = 0
    if rng.random() < 0.5:
        framed = round(0.12 * max(fine.shape[:2]))
        fine = cv2.copyMakeBorder(
            fine, framed, framed, framed, framed, cv2.BORDER_CONSTANT,
            value=[int(rng.integers(0, 16))] * 3,
        )  # fmt: skip
        rim = round(rng.uniform(0.3, 0.8) * framed)
        behind = int(rng.integers(20, 110))
        fine[:rim], fine[-rim:] = behind, behind
        fine[:, :rim], fine[:, -rim:] = behind, behind
    # Seen a little aslant, so that the two grids beat against each other.
    tall, wide = fine.shape[:2]
    view = _rotation(*np.deg2rad([rng.uniform(-8, 8), rng.uniform(-10, 10), rng.uniform(-4, 4)]))
    focal = _FOCAL * max(tall, wide)
    lens = np.array([[focal, 0, wide / 2], [0, focal, tall / 2], [0, 0, 1.0]])
    centred = np.array([[1, 0, -wide / 2], [0, 1, -tall / 2], [0, 0, 1.0]])
    aslant = lens @ np.column_stack([view[:, :2], [0, 0, focal]]) @ centred
    inner = _upright_inside(cv2.perspectiveTransform(_corners(wide, tall)[None], aslant)[0])
    scale = LONG_PX / max(inner[2] - inner[0], inner[3] - inner[1])
    size = round((inner[2] - inner[0]) * scale), round((inner[3] - inner[1]) * scale)
    cut = np.array([[scale, 0, -inner[0] * scale], [0, scale, -inner[1] * scale], [0, 0, 1.0]])
    whole = cut @ aslant
    # A lens that is a little softer than the sensor's grid, then samples at its points.
    soft = np.asarray(cv2.GaussianBlur(fine, (0, 0), max(0.3, 0.45 / scale)), np.uint8)
    seen = _warped(soft, whole, size).astype(np.float32)
    bright = 255 * np.clip(seen * 2.2 / 255, 0, 1) ** rng.uniform(0.85, 1.0)
    seen = bright * rng.uniform(0.85, 1.05) * np.array([0.95, 1.0, rng.uniform(1.0, 1.1)])
    ratio = 3 * shown.shape[1] / width
    step = np.array([[ratio, 0, framed], [0, ratio, framed], [0, 0, 1.0]])
    along = whole @ step
    return Mishap(np.clip(seen, 0, 255).astype(np.uint8), along / along[2, 2])


MISHAPS: Final[Mapping[str, Makes]] = {
    "moved": moved,
    "unfocused": unfocused,
    "darkened": darkened,
    "glaring": glaring,
    "turned": turned,
    "distant": distant,
    "cut_off": cut_off,
    "off_a_screen": off_a_screen,
}


def surroundings(width: int, height: int, rng: Rng) -> Rgb:
    """(height, width, 3) what is beside a shelf: a lit wall or a floor, with joints and stains."""
    if rng.random() < 0.5:  # with a hue: painted or wooden
        base = rng.uniform(60, 225) * (1 + rng.uniform(-0.25, 0.25, 3))
    else:
        base = np.full(3, rng.uniform(40, 235))
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    light = 1 + rng.uniform(-0.25, 0.25) * x + rng.uniform(-0.25, 0.25) * y
    stains = rng.normal(0, rng.uniform(0.01, 0.08), (max(2, height // 60), max(2, width // 60)))
    light = light + cv2.resize(stains.astype(np.float32), (width, height))
    picture = base * light[..., None]
    if rng.random() < 0.5:  # tiles or boards
        step, turn = rng.uniform(60, 300), rng.uniform(0, np.pi)
        across = (x * width * np.cos(turn) + y * height * np.sin(turn)) / 2
        along = (y * height * np.cos(turn) - x * width * np.sin(turn)) / 2
        joint = np.minimum(np.abs(across % step), np.abs(along % (2 * step))) < rng.uniform(1, 3)
        picture[joint] *= rng.uniform(0.5, 0.9)
    for _ in range(int(rng.integers(0, 4))):  # posts, skirting, a bin, a cable
        x1, y1 = rng.integers(0, max(1, width)), rng.integers(0, max(1, height))
        x2 = x1 + int(rng.uniform(0.02, 0.5) * width) + 1
        y2 = y1 + int(rng.uniform(0.02, 0.5) * height) + 1
        picture[y1:y2, x1:x2] *= rng.uniform(0.4, 1.3)
    picture += rng.normal(0, rng.uniform(0.5, 4), (height, width, 1))
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def framed_well(rgb: Rgb, rng: Rng, *, share_min: float = 0.7) -> tuple[Rgb, Homography]:
    """Another good photo of the same shelf: a part of it, in other light, from a slightly turned
    camera, at `LONG_PX`.

    Args:
        rgb: (h, w, 3).
        share_min: of each side that stays in view at least.
    """
    height, width = rgb.shape[:2]
    share = rng.uniform(share_min, 0.97)
    wide, tall = width * share, height * share
    left, top = rng.uniform(0, width - wide), rng.uniform(0, height - tall)
    scale = LONG_PX / max(wide, tall)
    size = round(wide * scale), round(tall * scale)
    middle = np.array([size[0] / 2, size[1] / 2])
    cut = np.array([[scale, 0, -left * scale], [0, scale, -top * scale], [0, 0, 1.0]])
    # The turn moves no corner out of the photo by more than a mirrored margin of 2 %.
    turn = np.eye(3)
    turn[:2] = cv2.getRotationMatrix2D(tuple(middle), rng.uniform(-1.5, 1.5), 1.03)
    whole = turn @ cut
    small = rgb
    if scale < 0.8:
        small = np.asarray(cv2.GaussianBlur(rgb, (0, 0), 0.4 / scale), np.uint8)
    seen = _warped(small, whole, size)
    gamma, gain = rng.uniform(0.85, 1.2), rng.uniform(0.8, 1.15)
    cast = rng.uniform(0.95, 1.05, 3)
    lit = 255 * np.linspace(0, 1, 256)[:, None] ** gamma * gain * cast
    table = np.clip(lit, 0, 255).astype(np.uint8)[None]
    return cv2.LUT(seen, table).astype(np.uint8, copy=False), whole


def by_jpeg(rgb: Rgb, rng: Rng) -> Rgb:
    """As it comes out of a JPEG of a phone's usual quality, 75 to 95."""
    quality = int(rng.integers(75, 96))
    done, data = cv2.imencode(
        ".jpg", np.ascontiguousarray(rgb[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    assert done, "an 8-bit picture can always be written as JPEG"
    back = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert back is not None, "what was just written can be read"
    return np.ascontiguousarray(back[..., ::-1]).astype(np.uint8)


def _same_place(rgb: npt.NDArray[np.generic]) -> Mishap:
    return Mishap(np.clip(rgb, 0, 255).astype(np.uint8), np.eye(3))


def _put(kernel: npt.NDArray[np.float32], x: float, y: float) -> None:
    """Add one unit at a place between pixels."""
    left, top = int(np.floor(x)), int(np.floor(y))
    for row, share_y in ((top, top + 1 - y), (top + 1, y - top)):
        for column, share_x in ((left, left + 1 - x), (left + 1, x - left)):
            if 0 <= row < kernel.shape[0] and 0 <= column < kernel.shape[1]:
                kernel[row, column] += share_x * share_y


def _rotation(pitch: float, yaw: float, roll: float) -> Homography:
    turns = [cv2.Rodrigues(np.array(axis, np.float64))[0]
             for axis in ((pitch, 0, 0), (0, yaw, 0), (0, 0, roll))]  # fmt: skip
    whole: Homography = turns[2] @ turns[0] @ turns[1]
    return whole


def _corners(width: int, height: int) -> npt.NDArray[np.float64]:
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)


def _upright_inside(quad: npt.NDArray[np.float64]) -> tuple[float, float, float, float]:
    """A large upright rectangle inside a view of a rectangle (upper left first, clockwise)."""
    (x1, y1), (x2, y2), (x3, y3), (x4, y4) = quad
    # Between the inner ends; of a strong taper a third of the near side's height is given up.
    left, right = max(x1, x4), min(x2, x3)
    top, foot = max(y1, y2), min(y3, y4)
    return float(left), float(top), float(right), float(foot)


def _warped(rgb: Rgb, view: Homography, size: tuple[int, int]) -> Rgb:
    return cv2.warpPerspective(
        rgb, view, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    ).astype(np.uint8, copy=False)
