"""The judging child: what is judged is the photo, what is kept are blurred pixels."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edge.judge_child import PhotoJudge
from edge.judging import read_answer
from planograms.files import write_planogram
from planograms.from_photo import planogram_from_photo
from planograms.model import Planogram
from storepulse.errors import BadInput, Unavailable
from vision.observation import Facing, ModelFacts, Observation, PhotoFacts
from vision.photos import Photo, Pixels, read_photo

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
COLUMNS, ROWS, WIDE, HIGH = 8, 3, 60, 90
SIZE = (COLUMNS * WIDE + 80, ROWS * (HIGH + 30) + 60)
GPS = 0x8825


def place(row: int, column: int) -> tuple[int, int, int, int]:
    """Row 0 is the lowest."""
    x = 40 + column * WIDE
    y = SIZE[1] - 30 - (row + 1) * (HIGH + 30)
    return x, y, x + WIDE - 4, y + HIGH


def draw_shelf(*, without: frozenset[tuple[int, int]] = frozenset()) -> bytes:
    """A drawn shelf of packs, each with a pattern of its product, as a JPEG with a place in it."""
    chance = np.random.default_rng(7)
    picture = chance.integers(180, 200, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
    patterns = chance.integers(0, 255, (4, HIGH, WIDE - 4, 3), dtype=np.uint8)
    for row in range(ROWS):
        for column in range(COLUMNS):
            if (row, column) not in without:
                x1, y1, x2, y2 = place(row, column)
                picture[y1:y2, x1:x2] = patterns[column // 2] // 3 + 40 * (column // 2)
    image = Image.fromarray(picture)
    exif = Image.Exif()
    exif[0x010F] = "a phone"
    exif.get_ifd(GPS)[2] = (31.0, 13.0, 0.0)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=95, exif=exif)
    return out.getvalue()


class DrawnEyes:
    """Sees the packs of the drawn shelf where they are drawn."""

    def __init__(self) -> None:
        self.without: frozenset[tuple[int, int]] = frozenset()
        self.refused = False

    def rest(self) -> None:
        """Keeps nothing."""

    def look_at(
        self, source: Path | bytes, *, name: str | None = None
    ) -> tuple[Photo, Observation]:
        photo = read_photo(source, name=name)
        facings = tuple(
            Facing(tuple(float(v) for v in place(row, column)), 0.9, row)  # type: ignore[arg-type]
            for row in range(ROWS)
            for column in range(COLUMNS)
            if (row, column) not in self.without
        )
        verdict = PhotoFacts(
            "photo", photo.width, photo.height, "refused" if self.refused else "usable",
            ("too dark",) if self.refused else (),
        )  # fmt: skip
        model = ModelFacts("drawn", "1", 640)
        timings = {"total": 1.0}
        return photo, Observation(
            photo=verdict, facings=() if self.refused else facings, model=model, timings_ms=timings
        )


def blacken(rgb: Pixels) -> Pixels:
    """Stands for the blurring: the upper left corner is where the person stood."""
    copy = np.array(rgb)
    copy[:40, :40] = 0
    return copy


@pytest.fixture
def eyes() -> DrawnEyes:
    return DrawnEyes()


@pytest.fixture
def plan(tmp_path: Path, eyes: DrawnEyes) -> Path:
    photo, observation = eyes.look_at(draw_shelf())
    made: Planogram = planogram_from_photo(
        photo, observation, id="plan", bay="b1", made_at=AT, main_push=["p1"]
    )
    write_planogram(tmp_path / "plan.json", made)
    return tmp_path / "plan.json"


def request(folder: Path, plan: Path, content: bytes) -> dict[str, Any]:
    (folder / "original").write_bytes(content)
    return {
        "do": "judge", "photo": str(folder / "original"), "uuid": "u-1", "bay": "b1",
        "planogram": str(plan),
        "kept": str(folder / "photo.jpg"), "annotated": str(folder / "annotated.jpg"),
        "anchors": str(folder / "anchors.bin"),
        "shop": "shop-17", "source": "/storepulse/chain/shop-17/node-1", "at": AT.isoformat(),
    }  # fmt: skip


def test_a_photo_with_erased_facings_gets_their_checklist(
    tmp_path: Path, plan: Path, eyes: DrawnEyes
) -> None:
    erased = frozenset({(1, 2), (1, 3)})
    eyes.without = erased
    asked = request(tmp_path, plan, draw_shelf(without=erased))
    judged = read_answer(PhotoJudge(eyes, blacken)(asked, b""))
    assert judged.checklist is not None
    assert judged.checklist.photo == "u-1"
    assert [item.kind for item in judged.checklist.items][:1] == ["missing"]
    assert {finding["kind"] for finding in judged.body["findings"]} == {"missing"}
    told = {fact.metric: fact for fact in judged.facts}
    assert told["photos_judged"].value == 1
    assert told["judge_time"].value is not None
    assert told["exposure_main_push"].source == asked["source"]
    assert all(fact.shop == "shop-17" and fact.start == AT for fact in judged.facts)
    assert len({fact.id for fact in judged.facts}) == len(judged.facts)


def test_what_is_kept_is_blurred_and_has_no_place(
    tmp_path: Path, plan: Path, eyes: DrawnEyes
) -> None:
    content = draw_shelf()
    assert GPS in Image.open(io.BytesIO(content)).getexif()
    asked = request(tmp_path, plan, content)
    judge = PhotoJudge(eyes, blacken)
    judge(asked, b"")
    assert not (tmp_path / "photo.jpg").exists(), "the answer does not wait for the pictures"
    assert judge({**asked, "do": "keep"}, b"") == {}
    for name in ("photo.jpg", "annotated.jpg"):
        with Image.open(tmp_path / name) as kept:
            assert kept.format == "JPEG"
            assert dict(kept.getexif()) == {}
            corner = np.asarray(kept.convert("RGB"))[:30, :30]
        assert corner.max() < 40, f"{name} shows what was to be blurred"


def test_a_refused_photo_has_no_checklist_and_counts_as_refused(
    tmp_path: Path, plan: Path, eyes: DrawnEyes
) -> None:
    eyes.refused = True
    judged = read_answer(PhotoJudge(eyes, blacken)(request(tmp_path, plan, draw_shelf()), b""))
    assert judged.checklist is None
    assert judged.body["observation"]["reasons"] == ["too dark"]
    told = {fact.metric: fact.value for fact in judged.facts}
    assert told["photos_refused"] == 1
    assert told["exposure_main_push"] is None, "unknown, not zero"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"this is a text named .jpg", id="a text"),
        pytest.param(draw_shelf()[:3000], id="cut short"),
    ],
)
def test_what_is_no_photo_is_refused_and_leaves_no_picture(
    tmp_path: Path, plan: Path, eyes: DrawnEyes, content: bytes
) -> None:
    with pytest.raises(BadInput):
        PhotoJudge(eyes, blacken)(request(tmp_path, plan, content), b"")
    assert not (tmp_path / "photo.jpg").exists()


def test_without_blurring_nothing_is_kept(tmp_path: Path, plan: Path, eyes: DrawnEyes) -> None:
    def cannot(rgb: Pixels) -> Pixels:
        raise Unavailable("no face finder")

    with pytest.raises(Unavailable):
        PhotoJudge(eyes, cannot)({**request(tmp_path, plan, draw_shelf()), "do": "keep"}, b"")
    assert not (tmp_path / "photo.jpg").exists()
    assert not (tmp_path / "annotated.jpg").exists()


def test_pictures_are_made_by_another_child_than_the_one_that_judged(
    tmp_path: Path, plan: Path, eyes: DrawnEyes
) -> None:
    erased = frozenset({(1, 2)})
    eyes.without = erased
    asked = request(tmp_path, plan, draw_shelf(without=erased))
    judge = PhotoJudge(eyes, blacken)
    judge(asked, b"")
    drawn = []
    for child in (judge, PhotoJudge(eyes, blacken)):
        child({**asked, "do": "keep"}, b"")
        drawn.append((tmp_path / "annotated.jpg").read_bytes())
    assert drawn[0] == drawn[1]
    assert drawn[0] != (tmp_path / "photo.jpg").read_bytes()


def test_a_changed_planogram_is_read_again(tmp_path: Path, plan: Path, eyes: DrawnEyes) -> None:
    judge = PhotoJudge(eyes, blacken)
    asked = request(tmp_path, plan, draw_shelf())
    assert judge(asked, b"")["judgement"]["planogram_version"] == 1
    photo, observation = eyes.look_at(draw_shelf())
    newer = planogram_from_photo(
        photo, observation, id="plan", bay="b1", made_at=AT, version=2, name="a longer name"
    )
    write_planogram(plan, newer)
    assert judge(asked, b"")["judgement"]["planogram_version"] == 2


def packed(content: bytes, *, quality: int = 90, scale: float = 1.0, cut: int = 0) -> bytes:
    image = Image.open(io.BytesIO(content)).convert("RGB")
    image = image.crop((cut, cut, image.width - cut, image.height - cut))
    image = image.resize((round(image.width * scale), round(image.height * scale)))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def off_the_screen(content: bytes) -> bytes:
    """A photo of a screen that shows it: brighter, bluer, aslant, with the screen's lines."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    wide, high = image.size
    aslant = (-8, -6, 5, high + 4, wide + 9, high - 5, wide - 4, 7)
    seen = np.asarray(image.transform((wide, high), Image.Transform.QUAD, aslant), np.float32)
    seen = seen * [0.9, 0.97, 1.08] + 8
    seen[::3] *= 0.9
    out = io.BytesIO()
    Image.fromarray(np.clip(seen, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=85)
    return out.getvalue()


@pytest.mark.parametrize(
    ("later", "unchanged"),
    [
        pytest.param(lambda before, _: before, True, id="the same file"),
        pytest.param(lambda before, _: packed(before, quality=50), True, id="packed again"),
        pytest.param(lambda before, _: packed(before, scale=0.6), True, id="smaller"),
        pytest.param(lambda before, _: packed(before, cut=12), True, id="a part of it"),
        pytest.param(lambda before, _: off_the_screen(before), True, id="off a screen"),
        pytest.param(lambda _, after: after, False, id="mended"),
        pytest.param(lambda _, after: off_the_screen(after), False, id="mended, aslant"),
    ],
)
def test_a_place_that_was_not_mended_looks_as_before_however_the_photo_came(
    tmp_path: Path, plan: Path, eyes: DrawnEyes, later: Any, unchanged: bool
) -> None:
    erased = frozenset({(1, 2)})
    before, after = draw_shelf(without=erased), draw_shelf()
    asked = request(tmp_path, plan, before)
    eyes.without = erased
    judge = PhotoJudge(eyes, lambda rgb: rgb)
    first = read_answer(judge(asked, b""))
    judge({**asked, "do": "keep"}, b"")
    assert first.checklist is not None
    (item,) = first.checklist.items
    (tmp_path / "before.jpg").write_bytes((tmp_path / "photo.jpg").read_bytes())
    earlier = {
        "checklist": "c1", "photo": str(tmp_path / "before.jpg"), "width": SIZE[0],
        "places": {item.id: list(item.box_xyxy_px)},
    }  # fmt: skip
    eyes.without = frozenset()
    again = {**request(tmp_path, plan, later(before, after)), "before": [earlier]}
    told = read_answer(judge(again, b""))
    assert told.unchanged == {"c1": frozenset({item.id} if unchanged else ())}


def test_several_photos_of_a_bay_in_a_round_are_one_look(
    tmp_path: Path, plan: Path, eyes: DrawnEyes
) -> None:
    asked = request(tmp_path, plan, draw_shelf())
    whole = read_answer(PhotoJudge(eyes, blacken)(asked, b""))
    seen = {name: right for name, right in whole.rights.items() if right is not None}
    assert len(seen) == COLUMNS * ROWS
    content = packed(draw_shelf(), cut=100)
    alone = read_answer(PhotoJudge(eyes, blacken)(request(tmp_path, plan, content), b""))
    more = request(tmp_path, plan, content) | {"round": "daily@x", "earlier": seen}
    together = read_answer(PhotoJudge(eyes, blacken)(more, b""))

    def coverage(told: Any) -> float:
        (fact,) = [one for one in told.facts if one.metric == "facing_compliance"]
        assert fact.dims["planned"] == str(COLUMNS * ROWS)
        return float(fact.coverage)

    assert coverage(alone) < 1.0
    assert coverage(together) == 1.0
    assert {fact.dims.get("round") for fact in together.facts} == {"daily@x", None}
