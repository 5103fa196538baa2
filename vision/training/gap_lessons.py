"""Lessons for the gap network: labelled gaps by group, and full shelves with packs taken out.

Reads labels and photos, writes tiles into a folder of the run; trains nothing. Photos that were
labelled for gaps all have some, so they teach little about full shelves: shelf photos whose facings
are known do. Where packs stand there is no gap; where a stretch between them is free nobody said
what it is, so it teaches nothing; and some packs are taken out by `erase_facings`, which leaves a
gap whose box is known.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from storepulse.simulated.exposures import Box, erase_facings
from vision.gaps import find_gaps
from vision.rows import find_rows
from vision.training.augment import Picture
from vision.training.errors import LabelsUnreadable
from vision.training.feeding import decode_photos
from vision.training.labels import Boxes, LabelledPhoto, Labels, no_boxes

HELD_OUT_OF: Final = 5
"""One group in so many is measured on and never trained on."""


@dataclass(frozen=True, slots=True)
class Tiling:
    """How shelf photos become lessons. The defaults are those of the shipped network."""

    tile_px: int = 512
    facing_height_px_min: float = 36.0
    facing_height_px_max: float = 80.0
    """Gaps of the labelled pictures are 15 to 90 px high where they are trained on."""
    tiles_a_photo: int = 2
    emptied_share: float = 0.6
    """Of the tiles so many have packs taken out; the others teach only what no gap is."""
    runs_max: int = 3
    run_length_max: int = 3
    """Packs of one row that are taken out together: up to so many, in up to `runs_max` places."""

    def __post_init__(self) -> None:
        if self.tile_px < 32 or self.tiles_a_photo < 1:
            raise ValueError("a tile has at least 32 px, a photo at least one tile")
        if not 0 < self.facing_height_px_min <= self.facing_height_px_max:
            raise ValueError("want 0 < facing_height_px_min <= facing_height_px_max")


@dataclass(frozen=True, slots=True)
class Group:
    """Pictures of one scene, and who gave them."""

    name: str
    source: str


def groups_of(path: Path) -> Mapping[str, Group]:
    """File name -> group, from a COCO file whose images have a `group`, and maybe a `source`.

    Raises:
        LabelsUnreadable: it cannot be read, or an image has no group.
    """
    try:
        images = json.loads(path.read_bytes())["images"]
        return {
            Path(image["file_name"]).name: Group(str(image["group"]), str(image.get("source", "")))
            for image in images
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LabelsUnreadable(
            f"{path} names no groups: want COCO images with file_name and group"
        ) from error


def held_out(groups: Collection[Group]) -> frozenset[Group]:
    """The groups that are measured on: always the same for the same groups.

    A fifth of each source's, and one at least where a source has two: a source that is only
    measured on, or only trained on, would say little.
    """
    chosen: set[Group] = set()
    for source in {group.source for group in groups}:
        own = sorted({group for group in groups if group.source == source}, key=_shuffled)
        count = round(len(own) / HELD_OUT_OF)
        chosen.update(own[: max(count, 1) if len(own) > 1 else count])
    return frozenset(chosen)


def _shuffled(group: Group) -> bytes:
    return hashlib.sha256(f"{group.source}/{group.name}".encode()).digest()


def parted(labels: Labels, groups: Mapping[str, Group]) -> tuple[Labels, Labels]:
    """The photos to train on and those of held-out groups."""
    away = held_out(set(groups.values()))
    taught = [photo for photo in labels.photos if groups[photo.path.name] not in away]
    held = [photo for photo in labels.photos if groups[photo.path.name] in away]
    return Labels(tuple(taught)), Labels(tuple(held))


def share_of(labels: Labels, groups: Mapping[str, Group], part: float) -> Labels:
    """The photos of so large a share of the groups; each share lies within the larger ones."""

    def place(photo: LabelledPhoto) -> float:
        return int.from_bytes(_shuffled(groups[photo.path.name])[-4:], "big") / 2**32

    return Labels(tuple(photo for photo in labels.photos if place(photo) < part))


def shelf_tiles(
    labels: Labels, folder: Path, *, tiling: Tiling, generator: np.random.Generator
) -> Labels:
    """Cut lessons from shelf photos whose facings are labelled, and write them into a folder.

    Returns:
        The tiles with gaps where other photos have facings.
    Raises:
        PhotoUnreadable: a photo is missing, corrupt or of another size than labelled.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tiles: list[LabelledPhoto] = []
    for photo in labels.photos:
        if not len(photo.facings):
            continue
        [(_, picture)] = decode_photos([photo])
        for number in range(tiling.tiles_a_photo):
            tile, gaps, untaught = cut_tile(picture, photo, tiling=tiling, generator=generator)
            path = folder / f"{photo.path.stem}_{number}.png"
            cv2.imwrite(str(path), tile)
            height, width = tile.shape[:2]
            tiles.append(LabelledPhoto(path, width, height, gaps, untaught))
    return Labels(tuple(tiles))


def cut_tile(
    picture: Picture, photo: LabelledPhoto, *, tiling: Tiling, generator: np.random.Generator
) -> tuple[Picture, Boxes, Boxes]:
    """One tile of a photo: its picture, its gaps and the places that teach nothing."""
    facings = photo.facings
    free = _free_stretches(picture, photo)
    if generator.random() < tiling.emptied_share:
        emptied = _runs(facings, tiling, generator)
        rgb = np.ascontiguousarray(picture[:, :, ::-1])
        boxes: list[Box] = [_box(facings[number]) for run in emptied for number in run]
        rgb = erase_facings(rgb, boxes, seed=int(generator.integers(2**31)))
        picture = np.ascontiguousarray(rgb[:, :, ::-1])
        gaps = [_around(facings[list(run)]) for run in emptied]
    else:
        gaps = []
    tall = float(np.median(facings[:, 3] - facings[:, 1]))
    goal = np.exp(
        generator.uniform(np.log(tiling.facing_height_px_min), np.log(tiling.facing_height_px_max))
    )
    scale = min(float(goal) / tall, 1.0)
    size = max(round(picture.shape[1] * scale), 1), max(round(picture.shape[0] * scale), 1)
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    side_x, side_y = min(tiling.tile_px, size[0]), min(tiling.tile_px, size[1])
    left = int(generator.integers(size[0] - side_x + 1))
    top = int(generator.integers(size[1] - side_y + 1))
    tile = np.ascontiguousarray(small[top : top + side_y, left : left + side_x])
    window = np.array([left, top, left + side_x, top + side_y], np.float32)
    return (
        tile,
        _within(np.array(gaps, np.float32).reshape(-1, 4) * scale, window, visible_min=0.5),
        _within(
            np.concatenate([free, photo.ignore]).astype(np.float32) * np.float32(scale),
            window,
            visible_min=0.0,
        ),
    )


def _free_stretches(picture: Picture, photo: LabelledPhoto) -> Boxes:
    """Where a gap could be that nobody labelled: every stretch of a row without a facing."""
    rows = find_rows(photo.facings.astype(np.float64), photo.width_px, photo.height_px)
    stretches = find_gaps(
        photo.facings,
        rows,
        weak_px=no_boxes(),
        rgb=np.ascontiguousarray(picture[:, :, ::-1]),
        scale=1.0,
        score_min=0.0,
    )
    return np.array([gap.box_xyxy_px for gap in stretches], np.float32).reshape(-1, 4)


def _runs(facings: Boxes, tiling: Tiling, generator: np.random.Generator) -> list[tuple[int, ...]]:
    """Neighbours that stand side by side, a few at each of some random places; none twice."""
    taken: set[int] = set()
    runs = []
    wanted = int(generator.integers(2, 2 * tiling.runs_max + 3))
    for first in generator.permutation(len(facings))[:wanted]:
        run = [int(first)] if int(first) not in taken else []
        while run and len(run) < generator.integers(1, tiling.run_length_max + 1):
            beside = _right_of(facings, run[-1], taken)
            if beside is None:
                break
            run.append(beside)
        if run:
            taken.update(run)
            runs.append(tuple(run))
    return runs


def _right_of(facings: Boxes, number: int, taken: Collection[int]) -> int | None:
    """The facing that touches this one's right side on the same level; None where none does."""
    x1, y1, x2, y2 = facings[number]
    wide = x2 - x1
    level = np.minimum(facings[:, 3], y2) - np.maximum(facings[:, 1], y1)
    joined = np.maximum(facings[:, 3], y2) - np.minimum(facings[:, 1], y1)
    beside = (abs(facings[:, 0] - x2) < 0.2 * wide) & (level > 0.7 * joined)
    for other in np.flatnonzero(beside):
        if int(other) not in taken and int(other) != number:
            return int(other)
    return None


def _within(boxes: Boxes, window: Boxes, *, visible_min: float) -> Boxes:
    """Boxes in pixels of the window, cut at its edge; those of which too little is left drop."""
    if not len(boxes):
        return no_boxes()
    cut = boxes.clip(np.tile(window[:2], 2), np.tile(window[2:], 2))
    area = (cut[:, 2:] - cut[:, :2]).clip(0).prod(axis=1)
    whole = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    big = ((cut[:, 2:] - cut[:, :2]) >= 2).all(axis=1)
    kept = big & (area > visible_min * whole)
    return np.asarray(cut[kept] - np.tile(window[:2], 2), np.float32)


def _around(boxes: Boxes) -> Boxes:
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def _box(edges: Boxes) -> Box:
    x1, y1, x2, y2 = (float(edge) for edge in edges)
    return x1, y1, x2, y2


def joined_all(parts: Sequence[Labels]) -> Labels:
    """The photos of all parts, a part repeated counting as often as it comes."""
    return Labels(tuple(photo for part in parts for photo in part.photos))
