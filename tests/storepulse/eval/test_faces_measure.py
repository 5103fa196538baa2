"""The measure of blurred faces: it counts what is covered, and not what is not."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from storepulse.eval.data_folders import WrongData
from storepulse.eval.face_pictures import heads
from storepulse.eval.faces import measure_faces
from storepulse.eval.progress import silently


@pytest.fixture(scope="module")
def shelves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shelves")
    (folder / "images").mkdir()
    rng = np.random.default_rng(1)
    for number in range(6):
        rgb = rng.integers(0, 255, (600, 800, 3), np.uint8)
        Image.fromarray(rgb).save(folder / "images" / f"{number}.png")
    return folder


class Everywhere:
    def find(self, rgb: np.ndarray) -> np.ndarray:
        return np.array([[0, 0, rgb.shape[1], rgb.shape[0]]])


class Nowhere:
    def find(self, rgb: np.ndarray) -> np.ndarray:
        return np.zeros((0, 4), np.int64)


def test_heads_have_a_face_inside_and_nothing_at_their_edge() -> None:
    known = heads()
    assert known  # matplotlib's portrait is there in any case
    for head in known:
        x1, y1, x2, y2 = head.face
        assert 0 <= x1 < x2 <= head.rgb.shape[1]
        assert 0 <= y1 < y2 <= head.rgb.shape[0]
        assert head.alpha[round((y1 + y2) / 2), round((x1 + x2) / 2)] == 1
        assert head.alpha[0, 0] == 0


def test_all_or_no_faces_are_blurred(shelves: Path) -> None:
    seen = measure_faces(shelves, Everywhere(), photos=6, seed=0, steps=silently)
    blind = measure_faces(shelves, Nowhere(), photos=6, seed=0, steps=silently)
    assert seen.figure("faces_blurred").value == 1
    assert blind.figure("faces_blurred").value == 0
    n = seen.figure("faces_blurred").n
    assert n is not None
    assert 12 <= n <= 18
    assert blind.figure("other_places_blurred", "a photo").value == 0


def test_a_folder_without_photos_is_told(tmp_path: Path) -> None:
    with pytest.raises(WrongData, match="images"):
        measure_faces(tmp_path, Nowhere(), photos=5, seed=0, steps=silently)
