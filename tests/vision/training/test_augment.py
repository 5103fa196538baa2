"""Crops: boxes must follow the pixels whatever is drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.training.augment import Variation, cut_crop
from vision.training.labels import no_boxes

PLAIN_LIGHT = {
    "hue": 0.0,
    "saturation": 0.0,
    "brightness": 0.0,
    "blurred_share": 0.0,
    "jpeg_share": 0.0,
    "grey_share": 0.0,
}


def crop_of_a_pack(seed, variation):
    picture = np.zeros((150, 200, 3), np.uint8)
    picture[60:100, 80:110] = 255
    pack = np.array([[80, 60, 110, 100]], np.float32)
    generator = np.random.default_rng(seed)
    return cut_crop(picture, pack, no_boxes(), variation=variation, generator=generator)


def seen_pixels(crop):
    """Return the edges of what is bright; None when nothing is."""
    rows, columns = np.nonzero(crop.picture[:, :, 0] > 185)
    if len(rows) == 0:
        return None
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])


def plain(**settings_):
    return Variation(
        crop_px=160, long_side_px_min=120, long_side_px_max=400, **PLAIN_LIGHT, **settings_
    )


@given(seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_the_box_is_where_the_pixels_are(seed):
    crop = crop_of_a_pack(seed, plain(visible_share_min=0, turned_share=0))
    seen = seen_pixels(crop)
    if len(crop.facings) and seen is not None:
        # Half a pixel of interpolation at each edge, more where the photo is enlarged.
        np.testing.assert_allclose(crop.facings[0], seen, atol=2.5)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_a_turned_pack_lies_within_its_box(seed):
    crop = crop_of_a_pack(seed, plain(visible_share_min=0, turned_share=1, turn_degrees_sd=6))
    seen = seen_pixels(crop)
    if len(crop.facings) and seen is not None:
        [box] = crop.facings
        assert (box[:2] <= seen[:2] + 2.5).all()
        assert (box[2:] >= seen[2:] - 2.5).all()
        assert (box >= 0).all()
        assert (box <= 160).all()


@given(seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_a_box_hardly_seen_is_dropped_and_a_region_to_ignore_is_not(seed):
    variation = Variation(
        crop_px=96, long_side_px_min=300, long_side_px_max=500, turned_share=0, box_side_px_min=1
    )
    picture = np.zeros((150, 200, 3), np.uint8)
    box = np.array([[20, 20, 120, 120]], np.float32)
    crop = cut_crop(picture, box, box, variation=variation, generator=np.random.default_rng(seed))
    assert len(crop.ignore) >= len(crop.facings)
    for x1, y1, x2, y2 in crop.ignore:
        # At most this large is the whole box: 100 of 200 pixels at twice and a half the size.
        enough = (x2 - x1) * (y2 - y1) >= 0.3 * (250 * 250)
        assert len(crop.facings) == 1 or not enough


def test_the_same_generator_cuts_the_same_crop():
    variation = Variation(crop_px=96, long_side_px_min=100, long_side_px_max=300)
    first, second, other = (crop_of_a_pack(seed, variation) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.picture, second.picture)
    np.testing.assert_array_equal(first.facings, second.facings)
    assert (first.picture != other.picture).any()


def test_light_varies_and_stays_a_picture():
    variation = Variation(
        crop_px=96, long_side_px_min=150, long_side_px_max=150, jpeg_share=1, blurred_share=1
    )
    pictures = [crop_of_a_pack(seed, variation).picture for seed in range(6)]
    assert all(picture.shape == (96, 96, 3) and picture.dtype == np.uint8 for picture in pictures)
    assert len({int(picture.max()) for picture in pictures}) > 1


@pytest.mark.parametrize(
    "settings_", [{"crop_px": 100}, {"long_side_px_min": 2000}, {"aspect_max": 0.5}]
)
def test_a_variation_that_cannot_be_is_refused(settings_):
    with pytest.raises(ValueError, match=next(iter(settings_))):
        Variation(**settings_)
