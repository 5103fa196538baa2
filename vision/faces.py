"""Find faces and make them unrecognisable in a copy that is to be kept. Keeps nothing itself.

A photo is judged first and blurred then: the judgement wants every pixel, the archive none of a
person's. The finder is OpenCV's frontal and profile cascade, trained long ago and small. Five
frontal faces put into ten val photos were found at 80 px of a photo of 2048 px and more (30 of 30),
at 60 px 8 of 10, at 45 px 4 of 10; a bent head seen from the side was never found, so people who
stand along the shelf are not safe yet. It takes about two places a photo for faces that are none,
or are printed on packs: that costs a blurred pack in the copy.
"""

from functools import cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.errors import NoFaceFinder
from vision.photos import Pixels

FaceBoxes = NDArray[np.int64]
"""(n, 4): x1, y1, x2, y2 in pixels of the picture."""

FRONTAL_LONG_PX: Final = 1280
PROFILE_LONG_PX: Final = 800
"""Long sides at which faces are sought: twice as many pixels take twice as long."""
FACE_PX_MIN: Final = 24
"""Smallest face at that size, near the 20 px on which the cascades were trained: in a kept copy of
2048 px 40 px for a frontal face, 62 px for one from the side."""
SIZE_STEP: Final = 1.2
FRONTAL_VOTES: Final = 3
PROFILE_VOTES: Final = 4
"""So many overlapping windows must agree; fewer find little more and fire on more packs."""
GROW: Final = 0.25
"""A cascade marks eyes to chin; hair and ears tell people apart too. Added on each side."""
CELLS: Final = 4
"""A face becomes so many flat cells across and down: sixteen colours, from which nothing can be
won back."""


class FaceFinder:
    """The cascades, loaded once."""

    def __init__(self) -> None:
        """Load them from OpenCV's own files.

        Raises:
            NoFaceFinder: this OpenCV has none; from version 5 its main wheel leaves them out.
        """
        # By name: their type stubs come and go with the cascades.
        load: Any = getattr(cv2, "CascadeClassifier", None)
        folder = Path(cv2.__file__).parent / "data"
        names = ("haarcascade_frontalface_alt2.xml", "haarcascade_profileface.xml")
        if load is None or not all((folder / name).is_file() for name in names):
            raise NoFaceFinder(
                f"OpenCV {cv2.__version__} has no face finder, so photos cannot be blurred and "
                "none is kept: pip install 'opencv-python-headless<5'"
            )
        self._frontal, self._profile = (load(str(folder / name)) for name in names)

    def find(self, rgb: Pixels) -> FaceBoxes:
        """The faces of a picture, each grown to the whole head and inside it; none: (0, 4).

        Args:
            rgb: (h, w, 3).
        """
        grey = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
        mirrored = np.ascontiguousarray(grey[:, ::-1])
        # The profile cascade knows faces that look to the left; the mirror turns the others.
        turned = _search(self._profile, mirrored, PROFILE_LONG_PX, PROFILE_VOTES)
        turned[:, [0, 2]] = rgb.shape[1] - turned[:, [2, 0]]
        boxes = np.concatenate(
            [
                _search(self._frontal, grey, FRONTAL_LONG_PX, FRONTAL_VOTES),
                _search(self._profile, grey, PROFILE_LONG_PX, PROFILE_VOTES),
                turned,
            ]
        )
        margin = GROW * (boxes[:, 2:] - boxes[:, :2])
        grown = np.concatenate(
            [np.floor(boxes[:, :2] - margin), np.ceil(boxes[:, 2:] + margin)], axis=1
        )
        edge = [rgb.shape[1], rgb.shape[0], rgb.shape[1], rgb.shape[0]]
        inside: FaceBoxes = grown.clip(0, edge).astype(np.int64)
        return inside

    def blur(self, rgb: Pixels) -> tuple[Pixels, FaceBoxes]:
        """A copy of the picture with every face that is found blurred, and where they are."""
        boxes = self.find(rgb)
        return blurred(rgb, boxes), boxes


def blur_faces(rgb: Pixels) -> tuple[Pixels, FaceBoxes]:
    """A copy of the picture with every face that is found blurred, and where they are.

    Args:
        rgb: (h, w, 3), left as it is.
    Returns:
        The copy, and (n, 4) boxes.
    Raises:
        NoFaceFinder: faces cannot be found here; then the picture must not be kept.
    """
    return _finder().blur(rgb)


_finder = cache(FaceFinder)


def blurred(rgb: Pixels, boxes: FaceBoxes) -> Pixels:
    """A copy of the picture in which each box is a few flat cells.

    Args:
        rgb: (h, w, 3).
        boxes: (n, 4) inside the picture.
    """
    copy = np.array(rgb)
    for x1, y1, x2, y2 in boxes.tolist():
        part = copy[y1:y2, x1:x2]
        if part.size:
            cells = cv2.resize(part, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
            copy[y1:y2, x1:x2] = cv2.resize(
                cells, (x2 - x1, y2 - y1), interpolation=cv2.INTER_NEAREST
            )
    return copy


def _search(cascade: Any, grey: NDArray[np.uint8], long_px: int, votes: int) -> NDArray[np.float64]:
    """(n, 4) what one cascade takes for faces, in pixels of the picture given."""
    shrink = min(1.0, long_px / max(grey.shape))
    if shrink < 1:
        size = max(1, round(grey.shape[1] * shrink)), max(1, round(grey.shape[0] * shrink))
        grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
    if min(grey.shape) < FACE_PX_MIN:
        return np.zeros((0, 4))
    hits = cascade.detectMultiScale(grey, SIZE_STEP, votes, minSize=(FACE_PX_MIN, FACE_PX_MIN))
    boxes: NDArray[np.float64] = np.array(hits, np.float64).reshape(
        -1, 4
    )  # an empty tuple when there are none
    boxes[:, 2:] += boxes[:, :2]
    boxes /= shrink
    return boxes
