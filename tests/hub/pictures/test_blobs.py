"""Pictures come in over mutual TLS, under the shop of the certificate, whole, and each once."""

import asyncio
import io
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from PIL import Image

from edge.blobs import Owed, PictureRefused, send_picture
from edge.enrolment import ask, enrol, read_hub, trusting
from edge.errors import EnrolmentRefused, HubAway
from edge.identity import Identity
from hub.api.app import create_app
from hub.nodes.authority_files import KeptAuthority, keep_authority, server_pem
from hub.nodes.enrolling import invite, revoke
from hub.pictures.blobs import BlobKey, FolderBlobs, read_key
from hub.pictures.store import clean_up
from hub.store.database import Database
from storepulse.errors import BadInput
from storepulse.pictures import PICTURE_BYTES_MAX
from storepulse.topics import Address
from tests.hub.locked_house import open_door
from tests.hub.staff import session_for
from tests.hub.visitor import Visitor

NOW = datetime.now(UTC)
HERE = Address("acme", "shop-17", "node-1")
ELSEWHERE = Address("acme", "shop-18", "node-1")


def jpeg(shade: int = 100, *, size: tuple[int, int] = (40, 30)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (shade, shade, shade)).save(buffer, "JPEG")
    return buffer.getvalue()


class Folder(FolderBlobs):
    """A disk that can fail."""

    full = False

    def write(self, key: BlobKey, content: bytes) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        super().write(key, content)


@dataclass
class Hub:
    database: Database
    kept: KeptAuthority
    store: Folder
    door: str
    folder: Path

    async def node(self, address: Address = HERE) -> Identity:
        code = invite(self.database, self.kept.authority, address, now=datetime.now(UTC))
        return await asyncio.to_thread(enrol, self.folder / address.shop, code, self.door)

    async def put(
        self, path: str, content: bytes, *, pem: Path | None, method: str = "PUT"
    ) -> tuple[int, str]:
        """Ask the door; returns the status and the error's code."""
        context = trusting(cafile=self.kept.ca, certificate=pem)
        status, answer = await asyncio.to_thread(
            ask, read_hub(self.door), method, path, content, context, kind="image/jpeg"
        )
        told = json.loads(answer)
        return status, told["error"]["code"] if "error" in told else ""

    def files(self) -> set[str]:
        root = self.folder / "blobs"
        return {str(one.relative_to(root)) for one in root.rglob("*") if one.is_file()}

    def rows(self) -> int:
        with self.database.connection() as connection:
            row = connection.execute("select count(*) as n from blobs").fetchone()
        assert row is not None
        return int(row["n"])


@pytest.fixture
async def hub(database: Database, tmp_path: Path) -> AsyncIterator[Hub]:
    kept = keep_authority(tmp_path / "authority", now=NOW)
    store = Folder(tmp_path / "blobs", free_bytes_min=0)
    async with open_door(
        database, kept, broker="mqtts://127.0.0.1:1", server=server_pem(kept, now=NOW),
        now=lambda: datetime.now(UTC), store=store,
    ) as door:  # fmt: skip
        yield Hub(database, kept, store, door, tmp_path)


async def send(node: Identity, photo: UUID, content: bytes, name: str = "annotated.jpg") -> None:
    await asyncio.to_thread(send_picture, node, Owed(str(photo), name, NOW), content)


async def test_a_picture_lands_under_the_shop_of_its_certificate(hub: Hub) -> None:
    photo, node = uuid4(), await hub.node()
    await send(node, photo, jpeg())
    await send(node, photo, jpeg(120), "photo.jpg")
    # Not acknowledged, it comes again: no news.
    await send(node, photo, jpeg())
    assert hub.files() == {f"shop-17/{photo}/annotated.jpg", f"shop-17/{photo}/photo.jpg"}
    assert hub.rows() == 2
    assert hub.store.read(read_key("shop-17", str(photo), "annotated.jpg")) == jpeg()


async def test_another_shops_node_reaches_no_picture_of_this_shop(hub: Hub) -> None:
    photo, here, elsewhere = uuid4(), await hub.node(), await hub.node(ELSEWHERE)
    await send(here, photo, jpeg(100))
    await send(elsewhere, photo, jpeg(200))
    assert hub.store.read(read_key("shop-17", str(photo), "annotated.jpg")) == jpeg(100)
    assert hub.files() == {f"{shop}/{photo}/annotated.jpg" for shop in ("shop-17", "shop-18")}


async def test_other_content_under_the_same_key_is_refused_and_raises_an_alarm(hub: Hub) -> None:
    photo, node = uuid4(), await hub.node()
    await send(node, photo, jpeg(100))
    with pytest.raises(PictureRefused, match="other content"):
        await send(node, photo, jpeg(200))
    assert hub.store.read(read_key("shop-17", str(photo), "annotated.jpg")) == jpeg(100)
    with hub.database.connection() as connection:
        rows = connection.execute("select kind, node_path from alarms").fetchall()
    assert rows == [{"kind": "blob_contradicts", "node_path": HERE.path}]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/blobs/../annotated.jpg", id="up"),
        pytest.param("/blobs/..%2F..%2Fauthority/photo.jpg", id="up, escaped"),
        pytest.param("/blobs/../shop-18/{photo}/annotated.jpg", id="another shop"),
        pytest.param("/blobs/shop-18%2F{photo}/annotated.jpg", id="another shop, escaped"),
        pytest.param("/blobs/{photo}/..%2Fannotated.jpg", id="up in the name"),
        pytest.param("/blobs/{photo}/annotated.jpg%00.txt", id="a NUL"),
        pytest.param("/blobs/{photo}/original", id="another name"),
        pytest.param("/blobs/{{{photo}}}/annotated.jpg", id="another spelling"),
        pytest.param("/blobs/urn:uuid:{photo}/annotated.jpg", id="as a URN"),
    ],
)
async def test_path_tricks_lead_nowhere(hub: Hub, path: str) -> None:
    node = await hub.node()
    before = {one for one in hub.folder.rglob("*") if one.is_file()}
    status, _ = await hub.put(path.format(photo=uuid4()), jpeg(), pem=node.pem)
    assert status in (404, 405, 422)
    assert {one for one in hub.folder.rglob("*") if one.is_file()} == before
    assert hub.rows() == 0


@pytest.mark.parametrize(
    ("content", "status"),
    [
        pytest.param(b"", 422, id="nothing"),
        pytest.param(b"<script>alert(1)</script>", 422, id="a page"),
        pytest.param(b"\xff\xd8\xff<svg onload=alert(1)>\xff\xd9", 422, id="a page in disguise"),
        pytest.param(jpeg()[:-2], 422, id="cut off"),
        pytest.param(b"\xff\xd8\xff" + bytes(PICTURE_BYTES_MAX) + b"\xff\xd9", 413, id="too large"),
    ],
)
async def test_what_is_no_picture_is_refused(hub: Hub, content: bytes, status: int) -> None:
    node = await hub.node()
    try:
        told, _ = await hub.put(f"/blobs/{uuid4()}/photo.jpg", content, pem=node.pem)
        assert told == status
    except HubAway:
        # The door answers before it has heard all, and may close before we have said all.
        assert status == 413
    assert hub.files() == set()
    assert hub.rows() == 0


async def test_strangers_and_the_revoked_leave_nothing(hub: Hub) -> None:
    path = f"/blobs/{uuid4()}/photo.jpg"
    assert await hub.put(path, jpeg(), pem=None) == (403, "node_refused")
    node = await hub.node()
    revoke(hub.database, hub.kept, HERE, now=datetime.now(UTC))
    assert await hub.put(path, jpeg(), pem=node.pem) == (403, "node_refused")
    with pytest.raises(EnrolmentRefused):
        await send(node, uuid4(), jpeg())
    assert hub.files() == set()


async def test_senders_that_fall_silent_keep_no_other_out(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.nodes.door.SILENT_S_MAX", 0.2)
    node = await hub.node()
    door = read_hub(hub.door)
    silent = []
    for _ in range(6):  # more than are let in at once
        reader, writer = await asyncio.open_connection(
            door.hostname, door.port, ssl=trusting(cafile=hub.kept.ca, certificate=node.pem)
        )
        path = f"/blobs/{uuid4()}/photo.jpg"
        writer.write(f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab".encode())
        silent.append((reader, writer))
    await send(node, uuid4(), jpeg())
    assert hub.rows() == 1
    for reader, writer in silent:
        assert b" 503 " in await reader.readline()
        writer.close()


async def test_the_certificate_for_phones_opens_no_door(hub: Hub) -> None:
    node = await hub.node()
    assert node.server is not None
    with pytest.raises((EnrolmentRefused, HubAway, ssl.SSLError)):
        await hub.put(f"/blobs/{uuid4()}/photo.jpg", jpeg(), pem=node.server)
    assert hub.files() == set()


async def test_a_picture_that_could_not_be_written_comes_again(hub: Hub) -> None:
    photo, node = uuid4(), await hub.node()
    hub.store.full = True
    with pytest.raises(HubAway):
        await send(node, photo, jpeg())
    assert hub.rows() == 0
    hub.store.full = False
    await send(node, photo, jpeg())
    assert hub.rows() == 1


async def test_no_room_is_told_and_nothing_is_kept(hub: Hub) -> None:
    hub.store._free_bytes_min = 1 << 60
    with pytest.raises(HubAway, match="GiB are free"):
        await send(await hub.node(), uuid4(), jpeg())
    assert hub.rows() == 0


async def test_a_row_without_its_file_is_mended_by_the_next(hub: Hub) -> None:
    photo, node = uuid4(), await hub.node()
    await send(node, photo, jpeg())
    hub.store.delete(read_key("shop-17", str(photo), "annotated.jpg"))
    await send(node, photo, jpeg())
    assert hub.files() == {f"shop-17/{photo}/annotated.jpg"}


async def test_two_at_once_keep_one(hub: Hub) -> None:
    photo, node = uuid4(), await hub.node()
    done = await asyncio.gather(
        *(send(node, photo, jpeg(shade)) for shade in (90, 110)), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in done) == ["NoneType", "PictureRefused"]
    kept = hub.store.read(read_key("shop-17", str(photo), "annotated.jpg"))
    assert kept == jpeg(110 if isinstance(done[0], PictureRefused) else 90)


async def test_old_pictures_are_removed_and_young_ones_stay(hub: Hub) -> None:
    node, old, young = await hub.node(), uuid4(), uuid4()
    await send(node, old, jpeg())
    with hub.database.connection() as connection:
        connection.execute("update blobs set at = at - interval '91 days'")
    await send(node, young, jpeg())
    assert clean_up(hub.database, hub.store, days=90, now=datetime.now(UTC)) == 1
    assert hub.files() == {f"shop-17/{young}/annotated.jpg"}
    assert clean_up(hub.database, hub.store, days=90, now=datetime.now(UTC) + timedelta(0)) == 0


def test_a_key_names_one_picture() -> None:
    photo = str(uuid4())
    assert read_key("shop-17", photo, "photo.jpg").path == f"shop-17/{photo}/photo.jpg"
    for shop in ("..", "a/b", "", ".hidden"):
        with pytest.raises(BadInput):
            read_key(shop, photo, "photo.jpg")


async def test_a_picture_is_seen_by_its_own_shop_only(hub: Hub) -> None:
    node, photo, waiting = await hub.node(), uuid4(), str(uuid4())
    await send(node, photo, jpeg())
    with hub.database.connection() as connection:
        connection.execute(
            "insert into shops (shop, name, region, timezone)"
            " values ('shop-17', 'A', 'east', 'UTC'), ('shop-18', 'B', 'west', 'UTC')"
            " on conflict (shop) do update set region = excluded.region"
        )
        connection.execute(
            "insert into checklists (id, shop, node_path, bay, photo, planogram,"
            " planogram_version, made_at, body)"
            " values ('c', 'shop-17', %s, 'b', %s, 'p', 1, now(), '{}')",
            [HERE.path, waiting],
        )
    app = create_app(hub.database, store=hub.store)
    here = f"/api/shops/shop-17/photos/{photo}/annotated.jpg"

    def asked(path: str, token: str | None) -> tuple[int, str]:
        answer = Visitor(hub.database, app=app, token=token).get(path)
        if answer.status_code == 200:
            assert answer.content == jpeg()
            assert answer.headers["content-type"] == "image/jpeg"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "no-store" in answer.headers["cache-control"]
            return 200, ""
        return answer.status_code, answer.json()["error"]["code"]

    def look() -> None:
        manager = session_for(hub.database, "region", regions=["east"], name="east")[1]
        clerk = session_for(hub.database, "clerk", shops=["shop-17"])[1]
        for who in (manager, clerk):
            assert asked(here, who) == (200, "")
            assert asked(here.replace(str(photo), waiting), who) == (404, "not_there_yet")
            assert asked(here.replace(str(photo), str(uuid4())), who) == (404, "not_there")
            assert asked(here.replace("annotated", "original"), who) == (404, "not_there")
        # To whom it is not shown, it might not be there.
        other = session_for(hub.database, "region", regions=["west"], name="west")[1]
        for path in (here, here.replace(str(photo), waiting), here.replace("17", "18")):
            assert asked(path, other) == (404, "not_there")
        assert asked(here, session_for(hub.database, "installer")[1]) == (403, "not_yours")
        assert asked(here, None) == (401, "signed_out")

    await asyncio.to_thread(look)
