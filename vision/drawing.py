"""Draw what was seen thinly onto a copy of the photo. Writes no file."""

from typing import Final

import cv2
import numpy as np

from vision.observation import Observation
from vision.photos import Pixels

ROW_COLOURS: Final = (
    (0, 158, 115), (0, 114, 178), (213, 94, 0), (204, 121, 167), (86, 180, 233), (230, 159, 0),
)  # fmt: skip
"""Okabe and Ito's, told apart with any colour vision; by row, in turn."""
ROWLESS: Final = (150, 150, 150)
GAP: Final = (255, 0, 0)


def draw_observation(rgb: Pixels, scale: float, seen: Observation) -> Pixels:
    """(h, w, 3) a copy of the photo with facings, gaps and rows on it.

    A facing has its row's colour; a gap is crossed out, so that it is told by form too.

    Args:
        rgb: (h, w, 3) the photo, at any size.
        scale: its pixels for each pixel of the full photo.
    """
    picture = np.array(rgb)
    thin = max(1, round(max(picture.shape[:2]) / 900))

    def point(x: float, y: float) -> tuple[int, int]:
        return round(x * scale), round(y * scale)

    for facing in seen.facings:
        x1, y1, x2, y2 = facing.box_xyxy_px
        colour = ROWLESS if facing.row is None else ROW_COLOURS[facing.row % len(ROW_COLOURS)]
        cv2.rectangle(picture, point(x1, y1), point(x2, y2), colour, thin)
    for row in seen.rows:
        x1, y1, x2, y2 = row.line_xyxy_px
        colour = ROW_COLOURS[row.index % len(ROW_COLOURS)]
        cv2.line(picture, point(x1, y1), point(x2, y2), colour, 2 * thin, cv2.LINE_AA)
        _write(picture, str(row.index), point(x1, y1), thin)
    for gap in seen.gaps:
        x1, y1, x2, y2 = gap.box_xyxy_px
        cv2.rectangle(picture, point(x1, y1), point(x2, y2), GAP, 2 * thin)
        cv2.line(picture, point(x1, y1), point(x2, y2), GAP, thin, cv2.LINE_AA)
        cv2.line(picture, point(x1, y2), point(x2, y1), GAP, thin, cv2.LINE_AA)
        _write(picture, f"{gap.score:.2f}", point(x1, y2), thin)
    return picture


def _write(picture: Pixels, text: str, at: tuple[int, int], thin: int) -> None:
    x, y = max(at[0], 2), max(at[1] - 4 * thin, 14 * thin)
    size = 0.5 * thin
    for colour, width in (((0, 0, 0), 3 * thin), ((255, 255, 255), thin)):
        cv2.putText(
            picture, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, colour, width, cv2.LINE_AA
        )
