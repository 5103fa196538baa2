"""Anchors say where an item lies: a second photo of the shelf is matched with them, box and all."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from planograms.anchors import POINTS_MAX, anchor_file, read_anchors
from planograms.errors import BadPlanogram
from storepulse.checklists import ChecklistItem, Sentence
from storepulse.simulated.exposures import expose_again
from tests.planograms.drawn import photographed, shelf

RGB = photographed(shelf())
HEIGHT, WIDTH = RGB.shape[:2]
BOX = (0.4 * WIDTH, 0.4 * HEIGHT, 0.5 * WIDTH, 0.6 * HEIGHT)
ITEM = ChecklistItem(
    id="1-missing", kind="missing", sentence=Sentence("e", "z"), box_xyxy_px=BOX, confidence=0.9
)


def test_what_is_written_is_read_again_around_each_box_and_not_on_it() -> None:
    corner = replace(ITEM, id="2-extra", box_xyxy_px=(0, 0, 20, 20))
    content = anchor_file(RGB, 1.0, [ITEM, corner], photo="p")
    read = read_anchors(content)
    assert (read.head["photo"], read.head["width"], read.head["height"]) == ("p", WIDTH, HEIGHT)
    mine = read.of("1-missing")
    assert 20 < len(mine) <= POINTS_MAX
    assert len(mine) + len(read.of("2-extra")) == len(read.points)
    x1, y1, x2, y2 = BOX
    on_it = (mine["x"] >= x1) & (mine["x"] <= x2) & (mine["y"] >= y1) & (mine["y"] <= y2)
    assert not on_it.any()
    assert len(read.of("none")) == 0


def test_points_are_in_pixels_of_the_photo_though_the_copy_is_smaller() -> None:
    half = cv2.resize(RGB, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    read = read_anchors(anchor_file(half, 0.5, [ITEM], photo="p"))
    assert read.head["width"] == pytest.approx(WIDTH, abs=2)
    assert read.of("1-missing")["x"].max() > WIDTH / 2


def test_a_second_photo_finds_the_item_by_its_anchors() -> None:
    mine = read_anchors(anchor_file(RGB, 1.0, [ITEM], photo="p")).of("1-missing")
    seen = expose_again(RGB, seed=3, perspective=0.03)
    grey = cv2.cvtColor(seen.rgb, cv2.COLOR_RGB2GRAY)
    points, described = cv2.ORB.create(nfeatures=4000).detectAndCompute(grey, None)
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(mine["descriptor"], described)
    ours = np.float32([[mine[p.queryIdx]["x"], mine[p.queryIdx]["y"]] for p in pairs])
    theirs = np.float32([points[p.trainIdx].pt for p in pairs])
    plane, _ = cv2.findHomography(ours, theirs, cv2.RANSAC, 4.0)
    middle = np.float32([[[(BOX[0] + BOX[2]) / 2, (BOX[1] + BOX[3]) / 2]]])
    found = cv2.perspectiveTransform(middle, plane)
    there = cv2.perspectiveTransform(middle, seen.homography.astype(np.float32))
    assert np.abs(found - there).max() < 0.02 * WIDTH


def test_no_items_give_a_file_without_points_and_half_a_file_is_refused() -> None:
    assert len(read_anchors(anchor_file(RGB, 1.0, [], photo="p")).points) == 0
    content = anchor_file(RGB, 1.0, [ITEM], photo="p")
    for bad in (b"", content[:3], content[:40], content[:-48], b"X" + content[1:]):
        with pytest.raises(BadPlanogram):
            read_anchors(bad)
