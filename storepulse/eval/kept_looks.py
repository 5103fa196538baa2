"""Keep what the detector said of a picture in a folder, so that a stopped measure goes on.

A look costs half a second and is the same for the same pixels, detector and limits. Judges nothing.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from vision.detector import Found, Limits, Look
from vision.observation import ModelFacts
from vision.photos import Pixels

_KEY_BYTES: Final = 20


class Sees(Protocol):
    """What is asked of a detector."""

    facts: ModelFacts
    looks: tuple[Look, ...]

    def find_at_all(self, rgb: Pixels, limits: list[Limits]) -> list[Found]:
        """The facings of one picture at several limits."""
        ...


class KeptLooks:
    """A detector that looks at no picture twice."""

    def __init__(self, detector: Sees, folder: Path | None = None) -> None:
        """As the detector, with what is kept in the folder.

        Args:
            folder: made where it is missing; None: nothing is kept.
        """
        self._detector = detector
        self._folder = folder
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def find_at_all(self, rgb: Pixels, limits: Sequence[Limits]) -> list[Found]:
        """As `Detector.find_at_all`."""
        if self._folder is None:
            return self._detector.find_at_all(rgb, [*limits])
        path = self._folder / f"{self._key(rgb, limits)}.npz"
        if path.is_file():
            with np.load(path) as kept:
                each = [kept[str(number)] for number in range(len(limits))]
            return [Found(one[:, :4], one[:, 4]) for one in each]
        seen = self._detector.find_at_all(rgb, list(limits))
        told = {
            str(number): np.column_stack([one.boxes_px, one.scores]).astype(np.float32)
            for number, one in enumerate(seen)
        }
        beside = path.with_suffix(".part")
        with beside.open("wb") as file:
            np.savez(file, **told)  # type: ignore[arg-type]  # its stubs take no names from a dict
        beside.rename(path)
        return seen

    def _key(self, rgb: Pixels, limits: Sequence[Limits]) -> str:
        about = (self._detector.facts, self._detector.looks, [astuple(one) for one in limits])
        digest = hashlib.blake2b(repr((about, rgb.shape)).encode(), digest_size=_KEY_BYTES)
        digest.update(np.ascontiguousarray(rgb).tobytes())
        return digest.hexdigest()
