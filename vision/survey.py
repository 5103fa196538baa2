"""Score rows against labelled ones, and sum up many looks. Pure but for reading the labels."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from vision.errors import BadSurvey
from vision.observation import Box, Observation

RISE_SHARE_MAX: Final = 0.2
"""A labelled row is found when our line runs within this share of its facings' height."""
SPAN_SHARE_MIN: Final = 0.5
"""Our line must run along so much of the labelled one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What was seen on many photos."""

    photos: int
    refused: int
    facings_mean: float
    gaps_mean: float
    rows_found: int
    rows_labelled: int | None
    """None: no labels were given."""
    rows_met: int | None
    """Labelled rows along which our line runs near enough on the mean."""
    rows_met_everywhere: int | None
    """Of them those where it does so along their whole length."""
    faces_mean: float
    """Regions blurred on a photo. On photos without people each is a false one."""
    total_ms_p50: float


def read_row_labels(path: Path) -> Mapping[str, tuple[Box, ...]]:
    """File name -> lines of its labelled rows.

    The file is JSON: {"rows": {NAME: {"rows": [{"line": [x1, y1, x2, y2]}, ...]}}}, in pixels of
    the photo.

    Raises:
        BadSurvey: it is missing or of another form.
    """
    try:
        labels: dict[str, Any] = json.loads(path.read_text("utf-8"))["rows"]
        return {name: tuple(map(_line, photo["rows"])) for name, photo in labels.items()}
    except OSError as error:
        raise BadSurvey(f"{path} cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadSurvey(
            f'{path} has no row labels: needed is {{"rows": {{NAME: {{"rows": '
            '[{"line": [x1, y1, x2, y2]}, ...]}}}'
        ) from error


def _line(row: Mapping[str, Any]) -> Box:
    x1, y1, x2, y2 = map(float, row["line"])
    if x2 <= x1:
        raise ValueError("a line runs from left to right")
    return x1, y1, x2, y2


def rows_met(seen: Observation, labelled: Sequence[Box]) -> tuple[int, int]:
    """How many labelled rows our lines meet: on the mean, and everywhere along them."""
    on_mean = everywhere = 0
    for line in labelled:
        height = _height_on(seen, line)
        if height is None:
            continue
        away = [_apart(line, row.line_xyxy_px) for row in seen.rows]
        on_mean += any(each is not None and each[0] <= RISE_SHARE_MAX * height for each in away)
        everywhere += any(each is not None and each[1] <= RISE_SHARE_MAX * height for each in away)
    return on_mean, everywhere


def _height_on(seen: Observation, line: Box) -> float | None:
    """Median height of the facings that stand on a labelled line; None when none does."""
    heights = []
    for facing in seen.facings:
        x1, y1, x2, y2 = facing.box_xyxy_px
        x = (x1 + x2) / 2
        if line[0] <= x <= line[2] and abs(_y(line, x) - y2) < 0.25 * (y2 - y1):
            heights.append(y2 - y1)
    return float(np.median(heights)) if heights else None


def _apart(line: Box, ours: Box) -> tuple[float, float] | None:
    """Mean and largest distance of two lines where both run; None when that is too little."""
    left, right = max(line[0], ours[0]), min(line[2], ours[2])
    if right - left < SPAN_SHARE_MIN * (line[2] - line[0]):
        return None
    away = [abs(_y(line, x) - _y(ours, x)) for x in np.linspace(left, right, 21)]
    return float(np.mean(away)), float(np.max(away))


def _y(line: Box, x: float) -> float:
    x1, y1, x2, y2 = line
    return float(y1 + (y2 - y1) * (x - x1) / max(x2 - x1, 1e-6))


def sum_up(
    looks: Sequence[tuple[Observation, int]], labels: Mapping[str, tuple[Box, ...]] | None
) -> Survey:
    """Sum up looks.

    Args:
        looks: each observation with the number of regions blurred as faces.
        labels: by file name; photos without labels do not count for rows. None: no labels.
    """
    seen = [look for look, _ in looks]
    met = [
        rows_met(look, lines)
        for look in seen
        if labels and (lines := labels.get(Path(look.photo.file).name))
    ]
    labelled = sum(len((labels or {}).get(Path(look.photo.file).name, ())) for look in seen)

    def mean(values: Sequence[int]) -> float:
        return round(float(np.mean(values)), 3) if values else 0.0

    return Survey(
        photos=len(seen),
        refused=sum(look.photo.verdict == "refused" for look in seen),
        facings_mean=mean([len(look.facings) for look in seen]),
        gaps_mean=mean([len(look.gaps) for look in seen]),
        rows_found=sum(len(look.rows) for look in seen),
        rows_labelled=labelled if labels is not None else None,
        rows_met=sum(on_mean for on_mean, _ in met) if labels is not None else None,
        rows_met_everywhere=sum(all_along for _, all_along in met) if labels is not None else None,
        faces_mean=mean([faces for _, faces in looks]),
        total_ms_p50=round(float(np.median([look.timings_ms["total"] for look in seen])), 1)
        if seen
        else 0.0,
    )
