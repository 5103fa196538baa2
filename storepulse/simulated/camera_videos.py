"""Film a shelf photo by hand with a simulated phone, the true place known in each picture.

The shelf is flat and stands in front of clutter; there is no parallax and nobody in between, so
what is measured on these videos is kinder than life. Judges nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from storepulse.simulated.mishaps import surroundings
from storepulse.simulated.packs import Rgb

Grey = npt.NDArray[np.uint8]
Reals = npt.NDArray[np.float64]

SIDE_PX: Final = (480, 360)
"""The longer and the shorter side of a camera picture; a tall shelf is filmed upright."""
PICTURES_A_SECOND: Final = 30
PHOTO_PX: Final = 1280
"""The longer side of the photo that a video is made from."""
_FOCAL: Final = 0.85
"""Of the longer side: a phone's main camera, about 60 degrees across."""
_WORLD: Final = 3
"""The clutter is so many times as wide and high as the photo."""
_LIGHT: Final = np.asarray((np.arange(256) / 255) ** 2.2, np.float32)
"""Linear light of 8 bits."""
_BYTES: Final = np.asarray(255 * np.linspace(0, 1, 1 << 14) ** (1 / 2.2) + 0.5, np.uint8)
"""What linear light from none to all becomes in 8 bits."""


@dataclass(frozen=True, slots=True)
class Pose:
    """How the phone is held at one moment."""

    scale: float = 1.0
    """1: the whole shelf just fits into the picture; 2: half its width does."""
    right: float = 0.0
    """The shelf's middle, from the picture's middle, in widths of the picture."""
    down: float = 0.0
    yaw: float = 0.0
    """Degrees."""
    pitch: float = 0.0
    roll: float = 0.0


@dataclass(frozen=True, slots=True)
class Take:
    """One way to film a shelf."""

    seconds: float
    pose: Callable[[float], Pose]
    """Of the moment, 0 to 1, without the hand's own motion."""
    shake: float = 1.0
    """Times a calm hand's."""
    light: float = 1.0
    """Of the photo's, in linear light."""
    open_s: float = 0.0
    """How long the shutter is open."""


@dataclass(frozen=True, slots=True)
class Video:
    """Pictures and the truth of each."""

    photo: Grey
    """The judged photo, as it was filmed from."""
    pictures: Grey
    """(n, height, width)."""
    planes: Reals
    """(n, 3, 3) from the photo's pixels to the picture's, in the middle of the exposure."""
    times_ms: Reals
    """(n,)."""


def _away(at: float) -> Pose:
    out = float(np.interp(at, [0, 0.4, 0.46, 0.7, 0.76, 1], [0, 0, 1.6, 1.6, 0, 0]))
    return Pose(right=out)


TAKES: Final[Mapping[str, Take]] = {
    "calm hand": Take(2, lambda at: Pose()),  # noqa: ARG005
    "scale 0.5 to 2": Take(3, lambda at: Pose(scale=0.5 * 4**at)),
    "scale 2 to 0.5": Take(3, lambda at: Pose(scale=2 * 4**-at)),
    "tilt to 30 degrees": Take(
        3, lambda at: Pose(scale=0.9, yaw=30 * np.sin(6.28 * at), pitch=15 * np.sin(3.14 * at))
    ),
    "starts tilted by 30": Take(1.5, lambda at: Pose(scale=0.9, yaw=30 - 20 * at)),
    "half out of view": Take(2, lambda at: Pose(right=0.5 - 0.02 * at)),
    "quarter light": Take(2, lambda at: Pose(), light=0.25),  # noqa: ARG005
    "motion blur": Take(3, lambda at: Pose(), shake=4.0, open_s=1 / 60),  # noqa: ARG005
    "away and back": Take(4, _away),
}
"""By the name that people read."""


def film(rgb: Rgb, take: Take, *, seed: int) -> Video:
    """Film a photo; the same seed moves the hand in the same way.

    Args:
        rgb: (h, w, 3) the photo.
    """
    rng = np.random.default_rng([seed, 0xF1])
    photo = cv2.cvtColor(_fitting(rgb), cv2.COLOR_RGB2GRAY).astype(np.uint8)
    world, put = _world(photo, rng)
    hand = _hand(rng, take.shake)
    tall = photo.shape[0] > photo.shape[1]
    size = SIDE_PX[::-1] if tall else SIDE_PX
    count = round(take.seconds * PICTURES_A_SECOND)
    moments = np.arange(count) / PICTURES_A_SECOND

    def plane_at(second: float) -> Reals:
        pose = take.pose(min(second / take.seconds, 1.0))
        return _plane(pose, hand(second), photo.shape, size)

    pictures = np.zeros((count, size[1], size[0]), np.uint8)
    openings = np.linspace(-0.5, 0.5, 5) * take.open_s if take.open_s else np.zeros(1)
    for number, second in enumerate(moments.tolist()):
        light = np.zeros((size[1], size[0]), np.float32)
        for opening in openings.tolist():
            light += _seen(world, plane_at(second + opening) @ put, size)
        pictures[number] = _developed(light, take.light / len(openings), rng)
    planes = np.stack([plane_at(second) for second in moments.tolist()])
    return Video(photo, pictures, planes, moments * 1000)


def _fitting(rgb: Rgb) -> Rgb:
    by = PHOTO_PX / max(rgb.shape[:2])
    size = (round(rgb.shape[1] * by), round(rgb.shape[0] * by))
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.uint8)


def _world(photo: Grey, rng: np.random.Generator) -> tuple[list[npt.NDArray[np.float32]], Reals]:
    """Linear light of photo and clutter at three sizes, and where these lie on the photo."""
    height, width = photo.shape
    around = surroundings(_WORLD * width // 4, _WORLD * height // 4, rng)
    grey = cv2.cvtColor(around, cv2.COLOR_RGB2GRAY)
    world = cv2.resize(grey, (_WORLD * width, _WORLD * height), interpolation=cv2.INTER_LINEAR)
    world[height : 2 * height, width : 2 * width] = photo
    light = _LIGHT[world]
    half = cv2.resize(light, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    quarter = cv2.resize(half, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    put = np.array([[1, 0, -width], [0, 1, -height], [0, 0, 1]], np.float64)
    return [light, half.astype(np.float32), quarter.astype(np.float32)], put


def _hand(rng: np.random.Generator, shake: float) -> Callable[[float], Reals]:
    """Sways and trembles: right, down (widths), yaw, pitch, roll (degrees) of a moment."""
    slow_hz = rng.uniform(0.3, 1.1, (5, 2))
    fast_hz = rng.uniform(5, 9, 5)
    phase = rng.uniform(0, 2 * np.pi, (5, 3))
    sway = np.array([0.022, 0.022, 1.5, 1.5, 1.5])
    tremble = np.array([0.0015, 0.0015, 0.1, 0.1, 0.1])

    def at(second: float) -> Reals:
        slow = np.sin(2 * np.pi * slow_hz * second + phase[:, :2]).sum(axis=1)
        fast = np.sin(2 * np.pi * fast_hz * second + phase[:, 2])
        return np.asarray((sway * slow + tremble * fast) * shake, np.float64)

    # A hand that hurries sways wider, but nobody turns a phone by four times as much.
    turn = np.array([1, 1, 0.4, 0.4, 0.4]) if shake > 1 else np.ones(5)
    return lambda second: at(second) * turn


def _plane(pose: Pose, hand: Reals, photo: tuple[int, ...], size: tuple[int, int]) -> Reals:
    height, width = photo[:2]
    focal = _FOCAL * max(size)
    unit = min(size[0] / width, size[1] / height) * pose.scale / focal
    yaw, pitch, roll = np.radians([pose.yaw + hand[2], pose.pitch + hand[3], pose.roll + hand[4]])
    sin, cos = np.sin([yaw, pitch, roll]), np.cos([yaw, pitch, roll])
    by_yaw = np.array([[cos[0], 0, sin[0]], [0, 1, 0], [-sin[0], 0, cos[0]]])
    by_pitch = np.array([[1, 0, 0], [0, cos[1], -sin[1]], [0, sin[1], cos[1]]])
    by_roll = np.array([[cos[2], -sin[2], 0], [sin[2], cos[2], 0], [0, 0, 1]])
    turn = by_roll @ by_pitch @ by_yaw
    place = [(pose.right + hand[0]) * size[0] / focal, (pose.down + hand[1]) * size[0] / focal, 1]
    camera = np.array([[focal, 0, (size[0] - 1) / 2], [0, focal, (size[1] - 1) / 2], [0, 0, 1]])
    flat = np.column_stack([turn[:, 0] * unit, turn[:, 1] * unit, place])
    middle = np.array([[1, 0, -(width - 1) / 2], [0, 1, -(height - 1) / 2], [0, 0, 1]])
    plane = camera @ flat @ middle
    return np.asarray(plane / plane[2, 2], np.float64)


def _seen(
    world: list[npt.NDArray[np.float32]], plane: Reals, size: tuple[int, int]
) -> npt.NDArray[np.float32]:
    """The world through the camera, from the size that is nearest, at twice the pixels."""
    middle = np.array([[(size[0] - 1) / 2, (size[1] - 1) / 2, 1]]).T
    back = np.linalg.inv(plane)
    at = back @ middle
    grain = abs(np.linalg.det(back)) ** 0.5 / abs(at[2, 0]) ** 1.5 / 2
    level = int(np.clip(np.floor(np.log2(max(grain, 1.0)) + 0.5), 0, 2))
    by = 2.0**level
    shrunk = np.array([[by, 0, (by - 1) / 2], [0, by, (by - 1) / 2], [0, 0, 1]])
    doubled = np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]])
    fine = cv2.warpPerspective(
        world[level], doubled @ plane @ shrunk, (2 * size[0], 2 * size[1]), flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )  # fmt: skip
    return cv2.resize(fine, size, interpolation=cv2.INTER_AREA).astype(np.float32)


def _developed(light: npt.NDArray[np.float32], share: float, rng: np.random.Generator) -> Grey:
    """What a small sensor makes of linear light: noise that grows as light fails, then 8 bits."""
    got = light * share
    noisy = got + rng.standard_normal(got.shape, np.float32) * np.sqrt(got * 2e-4 + 4e-6)
    return _BYTES[np.asarray(np.clip(noisy, 0, 1) * (len(_BYTES) - 1), np.uint16)]
