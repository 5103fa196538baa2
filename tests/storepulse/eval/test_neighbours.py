"""Neighbours: the labels are sound, and a look at the prints puts sisters first."""

import json
from importlib.resources import files

import numpy as np
import pytest

from storepulse.eval.neighbours import verified
from tests.vision.products.drawn_packs import front, seen_again
from vision.products.embedding import Embedder
from vision.products.judgement import read_judgement

LABELS = json.loads((files("storepulse.eval") / "facing_groups.json").read_text())


@pytest.mark.parametrize("photo", sorted(LABELS))
def test_each_facing_is_in_one_group_and_each_group_has_sisters(photo):
    groups, alone = LABELS[photo]["groups"], LABELS[photo]["alone"]
    boxes = [tuple(box) for group in [*groups, alone] for box in group]
    assert len(boxes) == len(set(boxes))
    assert all(len(group) >= 2 for group in groups)
    assert all(x1 < x2 and y1 < y2 for x1, y1, x2, y2 in boxes)


def test_prints_put_a_sister_first_where_a_glance_sees_nothing():
    crops = []
    for number in (1, 2, 3):
        crops += [front(number), seen_again(front(number))]
    blind = np.full((6, 6), 0.5, np.float32)
    alike = verified(crops, blind, Embedder(threads=1), read_judgement())
    # A glance that sees nothing offers all others; itself comes last.
    assert (alike.argmax(axis=1) // 2 == np.arange(6) // 2).all()
