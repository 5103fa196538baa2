"""Overlapping photos of one bay: every facing once, none lost, and a clear word when not."""

import json
from pathlib import Path

import numpy as np
import pytest

from storepulse.simulated.exposures import expose_again
from storepulse.simulated.shelves import DrawnShelf, draw_shelf
from vision.cli import look_at_one_bay
from vision.geometry import boxes_of, inverse, iou, mapped_boxes
from vision.observation import Facing, Gap, ModelFacts, Observation, PhotoFacts
from vision.one_bay import NotOneBay, fuse
from vision.photos import Photo

Look = tuple[Photo, Observation]
VISIBLE_MIN = 0.4


@pytest.fixture(scope="module")
def shelf() -> DrawnShelf:
    return draw_shelf(3)


def view(shelf: DrawnShelf, left: int, right: int, *, seed: int) -> tuple[Look, np.ndarray]:
    """A photo of a part of the shelf, a perfect look at it, and the map home to the whole one."""
    again = expose_again(np.ascontiguousarray(shelf.rgb[:, left:right]), seed=seed)
    home = np.array([[1, 0, left], [0, 1, 0], [0, 0, 1.0]]) @ inverse(again.homography)
    height, width = again.rgb.shape[:2]
    whole = mapped_boxes(boxes_of([one.box_xyxy_px for one in shelf.facings]), inverse(home))
    seen = whole.clip(0, [width, height, width, height])
    share = np.prod(seen[:, 2:] - seen[:, :2], axis=1) / np.prod(
        whole[:, 2:] - whole[:, :2], axis=1
    )
    facings = tuple(Facing(tuple(box), 0.9, None) for box in seen[share >= VISIBLE_MIN].tolist())
    name = f"view-{left}"
    look = Observation(
        photo=PhotoFacts(name, width, height, "usable"), facings=facings,
        model=ModelFacts("perfect", "test", 1280),
    )  # fmt: skip
    return (Photo(name, width, height, again.rgb, 1.0), look), home


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_every_facing_of_three_views_is_counted_once(
    shelf: DrawnShelf, order: tuple[int, ...]
) -> None:
    views = [
        view(shelf, left, right, seed=left) for left, right in ((0, 740), (430, 1170), (860, 1600))
    ]
    looks, homes = zip(*(views[number] for number in order), strict=True)
    bay = fuse(looks)
    kept = np.concatenate(
        [mapped_boxes(boxes_of([one.photo_box_xyxy_px]), homes[one.photo]) for one in bay.facings]
    )
    truth = boxes_of([one.box_xyxy_px for one in shelf.facings])
    shown = np.concatenate(
        [
            mapped_boxes(boxes_of([one.box_xyxy_px for one in look.facings]), home)
            for (_, look), home in zip(looks, homes, strict=True)
        ]
    )
    there = iou(truth, shown).max(axis=1) >= 0.5
    assert there.sum() >= 0.9 * len(truth)
    met = (iou(truth, kept) >= 0.5).sum(axis=1)
    assert (met[there] == 1).all()
    assert len(kept) <= there.sum() + 2  # at the photos' ends a sliver may be one of its own
    assert bay.photos == tuple(look.photo for _, look in looks)
    assert len(bay.rows) == len(shelf.row_lines_px)
    assert any(len(one.seen_in) == 2 for one in bay.facings)


def test_the_frame_holds_all_photos(shelf: DrawnShelf) -> None:
    looks = [view(shelf, *ends, seed=1)[0] for ends in ((0, 900), (700, 1600))]
    bay = fuse(looks)
    assert bay.width_px > 1400
    boxes = boxes_of([one.box_xyxy_px for one in bay.facings])
    assert (boxes[:, :2] >= -1).all()
    assert (boxes[:, 2:] <= np.array([bay.width_px, bay.height_px]) + 1).all()


def test_a_gap_that_another_photo_sees_filled_is_none(shelf: DrawnShelf) -> None:
    (photo, look), _ = view(shelf, 0, 900, seed=1)
    other, _ = view(shelf, 300, 1200, seed=2)
    facing = next(one for one in look.facings if one.box_xyxy_px[0] > 500)
    with_gap = Observation(
        photo=look.photo, facings=tuple(one for one in look.facings if one != facing),
        gaps=(Gap(facing.box_xyxy_px, 0.6),), model=look.model,
    )  # fmt: skip
    assert fuse([(photo, with_gap), other]).gaps == ()


def test_photos_of_different_bays_are_told_apart(shelf: DrawnShelf) -> None:
    looks = [view(shelf, 0, 800, seed=1)[0], view(draw_shelf(4), 0, 800, seed=2)[0]]
    with pytest.raises(NotOneBay, match="does not overlap"):
        fuse(looks)


def test_a_refused_photo_and_a_single_one_are_no_bay(shelf: DrawnShelf) -> None:
    (photo, look), _ = view(shelf, 0, 800, seed=1)
    refused = Observation(
        photo=PhotoFacts("dark", 800, 1200, "refused", ("It is too dark; switch on the light.",)),
        model=look.model,
    )
    with pytest.raises(NotOneBay, match="switch on the light"):
        fuse([(photo, look), (photo, refused)])
    with pytest.raises(NotOneBay, match="2 to"):
        fuse([(photo, look)])


class Remembers:
    """Eyes that saw these photos before."""

    def __init__(self, looks: dict[Path, Look]) -> None:
        self._looks = looks

    def look_at(self, source: Path | bytes, *, name: str | None = None) -> Look:
        assert isinstance(source, Path)
        return self._looks[source]


def test_the_command_tells_one_bay(shelf: DrawnShelf, capsys: pytest.CaptureFixture[str]) -> None:
    looks = {
        Path(f"{ends[0]}.jpg"): view(shelf, *ends, seed=1)[0] for ends in ((0, 900), (700, 1600))
    }
    look_at_one_bay(list(looks), Remembers(looks), as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert len(told["facings"]) == len(fuse(list(looks.values())).facings)
    assert {"photos", "rows", "gaps", "planes", "width_px"} <= set(told)
    look_at_one_bay(list(looks), Remembers(looks), as_json=False)
    assert "one bay" in capsys.readouterr().out
