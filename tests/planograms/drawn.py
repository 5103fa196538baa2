"""A small drawn shelf with its observation: products as patterns, so that pixels can be judged."""

from collections.abc import Iterable
from datetime import UTC, datetime

import cv2
import numpy as np
import numpy.typing as npt

from planograms.from_photo import planogram_from_photo
from planograms.model import Planogram
from vision.geometry import PlaneMap, mapped_boxes
from vision.observation import Facing, ModelFacts, Observation, PhotoFacts, Row
from vision.photos import Photo

Pixels = npt.NDArray[np.uint8]
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WIDTH, HEIGHT = 900, 700
PRODUCTS_BY_ROW = ((1, 1, 2, 2, 3, 3, 3, 4), (5, 5, 5, 6, 6, 1, 1, 7), (8, 8, 9, 9, 9, 10, 2, 2))
"""Row 0 is the lowest."""
SECOND: PlaneMap = np.array([[0.97, 0.02, 14.0], [-0.01, 0.96, 18.0], [1e-5, -1e-5, 1.0]])
"""Where another photo of the same shelf sees it."""


def boxes() -> npt.NDArray[np.float64]:
    """(24, 4) facings, row by row from the lowest and from the left."""
    out = []
    for row in range(3):
        foot = HEIGHT - 30 - row * 220
        out += [(20 + k * 108, foot - 170, 20 + k * 108 + 96, foot) for k in range(8)]
    return np.array(out, dtype=np.float64)


def pattern(product: int) -> Pixels:
    """(170, 96, 3): the front of one product."""
    random = np.random.default_rng(product)
    ground = random.integers(40, 220, 3)
    front = np.full((170, 96, 3), ground, np.uint8)
    for _ in range(5):
        colour = tuple(int(value) for value in random.integers(0, 255, 3))
        x, y = random.integers(0, 70), random.integers(0, 140)
        w, h = random.integers(12, 40), random.integers(12, 60)
        cv2.rectangle(front, (int(x), int(y)), (int(x + w), int(y + h)), colour, -1)
    ink = (255, 255, 255) if ground.sum() < 380 else (0, 0, 0)
    name = "ABCDEFGHIJ"[product - 1] * 3
    cv2.putText(front, name, (8, 90), cv2.FONT_HERSHEY_SIMPLEX, 1.2, ink, 3, cv2.LINE_AA)
    return front


def shelf(*, without: Iterable[int] = (), put: dict[int, int] | None = None) -> Pixels:
    """The shelf's picture; `without` some facings, with other products `put` at some."""
    noise = np.random.default_rng(0).normal(0, 3, (HEIGHT, WIDTH, 1))
    picture = np.clip(np.array([92, 88, 84]) + noise, 0, 255).astype(np.uint8)
    products = [product for row in PRODUCTS_BY_ROW for product in row]
    gone = set(without)
    for k, (x1, y1, x2, y2) in enumerate(boxes().astype(int)):
        if k % 8 == 0:
            cv2.rectangle(picture, (0, y2), (WIDTH, y2 + 16), (200, 198, 190), -1)
        if k not in gone:
            picture[y1:y2, x1:x2] = pattern((put or {}).get(k, products[k]))
    return picture


def photographed(picture: Pixels) -> Pixels:
    """The same shelf from elsewhere, in other light, a little blurred."""
    seen = cv2.warpPerspective(picture, SECOND, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
    lit = np.clip((seen / 255.0) ** 1.15 * 0.85 * 255, 0, 255).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(lit, (0, 0), 0.6), dtype=np.uint8)


def photo_of(rgb: Pixels) -> Photo:
    """As if read from a file."""
    return Photo("shelf.png", rgb.shape[1], rgb.shape[0], rgb, 1.0)


def observed(*, plane: PlaneMap | None = None, without: Iterable[int] = ()) -> Observation:
    """What perfect eyes see of the shelf, except some facings."""
    gone = set(without)
    where = boxes() if plane is None else mapped_boxes(boxes(), plane)
    return Observation(
        photo=PhotoFacts("shelf.png", WIDTH, HEIGHT, "usable"),
        facings=tuple(
            Facing((float(a), float(b), float(c), float(d)), 0.9, k // 8)
            for k, (a, b, c, d) in enumerate(where)
            if k not in gone
        ),
        rows=tuple(
            Row(row, (20.0, 670.0 - 220 * row, 880.0, 670.0 - 220 * row), 170.0) for row in range(3)
        ),
        model=ModelFacts("drawn", "1", 1280),
    )


def planogram(*main_push: str) -> Planogram:
    """The planogram of the drawn shelf."""
    return planogram_from_photo(
        photo_of(shelf()), observed(), id="drawn", bay="b1", made_at=NOON, main_push=main_push
    )
