"""The order in which a clerk walks along a bay: from the top row down, each from the left."""

from collections.abc import Iterable, Sequence

import numpy as np

from planograms.findings import Finding, PositionState
from planograms.model import Planogram, Position


def in_walking_order(
    planogram: Planogram, states: Sequence[PositionState], findings: Iterable[Finding]
) -> tuple[Finding, ...]:
    """Sort findings; those at no planned position go where the nearest position is."""

    def place(finding: Finding) -> tuple[int, float]:
        nearest = position_near(planogram, states, finding)
        own = planogram.position_by_id.get(finding.position or "")
        row = own.row if own else nearest.row if nearest else -1
        return -row, (finding.box_xyxy_px[0] + finding.box_xyxy_px[2]) / 2

    return tuple(sorted(findings, key=place))


def position_near(
    planogram: Planogram, states: Sequence[PositionState], finding: Finding
) -> Position | None:
    """The planned position whose place on the photo lies nearest; None where none was seen."""
    seen = [(state.id, state.box_xyxy_px) for state in states if state.box_xyxy_px is not None]
    if not seen:
        return None
    boxes = np.array([box for _, box in seen])
    mine = np.array(finding.box_xyxy_px)
    away = (boxes[:, :2] + boxes[:, 2:] - mine[:2] - mine[2:]) / 2
    return planogram.position_by_id[seen[int((away**2).sum(axis=1).argmin())][0]]
