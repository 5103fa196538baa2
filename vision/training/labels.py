"""Read labelled photos from COCO JSON or a YOLO folder into one frozen value. Decodes no photo."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from vision.training.errors import LabelsUnreadable

Boxes = NDArray[np.float32]  # (n, 4), x1 y1 x2 y2, pixels of the upright photo

_Row = tuple[float, float, float, float]  # x y w h, as the files have it

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
    document = _read_document(path)
    boxes_of: dict[int | str, list[_Annotation]] = {image.id: [] for image in document.images}
    for annotation in document.annotations:
        if annotation.image_id not in boxes_of:
            raise LabelsUnreadable(
                f"{path.name}: an annotation belongs to image {annotation.image_id}, "
                "which the file does not list"
            )
        boxes_of[annotation.image_id].append(annotation)
    photos = [
        _coco_photo(image, boxes_of[image.id], photos_dir, trusted)
        for image in document.images
        if split is None or image.split == split
    ]
    kept = tuple(photo for photo in photos if photo is not None)
    if not kept:
        wanted = "" if split is None else f" in split {split!r}"
        raise LabelsUnreadable(f"{path.name} has no photo with trusted boxes{wanted}")
    return Labels(kept)


@dataclass(frozen=True, slots=True)
class _Image:
    id: int | str
    file_name: str
    width: int
    height: int
    split: str | None = None
    ignore: tuple[_Row, ...] | None = None


@dataclass(frozen=True, slots=True)
class _Annotation:
    image_id: int | str
    bbox: _Row
    source: str = "truth"
    iscrowd: int = 0


@dataclass(frozen=True, slots=True)
class _Document:
    images: tuple[_Image, ...]
    annotations: tuple[_Annotation, ...]


def _read_document(path: Path) -> _Document:
    try:
        return TypeAdapter(_Document).validate_json(path.read_bytes())
    except OSError as error:
        raise LabelsUnreadable(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"]) or "the file"
        raise LabelsUnreadable(
            f"{path.name} is not COCO JSON: {place}: {first['msg']} (want images with id, "
            "file_name, width, height and annotations with image_id and bbox of x y w h)"
        ) from error


def _coco_photo(
    image: _Image,
    annotations: list[_Annotation],
    photos_dir: Path,
    trusted: Collection[str],
) -> LabelledPhoto | None:
    facings: list[_Row] = []
    doubtful: list[_Row] = list(image.ignore or ())
    for annotation in annotations:
        sure = annotation.source in trusted and not annotation.iscrowd
        (facings if sure else doubtful).append(annotation.bbox)
    if doubtful and annotations and not facings:
        return None
    return LabelledPhoto(
        path=photos_dir / image.file_name,
        width_px=image.width,
        height_px=image.height,
        facings=_corners(facings, image.width, image.height, image.file_name),
        ignore=_corners(doubtful, image.width, image.height, image.file_name),
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
        rows: list[_Row] = []
        for number, line in enumerate(text.read_text(encoding="utf-8").splitlines(), start=1):
            if not line.strip():
                continue
            try:
                _, cx, cy, w, h = (float(word) for word in line.split())
            except ValueError as error:
                raise LabelsUnreadable(
                    f"{text.name} line {number}: want `class cx cy w h`, got {line!r}"
                ) from error
            rows.append(((cx - w / 2) * width, (cy - h / 2) * height, w * width, h * height))
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


def _corners(rows: list[_Row], width_px: int, height_px: int, name: str) -> Boxes:
    """Turn x y w h rows into clipped corners; refuse what cannot be a box of this photo."""
    corners = []
    for row in rows:
        if not all(math.isfinite(value) for value in row):
            raise LabelsUnreadable(f"{name}: a box must be four finite numbers, got {row}")
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
