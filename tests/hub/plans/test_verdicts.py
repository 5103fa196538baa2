"""A clerk's last word on a finding is a verdict; of them comes the precision of each kind."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.ingest.batches import store_batch
from hub.store.database import Database
from storepulse.checklists import Checklist, ChecklistItem, Sentence
from storepulse.eval.verdicts import export, interval, read_verdicts, report_of
from storepulse.events import ChecklistMade, ItemMarked
from storepulse.topics import Address
from storepulse.wire import Clock, Key, Message

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NODE = Address("c", "s1", "n")


def store(database: Database, *events: Any) -> None:
    clock = Clock(boot="b", monotonic_s=1, synchronised=True)
    said = [
        Message(key=Key(node="n", epoch="e", number=number), said_at=NOON, clock=clock, body=body)
        for number, body in enumerate(events, 1)
    ]
    assert not store_batch(database, NODE, said, received_at=NOON).quarantined


def mark(item: str, state: Any, minutes: int, **more: Any) -> ItemMarked:
    at = NOON + timedelta(minutes=minutes)
    return ItemMarked(checklist="c1", item=item, state=state, at=at, **more)


def made() -> ChecklistMade:
    def item(name: str, kind: Any) -> ChecklistItem:
        return ChecklistItem(
            id=name, kind=kind, sentence=Sentence("en", "zh"), box_xyxy_px=(0, 0, 9, 9),
            confidence=0.9, sku="tea",
        )  # fmt: skip

    kinds = {"a": "missing", "b": "missing", "c": "wrong_product", "d": "missing", "e": "missing"}
    return ChecklistMade(checklist=Checklist(
        id="c1", shop="s1", bay="b1", photo="p", planogram="g", planogram_version=3, made_at=NOON,
        items=tuple(item(name, kind) for name, kind in kinds.items()), model="yolo@7", method="m/2",
    ))  # fmt: skip


def test_the_last_word_of_a_clerk_counts_and_no_other(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(
        database, made(), mark("a", "not_true", 1), mark("a", "done", 2), mark("b", "not_true", 3),
        mark("c", "cannot_do", 4, reason="no_stock"), mark("d", "confirmed", 5, by="after_photo"),
        mark("e", "done", 6, reason="after_photo"),
    )  # fmt: skip
    monkeypatch.setattr("storepulse.eval.verdicts.open_database", lambda _: _Open(database))
    told = read_verdicts(None, since=NOON - timedelta(days=1))
    assert [(one.item["id"], one.word) for one in told] == [
        ("a", "right"), ("b", "wrong"), ("c", "cannot"),
    ]  # fmt: skip
    assert {one.model for one in told} == {"yolo@7"}
    report = report_of(told, days=1)
    missing, wrong_product = (report.figure("precision", of) for of in ("missing", "wrong_product"))
    assert (missing.value, missing.n, wrong_product.value) == (0.5, 2, None)
    assert (report.figure("cannot").value, report.figure("cannot").n) == (1.0, 3)
    assert export(told, tmp_path / "v.jsonl") == 3
    first = json.loads((tmp_path / "v.jsonl").read_text().splitlines()[0])
    assert first["verdict"] == "right"
    assert first["box_xyxy_px"] == [0, 0, 9, 9]
    assert first["planogram"] == "g@3"
    assert read_verdicts(None, since=NOON + timedelta(days=1)) == []


class _Open:
    """The test's database, which stays open."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> Database:
        return self._database

    def __exit__(self, *_: object) -> None:
        pass


def test_the_interval_is_wide_where_little_was_said() -> None:
    assert interval(9, 10) == pytest.approx((0.669, 0.981), abs=2e-3)
    low, high = interval(900, 1000)
    assert (low, high) == pytest.approx((0.884, 0.915), abs=2e-3)
    assert interval(0, 0)[1] - interval(0, 0)[0] > 0.9
    assert replace(made().checklist, items=()).model == "yolo@7"
