"""What is old leaves the node's file; what the hub lacks, and what may be asked for, stays."""

from datetime import timedelta

import pytest

from edge.checks import Checks
from edge.disk import Disk
from edge.errors import Contradicts, NotHere
from edge.forgetting import forget_answers, forget_lists
from edge.outbox import Outbox
from edge.taps import Taps
from storepulse.pictures import PICTURE_NAMES
from tests.edge.samples import StandingClock, checklist

DAY = timedelta(days=1)
FIRST, OTHER = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"


def test_old_lists_and_taps_go_and_what_waits_for_the_hub_stays(
    disk: Disk, outbox: Outbox, now: StandingClock
) -> None:
    checks, taps = Checks(disk, outbox), Taps(disk, outbox)
    kept = checklist()
    checks.keep(kept)
    item = kept.items[0].id
    checks.mark(kept.id, item, "done", now(), uuid=FIRST)
    taps.tap(FIRST, "reception", now())
    ticket = taps.tap(OTHER, "experience", now()).ticket
    waiting = outbox.unacknowledged(0, 100)
    assert len(waiting) == 3
    assert forget_lists(disk, now=now().at + 63 * DAY) == 0
    assert forget_lists(disk, now=now.forward(64 * DAY).at) == 3
    assert outbox.unacknowledged(0, 100) == waiting
    for ask in (lambda: checks.one(kept.id), lambda: taps.undo(FIRST, now())):
        with pytest.raises(NotHere):
            ask()
    with disk.reading() as db:
        assert db.execute("select count(*) from items").fetchone() == (0,)
    # A year later the same month and day come again: the ticket is still known.
    assert forget_lists(disk, now=now.forward(302 * DAY).at) == 0
    with pytest.raises(Contradicts):
        taps.tap(FIRST, "experience", now(), ticket=ticket, token="t" * 43)
    assert forget_lists(disk, now=now.forward(36 * DAY).at) == 1


def test_more_rows_than_one_transaction_takes_all_go(disk: Disk, now: StandingClock) -> None:
    with disk.transaction() as db:
        db.executemany(
            "insert into marks (uuid, about, at) values (?, '', ?)",
            [(str(number), now().at.isoformat()) for number in range(1001)],
        )
    assert forget_lists(disk, now=now.forward(64 * DAY).at) == 1001
    assert forget_lists(disk, now=now().at) == 0


def test_signatures_stay_of_those_that_a_new_photo_is_held_against(
    disk: Disk, now: StandingClock
) -> None:
    with disk.transaction() as db:
        for number in range(70):
            db.execute(
                "insert into photos (uuid, bay, sha256, received_at, status, signature) "
                "values (?, 'b', '', ?, 200, x'00')",
                (f"{number:02}", (now().at + number * timedelta(hours=1)).isoformat()),
            )
            db.executemany(
                "insert into pictures (photo, name, at) values (?, ?, '')",
                [(f"{number:02}", name) for name in PICTURE_NAMES],
            )
    assert forget_answers(disk, disk.path.parent, before=now.forward(30 * DAY).at) == 70
    with disk.reading() as db:
        left = db.execute("select uuid from photos where signature is not null").fetchall()
    assert sorted(left) == [(f"{number:02}",) for number in range(10, 70)]
