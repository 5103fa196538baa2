"""Naming at a glance: the same sums as one by one, an answer for each facing."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vision.products.drawn_packs import front, seen_again
from tests.vision.products.test_judgement import PLAIN
from vision.products.catalogue import Catalogue
from vision.products.embedding import Embedder
from vision.products.facings import FacingLooks, look_at_facings
from vision.products.glancing import name_facings, pooled_by_product
from vision.products.judgement import PACKAGED_GLANCE, read_judgement
from vision.products.traits import read_traits


@given(st.lists(st.integers(1, 4), min_size=1, max_size=6), st.integers(0, 99))
def test_pooling_all_products_at_once_is_pooling_each(counts, seed):
    odds = np.random.default_rng(seed).normal(0, 5, (3, sum(counts))).astype(np.float32)
    together = pooled_by_product(odds, np.array(counts), PLAIN)
    ends = np.cumsum(counts)
    for row, facing in zip(together, odds, strict=True):
        for at, end in enumerate(ends):
            assert row[at] == pytest.approx(PLAIN.pooled(facing[end - counts[at] : end]), abs=1e-4)


def test_a_facing_is_named_or_refused():
    embedder = Embedder(threads=1)
    catalogue = Catalogue()
    for number in (1, 2, 4):
        references = read_traits([front(number), front(number, ground=70)], embedder)
        catalogue = catalogue.with_product(f"sku-{number}", references)
    photo = seen_again(front(2), turn=2.0, light=0.95)
    high, wide = photo.shape[:2]
    looks = look_at_facings(photo, [(12, 12, wide - 12, high - 12)], embedder)
    judgement = read_judgement(packaged=PACKAGED_GLANCE)
    (answer,) = name_facings(looks, catalogue, replace(judgement, refuse_below=0.0))
    assert answer[0].sku == "sku-2"
    (refused,) = name_facings(looks, catalogue, replace(judgement, refuse_below=1.0))
    assert refused == ()
    scores = [name.score for name in answer]
    assert scores == sorted(scores, reverse=True)


def test_without_a_catalogue_or_a_facing_there_is_nothing_to_say():
    nobody = FacingLooks(np.zeros((0, 192), np.float32), np.zeros((0, 256), np.float32))
    one = FacingLooks(np.ones((1, 192), np.float32), np.ones((1, 256), np.float32))
    judgement = read_judgement(packaged=PACKAGED_GLANCE)
    assert name_facings(nobody, Catalogue(), judgement) == []
    assert name_facings(one, Catalogue(), judgement) == [()]
