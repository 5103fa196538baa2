"""Labels as they come: COCO with our additions, YOLO folders, and what is wrong with them."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from vision.training.errors import LabelsUnreadable
from vision.training.labels import LabelledPhoto, Labels, no_boxes, read_coco, read_yolo
from vision.training.sources import read_sources

IMAGE = {"id": 1, "file_name": "a.png", "width": 100, "height": 50}


def coco(tmp_path: Path, images: list[dict[str, Any]], annotations: list[dict[str, Any]]) -> Path:
    path = tmp_path / "labels.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations}), encoding="utf-8")
    return path


def test_boxes_become_corners_in_pixels(tmp_path):
    path = coco(tmp_path, [IMAGE], [{"image_id": 1, "bbox": [10, 5, 20, 30]}])
    [photo] = read_coco(path, tmp_path).photos
    assert photo.path == tmp_path / "a.png"
    np.testing.assert_allclose(photo.facings, [[10, 5, 30, 35]])
    assert photo.ignore.shape == (0, 4)


def test_boxes_nobody_looked_at_teach_nothing(tmp_path):
    annotations = [
        {"image_id": 1, "bbox": [10, 5, 20, 30], "source": "truth"},
        {"image_id": 1, "bbox": [40, 5, 20, 30], "source": "checked"},
        {"image_id": 1, "bbox": [70, 5, 20, 30], "source": "proposed"},
    ]
    path = coco(tmp_path, [IMAGE | {"ignore": [[0, 0, 100, 4]]}], annotations)
    [photo] = read_coco(path, tmp_path).photos
    assert len(photo.facings) == 2
    np.testing.assert_allclose(photo.ignore, [[0, 0, 100, 4], [70, 5, 90, 35]])


def test_photos_with_proposals_only_are_left_out_and_empty_shelves_are_kept(tmp_path):
    images = [IMAGE, IMAGE | {"id": 2, "file_name": "empty.png"}]
    path = coco(tmp_path, images, [{"image_id": 1, "bbox": [1, 1, 9, 9], "source": "proposed"}])
    assert [photo.path.name for photo in read_coco(path, tmp_path).photos] == ["empty.png"]


def test_only_the_wanted_split_is_read(tmp_path):
    images = [IMAGE | {"split": "train"}, IMAGE | {"id": 2, "file_name": "b.png", "split": "val"}]
    path = coco(tmp_path, images, [])
    assert [photo.path.name for photo in read_coco(path, tmp_path, split="val").photos] == ["b.png"]
    with pytest.raises(LabelsUnreadable, match="'test'"):
        read_coco(path, tmp_path, split="test")


def test_a_box_a_hair_outside_is_clipped(tmp_path):
    path = coco(tmp_path, [IMAGE], [{"image_id": 1, "bbox": [-1.5, 0, 20, 51]}])
    np.testing.assert_allclose(read_coco(path, tmp_path).photos[0].facings, [[0, 0, 18.5, 50]])


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        pytest.param({"image_id": 1, "bbox": [90, 5, 20, 30]}, "leaves", id="beyond the edge"),
        pytest.param({"image_id": 1, "bbox": [10, 5, 0, 30]}, "no area", id="no width"),
        pytest.param({"image_id": 1, "bbox": [10, 5, 20]}, "0.bbox", id="three numbers"),
        pytest.param({"image_id": 1, "bbox": [10, 5, 20, float("nan")]}, "finite", id="no number"),
        pytest.param({"image_id": 7, "bbox": [1, 1, 2, 2]}, "does not list", id="unknown image"),
        pytest.param({"image_id": 1}, "not COCO", id="no box"),
        pytest.param({"image_id": 1, "bbox": ["a", 1, 2, 3]}, "not COCO", id="words"),
    ],
)
def test_a_bad_box_is_named(tmp_path, annotation, words):
    with pytest.raises(LabelsUnreadable, match=words):
        read_coco(coco(tmp_path, [IMAGE], [annotation]), tmp_path)


@pytest.mark.parametrize("text", ["", "[1, 2]", '{"images": []', '{"photos": []}'])
def test_a_file_that_is_not_coco_is_refused(tmp_path, text):
    path = tmp_path / "labels.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LabelsUnreadable):
        read_coco(path, tmp_path)


def yolo(tmp_path: Path, text: str | None) -> Path:
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), np.zeros((50, 100, 3), np.uint8))
    if text is not None:
        (tmp_path / "labels" / "a.txt").write_text(text, encoding="utf-8")
    return tmp_path


def test_a_yolo_folder_is_read_in_pixels(tmp_path):
    folder = yolo(tmp_path, "0 0.5 0.5 0.2 0.4\n\n3 0.1 0.1 0.1 0.1\n")
    [photo] = read_sources([str(folder)], split=None).photos
    assert (photo.width_px, photo.height_px) == (100, 50)
    np.testing.assert_allclose(photo.facings, [[40, 15, 60, 35], [5, 2.5, 15, 7.5]], atol=1e-4)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("0 0.5 0.5 0.2\n", "line 1", id="a number is missing"),
        pytest.param("0 0.5 0.5 0.2 0.1\n0 1.2 0.5 0.4 0.1\n", "leaves", id="beyond the edge"),
        pytest.param(None, "no photo", id="nothing labelled"),
    ],
)
def test_a_bad_yolo_folder_is_refused(tmp_path, text, words):
    folder = yolo(tmp_path, text)
    with pytest.raises(LabelsUnreadable, match=words):
        read_yolo(folder / "images", folder / "labels")


def test_sources_join_and_a_photo_may_come_once(shelves):
    source = str(shelves / "labels.json")
    assert len(read_sources([source], split="train").photos) == 3
    with pytest.raises(LabelsUnreadable, match="two label files"):
        read_sources([source, f"{source}={shelves / 'images'}"], split=None)


@pytest.mark.parametrize("source", ["labels.txt", "nowhere"])
def test_a_source_of_no_known_kind_says_what_to_give(source):
    with pytest.raises(LabelsUnreadable, match=r"labels\.json"):
        read_sources([source], split=None)


def test_a_photo_refuses_boxes_without_area():
    upside_down = np.array([[10, 10, 5, 20]], np.float32)
    with pytest.raises(LabelsUnreadable, match="no area"):
        LabelledPhoto(Path("a.png"), 100, 50, upside_down, no_boxes())
    assert Labels(()).facing_count == 0
