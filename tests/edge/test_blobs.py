"""Pictures of judged photos go up once each, wait while the hub is away, and go when old."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from edge.backoff import Backoff
from edge.blobs import Owed, PictureRefused, Pictures, standing_of
from edge.clock import Moment
from edge.disk import Disk
from edge.errors import HubAway
from edge.identity import Identity, keep_identity, new_key
from edge.photos import ORIGINAL
from hub.nodes.authority import issue_node, make_authority, pem_of
from storepulse.enrolment import Enrolled
from storepulse.pictures import PICTURE_BYTES_MAX, PICTURE_NAMES
from storepulse.topics import Address
from tests.edge.samples import NOON, StandingClock


class Hub:
    """Takes pictures while it is there."""

    def __init__(self) -> None:
        self.took: list[str] = []
        self.away = False
        self.refuses: set[str] = set()
        self.after: Callable[[], None] = lambda: None
        """Called when a picture was taken, before the node has the answer."""

    def __call__(self, identity: Identity, owed: Owed, content: bytes) -> None:
        assert content == f"{owed.photo} {owed.name}".encode()
        if self.away:
            raise HubAway("the hub does not answer")
        if owed.photo in self.refuses:
            raise PictureRefused("another picture is there")
        self.took.append(f"{owed.photo[-2:]} {owed.name}")
        self.after()


def photo(disk: Disk, data: Path, number: int, *, status: int | None = 200) -> str:
    """A photo that was judged, with both pictures made."""
    uuid = str(UUID(int=number))
    folder = data / "photos" / uuid
    folder.mkdir(parents=True)
    if status == 200:
        for name in PICTURE_NAMES:
            (folder / name).write_bytes(f"{uuid} {name}".encode())
    with disk.transaction() as db:
        db.execute(
            "insert into photos (uuid, bay, sha256, received_at, status) values (?, 'b', '', ?, ?)",
            (uuid, (NOON + timedelta(seconds=number)).isoformat(), status),
        )
    return uuid


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Of an enrolled node."""
    authority = make_authority(now=datetime.now(UTC))
    key, address = new_key(), Address("acme", "shop-17", "node-1")
    given = issue_node(authority, key.public_key(), address, now=datetime.now(UTC))
    told = Enrolled(
        chain=address.chain, shop=address.shop, node=address.node, broker="mqtts://127.0.0.1:1",
        certificate=pem_of(given).decode(), authority=authority.certificate_pem.decode(),
    )  # fmt: skip
    keep_identity(tmp_path / "data", key, told, hub="https://127.0.0.1:1")
    return tmp_path / "data"


def pictures(data: Path, disk: Disk, now: StandingClock, hub: Hub) -> Pictures:
    return Pictures(
        data, disk, now, days=28, backoff=Backoff(first_s=0.01, longest_s=0.02), poll_s=0.01,
        send=hub,
    )  # fmt: skip


async def test_each_picture_goes_up_once_the_evidence_first(
    data: Path, disk: Disk, now: StandingClock
) -> None:
    hub = Hub()
    for number in (1, 2):
        photo(disk, data, number)
    going = pictures(data, disk, now, hub)
    assert await going.send_owed() == 4
    assert await going.send_owed() == 0
    # Also for one that starts anew.
    assert await pictures(data, disk, now, hub).send_owed() == 0
    assert hub.took == ["01 annotated.jpg", "01 photo.jpg", "02 annotated.jpg", "02 photo.jpg"]


async def test_what_waits_for_an_answer_or_its_pictures_owes_nothing_yet(
    data: Path, disk: Disk, now: StandingClock
) -> None:
    hub = Hub()
    waiting = photo(disk, data, 1, status=None)
    photo(disk, data, 2, status=422)
    drawn = photo(disk, data, 3)
    (data / "photos" / drawn / ORIGINAL).touch()
    photo(disk, data, 4)
    going = pictures(data, disk, now, hub)
    assert await going.send_owed() == 2
    (data / "photos" / drawn / ORIGINAL).unlink()
    with disk.transaction() as db:
        db.execute("update photos set status = 422 where uuid = ?", (waiting,))
    assert await going.send_owed() == 2
    assert {one[:2] for one in hub.took} == {"03", "04"}
    assert going.owed() == []


async def test_a_picture_that_was_never_made_is_not_asked_for_again(
    data: Path, disk: Disk, now: StandingClock
) -> None:
    hub = Hub()
    shutil.rmtree(data / "photos" / photo(disk, data, 1))
    going = pictures(data, disk, now, hub)
    assert await going.send_owed() == 0
    assert going.owed() == []


async def test_pictures_wait_while_the_hub_is_away(
    data: Path, disk: Disk, now: StandingClock
) -> None:
    hub = Hub()
    photo(disk, data, 1)
    hub.away = True
    going = pictures(data, disk, now, hub)
    with pytest.raises(HubAway):
        await going.send_owed()
    assert len(going.owed()) == 2
    assert standing_of(disk) == (2, 0)
    hub.away = False
    assert await going.send_owed() == 2
    assert standing_of(disk) == (0, 0)


async def test_killed_before_it_could_note_the_answer_it_sends_again(
    data: Path, disk: Disk, now: StandingClock
) -> None:
    hub = Hub()
    photo(disk, data, 1)

    def killed() -> None:
        hub.after = lambda: None
        raise KeyboardInterrupt

    hub.after = killed
    with pytest.raises(KeyboardInterrupt):
        await pictures(data, disk, now, hub).send_owed()
    assert await pictures(data, disk, now, hub).send_owed() == 2
    assert hub.took == ["01 annotated.jpg", "01 annotated.jpg", "01 photo.jpg"]


async def test_what_the_hub_will_never_take_holds_up_nothing(
    data: Path, disk: Disk, now: StandingClock
) -> None:
    hub = Hub()
    hub.refuses.add(photo(disk, data, 1))
    photo(disk, data, 2)
    going = pictures(data, disk, now, hub)
    assert await going.send_owed() == 2
    assert await going.send_owed() == 0
    with disk.reading() as db:
        told = db.execute("select refused from pictures where refused <> ''").fetchall()
    assert told == [("another picture is there",)] * 2
    assert standing_of(disk) == (0, 2)


async def test_a_picture_that_is_too_large_is_not_begun(
    data: Path, disk: Disk, now: StandingClock
) -> None:
    hub = Hub()
    large = data / "photos" / photo(disk, data, 1) / PICTURE_NAMES[0]
    os.truncate(large, PICTURE_BYTES_MAX + 1)
    assert await pictures(data, disk, now, hub).send_owed() == 1
    assert hub.took == ["01 photo.jpg"]
    assert standing_of(disk) == (0, 1)


async def test_a_node_without_enrolment_sends_nothing_and_keeps_all(
    tmp_path: Path, disk: Disk, now: StandingClock
) -> None:
    hub = Hub()
    photo(disk, tmp_path / "data", 1)
    going = pictures(tmp_path / "data", disk, now, hub)
    now.forward(timedelta(days=100))
    assert await going.send_owed() == 0
    assert going.tidy_if_due() == 0
    assert len(list((tmp_path / "data" / "photos").glob("*/*.jpg"))) == 2


async def test_old_pictures_go_when_the_hub_has_them(
    data: Path, disk: Disk, now: StandingClock
) -> None:
    hub = Hub()
    photo(disk, data, 1)
    going = pictures(data, disk, now, hub)
    assert going.tidy_if_due() == 0
    await going.send_owed()
    hub.away = True
    kept = photo(disk, data, 2)
    now.forward(timedelta(days=27))
    assert going.tidy_if_due() == 0
    now.forward(timedelta(days=2))
    assert going.tidy_if_due() == 1
    assert [one.name for one in (data / "photos").iterdir()] == [kept]
    # Once a day is enough.
    now.forward(timedelta(hours=1))
    hub.away = False
    await going.send_owed()
    assert going.tidy_if_due() == 0


async def test_an_old_answer_is_forgotten_but_its_uuid_is_not(
    data: Path, disk: Disk, now: StandingClock
) -> None:
    hub = Hub()
    old, owing, young, refused = (photo(disk, data, number) for number in (1, 2, 3, 4))
    hub.refuses.add(refused)
    with disk.transaction() as db:
        db.execute("update photos set answer = '{}', prices = '{}', rights = '{}'")
        day_27 = (NOON + timedelta(days=27)).isoformat()
        db.execute("update photos set received_at = ? where uuid = ?", (day_27, young))
    await pictures(data, disk, now, hub).send_owed()
    with disk.transaction() as db:
        db.execute("delete from pictures where photo = ? and name = ?", (owing, PICTURE_NAMES[0]))
    now.forward(timedelta(days=29))
    going = pictures(data, disk, now, hub)
    assert going.tidy_if_due() == 2
    with disk.reading() as db:
        rows = db.execute(
            "select uuid, status, prices, rights from photos order by uuid"
        ).fetchall()
        (answer,) = db.execute("select answer from photos where uuid = ?", (old,)).fetchone()
        settled = {uuid for (uuid,) in db.execute("select photo from pictures")}
    assert rows == [
        (old, 422, None, None), (owing, 200, "{}", "{}"), (young, 200, "{}", "{}"),
        (refused, 422, None, None),
    ]  # fmt: skip
    assert json.loads(answer)["error"]["code"] == "forgotten"
    assert settled == {owing, young}
    assert standing_of(disk) == (1, 0)
    # A node that starts anew owes what it owed before, and nothing of what was forgotten.
    assert {one.photo for one in pictures(data, disk, now, hub).owed()} == {owing}


async def test_by_a_clock_that_nobody_set_nothing_is_forgotten(
    data: Path, disk: Disk, now: StandingClock
) -> None:
    hub = Hub()
    photo(disk, data, 1)
    await pictures(data, disk, now, hub).send_owed()
    now.forward(timedelta(days=500))
    clock = replace(now.moment.clock, synchronised=False)
    now.moment = Moment(now.moment.at, clock)
    going = pictures(data, disk, now, hub)
    going.tidy_if_due()
    with disk.reading() as db:
        assert db.execute("select status from photos").fetchall() == [(200,)]
    now.moment = Moment(now.moment.at, replace(clock, synchronised=True))
    pictures(data, disk, now, hub).tidy_if_due()
    with disk.reading() as db:
        assert db.execute("select status from photos").fetchall() == [(422,)]
