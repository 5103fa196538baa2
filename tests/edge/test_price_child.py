"""The child that reads tags: a wrong price becomes an item, and no time means no claim."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edge.price_child import PriceReader, _age_s
from edge.second_answers import read_prices
from planograms.after import marks_after
from planograms.files import write_planogram
from planograms.judge import JUDGEMENT_JSON, judge_observation, prepare
from planograms.second_answer import has_prices, places_of_tags
from storepulse.checklists import Checklist
from tests.planograms.drawn import SECOND, observed, photo_of, photographed, planogram, shelf
from vision.observation import Box
from vision.tags.lines import Pixels, TextLine, Wanted

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
PLAN = planogram("r0-p05")
PHOTO = photo_of(photographed(shelf()))
JUDGED = judge_observation(PHOTO, observed(plane=SECOND), prepare(PLAN))
FIRST = next(state for state in JUDGED.positions if state.status == "ok")
PRICED = replace(
    PLAN,
    products=tuple(
        replace(one, price=4.99 if one.sku == FIRST.sku else None) for one in PLAN.products
    ),
)


class ReadsTag:
    """Sees one tag under a place of the whole photo, and reads it as told."""

    def __init__(self, text: str, over: Box) -> None:
        self.text = text
        x1, _, x2, y2 = over
        self.place = ((x1 + x2) / 2 - 12.0, y2 + 3, (x1 + x2) / 2 + 12.0, y2 + 11)
        self.read_lines = 0

    def read(self, rgb: Pixels, wanted: Wanted) -> list[TextLine]:
        lines = []
        for _ in wanted([self.place]):
            self.read_lines += 1
            lines.append(TextLine(self.text, 0.95, self.place))
        return lines


@pytest.fixture
def asked(tmp_path: Path) -> dict[str, Any]:
    write_planogram(tmp_path / "plan.json", PRICED)
    Image.fromarray(np.asarray(PHOTO.rgb)).save(tmp_path / "photo.png")
    return {
        "uuid": "photo-1", "bay": "b7", "at": AT.isoformat(), "shop": "s", "source": "/s/n",
        "photo": str(tmp_path / "photo.png"), "planogram": str(tmp_path / "plan.json"),
        "judgement": JUDGEMENT_JSON.dump_python(JUDGED, mode="json"),
    }  # fmt: skip


def at_first() -> Box:
    """The rightmost place of the first product: below it, on the board, is room."""
    assert FIRST.box_xyxy_px is not None
    return FIRST.box_xyxy_px


def test_a_wrong_price_becomes_an_item_of_a_list_of_its_own(asked: dict[str, Any]) -> None:
    reader = PriceReader(ReadsTag("5.49", at_first()))
    told, fact = read_prices(reader(asked, b""))
    assert told.checklist is not None
    (item,) = told.checklist.items
    assert (item.kind, item.sku, item.position) == ("wrong_price", FIRST.sku, FIRST.id)
    assert told.checklist.bay == "b7"
    assert (fact.metric, fact.n, fact.dims["bay"]) == ("price_compliance", 1, "b7")
    assert fact.value is not None
    assert fact.value < 0.5
    again, _ = read_prices(reader(asked, b""))
    assert again == told


def test_the_planned_price_is_no_item(asked: dict[str, Any]) -> None:
    told, fact = read_prices(PriceReader(ReadsTag("4.99", at_first()))(asked, b""))
    assert told.checklist is None
    assert fact.value == pytest.approx(0.95, abs=0.06)


def test_without_time_nothing_is_claimed(asked: dict[str, Any]) -> None:
    eyes = ReadsTag("5.49", at_first())
    answer = PriceReader(eyes, reading_s_max=0.0)(asked, b"")
    told, fact = read_prices(answer)
    assert (told.checklist, told.late, eyes.read_lines) == (None, True, 0)
    assert fact.value is None


@pytest.mark.parametrize(
    ("begun", "comes_after_s", "takes_s", "read"),
    [
        (None, 0.0, 3.0, True),
        (-1.0, 0.0, 2.0, True),
        (-1.0, 0.0, 3.0, False),  # a second of the time went by while the child was started
        (-1.0, 9.0, 3.0, True),  # it was ready before the photo came
        (-60.0, 0.0, 1.0, True),  # something is read, however slowly it started
        (-60.0, 0.0, 2.0, False),
    ],
)
def test_the_start_of_the_child_is_a_part_of_the_first_photos_time(
    begun: float | None, comes_after_s: float, takes_s: float, read: bool, asked: dict[str, Any]
) -> None:
    times = [0.0, comes_after_s]  # ready, and the first photo comes

    def clock() -> float:
        return times.pop(0) if times else comes_after_s + takes_s

    eyes = ReadsTag("5.49", at_first())
    answer = PriceReader(eyes, reading_s_max=3.5, clock=clock, begun=begun)(asked, b"")
    assert answer["late"] is not read
    assert bool(eyes.read_lines) is read


def test_a_process_knows_its_age() -> None:
    first = _age_s()
    assert 0 <= first <= _age_s() < 86400


def test_tags_are_looked_for_under_products_with_a_price() -> None:
    places = places_of_tags(JUDGED, PRICED)
    assert at_first() in places
    assert len(places) == sum(
        state.sku == FIRST.sku and state.status == "ok" for state in JUDGED.positions
    )
    assert has_prices(PRICED)
    assert not has_prices(PLAN)


def test_a_later_photo_says_nothing_of_a_wrong_price(asked: dict[str, Any]) -> None:
    told, _ = read_prices(PriceReader(ReadsTag("5.49", at_first()))(asked, b""))
    assert isinstance(told.checklist, Checklist)
    (item,) = told.checklist.items
    assert marks_after([(item, "done")], {FIRST.id: "ok"}) == ()
