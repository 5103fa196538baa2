"""The small pictures inside a planogram: cut, packed, unpacked. Pure: bytes and pixels."""

import io
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from planograms.errors import BadPlanogram
from planograms.model import Picture, picture_of

Pixels = npt.NDArray[np.uint8]
"""(h, w, 3), red green blue."""

WEBP_QUALITY: Final = 82
CROP_LONG_PX_MAX: Final = 112
REFERENCE_LONG_PX_MAX: Final = 1600
"""Facings of a dense shelf keep 30 to 80 px; the picture then takes 0.3 to 0.6 MB."""
SIDE_PX_MAX: Final = 4096


def shrunk(rgb: Pixels, long_px: int) -> Pixels:
    """The picture with its long side at most `long_px`."""
    height, width = rgb.shape[:2]
    scale = min(1.0, long_px / max(height, width))
    if scale == 1.0:
        return rgb
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def packed(rgb: Pixels) -> Picture:
    """A picture as WebP."""
    done, content = cv2.imencode(
        ".webp", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_WEBP_QUALITY, WEBP_QUALITY]
    )
    assert done
    return picture_of(content.tobytes())


def crop(rgb: Pixels, box_xyxy_px: npt.ArrayLike) -> Pixels:
    """The part of a picture inside a box, at least one pixel."""
    height, width = rgb.shape[:2]
    x1, y1, x2, y2 = np.asarray(box_xyxy_px, dtype=np.float64)
    left, top = int(np.clip(x1, 0, width - 1)), int(np.clip(y1, 0, height - 1))
    right = int(np.clip(np.ceil(x2), left + 1, width))
    foot = int(np.clip(np.ceil(y2), top + 1, height))
    return rgb[top:foot, left:right]


def unpacked(picture: Picture, what: str) -> Pixels:
    """The pixels of a picture inside a planogram; `what` is what an error calls it.

    Raises:
        BadPlanogram: it is no picture, or larger than `SIDE_PX_MAX` a side.
    """
    content = np.frombuffer(picture.content, np.uint8)
    # The header first: a small picture must not ask for gigabytes when it is decoded.
    size = _size_by_header(picture.content)
    if size is None or max(size) > SIDE_PX_MAX:
        raise BadPlanogram(
            f"{what}: must be a WebP, JPEG or PNG of at most {SIDE_PX_MAX} px a side"
        )
    found = cv2.imdecode(content, cv2.IMREAD_COLOR)
    if found is None:
        raise BadPlanogram(f"{what}: the picture is damaged; export the planogram again")
    return cv2.cvtColor(found, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)


def _size_by_header(content: bytes) -> tuple[int, int] | None:
    try:
        with Image.open(io.BytesIO(content), formats=("WEBP", "JPEG", "PNG")) as picture:
            return picture.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
