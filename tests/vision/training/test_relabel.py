"""Doubt about the truth: only what two looks agree on, and only where no box is."""

from pathlib import Path

import numpy as np
import pytest

from vision.training.detect import Detections
from vision.training.labels import LabelledPhoto, no_boxes
from vision.training.relabel import Doubt, agreed, doubted, mirror, relabel
from vision.training.sources import read_sources

DOUBT = Doubt(score_min=0.4, score_sure=0.6)


def found(*rows):
    array = np.array(rows, np.float32).reshape(-1, 5)
    return Detections(array[:, :4], array[:, 4])


def photo(*facings):
    known = np.array(facings, np.float32).reshape(-1, 4)
    return LabelledPhoto(Path("a.png"), 200, 100, known, no_boxes())


@pytest.mark.parametrize(
    ("score", "added", "doubtful"),
    [
        pytest.param(0.7, 1, 0, id="sure"),
        pytest.param(0.5, 0, 1, id="middling"),
        pytest.param(0.3, 0, 0, id="weak"),
    ],
)
def test_the_score_decides_what_becomes_of_a_find(score, added, doubtful):
    done = doubted(photo([0, 0, 20, 20]), found([50, 0, 70, 20, score]), doubt=DOUBT)
    assert (len(done.facings), len(done.ignore)) == (1 + added, doubtful)


@pytest.mark.parametrize(
    "box",
    [
        pytest.param([2, 0, 22, 20], id="a labelled facing seen otherwise"),
        pytest.param([0, 0, 60, 20], id="spans two labelled facings"),
        pytest.param([5, 5, 12, 12], id="part of a labelled facing"),
    ],
)
def test_where_a_box_is_the_truth_stands(box):
    before = photo([0, 0, 20, 20], [25, 0, 45, 20])
    done = doubted(before, found([*box, 0.9]), doubt=DOUBT)
    assert (len(done.facings), len(done.ignore)) == (2, 0)


def test_only_what_both_looks_found_is_agreed():
    first = found([0, 0, 20, 20, 0.8], [50, 0, 70, 20, 0.9])
    second = found([2, 0, 22, 20, 0.6], [120, 0, 140, 20, 0.9])
    both = agreed(first, second, doubt=DOUBT)
    np.testing.assert_allclose(both.boxes, [[1, 0, 21, 20]])
    np.testing.assert_allclose(both.scores, [0.7])
    assert len(agreed(first, found(), doubt=DOUBT).boxes) == 0


def test_mirroring_twice_is_nothing():
    first = found([10, 5, 30, 25, 0.8])
    np.testing.assert_allclose(mirror(first, 200).boxes, [[170, 5, 190, 25]])
    np.testing.assert_allclose(mirror(mirror(first, 200), 200).boxes, first.boxes)


def test_a_find_beyond_the_edge_is_cut_to_the_photo():
    done = doubted(photo(), found([190, 50, 220, 90, 0.9]), doubt=DOUBT)
    np.testing.assert_allclose(done.facings, [[190, 50, 200, 90]])


def test_the_second_look_sees_the_mirror_image(shelves):
    labels = read_sources([str(shelves / "labels.json")], split="train")
    forgotten = [photo.facings[0] for photo in labels.photos]
    known = [photo.facings[1:] for photo in labels.photos]
    gapped = type(labels)(
        tuple(
            LabelledPhoto(photo.path, photo.width_px, photo.height_px, rest, no_boxes())
            for photo, rest in zip(labels.photos, known, strict=True)
        )
    )

    def bright_pack_at(x1, x2):
        def look(picture):
            # Sees the pack only if its pixels are where the look should have them.
            assert picture[15:40, x1 + 2 : x2 - 2].min() >= 100
            return found([x1, 10, x2, 44, 0.9])

        return look

    reported = []
    done = relabel(
        gapped,
        [bright_pack_at(6, 28), bright_pack_at(240 - 28, 240 - 6)],
        doubt=DOUBT,
        report=reported.append,
    )
    assert len(reported) == 3
    for photo_, box in zip(done.photos, forgotten, strict=True):
        np.testing.assert_allclose(photo_.facings[-1], box)


def test_doubt_that_contradicts_itself_is_refused():
    with pytest.raises(ValueError, match="score_min"):
        Doubt(score_min=0.7, score_sure=0.5)
