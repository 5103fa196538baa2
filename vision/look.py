"""Look at one photo: verdict, facings, rows, gaps. Keeps nothing, compares with no plan."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from vision.agreement import Limits
from vision.detector import Detector, Found
from vision.gap_eyes import GapEyes
from vision.gaps import WEAK_SCORE_MIN
from vision.observation import Box, Facing, Observation, PhotoFacts
from vision.photos import Photo, read_photo
from vision.rows import find_rows, reaching
from vision.verdict import SENTENCES, chosen_verdict, reasons_after_looking

WHOLE_CURVE: Final = Limits(score_min=0.01, overlap_max=0.6, count_max=800)
"""Everything that was half seen, for who weighs it by its score: precision over recall needs the
weak answers too, and neighbours in dense rows overlap. A model that looks several times is better
off with 0.5 here (docs/facings.md)."""


class LooksAt(Protocol):
    """Eyes: what `Looker` offers to whoever has a photo."""

    def look_at(
        self, source: Path | bytes, *, name: str | None = None
    ) -> tuple[Photo, Observation]:
        """Read a photo and look at it. Raises `UnreadablePhoto`."""
        ...


class Looker:
    """The eyes: holds the detector, loaded once."""

    def __init__(
        self, model: Path | None = None, *, threads: int = 2, doubtful: Limits | None = None
    ) -> None:
        """Load the detector.

        Args:
            model: an exported detector; by default the packaged one.
            threads: cores to use.
            doubtful: within which limits facings that do not count are told as well.
        Raises:
            BadModel: it cannot be loaded.
        """
        self.detector = Detector(model, threads=threads)
        self.gap_eyes = GapEyes(threads=threads)
        self._doubtful = doubtful
        # One photo after another: a second thread is the other core where a network does not run.
        self._beside = ThreadPoolExecutor(1, "look") if threads > 1 else None
        self._first_word = chosen_verdict(beside=self._beside)

    def look_at(
        self, source: Path | bytes, *, name: str | None = None
    ) -> tuple[Photo, Observation]:
        """Read a photo and look at it; the observation's timings include the reading.

        Raises:
            UnreadablePhoto: it is no photo that can be read.
        """
        started = time.perf_counter()
        photo = read_photo(source, name=name)
        read_ms = _ms_since(started)
        seen = self.look(photo)
        timings = {"read": read_ms, **seen.timings_ms}
        timings["total"] = round(read_ms + seen.timings_ms["total"], 1)
        return photo, replace(seen, timings_ms=timings)

    def rest(self) -> None:
        """No photo comes for a while: let go of what is only kept to be quick (16 MB)."""
        self.detector.rest()
        self.gap_eyes.rest()

    def look(self, photo: Photo) -> Observation:
        """What a photo shows. A refused photo has reasons and nothing else."""
        started = time.perf_counter()
        timings: dict[str, float] = {}

        def lap(stage: str, since: float) -> float:
            timings[stage] = _ms_since(since)
            return time.perf_counter()

        at, shown = started, None
        if self._beside is not None:  # the verdict leaves the second core half free
            shown = self._beside.submit(self.detector.shown, photo.rgb).result
        first = self._first_word(photo)
        reasons = first.codes
        at = lap("verdict", at)
        found, weak, others = Found.nothing(), Found.nothing(), []
        if not reasons:
            also = [] if self._doubtful is None else [self._doubtful]
            found, weak, *others = self.detector.find_at_all(
                photo.rgb, [Limits(), Limits(score_min=WEAK_SCORE_MIN), *also], first=shown
            )
            at = lap("detect", at)
            reasons = reasons_after_looking(first, found, weak, photo.rgb)
            timings["verdict"] = round(timings["verdict"] + _ms_since(at), 1)
            at = time.perf_counter()
        elif shown is not None:
            shown()  # the next picture is made ready in the same place
        if reasons:
            timings["total"] = _ms_since(started)
            return Observation(
                photo=_facts(photo, reasons), timings_ms=timings, model=self.detector.facts
            )
        boxes, half_seen = _full_size(found, photo), _full_size(weak, photo)
        said = None
        if self._beside is not None:  # rows and what they leave free need no network
            answers = partial(self.gap_eyes.answers, rgb=photo.rgb, scale=photo.scale)
            said = self._beside.submit(answers, boxes).result
        rows = find_rows(boxes, photo.width, photo.height)
        at = lap("rows", at)
        gaps = self.gap_eyes.find(
            boxes, rows, weak_px=half_seen, rgb=photo.rgb, scale=photo.scale, said=said
        )
        lap("gaps", at)
        facings = tuple(
            Facing(_tenths(box), round(float(score), 3), int(row) if row >= 0 else None)
            for box, score, row in zip(boxes.tolist(), found.scores, rows.row_of, strict=True)
        )
        counted = {facing.box_xyxy_px for facing in facings}
        timings["total"] = _ms_since(started)
        return Observation(
            photo=_facts(photo, ()),
            facings=facings,
            doubtful=tuple(
                facing
                for one in others
                for facing in _told(one, photo)
                if facing.box_xyxy_px not in counted
            ),
            gaps=tuple(replace(gap, box_xyxy_px=_tenths(gap.box_xyxy_px)) for gap in gaps),
            rows=tuple(
                replace(
                    row,
                    line_xyxy_px=_tenths(row.line_xyxy_px),
                    height_px=round(row.height_px, 1),
                )
                for row in reaching(rows, boxes, half_seen)
            ),
            timings_ms=timings,
            model=self.detector.facts,
        )


def _told(found: Found, photo: Photo) -> list[Facing]:
    boxes = _full_size(found, photo).tolist()
    return [
        Facing(_tenths(box), round(float(score), 3))
        for box, score in zip(boxes, found.scores, strict=True)
    ]


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1e3, 1)


def _tenths(edges: Sequence[float]) -> Box:
    """Tenths of a pixel: finer is noise, and makes the answer twice as long."""
    x1, y1, x2, y2 = (round(float(edge), 1) for edge in edges)
    return x1, y1, x2, y2


def _full_size(found: Found, photo: Photo) -> NDArray[np.float64]:
    """(n, 4) the boxes in the photo's full pixels, inside it."""
    edge = [photo.width, photo.height, photo.width, photo.height]
    full: NDArray[np.float64] = (found.boxes_px.astype(np.float64) / photo.scale).clip(0, edge)
    return full


def _facts(photo: Photo, reasons: tuple[str, ...]) -> PhotoFacts:
    return PhotoFacts(
        photo.file,
        photo.width,
        photo.height,
        "refused" if reasons else "usable",
        tuple(SENTENCES[reason].en for reason in reasons),
        reasons,
    )
