"""Learning the last word: looks are kept, what they tell is learnt, the first word is held back."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from storepulse.simulated.shelves import draw_shelf
from vision.clues import CLUE_NAMES
from vision.detector import Found, Limits
from vision.look_clues import LOOK_CLUE_NAMES
from vision.photos import Pixels
from vision.training.boosting import Growth
from vision.training.errors import LabelsUnreadable
from vision.training.last_word import learn_last, odds_of_pixels, sure_from, write_table
from vision.training.looked_trials import Looked, keep_looks, read_looks
from vision.training.verdict import Examples
from vision.training.wider_trials import AGAIN, DIM
from vision.trees import Forest


class Eyes:
    """Says one facing for every look it has had."""

    def __init__(self) -> None:
        self.looks = 0

    def find_at_all(self, rgb: Pixels, limits: list[Limits]) -> list[Found]:
        self.looks += 1
        box = np.array([[1, 2, 30, 50 + self.looks]], np.float32)
        return [Found(box, np.array([0.5], np.float32)) for _ in limits]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shelves to learn from, one small one, and one that is measured on."""
    folder = tmp_path_factory.mktemp("data")
    for kind in ("shelves/images", "shelves/more", "gaps/images"):
        (folder / kind).mkdir(parents=True)
    names = [f"drawn_{number}.png" for number in range(4)]
    for number, (name, place) in enumerate(
        zip(names, ("shelves/images", "shelves/more", "gaps/images", "shelves/images"), strict=True)
    ):
        small = cv2.resize(draw_shelf(number).rgb, (320, 240), interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(folder / place / name), small)
    splits = [{"file_name": names[0], "split": "train"}, {"file_name": names[3], "split": "val"}]
    (folder / "shelves/boxes.json").write_text(json.dumps({"images": splits}))
    (folder / "shelves/more.json").write_text(json.dumps({"images": [{"file_name": names[1]}]}))
    small_one = {"file_name": names[2], "group": 7}
    (folder / "gaps/gaps.json").write_text(json.dumps({"images": [small_one]}))
    return folder


def test_looks_are_kept_and_none_is_taken_twice(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vision.training.looked_trials._DRAWN", 1)
    eyes, folder = Eyes(), tmp_path / "looks"
    done = keep_looks(data, folder, eyes)
    first = next(done)
    stopped_after = eyes.looks
    assert {first, *keep_looks(data, folder, eyes)} == {
        "drawn_0", "drawn_1", "drawn0", "gap7_0", "drawn_0_wider", "drawn_1_wider",
    }  # fmt: skip
    whole = eyes.looks
    assert stopped_after < whole
    assert list(keep_looks(data, folder, eyes)) == []
    assert eyes.looks == whole
    looked = read_looks(folder)
    assert len(looked) == whole
    kinds = {one.kind for one in looked if one.group in ("drawn_0", "drawn_1")}
    assert {"good", "good_as_it_came", "glaring", "turned", "distant", "cut_off"} <= kinds
    assert {DIM, AGAIN} <= kinds
    assert len({float(one.found.boxes_px[0, 3]) for one in looked}) == whole
    assert all(one.clues().shape == (len(LOOK_CLUE_NAMES),) for one in looked)


def test_without_looks_there_is_nothing_to_learn_from(tmp_path: Path) -> None:
    with pytest.raises(LabelsUnreadable, match="no looks"):
        read_looks(tmp_path)


def test_the_first_word_is_sure_only_above_all_that_should_pass() -> None:
    odds = np.array([-3.0, 0.2, 0.7, 5.0, 9.0])
    assert 0.7 < sure_from(odds, np.array([True, True, True, False, False])) < 5.0


def seen_from(rng: np.random.Generator, group: int, times: float) -> Looked:
    """A shelf of packs, from `times` as far as is good."""
    wide, tall = 44 / times, 90 / times
    boxes = np.array(
        [[x, y, x + 0.9 * wide, y + 0.9 * tall]
         for y in np.arange(5, 950 - tall, tall) for x in np.arange(5, 1270 - wide, wide)],
        np.float32,
    )  # fmt: skip
    found = Found(boxes, rng.uniform(0.4, 0.9, len(boxes)).astype(np.float32))
    kind = "good" if times == 1 else "distant"
    small = rng.integers(0, 255, (120, 160, 3)).astype(np.uint8)
    noise = rng.normal(size=len(CLUE_NAMES))
    return Looked(f"photo{group}", kind, times, 1280, 960, small, noise, found, found)


def test_what_the_look_tells_is_learnt_where_pixels_tell_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    times = [1.0] * 60 + rng.uniform(1.05, 3, 60).tolist()
    looked = [seen_from(rng, number % 40, each) for number, each in enumerate(times)]
    pixels = {"too_far": rng.normal(size=len(looked)), "cut_off": rng.normal(size=len(looked))}
    growth = Growth(trees=40, depth=2, figures_tried=1.0)
    learnt = learn_last(looked, pixels, {"distant": 1.45}, growth)
    assert set(learnt) == {"too_far"}
    one = learnt["too_far"]
    far = np.array(times) >= 1.45
    assert (one.unseen[far] > one.limit).mean() > 0.9
    assert not (one.unseen[:60] > one.limit).any()
    assert one.sure > pixels["too_far"][:60].max()
    write_table(learnt, tmp_path / "last.json")
    table = json.loads((tmp_path / "last.json").read_text())
    assert tuple(table["clues"]) == LOOK_CLUE_NAMES
    forest = Forest.read_from(table["reasons"]["too_far"])
    clues = np.array([one.clues() for one in looked])
    odds = forest.log_odds(np.column_stack([pixels["too_far"], clues]))
    assert (odds[far] > table["reasons"]["too_far"]["limit"]).mean() > 0.9
    assert (odds[far] > odds[:60].max()).mean() > 0.9


def test_pixels_odds_come_from_other_photos() -> None:
    """The one clue that tells is each photo's own: a forest that knew the photo would use it."""
    rng = np.random.default_rng(5)
    looked = [seen_from(rng, number, 1.0 if number % 2 else 2.0) for number in range(60)]
    none = Examples(np.zeros((0, len(CLUE_NAMES))), np.zeros(0, str), np.zeros(0, str), np.zeros(0))
    odds = odds_of_pixels(looked, none, {"distant": 1.45}, reasons=("too_far",))["too_far"]
    right = np.array([one.kind == "distant" for one in looked])
    assert abs(odds[right].mean() - odds[~right].mean()) < 0.5 * odds.std() + 0.5
