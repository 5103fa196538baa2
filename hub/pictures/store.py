"""Pictures and their rows in the database, kept in step: put, look up, clean up. Opens no door."""

import hashlib
from datetime import datetime, timedelta
from typing import Final

from hub.errors import BlobContradicts
from hub.ingest.faults import raise_alarms
from hub.ingest.sorting import Alarm
from hub.pictures.blobs import BlobKey, BlobStore, check_picture
from hub.store.database import Database
from hub.store.queries import question
from storepulse.topics import Address

_AT_ONCE: Final = 200


def keep_blob(
    database: Database,
    store: BlobStore,
    key: BlobKey,
    content: bytes,
    sender: Address,
    *,
    now: datetime,
) -> bool:
    """Keep a picture; False when the same was there. When it returns, it is on the disk.

    The row comes first and is committed last: two who send under one key at once take turns at it,
    and what is killed in between leaves no row; the node, unanswered, sends it again.

    Raises:
        BlobRefused: it is no picture.
        BlobContradicts: another picture has this key. The first one stays; an alarm is raised.
        NoRoom, DatabaseUnavailable: it was not kept; the node sends it again.
    """
    check_picture(content)
    sha256 = hashlib.sha256(content).digest()
    said = {
        "shop": key.shop, "photo": key.photo, "name": key.name, "sha256": sha256,
        "bytes": len(content), "node_path": sender.path, "now": now,
    }  # fmt: skip
    with database.connection() as connection:
        new = connection.execute(question("new_blob"), said).fetchone() is not None
        row = connection.execute(question("blob"), said).fetchone()
        assert row is not None
        same = bytes(row["sha256"]) == sha256
        if same and (new or store.read(key) != content):
            store.write(key, content)
        if not same:
            words = f"{sender.path} sent another picture as {key.path}; the first one stays"
            raise_alarms(connection, sender.path, [Alarm("blob_contradicts", words)], at=now)
    if not same:
        raise BlobContradicts(f"{key.path} is there with other content: the first one stays")
    return new


def clean_up(database: Database, store: BlobStore, *, days: int, now: datetime) -> int:
    """Remove the pictures that are older than so many days; returns how many.

    Killed in the middle it leaves rows without a file, which the next one removes.
    """
    removed = 0
    before = now - timedelta(days=days)
    while True:
        with database.connection() as connection:
            rows = connection.execute(
                question("take_old_blobs"), {"before": before, "limit": _AT_ONCE}
            ).fetchall()
            for row in rows:
                store.delete(BlobKey(row["shop"], row["photo"], row["name"]))
        removed += len(rows)
        if len(rows) < _AT_ONCE:
            return removed
