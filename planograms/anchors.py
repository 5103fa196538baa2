"""Image features around each item of a checklist, as a file: where it is, for a live camera. Pure.

A camera that shows the shelf is matched with these key points, and so knows where each item lies.
The form (docs/anchors.md), all numbers little-endian:

    4 bytes   "SPA1"
    uint32    length of the head
    head      JSON, UTF-8: {"photo", "width", "height", "descriptor": "ORB", "descriptor_bytes": 32,
              "items": [{"id", "box_xyxy_px", "first", "count"}]}
    points    each 48 bytes: float32 x, y, size (pixels of the photo as a viewer shows it), angle
              (degrees); 32 bytes ORB descriptor

An item's points are `count` ones from `first`. They lie around its box, not on it: what stands in
the box will change.
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from planograms.errors import BadPlanogram
from planograms.pictures import Pixels
from storepulse.checklists import ChecklistItem

MAGIC: Final = b"SPA1"
POINTS_MAX: Final = 150
"""Of one item: a homography needs a dozen that agree, of which most may be out of view."""
_AROUND: Final = 2.0
"""So far, in sizes of the box, beyond each of its sides."""
_AROUND_MIN_PX: Final = 60.0
_POINTS_IN_ALL: Final = 4_000
_DESCRIPTOR_BYTES: Final = 32
POINT: Final = np.dtype(
    [("x", "<f4"), ("y", "<f4"), ("size", "<f4"), ("angle", "<f4"),
     ("descriptor", "u1", (_DESCRIPTOR_BYTES,))]
)  # fmt: skip


@dataclass(frozen=True)
class Anchors:
    """What such a file says."""

    head: dict[str, Any]
    points: npt.NDArray[np.void]
    """(n,) of `POINT`."""

    def of(self, item: str) -> npt.NDArray[np.void]:
        """The points of one item; (0,) for one that is not there."""
        for each in self.head["items"]:
            if each["id"] == item:
                mine: npt.NDArray[np.void] = self.points[each["first"] :][: each["count"]]
                return mine
        return self.points[:0]


def anchor_file(rgb: Pixels, scale: float, items: Sequence[ChecklistItem], *, photo: str) -> bytes:
    """The features of a photo around the items of its checklist.

    Args:
        rgb: the copy that is kept: people are blurred in it.
        scale: pixels of `rgb` for one of the photo as a viewer shows it.
    """
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    found, described = cv2.ORB.create(nfeatures=_POINTS_IN_ALL).detectAndCompute(grey, None)
    whole = np.zeros(len(found), POINT)
    for k, point in enumerate(found):
        x, y = point.pt
        whole[k] = (x / scale, y / scale, point.size / scale, point.angle, described[k])
    strength = np.array([point.response for point in found], dtype=np.float64)
    told, points, first = [], [whole[:0]], 0
    for item in items:
        near = np.flatnonzero(_around(whole, item.box_xyxy_px))
        mine = whole[near[np.argsort(-strength[near], kind="stable")[:POINTS_MAX]]]
        told.append(
            {"id": item.id, "box_xyxy_px": list(item.box_xyxy_px), "first": first,
             "count": len(mine)}
        )  # fmt: skip
        points.append(mine)
        first += len(mine)
    head = {
        "photo": photo, "width": round(rgb.shape[1] / scale), "height": round(rgb.shape[0] / scale),
        "descriptor": "ORB", "descriptor_bytes": _DESCRIPTOR_BYTES, "items": told,
    }  # fmt: skip
    packed = json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    body: bytes = np.concatenate(points).tobytes()
    return MAGIC + struct.pack("<I", len(packed)) + packed + body


def read_anchors(content: bytes) -> Anchors:
    """Read such a file.

    Raises:
        BadPlanogram: it is none, or was cut off.
    """
    try:
        (length,) = struct.unpack_from("<I", content, len(MAGIC))
        start = len(MAGIC) + 4 + length
        head = json.loads(content[len(MAGIC) + 4 : start])
        points = np.frombuffer(content[start:], POINT)
        whole = sum(each["count"] for each in head["items"]) == len(points)
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise BadPlanogram(f"the anchors cannot be read: {error}") from error
    if not content.startswith(MAGIC) or not whole:
        raise BadPlanogram("the anchors cannot be read: the file is another one, or cut off")
    return Anchors(head, points)


def _around(
    points: npt.NDArray[np.void], box: tuple[float, float, float, float]
) -> npt.NDArray[np.bool_]:
    x1, y1, x2, y2 = box
    wide = max(_AROUND * (x2 - x1), _AROUND_MIN_PX)
    high = max(_AROUND * (y2 - y1), _AROUND_MIN_PX)
    x, y = points["x"], points["y"]
    near = (x > x1 - wide) & (x < x2 + wide) & (y > y1 - high) & (y < y2 + high)
    on_it = (x >= x1) & (x <= x2) & (y >= y1) & (y <= y2)
    return np.asarray(near & ~on_it, dtype=np.bool_)
