"""Facings of one photo against each other: sisters are likelier than strangers."""

import numpy as np

from tests.vision.products.drawn_packs import front
from vision.products.embedding import Embedder
from vision.products.facings import look_at_facings, same_product


def shelf() -> tuple[np.ndarray, np.ndarray]:
    """Two facings of each of three products in a row."""
    photo = np.full((260, 1200, 3), 70, np.uint8)
    boxes = []
    x = 10
    for number in (1, 1, 2, 2, 4, 4):
        pack = front(number, ground=70)
        high, wide = pack.shape[:2]
        photo[:high, x : x + wide] = pack
        boxes.append((x + 12, 12, x + wide - 12, high - 12))
        x += wide
    return photo, np.array(boxes, float)


def test_sisters_are_the_likest():
    photo, boxes = shelf()
    looks = look_at_facings(photo, boxes, Embedder(threads=1))
    alike = same_product(looks, looks)
    assert alike.shape == (6, 6)
    assert ((alike >= 0) & (alike <= 1)).all()
    np.fill_diagonal(alike, -1)
    assert (alike.argmax(axis=1) // 2 == np.arange(6) // 2).all()


def test_no_facing_gives_no_looks():
    photo, boxes = shelf()
    none = look_at_facings(photo, np.zeros((0, 4)), Embedder(threads=1))
    assert len(none) == 0
    assert same_product(none, look_at_facings(photo, boxes, Embedder(threads=1))).shape == (0, 6)


def test_a_box_beyond_the_edge_is_still_a_facing():
    photo, _ = shelf()
    beyond = [(-50, -50, 30, 60), (1190, 250, 1400, 400)]
    looks = look_at_facings(photo, beyond, Embedder(threads=1))
    assert np.isfinite(looks.embeddings).all()
    assert np.isfinite(looks.colours).all()
