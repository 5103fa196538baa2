"""Judge a photo against its planogram: match, compare, score. The eyes are given; writes nothing.

Only this module of `planograms` runs a model, and only through the looker that it is handed.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from planograms.claims import Evidence, Facings, NoPixels
from planograms.compare import Comparison, Distances, boxes_in_order
from planograms.compare import compare as compare_with
from planograms.drawn_reference import draw_reference
from planograms.errors import BadPlanogram
from planograms.evidence import (
    PixelEvidence,
    ProductLooks,
    ReferencePixels,
    blurred_alike,
    reference_pixels,
    sharpness,
)
from planograms.findings import Finding, PositionState
from planograms.from_photo import rows_for
from planograms.matching import Match, Registered, match
from planograms.model import Planogram
from planograms.order import in_walking_order
from planograms.pictures import Pixels, unpacked
from planograms.placing import Planned, Seen
from planograms.scores import Scores, scores_of
from planograms.unfold import unfolded
from vision.appearance import (
    UNDECIDED,
    Floats,
    describe,
    distance,
    light_between,
    light_of,
    relit,
)
from vision.geometry import Boxes, PlaneMap, boxes_of, touched
from vision.observation import Observation
from vision.photos import Photo
from vision.products.colours import DIMENSIONS, describe_colours
from vision.products.embedding import Embedder
from vision.products.facings import FacingLooks
from vision.register import Features, Registration, features, register

Ints = npt.NDArray[np.int64]

METHOD: Final = "planograms.judge/2"


class Looks(Protocol):
    """Eyes: what `vision.look.Looker` offers."""

    def look(self, photo: Photo) -> Observation:
        """What a photo shows."""
        ...


@dataclass(frozen=True, slots=True)
class RegistrationFacts:
    """How the photo was brought over the planogram, and on what evidence."""

    by: Registered
    inliers: int
    """Key points of photo and reference that agree on one plane; 0 without a reference."""
    pairs: int
    """Key points that were compared for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a photo shows, and how it differs from its planogram.

    A refused photo has all positions unobserved, no findings, and scores without values.
    """

    observation: Observation
    planogram: str
    planogram_version: int
    registration: RegistrationFacts
    positions: tuple[PositionState, ...]
    findings: tuple[Finding, ...]
    scores: Scores
    method: str = METHOD


JUDGEMENT_JSON: TypeAdapter[Judgement] = TypeAdapter(Judgement)


@dataclass(frozen=True)
class Prepared:
    """A planogram made ready: its pictures unpacked and described once for many photos."""

    planogram: Planogram
    """With one position for each facing."""
    boxes: Boxes
    rows: Ints
    reference: ReferencePixels | None
    blurred: Boxes
    """(b, 4) where the reference photo is blurred, in the frame."""
    key_points: Features | None
    products: ProductLooks


def prepare(planogram: Planogram, *, embedder: Embedder | None = None) -> Prepared:
    """Make a planogram ready.

    Args:
        embedder: says whether two pictures show one product; by default the packaged one.
    Raises:
        BadPlanogram: a picture in it is damaged, or it has too many facings.
    """
    try:
        planogram = unfolded(planogram)
    except ValueError as error:
        raise BadPlanogram(f"planogram {planogram.id}: {error}") from error
    boxes = boxes_in_order(planogram)
    pictures, owners = _product_pictures(planogram)
    index = {product.id: k for k, product in enumerate(planogram.products)}
    product_of_position = np.array([index[each.product] for each in planogram.in_order])
    reference, key_points = None, None
    if planogram.reference is not None:
        rgb = unpacked(planogram.reference.picture, f"planogram {planogram.id}: reference")
        blurred = boxes_of(planogram.reference.blurred)
        scale, clear = planogram.reference.scale, ~touched(boxes, blurred)
        reference = reference_pixels(rgb, scale, boxes, clear, of_photo=True)
        key_points = features(rgb)
    else:
        first = dict(zip(owners[::-1].tolist(), pictures[::-1], strict=True))
        drawn = draw_reference(
            boxes, [first.get(k) for k in product_of_position.tolist()],
            width=planogram.width, height=planogram.height,
        )  # fmt: skip
        if drawn is not None:
            reference = reference_pixels(drawn.rgb, drawn.scale, boxes, drawn.shown, of_photo=False)
    eyes = embedder or packaged_embedder()
    return Prepared(
        planogram=planogram,
        boxes=boxes,
        rows=np.array([position.row for position in planogram.in_order]),
        reference=reference,
        blurred=boxes_of(() if planogram.reference is None else planogram.reference.blurred),
        key_points=key_points,
        products=ProductLooks(
            looks=_described(pictures),
            faces=_faces(pictures, eyes),
            owner=owners,
            of_position=product_of_position,
            embedder=eyes,
        ),
    )


@cache
def packaged_embedder() -> Embedder:
    """The embedding that comes with the package, loaded when it is first asked for."""
    return Embedder()


def _product_pictures(planogram: Planogram) -> tuple[list[Pixels], Ints]:
    """All products' pictures, one after another, and whose each is."""
    pictures, owners = [], []
    for k, product in enumerate(planogram.products):
        for n, picture in enumerate(product.pictures):
            pictures.append(
                unpacked(picture, f"planogram {planogram.id}: products.{k}.pictures.{n}")
            )
            owners.append(k)
    return pictures, np.array(owners, dtype=np.int64)


def _described(pictures: Sequence[Pixels]) -> Floats:
    looks = [describe(np.zeros((1, 1, 3), np.uint8), [])]
    looks += [describe(rgb, [(0, 0, rgb.shape[1], rgb.shape[0])]) for rgb in pictures]
    return np.concatenate(looks)


def _faces(pictures: Sequence[Pixels], embedder: Embedder) -> FacingLooks:
    colours = [describe_colours(rgb) for rgb in pictures]
    return FacingLooks(
        embedder.embed(pictures), np.array(colours, np.float32).reshape(-1, DIMENSIONS)
    )


def judge(photo: Photo, planogram: Planogram | Prepared, looker: Looks) -> Judgement:
    """Judge a photo against a planogram.

    Raises:
        BadPlanogram: a picture in the planogram is damaged.
    """
    ready = planogram if isinstance(planogram, Prepared) else prepare(planogram)
    return judge_observation(photo, looker.look(photo), ready)


def judge_observation(photo: Photo, observation: Observation, ready: Prepared) -> Judgement:
    """As `judge`, for a photo that was looked at already."""
    compared = compare_observation(photo, observation, ready)
    told = compared.told
    return Judgement(
        observation=_timed(observation, compared.timings_ms),
        planogram=ready.planogram.id,
        planogram_version=ready.planogram.version,
        registration=compared.registration,
        positions=told.positions,
        findings=in_walking_order(ready.planogram, told.positions, told.findings),
        scores=scores_of(ready.planogram, told.positions, told.findings),
    )


@dataclass(frozen=True)
class Compared:
    """A photo compared with its planogram, before it is scored."""

    told: Comparison
    registration: RegistrationFacts
    timings_ms: Mapping[str, float]


def compare_observation(photo: Photo, observation: Observation, ready: Prepared) -> Compared:
    """Match and compare a photo that was looked at already."""
    started = time.perf_counter()
    boxes = boxes_of([facing.box_xyxy_px for facing in observation.facings])
    seen = Seen(boxes, rows_for(boxes, observation), (photo.width, photo.height))
    usable = observation.photo.verdict == "usable"
    looks = describe(photo.rgb, seen.boxes * photo.scale)
    timings = {"describe": _ms_since(started)}
    at = time.perf_counter()
    registration = _register(photo, ready) if usable else Registration(None, 0, 0)
    timings["register"] = _ms_since(at)
    at = time.perf_counter()
    plane = _frame_to_photo(registration, photo, ready)
    found, distances, light = _match(ready, seen, looks, plane)
    timings["match"] = _ms_since(at)
    at = time.perf_counter()
    facings = Facings(
        seen.boxes,
        np.array([facing.score for facing in observation.facings]),
        photo.width,
        photo.height,
        weak_px=boxes_of([facing.box_xyxy_px for facing in observation.doubtful]),
        weak_scores=np.array([facing.score for facing in observation.doubtful]),
    )
    evidence = _evidence(photo, ready, seen, looks, found, light)
    told = compare_with(ready.planogram, facings, distances, found, evidence)
    timings["compare"] = _ms_since(at)
    facts = RegistrationFacts(found.registered, registration.inliers, registration.pairs)
    return Compared(told, facts, timings)


def _evidence(
    photo: Photo, ready: Prepared, seen: Seen, looks: Floats, found: Match, light: Floats
) -> Evidence:
    """What the pixels can be asked, where both photos are there and lie over each other."""
    if found.plane is None or ready.reference is None:
        return NoPixels()
    paired = np.flatnonzero(found.facing_of >= 0)
    boxes_px = seen.boxes[found.facing_of[paired]] * photo.scale
    return PixelEvidence(
        rgb=blurred_alike(photo.rgb, ready.blurred, found.plane, photo.scale),
        scale=photo.scale,
        facings_px=seen.boxes,
        facing_looks=looks,
        reference=ready.reference,
        products=ready.products,
        plane=found.plane,
        light=light,
        sharp=sharpness(photo.rgb, boxes_px, ready.reference, paired),
    )


def _register(photo: Photo, ready: Prepared) -> Registration:
    if ready.key_points is None:
        return Registration(None, 0, 0)
    return register(ready.key_points, key_points_of(photo))


@lru_cache(maxsize=1)
def key_points_of(photo: Photo) -> Features:
    """A photo's key points; of the last one they are known: to find them takes a tenth of all."""
    return features(photo.rgb)


def _frame_to_photo(registration: Registration, photo: Photo, ready: Prepared) -> PlaneMap | None:
    """The map between the two pictures, as one from the frame to the full photo."""
    if registration.plane is None or ready.reference is None:
        return None
    shrink = np.diag([ready.reference.scale, ready.reference.scale, 1.0])
    grow = np.diag([1 / photo.scale, 1 / photo.scale, 1.0])
    return np.asarray(grow @ registration.plane @ shrink, dtype=np.float64)


def _match(
    ready: Prepared, seen: Seen, looks: Floats, plane: PlaneMap | None
) -> tuple[Match, Distances, Floats]:
    """Match twice: the first pairs tell how the light differs, and the second knows it."""
    planned = Planned(ready.boxes, ready.rows)
    light = light_of(ready.products.looks, looks)
    distances = _distances(ready, looks, light)
    found = match(planned, seen, distances.to_positions, plane=plane)
    pairs = np.flatnonzero(found.facing_of >= 0)
    if ready.reference is not None:
        pairs = pairs[ready.reference.clear[pairs]]
        light = light_between(ready.reference.looks[pairs], looks[found.facing_of[pairs]])
        distances = _distances(ready, looks, light)
        found = match(planned, seen, distances.to_positions, plane=plane)
    return found, distances, light


def _distances(ready: Prepared, looks: Floats, light: Floats) -> Distances:
    plan = ready.planogram
    to_products = np.full((len(plan.products), len(looks)), UNDECIDED, dtype=np.float64)
    if len(ready.products.owner):
        each = distance(relit(ready.products.looks, light), looks)
        starts = np.flatnonzero(np.diff(ready.products.owner, prepend=-1))
        to_products[ready.products.owner[starts]] = np.minimum.reduceat(each, starts, axis=0)
    to_positions = to_products[ready.products.of_position]
    if ready.reference is not None:
        own = distance(relit(ready.reference.looks, light), looks).astype(np.float64)
        to_positions = np.where(
            ready.reference.clear[:, None], np.minimum(own, to_positions), to_positions
        )
    return Distances(to_positions, to_products)


def _timed(observation: Observation, timings: Mapping[str, float]) -> Observation:
    judged = {**observation.timings_ms, **timings}
    judged["total"] = round(observation.timings_ms.get("total", 0.0) + sum(timings.values()), 1)
    return replace(observation, timings_ms=judged)


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1e3, 1)


def judgement_as_json(judgement: Judgement) -> dict[str, Any]:
    """As `storepulse check --json` prints it: the observation's keys, then ours."""
    data = JUDGEMENT_JSON.dump_python(judgement, mode="json")
    return {**data.pop("observation"), **data}
