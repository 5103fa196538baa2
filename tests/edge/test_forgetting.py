"""What is old leaves the node's file; what the hub lacks, and what may be asked for, stays."""

import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import edge
from edge.checks import Checks
from edge.disk import FILE_NAME, MIGRATIONS, Disk
from edge.errors import Contradicts, NotHere
from edge.forgetting import forget_answers, forget_lists
from edge.outbox import Outbox
from edge.taps import Taps
from storepulse.pictures import PICTURE_NAMES
from tests.edge.samples import StandingClock, checklist
from tests.edge.shop import UUID, Shop, error

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


async def test_a_photo_said_again_long_after_is_not_judged_as_todays(
    shop: Shop, disk: Disk, now: StandingClock
) -> None:
    assert (await shop.snap(1)).status_code == 200
    await shop.pictures_made(1)
    with disk.transaction() as db:
        db.executemany(
            "insert into pictures (photo, name, at) values (?, ?, '')",
            [(f"{UUID}1", name) for name in PICTURE_NAMES],
        )
    before = now.forward(30 * DAY).at
    assert forget_answers(disk, shop.folder, before=before) == 0, "its pictures are still here"
    shutil.rmtree(shop.folder / f"{UUID}1")
    assert forget_answers(disk, shop.folder, before=before) == 1
    assert error(await shop.snap(1)) == (422, "forgotten", False)
    assert error(await shop.phone.get(f"/api/photos/{UUID}1")) == (422, "forgotten", False)
    assert len(shop.judged()) == 1
    shop.restart_photos()
    assert not (shop.folder / f"{UUID}1").exists()


def test_marks_of_before_the_upgrade_count_from_it(tmp_path: Path) -> None:
    opened = sqlite3.connect(tmp_path / FILE_NAME)
    for name in MIGRATIONS[:10]:
        opened.executescript(Path(edge.__path__[0], name).read_text(encoding="utf-8"))
    opened.execute("insert into marks (uuid, about) values ('old', '')")
    opened.execute("pragma user_version = 10")
    opened.commit()
    opened.close()
    disk = Disk(tmp_path)
    today = datetime.now(UTC)
    assert forget_lists(disk, now=today + 62 * DAY) == 0
    assert forget_lists(disk, now=today + 64 * DAY) == 1
    disk.close()
