"""Say the scores of one photo as facts. Pure; sends nothing."""

from collections.abc import Mapping
from datetime import datetime

from planograms.judge import Judgement
from planograms.model import Planogram
from planograms.scores import Score
from storepulse.facts import Fact


def facts_of(
    judgement: Judgement,
    planogram: Planogram,
    *,
    shop: str,
    photo: str,
    taken_at: datetime,
    source: str,
) -> list[Fact]:
    """The scores of a photo as facts of its shop and bay.

    A score of which nothing was seen is said as unknown (value None), not left out: the bay was
    photographed.

    Args:
        photo: UUID of the photo; fact ids derive from it, so that a repeat says the same facts.
        taken_at: when; with its time zone.
        source: the node's path.
    """
    scores = judgement.scores
    told: Mapping[str, Score] = {
        "exposure_main_push": scores.exposure_main_push,
        "position_compliance": scores.position_compliance,
        "facing_compliance": scores.facing_compliance,
        "on_shelf_availability": scores.on_shelf_availability,
    }
    dims = {
        "bay": planogram.bay,
        "planogram": planogram.id,
        "planogram_version": str(planogram.version),
    }
    return [
        Fact(
            id=f"{photo}:{metric}",
            shop=shop,
            metric=metric,
            start=taken_at,
            end=taken_at,
            value=score.value,
            low=score.low,
            high=score.high,
            n=score.n,
            coverage=score.coverage,
            dims={**dims, "basis": scores.exposure_basis}
            if metric == "exposure_main_push"
            else dims,
            method=judgement.method,
            source=source,
        )
        for metric, score in told.items()
    ]
