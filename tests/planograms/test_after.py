"""A later photo closes what it shows as put right; the same photo or an older one says nothing."""

import io

import numpy as np
import pytest
from PIL import Image

from planograms.after import CELLS, AfterMark, is_older, is_same, marks_after, signature
from storepulse.checklists import ChecklistItem, ItemState, Sentence
from storepulse.simulated.exposures import expose_again
from tests.planograms.drawn import photographed, shelf


def item(*positions: str) -> ChecklistItem:
    return ChecklistItem(
        id="1", kind="missing", sentence=Sentence("e", "z"), box_xyxy_px=(0, 0, 1, 1),
        confidence=0.9, positions=positions,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("was", "seen", "now"),
    [
        pytest.param("open", "ok ok", "confirmed", id="all of it is right"),
        pytest.param("done", "ok ok", "confirmed", id="ticked, and right"),
        pytest.param("reopened", "ok ok", "confirmed", id="right at last"),
        pytest.param("open", "ok missing", None, id="half of it"),
        pytest.param("done", "ok missing", "reopened", id="ticked, and half of it is not"),
        pytest.param("done", "wrong_product ok", "reopened", id="ticked, and another stands there"),
        pytest.param("done", "ok unobserved", None, id="half of it is out of view"),
        pytest.param("open", "ok unsure", None, id="half of it is unclear"),
        pytest.param("not_true", "ok ok", None, id="never true, said the clerk"),
        pytest.param("cannot_do", "ok ok", None, id="impossible, said the clerk"),
        pytest.param("confirmed", "missing missing", None, id="gone again: another finding"),
    ],
)
def test_an_item_is_closed_by_what_is_seen(was: ItemState, seen: str, now: str | None) -> None:
    positions = dict(zip(("a", "b"), seen.split(), strict=True))
    marks = marks_after([(item("a", "b"), was)], positions)  # type: ignore[arg-type]
    assert marks == (() if now is None else (AfterMark("1", now),))  # type: ignore[arg-type]


def test_what_stands_at_no_planned_place_is_left_to_the_clerk() -> None:
    assert marks_after([(item(), "open")], {"a": "ok"}) == ()


def test_the_same_photo_packed_or_scaled_is_known_and_a_second_exposure_is_another() -> None:
    rgb = photographed(shelf())
    first = signature(rgb)
    buffer = io.BytesIO()
    Image.fromarray(rgb).resize((rgb.shape[1] // 2, rgb.shape[0] // 2)).save(buffer, "JPEG")
    again = np.asarray(Image.open(io.BytesIO(buffer.getvalue())))
    assert len(first) == CELLS * CELLS
    assert is_same(first, signature(again))
    for seed in range(5):
        seen = expose_again(rgb, seed=seed, perspective=0.01).rgb
        assert not is_same(first, signature(seen))
    # A facing that was put back, though the camera did not move by a hair.
    assert not is_same(first, signature(photographed(shelf(without=[4]))))
    assert not is_same(first, b"")


@pytest.mark.parametrize(
    ("taken", "than", "older"),
    [
        ("2026:11:20 11:59:59", "2026:11:20 12:00:00", True),
        ("2026:11:20 12:00:00", "2026:11:20 12:00:00", False),
        ("2026:11:20 12:30:00 +08:00", "2026:11:20 05:00:00 +00:00", True),
        ("2026:11:20 11:59:59", "2026:11:20 12:00:00 +00:00", False),
        (None, "2026:11:20 12:00:00", False),
        ("2026:11:20 11:59:59", None, False),
        ("yesterday", "2026:11:20 12:00:00", False),
    ],
)
def test_the_cameras_tell_which_is_older_where_both_tell_the_time(
    taken: str | None, than: str | None, older: bool
) -> None:
    assert is_older(taken, than) is older
