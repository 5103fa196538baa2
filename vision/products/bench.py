"""One recognition of a photo's facings, made ready to be timed. Prints nothing.

The references are drawn at random: how long it takes does not depend on what they show, so a
stranger can run it. They are known at a glance alone, as `glancing` asks no more of them.
"""

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from vision.products.catalogue import Catalogue
from vision.products.colours import describe_all_colours
from vision.products.embedding import Embedder
from vision.products.facings import look_at_facings
from vision.products.glancing import name_facings
from vision.products.judgement import PACKAGED_GLANCE, read_judgement
from vision.products.prints import Print
from vision.products.traits import Traits, embed_twice

PER_PRODUCT: Final = 3
_SIDE_PX: Final = 96
_UNPRINTED: Final = Print(
    np.zeros((0, 2), np.float32), np.zeros((0, 128), np.uint8), np.zeros(0, np.float32),
    np.zeros((4, 4, 3), np.uint8), 1.0,
)  # fmt: skip


def drawn_catalogue(references: int, embedder: Embedder, *, seed: int = 0) -> Catalogue:
    """Products with `PER_PRODUCT` pictures each, of coarse patches of any colour."""
    rng = np.random.default_rng(seed)
    pictures = [
        np.asarray(
            cv2.resize(
                rng.integers(0, 256, (6, 4, 3), np.uint8), (_SIDE_PX, _SIDE_PX),
                interpolation=cv2.INTER_CUBIC,
            ),
            np.uint8,
        )
        for _ in range(references)
    ]  # fmt: skip
    colours = describe_all_colours(pictures)
    traits = [
        Traits(embeddings, own, _UNPRINTED)
        for embeddings, own in zip(embed_twice(pictures, embedder), colours, strict=True)
    ]
    return Catalogue(
        {
            f"drawn-{start}": tuple(traits[start : start + PER_PRODUCT])
            for start in range(0, references, PER_PRODUCT)
        }
    )


def recognition(
    rgb: npt.NDArray[np.uint8],
    boxes_xyxy_px: npt.NDArray[np.float64],
    *,
    facings: int,
    references: int,
    threads: int,
) -> Callable[[], int]:
    """What names so many facings once, from the pixels on; it returns how many were looked at.

    Args:
        rgb: a photo at working size, (h, w, 3).
        boxes_xyxy_px: (n, 4) its facings, pixels of `rgb`; taken again until there are enough.
        facings: how many.
        references: pictures in the catalogue.
        threads: cores to use.
    Raises:
        ValueError: there is no facing.
    """
    if not len(boxes_xyxy_px):
        raise ValueError("a photo without facings has nothing to recognise")
    boxes = boxes_xyxy_px[np.arange(facings) % len(boxes_xyxy_px)]
    embedder = Embedder(threads=threads)
    catalogue = drawn_catalogue(references, embedder)
    judgement = read_judgement(packaged=PACKAGED_GLANCE)

    def once() -> int:
        return len(name_facings(look_at_facings(rgb, boxes, embedder), catalogue, judgement))

    return once
