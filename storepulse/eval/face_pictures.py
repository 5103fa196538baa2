"""Faces to put into shelf photos, from pictures inside Python packages. Finds none itself.

No collection of faces is ours to use, so these are few, and all look more or less to the front:
six heads in colour (an astronaut and an admiral, of NASA and the U.S. Navy; footballers and
passers-by of ultralytics' samples) and the 100 small grey faces of scikit-image's part of "Labeled
Faces in the Wild", which take the place of the face in one of the two portraits. Where a package is
missing, its faces are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from storepulse.simulated.packs import Rgb
from vision.photos import read_photo


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """A head cut out of a picture."""

    source: str
    """"portrait": in colour, as it was; "lfw": a small grey face in another's head."""
    rgb: Rgb
    alpha: NDArray[np.float32]
    """(h, w) 1 where it covers what is behind it, soft at its edge."""
    face: tuple[float, float, float, float]
    """x1, y1, x2, y2 brow to chin, in its own pixels."""


@dataclass(frozen=True, slots=True)
class _Place:
    package: str
    file: str
    centre: tuple[float, float]
    size: tuple[float, float]
    """Width and height of the face, set by eye."""


_PORTRAITS: Final = (
    _Place("skimage", "data/astronaut.png", (224, 116), (88, 119)),
    _Place("matplotlib", "mpl-data/sample_data/grace_hopper.jpg", (264, 232), (182, 204)),
    _Place("ultralytics", "assets/zidane.jpg", (980, 192), (140, 173)),
    _Place("ultralytics", "assets/zidane.jpg", (612, 344), (105, 174)),
    _Place("ultralytics", "assets/bus.jpg", (132, 444), (41, 54)),
    _Place("ultralytics", "assets/bus.jpg", (288, 448), (37, 50)),
)
_HOSTS: Final = 2
"""So many of them, from the first, lend their heads to grey faces: they are large and upright."""
_HEAD: Final = 1.75
"""A head with its hair is so many times as wide and high as its face."""
_LFW_FACES: Final = 100
"""The first hundred of the file are faces, the others are not."""


def heads() -> list[Head]:
    """All heads that the installed packages give; none where none is installed."""
    found, hosts = [], []
    for place in _PORTRAITS:
        path = _inside(place.package, place.file)
        if path is None:
            continue
        head = _cut_out(read_photo(path).rgb, place)
        found.append(head)
        if place in _PORTRAITS[:_HOSTS]:
            hosts.append(head)
    return [*found, *_grey_faces(hosts)]


def _inside(package: str, file: str) -> Path | None:
    """A file of an installed package, without importing it."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / file
    return path if path.is_file() else None


def _cut_out(rgb: Rgb, place: _Place) -> Head:
    (x, y), (wide, tall) = place.centre, place.size
    middle, half = np.array([x, y]), np.array([wide, tall]) * _HEAD / 2
    left, top = np.maximum(np.floor(middle - half), 0).astype(int)
    right, foot = np.minimum(np.ceil(middle + half), [rgb.shape[1], rgb.shape[0]]).astype(int)
    part = np.ascontiguousarray(rgb[top:foot, left:right])
    face = (x - wide / 2 - left, y - tall / 2 - top, x + wide / 2 - left, y + tall / 2 - top)
    return Head(
        "portrait", part, _oval(part.shape[:2], (x - left, y - top), half * 0.9, 0.12), face
    )


def _oval(
    shape: tuple[int, ...], centre: tuple[float, float], half: NDArray[np.float64], soft: float
) -> NDArray[np.float32]:
    """1 inside an oval, falling to 0 over a share `soft` of its half axes."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    away = np.hypot((x - centre[0]) / half[0], (y - centre[1]) / half[1])
    return np.asarray(np.clip((1 - away) / soft, 0, 1), np.float32)


def _grey_faces(hosts: list[Head]) -> Iterator[Head]:
    path = _inside("skimage", "data/lfw_subset.npy")
    if path is None or not hosts:
        return
    faces = np.load(path)[:_LFW_FACES]
    for number, grey in enumerate(faces):
        host = hosts[number % len(hosts)]
        x1, y1, x2, y2 = host.face
        wide, tall = x2 - x1, y2 - y1
        size = round(wide), round(tall)
        large = cv2.resize(grey.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
        left, top = round(x1), round(y1)
        rgb = host.rgb.astype(np.float32)
        under = rgb[top : top + size[1], left : left + size[0]]
        skin = np.median(under[under.shape[0] // 3 :].reshape(-1, 3), axis=0)
        tinted = skin * (large / max(float(np.median(large)), 0.1))[..., None]
        alpha = _oval(under.shape[:2], (wide / 2, tall / 2), np.array([wide, tall]) * 0.5, 0.25)
        under += (tinted - under) * alpha[..., None]
        yield Head("lfw", np.clip(rgb, 0, 255).astype(np.uint8), host.alpha, host.face)
