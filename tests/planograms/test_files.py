"""Planograms on disk, and what is said of wrong ones."""

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from planograms.errors import BadPicture, BadPlanogram, NoShelf
from planograms.files import read_planogram, write_picture, write_planogram
from planograms.from_photo import planogram_from_photo
from planograms.judge import prepare
from planograms.model import PLANOGRAM_JSON
from planograms.pictures import unpacked
from tests.planograms.drawn import NOON, observed, photo_of, planogram, shelf
from vision.observation import Observation

PLAN = planogram("p2")


def test_a_planogram_survives_the_disk(tmp_path: Path) -> None:
    write_planogram(tmp_path / "plan.json", PLAN)
    assert read_planogram(tmp_path / "plan.json") == PLAN
    assert [file.name for file in tmp_path.iterdir()] == ["plan.json"]


def test_its_pictures_are_pictures() -> None:
    assert PLAN.reference is not None
    assert unpacked(PLAN.reference.picture, "reference").shape == (700, 900, 3)
    assert all(1 <= len(product.pictures) <= 3 for product in PLAN.products)


def drop(*path: str | int) -> Callable[[Any], None]:
    def change(plan: Any) -> None:
        for step in path[:-1]:
            plan = plan[step]
        del plan[path[-1]]

    return change


def put(value: object, *path: str | int) -> Callable[[Any], None]:
    def change(plan: Any) -> None:
        for step in path[:-1]:
            plan = plan[step]
        plan[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(drop("positions"), "positions: Field required", id="a missing field"),
        pytest.param(drop("positions", 3, "row"), "positions.3.row: Field required", id="deep"),
        pytest.param(put("wide", "width"), "width: Input should be a valid number", id="a type"),
        pytest.param(put([1, 2, 3], "positions", 0, "box_xyxy"), "positions.0.box_xyxy", id="3"),
        pytest.param(put([9, 2, 3, 4], "positions", 0, "box_xyxy"), "x1 < x2", id="turned box"),
        pytest.param(put("r0-p02", "positions", 0, "id"), "'r0-p02' is there twice", id="double"),
        pytest.param(put(1, "positions", 0, "index"), "row 0 index 1", id="one place twice"),
        pytest.param(put("p99", "positions", 0, "product"), "not among products", id="dangling"),
        pytest.param(put(7, "positions", 0, "row"), "not among shelves", id="no such shelf"),
        pytest.param(put([], "positions"), "must not be empty", id="no positions"),
        pytest.param(put("2026-11-20T10:00:00", "made_at"), "time zone", id="no zone"),
        pytest.param(put("storepulse.planogram/9", "format"), "format", id="another format"),
        pytest.param(put("%%%", "reference", "picture", "base64"), "base64", id="no base64"),
        pytest.param(put(0, "version"), "version must be 1 or more", id="version 0"),
    ],
)
def test_a_wrong_planogram_is_refused_in_one_line(
    tmp_path: Path, change: Callable[[Any], None], words: str
) -> None:
    data = json.loads(PLANOGRAM_JSON.dump_json(PLAN))
    change(data)
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(data))
    with pytest.raises(BadPlanogram) as caught:
        read_planogram(file)
    message = str(caught.value)
    assert words in message
    assert message.startswith(str(file))
    assert "\n" not in message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "Invalid JSON", id="empty"),
        pytest.param(b"\xff\xd8\xff\xe0", "Invalid JSON", id="a photo"),
        pytest.param(b"[1, 2", "Invalid JSON", id="cut off"),
        pytest.param(b"[]", "Input should be", id="a list"),
    ],
)
def test_what_is_no_planogram_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "plan.json").write_bytes(content)
    with pytest.raises(BadPlanogram, match=words):
        read_planogram(tmp_path / "plan.json")


def test_no_such_file_and_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(BadPlanogram, match="cannot be read: No such file"):
        read_planogram(tmp_path / "plan.json")
    with pytest.raises(BadPlanogram, match="cannot be written"):
        write_planogram(tmp_path / "no" / "plan.json", PLAN)
    with pytest.raises(BadPicture, match="cannot be written"):
        write_picture(tmp_path / "no" / "out.png", shelf())
    with pytest.raises(BadPicture, match=r"ends in one of \.png"):
        write_picture(tmp_path / "out.txt", shelf())


def test_a_damaged_picture_is_told_by_its_place() -> None:
    data = json.loads(PLANOGRAM_JSON.dump_json(PLAN))
    data["reference"]["picture"]["base64"] = base64.b64encode(b"no picture").decode()
    with pytest.raises(BadPlanogram, match="planogram drawn: reference: must be a WebP"):
        prepare(PLANOGRAM_JSON.validate_python(data))


def test_a_picture_bomb_is_not_unpacked() -> None:
    content = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(content, "PNG")
    data = json.loads(PLANOGRAM_JSON.dump_json(PLAN))
    data["reference"]["picture"] = {
        "base64": base64.b64encode(content.getvalue()).decode(), "media_type": "image/png",
    }  # fmt: skip
    with pytest.raises(BadPlanogram, match="at most 4096 px a side"):
        prepare(PLANOGRAM_JSON.validate_python(data))


def test_main_push_is_marked_by_product_or_by_position() -> None:
    assert planogram("p2").main_push == {"p2"}
    product = PLAN.position_by_id["r1-p08"].product
    assert planogram("r1-p08", "p1").main_push == {product, "p1"}
    with pytest.raises(BadPlanogram, match="allowed are p1 to p10 and positions such as r0-p01"):
        planogram("p77")


def test_a_photo_without_a_shelf_makes_no_planogram() -> None:
    whole = observed()
    dark = Observation(
        photo=type(whole.photo)("dark.jpg", 900, 700, "refused", ("it is too dark",)),
        model=whole.model,
    )
    bare = Observation(photo=whole.photo, model=whole.model)
    for seen, words in ((dark, "it is too dark"), (bare, "0 facings seen, at least 2")):
        with pytest.raises(NoShelf, match=words):
            planogram_from_photo(photo_of(shelf()), seen, id="x", bay="b", made_at=NOON)


def test_runs_are_adjacent_positions_of_one_product() -> None:
    lowest = [run for run in PLAN.runs() if run[0].row == 0]
    assert [len(run) for run in lowest] == [2, 2, 3, 1]


def test_a_written_picture_can_be_read(tmp_path: Path) -> None:
    write_picture(tmp_path / "out.png", shelf())
    read = cv2.imread(str(tmp_path / "out.png"))
    assert read is not None
    assert np.array_equal(cv2.cvtColor(read, cv2.COLOR_BGR2RGB), shelf())
