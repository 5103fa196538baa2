"""Real layouts: the 354 labelled tobacco shelves as planograms, and rows seen on photos of 112.

Labels name the brand of one facing in five, the rest is "other"; boxes and rows are people's.
Writes nothing but the drawings it is asked for.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from planograms.model import Planogram, Position, Product, Shelf
from storepulse.eval.bays import BY_ROWS, KINDS, REGISTERED, Counts, counts, f1_figures, judged
from storepulse.eval.data_folders import need, number_in, rows_of
from storepulse.eval.exposures import Eyes
from storepulse.eval.figures import Figure, Report
from storepulse.eval.progress import Steps
from storepulse.eval.resampling import ROUNDS, drawn_anew, interval_of
from storepulse.eval.second_photos import MADE_AT
from storepulse.simulated.bays import CLEAN, show
from vision.geometry import Boxes, boxes_of, iou
from vision.observation import Observation
from vision.photos import Photo

WORST: Final = 10
OVERLAP_MIN: Final = 0.5
_COLUMNS: Final = ("photo", "x", "y", "w", "h", "brand", "row", "position", "row_sure")
_PHOTO_COLUMNS: Final = ("photo", "file", "original_width", "original_height", "width", "height")


@dataclass(frozen=True, slots=True)
class Labelled:
    """One labelled facing, in pixels of the original photo."""

    box: tuple[float, float, float, float]
    brand: int
    row: int  # 1 is the highest
    place: int


def read_layouts(folder: Path) -> dict[str, list[Labelled]]:
    """The labelled shelves by photo; those whose rows are not sure are left out.

    Raises:
        WrongData: the folder does not hold them.
    """
    need(folder, "tobacco_shelves.csv")
    out: dict[str, list[Labelled]] = defaultdict(list)
    unsure = set()
    for line in rows_of(folder / "tobacco_shelves.csv", _COLUMNS):
        x, y, w, h = (number_in(line, name) for name in ("x", "y", "w", "h"))
        if line["row_sure"] == "0":
            unsure.add(line["photo"])
        out[line["photo"]].append(
            Labelled((x, y, x + w, y + h), int(number_in(line, "brand")),
                     int(number_in(line, "row")), int(number_in(line, "position")))
        )  # fmt: skip
    return {photo: facings for photo, facings in sorted(out.items()) if photo not in unsure}


def planogram_of(facings: Sequence[Labelled]) -> Planogram:
    """The layout as a planogram: a position of each facing, a product of each brand."""
    rows = max(each.row for each in facings)
    boxes = boxes_of([each.box for each in facings])
    low = boxes[:, :2].min(axis=0) - 10
    boxes = boxes - np.tile(low, 2)
    width, height = boxes[:, 2:].max(axis=0) + 10
    positions, shelves = [], []
    for row in range(1, rows + 1):
        mine = [k for k, each in enumerate(facings) if each.row == row]
        mine.sort(key=lambda k: facings[k].place)
        for index, k in enumerate(mine):
            x1, y1, x2, y2 = boxes[k].tolist()
            positions.append(
                Position(id=f"r{rows - row}-p{index}", row=rows - row, index=index,
                         product=f"brand-{facings[k].brand}", box_xyxy=(x1, y1, x2, y2))
            )  # fmt: skip
        foot = float(np.median(boxes[mine, 3])) if mine else height
        shelves.append(Shelf(row=rows - row, line_xyxy=(0, foot, width, foot), height=100.0))
    brands = sorted({position.product for position in positions})
    return Planogram(
        id="layout", name="layout", bay="layout", version=1, made_at=MADE_AT, source="plan",
        unit="px", width=float(width), height=float(height), shelves=tuple(shelves),
        products=tuple(Product(id=brand, sku=brand, name=brand) for brand in brands),
        positions=tuple(positions),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """How the rows and order that were seen agree with the labels of one photo."""

    photo: str
    similarity: float
    """2 x facings in common order / (labelled + seen)."""
    order: float
    """The same among facings that are both labelled and seen."""
    found: float
    """The share of the labelled facings that were seen."""


def measure_layouts(
    folder: Path, looker: Eyes, *, photos_max: int | None, draw: Path | None, seed: int,
    steps: Steps,
) -> Report:  # fmt: skip
    """Judge all layouts against themselves with planted deviations, and read the photos.

    Args:
        draw: the ten photos that agree least are drawn into this folder.
    Raises:
        WrongData: the folder does not hold them.
        UnreadablePhoto: one of the photos cannot be read.
    """
    layouts = read_layouts(folder)
    told: dict[str, list[Counts]] = {BY_ROWS: [], REGISTERED: []}
    for number, facings in enumerate(steps(list(layouts.values()), "judging layouts")):
        shown = show(planogram_of(facings), np.random.default_rng([seed, number]), noise=CLEAN)
        for way, some in told.items():
            got = judged(shown, way, seed=seed + number, least=0.55)
            some.append(counts(shown, got, shown.seen))
    reads = _read_photos(folder, layouts, looker, photos_max, draw, steps)
    figures = [
        figure
        for way, some in told.items()
        for figure in f1_figures(f"layouts: {way}", some, KINDS, seed)
    ]
    for name in ("similarity", "order", "found"):
        values = [getattr(read, name) for read in reads]
        low, high = interval_of(
            [float(np.mean(few)) for few in drawn_anew(values, seed=seed, rounds=ROUNDS)]
        )
        figures.append(
            Figure(name=f"sequence_{name}", of="photos", value=float(np.mean(values)), low=low,
                   high=high, n=len(values))
        )  # fmt: skip
    worst = ", ".join(f"{read.photo} {read.similarity:.2f}" for read in _worst(reads))
    return Report(
        measure="layouts",
        settings={"layouts": len(layouts), "photos": len(reads), "seed": seed},
        figures=tuple(figures),
        notes=(
            "layouts: people's boxes, rows and brands; deviations, views and likelihoods are drawn",
            "photos: packs cut by the edge or standing in a second line may not be labelled; what "
            "is seen there counts against similarity, not against order",
            f"least alike: {worst}",
        ),
    )


def _worst(reads: Sequence[Read]) -> list[Read]:
    return sorted(reads, key=lambda read: read.similarity)[:WORST]


def _read_photos(
    folder: Path,
    layouts: Mapping[str, Sequence[Labelled]],
    looker: Eyes,
    photos_max: int | None,
    draw: Path | None,
    steps: Steps,
) -> list[Read]:
    need(folder, "tobacco_photos.csv", "tobacco_photos")
    lines = [
        line for line in rows_of(folder / "tobacco_photos.csv", _PHOTO_COLUMNS)
        if line["photo"] in layouts
    ][:photos_max]  # fmt: skip
    reads = []
    kept: dict[str, tuple[Photo, Observation, Boxes]] = {}
    for line in steps(lines, "reading photos"):
        photo, seen = looker.look_at(folder / line["file"], name=line["photo"])
        grown = [photo.width / number_in(line, "original_width"),
                 photo.height / number_in(line, "original_height")]  # fmt: skip
        labelled = layouts[line["photo"]]
        boxes = boxes_of([each.box for each in labelled]) * np.tile(grown, 2)
        reads.append(read_of(line["photo"], labelled, boxes, seen))
        kept[line["photo"]] = photo, seen, boxes
    if draw is not None:
        draw.mkdir(parents=True, exist_ok=True)
        for number, read in enumerate(_worst(reads)):
            picture = drawn_rows(*kept[read.photo])
            cv2.imwrite(str(draw / f"{number:02d}_{Path(read.photo).stem}.png"), picture[..., ::-1])
    return reads


def read_of(name: str, labelled: Sequence[Labelled], boxes: Boxes, seen: Observation) -> Read:
    """Compare rows and order as seen with the labels.

    Args:
        boxes: (n, 4) of the labelled facings, in pixels of the full photo.
    """
    facings = [facing for facing in seen.facings if facing.row is not None]
    mine = boxes_of([facing.box_xyxy_px for facing in facings])
    pairs = {}
    if len(mine) and len(boxes):
        shared = iou(mine, boxes)
        for i, k in zip(*linear_sum_assignment(shared, maximize=True), strict=True):
            if shared[i, k] >= OVERLAP_MIN:
                pairs[int(i)] = int(k)
    true = sorted(range(len(labelled)), key=lambda k: (labelled[k].row, labelled[k].place))
    told = sorted(
        range(len(facings)), key=lambda i: (-(facings[i].row or 0), mine[i, 0] + mine[i, 2])
    )
    # What is seen but not labelled gets a number that no label has.
    said = [pairs.get(i, len(labelled) + i) for i in told]
    both = set(pairs.values())
    return Read(
        photo=name,
        similarity=_alike(true, said),
        order=_alike([k for k in true if k in both], [k for k in said if k in both]),
        found=len(both) / len(labelled),
    )


def _alike(first: Sequence[int], second: Sequence[int]) -> float:
    return SequenceMatcher(None, list(first), list(second), autojunk=False).ratio()


_COLOURS: Final = ((230, 60, 60), (60, 200, 60), (70, 110, 255), (240, 180, 0), (200, 60, 220),
                   (0, 200, 210), (255, 120, 40), (150, 150, 255))  # fmt: skip


def drawn_rows(photo: Photo, seen: Observation, labelled: Boxes) -> npt.NDArray[np.uint8]:
    """The photo with what was seen, coloured by row, and thin white boxes for the labels."""
    picture = photo.rgb.copy()
    for box in labelled * photo.scale:
        x1, y1, x2, y2 = (round(float(edge)) for edge in box)
        cv2.rectangle(picture, (x1, y1), (x2, y2), (255, 255, 255), 1)
    for facing in seen.facings:
        x1, y1, x2, y2 = (round(edge * photo.scale) for edge in facing.box_xyxy_px)
        colour = (128, 128, 128) if facing.row is None else _COLOURS[facing.row % len(_COLOURS)]
        cv2.rectangle(picture, (x1 + 2, y1 + 2), (x2 - 2, y2 - 2), colour, 2)
        if facing.row is not None:
            cv2.putText(picture, str(facing.row), (x1 + 4, y2 - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.45,
                        colour, 1, cv2.LINE_AA)  # fmt: skip
    return picture
