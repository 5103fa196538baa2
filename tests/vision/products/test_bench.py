"""Hundreds together are told as one by one; the bench names as many as it says."""

import numpy as np
import pytest

from tests.vision.products.drawn_packs import front
from vision.products.bench import PER_PRODUCT, drawn_catalogue, recognition
from vision.products.colours import describe_all_colours, describe_colours
from vision.products.embedding import Embedder


def test_the_colours_of_many_pictures_are_those_of_each():
    rng = np.random.default_rng(3)
    pictures = [rng.integers(0, 256, (high, high + 9, 3), np.uint8) for high in range(3, 99, 2)]
    pictures += [np.full((20, 30, 3), grey, np.uint8) for grey in (0, 90, 255)]
    together = describe_all_colours(pictures)
    assert together == pytest.approx(np.stack([describe_colours(one) for one in pictures]))
    assert (together**2).sum(axis=1) == pytest.approx(1)
    assert describe_all_colours([]).shape == (0, 256)


def test_threads_change_no_embedding():
    crops = [front(number % 5) for number in range(70)]
    one, two = (Embedder(threads=threads).embed(crops) for threads in (1, 2))
    assert two == pytest.approx(one, abs=1e-5)
    assert Embedder(threads=2).embed([]).shape == (0, 192)


def test_as_many_facings_are_named_as_asked_for():
    shelf, boxes = front(1), np.array([[10.0, 10.0, 60.0, 90.0], [20.0, 20.0, 80.0, 100.0]])
    once = recognition(shelf, boxes, facings=7, references=5, threads=1)
    assert once() == 7
    with pytest.raises(ValueError, match="without facings"):
        recognition(shelf, boxes[:0], facings=7, references=5, threads=1)


def test_a_drawn_catalogue_has_as_many_references_as_asked_for():
    catalogue = drawn_catalogue(PER_PRODUCT + 1, Embedder(threads=1))
    assert [len(them) for them in catalogue.products.values()] == [PER_PRODUCT, 1]
