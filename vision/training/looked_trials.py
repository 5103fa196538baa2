"""Photos to learn the verdict after looking from, and what the detector says of each.

A look costs half a second, so what was seen is kept, photo by photo, in a folder: a run that was
stopped goes on. Judges nothing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from storepulse.simulated.mishaps import by_jpeg, framed_well
from storepulse.simulated.packs import Rgb
from vision.clues import clues_of
from vision.detector import Found, Limits
from vision.gaps import WEAK_SCORE_MIN
from vision.look_clues import Floats, clues_of_small, small_picture
from vision.training.errors import LabelsUnreadable
from vision.training.verdict_trials import (
    GOOD,
    NEAR_EDGES,
    Trial,
    at_some_size,
    borne,
    drawn_good,
    in_other_light,
    level_between,
    read_rgb,
    shelf_photos,
    small_shelves,
    trials_of,
    with_room_around,
)
from vision.training.wider_trials import LOOKED_AT, wider_of


class Sees(Protocol):
    """What is asked of a detector."""

    def find_at_all(self, rgb: Rgb, limits: list[Limits]) -> list[Found]:
        """The facings of one picture at several limits."""
        ...


_DRAWN: Final = 24
_SMALL: Final = 40


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """One trial, its pixels' clues, and what the detector saw."""

    group: str
    kind: str
    level: float
    width: int
    height: int
    small: NDArray[np.uint8]
    """As `vision.look_clues.small_picture` makes it."""
    pixel_clues: Floats
    found: Found
    weak: Found

    def clues(self) -> Floats:
        """What `vision.look_clues` tells of it."""
        return clues_of_small(self.found, self.weak, self.small, self.width, self.height)


def look_at_trial(trial: Trial, detector: Sees) -> Looked:
    """What is seen of one trial, as `vision.look` would see it."""
    rgb = trial.rgb
    found, weak = detector.find_at_all(rgb, [Limits(), Limits(score_min=WEAK_SCORE_MIN)])
    return Looked(
        trial.group, trial.kind, trial.level, rgb.shape[1], rgb.shape[0], small_picture(rgb),
        clues_of(rgb).values, found, weak,
    )  # fmt: skip


def keep_looks(data: Path, folder: Path, detector: Sees) -> Iterator[str]:
    """Look at all trials of a data folder, group by group, and tell which group is done.

    Args:
        data: folder with `shelves` and `gaps`.
        folder: of what is kept; groups that are there are not looked at again.
    Raises:
        LabelsUnreadable, UnreadablePhoto: the data are of another form.
    """
    folder.mkdir(parents=True, exist_ok=True)
    photos = shelf_photos(data / "shelves", split="train")
    order = np.random.default_rng(0).permutation(len(photos))
    groups: list[tuple[str, Path | int]] = [
        (photos[place].stem, photos[place]) for place in order.tolist()
    ]
    groups[4:4] = [(f"drawn{seed}", seed) for seed in range(_DRAWN)]
    small = small_shelves(data / "gaps", part=0)
    chosen = np.random.default_rng(1).permutation(len(small))[:_SMALL]
    groups += [(f"{small[place][1]}_{place}", small[place][0]) for place in chosen.tolist()]
    for number, (name, source) in enumerate(groups):
        path = folder / f"{name}.npz"
        if path.is_file():
            continue
        rng = np.random.default_rng([17, number])
        if isinstance(source, int):
            trials = _of_drawn(source, rng)
        elif name.startswith("gap"):
            trials = _of_small(source, name.rsplit("_", 1)[0], rng)
        else:
            trials = _of_photo(source, number, rng)
        _write([look_at_trial(trial, detector) for trial in trials], path)
        yield name
    for place in order.tolist():
        path = folder / f"{photos[place].stem}_wider.npz"
        if not path.is_file():
            few = looked_at(wider_of(photos[place], place))
            _write([look_at_trial(trial, detector) for trial in few], path)
            yield path.stem


def looked_at(trials: Iterable[Trial]) -> Iterator[Trial]:
    """The first few of each kind, by `LOOKED_AT`."""
    seen: Counter[str] = Counter()
    for trial in trials:
        seen[trial.kind] += 1
        if seen[trial.kind] <= LOOKED_AT.get(trial.kind, 0):
            yield trial


def _of_photo(path: Path, number: int, rng: np.random.Generator) -> Iterator[Trial]:
    rgb = read_rgb(path)
    yield Trial(path.stem, f"{GOOD}_as_it_came", 0.0, rgb)
    levels = {mishap: [level_between(*ends, rng)] for mishap, ends in NEAR_EDGES.items()}
    yield from trials_of(rgb, path.stem, good=1, levels=levels, rng=rng)
    seen = by_jpeg(borne(framed_well(rgb, rng)[0], rng), rng)
    yield Trial(path.stem, f"{GOOD}_borne", 0.0, seen)
    if number % 2:
        yield Trial(path.stem, f"{GOOD}_room", 0.0, by_jpeg(with_room_around(rgb, rng), rng))
    else:
        lit: Rgb = by_jpeg(in_other_light(framed_well(rgb, rng)[0], rng), rng)
        yield Trial(path.stem, f"{GOOD}_other_light", 0.0, lit)


def _of_drawn(seed: int, rng: np.random.Generator) -> Iterator[Trial]:
    drawn = drawn_good(seed)
    yield Trial(f"drawn{seed}", f"{GOOD}_drawn", 0.0, drawn)
    yield Trial(
        f"drawn{seed}", f"{GOOD}_drawn", 0.0, by_jpeg(in_other_light(drawn, rng), rng)
    )  # fmt: skip


def _of_small(path: Path, group: str, rng: np.random.Generator) -> Iterator[Trial]:
    yield Trial(group, f"{GOOD}_300", 0.0, by_jpeg(at_some_size(read_rgb(path), rng), rng))


def _write(looked: Sequence[Looked], path: Path) -> None:
    arrays: dict[str, NDArray[np.generic]] = {
        "group": np.array([one.group for one in looked]),
        "kind": np.array([one.kind for one in looked]),
        "level": np.array([one.level for one in looked]),
        "size": np.array([(one.width, one.height) for one in looked]),
        "pixel_clues": np.array([one.pixel_clues for one in looked]),
    }
    for number, one in enumerate(looked):
        arrays[f"small_{number}"] = one.small
        for name, seen in (("found", one.found), ("weak", one.weak)):
            arrays[f"{name}_{number}"] = np.column_stack([seen.boxes_px, seen.scores])
    beside = path.with_suffix(".part.npz")
    np.savez_compressed(beside, **arrays)  # type: ignore[arg-type]  # its stubs know no names
    beside.rename(path)


def read_looks(folder: Path) -> list[Looked]:
    """What `keep_looks` kept.

    Raises:
        LabelsUnreadable: there is nothing, or it is of another form.
    """
    paths = sorted(path for path in folder.glob("*.npz") if not path.name.endswith(".part.npz"))
    if not paths:
        raise LabelsUnreadable(f"{folder} holds no looks; take them first")
    return [one for path in paths for one in _read(path)]


def _read(path: Path) -> Iterator[Looked]:
    with np.load(path) as kept:
        for number, (group, kind, level, size, clues) in enumerate(
            zip(kept["group"], kept["kind"], kept["level"], kept["size"], kept["pixel_clues"],
                strict=True)
        ):  # fmt: skip
            found, weak = (kept[f"{name}_{number}"] for name in ("found", "weak"))
            yield Looked(
                str(group), str(kind), float(level), int(size[0]), int(size[1]),
                kept[f"small_{number}"], clues, Found(found[:, :4], found[:, 4]),
                Found(weak[:, :4], weak[:, 4]),
            )  # fmt: skip
