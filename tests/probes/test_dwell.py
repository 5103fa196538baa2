"""The mean dwell is right about all visitors, the unheard too, and unknown rather than guessed."""

import numpy as np
import pytest

from probes.burst_pace import Floats
from probes.calibration import read_calibration
from probes.dwell import DwellEstimate, estimate_dwell
from probes.visits import Visit

PACES = read_calibration().paces


def heard_visits(lengths_s: Floats, pause_s: float, rng: np.random.Generator) -> list[Visit]:
    """Visits at random moments of phones that burst with irregular pauses."""
    visits = []
    for length_s in lengths_s:
        clock = rng.gamma(3, pause_s / 3, 4000).cumsum()
        start_s = 50 * pause_s + rng.random() * pause_s
        inside = clock[(clock >= start_s) & (clock <= start_s + length_s)]
        if inside.size:
            visits.append(Visit(tuple(inside.tolist()), 1, True, -50))
    return visits


@pytest.mark.parametrize("mean_min", [1.5, 3.0, 6.0])
@pytest.mark.parametrize("pause_s", [20.0, 60.0, 150.0])
def test_the_interval_holds_the_true_mean_of_all_visits(mean_min: float, pause_s: float) -> None:
    rng = np.random.default_rng(7)
    lengths_s = rng.gamma(2.0, mean_min * 30, 150)
    visits = heard_visits(lengths_s, pause_s, rng)
    estimate = estimate_dwell(visits, PACES, error_share=0.12)
    assert estimate.mean is not None
    assert estimate.low is not None
    assert estimate.high is not None
    true = float(lengths_s.mean()) / 60
    assert estimate.low <= true <= estimate.high
    assert estimate.mean == pytest.approx(true, rel=0.35)
    assert estimate.n == len(visits)


def test_from_first_to_last_burst_would_read_too_short() -> None:
    rng = np.random.default_rng(8)
    visits = heard_visits(rng.gamma(2.0, 90, 200), 60.0, rng)
    naive = float(np.mean([visit.heard_s for visit in visits])) / 60
    estimate = estimate_dwell(visits, PACES)
    assert estimate.mean is not None
    assert naive < 0.8 * 3.0 < estimate.mean


def test_slow_phones_leave_more_visits_unheard() -> None:
    def unheard(pause_s: float) -> float:
        rng = np.random.default_rng(9)
        estimate = estimate_dwell(heard_visits(rng.gamma(2.0, 60, 200), pause_s, rng), PACES)
        assert estimate.unheard_share is not None
        return estimate.unheard_share

    assert unheard(150.0) > unheard(10.0)


def test_fewer_visits_give_a_wider_interval() -> None:
    rng = np.random.default_rng(10)
    visits = heard_visits(rng.gamma(2.0, 90, 300), 40.0, rng)

    def width(estimate: DwellEstimate) -> float:
        assert estimate.low is not None
        assert estimate.high is not None
        return estimate.high - estimate.low

    assert width(estimate_dwell(visits[:20], PACES)) > width(estimate_dwell(visits, PACES))


def test_too_few_visits_are_unknown_with_the_reason() -> None:
    estimate = estimate_dwell([Visit((0.0, 60.0), 1, True, -50)] * 4, PACES)
    assert estimate.mean is None
    assert estimate.low is None
    assert estimate.reason is not None
    assert "5 are needed" in estimate.reason
