"""Looks that are kept: the same answer without a second look, another one for another picture."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from storepulse.eval.kept_looks import KeptLooks
from vision.detector import Found, Limits, Look
from vision.observation import ModelFacts
from vision.photos import Pixels


class Eyes:
    """A detector that counts its looks."""

    def __init__(self, version: str = "1") -> None:
        self.facts = ModelFacts("counting", version, 1280)
        self.looks = (Look(1280),)
        self.asked = 0

    def find_at_all(self, rgb: Pixels, limits: list[Limits]) -> list[Found]:
        self.asked += 1
        boxes = np.array([[0, 0, 10, 20 + self.asked]], np.float32)
        return [Found(boxes, np.array([one.score_min], np.float32)) for one in limits]


LIMITS = [Limits(), Limits(score_min=0.1)]
PICTURE = np.zeros((30, 40, 3), np.uint8)


def told(looks: KeptLooks, rgb: Pixels = PICTURE) -> list[list[Any]]:
    seen = looks.find_at_all(rgb, LIMITS)
    return [[*one.boxes_px.tolist(), *one.scores.tolist()] for one in seen]


def test_a_picture_is_looked_at_once_also_by_another_run(tmp_path: Path) -> None:
    eyes = Eyes()
    first = told(KeptLooks(eyes, tmp_path / "looks"))
    assert told(KeptLooks(eyes, tmp_path / "looks")) == first
    assert eyes.asked == 1


@pytest.mark.parametrize("other", ["picture", "shape", "detector"])
def test_what_is_not_the_same_is_looked_at_again(tmp_path: Path, other: str) -> None:
    eyes, again = Eyes(), Eyes("2" if other == "detector" else "1")
    told(KeptLooks(eyes, tmp_path))
    rgb = {"picture": PICTURE + 1, "shape": PICTURE.reshape(40, 30, 3)}.get(other, PICTURE)
    told(KeptLooks(again, tmp_path), np.asarray(rgb, np.uint8))
    assert again.asked == 1


def test_without_a_folder_nothing_is_kept(tmp_path: Path) -> None:
    eyes = Eyes()
    looks = KeptLooks(eyes)
    told(looks)
    told(looks)
    assert eyes.asked == 2
    assert list(tmp_path.iterdir()) == []
