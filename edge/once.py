"""Each UUID that a phone made is acted on once; a repeat is known, another use is refused."""

import sqlite3
from datetime import datetime

from edge.errors import Contradicts


def first_time(db: sqlite3.Connection, uuid: str, about: str, at: datetime) -> bool:
    """Note a UUID within the transaction of what it does; False when it was already done.

    Args:
        about: everything that the request asks for, as text.
        at: now; the UUID is known until long after (`edge.forgetting`).
    Raises:
        Contradicts: the UUID came before with another request.
    """
    row = db.execute("select about from marks where uuid = ?", (uuid,)).fetchone()
    if row is None:
        db.execute(
            "insert into marks (uuid, about, at) values (?, ?, ?)", (uuid, about, at.isoformat())
        )
        return True
    if row[0] != about:
        raise Contradicts(f"uuid {uuid} was used before for another request: make a new one")
    return False
