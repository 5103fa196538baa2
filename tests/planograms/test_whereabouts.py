"""Where a view lies: not where rows fit by themselves, but where all that is seen fits."""

import numpy as np
import pytest

from planograms.compare import boxes_in_order
from planograms.matching import match
from planograms.placing import Planned, Seen
from storepulse.eval.bays import likeness_drawn
from storepulse.simulated.bays import CLEAN, draw_plan, show
from vision.geometry import centres, mapped_boxes, sizes, visible_share


@pytest.mark.parametrize(("seed", "number"), [(500, 525), (500, 138), (600, 172), (600, 95)])
def test_rows_that_fit_one_place_further_do_not_shift_the_view(seed: int, number: int) -> None:
    """Bays whose rows, each by itself, fit better a product further along a run."""
    plan = draw_plan(np.random.default_rng([seed, number]))
    shown = show(plan, np.random.default_rng([seed, number, 1]), noise=CLEAN)
    rng = np.random.default_rng([seed + number, 0xBA])
    distances = likeness_drawn(shown, rng, least=0.55).to_positions
    planned = Planned(
        boxes_in_order(shown.plan), np.array([each.row for each in shown.plan.in_order])
    )
    found = match(planned, Seen(shown.boxes_px, shown.rows, (shown.width, shown.height)), distances)
    assert found.places is not None
    true = mapped_boxes(planned.boxes, shown.plane)
    seen = visible_share(true, width=shown.width, height=shown.height) >= 0.85
    off = np.abs(centres(found.places) - centres(true)) / sizes(true)
    assert off[seen].max() < 0.4
