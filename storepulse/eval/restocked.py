"""Judge restocked shelves photographed again: findings, their confidence, score intervals.

Each `val` photo gives a planogram; then it is restocked and exposed again, untouched and with five
deviations planted: two facings erased, one replaced, two exchanged. The same photo is judged in
three ways: registered to the reference photo; by rows and sequences, which alone say where to look
again; and without any reference photo, from the products' pictures.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from planograms.errors import NoShelf
from planograms.findings import Finding
from planograms.from_photo import planogram_from_photo
from planograms.judge import Prepared, compare_observation, prepare
from planograms.model import Planogram
from planograms.scores import Scores, scores_of
from storepulse.eval.exposures import Eyes
from storepulse.eval.figures import Figure, Report
from storepulse.eval.findings import calibration_error, chosen, photos_of
from storepulse.eval.progress import Steps
from storepulse.eval.resampling import ROUNDS, drawn_anew, interval_of, ratio_interval
from storepulse.eval.second_photos import MADE_AT
from storepulse.simulated.restocking import AS_IT_STANDS, HARDER, photographed, restock
from storepulse.simulated.second_photos import Changes
from vision.geometry import Boxes, boxes_of, iou
from vision.photos import Photo

Ints = npt.NDArray[np.int64]

REGISTERED: Final = "registered"
BY_ROWS: Final = "rows and sequences"
NO_REFERENCE: Final = "no reference photo"
WAYS: Final = (REGISTERED, BY_ROWS, NO_REFERENCE)
PLANTED: Final = 5
POSITIONS_MIN: Final = 12
OVERLAP_MIN: Final = 0.5
"""A finding is that of a planted deviation from this intersection over union on."""
PUSHED_SHARE: Final = 0.2
SCORES: Final = (
    "facing_compliance", "position_compliance", "on_shelf_availability", "exposure_main_push",
)  # fmt: skip
_KINDS: Final = {
    "erased": frozenset({"missing", "short"}),
    "replaced": frozenset({"wrong_product", "misplaced"}),
    "exchanged": frozenset({"wrong_product", "misplaced"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One deviation: what was done, at which position, and where that is on the photo."""

    what: str
    position: int
    box_px: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One photo of a restocked shelf, judged one way."""

    photo: str
    condition: str
    way: str
    planted: tuple[Planted, ...]
    findings: tuple[Finding, ...]
    owner: tuple[int, ...]
    """For each finding the number of the deviation that it tells; -1 where it is false."""
    refused: bool
    unobserved: int
    positions: int
    inside: Mapping[str, bool]
    """Whether the interval of each score holds the truth; without those that have no value."""

    @property
    def found(self) -> frozenset[int]:
        """Numbers of the deviations that are told."""
        return frozenset(self.owner) - {-1}

    @property
    def named(self) -> int:
        """How many of them are also called what they are."""
        return sum(
            k >= 0 and finding.kind in _KINDS[self.planted[k].what]
            for k, finding in zip(self.owner, self.findings, strict=True)
        )


def measure_restocked(
    folder: Path,
    looker: Eyes,
    *,
    photos_max: int | None,
    trials: int,
    harder: bool,
    seed: int,
    steps: Steps,
) -> Report:
    """Try the `val` photos.

    Args:
        photos_max: so many, chosen by seed; None: all.
        trials: pairs of exposures of each photo, one of them untouched.
        harder: also under the conditions of `HARDER`.
    Raises:
        WrongData, LabelsUnreadable: the folder does not hold them.
        UnreadablePhoto: one of the photos cannot be read.
    """
    paths = chosen(photos_of(folder, "val"), photos_max, seed)
    conditions = (AS_IT_STANDS, *(HARDER if harder else ()))
    done: list[Judged] = []
    skipped: list[str] = []
    for path in steps(paths, "judging restocked shelves"):
        photo, seen = looker.look_at(path, name=path.name)
        own = int(np.random.default_rng([seed, *path.name.encode()]).integers(2**31))
        try:
            plan = planogram_from_photo(photo, seen, id="eval", bay=path.stem, made_at=MADE_AT)
        except NoShelf as error:
            skipped.append(str(error))
            continue
        if len(plan.positions) < POSITIONS_MIN:
            skipped.append(f"{path.name}: fewer than {POSITIONS_MIN} positions")
            continue
        done += judged_trials(
            photo, plan, looker, trials=trials, conditions=conditions, seed=own
        )  # fmt: skip
    return report_of(
        done, skipped, seed=seed, settings={"trials": trials, "seed": seed},
    )  # fmt: skip


def ways_of(plan: Planogram) -> dict[str, Prepared]:
    """The planogram made ready for each way of judging."""
    whole = prepare(plan)
    return {
        REGISTERED: whole,
        BY_ROWS: replace(whole, key_points=None),
        NO_REFERENCE: prepare(replace(plan, reference=None)),
    }


def pushed_at_random(plan: Planogram, rng: np.random.Generator) -> Planogram:
    """The planogram with a fifth of its products marked as main push, at least one."""
    count = max(1, round(PUSHED_SHARE * len(plan.products)))
    pushed = set(rng.permutation(len(plan.products))[:count].tolist())
    products = tuple(replace(p, main_push=k in pushed) for k, p in enumerate(plan.products))
    return replace(plan, products=products)


def judged_trials(
    photo: Photo,
    plan: Planogram,
    looker: Eyes,
    *,
    trials: int,
    conditions: Sequence[str],
    seed: int,
) -> Iterator[Judged]:
    """All exposures of one photo, judged each way."""
    plan = pushed_at_random(plan, np.random.default_rng([seed, 0xF1]))
    ways = ways_of(plan)
    order = plan.in_order
    facings = [tuple(v * photo.scale for v in position.box_xyxy) for position in order]
    for trial in range(trials):
        own = seed + trial
        calm, places = restock(photo.rgb, facings, seed=own)  # type: ignore[arg-type]
        for condition in conditions:
            untouched = photographed(calm, places, condition, seed=own)
            shown = whole(untouched.places_px, untouched.rgb.shape)
            planned = planted_in(plan, shown, np.random.default_rng([own, 0xF2]))
            yield from _judged(
                photo.file, condition, plan, ways, looker, untouched.rgb, ()
            )  # fmt: skip
            if planned is None:
                continue
            whats, changes = planned
            stirred, moved = restock(
                photo.rgb, facings, seed=own, changes=changes  # type: ignore[arg-type]
            )  # fmt: skip
            changed = photographed(stirred, moved, condition, seed=own)
            truth = tuple(
                Planted(what=what, position=i, box_px=tuple(changed.places_px[i].tolist()))
                for i, what in whats.items()
            )
            yield from _judged(photo.file, condition, plan, ways, looker, changed.rgb, truth)


def whole(places: Boxes, shape: tuple[int, ...]) -> list[int]:
    """Numbers of the places that lie inside the picture."""
    inside = (places[:, :2] >= 0).all(axis=1) & (places[:, 2:] <= [shape[1], shape[0]]).all(axis=1)
    return [int(i) for i in np.flatnonzero(inside)]


def planted_in(
    plan: Planogram, shown: Sequence[int], rng: np.random.Generator
) -> tuple[dict[int, str], Changes] | None:
    """Choose the five deviations: by position what is done, and the change itself.

    What is put in place of another comes from another group of look-alikes and from another shelf
    where there is one: on one shelf the grouping often parts one product into two.

    Returns:
        None where too few positions are shown, or they hold one product.
    """
    if len(shown) < POSITIONS_MIN - 2:
        return None
    order = plan.in_order
    picked = [int(i) for i in rng.permutation(np.array(shown))]
    gone, rest = picked[:2], picked[2:]

    def others(i: int, among: Sequence[int]) -> list[int]:
        unlike = [j for j in among if order[j].product != order[i].product]
        return [j for j in unlike if order[j].row != order[i].row] or unlike

    spoilt = rest[0]
    source = others(spoilt, rest[1:])
    for one in rest[1:]:
        partners = others(one, [j for j in rest[1:] if j != one])
        if source and partners:
            other = partners[0]
            whats = {**dict.fromkeys(gone, "erased"), spoilt: "replaced", one: "exchanged",
                     other: "exchanged"}  # fmt: skip
            put = {spoilt: source[0], one: other, other: one}
            return whats, Changes(erased=gone, replaced=put)
    return None


def _judged(
    name: str,
    condition: str,
    plan: Planogram,
    ways: Mapping[str, Prepared],
    looker: Eyes,
    rgb: npt.NDArray[np.uint8],
    planted: tuple[Planted, ...],
) -> Iterator[Judged]:
    photo = Photo(name, rgb.shape[1], rgb.shape[0], rgb, 1.0)
    seen = looker.look(photo)
    truth = true_shares(plan, frozenset(one.position for one in planted))
    for way, ready in ways.items():
        told = compare_observation(photo, seen, ready).told
        yield Judged(
            photo=name, condition=condition, way=way, planted=planted, findings=told.findings,
            owner=owners(told.findings, planted), refused=seen.photo.verdict == "refused",
            unobserved=sum(state.status == "unobserved" for state in told.positions),
            positions=len(told.positions),
            inside=held(scores_of(plan, told.positions), truth),
        )  # fmt: skip


def owners(findings: Sequence[Finding], planted: Sequence[Planted]) -> tuple[int, ...]:
    """For each finding the deviation that it tells, each told once; -1 for none."""
    out = np.full(len(findings), -1)
    if len(findings) and len(planted):
        shared = iou(
            boxes_of([finding.box_xyxy_px for finding in findings]),
            boxes_of([one.box_px for one in planted]),
        )
        near = np.where(shared >= OVERLAP_MIN, 1 + shared, 0.0)
        for i, k in zip(*linear_sum_assignment(near, maximize=True), strict=True):
            if near[i, k] > 0:
                out[i] = k
    return tuple(out.tolist())


def true_shares(plan: Planogram, wrong: frozenset[int]) -> dict[str, float]:
    """What each score should say, where these positions (in order) are not as planned."""
    order = plan.in_order
    right = [i not in wrong for i in range(len(order))]
    number = {position.id: i for i, position in enumerate(order)}
    pushed = [i for i, each in enumerate(order) if plan.product_at(each).main_push]
    of_product: dict[str, list[int]] = {}
    for i, position in enumerate(order):
        of_product.setdefault(position.product, []).append(i)
    runs = [[number[position.id] for position in run] for run in plan.runs()]

    def any_right(groups: Sequence[Sequence[int]]) -> float:
        return sum(any(right[i] for i in group) for group in groups) / len(groups)

    facings = sum(right) / len(right)
    return {
        "facing_compliance": facings,
        "position_compliance": any_right(runs),
        "on_shelf_availability": any_right(list(of_product.values())),
        "exposure_main_push": sum(right[i] for i in pushed) / len(pushed) if pushed else facings,
    }


def held(scores: Scores, truth: Mapping[str, float]) -> dict[str, bool]:
    """Whether each score's interval holds the truth; without scores that saw nothing."""
    out = {}
    for name in SCORES:
        score = getattr(scores, name)
        if score.low is not None:
            out[name] = bool(score.low - 1e-4 <= truth[name] <= score.high + 1e-4)
    return out


def report_of(
    done: Sequence[Judged],
    skipped: Sequence[str],
    *,
    settings: Mapping[str, int],
    seed: int,
) -> Report:
    """The figures over all photos; those of one photo hang together in the intervals."""
    photos = sorted({one.photo for one in done})
    conditions = list(dict.fromkeys(one.condition for one in done))
    figures: list[Figure] = []
    for condition in conditions:
        for way in WAYS:
            mine = {
                photo: [
                    one for one in done
                    if (one.photo, one.condition, one.way) == (photo, condition, way)
                ]
                for photo in photos
            }  # fmt: skip
            where = way if condition == AS_IT_STANDS else f"{condition}: {way}"
            figures += _figures(mine, where, seed)
    return Report(
        measure="restocked",
        settings={**settings, "photos": len(photos), "planted": PLANTED, "overlap": OVERLAP_MIN},
        figures=tuple(figure for figure in figures if figure.n),
        notes=(
            "restocking and exposures are simulated, photos are real; intervals by photo",
            "a photo that is refused has no findings: what was planted on it counts as missed",
            "F1 asks for the place alone, F1_named for what it is called as well",
            *_noisy(done),
            *(f"left out: {one}" for one in skipped),
        ),
    )  # fmt: skip


def _figures(mine: Mapping[str, Sequence[Judged]], where: str, seed: int) -> list[Figure]:
    def ratio(
        name: str, over: Callable[[Judged], float], under: Callable[[Judged], float]
    ) -> Figure:
        top = [sum(map(over, some)) for some in mine.values()]
        below = [sum(map(under, some)) for some in mine.values()]
        low, high = ratio_interval(top, below, seed=seed)
        value = sum(top) / sum(below) if sum(below) else None
        return Figure(name=name, of=where, value=value, low=low, high=high, n=int(sum(below)))

    def told(one: Judged) -> int:
        return len(one.findings) if one.planted else 0

    out = [
        ratio("F1", lambda j: 2 * len(j.found), lambda j: len(j.planted) + told(j)),
        ratio("F1_named", lambda j: 2 * j.named, lambda j: len(j.planted) + told(j)),
        ratio("precision", lambda j: len(j.found), told),
        ratio("recall", lambda j: len(j.found), lambda j: len(j.planted)),
        *(
            ratio(f"recall_{what}", lambda j, w=what: sum(  # type: ignore[misc]
                j.planted[k].what == w for k in j.found),
                lambda j, w=what: sum(one.what == w for one in j.planted))  # type: ignore[misc]
            for what in _KINDS
        ),
        ratio("false_findings_a_bay_untouched",
              lambda j: len(j.findings) * (not j.planted), lambda j: int(not j.planted)),
        ratio("photos_refused", lambda j: int(j.refused), lambda j: int(j.positions > 0)),
        ratio("positions_unobserved", lambda j: j.unobserved, lambda j: j.positions),
    ]  # fmt: skip
    for score in SCORES:
        out.append(
            ratio(f"interval_holds_{score}", lambda j, s=score: j.inside.get(s, False),  # type: ignore[misc]
                  lambda j, s=score: int(s in j.inside))  # type: ignore[misc]
        )  # fmt: skip
    return [*out, *_confidence(mine, where, seed)]


def _confidence(mine: Mapping[str, Sequence[Judged]], where: str, seed: int) -> list[Figure]:
    tables = [
        np.array(
            [(f.confidence, k >= 0) for one in some
             for f, k in zip(one.findings, one.owner, strict=True)], dtype=np.float64
        ).reshape(-1, 2)
        for some in mine.values()
    ]  # fmt: skip
    every = np.concatenate(tables) if tables else np.zeros((0, 2))
    if len(every) < 50:
        return []
    errors = [
        calibration_error(drawn)
        for few in drawn_anew(tables, seed=seed, rounds=ROUNDS // 4)
        if len(drawn := np.concatenate(few))
    ]
    low, high = interval_of(errors) if len(tables) >= 5 else (None, None)
    return [
        Figure(name="expected_calibration_error", of=where, value=calibration_error(every),
               low=low, high=high, n=len(every)),
    ]  # fmt: skip


def _noisy(done: Sequence[Judged]) -> list[str]:
    false: dict[str, int] = {}
    for one in done:
        if one.way == REGISTERED and one.condition == AS_IT_STANDS and not one.planted:
            false[one.photo] = false.get(one.photo, 0) + len(one.findings)
    worst = sorted(false.items(), key=lambda item: (-item[1], item[0]))[:6]
    named = ", ".join(f"{name} {count}" for name, count in worst if count)
    return [f"most findings where nothing was changed, registered: {named}"] if named else []
