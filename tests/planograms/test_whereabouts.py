"""Where a view lies: not where rows fit by themselves, but where all that is seen fits."""

import numpy as np
import pytest

from planograms.compare import boxes_in_order
from planograms.matching import match
from planograms.placing import Planned, Seen
from storepulse.eval.bays import likeness_drawn
from storepulse.simulated.bays import CLEAN, draw_plan, show
from vision.geometry import centres, mapped_boxes, sizes, visible_share


@pytest.mark.parametrize(
    ("seed", "number"),
    [
        pytest.param(500, 525, id="a run further"),
        pytest.param(500, 138, id="a run further, too"),
        pytest.param(600, 172, id="few facings"),
        pytest.param(600, 95, id="fewer facings"),
        pytest.param(702, 84, id="a shelf further, above which nothing can stand"),
        pytest.param(702, 514, id="a run that would move up to fill a gap"),
        pytest.param(702, 570, id="goods of the bay beside that look like the end of a run"),
        pytest.param(702, 309, id="six facings, of which four are known"),
        pytest.param(702, 602, id="a scale that would push bare places out of view"),
    ],
)
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
