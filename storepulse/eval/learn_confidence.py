"""Learn how sure claims are from train photos: a logistic curve a kind. Prints; changes nothing.

Each photo is judged against its planogram with the reference photo, and against the same one drawn
from its products' pictures: two sets of curves. What is printed belongs into
`planograms.confidence`, by hand and after `eval findings` and `eval restocked`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from planograms.confidence import NAMES, Claim, Curve
from planograms.errors import NoShelf
from planograms.from_photo import planogram_from_photo
from planograms.judge import compare_observation, prepare
from storepulse.eval.exposures import Eyes
from storepulse.eval.progress import Steps
from storepulse.eval.restocked import planted_in, whole
from storepulse.eval.second_photos import MADE_AT, Case, simulated_cases
from storepulse.simulated.restocking import AS_IT_STANDS, photographed, restock
from storepulse.simulated.second_photos import CONDITIONS
from vision.observation import Observation
from vision.photos import Photo

Reals = npt.NDArray[np.float64]

_SIGNS: Final = {
    "before": 1, "again": -1, "board": 1, "edges": -1, "anchors": 1, "around": 1, "weak": -1,
    "covered": -1, "margin": 1, "hidden": -1, "same": -1, "rival": 1,
}  # fmt: skip
"""Which way each witness may speak: with few photos a weight of the wrong sign is noise."""
_PENALTY: Final = 1.0
_SPREAD_MIN: Final = 0.1
"""A witness that hardly ever speaks may not be given a weight to make up for it."""


@dataclass(frozen=True)
class Lesson:
    """Claims and whether they are right."""

    table: Reals
    """(n, k) what the witnesses say, in the order of `NAMES`."""
    right: Reals
    """(n,) 1 or 0."""


PHOTO: Final = "photo"
DRAWN: Final = "drawn"
CONDITIONS_EACH: Final = 2
CLAIMS: Final[tuple[Claim, Claim]] = ("missing", "wrong")


def lessons_of(photo: Photo, seen: Observation, looker: Eyes, *, seed: int) -> dict[str, Lesson]:
    """What one train photo teaches, by reference and claim: "photo missing", "drawn wrong", ...

    Of the harder conditions each photo is seen under a few, which its seed chooses.
    """
    out: dict[str, Lesson] = {}
    names = np.random.default_rng([seed, 0x1E]).permutation(sorted(CONDITIONS))[:CONDITIONS_EACH]
    few = {name: CONDITIONS[name] for name in names.tolist()}
    for reference, wanted in ((PHOTO, True), (DRAWN, False)):
        cases = list(
            simulated_cases(photo, seen, looker, seed=seed, conditions=few, reference=wanted)
        )
        cases += restocked_cases(photo, seen, looker, seed=seed, reference=wanted)
        for claim in CLAIMS:
            out[f"{reference} {claim}"] = lesson_of(cases, claim)
    return out


def learn_from(
    paths: Sequence[Path], looker: Eyes, *, keep: Path | None, seed: int, steps: Steps
) -> dict[str, Curve]:
    """The curves of all photos together, by reference and claim.

    Args:
        keep: a folder with what each photo taught; a run that was stopped goes on from there.
    Raises:
        UnreadablePhoto: one of the photos cannot be read.
        ValueError: all claims of a kind are right, or none is.
    """
    every = [_kept_lessons(path, looker, keep, seed) for path in steps(paths, "learning from")]
    names = [f"{reference} {claim}" for reference in (PHOTO, DRAWN) for claim in CLAIMS]
    return {
        name: learn(
            Lesson(
                np.concatenate([lessons[name].table for lessons in every]),
                np.concatenate([lessons[name].right for lessons in every]),
            )
        )
        for name in names
    }


def _kept_lessons(path: Path, looker: Eyes, keep: Path | None, seed: int) -> dict[str, Lesson]:
    file = None if keep is None else keep / f"{path.name}.npz"
    if file is not None and file.exists():
        with np.load(file) as data:
            names = [key.removesuffix(" table") for key in data.files if key.endswith(" table")]
            return {name: Lesson(data[f"{name} table"], data[f"{name} right"]) for name in names}
    photo, seen = looker.look_at(path, name=path.name)
    own = int(np.random.default_rng([seed, *path.name.encode()]).integers(2**31))
    lessons = lessons_of(photo, seen, looker, seed=own)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        columns: dict[str, Reals] = {}
        for name, lesson in lessons.items():
            columns |= {f"{name} table": lesson.table, f"{name} right": lesson.right}
        np.savez(file, **columns)  # type: ignore[arg-type]  # names of arrays alone
    return lessons


def restocked_cases(
    photo: Photo, seen: Observation, looker: Eyes, *, seed: int, reference: bool
) -> Iterator[Case]:
    """The shelf restocked and exposed again, as it was and with five deviations planted."""
    try:
        plan = planogram_from_photo(photo, seen, id="eval", bay="eval", made_at=MADE_AT)
    except NoShelf:
        return
    ready = prepare(plan if reference else replace(plan, reference=None))
    facings = [tuple(v * photo.scale for v in each.box_xyxy) for each in plan.in_order]
    for way in (ready, replace(ready, key_points=None)) if reference else (ready,):
        for changed in (False, True):
            calm, places = restock(photo.rgb, facings, seed=seed)  # type: ignore[arg-type]
            second = photographed(calm, places, AS_IT_STANDS, seed=seed)
            erased: Sequence[int] = ()
            replaced: Mapping[int, int] = {}
            if changed:
                shown = whole(second.places_px, second.rgb.shape)
                planned = planted_in(plan, shown, np.random.default_rng([seed, 0xF2]))
                if planned is None:
                    continue
                erased, replaced = planned[1].erased, planned[1].replaced or {}
                stirred, moved = restock(
                    photo.rgb, facings, seed=seed, changes=planned[1]  # type: ignore[arg-type]
                )  # fmt: skip
                second = photographed(stirred, moved, AS_IT_STANDS, seed=seed)
            again = Photo(photo.file, second.rgb.shape[1], second.rgb.shape[0], second.rgb, 1.0)
            told = compare_observation(again, looker.look(again), way).told
            yield Case(
                photo=photo.file, condition=AS_IT_STANDS, planogram=plan, told=told,
                facing_of=np.arange(len(plan.in_order)), erased=frozenset(erased),
                replaced=frozenset(replaced), doubtful=frozenset(), places_px=second.places_px,
            )  # fmt: skip


def lesson_of(cases: Sequence[Case], claim: Claim) -> Lesson:
    """What the cases teach about one kind of claim; empty for none."""
    tables, rights = [np.zeros((0, len(NAMES)))], []
    for case in cases:
        heard = case.told.heard
        if heard is None:
            continue
        mine = heard.bare == (claim == "missing")
        facings = case.facing_of[heard.asked]
        known = mine & ~np.isin(facings, sorted(case.doubtful))
        tables.append(heard.witnesses.table()[known])
        rights.append(np.isin(facings[known], sorted(case.changed)))
    return Lesson(
        np.concatenate(tables),
        np.concatenate(rights).astype(np.float64) if rights else np.zeros(0),
    )


def learn(lesson: Lesson) -> Curve:
    """The logistic curve that fits best, its weights signed as they must be and kept small.

    Raises:
        ValueError: all claims are right, or none is: nothing can be learnt.
    """
    if len(set(lesson.right.tolist())) < 2:
        raise ValueError("the claims must be some right and some wrong")
    middle, spread = lesson.table.mean(axis=0), np.maximum(lesson.table.std(axis=0), _SPREAD_MIN)
    steps = (lesson.table - middle) / spread

    def loss(guess: Reals) -> tuple[float, Reals]:
        chance = 1 / (1 + np.exp(-np.clip(guess[0] + steps @ guess[1:], -30, 30)))
        likely = np.where(lesson.right > 0, chance, 1 - chance)
        off = chance - lesson.right
        slope = np.concatenate([[off.sum()], steps.T @ off + 2 * _PENALTY * guess[1:]])
        return float(-np.log(likely + 1e-12).sum() + _PENALTY * (guess[1:] ** 2).sum()), slope

    bounds = [(None, None), *((0, None) if _SIGNS[n] > 0 else (None, 0) for n in NAMES)]
    found = minimize(
        loss, np.zeros(len(NAMES) + 1), jac=True, bounds=bounds, method="L-BFGS-B"
    ).x  # fmt: skip
    weights = found[1:] / spread
    level = float(found[0] - (weights * middle).sum())
    return Curve(round(level, 3), tuple(round(float(weight), 3) for weight in weights))
