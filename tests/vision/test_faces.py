"""Faces are found and cannot be told apart afterwards; the rest of the photo stays.

The one face is Rear Admiral Grace Hopper's, a picture of the U.S. Navy in the public domain that
matplotlib carries.
"""

from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from storepulse.simulated.shelves import draw_shelf
from vision.errors import NoFaceFinder
from vision.faces import CELLS, FaceFinder, blur_faces, blurred
from vision.photos import read_photo


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    spec = find_spec("matplotlib")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "mpl-data" / "sample_data" / "grace_hopper.jpg"
    return read_photo(path).rgb


def on_a_shelf(portrait: np.ndarray, shrink: float, *, mirrored: bool = False) -> np.ndarray:
    """A face before coloured packs, and where its middle is."""
    cells = np.random.default_rng(2).integers(40, 250, (20, 40, 3))
    shelf = np.kron(cells, np.ones((60, 40, 1), int)).astype(np.uint8)  # 1600 x 1200
    head = portrait[40:420, 90:440]
    head = cv2.resize(head, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    shelf[500 : 500 + head.shape[0], 700 : 700 + head.shape[1]] = (
        head[:, ::-1] if mirrored else head
    )
    return shelf


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("shrink", [1.0, 0.3, 0.11], ids=["204 px", "61 px", "22 px"])
def test_a_face_before_a_shelf_is_blurred(
    portrait: np.ndarray, shrink: float, mirrored: bool
) -> None:
    photo = on_a_shelf(portrait, shrink, mirrored=mirrored)
    before = photo.copy()
    kept, boxes = blur_faces(photo)
    assert (photo == before).all()  # the photo that is judged keeps its pixels
    middle = np.array([700 + 175 * shrink, 500 + 180 * shrink])
    hits = [box for box in boxes if (box[:2] < middle).all() and (middle < box[2:]).all()]
    assert hits
    x1, y1, x2, y2 = hits[0]
    assert len(np.unique(kept[y1:y2, x1:x2].reshape(-1, 3), axis=0)) <= CELLS**2
    outside = np.ones(photo.shape[:2], bool)
    for x1, y1, x2, y2 in boxes:
        outside[y1:y2, x1:x2] = False
    assert (kept[outside] == photo[outside]).all()


def test_a_blurred_face_is_no_longer_a_face(portrait: np.ndarray) -> None:
    finder = FaceFinder()
    kept, boxes = finder.blur(portrait)
    assert len(boxes) >= 1
    assert len(finder.find(kept)) == 0


@pytest.mark.parametrize("size", [(1, 1), (10, 3000), (23, 23)])
def test_pictures_too_small_for_a_face_have_none(size: tuple[int, int]) -> None:
    kept, boxes = blur_faces(np.zeros((*size, 3), np.uint8))
    assert boxes.shape == (0, 4)
    assert kept.shape == (*size, 3)


def test_two_faces_that_average_alike_become_the_same() -> None:
    random = np.random.default_rng(4)
    first = random.integers(0, 255, (80, 80, 3)).astype(np.uint8)
    # The same pixels in another order within each cell: nothing of the order may remain.
    second = first.copy()
    side = 80 // CELLS
    for y in range(0, 80, side):
        for x in range(0, 80, side):
            cell = second[y : y + side, x : x + side].reshape(-1, 3)
            second[y : y + side, x : x + side] = random.permutation(cell).reshape(side, side, 3)
    whole = np.array([[0, 0, 80, 80]])
    assert (blurred(first, whole) == blurred(second, whole)).all()


def test_without_a_finder_nothing_is_kept(tmp_path: Path) -> None:
    broken = tmp_path / "faces.onnx"
    broken.write_bytes(b"no network")
    for path in (broken, tmp_path / "none.onnx"):
        with pytest.raises(NoFaceFinder, match="none is kept"):
            FaceFinder(path)


def test_a_shelf_without_faces_keeps_nearly_all_its_pixels() -> None:
    rgb = draw_shelf(2).rgb
    kept, _ = blur_faces(rgb)
    assert (kept != rgb).any(axis=2).mean() < 0.02
