"""Read the price tags of a photo that was looked at: the second answer, seconds after the first.

What a plan expects is read first, so that an answer that is cut short has what matters.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vision.observation import Box, Observation, Tag
from vision.photos import Photo, read_photo
from vision.tags.barcodes import BarCode, read_bar_codes
from vision.tags.finding import Found, beside, between_products, group_tags, shelf_edges
from vision.tags.lines import InTime, Pixels, ReadsText, TextLine, Wanted, always, until_late
from vision.tags.linking import facings_of

Floats = NDArray[np.float64]

FULL_LONG_PX: Final = 3300
"""Long side at which print is read. A price is 30 px high there; at the eyes' working size its
small cents are lost, and more than this costs twice the time for a few lines (docs/tags.md)."""
WHOLE_LONG_PX: Final = 2000
"""Up to this long side the whole photo is looked at for text; above, only the shelves' edges."""

AT_ONCE_PX: Final = 0.7e6
"""What a node's reader looks at in one go: 3,300 px of a shelf's edge, 216 high."""
OVERLAP_PX: Final = 72
"""How far strips overlap, at reading size: no line on a tag is as tall."""
READING_S_MAX: Final = 3.5
"""How long a node reads the tags of one photo, so that prices are there five seconds after it: the
first answer takes one, and beginning to read a part of the other."""


class TagReader:
    """Reads tags; holds a loaded reader of text."""

    def __init__(self, reader: ReadsText, *, at_once_px: float = np.inf) -> None:
        """Keep the reader.

        Args:
            at_once_px: pixels that it looks at in one go; larger parts of a photo are shown to it
                in strips that overlap, which bounds its memory and how late it can be.
        """
        self._reader = reader
        self._at_once_px = at_once_px

    def read(
        self,
        source: Path | bytes,
        seen: Observation,
        *,
        near: Sequence[Box] = (),
        in_time: InTime = always,
    ) -> Observation:
        """The observation with its price tags.

        Args:
            source: the photo's file or bytes, the same that was looked at.
            seen: what it shows. A refused photo stays as it is.
            near: boxes in the photo's pixels whose tags are read first.
            in_time: asked before each shelf's edge and each line; once it says no, what was read
                is the answer. A tag of which a line was left unread is not told.
        Raises:
            UnreadablePhoto: it is no photo that can be read.
        """
        if seen.photo.verdict == "refused":
            return seen
        photo = read_photo(source, name=seen.photo.file, long_px=FULL_LONG_PX)
        found = group_tags(self._lines(photo, seen, near, in_time))
        boxes = [tag.box_xyxy_px for tag in found]
        linked = facings_of(boxes, seen.facings)
        codes = _in_full_size(read_bar_codes(photo.rgb), photo.scale) if in_time() else []
        tags = tuple(
            _told(tag, _gtin(tag, codes), own) for tag, own in zip(found, linked, strict=True)
        )
        return replace(seen, tags=tags)

    def _lines(
        self, photo: Photo, seen: Observation, near: Sequence[Box], in_time: InTime
    ) -> list[TextLine]:
        """The lines between the products, in pixels of the full photo."""
        facings = np.array([facing.box_xyxy_px for facing in seen.facings]).reshape(-1, 4)
        lines: list[TextLine] = []
        strips = [
            strip
            for region in _regions(photo, seen)
            for strip in _strips(region, self._at_once_px / photo.scale**2, photo.scale)
        ]
        for strip in _in_turn(strips, near):
            if not in_time():
                break
            x1, y1, x2, y2 = strip.box
            shift = np.array([x1, y1, x1, y1])
            wanted = between_products(
                (facings - shift) * photo.scale,
                [tuple(((np.array(box) - shift) * photo.scale).tolist()) for box in near],
            )
            part = _cut(photo.rgb, (np.array([x1, y1, x2, y2]) * photo.scale).tolist())
            own = _of_strip(wanted, (strip.top - y1) * photo.scale, (strip.foot - y1) * photo.scale)
            late: list[Box] = []
            read = self._reader.read(part, until_late(own, in_time, late))
            lines += [
                replace(line, box_xyxy_px=_on_photo(line.box_xyxy_px, photo, shift))
                for line in read
                if not any(beside(line, place) for place in late)
            ]
        return lines


def _on_photo(box: Box, photo: Photo, shift: Floats) -> Box:
    x1, y1, x2, y2 = (np.array(box) / photo.scale + shift).tolist()
    return x1, y1, x2, y2


@dataclass(frozen=True, slots=True)
class _Strip:
    """A part of a region that is looked at in one go."""

    box: Box
    top: float
    foot: float
    """What has its middle between the two belongs to this strip; the rest to the next ones."""


def _strips(region: Box, area_max: float, scale: float) -> list[_Strip]:
    """A region from its top to its foot, in parts of at most an area, in the photo's pixels."""
    x1, y1, x2, y2 = region
    overlap = OVERLAP_PX / scale
    tall = max(area_max / max(x2 - x1, 1.0), 3 * overlap)
    if y2 - y1 <= tall:
        return [_Strip(region, y1, y2)]
    count = math.ceil((y2 - y1 - overlap) / (tall - overlap))
    step = (y2 - y1 - overlap) / count
    tops = [y1 + step * number for number in range(count)]
    borders = [y1, *(top + overlap / 2 for top in tops[1:]), y2]
    return [
        _Strip((x1, top, x2, top + step + overlap), border, next_)
        for top, border, next_ in zip(tops, borders, borders[1:], strict=False)
    ]


def _of_strip(wanted: Wanted, top: float, foot: float) -> Wanted:
    def own(places: Sequence[Box]) -> list[int]:
        return [at for at in wanted(places) if top <= (places[at][1] + places[at][3]) / 2 < foot]

    return own


def _in_turn(strips: Sequence[_Strip], near: Sequence[Box]) -> list[_Strip]:
    """Those with most of the given boxes at them first; as they are where none are given."""
    boxes = np.array(near, np.float64).reshape(-1, 4)

    def wanted(strip: _Strip) -> int:
        x1, y1, x2, y2 = strip.box
        wide = np.minimum(boxes[:, 2], x2) - np.maximum(boxes[:, 0], x1)
        tall = np.minimum(boxes[:, 3], y2) - np.maximum(boxes[:, 1], y1)
        return int(((wide > 0) & (tall > 0)).sum())

    return sorted(strips, key=lambda strip: -wanted(strip))


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
