"""Forget what nobody asks this node for any more: old answers, lists, taps. Sends nothing.

What the hub is told lies in the outbox, which holds its own copy of each message until the hub has
acknowledged it: nothing that waits there is touched. An answer goes only when the hub has both of
its photo's pictures (or refused them). The row of a photo stays: a phone that says the same UUID
again must not have a photo of last month judged as today's shelf.

The pages in the file that this frees are used again: it stops growing, it does not shrink. (Not by
`vacuum`, which may number rows anew: what is owed to the hub is found by them.)
"""

import json
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from edge.disk import Disk
from edge.errors import Forgotten
from edge.photos import OK, UNPROCESSABLE
from edge.refusals import error_body
from storepulse.pictures import PICTURE_NAMES

ANSWERS_KEPT_MIN: Final = timedelta(days=7)
"""However soon pictures go: a photo is held against lists of three days (`edge.closing`) and
belongs to a round of its day."""
LISTS_KEPT: Final = timedelta(days=63)
"""Checklists, their marks, requests that were acted on, receptions and deals: as long as the hub
looks back at taps (61 days), and over."""
TICKETS_KEPT: Final = timedelta(days=400)
"""Experiences: a ticket begins with month and day, which come again after a year."""
_SLICE: Final = 500
"""Rows in one transaction: phones wait no longer for their turn at the file than that takes."""
_SIGNATURES_KEPT: Final = 60
"""Of each bay: against so many a new photo is held (`edge.closing`)."""

_OLD: Final = (
    ("checklists", "id", "made_at < ?", LISTS_KEPT),
    ("marks", "uuid", "at < ?", LISTS_KEPT),
    ("taps", "uuid", "kind <> 'experience' and at < ?", LISTS_KEPT),
    ("taps", "uuid", "kind = 'experience' and at < ?", TICKETS_KEPT),
)
"""Table, key, which rows, how long they are kept."""


def forget_lists(disk: Disk, *, now: datetime) -> int:
    """Remove old checklists with their items' marks, requests and taps; returns how many rows.

    Args:
        now: by a clock that is right; in UTC.
    """
    removed = 0
    for table, key, old, kept in _OLD:
        before = (now - kept).isoformat()
        gone = _SLICE
        while gone == _SLICE:
            with disk.transaction() as db:
                gone = _remove(db, table, key, old, before)
            removed += gone
    return removed


def _remove(db: sqlite3.Connection, table: str, key: str, old: str, before: str) -> int:
    ask = f"select {key} from {table} where {old} limit ?"  # noqa: S608 - words of ours
    keys = db.execute(ask, (before, _SLICE)).fetchall()
    if table == "checklists":
        db.executemany("delete from items where checklist = ?", keys)
    db.executemany(f"delete from {table} where {key} = ?", keys)  # noqa: S608
    return len(keys)


def forget_answers(disk: Disk, folder: Path, *, before: datetime) -> int:
    """Forget what photos received before a moment were answered; returns how many.

    Only of photos whose pictures are settled with the hub and gone from `folder`.
    """
    with disk.reading() as db:
        settled = db.execute(
            "select uuid from photos where status = ? and received_at < ? "
            "and (select count(*) from pictures where photo = uuid) = ?",
            (OK, before.isoformat(), len(PICTURE_NAMES)),
        ).fetchall()
    gone = [row for row in settled if not (folder / row[0]).exists()]
    for start in range(0, len(gone), _SLICE):
        some = gone[start : start + _SLICE]
        with disk.transaction() as db:
            # Together: with a row of pictures less, a photo that was judged would owe them again.
            db.executemany(
                "update photos set status = ?, answer = ?, prices = null, rights = null "
                "where uuid = ?",
                [(UNPROCESSABLE, _FORGOTTEN, *row) for row in some],
            )
            db.executemany("delete from pictures where photo = ?", some)
            db.executemany(
                "update photos set signature = null where uuid = ? and exists "
                "(select 1 from photos later where later.bay = photos.bay "
                "and later.received_at > photos.received_at limit 1 offset ?)",
                [(*row, _SIGNATURES_KEPT - 1) for row in some],
            )
    return len(gone)


_FORGOTTEN: Final = json.dumps(
    error_body(
        Forgotten("this photo was judged long ago, and its answer is kept no more; take a new one")
    )
)
