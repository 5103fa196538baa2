"""Matching as a whole: the same pairs as ever, and alignments worked out together as one by one."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planograms.alignment import align, align_many
from planograms.compare import boxes_in_order
from planograms.matching import match
from planograms.placing import Planned, Seen
from storepulse.eval.bays import likeness_drawn
from storepulse.simulated.bays import NOISY, draw_plan, show

GOLDEN = Path(__file__).with_name("matched_bays.json")
"""Pairs of drawn bays as matching found them before it was made faster: [bay][way] -> facing of
each position. Written anew by `python -m tests.planograms.test_matching`; then read the diff."""
BAYS = 8


def pairs_of(number: int) -> dict[str, list[int]]:
    plan = draw_plan(np.random.default_rng([31, number]), facings=40 + 25 * number)
    shown = show(plan, np.random.default_rng([31, number, 1]), noise=NOISY)
    distances = likeness_drawn(shown, np.random.default_rng([31, number, 2])).to_positions
    order = shown.plan.in_order
    planned = Planned(boxes_in_order(shown.plan), np.array([each.row for each in order]))
    seen = Seen(shown.boxes_px, shown.rows, (shown.width, shown.height))
    return {
        "rows": match(planned, seen, distances).facing_of.tolist(),
        "plane": match(planned, seen, distances, plane=shown.plane).facing_of.tolist(),
    }


@pytest.mark.parametrize("number", range(BAYS))
def test_the_same_facings_stand_at_the_same_places_as_before(number: int) -> None:
    assert pairs_of(number) == json.loads(GOLDEN.read_text(encoding="utf-8"))[number]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), min_size=1, max_size=5),
    st.integers(0, 999),
    st.booleans(),
)
def test_alignments_made_together_are_those_made_one_by_one(
    shapes: list[tuple[int, int]], seed: int, ends_free: bool
) -> None:
    rng = np.random.default_rng(seed)
    tables = [rng.normal(0, 3, shape) for shape in shapes]
    together = align_many(tables, ends_free=ends_free)
    for number, table in enumerate(tables):
        pairs, total = align(table, ends_free=ends_free)
        assert together.pairs(number) == pairs
        assert together.totals[number] == pytest.approx(total)


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps([pairs_of(n) for n in range(BAYS)]) + "\n", encoding="utf-8")
