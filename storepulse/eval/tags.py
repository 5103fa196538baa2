"""How many price tags are found, and how many prices are read right, of tags that people read."""

import csv
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from PIL import Image

from storepulse.eval.data_folders import WrongData, need
from storepulse.eval.figures import Figure, Report
from storepulse.eval.progress import Steps
from storepulse.eval.resampling import ratio_interval
from vision.observation import Box, Observation, Tag
from vision.photos import Photo
from vision.tags.lines import ReadsText, every_line
from vision.tags.prices import read_price
from vision.tags.reading import TagReader

_CROP_LONG_PX: Final = 320
"""Long side to which small pictures of single tags are enlarged: print as high as on photos."""
_RIM: Final = 0.1
"""A tag is met when the middle of ours lies in the labelled box, a tenth larger on each side."""


class LooksAt(Protocol):
    """Eyes: what `vision.look.Looker` offers."""

    def look_at(
        self, source: Path | bytes, *, name: str | None = None
    ) -> tuple[Photo, Observation]:
        """Read a photo and say what it shows."""
        ...


@dataclass(frozen=True, slots=True)
class Labelled:
    """One tag that a person marked."""

    box_xyxy_px: Box
    price: Decimal | None
    """None: nobody wrote it down."""


@dataclass(frozen=True, slots=True)
class TagCounts:
    """One photo's, or one group of crops', counts."""

    labelled: int
    found: int
    priced: int
    """Of the labelled ones, those whose price is known."""
    read: int
    """Of the priced ones, those of which a price was told."""
    right: int
    """Of the read ones, those whose most likely reading is the price."""
    open: int
    """Of the read ones, those of which another reading is the price."""
    told: int


def measure_tags(
    folder: Path, looker: LooksAt, reader: ReadsText, *, seed: int, steps: Steps
) -> Report:
    """Measure on whole photos (tags.json) and on pictures of single tags (crops.csv).

    Raises:
        WrongData: the folder does not hold them.
        UnreadablePhoto: one of the photos cannot be read.
    """
    need(folder, "tags.json", "photos", "crops.csv", "crops")
    labels = _read_labels(folder / "tags.json")
    by_photo = []
    for file in steps(sorted(labels), "reading tags of photos"):
        _, seen = looker.look_at(folder / file)
        read = TagReader(reader).read(folder / file, seen)
        by_photo.append(count_tags(read.tags or (), labels[file]))
    figures = _figures(by_photo, of="whole photos", seed=seed)
    for source, groups in sorted(_crops(folder, reader, steps).items()):
        figures += _figures(groups, of=source, seed=seed)
    return Report(
        measure="tags",
        settings={"photos": len(by_photo), "seed": seed},
        figures=tuple(figures),
        notes=(
            "a label is met by a told price whose middle lies in it; many labelled tags are too",
            "small or blurred to be read by anybody, and some real tags are not labelled;",
            "photos from one shop, on two days; pictures of single tags from three countries;",
            "a refused photo counts as one on which no tag was found",
        ),
    )


def count_tags(told: Sequence[Tag], labels: Sequence[Labelled]) -> TagCounts:
    """Compare one photo's tags with the labelled ones; each of ours meets one at most."""
    free = list(told)
    found = read = right = possible = 0
    for label in labels:
        met = next((tag for tag in free if _inside(tag.box_xyxy_px, label.box_xyxy_px)), None)
        if met is None:
            continue
        free.remove(met)
        found += 1
        if label.price is not None:
            read += 1
            right += met.price == label.price
            possible += met.price != label.price and label.price in met.readings
    priced = sum(label.price is not None for label in labels)
    return TagCounts(len(labels), found, priced, read, right, possible, len(told))


def _inside(box: Box, label: Box) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    wide, tall = _RIM * (label[2] - label[0]), _RIM * (label[3] - label[1])
    return label[0] - wide <= x <= label[2] + wide and label[1] - tall <= y <= label[3] + tall


def _read_labels(path: Path) -> dict[str, list[Labelled]]:
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        files: Mapping[int, str] = {image["id"]: image["file_name"] for image in plain["images"]}
        labels: dict[str, list[Labelled]] = {file: [] for file in files.values()}
        for one in plain["annotations"]:
            labels[files[one["image_id"]]].append(_label(one))
    except (KeyError, TypeError, ValueError) as error:
        raise WrongData(f"--data: {path} is no COCO file of tags ({error})") from error
    return labels


def _label(plain: Mapping[str, Any]) -> Labelled:
    x, y, wide, tall = plain["bbox"]
    price = plain.get("price")
    return Labelled((x, y, x + wide, y + tall), None if price is None else Decimal(price))


def _crops(folder: Path, reader: ReadsText, steps: Steps) -> dict[str, list[TagCounts]]:
    """Source of the pictures -> counts, one for each physical tag."""
    with (folder / "crops.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["certainty"] in ("sure", "file")]
    groups: dict[str, dict[str, list[TagCounts]]] = defaultdict(lambda: defaultdict(list))
    for row in steps(rows, "reading pictures of single tags"):
        price = read_price(reader.read(_upright(folder / "crops" / row["file"], row), every_line))
        true = Decimal(row["price"])
        right = price is not None and price.amount == true
        possible = price is not None and not right and true in price.readings
        counts = TagCounts(1, price is not None, 1, price is not None, right, possible, 1)
        groups[_source(row["file"])][row["group"]].append(counts)
    return {source: [_sum(one) for one in tags.values()] for source, tags in groups.items()}


def _source(file: str) -> str:
    parts = file.split("_")
    return "single tags, " + ("jp" if parts[0] == "jp" else "_".join(parts[:2]))


def _sum(counts: Sequence[TagCounts]) -> TagCounts:
    return TagCounts(
        *(
            sum(getattr(one, name) for one in counts)
            for name in ("labelled", "found", "priced", "read", "right", "open", "told")
        )
    )


def _upright(path: Path, row: Mapping[str, str]) -> np.ndarray:
    with Image.open(path) as stored:
        picture = stored.convert("RGB").rotate(int(row["turned_clockwise_deg"] or 0), expand=True)
    grow = max(1.0, _CROP_LONG_PX / max(picture.size))
    size = (round(picture.width * grow), round(picture.height * grow))
    return np.asarray(picture.resize(size, Image.Resampling.BICUBIC))


def _figures(counts: Sequence[TagCounts], *, of: str, seed: int) -> list[Figure]:
    shares = (
        ("found", [one.found for one in counts], [one.labelled for one in counts]),
        ("read, of known prices", [one.read for one in counts], [one.priced for one in counts]),
        ("right, of those read", [one.right for one in counts], [one.read for one in counts]),
        (
            "right or left open, of those read",
            [one.right + one.open for one in counts],
            [one.read for one in counts],
        ),
    )
    figures = []
    for name, part, whole in shares:
        total = sum(whole)
        low, high = ratio_interval(part, whole, seed=seed) if total else (None, None)
        value = sum(part) / total if total else None
        figures.append(Figure(name=name, of=of, value=value, low=low, high=high, n=total))
    return figures
