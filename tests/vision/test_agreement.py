"""Laws of the vote: what looks agree on stays, and nothing is made of nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.agreement import Answers, Limits, agreed, agreed_at_all, overlaps

box = st.tuples(
    st.integers(0, 200), st.integers(0, 200), st.integers(4, 40), st.integers(4, 40)
).map(lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3]))
answer = st.tuples(box, st.floats(0.05, 0.99), st.integers(0, 1))


def answers(rows: list[tuple[tuple[int, ...], float, int]], *, looks: int = 2) -> Answers:
    return Answers(
        np.array([box for box, _, _ in rows], np.float32).reshape(-1, 4),
        np.array([score for _, score, _ in rows], np.float32),
        np.array([look for _, _, look in rows], np.int64),
        looks,
    )


@given(st.lists(answer, max_size=30), st.floats(0.3, 0.9), st.floats(0.05, 0.6))
def test_facings_come_best_first_apart_and_strong_enough(rows, overlap_max, score_min):
    limits = Limits(score_min=score_min, overlap_max=overlap_max)
    boxes, scores = agreed(answers(rows), limits)
    assert (np.diff(scores) <= 1e-6).all()
    assert (scores >= np.float32(score_min)).all()
    apart = overlaps(boxes, boxes) - np.eye(len(boxes))
    assert (apart <= overlap_max + 1e-4).all()


@given(st.lists(answer, max_size=30))
def test_no_facing_is_surer_or_larger_than_what_the_looks_said(rows):
    boxes, scores = agreed(answers(rows), Limits(score_min=0.01))
    if not rows:
        assert boxes.shape == (0, 4)
        return
    said = np.array([box for box, _, _ in rows])
    assert scores.max(initial=0) <= max(score for _, score, _ in rows) + 1e-6
    assert (boxes[:, :2] >= said[:, :2].min(axis=0) - 1e-3).all()
    assert (boxes[:, 2:] <= said[:, 2:].max(axis=0) + 1e-3).all()


@given(st.lists(answer, min_size=1, max_size=30), st.permutations(range(30)))
def test_the_order_in_which_answers_come_changes_nothing(rows, order):
    # Equal scores are told apart by their order alone: leave them out, and means that could tie.
    rows = [(box, score, 0) for score, box in {np.float32(row[1]): row[0] for row in rows}.items()]
    shuffled = [rows[number] for number in order if number < len(rows)]
    first, second = (
        agreed(answers(some, looks=1), Limits(score_min=0.01)) for some in (rows, shuffled)
    )
    assert np.allclose(first[0], second[0], atol=1e-3)
    assert np.allclose(first[1], second[1])


@given(box, st.floats(0.4, 0.99))
def test_a_lone_answer_keeps_its_edges(lone, score):
    boxes, scores = agreed(answers([(lone, score, 0)], looks=1), Limits())
    assert np.allclose(boxes, [lone], atol=1e-3)
    assert scores == pytest.approx([score])


def test_a_look_that_saw_nothing_halves_the_score_and_drops_the_doubtful():
    seen = answers([((0, 0, 10, 10), 0.8, 0), ((50, 0, 60, 10), 0.5, 0)])
    boxes, scores = agreed(seen, Limits(score_min=0.3))
    assert boxes.tolist() == [[0, 0, 10, 10]]
    assert scores == pytest.approx([0.4])


def test_edges_are_voted_by_overlap_and_score():
    seen = answers([((0, 0, 10, 10), 0.9, 0), ((0, 0, 12, 10), 0.6, 1)])
    boxes, scores = agreed(seen, Limits())
    iou = 10 / 12
    right = (0.9 * 10 + 0.6 * iou * 12) / (0.9 + 0.6 * iou)
    assert boxes == pytest.approx(np.array([[0, 0, right, 10]]), abs=1e-4)
    assert scores == pytest.approx([0.75])


def test_answers_must_belong_to_looks():
    with pytest.raises(ValueError, match="as many"):
        Answers(np.zeros((2, 4), np.float32), np.zeros(1, np.float32), np.zeros(2, np.int64), 1)
    with pytest.raises(ValueError, match="a look"):
        answers([], looks=0)


@given(
    st.lists(answer, max_size=30),
    st.integers(1, 2),
    st.lists(
        st.tuples(st.floats(0.05, 0.9), st.sampled_from([0.3, 0.5]), st.sampled_from([2, 1000])),
        max_size=4,
    ),
)
def test_several_limits_at_once_give_what_each_gives_alone(rows, looks, asked):
    limits = [Limits(*one) for one in asked]
    said = answers([(box, score, look % looks) for box, score, look in rows], looks=looks)
    for alone, (boxes, scores) in zip(
        [agreed(said, one) for one in limits], agreed_at_all(said, limits), strict=True
    ):
        assert (boxes == alone[0]).all()
        assert (scores == alone[1]).all()
