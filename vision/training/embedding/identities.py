"""What the embedding learns from: pictures known to show one product, and batches of them.

Two kinds: facings of shelf photos, named by nobody, and rendered packs. No product is named here,
so whatever products one measures on were not learnt from.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from storepulse.simulated.packs import PACK_KINDS, Pack, design_pack, draw_front
from vision.training.embedding.crops import Crop, CroppedPhoto
from vision.training.embedding.views import held_view, relight, shelf_view, stacked

Pixels = NDArray[np.uint8]

HELD_SHARE: Final = 0.35
"""Views before a foreign background: the rest are tight, as a detector cuts them."""
FACINGS_OF_A_PHOTO: Final = 8
"""In one batch: neighbours on a shelf are the look-alikes worth telling apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Two views of each of n things."""

    first: NDArray[np.float32]
    second: NDArray[np.float32]
    """Each (n, 3, 96, 96)."""
    undecided: NDArray[np.bool_]
    """(n, n) True where two things may be one product after all."""


class Material:
    """All that views are made of."""

    def __init__(
        self,
        photos: Sequence[CroppedPhoto],
        families: Sequence[Sequence[Crop]],
    ) -> None:
        self.photos = [photo for photo in photos if len(photo.crops) >= FACINGS_OF_A_PHOTO]
        self.families = families
        """Rendered products; those of one family differ in colours or brand only."""
        self._scenes = [scene for photo in photos for scene in photo.scenes]
        self._weights = np.sqrt([len(photo.crops) for photo in self.photos])
        self._weights /= self._weights.sum()

    def batch(self, rng: np.random.Generator, *, facings: int, drawn: int) -> Batch:
        """Two views of so many facings and rendered packs."""
        pairs: list[tuple[Pixels, Pixels]] = []
        count = facings + drawn
        undecided = np.zeros((count, count), np.bool_)
        while len(pairs) < facings:
            photo = self.photos[int(rng.choice(len(self.photos), p=self._weights))]
            few = min(FACINGS_OF_A_PHOTO, facings - len(pairs))
            chosen = self._different(photo, few, rng)
            at = len(pairs)
            undecided[at : at + len(chosen), at : at + len(chosen)] = ~photo.unlike[
                np.ix_(chosen, chosen)
            ]
            for index in chosen:
                same = np.flatnonzero(photo.group == photo.group[index])
                other = int(rng.choice(same))
                pairs.append(
                    (self._view(photo.crops[index], rng), self._view(photo.crops[other], rng))
                )
        while len(pairs) < facings + drawn:
            family = self.families[int(rng.integers(len(self.families)))]
            for crop in family[: facings + drawn - len(pairs)]:
                pairs.append((self._view(crop, rng), self._view(crop, rng)))
        np.fill_diagonal(undecided, False)
        first, second = zip(*pairs, strict=True)
        return Batch(
            stacked([relight(view, rng) for view in first]),
            stacked([relight(view, rng) for view in second]),
            undecided,
        )

    def _different(
        self, photo: CroppedPhoto, count: int, rng: np.random.Generator
    ) -> NDArray[np.intp]:
        groups = np.unique(photo.group)
        picked = rng.choice(groups, min(count, len(groups)), replace=False)
        return np.array([rng.choice(np.flatnonzero(photo.group == group)) for group in picked])

    def _view(self, crop: Crop, rng: np.random.Generator) -> Pixels:
        if rng.random() < HELD_SHARE:
            return held_view(crop, self._scene(rng), rng)
        return shelf_view(crop, rng)

    def _scene(self, rng: np.random.Generator) -> Pixels:
        return self._scenes[int(rng.integers(len(self._scenes)))]


def draw_families(count: int, *, size: int, seed: int) -> list[tuple[Crop, ...]]:
    """Render families of packs: one design, `size` flavours that differ in colours or brand."""
    rng = np.random.default_rng([seed, 0xFA])
    families = []
    for number in range(count):
        kind = PACK_KINDS[int(rng.integers(len(PACK_KINDS)))]
        first = design_pack(number, row_height_px=150, kind=kind, hue=float(rng.random()), rng=rng)
        flavours = [first]
        while len(flavours) < size:
            flavours.append(_flavour(first, rng))
        families.append(tuple(_front(pack, rng) for pack in flavours))
    return families


def _flavour(pack: Pack, rng: np.random.Generator) -> Pack:
    other = design_pack(0, row_height_px=150, kind=pack.kind, hue=float(rng.random()), rng=rng)
    kind = rng.random()
    if kind < 0.35:
        return replace(pack, accent=other.accent)
    if kind < 0.6:
        return replace(pack, accent=other.accent, block=other.block)
    if kind < 0.8:
        return replace(pack, body=other.body)
    return replace(pack, brand=other.brand, seed=other.seed)


def _front(pack: Pack, rng: np.random.Generator) -> Crop:
    """The pack before one colour, with a margin."""
    front = draw_front(pack)
    height, width = front.shape[:2]
    edge = round(0.1 * max(height, width))
    rgb = np.empty((height + 2 * edge, width + 2 * edge, 3), np.uint8)
    rgb[:] = rng.integers(0, 255, 3)
    inside = rgb[edge : edge + height, edge : edge + width]
    part = front[..., 3:].astype(np.float32) / 255
    inside[:] = (inside * (1 - part) + front[..., :3] * part).astype(np.uint8)
    return Crop(rgb, (float(edge), float(edge), float(edge + width), float(edge + height)))
