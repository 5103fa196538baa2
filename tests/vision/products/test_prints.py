"""Prints: the same pack agrees point by point, another does not, colours tell flavours apart."""

import numpy as np
import pytest

from tests.vision.products.drawn_packs import front, seen_again
from vision.products.prints import matches, read_print


def test_a_pack_seen_again_agrees_and_another_does_not():
    same = matches(read_print(seen_again(front(1))), read_print(front(1)))
    other = matches(read_print(front(2)), read_print(front(1)))
    assert same.agreed > 3 * max(1, other.agreed)
    assert same.likeness > 0.8


def test_a_match_knows_where_the_middle_lies():
    small = front(1)
    scene = np.full((small.shape[0] * 2, small.shape[1] * 3, 3), 90, np.uint8)
    scene[: small.shape[0], : small.shape[1]] = small
    centred = matches(read_print(seen_again(small)), read_print(small))
    aside = matches(read_print(scene), read_print(small))
    assert centred.off_second < 0.3
    assert aside.off_second > 0.8


def test_another_colour_of_the_same_design_shows_where_points_agree():
    design = front(3)
    recoloured = np.ascontiguousarray(design[..., ::-1])
    same = matches(read_print(seen_again(design, light=0.95)), read_print(design))
    flavour = matches(read_print(recoloured), read_print(design))
    assert flavour.agreed > 5
    assert flavour.colour_relit > 2 * same.colour_relit


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (120, 80)], ids=["dot", "strip", "plain"])
def test_a_plain_picture_matches_nothing(shape):
    plain = read_print(np.full((*shape, 3), 120, np.uint8))
    match = matches(plain, read_print(front(1)))
    assert match.agreed == 0
    assert len(plain.looks) == 0
