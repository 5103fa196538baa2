"""What clerks said of findings: precision by kind, from the hub's store. Judges no photo itself.

A clerk's last word on an item counts: *done* says that the finding was right, *not true* that it
was wrong. *Cannot* says neither. What an after photo closed by itself is no word of a clerk's: a
false finding that a second photo does not repeat would count as right.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

from scipy.stats import beta

from hub.store.database import open_database
from hub.store.queries import question
from planograms.files import write_file
from storepulse.eval.figures import Figure, Report

Word = Literal["right", "wrong", "cannot"]
WORD_OF: Final[Mapping[str, Word]] = {"done": "right", "not_true": "wrong", "cannot_do": "cannot"}
_LEVEL: Final = 0.90


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One finding and a clerk's last word on it."""

    word: Word
    kind: str
    shop: str
    bay: str
    photo: str
    planogram: str
    planogram_version: int
    model: str
    """NAME@VERSION of the detector; "" from a node that did not say."""
    method: str
    reason: str
    at: datetime
    item: Mapping[str, Any]
    """Of the checklist, whole: box on the photo, position, SKU, confidence."""


def read_verdicts(database: str | None, *, since: datetime) -> list[Verdict]:
    """The clerks' words of a hub since a moment.

    Raises:
        BadDatabase, DatabaseUnavailable: there is no such database, or it does not answer.
    """
    with open_database(database) as opened, opened.connection() as connection:
        rows = connection.execute(question("verdicts"), {"since": since}).fetchall()
    return [
        Verdict(word=WORD_OF[row.pop("state")], kind=row["item"]["kind"], **row)
        for row in rows
        if row["state"] in WORD_OF
    ]


def report_of(verdicts: Iterable[Verdict], *, days: int) -> Report:
    """Precision by kind and by model, each with its interval (Jeffreys)."""
    told = list(verdicts)
    figures = [*_precision(told, "all")]
    for kind in sorted({one.kind for one in told}):
        figures += _precision([one for one in told if one.kind == kind], kind)
    for model in sorted({one.model for one in told if one.model}):
        figures += _precision([one for one in told if one.model == model], model)
    notes = (
        "right: a clerk ticked it as done; wrong: not true; cannot says neither",
        "of what clerks were shown: what was never found, no verdict tells",
    )
    return Report(measure="verdicts", settings={"days": days}, figures=tuple(figures), notes=notes)


def _precision(told: Sequence[Verdict], of: str) -> list[Figure]:
    right = sum(one.word == "right" for one in told)
    wrong = sum(one.word == "wrong" for one in told)
    n = right + wrong
    low, high = interval(right, n)
    return [
        Figure(name="precision", of=of, value=right / n if n else None,
               low=low if n else None, high=high if n else None, n=n),
        Figure(name="cannot", of=of, value=float(len(told) - n), n=len(told)),
    ]  # fmt: skip


def interval(right: int, n: int) -> tuple[float, float]:
    """The 90 % interval of a share (Jeffreys): Brown, Cai, DasGupta 2001 advise it for small n."""
    tail = (1 - _LEVEL) / 2
    low, high = beta.ppf([tail, 1 - tail], right + 0.5, n - right + 0.5)
    return float(low), float(high)


def export(verdicts: Iterable[Verdict], file: Path) -> int:
    """Write verdicts as training data: one JSON object a line; returns how many.

    The photo is named by shop and UUID: `GET /api/shops/SHOP/photos/PHOTO/photo.jpg` gives its
    blurred copy, on which `box_xyxy_px` lies.

    Raises:
        BadPlanogram: the file cannot be written.
    """
    lines = [
        json.dumps(
            {
                "verdict": one.word, "kind": one.kind, "shop": one.shop, "photo": one.photo,
                "box_xyxy_px": one.item["box_xyxy_px"], "confidence": one.item["confidence"],
                "sku": one.item.get("sku"), "position": one.item.get("position"),
                "planogram": f"{one.planogram}@{one.planogram_version}", "bay": one.bay,
                "model": one.model, "method": one.method, "reason": one.reason,
                "at": one.at.isoformat(),
            },
            ensure_ascii=False,
        )
        for one in verdicts
    ]  # fmt: skip
    write_file(file, "".join(f"{line}\n" for line in lines).encode("utf-8"))
    return len(lines)


def since_days(days: int) -> datetime:
    """So many days ago."""
    return datetime.now(UTC) - timedelta(days=days)
