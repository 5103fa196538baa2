"""How many faces that are put into shelf photos are blurred in the copy that is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import cv2
import numpy as np

from storepulse.eval.data_folders import WrongData, need
from storepulse.eval.face_pictures import Head, heads
from storepulse.eval.figures import Figure, Report
from storepulse.eval.progress import Steps
from storepulse.eval.resampling import ratio_interval
from storepulse.simulated.packs import Rgb
from vision.faces import FaceBoxes
from vision.photos import read_photo

SIZES_PX: Final = (20.0, 160.0)
"""Height of a face, brow to chin, in pixels of the kept copy; as likely 20 to 40 as 40 to 80."""
BANDS_PX: Final = ((20, 30), (30, 60), (60, 161))
COVERED_MIN: Final = 0.75
"""A face is blurred when so much of it is."""
_FACES_A_PHOTO: Final = 3


class FindsFaces(Protocol):
    """What `vision.faces.FaceFinder` offers."""

    def find(self, rgb: Rgb) -> FaceBoxes:
        """Where faces are, (n, 4)."""
        ...


@dataclass(frozen=True, slots=True)
class Pasted:
    """One face in one photo."""

    source: str
    tall_px: float
    blurred: bool


def measure_faces(
    folder: Path, finder: FindsFaces, *, photos: int, seed: int, steps: Steps
) -> Report:
    """Put three faces into each of so many photos of `images/` and `more/`, and blur.

    Raises:
        WrongData: the folder holds none, or no package with faces is installed.
        UnreadablePhoto: one of the photos cannot be read.
    """
    need(folder, "images")
    every = sorted([*(folder / "images").iterdir(), *(folder / "more").glob("*")])
    known = heads()
    if not known:
        raise WrongData("no picture of a face is installed: pip install scikit-image matplotlib")
    rng = np.random.default_rng([seed, 0xFACE])
    chosen = sorted(every[number] for number in rng.permutation(len(every))[:photos])
    by_photo: list[list[Pasted]] = []
    beside = []
    for path in steps(chosen, "putting faces into photos"):
        told, others = _one_photo(read_photo(path).rgb, known, finder, rng)
        by_photo.append(told)
        beside.append(others)
    figures = [_share(by_photo, "all", lambda _: True, seed=seed)]
    for low, high in BANDS_PX:
        figures.append(
            _share(by_photo, f"{low} to {high - (high > 160)} px",
                   lambda one, low=low, high=high: low <= one.tall_px < high, seed=seed)
        )  # fmt: skip
    for source in sorted({head.source for head in known}):
        figures.append(
            _share(by_photo, source, lambda one, source=source: one.source == source, seed=seed)
        )
    figures.append(
        Figure(
            name="other_places_blurred", of="a photo", value=float(np.mean(beside)), n=len(beside)
        )
    )
    portraits = sum(head.source == "portrait" for head in known)
    return Report(
        measure="faces",
        settings={"photos": len(chosen), "portraits": portraits,
                  "grey_faces": len(known) - portraits, "covered_min": COVERED_MIN, "seed": seed},
        figures=tuple(figures),
        notes=(
            f"few faces ({portraits} in colour, {len(known) - portraits} of 25 px in two other "
            "heads), all more or less to the front; faces from the side are not measured",
            "other places: faces on packs and posters, and what is none",
        ),
    )  # fmt: skip


def _one_photo(
    rgb: Rgb, known: Sequence[Head], finder: FindsFaces, rng: np.random.Generator
) -> tuple[list[Pasted], int]:
    picture = np.array(rgb)
    boxes, sources = [], []
    taken = np.zeros(picture.shape[:2], bool)
    for _ in range(_FACES_A_PHOTO):
        # Half of them in colour: there are few such heads, and a hundred grey ones.
        portrait = rng.random() < 0.5
        some = [head for head in known if (head.source == "portrait") == portrait] or list(known)
        head = some[int(rng.integers(len(some)))]
        tall = float(np.exp(rng.uniform(*np.log(SIZES_PX))))
        box = _paste(picture, taken, head, tall, rng)
        if box is not None:
            boxes.append(box)
            sources.append(head.source)
    found = finder.find(picture)
    told = []
    for box, source in zip(boxes, sources, strict=True):
        covered = np.zeros(picture.shape[:2], bool)
        for x1, y1, x2, y2 in found.tolist():
            covered[y1:y2, x1:x2] = True
        x1, y1, x2, y2 = (round(edge) for edge in box)
        told.append(Pasted(source, box[3] - box[1], covered[y1:y2, x1:x2].mean() >= COVERED_MIN))
    others = sum(not any(_meet(place, box) for box in boxes) for place in found.tolist())
    return told, others


def _meet(first: Sequence[float], second: Sequence[float]) -> bool:
    return bool(
        first[0] < second[2] and second[0] < first[2]
        and first[1] < second[3] and second[1] < first[3]
    )  # fmt: skip


def _paste(
    picture: Rgb, taken: np.ndarray, head: Head, tall: float, rng: np.random.Generator
) -> tuple[float, float, float, float] | None:
    """Put a head somewhere, its face so many pixels high; None where there is no room."""
    scale = tall / (head.face[3] - head.face[1])
    size = max(4, round(head.rgb.shape[1] * scale)), max(4, round(head.rgb.shape[0] * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    rgb = cv2.resize(head.rgb, size, interpolation=how).astype(np.float32)
    alpha = cv2.resize(head.alpha, size, interpolation=cv2.INTER_LINEAR)[..., None]
    face = np.array(head.face) * scale
    if rng.random() < 0.5:  # looking the other way
        rgb, alpha = rgb[:, ::-1], alpha[:, ::-1]
        face[[0, 2]] = size[0] - face[[2, 0]]
    rgb = np.clip(rgb * rng.uniform(0.7, 1.2) * rng.uniform(0.95, 1.05, 3), 0, 255)
    room = picture.shape[1] - size[0], picture.shape[0] - size[1]
    if min(room) < 1:
        return None
    for _ in range(20):
        left, top = int(rng.integers(room[0])), int(rng.integers(room[1]))
        place = slice(top, top + size[1]), slice(left, left + size[0])
        if not taken[place].any():
            taken[place] = True
            under = picture[place].astype(np.float32)
            picture[place] = (under + (rgb - under) * alpha).astype(np.uint8)
            x1, y1, x2, y2 = (face + np.array([left, top, left, top])).tolist()
            return x1, y1, x2, y2
    return None


def _share(by_photo: Sequence[Sequence[Pasted]], of: str, which: object, *, seed: int) -> Figure:
    assert callable(which)
    there = [[one for one in photo if which(one)] for photo in by_photo]
    there = [photo for photo in there if photo]
    met, count = [sum(one.blurred for one in photo) for photo in there], [len(p) for p in there]
    low, high = ratio_interval(met, count, seed=seed)
    value = sum(met) / sum(count) if sum(count) else None
    return Figure(name="faces_blurred", of=of, value=value, low=low, high=high, n=sum(count))
