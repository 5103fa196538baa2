"""Read the price tags of a photo that was looked at: the second answer, seconds after the first.

What a plan expects is read first, so that an answer that is cut short has what matters.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from vision.observation import Box, Observation, Tag
from vision.photos import Photo, read_photo
from vision.tags.barcodes import BarCode, read_bar_codes
from vision.tags.finding import Found, between_products, group_tags, shelf_edges
from vision.tags.lines import Pixels, ReadsText, TextLine
from vision.tags.linking import facings_of

FULL_LONG_PX: Final = 3300
"""Long side at which print is read. A price is 30 px high there; at the eyes' working size its
small cents are lost, and more than this costs twice the time for a few lines (docs/tags.md)."""
WHOLE_LONG_PX: Final = 2000
"""Up to this long side the whole photo is looked at for text; above, only the shelves' edges."""


class TagReader:
    """Reads tags; holds a loaded reader of text."""

    def __init__(self, reader: ReadsText) -> None:
        """Keep the reader."""
        self._reader = reader

    def read(
        self, source: Path | bytes, seen: Observation, *, near: Sequence[Box] = ()
    ) -> Observation:
        """The observation with its price tags.

        Args:
            source: the photo's file or bytes, the same that was looked at.
            seen: what it shows. A refused photo stays as it is.
            near: boxes in the photo's pixels whose tags are read first.
        Raises:
            UnreadablePhoto: it is no photo that can be read.
        """
        if seen.photo.verdict == "refused":
            return seen
        photo = read_photo(source, name=seen.photo.file, long_px=FULL_LONG_PX)
        found = group_tags(self._lines(photo, seen, near))
        boxes = [tag.box_xyxy_px for tag in found]
        linked = facings_of(boxes, seen.facings)
        codes = _in_full_size(read_bar_codes(photo.rgb), photo.scale)
        tags = tuple(
            _told(tag, _gtin(tag, codes), own) for tag, own in zip(found, linked, strict=True)
        )
        return replace(seen, tags=tags)

    def _lines(self, photo: Photo, seen: Observation, near: Sequence[Box]) -> list[TextLine]:
        """The lines between the products, in pixels of the full photo."""
        facings = np.array([facing.box_xyxy_px for facing in seen.facings]).reshape(-1, 4)
        lines: list[TextLine] = []
        for x1, y1, x2, y2 in _regions(photo, seen):
            shift = np.array([x1, y1, x1, y1])
            wanted = between_products(
                (facings - shift) * photo.scale,
                [tuple(((np.array(box) - shift) * photo.scale).tolist()) for box in near],
            )
            part = _cut(photo.rgb, (np.array([x1, y1, x2, y2]) * photo.scale).tolist())
            lines += [
                replace(
                    line,
                    box_xyxy_px=tuple((np.array(line.box_xyxy_px) / photo.scale + shift).tolist()),
                )
                for line in self._reader.read(part, wanted)
            ]
        return lines


def _regions(photo: Photo, seen: Observation) -> list[Box]:
    """Where to look for text, in pixels of the full photo."""
    whole = (0.0, 0.0, float(photo.width), float(photo.height))
    if max(photo.width, photo.height) <= WHOLE_LONG_PX:
        return [whole]
    return shelf_edges(seen.rows, photo.width, photo.height)


def _cut(rgb: Pixels, box: Sequence[float]) -> Pixels:
    x1, y1, x2, y2 = (round(edge) for edge in box)
    return rgb[y1:y2, x1:x2]


def _in_full_size(codes: Sequence[BarCode], scale: float) -> list[BarCode]:
    full = []
    for code in codes:
        x1, y1, x2, y2 = (edge / scale for edge in code.box_xyxy_px)
        full.append(BarCode(code.gtin, (x1, y1, x2, y2)))
    return full


def _gtin(tag: Found, codes: Sequence[BarCode]) -> str | None:
    """The one code that stands on a tag; None where there is none or where there are several."""
    x1, y1, x2, y2 = tag.box_xyxy_px
    room = y2 - y1
    inside = {
        code.gtin
        for code in codes
        if x1 - room <= (code.box_xyxy_px[0] + code.box_xyxy_px[2]) / 2 <= x2 + room
        and y1 - room <= (code.box_xyxy_px[1] + code.box_xyxy_px[3]) / 2 <= y2 + room
    }
    return inside.pop() if len(inside) == 1 else None


def _told(tag: Found, gtin: str | None, facings: tuple[int, ...]) -> Tag:
    x1, y1, x2, y2 = (round(float(edge), 1) for edge in tag.box_xyxy_px)
    return Tag(
        box_xyxy_px=(x1, y1, x2, y2),
        price=tag.price.amount,
        score=round(tag.price.score, 3),
        readings=tag.price.readings,
        currency=tag.price.currency,
        gtin=gtin,
        facings=facings,
    )
