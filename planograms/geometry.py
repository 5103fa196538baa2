"""Boxes and plane maps, as `vision.geometry` has them: a planogram's frame is mapped to a photo."""

from vision.geometry import (
    Boxes,
    PlaneMap,
    areas,
    boxes_of,
    centres,
    inverse,
    iou,
    map_from_pairs,
    mapped,
    mapped_boxes,
    overlaps,
    plausible,
    sizes,
    touched,
    visible_share,
)

__all__ = [
    "Boxes",
    "PlaneMap",
    "areas",
    "boxes_of",
    "centres",
    "inverse",
    "iou",
    "map_from_pairs",
    "mapped",
    "mapped_boxes",
    "overlaps",
    "plausible",
    "sizes",
    "touched",
    "visible_share",
]
