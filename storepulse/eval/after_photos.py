"""Measure what a later photo may close: mended places look changed, those of before do not.

Each `val` photo is restocked and exposed with five deviations planted: the photo before. The true
photo after is another exposure, restocked anew, with everything back. The false ones are the photo
before again: packed harder, at 0.43 of its size, a part cut out of it, off a screen.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from planograms.after import is_same, signature
from planograms.errors import NoShelf
from planograms.from_photo import planogram_from_photo
from planograms.unchanged import unchanged_places
from storepulse.eval.exposures import Eyes
from storepulse.eval.figures import Figure, Report
from storepulse.eval.findings import chosen, photos_of
from storepulse.eval.progress import Steps
from storepulse.eval.resampling import ratio_interval
from storepulse.eval.restocked import planted_in, whole
from storepulse.eval.second_photos import MADE_AT
from storepulse.simulated.mishaps import off_a_screen
from storepulse.simulated.packs import Rgb
from storepulse.simulated.restocking import AS_IT_STANDS, photographed, restock

TRUE_AFTER: Final = "mended, another exposure"
_SCREEN_LEVEL: Final = 1.6
"""Camera pixels for one of the screen: the photo fills a phone held before a monitor."""
Fake = Callable[[Rgb, np.random.Generator], Rgb]


def _packed(rgb: Rgb, rng: np.random.Generator) -> Rgb:  # noqa: ARG001
    done, content = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, 50])
    assert done
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), np.uint8)


def _small(rgb: Rgb, rng: np.random.Generator) -> Rgb:  # noqa: ARG001
    small = cv2.resize(rgb, None, fx=0.43, fy=0.43, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def _cut(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    height, width = rgb.shape[:2]
    x, y = int(rng.uniform(0.01, 0.05) * width), int(rng.uniform(0.01, 0.05) * height)
    return np.ascontiguousarray(rgb[y : height - y, x : width - x])


def _off_a_screen(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    scale = 1280 / max(rgb.shape[:2])
    shown = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return off_a_screen(np.asarray(shown, np.uint8), _SCREEN_LEVEL, rng).rgb


FAKES: Final[Mapping[str, Fake]] = {
    "the same file": lambda rgb, _: rgb,
    "packed again, quality 50": _packed,
    "at 0.43 of its size": _small,
    "a part cut out of it": _cut,
    "off a screen": _off_a_screen,
}


def measure_after_photos(
    folder: Path, looker: Eyes, *, photos_max: int | None, seed: int, steps: Steps
) -> Report:
    """Try the `val` photos.

    Raises:
        WrongData, LabelsUnreadable: the folder does not hold them.
        UnreadablePhoto: one of the photos cannot be read.
    """
    kinds = (TRUE_AFTER, *FAKES)
    places: dict[str, list[int]] = {kind: [] for kind in kinds}
    alike: dict[str, list[int]] = {kind: [] for kind in kinds}
    same: dict[str, list[int]] = {kind: [] for kind in kinds}
    for path in steps(
        chosen(photos_of(folder, "val"), photos_max, seed), "looking at after photos"
    ):
        photo, seen = looker.look_at(path, name=path.name)
        try:
            plan = planogram_from_photo(photo, seen, id="eval", bay=path.stem, made_at=MADE_AT)
        except NoShelf:
            continue
        own = int(np.random.default_rng([seed, *path.name.encode()]).integers(2**31))
        facings = [tuple(v * photo.scale for v in one.box_xyxy) for one in plan.in_order]
        calm, where = restock(photo.rgb, facings, seed=own)  # type: ignore[arg-type]
        shown = whole(photographed(calm, where, AS_IT_STANDS, seed=own).places_px, photo.rgb.shape)
        planned = planted_in(plan, shown, np.random.default_rng([own, 0xF2]))
        if planned is None:
            continue
        stirred, moved = restock(photo.rgb, facings, seed=own, changes=planned[1])  # type: ignore[arg-type]
        before = photographed(stirred, moved, AS_IT_STANDS, seed=own)
        boxes = {str(i): tuple(before.places_px[i].tolist()) for i in planned[0]}
        again, back = restock(photo.rgb, facings, seed=own + 1)  # type: ignore[arg-type]
        later = {TRUE_AFTER: photographed(again, back, AS_IT_STANDS, seed=own + 1).rgb}
        rng = np.random.default_rng([own, 0xF5])
        later |= {kind: make(before.rgb, rng) for kind, make in FAKES.items()}
        for kind, rgb in later.items():
            places[kind].append(len(boxes))
            alike[kind].append(len(unchanged_places(before.rgb, rgb, boxes)))
            same[kind].append(int(is_same(signature(rgb), signature(before.rgb))))
    figures = []
    for kind in kinds:
        for name, over, under in (
            ("places that look unchanged", alike[kind], places[kind]),
            ("known as the same photo from afar", same[kind], [1] * len(same[kind])),
        ):
            low, high = ratio_interval(over, under, seed=seed)
            figures.append(
                Figure(
                    name=name, of=kind, value=sum(over) / sum(under) if under else None, low=low,
                    high=high, n=sum(under),
                )
            )  # fmt: skip
    return Report(
        measure="after photos", settings={"seed": seed, "photos": len(places[TRUE_AFTER])},
        figures=tuple(figures),
        notes=("places: five deviations a photo; a mended place that looks unchanged stays open",),
    )  # fmt: skip
