"""Photograph a shelf again under harder conditions: aslant, dark, moving, glaring, coarse. Pure.

The picture is the only thing there is, so what a camera would see is computed from it: geometry as
a plane seen by a phone, light in linear intensities with the noise that little light brings.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from storepulse.simulated.packs import Rgb

Homography = npt.NDArray[np.float64]
"""(3, 3): from pixels of the photo to pixels of the changed one."""
Floats = npt.NDArray[np.float32]

FOCAL_LONG_SIDES: Final = 0.72
"""A phone's main camera: 26 mm where the long side of the picture is 36 mm."""
BESIDE_GREY: Final = 60
"""What is seen where the photo ends: an aisle, darker than a shelf."""
GAMMA: Final = 2.2
FULL_ELECTRONS: Final = 4000.0
READ_ELECTRONS: Final = 4.0
"""A small phone sensor: white is this many electrons, and reading adds this much noise."""
GLARE_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Changed:
    """The photo under a condition, and where each of its points lies now."""

    rgb: Rgb
    homography: Homography


Change = Callable[[Rgb, np.random.Generator], Changed]


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition by its name in words."""

    name: str
    change: Change


def turned(degrees: float) -> Condition:
    """The camera stands so many degrees to the left or right of the bay, all of it in view.

    The picture becomes as long as the photo was, so packs become smaller and the far ones smallest.

    Raises:
        ValueError: not from 0 to below 60, where the near edge would reach the camera.
    """
    if not 0 <= degrees < 60:
        raise ValueError(f"degrees must be from 0 to below 60, got {degrees}")

    def change(rgb: Rgb, rng: np.random.Generator) -> Changed:
        height, width = rgb.shape[:2]
        angle = np.radians(degrees) * rng.choice([-1, 1])
        focal = FOCAL_LONG_SIDES * max(width, height)
        cos, sin = np.cos(angle), np.sin(angle)
        middle = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]], np.float64)
        plane = np.array([[focal * cos, 0, 0], [0, focal, 0], [sin, 0, focal]], np.float64)
        seen = plane @ middle
        corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float64)
        mapped = cv2.perspectiveTransform(corners, seen)[0]
        low, high = mapped.min(axis=0), mapped.max(axis=0)
        scale = max(width, height) / (high - low).max()
        fit = np.array([[scale, 0, -scale * low[0]], [0, scale, -scale * low[1]], [0, 0, 1]])
        homography = np.asarray(fit @ seen, np.float64)
        size = (max(1, round(scale * (high - low)[0])), max(1, round(scale * (high - low)[1])))
        # Where it shrinks by much, single pixels would be skipped: smooth before.
        smooth = cv2.GaussianBlur(rgb, (0, 0), 0.4) if degrees else rgb
        picture = cv2.warpPerspective(
            smooth, homography, size, flags=cv2.INTER_LINEAR, borderValue=(BESIDE_GREY,) * 3
        )
        return Changed(np.asarray(picture, np.uint8), homography)

    return Condition(f"turned {degrees:g} degrees", change)


def lit(share: float) -> Condition:
    """So much of the light is left, and the sensor's noise does not shrink with it.

    Raises:
        ValueError: not above 0 and at most 1.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share must be above 0 and at most 1, got {share}")

    def change(rgb: Rgb, rng: np.random.Generator) -> Changed:
        electrons = (rgb.astype(np.float32) / 255) ** GAMMA * np.float32(share * FULL_ELECTRONS)
        spread = np.sqrt(electrons + READ_ELECTRONS**2)
        noise = rng.standard_normal(rgb.shape, dtype=np.float32)
        return Changed(
            _developed(np.asarray((electrons + noise * spread) / FULL_ELECTRONS, np.float32)),
            np.eye(3),
        )

    return Condition(f"light 1/{1 / share:g}", change)


def moved(length_px: int) -> Condition:
    """The camera moved while it looked: a straight smear of so many pixels in some direction.

    Raises:
        ValueError: shorter than a pixel.
    """
    if length_px < 1:
        raise ValueError(f"length_px must be at least 1, got {length_px}")

    def change(rgb: Rgb, rng: np.random.Generator) -> Changed:
        smear = smear_kernel(length_px, float(rng.uniform(0, np.pi)))
        light = cv2.filter2D(_linear(rgb), -1, smear, borderType=cv2.BORDER_REPLICATE)
        return Changed(_developed(np.asarray(light, np.float32)), np.eye(3))

    return Condition(f"motion blur {length_px} px", change)


def smear_kernel(length_px: int, angle: float) -> Floats:
    """(k, k) weights of a straight line through the middle, k odd; they add up to 1."""
    side = length_px + 1 - length_px % 2
    steps = np.linspace(-(length_px - 1) / 2, (length_px - 1) / 2, 8 * length_px)
    columns = np.round(side // 2 + steps * np.cos(angle)).astype(int)
    rows = np.round(side // 2 + steps * np.sin(angle)).astype(int)
    kernel = np.zeros((side, side), np.float32)
    np.add.at(kernel, (rows, columns), 1.0)
    return np.asarray(kernel / kernel.sum(), np.float32)


def glared(share: float = GLARE_SHARE) -> Condition:
    """A lamp mirrored in a door or in foil: so large a part of the picture is washed out.

    Raises:
        ValueError: not above 0 and below a half.
    """
    if not 0 < share < 0.5:
        raise ValueError(f"share must be above 0 and below 0.5, got {share}")

    def change(rgb: Rgb, rng: np.random.Generator) -> Changed:
        height, width = rgb.shape[:2]
        longer = rng.uniform(1.0, 2.5)
        radius_y = np.sqrt(share * height * width / (np.pi * longer))
        radius_x = longer * radius_y
        x, y = rng.uniform(0.25, 0.75, 2) * [width, height]
        rows, columns = np.mgrid[:height, :width].astype(np.float32)
        away = np.hypot((columns - x) / radius_x, (rows - y) / radius_y)
        # White at the middle, half as much where the lamp's image ends, then falling off.
        veil = 1 / (1 + np.exp((away - 1) / 0.08)) * 0.9
        light = _linear(rgb) + veil[..., None].astype(np.float32)
        return Changed(_developed(np.asarray(light, np.float32)), np.eye(3))

    return Condition(f"glare on {share:.0%}", change)


def squeezed(quality: int) -> Condition:
    """Saved as JPEG of this quality.

    Raises:
        ValueError: not from 1 to 100.
    """
    if not 1 <= quality <= 100:
        raise ValueError(f"quality must be from 1 to 100, got {quality}")

    def change(rgb: Rgb, rng: np.random.Generator) -> Changed:  # noqa: ARG001
        done, data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        assert done, "an 8-bit picture can always be written as JPEG"
        back = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert back is not None, "what was just written can be read"
        return Changed(np.ascontiguousarray(back[..., ::-1]).astype(np.uint8), np.eye(3))

    return Condition(f"JPEG {quality}", change)


def shrunk(share: float) -> Condition:
    """The picture has so much of its resolution.

    Raises:
        ValueError: not above 0 and at most 1.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share must be above 0 and at most 1, got {share}")

    def change(rgb: Rgb, rng: np.random.Generator) -> Changed:  # noqa: ARG001
        height, width = rgb.shape[:2]
        size = max(1, round(width * share)), max(1, round(height * share))
        picture = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
        return Changed(
            np.asarray(picture, np.uint8), np.diag([size[0] / width, size[1] / height, 1.0])
        )

    return Condition(f"{share:g} of the resolution", change)


def _linear(rgb: Rgb) -> Floats:
    return np.asarray((rgb.astype(np.float32) / 255) ** np.float32(GAMMA), np.float32)


def _developed(light: Floats) -> Rgb:
    seen: Rgb = np.round(255 * light.clip(0, 1) ** (1 / GAMMA)).astype(np.uint8)
    return seen


CONDITIONS: Final = (
    turned(15), turned(30), turned(45), lit(1 / 2), lit(1 / 4), lit(1 / 8), moved(3), moved(7),
    moved(15), glared(), squeezed(30), shrunk(0.5),
)  # fmt: skip
"""What docs/proof.md has a line for."""
