"""Bar codes of products (EAN-13, EAN-8, UPC) on a photo, read by zxing-cpp (the `ocr` extra)."""

from dataclasses import dataclass
from typing import Any, Final

from vision.observation import Box
from vision.tags.lines import Pixels

_KINDS: Final = ("EAN13", "EAN8", "UPCA")


@dataclass(frozen=True, slots=True)
class BarCode:
    """One product's number, and where it is printed."""

    gtin: str
    box_xyxy_px: Box


def read_bar_codes(rgb: Pixels) -> list[BarCode]:
    """All bar codes of products that can be read; none where zxing-cpp is not installed.

    Args:
        rgb: (height, width, 3) the photo at its full size: bars are thin.
    """
    try:
        import zxingcpp
    except ImportError:
        return []
    kinds: Any = [getattr(zxingcpp.BarcodeFormat, kind) for kind in _KINDS]
    return [
        BarCode(code.text, _around(code.position))
        for code in zxingcpp.read_barcodes(rgb, formats=kinds)
        if code.valid
    ]


def _around(corners: object) -> Box:
    named = ("top_left", "top_right", "bottom_right", "bottom_left")
    xs = [float(getattr(corners, name).x) for name in named]
    ys = [float(getattr(corners, name).y) for name in named]
    return min(xs), min(ys), max(xs), max(ys)
