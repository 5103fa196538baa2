"""Read labelled photos from COCO JSON or a YOLO folder into one frozen value. Decodes no photo."""

import json
import math
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.training.errors import LabelsUnreadable

Boxes = NDArray[np.float32]  # (n, 4), x1 y1 x2 y2, pixels of the upright photo

# Who drew a box decides whether it teaches: `proposed` ones were never looked at.
TRUSTED_SOURCES = frozenset({"truth", "checked"})
PHOTO_ENDINGS = (".jpg", ".jpeg", ".png", ".webp")


def no_boxes() -> Boxes:
    """Return the empty (0, 4) array of boxes."""
    return np.zeros((0, 4), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPhoto:
    """One photo and what is known of it. `ignore` marks what nobody could label."""

    path: Path
    width_px: int
    height_px: int
    facings: Boxes
    ignore: Boxes

    def __post_init__(self) -> None:
        if self.width_px < 1 or self.height_px < 1:
            raise LabelsUnreadable(f"{self.path.name}: size {self.width_px} x {self.height_px}")
        for name, boxes in (("facings", self.facings), ("ignore", self.ignore)):
            if boxes.ndim != 2 or boxes.shape[1] != 4:
                raise LabelsUnreadable(f"{self.path.name}: {name} must be (n, 4)")
            if len(boxes) and not bool((boxes[:, 2:] > boxes[:, :2]).all()):
                raise LabelsUnreadable(f"{self.path.name}: a box in {name} has no area")


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Labelled photos in the order of their file."""

    photos: tuple[LabelledPhoto, ...]

    @property
    def facing_count(self) -> int:
        """Boxes in all photos together."""
        return sum(len(photo.facings) for photo in self.photos)

    def joined(self, other: Self) -> "Labels":
        """Return the photos of both; a photo named by both is refused.

        Raises:
            LabelsUnreadable: the same file is in both.
        """
        twice = {photo.path for photo in self.photos} & {photo.path for photo in other.photos}
        if twice:
            raise LabelsUnreadable(f"{min(twice)} is in two label files; keep it in one")
        return Labels(self.photos + other.photos)


def read_coco(
    path: Path,
    photos_dir: Path,
    *,
    split: str | None = None,
    trusted: Collection[str] = TRUSTED_SOURCES,
) -> Labels:
    """Read a COCO file: one class, boxes as x y w h in pixels.

    Beyond plain COCO it knows an image's `split` and `ignore` (list of x y w h) and a box's
    `source`. Boxes without a source count as truth. Boxes of a source that is not trusted
    become regions to ignore; so do crowds. A photo of which no box is trusted is left out,
    unless none of its boxes is doubtful either (an empty shelf is a good lesson).

    Args:
        path: the JSON file.
        photos_dir: folder that its `file_name`s start from.
        split: keep the images of this split only; None keeps all.
        trusted: sources whose boxes teach.
    Raises:
        LabelsUnreadable: not there, not JSON, a box outside its photo, no photo left.
    """
    document = _read_json(path)
    try:
        images = {image["id"]: image for image in document["images"]}
        boxes_of: dict[object, list[Any]] = {image_id: [] for image_id in images}
        for annotation in document["annotations"]:
            if annotation["image_id"] not in boxes_of:
                raise LabelsUnreadable(
                    f"{path.name}: annotation {annotation.get('id')} belongs to image "
                    f"{annotation['image_id']}, which the file does not list"
                )
            boxes_of[annotation["image_id"]].append(annotation)
        photos = [
            _coco_photo(image, boxes_of[image_id], photos_dir, trusted)
            for image_id, image in images.items()
            if split is None or image.get("split") == split
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise LabelsUnreadable(
            f"{path.name} is not COCO JSON (images with id, file_name, width, height; "
            f"annotations with image_id, bbox): {error!r}"
        ) from error
    kept = tuple(photo for photo in photos if photo is not None)
    if not kept:
        wanted = "" if split is None else f" in split {split!r}"
        raise LabelsUnreadable(f"{path.name} has no photo with trusted boxes{wanted}")
    return Labels(kept)


def _coco_photo(
    image: dict[str, Any],
    annotations: list[dict[str, Any]],
    photos_dir: Path,
    trusted: Collection[str],
) -> LabelledPhoto | None:
    width, height, name = int(image["width"]), int(image["height"]), str(image["file_name"])
    facings: list[list[float]] = []
    doubtful: list[list[float]] = list(image.get("ignore") or [])
    for annotation in annotations:
        sure = annotation.get("source", "truth") in trusted and not annotation.get("iscrowd", 0)
        (facings if sure else doubtful).append(annotation["bbox"])
    if doubtful and annotations and not facings:
        return None
    return LabelledPhoto(
        path=photos_dir / name,
        width_px=width,
        height_px=height,
        facings=_corners(facings, width, height, name),
        ignore=_corners(doubtful, width, height, name),
    )


def read_yolo(photos_dir: Path, labels_dir: Path) -> Labels:
    """Read a YOLO folder: per photo a .txt with lines `class cx cy w h` from 0 to 1.

    Every class counts as a facing. A photo without a .txt is left out (nobody labelled it);
    an empty .txt says that nothing is there.

    Raises:
        LabelsUnreadable: a line is not five numbers, a box leaves its photo, no photo left.
    """
    photos = []
    for path in sorted(photos_dir.glob("*")) if photos_dir.is_dir() else ():
        text = labels_dir / f"{path.stem}.txt"
        if path.suffix.lower() not in PHOTO_ENDINGS or not text.is_file():
            continue
        width, height = photo_size_px(path)
        rows = []
        for number, line in enumerate(text.read_text(encoding="utf-8").splitlines(), start=1):
            if not line.strip():
                continue
            try:
                _, cx, cy, w, h = (float(word) for word in line.split())
            except ValueError as error:
                raise LabelsUnreadable(
                    f"{text.name} line {number}: want `class cx cy w h`, got {line!r}"
                ) from error
            rows.append([(cx - w / 2) * width, (cy - h / 2) * height, w * width, h * height])
        photos.append(
            LabelledPhoto(path, width, height, _corners(rows, width, height, text.name), no_boxes())
        )
    if not photos:
        raise LabelsUnreadable(
            f"{photos_dir} and {labels_dir} hold no photo with a .txt of the same name"
        )
    return Labels(tuple(photos))


def photo_size_px(path: Path) -> tuple[int, int]:
    """Return the width and height of a photo as the training sees it (EXIF turned upright).

    Raises:
        LabelsUnreadable: the photo cannot be read.
    """
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise LabelsUnreadable(f"{path.name} cannot be read as a photo; replace or remove it")
    return picture.shape[1], picture.shape[0]


def _corners(rows: list[list[float]], width_px: int, height_px: int, name: str) -> Boxes:
    """Turn x y w h rows into clipped corners; refuse what cannot be a box of this photo."""
    corners = []
    for row in rows:
        if len(row) != 4 or not all(math.isfinite(value) for value in row):
            raise LabelsUnreadable(f"{name}: a box must be four numbers x y w h, got {row}")
        x, y, w, h = row
        # Two pixels of slack: tools round differently, a wrong photo is off by far more.
        outside = x < -2 or y < -2 or x + w > width_px + 2 or y + h > height_px + 2
        if w <= 0 or h <= 0 or outside:
            raise LabelsUnreadable(
                f"{name}: box {row} has no area or leaves the photo of {width_px} x {height_px}"
            )
        box = [max(x, 0.0), max(y, 0.0), min(x + w, width_px), min(y + h, height_px)]
        if box[2] > box[0] and box[3] > box[1]:
            corners.append(box)
    return np.array(corners, np.float32).reshape(-1, 4)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise LabelsUnreadable(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(document, dict):
        raise LabelsUnreadable(f"{path.name} is not COCO JSON: want an object at the top")
    return document
