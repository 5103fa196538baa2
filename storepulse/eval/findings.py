"""Findings on harder second photos: false ones, missed ones, and what their confidence is worth.

Every simulated photo is a view of a real one; conditions are told apart. `measure_pairs` does the
same on real second photos.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from storepulse.eval.data_folders import need
from storepulse.eval.exposures import Eyes
from storepulse.eval.figures import Figure, Report
from storepulse.eval.progress import Steps
from storepulse.eval.resampling import ROUNDS, drawn_anew, interval_of, ratio_interval
from storepulse.eval.second_photos import Case, real_cases, simulated_cases
from vision.observation import Observation
from vision.photos import Photo
from vision.register import Features, features, register
from vision.training.labels import read_coco

Reals = npt.NDArray[np.float64]

INLIERS_MIN: Final = 60
"""Two photos whose registration rests on so many points show one shelf."""
SECOND_MOST: Final = 2
"""How often one photo is the second of a pair."""
BINS: Final = 10
FINDINGS_MIN: Final = 400
"""Fewer independent findings give no calibration error worth a name."""
_SURE: Final = 0.9
_TRAIN: Final = "train"


def photos_of(folder: Path, split: str) -> list[Path]:
    """The photos of a split: `val` is `checked.json`, `train` those of `boxes.json` said so.

    Raises:
        WrongData, LabelsUnreadable: the folder does not hold them.
    """
    name = "boxes.json" if split == _TRAIN else "checked.json"
    need(folder, name, "images")
    labels = read_coco(folder / name, folder / "images")
    if split != _TRAIN:
        return sorted(photo.path for photo in labels.photos)
    checked = {photo.path for photo in read_coco(folder / "checked.json", folder / "images").photos}
    return sorted(photo.path for photo in labels.photos if photo.path not in checked)


def chosen(paths: Sequence[Path], most: int | None, seed: int) -> list[Path]:
    """The first so many of a shuffle that the seed fixes; all for None."""
    if most is None or most >= len(paths):
        return list(paths)
    order = np.random.default_rng([seed, 0xC5]).permutation(len(paths))[:most]
    return [paths[k] for k in sorted(order.tolist())]


def cases_of(paths: Sequence[Path], looker: Eyes, *, seed: int, steps: Steps) -> list[Case]:
    """All simulated cases of some photos.

    Raises:
        UnreadablePhoto: one of the photos cannot be read.
    """
    out: list[Case] = []
    for path in steps(paths, "judging second photos"):
        photo, seen = looker.look_at(path, name=path.name)
        own = int(np.random.default_rng([seed, *path.name.encode()]).integers(2**31))
        out += simulated_cases(photo, seen, looker, seed=own)
    return out


def measure_findings(
    folder: Path, looker: Eyes, *, photos_max: int | None, seed: int, steps: Steps
) -> Report:
    """Judge simulated second photos of the `val` photos.

    Raises:
        WrongData, LabelsUnreadable: the folder does not hold them.
        UnreadablePhoto: one of the photos cannot be read.
    """
    paths = chosen(photos_of(folder, "val"), photos_max, seed)
    cases = cases_of(paths, looker, seed=seed, steps=steps)
    return report_of(
        "findings", cases, lambda case: case.photo, seed=seed,
        settings={"photos": len({case.photo for case in cases}), "seed": seed},
        notes=(
            "views, light, moved shelves and goods are simulated, photos are real; by photo",
            "confidence was learnt on train photos of the same kind, where about one position in "
            "twelve differs; where less differs, claims are less often right than they say",
        ),
    )  # fmt: skip


def measure_pairs(
    folder: Path, looker: Eyes, *, odd: bool, photos_max: int | None, seed: int, steps: Steps
) -> Report:
    """Judge real second photos: pairs of `tobacco_photos` that show one shelf.

    Args:
        odd: the planograms with odd numbers, which were looked at while this was built; else the
            even ones.
    Raises:
        WrongData: the folder does not hold them.
    """
    cases = pair_cases(folder, looker, odd=odd, photos_max=photos_max, seed=seed, steps=steps)
    return report_of(
        "pairs", cases, _shelf_of, seed=seed,
        settings={
            "pairs": len({case.photo for case in cases}),
            "shelves": len({_shelf_of(case) for case in cases}), "seed": seed,
        },
        notes=(
            "both photos are real; that nothing changed between them is taken from their "
            "registering, not from labels; intervals by planogram and camera",
        ),
    )  # fmt: skip


def _shelf_of(case: Case) -> str:
    """Camera and planogram of the first photo: C1_P05 of C1_P05_N1_S4_1."""
    return "_".join(case.photo.split("_")[:2])


def pair_cases(
    folder: Path, looker: Eyes, *, odd: bool, photos_max: int | None, seed: int, steps: Steps
) -> list[Case]:
    """The cases of all pairs that register."""
    need(folder, "tobacco_photos")
    paths = [
        path
        for path in sorted((folder / "tobacco_photos").glob("*.webp"))
        if (int(path.name.split("_P")[1][:2]) % 2 == 1) == odd
    ]
    looked: dict[Path, tuple[Photo, Observation]] = {}
    points: dict[Path, Features] = {}
    for path in steps(paths, "reading photos"):
        looked[path] = looker.look_at(path, name=path.stem)
        points[path] = features(looked[path][0].rgb)
    used = dict.fromkeys(paths, 0)
    pairs = list(itertools.combinations(paths, 2))
    rng = np.random.default_rng([seed, 0x7B])
    pairs = [pairs[k] for k in rng.permutation(len(pairs))]
    out: list[Case] = []
    for number, (one, other) in enumerate(steps(pairs, "judging pairs")):
        first, second = (one, other) if used[other] <= used[one] else (other, one)
        if used[second] >= SECOND_MOST or (photos_max and len(out) >= 2 * photos_max):
            continue
        found = register(points[first], points[second])
        if found.plane is None or found.inliers < INLIERS_MIN:
            continue
        a, b = looked[first][0].scale, looked[second][0].scale
        plane = np.diag([1 / b, 1 / b, 1.0]) @ found.plane @ np.diag([a, a, 1.0])
        more = list(real_cases(looked[first], looked[second], plane, looker, seed=seed + number))
        used[second] += bool(more)
        out += more
    return out


def report_of(
    measure: str,
    cases: Sequence[Case],
    group_of: Callable[[Case], str],
    *,
    seed: int,
    settings: Mapping[str, str | int | float | None],
    notes: Sequence[str],
) -> Report:
    """The figures over all cases; those of one group hang together in the intervals."""
    groups = sorted({group_of(case) for case in cases})
    of = {group: [case for case in cases if group_of(case) == group] for group in groups}
    conditions = list(dict.fromkeys(case.condition for case in cases))

    def ratio(
        name: str, where: str, over: Callable[[Case], int], under: Callable[[Case], int]
    ) -> Figure:
        mine = {
            group: [case for case in of[group] if where in ("all", case.condition)]
            for group in groups
        }
        top = [sum(map(over, mine[group])) for group in groups]
        below = [sum(map(under, mine[group])) for group in groups]
        low, high = ratio_interval(top, below, seed=seed)
        value = sum(top) / sum(below) if sum(below) else None
        return Figure(name=name, of=where, value=value, low=low, high=high, n=sum(below))

    figures = []
    for where in ("all", *conditions):
        figures += [
            ratio("false_findings_a_bay_untouched", where, lambda c: _false(c, calm=True), _calm),
            ratio("recall_of_changes", where, lambda c: len(c.found() & c.asked()),
                  lambda c: len(c.asked())),
            ratio("precision", where, _right, lambda c: _right(c) + _false(c, calm=False)),
            ratio("unobserved", where,
                  lambda c: sum(s.status == "unobserved" for s in c.told.positions),
                  lambda c: len(c.told.positions)),
            ratio("unsure", where, lambda c: sum(s.status == "unsure" for s in c.told.positions),
                  lambda c: len(c.told.positions)),
        ]  # fmt: skip
    figures = [figure for figure in figures if figure.n]
    figures += _confidence(of, groups, seed)
    few = sum(len(_told(case)) for case in cases) < FINDINGS_MIN
    return Report(
        measure=measure, settings=settings, figures=tuple(figures),
        notes=(
            *notes,
            *((f"fewer than {FINDINGS_MIN} findings: calibration is not known",) if few else ()),
            *_worst(cases),
        ),
    )  # fmt: skip


def _told(case: Case) -> list[tuple[float, bool]]:
    """Confidence of each finding whose truth is known, and whether it is right."""
    judged = [(finding.confidence, case.right(finding)) for finding in case.told.findings]
    return [(confidence, right) for confidence, right in judged if right is not None]


def _right(case: Case) -> int:
    return sum(right for _, right in _told(case))


def _false(case: Case, *, calm: bool) -> int:
    if calm and case.changed | case.doubtful:
        return 0
    return sum(not right for _, right in _told(case))


def _calm(case: Case) -> int:
    return int(not (case.changed | case.doubtful))


def _confidence(of: Mapping[str, Sequence[Case]], groups: Sequence[str], seed: int) -> list[Figure]:
    """What confidence is worth: its expected error, and how many sure claims are right."""
    told = {
        group: np.array([one for case in of[group] for one in _told(case)]).reshape(-1, 2)
        for group in groups
    }
    every = np.concatenate([*told.values(), np.zeros((0, 2))])
    if len(every) < FINDINGS_MIN:
        return []
    sure = {group: table[table[:, 0] >= _SURE] for group, table in told.items()}
    low, high = ratio_interval(
        [table[:, 1].sum() for table in sure.values()], [len(t) for t in sure.values()], seed=seed
    )
    claimed = np.concatenate(list(sure.values()))
    errors = [
        calibration_error(np.concatenate([told[group] for group in drawn]))
        for drawn in drawn_anew(groups, seed=seed, rounds=ROUNDS // 4)
    ]
    ends = interval_of(errors) if len(groups) >= 5 else (None, None)
    return [
        Figure(name="expected_calibration_error", value=calibration_error(every), low=ends[0],
               high=ends[1], n=len(every)),
        Figure(name="right_of_claims_surer_than_0.9", low=low, high=high, n=len(claimed),
               value=float(claimed[:, 1].mean()) if len(claimed) else None),
        Figure(name="mean_confidence_of_those", n=len(claimed),
               value=float(claimed[:, 0].mean()) if len(claimed) else None),
    ]  # fmt: skip


def calibration_error(told: Reals) -> float:
    """Mean distance of confidence and share right, over ten bins of confidence from 0.5 to 1.

    Args:
        told: (n, 2) confidence, and 1 where right.
    """
    place = np.clip(((told[:, 0] - 0.5) / 0.5 * BINS).astype(np.int64), 0, BINS - 1)
    error = 0.0
    for bin_ in np.unique(place):
        mine = told[place == bin_]
        error += abs(float(mine[:, 0].mean() - mine[:, 1].mean())) * len(mine) / len(told)
    return error


def _worst(cases: Sequence[Case]) -> list[str]:
    false: dict[str, int] = {}
    for case in cases:
        if count := _false(case, calm=True):
            name = f"{case.photo} ({case.condition})"
            false[name] = false.get(name, 0) + count
    worst = sorted(false.items(), key=lambda item: (-item[1], item[0]))[:8]
    named = ", ".join(f"{name} {count}" for name, count in worst)
    return [f"most false findings where nothing changed: {named}"] if worst else []
