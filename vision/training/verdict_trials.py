"""Photos to learn the verdict from, and to measure it on: good ones, and ones gone wrong.

Each is a part of a real photo in other light (`framed_well`), brought to 1280 px and through a
JPEG, so that a good one and a bad one differ in the mishap alone. Reads photos; judges nothing.
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from storepulse.simulated import conditions
from storepulse.simulated.mishaps import (
    MISHAPS,
    Mishap,
    by_jpeg,
    framed_well,
    surroundings,
)
from storepulse.simulated.packs import Rgb
from storepulse.simulated.shelves import draw_shelf
from vision.photos import read_photo
from vision.training.errors import LabelsUnreadable

GOOD: Final = "good"
NO_SHELF: Final = "no_shelf"
LEVELS: Final[Mapping[str, tuple[float, float]]] = {
    "moved": (2, 30),
    "unfocused": (2, 22),
    "darkened": (3, 250),
    "glaring": (0.02, 0.45),
    "turned": (8, 65),
    "distant": (1.1, 5),
    "cut_off": (0.03, 0.5),
    "off_a_screen": (0.8, 4),
}
"""From hardly seen to hopeless."""
NEAR_EDGES: Final[Mapping[str, tuple[float, float]]] = {
    "glaring": (0.1, 0.45),
    "turned": (22, 65),
    "distant": (1.1, 3.6),
    "cut_off": (0.06, 0.28),
}
"""Half to two and a half times what costs the detector ten points of AP50, as far as a mishap goes.
The whole range alone has too few photos there to learn from."""
_BORNE: Final = 3
"""Of each photo: good ones under conditions that cost the detector little."""
_DRAWN: Final = 40
_WALLS: Final = 80


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One picture to tell apart."""

    group: str
    """The photo it comes from: what is parted or drawn anew goes by whole groups."""
    kind: str
    """"good", "no_shelf" or the name of a mishap."""
    level: float
    """0 where there is none."""
    rgb: Rgb


def shelf_photos(folder: Path, *, split: str) -> list[Path]:
    """Photos of one split of a data folder of shelves (`boxes.json`, `more.json`).

    Raises:
        LabelsUnreadable: the folder is of another form.
    """
    found: list[Path] = []
    for labels, photos in (("boxes.json", "images"), ("more.json", "more")):
        try:
            images = json.loads((folder / labels).read_bytes())["images"]
            found += [
                folder / photos / image["file_name"]
                for image in images
                if image.get("split", "train") == split
            ]
        except (OSError, ValueError, KeyError) as error:
            raise LabelsUnreadable(f"{folder / labels} names no photos of shelves") from error
    return sorted(found)


def training_trials(data: Path) -> Iterator[Trial]:
    """All trials to learn from: shelves of the train split, and what is no shelf.

    Args:
        data: folder with `shelves`, `products`, `tags` and `gaps`.
    Raises:
        LabelsUnreadable, UnreadablePhoto: it is of another form.
    """
    for seed in range(_DRAWN):
        rng = np.random.default_rng([13, seed])
        drawn = drawn_good(seed)
        yield Trial(f"drawn{seed}", f"{GOOD}_drawn", 0.0, drawn)
        lit = by_jpeg(in_other_light(drawn, rng), rng)
        yield Trial(f"drawn{seed}", f"{GOOD}_other_light", 0.0, lit)
    rng = np.random.default_rng(5)
    for path in pictures_of_no_shelf(data, part=0):
        group = path.parent.name if path.parent.name.startswith("gs_") else path.stem
        yield Trial(group, NO_SHELF, 0.0, by_jpeg(at_some_size(read_rgb(path), rng), rng))
    for number in range(_WALLS):
        width, height = (int(side) for side in rng.integers(500, 1280, 2))
        wall = by_jpeg(surroundings(width, height, rng), rng)
        yield Trial(f"wall{number}", NO_SHELF, 0.0, wall)
    for path, group in small_shelves(data / "gaps", part=0):
        yield Trial(group, f"{GOOD}_300", 0.0, by_jpeg(at_some_size(read_rgb(path), rng), rng))
    photos = shelf_photos(data / "shelves", split="train")
    for number, place in enumerate(np.random.default_rng(0).permutation(len(photos))):
        path = photos[place]
        rng = np.random.default_rng([11, number])
        rgb = read_rgb(path)
        levels = {mishap: [level_between(*ends, rng)] for mishap, ends in LEVELS.items()}
        yield from trials_of(rgb, path.stem, good=2, levels=levels, rng=rng)
        yield Trial(path.stem, f"{GOOD}_as_it_came", 0.0, rgb)
        small = at_some_size(framed_well(rgb, rng)[0], rng)
        yield Trial(path.stem, f"{GOOD}_small", 0.0, small)
        lit = by_jpeg(in_other_light(framed_well(rgb, rng)[0], rng), rng)
        yield Trial(path.stem, f"{GOOD}_other_light", 0.0, lit)
        for _ in range(_BORNE):
            seen = borne(framed_well(rgb, rng)[0], rng)
            yield Trial(path.stem, f"{GOOD}_borne", 0.0, by_jpeg(seen, rng))
        if number % 2 == 0:
            room = by_jpeg(with_room_around(rgb, rng), rng)
            yield Trial(path.stem, f"{GOOD}_room", 0.0, room)
        levels = {mishap: [level_between(*ends, rng)] for mishap, ends in NEAR_EDGES.items()}
        yield from trials_of(rgb, path.stem, good=0, levels=levels, rng=rng)


def small_shelves(folder: Path, *, part: int) -> list[tuple[Path, str]]:
    """Shelf photos of 300 px (data of gaps) and their groups; part 0 or 1, parted by group."""
    try:
        images = json.loads((folder / "gaps.json").read_bytes())["images"]
    except (OSError, ValueError, KeyError) as error:
        raise LabelsUnreadable(f"{folder / 'gaps.json'} names no photos") from error
    groups = sorted({str(image["group"]) for image in images})
    chosen = set(groups[part::2])
    return [
        (folder / "images" / Path(image["file_name"]).name, f"gap{image['group']}")
        for image in images
        if str(image["group"]) in chosen
    ]


def trials_of(
    rgb: Rgb, group: str, *, good: int, levels: Mapping[str, Sequence[float]],
    rng: np.random.Generator,
) -> Iterator[Trial]:  # fmt: skip
    """Good pictures of one photo, and one gone wrong for each level of each mishap.

    Args:
        rgb: the photo, (h, w, 3).
        good: so many good ones.
        levels: mishap -> levels.
    """
    for _ in range(good):
        seen, _ = framed_well(rgb, rng)
        yield Trial(group, GOOD, 0.0, by_jpeg(seen, rng))
    for mishap, some in levels.items():
        for level in some:
            seen, _ = framed_well(rgb, rng)
            bad: Mishap = MISHAPS[mishap](seen, level, rng)
            yield Trial(group, mishap, level, by_jpeg(bad.rgb, rng))


def level_between(low: float, high: float, rng: np.random.Generator) -> float:
    """A level, as likely between 1 and 2 as between 2 and 4."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def with_room_around(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    """A whole bay with wall, floor or ceiling beside it: still a good photo."""
    seen, _ = framed_well(rgb, rng)
    height, width = seen.shape[:2]
    share = rng.uniform(0.72, 0.95)
    small = cv2.resize(
        seen, (round(width * share), round(height * share)), interpolation=cv2.INTER_AREA
    )
    around = surroundings(width, height, rng)
    left = round((width - small.shape[1]) * rng.uniform(0.3, 0.7))
    top = round((height - small.shape[0]) * rng.uniform(0.3, 0.7))
    around[top : top + small.shape[0], left : left + small.shape[1]] = small
    return around


def in_other_light(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    """Dim, bright or coloured, and still good: the camera chose another exposure."""
    gain = level_between(0.25, 1.5, rng)
    table = np.linspace(0, 255, 256)[:, None] * gain * rng.uniform(0.85, 1.15, 3)
    return np.asarray(cv2.LUT(rgb, np.clip(table, 0, 255).astype(np.uint8)[None]), np.uint8)


def borne(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    """One or two conditions, each of which costs the detector less than five points of AP50.

    Aslant by up to 32 degrees, down to an eighth of the light, a short smear, a small glare, half
    of the pixels. Without such photos dim ones were refused as photos of a screen.
    """
    makes = (
        lambda: conditions.turned(rng.uniform(8, 32)),
        lambda: conditions.lit(1 / level_between(1.5, 8, rng)),
        lambda: conditions.moved(int(rng.integers(2, 6))),
        lambda: conditions.glared(rng.uniform(0.02, 0.07)),
        lambda: conditions.shrunk(rng.uniform(0.5, 0.9)),
    )
    chosen = rng.choice(len(makes), size=int(rng.integers(1, 3)), replace=False)
    for number in sorted(chosen):  # first the place, then the light, then the camera
        rgb = makes[number]().change(rgb, rng).rgb
    return rgb


def drawn_good(seed: int) -> Rgb:
    """A drawn shelf: the demo's and the tests' photos must stay usable."""
    return draw_shelf(seed).rgb


def pictures_of_no_shelf(data: Path, *, part: int) -> list[Path]:
    """Packs in a hand (`products/gs_*`) and single price tags (`tags/crops`).

    Args:
        data: folder with `products` and `tags`.
        part: 0 or 1, halves that share no class of packs and no source of tags.
    """
    packs = sorted(folder for folder in (data / "products").glob("gs_*") if folder.is_dir())
    chosen = [path for number, folder in enumerate(packs) if number % 2 == part
              for path in sorted(folder.glob("*.webp")) if path.stem != "packshot"]  # fmt: skip
    try:
        with (data / "tags" / "crops.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise LabelsUnreadable(f"{data / 'tags' / 'crops.csv'} cannot be read") from error
    sources = sorted({row["source"] for row in rows})
    of_part = {source for number, source in enumerate(sources) if number % 2 == part}
    chosen += [data / "tags" / "crops" / Path(row["file"]).name
               for row in rows if row["source"] in of_part]  # fmt: skip
    return [path for path in chosen if path.is_file()]


def at_some_size(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    """Brought to a long side of 300 to 1280 px, so that its size tells nothing of its kind."""
    scale = level_between(300, 1280, rng) / max(rgb.shape[:2])
    size = max(16, round(rgb.shape[1] * scale)), max(16, round(rgb.shape[0] * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, size, interpolation=how), np.uint8)


def read_rgb(path: Path) -> Rgb:
    """The pixels of a photo. Raises `UnreadablePhoto`."""
    return read_photo(path).rgb
