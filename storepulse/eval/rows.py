"""How many of the labelled shelf rows are found, of photos whose rows people checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from storepulse.eval.data_folders import WrongData, need
from storepulse.eval.figures import Figure, Report
from storepulse.eval.progress import Steps
from storepulse.eval.resampling import ratio_interval
from vision.observation import Box, Observation
from vision.photos import Photo
from vision.survey import read_row_labels, rows_met
from vision.training.labels import Boxes, read_coco

BAND_SHARE_MIN: Final = 0.5
"""A labelled row is found too when our row's band covers so much of the labelled one's."""
_STANDS: Final = 0.25
"""A labelled facing stands on a line when its foot is no farther from it, of its own height."""
_ACROSS: Final = 64


class LooksAt(Protocol):
    """Eyes: what `vision.look.Looker` offers."""

    def look_at(
        self, source: Path | bytes, *, name: str | None = None
    ) -> tuple[Photo, Observation]:
        """Read a photo and say what it shows."""
        ...


@dataclass(frozen=True, slots=True)
class RowCounts:
    """One photo's labelled rows: those whose line ours meets, whose band ours covers, either."""

    labelled: int
    by_line: int
    by_band: int
    found: int
    told: int
    """Rows that were told, labelled or not."""


def measure_rows(folder: Path, looker: LooksAt, *, seed: int, steps: Steps) -> Report:
    """Measure on the photos of `rows.json`.

    Raises:
        WrongData, BadSurvey, LabelsUnreadable: the folder does not hold them.
        UnreadablePhoto: one of the photos cannot be read.
    """
    need(folder, "rows.json", "checked.json", "images")
    lines_of = read_row_labels(folder / "rows.json")
    facings_of = {
        photo.path.name: photo.facings
        for photo in read_coco(folder / "checked.json", folder / "images").photos
    }
    names = sorted(name for name in lines_of if name in facings_of)
    if not names:
        raise WrongData(f"--data {folder}: rows.json and checked.json have no photo in common")
    counts = []
    for name in steps(names, "looking for rows"):
        _, seen = looker.look_at(folder / "images" / name)
        counts.append(count_rows(seen, lines_of[name], facings_of[name]))
    return report_of(counts, seed=seed)


def count_rows(seen: Observation, lines: Sequence[Box], facings: Boxes) -> RowCounts:
    """Compare one photo's rows with the labelled ones.

    Args:
        lines: labelled, left to right, in the photo's pixels.
        facings: (n, 4) labelled facings: their heights say how high a labelled row's band is.
    """
    by_line = [rows_met(seen, [line])[0] > 0 for line in lines]
    by_band = [
        any(
            covered_share(line, height, row.line_xyxy_px, row.height_px) >= BAND_SHARE_MIN
            for row in seen.rows
        )
        for line, height in zip(lines, _heights(lines, facings), strict=True)
    ]
    return RowCounts(
        labelled=len(lines),
        by_line=sum(by_line),
        by_band=sum(by_band),
        found=sum(a or b for a, b in zip(by_line, by_band, strict=True)),
        told=len(seen.rows),
    )


def covered_share(line: Box, height: float, ours: Box, our_height: float) -> float:
    """How much of the band above a line is covered by the band above ours, 0 to 1."""
    x = np.linspace(line[0], line[2], _ACROSS)
    foot, our_foot = _y(line, x), _y(ours, x)
    shared = np.minimum(foot, our_foot) - np.maximum(foot - height, our_foot - our_height)
    inside = (x >= ours[0]) & (x <= ours[2])
    return float((shared.clip(0) * inside).mean() / height)


def _y(line: Box, x: np.ndarray) -> np.ndarray:
    x1, y1, x2, y2 = line
    y: np.ndarray = y1 + (y2 - y1) * (x - x1) / max(x2 - x1, 1e-6)
    return y


def _heights(lines: Sequence[Box], facings: Boxes) -> list[float]:
    """Median height of the labelled facings on each line; of all of the photo where none stands."""
    tall = facings[:, 3] - facings[:, 1]
    middle = (facings[:, 0] + facings[:, 2]) / 2
    usual = float(np.median(tall)) if len(tall) else 1.0
    heights = []
    for line in lines:
        stands = (abs(_y(line, middle) - facings[:, 3]) < _STANDS * tall) & (
            (middle >= line[0]) & (middle <= line[2])
        )
        heights.append(float(np.median(tall[stands])) if stands.any() else usual)
    return heights


def report_of(counts: Sequence[RowCounts], *, seed: int) -> Report:
    """The figures over all photos."""
    labelled = [one.labelled for one in counts]
    figures = []
    for name, met in (
        ("recall", [one.found for one in counts]),
        ("recall_by_line", [one.by_line for one in counts]),
        ("recall_by_band", [one.by_band for one in counts]),
    ):
        low, high = ratio_interval(met, labelled, seed=seed)
        value = sum(met) / sum(labelled) if sum(labelled) else None
        figures.append(Figure(name=name, value=value, low=low, high=high, n=sum(labelled)))
    told = Figure(name="rows_told", value=float(sum(one.told for one in counts)))
    return Report(
        measure="rows",
        settings={"photos": len(counts), "seed": seed},
        figures=(*figures, told),
        notes=(
            "recall: by line (within a fifth of the row's height, along half of it) or by band "
            "(half of the labelled band covered); intervals by photo",
        ),
    )
