"""Hold the reference pictures of products as traits; add, remove, keep in one file. Names nothing.

No step learns anything: a product added is known at once, one removed is forgotten at once.
"""

import json
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from storepulse.secret_files import PUBLIC, write_whole
from vision.products.errors import BadReferences
from vision.products.prints import Print
from vision.products.traits import Traits

Floats = NDArray[np.float32]

_FORMAT: Final = 1
_ARRAYS: Final = (
    "sku_of", "embeddings", "colours", "points_of", "places", "looks", "centred", "lab_sizes",
    "lab", "lab_scales",
)  # fmt: skip
# What numpy and zipfile raise on a file that is something else, or cut.
_DAMAGE: Final = (
    OSError, EOFError, KeyError, ValueError, IndexError, TypeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """References by product. A change makes a new catalogue and leaves the old one as it is."""

    products: dict[str, tuple[Traits, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for sku, references in self.products.items():
            if not sku or not references:
                raise ValueError(f"product {sku!r} needs a name and at least one reference")

    def with_product(self, sku: str, references: Sequence[Traits]) -> Self:
        """Add references to a product, known or new."""
        more = {**self.products, sku: (*self.products.get(sku, ()), *references)}
        return type(self)(more)

    def without(self, sku: str) -> Self:
        """Forget a product; one that is not there is no error."""
        return type(self)({one: them for one, them in self.products.items() if one != sku})

    def write(self, path: Path) -> None:
        """Keep it in one file, whole or not at all.

        Raises:
            BadReferences: the file cannot be written.
        """
        packed = BytesIO()
        np.savez_compressed(packed, **_as_arrays(self))
        try:
            write_whole(path, packed.getvalue(), mode=PUBLIC)
        except OSError as error:
            raise BadReferences(f"{path}: cannot be written ({error.strerror})") from error


def read_catalogue(path: Path) -> Catalogue:
    """Read what `Catalogue.write` wrote.

    Raises:
        BadReferences: it is no such file, or of another version.
    """
    try:
        # Opened here: numpy leaves a file that is cut open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in (*_ARRAYS, "facts")}
        facts = json.loads(bytes(arrays["facts"]))
        if facts["format"] != _FORMAT:
            raise BadReferences(f"{path}: kept by another version; make it anew from the pictures")
        return _from_arrays(facts["skus"], arrays)
    except BadReferences:
        raise
    except _DAMAGE as error:
        raise BadReferences(f"{path}: is no catalogue kept by `storepulse vision index`") from error


def _as_arrays(catalogue: Catalogue) -> dict[str, Any]:
    skus = list(catalogue.products)
    traits = [one for them in catalogue.products.values() for one in them]
    prints = [one.print for one in traits]
    facts = json.dumps({"format": _FORMAT, "skus": skus}).encode()
    counts = [len(catalogue.products[sku]) for sku in skus]
    return {
        "facts": np.frombuffer(facts, np.uint8),
        "sku_of": np.repeat(np.arange(len(skus)), counts),
        "embeddings": _joined([one.embeddings[None] for one in traits], np.float32),
        "colours": _joined([one.colours[None] for one in traits], np.float32),
        "points_of": np.array([len(one.looks) for one in prints], np.int64),
        "places": _joined([one.places for one in prints], np.float32),
        "looks": _joined([one.looks for one in prints], np.uint8),
        "centred": _joined([one.centred for one in prints], np.float32),
        "lab_sizes": np.array([one.lab.shape[:2] for one in prints], np.int64).reshape(-1, 2),
        "lab": _joined([one.lab.ravel() for one in prints], np.uint8),
        "lab_scales": np.array([one.lab_scale for one in prints], np.float64),
    }


def _joined(parts: Sequence[NDArray[Any]], kind: Any) -> NDArray[Any]:
    return np.concatenate(parts).astype(kind) if parts else np.zeros(0, kind)


def _from_arrays(skus: Sequence[str], arrays: dict[str, NDArray[Any]]) -> Catalogue:
    point_ends = np.cumsum(arrays["points_of"])
    lab_ends = np.cumsum(arrays["lab_sizes"].prod(axis=1) * 3)
    products: dict[str, list[Traits]] = {sku: [] for sku in skus}
    for number, sku in enumerate(arrays["sku_of"].tolist()):
        end, last = int(point_ends[number]), int(lab_ends[number])
        start = end - int(arrays["points_of"][number])
        high, wide = (int(side) for side in arrays["lab_sizes"][number])
        seen = Print(
            arrays["places"][start:end],
            arrays["looks"][start:end],
            arrays["centred"][start:end],
            arrays["lab"][last - high * wide * 3 : last].reshape(high, wide, 3),
            float(arrays["lab_scales"][number]),
        )
        products[skus[sku]].append(
            Traits(arrays["embeddings"][number], arrays["colours"][number], seen)
        )
    return Catalogue({sku: tuple(them) for sku, them in products.items()})
