"""Learning the last word: looks are kept, what they tell is learnt, the first word is held back."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from storepulse.simulated.shelves import draw_shelf
from vision.clues import CLUE_NAMES
from vision.detector import Found, Limits
from vision.last_word import LAST_CLUE_NAMES
from vision.look_clues import LOOK_CLUE_NAMES
from vision.photos import Pixels
from vision.training.errors import LabelsUnreadable
from vision.training.last_word import examples_of, fit, sure_from
from vision.training.looked_trials import Looked, keep_looks, read_looks
from vision.training.verdict import Examples


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
    assert {first, *keep_looks(data, folder, eyes)} == {"drawn_0", "drawn_1", "drawn0", "gap7_0"}
    whole = eyes.looks
    assert stopped_after < whole
    assert list(keep_looks(data, folder, eyes)) == []
    assert eyes.looks == whole
    looked = read_looks(folder)
    assert len(looked) == whole
    kinds = {one.kind for one in looked if one.group in ("drawn_0", "drawn_1")}
    assert {"good", "good_as_it_came", "glaring", "turned", "distant", "cut_off"} <= kinds
    assert len({float(one.found.boxes_px[0, 3]) for one in looked}) == whole
    assert examples_of(looked).values.shape == (whole, len(LAST_CLUE_NAMES))


def test_without_looks_there_is_nothing_to_learn_from(tmp_path: Path) -> None:
    with pytest.raises(LabelsUnreadable, match="no looks"):
        read_looks(tmp_path)


def test_the_first_word_is_sure_only_above_all_that_should_pass() -> None:
    examples = Examples(
        np.zeros((5, 1)), np.array(list("abcde")),
        np.array(["good", "good_borne", "glaring", "glaring", "turned"]),
        np.array([0.0, 0.0, 0.1, 0.4, 60.0]),
    )  # fmt: skip
    above = np.array([-3.0, 0.2, 0.7, 5.0, 9.0])
    edges = {"glaring": 0.19, "turned": 43.0}
    # The fourth is beyond its edge, the fifth gone wrong in another way: both may be refused.
    assert 0.7 < sure_from("glare", above, examples, edges) < 5.0


def facings_of(rng: np.random.Generator, share: float) -> Looked:
    """A shelf of packs, `share` of the picture white and without any."""
    boxes = np.array(
        [[x, y, x + 40, y + 90] for y in range(10, 700, 100) for x in range(10, 1200, 45)],
        np.float32,
    )
    small = np.full((96, 128, 3), 90, np.uint8)
    small += rng.integers(0, 20, small.shape).astype(np.uint8)
    wide = round(share * 128)
    small[:, :wide] = 255
    seen = boxes[boxes[:, 0] >= 10 * wide]
    found = Found(seen, rng.uniform(0.4, 0.9, len(seen)).astype(np.float32))
    noise = rng.normal(size=len(CLUE_NAMES))
    kind = "good" if share == 0 else "glaring"
    group = f"photo{int(rng.integers(40))}"
    return Looked(group, kind, share, 1280, 960, small, noise, found, found)


def test_what_the_look_tells_is_learnt(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    shares = [0.0] * 80 + rng.uniform(0.02, 0.4, 80).tolist()
    learnt = fit([facings_of(rng, share) for share in shares], {"glaring": 0.19}, tmp_path / "t")
    assert set(learnt) == {"glare"}
    assert learnt["glare"].caught > 0.9
    assert learnt["glare"].refused == 0
    table = json.loads((tmp_path / "t").read_text())
    assert table["clues"] == list(LAST_CLUE_NAMES)
    asked = {LAST_CLUE_NAMES[one] for tree in table["reasons"]["glare"]["figures"] for one in tree}
    assert asked & set(LOOK_CLUE_NAMES)
    assert table["reasons"]["glare"]["sure"] > 0
