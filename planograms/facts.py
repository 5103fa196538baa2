"""Say the scores of one photo as facts. Pure; sends nothing."""

from datetime import datetime

from planograms.judge import Judgement
from planograms.model import Planogram
from planograms.rounds import OF_NO_ROUND, Within
from planograms.scores import Score, Scores, scores_of, seen_together
from storepulse.facts import Fact


def facts_of(
    judgement: Judgement,
    planogram: Planogram,
    *,
    shop: str,
    photo: str,
    taken_at: datetime,
    source: str,
    within: Within = OF_NO_ROUND,
) -> list[Fact]:
    """The scores of a photo as facts of its shop and bay.

    A score of which nothing was seen is said as unknown (value None), not left out: the bay was
    photographed. Several photos of one bay in a round are one look: places that only an earlier
    one showed count as it showed them.

    Args:
        planogram: with one position for each facing, as it was judged by.
        photo: UUID of the photo; fact ids derive from it, so that a repeat says the same facts.
        taken_at: when; with its time zone.
        source: the node's path.
    """
    scores = judgement.scores
    if within.earlier:
        states = seen_together(judgement.positions, within.earlier)
        scores = scores_of(planogram, states, judgement.findings)
    dims = {
        "bay": planogram.bay,
        "planogram": planogram.id,
        "planogram_version": str(planogram.version),
        **({"round": within.round} if within.round else {}),
    }

    def fact(metric: str, score: Score, name: str = "", **more: str) -> Fact:
        return Fact(
            id=f"{photo}:{metric}{name}",
            shop=shop,
            metric=metric,
            start=taken_at,
            end=taken_at,
            value=score.value,
            low=score.low,
            high=score.high,
            n=score.n,
            coverage=score.coverage,
            dims={**dims, "planned": str(score.planned), **more},
            method=judgement.method,
            source=source,
        )

    said = [fact(metric, score) for metric, score in _plain(scores).items()]
    said.insert(
        0, fact("exposure_main_push", scores.exposure_main_push, basis=scores.exposure_basis)
    )
    return said + [
        fact("share_of_shelf", one.share, f":{number}", brand=one.brand)
        for number, one in enumerate(scores.share_of_shelf, 1)
    ]


def _plain(scores: Scores) -> dict[str, Score]:
    told = {
        "position_compliance": scores.position_compliance,
        "facing_compliance": scores.facing_compliance,
        "on_shelf_availability": scores.on_shelf_availability,
    }
    if scores.main_push_in_main_visual is not None:
        told["main_push_in_main_visual"] = scores.main_push_in_main_visual
    return told
