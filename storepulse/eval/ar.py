"""How well the live view lays its marks on the shelf: videos of known truth, by condition.

Drawn shelves, and real photos where a folder of them is given; each is filmed by a simulated hand
(`storepulse.simulated.camera_videos`) and shown to the built worker in Chromium. "Moved goods" are
second photos of the same shelf with goods put back a little off and shelves at several depths; the
other takes film the judged photo itself, so they are kinder than life.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from storepulse.eval.data_folders import WrongData, need
from storepulse.eval.figures import Figure, Report
from storepulse.eval.live_page import Grey, LivePage, Watched
from storepulse.eval.progress import Steps
from storepulse.eval.resampling import GROUPS_MIN, drawn_anew, interval_of, ratio_interval
from storepulse.simulated.camera_videos import TAKES, Video, film
from storepulse.simulated.exposures import Box
from storepulse.simulated.packs import Rgb
from storepulse.simulated.second_photos import CONDITIONS, second_photo
from storepulse.simulated.shelves import draw_shelf

Reals = npt.NDArray[np.float64]

PICTURE_PX: Final = 960
"""The longer side of the photo that the page hands to the worker (dashboards' `PICTURE_SIDE`)."""
IN_SIGHT_MIN: Final = 0.1
"""Less of the shelf than this in the picture: it is gone, and marks should go."""
AWAY: Final = "away and back"
OTHER: Final = "another shelf"
MOVED: Final = {"moved goods": "a step aside", "moved goods, 30 degrees": "30 degrees"}
"""By the name of the condition of `second_photos`."""
_OTHER_TAKES: Final = ("calm hand", "scale 2 to 0.5")
_GRID: Final = 7
_HIDDEN_MAX: Final = 0.3
_ROUNDS: Final = 200


@dataclass(frozen=True, slots=True)
class FilmedShelf:
    """A shelf to be filmed: its photo and, for moved goods, what stands on it."""

    rgb: Rgb
    boxes: Sequence[Box]
    rows: Sequence[int]
    """Of each box; empty where they are not known."""


@dataclass(slots=True)
class ShelfFigures:
    """What was measured on one shelf under one condition."""

    errors: list[float] = field(default_factory=list)
    """Of points in sight while marks show, in percent of the camera picture's width."""
    shown: int = 0
    shown_when: int = 0
    """Pictures with the shelf in sight after it was first found."""
    took_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    """One a video: of the worker's thread, a picture, getting to know the photo included."""
    found_ms: list[float] = field(default_factory=list)
    """One a video; infinite where it was never found."""
    lost_ms: list[float] = field(default_factory=list)
    again_ms: list[float] = field(default_factory=list)
    updates: int = 0
    seconds: float = 0.0
    strange: int = 0
    """Pictures of another shelf with marks, of `strange_of`."""
    strange_of: int = 0


def measure_ar(
    folder: Path | None, page: LivePage, *, videos: int, seed: int, steps: Steps
) -> Report:
    """Film shelves and watch them.

    Args:
        folder: of shelf photos (checked.json, rows.json, images/); None for drawn shelves alone.
        videos: so many shelves of either kind.
    Raises:
        WrongData: the folder does not hold them.
    """
    kinds: dict[str, Sequence[Callable[[], FilmedShelf]]] = {
        "drawn": [lambda n=n: _drawn(seed + n) for n in range(videos)]  # type: ignore[misc]
    }
    if folder is not None:
        kinds["photos"] = _photos(folder, videos, seed)
    figures: list[Figure] = []
    for kind, shelves in kinds.items():
        by_take: dict[str, list[ShelfFigures]] = {}
        ready: list[float] = []
        for number, load in enumerate(steps(shelves, f"filming {kind}")):
            stranger = _small(shelves[(number + 1) % len(shelves)]().rgb)
            for take, found in _watched(load(), stranger, page, seed=seed + number, ready=ready):
                by_take.setdefault(take, []).append(found)
        figures += _all_figures(kind, by_take, seed)
        figures.append(_timing(f"{kind}", "photo known ms", ready))
    return Report(
        measure="ar",
        settings={
            "shelves_of_each_kind": videos, "pictures_a_second": 30, "seed": seed,
            "pictures": "every one" if page.every_picture else "as there is time, as on the page",
            "cores": os.cpu_count() or 0, "load_before": round(os.getloadavg()[0], 1),
        },
        figures=tuple(figures),
        notes=(
            "errors: percent of the camera picture's width, of points in sight, while marks show",
            "taking the picture off the camera (the page's own thread) is not timed",
            "CPU: of the worker's thread, by video, getting to know the photo included; waiting "
            "times grow with the machine's load, it does not",
            "intervals: shelves drawn anew",
        ),
    )  # fmt: skip


def _drawn(seed: int) -> FilmedShelf:
    drawn = draw_shelf(seed)
    return FilmedShelf(
        drawn.rgb, [f.box_xyxy_px for f in drawn.facings], [f.row for f in drawn.facings]
    )


def _photos(folder: Path, count: int, seed: int) -> list[Callable[[], FilmedShelf]]:
    need(folder, "checked.json", "rows.json", "images")
    try:
        coco = json.loads((folder / "checked.json").read_text(encoding="utf-8"))
        rows = json.loads((folder / "rows.json").read_text(encoding="utf-8"))["rows"]
        # What has rows, so that its goods can be moved.
        images = [one for one in coco["images"] if Path(one["file_name"]).name in rows]
        chosen = np.random.default_rng(seed).permutation(len(images))[:count]
        return [
            lambda one=images[n]: _photo(folder, one, coco, rows)  # type: ignore[misc]
            for n in chosen.tolist()
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WrongData(f"{folder}: its tables cannot be read: {error}") from error


def _photo(
    folder: Path, image: Mapping[str, Any], coco: Mapping[str, Any], rows: Mapping[str, Any]
) -> FilmedShelf:
    name = Path(image["file_name"]).name
    bgr = cv2.imread(str(folder / "images" / name))
    if bgr is None:
        raise WrongData(f"{folder / 'images' / name} cannot be read as a picture")
    lines = np.array([row["line"] for row in rows[name]["rows"]], np.float64)
    boxes: list[Box] = []
    for one in coco["annotations"]:
        if one["image_id"] == image["id"]:
            x, y, width, height = one["bbox"]
            boxes.append((x, y, x + width, y + height))
    of = [_row_of(box, lines) for box in boxes]
    return FilmedShelf(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.uint8), boxes, of)


def _row_of(box: Box, lines: Reals) -> int:
    middle = (box[0] + box[2]) / 2
    along = (middle - lines[:, 0]) / np.maximum(lines[:, 2] - lines[:, 0], 1)
    heights = lines[:, 1] + along * (lines[:, 3] - lines[:, 1])
    return int(np.argmin(np.abs(heights - box[3])))


def _small(rgb: Rgb) -> Grey:
    by = PICTURE_PX / max(rgb.shape[:2])
    size = (round(rgb.shape[1] * by), round(rgb.shape[0] * by))
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.uint8)


def _watched(
    shelf: FilmedShelf, stranger: Grey, page: LivePage, *, seed: int, ready: list[float]
) -> Iterator[tuple[str, ShelfFigures]]:
    photo = _small(shelf.rgb)
    strange = ShelfFigures()
    for number, (name, take) in enumerate(TAKES.items()):
        video = film(shelf.rgb, take, seed=100 * seed + number)
        width, height = video.photo.shape[1], video.photo.shape[0]
        y, x = np.mgrid[0.5:_GRID, 0.5:_GRID] / _GRID
        points = np.stack([x.ravel() * width, y.ravel() * height], axis=1)
        seen = page.watch(photo, width, video.pictures, video.times_ms)
        ready.append(seen.ready_ms)
        yield name, judged(seen, video, points, points, away=name == AWAY)
        if name in _OTHER_TAKES:
            told = page.watch(stranger, stranger.shape[1], video.pictures, video.times_ms)
            strange.strange += sum(one.phase == "tracking" for one in told.seen)
            strange.strange_of += len(told.seen)
            strange.took_ms += [one.took_ms for one in told.seen]
            strange.updates += len(told.seen)
            strange.seconds += _seconds(video)
            strange.cpu_ms += _cpu_a_picture(told)
    yield OTHER, strange
    for name, condition in MOVED.items():
        second = second_photo(
            shelf.rgb, shelf.boxes, shelf.rows, CONDITIONS[condition], seed=100 * seed
        )
        video = film(second.rgb, TAKES["calm hand"], seed=100 * seed + 50)
        kept = second.hidden < _HIDDEN_MAX
        scale = video.photo.shape[1] / second.rgb.shape[1]
        places = _middles(second.places_px)[kept] * scale
        planned = _middles(np.array(shelf.boxes, np.float64))[kept]
        seen = page.watch(photo, shelf.rgb.shape[1], video.pictures, video.times_ms)
        yield name, judged(seen, video, planned, places)


def _middles(boxes: Reals) -> Reals:
    return np.asarray((boxes[:, :2] + boxes[:, 2:]) / 2, np.float64)


def _seconds(video: Video) -> float:
    return float(video.times_ms[-1] + video.times_ms[1] - 2 * video.times_ms[0]) / 1000


def judged(
    seen: Watched, video: Video, planned: Reals, places: Reals, *, away: bool = False
) -> ShelfFigures:
    """Hold what the worker said against the truth.

    Args:
        planned: (k, 2) points of the judged photo, edges at whole numbers.
        places: (k, 2) the same points on the photo that was filmed.
        away: the camera leaves the shelf and comes back.
    """
    out = ShelfFigures(updates=len(seen.seen), seconds=_seconds(video))
    out.cpu_ms += _cpu_a_picture(seen)
    height, width = video.pictures.shape[1:]
    first = gone_at = back_at = lost_at = again_at = None
    for one in seen.seen:
        at_ms = float(video.times_ms[one.picture])
        out.took_ms.append(one.took_ms)
        true = _mapped(video.planes[one.picture], places - 0.5) + 0.5
        inside = ((true >= 0) & (true < (width, height))).all(axis=1)
        is_shown = one.phase == "tracking" and one.plane is not None
        is_there = inside.mean() >= IN_SIGHT_MIN
        if is_shown and first is None:
            first = at_ms
        if not is_there and first is not None:
            gone_at = at_ms if gone_at is None else gone_at
        elif gone_at is not None and inside.mean() >= 0.5:
            back_at = at_ms if back_at is None else back_at
        if gone_at is not None and not is_shown and lost_at is None:
            lost_at = at_ms
        if back_at is not None and is_shown and again_at is None:
            again_at = at_ms
        if not is_there:
            continue
        if first is not None:
            out.shown_when += 1
            out.shown += is_shown
        if is_shown and one.plane is not None and inside.any():
            told = _mapped(one.plane, planned[inside])
            out.errors += (np.hypot(*(told - true[inside]).T) / width * 100).tolist()
    out.found_ms.append(float("inf") if first is None else first)
    if away:
        out.lost_ms += [float("inf") if lost_at is None else lost_at - gone_at] if gone_at else []
        out.again_ms += (
            [float("inf") if again_at is None else again_at - back_at] if back_at else []
        )
    return out


def _cpu_a_picture(seen: Watched) -> list[float]:
    return [] if seen.cpu_ms is None else [seen.cpu_ms / max(len(seen.seen), 1)]


def _delay(since_ms: float | None, until_ms: float | None) -> list[float]:
    """From one moment to another: infinite if that never came, nothing if the first did not."""
    if since_ms is None:
        return []
    return [float("inf") if until_ms is None else until_ms - since_ms]


def _mapped(plane: Reals, points: Reals) -> Reals:
    to = np.column_stack([points, np.ones(len(points))]) @ plane.T
    return np.asarray(to[:, :2] / to[:, 2:], np.float64)


def _all_figures(
    kind: str, by_take: Mapping[str, Sequence[ShelfFigures]], seed: int
) -> Iterator[Figure]:
    everything = [one for name, those in by_take.items() if name != OTHER for one in those]
    shelves = len(by_take[OTHER])
    groups = [
        [those[number] for name, those in by_take.items() if name != OTHER]
        for number in range(shelves)
    ]
    yield from _errors(f"{kind}", groups, seed)
    yield _timing(f"{kind}", "took ms", [ms for one in everything for ms in one.took_ms])
    yield _rate(f"{kind}", everything)
    yield from _cpu(f"{kind}", everything)
    for name, those in by_take.items():
        of = f"{kind}, {name}"
        if name == OTHER:
            yield Figure(
                name="marks shown", of=of, value=100 * _share(those, "strange", "strange_of"),
                n=sum(one.strange_of for one in those), unit="%", **_interval(those, seed),
            )  # fmt: skip
            yield _timing(of, "took ms", [ms for one in those for ms in one.took_ms])
            yield _rate(of, those)
            yield from _cpu(of, those)
            continue
        yield from _errors(of, [[one] for one in those], seed)
        found = [ms for one in those for ms in one.found_ms]
        yield Figure(name="found ms, slowest", of=of, value=_finite(max(found)), n=len(found))
        yield Figure(
            name="shown once found", of=of, value=100 * _share(those, "shown", "shown_when"),
            n=sum(one.shown_when for one in those), unit="%",
        )  # fmt: skip
        yield _timing(of, "took ms", [ms for one in those for ms in one.took_ms])
        for what in ("lost_ms", "again_ms"):
            values = [ms for one in those for ms in getattr(one, what)]
            if values:
                told = "lost told ms" if what == "lost_ms" else "found again ms"
                yield Figure(name=f"{told}, slowest", of=of, value=_finite(max(values)),
                             n=len(values))  # fmt: skip


def _errors(of: str, groups: Sequence[Sequence[ShelfFigures]], seed: int) -> Iterator[Figure]:
    by_shelf = [np.array([e for one in group for e in one.errors]) for group in groups]
    for name, percentile in (("error median", 50), ("error p95", 95)):
        pooled = np.concatenate(by_shelf)
        value = float(np.percentile(pooled, percentile)) if len(pooled) else None
        low = high = None
        if value is not None and len(by_shelf) >= GROUPS_MIN:
            again = [
                float(np.percentile(np.concatenate(drawn), percentile))
                for drawn in drawn_anew(by_shelf, seed=seed, rounds=_ROUNDS)
                if sum(map(len, drawn))
            ]
            low, high = interval_of(again)
        yield Figure(name=name, of=of, value=value, low=low, high=high, n=len(pooled), unit="%")


def _timing(of: str, name: str, values: Sequence[float]) -> Figure:
    return Figure(name=f"{name}, median", of=of, value=float(np.median(values)), n=len(values))


def _rate(of: str, those: Sequence[ShelfFigures]) -> Figure:
    seconds = sum(one.seconds for one in those)
    updates = sum(one.updates for one in those)
    return Figure(name="updates a second", of=of, value=updates / seconds, n=updates)


def _cpu(of: str, those: Sequence[ShelfFigures]) -> Iterator[Figure]:
    values = [ms for one in those for ms in one.cpu_ms]
    if values:
        yield Figure(name="CPU ms a picture", of=of, value=float(np.mean(values)), n=len(values))


def _share(those: Sequence[ShelfFigures], over: str, under: str) -> float:
    counted = [(getattr(one, over), getattr(one, under)) for one in those]
    return float(sum(a for a, _ in counted) / max(sum(b for _, b in counted), 1))


def _interval(those: Sequence[ShelfFigures], seed: int) -> dict[str, float | None]:
    low, high = ratio_interval(
        [one.strange for one in those], [one.strange_of for one in those], seed=seed
    )
    return {"low": None if low is None else 100 * low, "high": None if high is None else 100 * high}


def _finite(value: float) -> float | None:
    """None: at least one never came."""
    return value if np.isfinite(value) else None
