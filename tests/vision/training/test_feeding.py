"""Batches: order, what is untaught, and what happens when a photo is bad."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vision.training.augment import Variation
from vision.training.errors import PhotoUnreadable
from vision.training.feeding import decode_photos, feed, make_batch, untaught_places
from vision.training.labels import no_boxes
from vision.training.sources import read_sources

SMALL = Variation(crop_px=64, long_side_px_min=100, long_side_px_max=240)


@pytest.fixture
def decoded(shelves):
    return decode_photos(read_sources([str(shelves / "labels.json")], split="train").photos)


def test_places_in_a_doubtful_region_are_untaught_unless_a_facing_is_there():
    ignore = np.array([[0, 0, 32, 64]], np.float32)
    facing = np.array([[0, 0, 16, 16]], np.float32)
    places = untaught_places(facing, ignore, crop_px=64)
    assert places.shape == (8 * 8 + 4 * 4 + 2 * 2,)
    fine, middle, coarse = places[:64].reshape(8, 8), places[64:80].reshape(4, 4), places[80:]
    assert fine[:2, :2].sum() == 0
    assert fine[:, :4].sum() == 8 * 4 - 4
    assert fine[:, 4:].sum() == 0
    assert middle[:, :2].sum() == 4 * 2 - 1
    # A coarse place's centre is at 16: the facing ends there, so its place is untaught.
    assert coarse.tolist() == [True, False, True, False]
    assert not untaught_places(facing, no_boxes(), crop_px=64).any()


def test_a_batch_holds_pictures_and_boxes_as_shares(decoded):
    batch = make_batch(decoded, batch_size=3, variation=SMALL, generator=np.random.default_rng(1))
    assert batch.pictures.shape == (3, 3, 64, 64)
    assert batch.untaught.shape == (3, 84)
    assert set(batch.facings[:, 0]) <= {0, 1, 2}
    edges = batch.facings[:, 1:3] + np.stack([-batch.facings[:, 3:] / 2, batch.facings[:, 3:] / 2])
    assert edges.min() >= -1e-6
    assert edges.max() <= 1 + 1e-6


def test_batches_come_in_the_generators_order_and_go_on_from_a_state(decoded):
    def first(count, generator):
        with feed(decoded, batch_size=2, variation=SMALL, generator=generator) as batches:
            return [next(batches) for _ in range(count)]

    whole = first(4, np.random.default_rng(3))
    continued = np.random.default_rng(0)
    continued.bit_generator.state = whole[1].generator_state
    rest = first(2, continued)
    for one, other in zip(whole[2:], rest, strict=True):
        np.testing.assert_array_equal(one.pictures, other.pictures)
        np.testing.assert_array_equal(one.facings, other.facings)


def test_what_goes_wrong_on_the_thread_is_raised_where_batches_are_taken():
    with (
        feed([], batch_size=1, variation=SMALL, generator=np.random.default_rng()) as batches,
        pytest.raises(ValueError, match="high"),
    ):
        next(batches)


def test_a_photo_that_is_missing_or_of_another_size_is_named(shelves):
    photo = read_sources([str(shelves / "labels.json")], split="check").photos[0]
    with pytest.raises(PhotoUnreadable, match=r"gone\.png"):
        decode_photos([replace(photo, path=Path("gone.png"))])
    with pytest.raises(PhotoUnreadable, match=r"240 x 180.*480 x 180"):
        decode_photos([replace(photo, width_px=480)])
    photo.path.write_bytes(b"not a photo")
    with pytest.raises(PhotoUnreadable, match=photo.path.name):
        decode_photos([photo])
