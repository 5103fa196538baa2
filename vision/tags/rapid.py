"""Reads text with RapidOCR (PP-OCR on onnxruntime); its models come in its wheel.

Needs the `ocr` extra (ADR 0042). Its detector looks once at the whole picture, its recogniser only
at the lines that are wanted.
"""

import re
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from storepulse.errors import BadInput
from vision.observation import Box
from vision.tags.glyphs import cuts, find_ink
from vision.tags.lines import Pixels, TextLine, Wanted

LONGEST_PX: Final = 4800
"""Above this long side text is looked for on a smaller copy. Below, at the size that is given."""
_SURE_MIN: Final = 0.7
"""Certainty of price and cents together, below which they are not taken apart."""
_CUTS_MAX: Final = 3
"""Places at which a price is cut on trial; each costs two readings."""
_MAY_HIDE_CENTS: Final = r"\d{1,5}\D?"
"""Lines that are looked at for small cents: a number without a separator, or with its cents read
as a stroke."""


class NoTextReader(BadInput):
    """Prices cannot be read: the library is not installed."""


class RapidReader:
    """A loaded reader. Loading takes a second; keep it."""

    def __init__(self, *, threads: int = 1) -> None:
        """Load both models.

        Args:
            threads: cores to use.
        Raises:
            NoTextReader: the `ocr` extra is not installed.
        """
        try:
            from rapidocr import RapidOCR
        except ImportError as error:
            raise NoTextReader(
                "prices are read by rapidocr, which is not installed: pip install 'storepulse[ocr]'"
            ) from error
        self._ocr: Any = RapidOCR(
            params={
                "Global.log_level": "error",
                "Global.use_cls": False,
                "Global.max_side_len": 8192,
                # A shelf's edge is long and low; padded to 8:1 it would cost twice.
                "Global.use_vertical_padding": False,
                "Global.text_score": 0.0,
                "Det.limit_type": "max",
                "Det.limit_side_len": LONGEST_PX,
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            }
        )

    def read(self, rgb: Pixels, wanted: Wanted) -> list[TextLine]:
        """The wanted lines, in pixels of `rgb`; none where there is no text."""
        bgr = np.ascontiguousarray(rgb[:, :, ::-1])
        corners = self._ocr(bgr, use_det=True, use_cls=False, use_rec=False).boxes
        if corners is None:
            return []
        quads = np.asarray(corners, np.float32)
        places = [_around(quad) for quad in quads]
        return [
            line
            for at in wanted(places)
            if (line := self._line(rgb, quads[at], places[at])) is not None
        ]

    def _line(self, rgb: Pixels, quad: NDArray[np.float32], place: Box) -> TextLine | None:
        said = self._said(_straightened(rgb, quad))
        if said is None:
            return None
        text, score = said
        if re.fullmatch(_MAY_HIDE_CENTS, text):
            apart = self._with_cents(rgb, quad)
            if apart is not None:
                return TextLine(apart[0], score, place, apart[1])
        return TextLine(text, score, place)

    def _with_cents(self, rgb: Pixels, quad: NDArray[np.float32]) -> tuple[str, str] | None:
        """A price and its small cents, each read for itself; None where there are none."""
        crop = _straightened(rgb, _widened(quad))
        best, best_score = None, _SURE_MIN
        for x in cuts(find_ink(crop))[:_CUTS_MAX]:
            tail = self._said(_padded(crop[:, x : x + round(1.1 * crop.shape[0])]))
            if tail is None or not re.fullmatch(r"\d\d", tail[0]):
                continue
            head = self._said(_padded(crop[:, :x]))
            if head is None or not head[0].isdigit():
                continue
            if (score := head[1] * tail[1]) > best_score:
                best, best_score = (head[0], tail[0]), score
        return best

    def _said(self, crop: Pixels) -> tuple[str, float] | None:
        said = self._ocr(crop[:, :, ::-1], use_det=False, use_cls=False, use_rec=True)
        if not said.txts or not said.txts[0].strip():
            return None
        return said.txts[0].strip(), float(said.scores[0])


def _widened(quad: NDArray[np.float32]) -> NDArray[np.float32]:
    """With room for small cents at its right: as wide as it is high."""
    left_up, right_up, right_down, left_down = quad
    along = (right_up - left_up) / max(float(np.linalg.norm(right_up - left_up)), 1.0)
    room = along * float(np.linalg.norm(left_down - left_up))
    return np.array([left_up, right_up + room, right_down + room, left_down], np.float32)


def _padded(crop: Pixels) -> Pixels:
    """With a margin of its own edge, as the recogniser was trained to see."""
    rim = max(2, crop.shape[0] // 8)
    return np.asarray(cv2.copyMakeBorder(crop, 0, 0, rim, rim, cv2.BORDER_REPLICATE), np.uint8)


def _around(quad: NDArray[np.float32]) -> Box:
    (x1, y1), (x2, y2) = quad.min(axis=0).tolist(), quad.max(axis=0).tolist()
    return x1, y1, x2, y2


def _straightened(rgb: Pixels, corners: NDArray[np.float32]) -> Pixels:
    """A line cut out upright. `corners`: clockwise from the upper left."""
    wide = max(1, round(float(np.linalg.norm(corners[1] - corners[0]))))
    tall = max(1, round(float(np.linalg.norm(corners[3] - corners[0]))))
    upright = np.array([[0, 0], [wide, 0], [wide, tall], [0, tall]], np.float32)
    turned = cv2.getPerspectiveTransform(corners, upright)
    return np.asarray(
        cv2.warpPerspective(
            rgb, turned, (wide, tall), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        ),
        np.uint8,
    )
