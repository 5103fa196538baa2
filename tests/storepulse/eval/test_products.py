"""Products: groups stay apart in episodes, classes in folds; figures follow the evidence."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from storepulse.eval.product_pictures import (
    FOLDS,
    Likenesses,
    Picture,
    choose_pictures,
    folds_of,
    pairs_to_compare,
)
from storepulse.eval.products import (
    Episodes,
    Setting,
    answered,
    learn_judgement,
)
from vision.products.evidence import EVIDENCE

CROPS = [f"crop_{number:02d}" for number in range(18)]
HELD = [f"gs_{number:02d}" for number in range(12)]


def drawn_pictures() -> list[Picture]:
    pictures = []
    for product in CROPS:
        for group in ("t00", "t01", "t02"):
            for number in range(2):
                path = Path(product, f"{group}_{number}.webp")
                pictures.append(Picture(path, product, f"{product}/{group}"))
    for product in HELD:
        for side, count in (("packshot", 1), ("train", 5), ("test", 4)):
            for number in range(count):
                path = Path(product, f"{side}_{number}.webp")
                pictures.append(Picture(path, product, f"{product}/{side}"))
    return pictures


def likenesses(pictures: list[Picture], *, telling: bool) -> Likenesses:
    """Evidence in which one product is likelier than another, or that says nothing."""
    pairs = pairs_to_compare(pictures)
    rng = np.random.default_rng(0)
    table = rng.normal(size=(len(pairs), len(EVIDENCE))).astype(np.float32)
    if telling:
        same = [pictures[query].product == pictures[other].product for query, other in pairs]
        table[np.array(same), 0] += 9
    row_of = np.full((len(pictures), len(pictures)), -1, np.int64)
    row_of[pairs[:, 0], pairs[:, 1]] = np.arange(len(pairs))
    return Likenesses(table, row_of)


@pytest.fixture(scope="module")
def pictures():
    return drawn_pictures()


def test_each_fold_has_classes_of_either_kind_and_no_class_is_in_two(pictures):
    fold = folds_of(pictures)
    assert set(fold) == {*CROPS, *HELD}
    for kind in (CROPS, HELD):
        assert {fold[product] for product in kind} == set(range(FOLDS))


def test_no_pair_shares_a_group_and_a_hand_held_reference_is_of_the_source_s_training(pictures):
    for query, reference in pairs_to_compare(pictures).tolist():
        assert pictures[query].group != pictures[reference].group
        if pictures[query].held:
            assert pictures[query].side == "test"
        if pictures[reference].held:
            assert pictures[reference].side in ("train", "packshot")


@pytest.mark.parametrize("references", [1, 3])
def test_an_episode_asks_for_pairs_that_were_compared(pictures, references):
    drawn = Episodes(pictures, likenesses(pictures, telling=True))
    fold = folds_of(pictures)
    classes = [product for product in fold if fold[product] == 0]
    asked = drawn.draw(classes, Setting("", references), np.random.default_rng(1), known=4)
    assert {one.is_known for one in asked} == {True, False}
    known = {one.product for one in asked if one.is_known}
    assert len(known) == 4
    assert known.isdisjoint(one.product for one in asked if not one.is_known)
    for one in asked:
        assert one.question.known.sum(axis=1).max() <= references
        assert one.question.known[:, 0].all()


@pytest.mark.parametrize(
    ("telling", "right_min", "right_max"), [(True, 0.95, 1.0), (False, 0.0, 0.6)]
)
def test_classes_left_out_are_named_as_well_as_the_evidence_allows(
    pictures, telling, right_min, right_max
):
    drawn = Episodes(pictures, likenesses(pictures, telling=telling))
    fold = folds_of(pictures)
    judgement = learn_judgement(drawn, fold, [one for one in fold if fold[one]], seed=0)
    left_out = [product for product in fold if not fold[product]]
    answers = []
    for number in range(6):
        asked = drawn.draw(left_out, Setting("", 2), np.random.default_rng(number), known=4)
        answers += answered(asked, judgement)
    right = np.mean([one.right for one in answers if one.is_known])
    assert right_min <= right <= right_max
    refused = [one.score < judgement.refuse_below for one in answers if not one.is_known]
    assert np.mean(refused) > 0.7


def test_some_pictures_of_each_class_are_chosen_always_the_same(tmp_path):
    lines = ["class,file,group"]
    lines += [f"{one.product},{one.path.name},{one.group}" for one in drawn_pictures()]
    (tmp_path / "pictures.csv").write_text("\n".join(lines))
    chosen = choose_pictures(tmp_path)
    assert {one.product for one in chosen} == {*CROPS, *HELD}
    assert chosen == choose_pictures(tmp_path)
