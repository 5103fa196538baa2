"""Strangers, the revoked, and nodes that claim to be others are refused, on both brokers."""

import asyncio
import shutil
import ssl
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiomqtt
import pytest

from edge.disk import Disk
from edge.enrolment import enrol, renew, trusting
from edge.errors import EnrolmentRefused, HubAway
from edge.identity import read_identity
from edge.outbox import Outbox
from hub.brokers.broker import installed_kind
from hub.nodes.authority import make_authority
from hub.nodes.authority_files import KeptAuthority, keep_authority, server_pem
from hub.nodes.enrolling import invite, revoke
from hub.store.database import Database
from tests.hub.locked_house import (
    NODE,
    OTHER,
    House,
    locked_house,
    moved,
    open_door,
    said,
    until,
)

pytestmark = pytest.mark.journey
KINDS = [
    "embedded",
    pytest.param(
        "mosquitto",
        marks=pytest.mark.skipif(
            installed_kind() != "mosquitto", reason="not run: mosquitto is not installed"
        ),
    ),
]


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that mosquitto's own user can reach when root starts it."""
    made = Path(tempfile.mkdtemp(prefix="storepulse-test-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


@pytest.fixture(params=KINDS)
async def house(
    request: pytest.FixtureRequest, database: Database, folder: Path
) -> AsyncIterator[House]:
    async with locked_house(database, folder, request.param) as locked:
        yield locked


@pytest.fixture
async def one_house(database: Database, folder: Path) -> AsyncIterator[House]:
    """For what does not depend on the kind of broker."""
    async with locked_house(database, folder, "embedded") as locked:
        yield locked


async def test_an_enrolled_node_is_heard_and_answered(house: House) -> None:
    identity = await house.enrolled()
    assert identity.address == NODE
    assert identity.broker == house.broker.url
    assert identity.pem.stat().st_mode & 0o777 == 0o600
    async with asyncio.timeout(60), house.client(identity.pem) as node:
        await node.subscribe(NODE.topic("down/acks"), qos=1)
        await node.publish(NODE.topic("up/facts"), said(NODE, 1), qos=1)
        acknowledged = await anext(aiter(node.messages))
    assert b'"through":1' in bytes(acknowledged.payload)
    assert house.stored() == [f"{NODE.path} node-1-1"]


async def test_a_stranger_is_refused(house: House) -> None:
    identity = await house.enrolled()
    assert await house.lets_in(identity.pem)
    now = datetime.now(UTC)
    assert not await house.lets_in(None)
    # Self-signed, or signed by another hub: the names are right, the signer is not ours.
    assert not await house.lets_in(house.certified(by=make_authority(now=now)))
    # A server's certificate is signed by us, but opens no door.
    server = house.folder / "server.pem"
    server.write_bytes(server_pem(house.kept, now=now))
    assert not await house.lets_in(server)


async def test_what_stands_for_a_node_before_phones_opens_no_broker(house: House) -> None:
    node = await house.enrolled()
    assert node.server is not None
    assert await house.lets_in(node.pem)
    assert not await house.lets_in(node.server)


async def test_an_ended_certificate_is_refused_by_broker_and_door(house: House) -> None:
    identity = await house.enrolled()
    ended = house.certified(lifetime=timedelta(seconds=-1))
    assert not await house.lets_in(ended)
    shutil.copy(ended, identity.pem)
    with pytest.raises((EnrolmentRefused, HubAway), match="ask for a code"):
        await asyncio.to_thread(renew, house.folder / NODE.node, identity)


async def test_a_revoked_node_is_cut_off_at_once_and_nobody_else(house: House) -> None:
    bad, good = await house.enrolled(), await house.enrolled(OTHER)
    context = trusting(cafile=house.kept.ca, certificate=bad.pem)
    _, session = await asyncio.to_thread(house.knock, context)
    async with house.client(bad.pem) as node, house.client(good.pem) as bystander:
        await node.subscribe(NODE.topic("down/acks"), qos=1)
        await bystander.subscribe(OTHER.topic("down/acks"), qos=1)
        await asyncio.to_thread(revoke, house.database, house.kept, NODE, now=datetime.now(UTC))
        with pytest.raises(aiomqtt.MqttError):
            # By nothing else: its certificate has a day to go, and it is asked for nothing.
            async with asyncio.timeout(120):
                await anext(aiter(node.messages))
        # The other one speaks on over the line that it had.
        await bystander.publish(OTHER.topic("up/facts"), said(OTHER, 1), qos=1)
        async with asyncio.timeout(120):
            assert b'"through":1' in bytes((await anext(aiter(bystander.messages))).payload)
    assert not await house.lets_in(bad.pem)
    # Nor by what is left of an earlier TLS session.
    assert not (await asyncio.to_thread(house.knock, context, session))[0]
    with pytest.raises(EnrolmentRefused, match="revoked"):
        await asyncio.to_thread(renew, house.folder / NODE.node, bad)


async def test_a_revoked_node_comes_back_by_a_new_code_with_its_new_key_only(
    house: House,
) -> None:
    identity = await house.enrolled()
    old = house.folder / "old.pem"
    shutil.copy(identity.pem, old)
    await asyncio.to_thread(revoke, house.database, house.kept, NODE, now=datetime.now(UTC))
    again = await house.enrolled()
    assert await house.lets_in(again.pem)
    assert not await house.lets_in(old)


async def test_what_a_revoked_node_has_under_way_is_not_stored(one_house: House) -> None:
    house = one_house
    identity = await house.enrolled()
    # As if the broker had not heard of it: only the database knows.
    with house.database.connection() as connection:
        connection.execute("update node_certificates set revoked_at = now()")
    async with house.client(identity.pem) as node:
        await node.publish(NODE.topic("up/facts"), said(NODE, 1), qos=1)
        await until(lambda: house.tally.unreadable == 1)
    assert house.stored() == []


async def test_a_node_cannot_speak_for_another(house: House) -> None:
    identity, other = await house.enrolled(), await house.enrolled(OTHER)
    async with house.client(identity.pem) as node:
        for topic in (OTHER.topic("up/facts"), "storepulse/1/acme/shop-17/node-2/up/facts"):
            await node.publish(topic, said(OTHER, 7), qos=1)
        await node.publish(OTHER.topic("state"), b'{"online": false}', qos=1, retain=True)
        # Its own comes after them on one line: when it is here, they would be, too.
        await node.publish(NODE.topic("up/facts"), said(NODE, 1), qos=1)
        await until(lambda: house.tally.messages > 0)
    assert house.stored() == [f"{NODE.path} node-1-1"]
    with house.database.connection() as connection:
        rows = connection.execute("select node_path from nodes").fetchall()
    assert [row["node_path"] for row in rows] == [NODE.path]
    assert await house.lets_in(other.pem)


async def test_a_node_leaves_no_will_on_anothers_topic(house: House) -> None:
    identity = await house.enrolled()
    will = aiomqtt.Will(OTHER.topic("up/facts"), said(OTHER, 7), qos=1)

    async def leave_without_farewell() -> None:
        async with house.client(identity.pem, will=will) as node:
            await node.subscribe(NODE.topic("down/acks"), qos=1)
            node._client.socket().shutdown(2)
            await anext(aiter(node.messages))

    with pytest.raises(aiomqtt.MqttError):
        await leave_without_farewell()
    async with house.client(identity.pem) as node:
        await node.publish(NODE.topic("up/facts"), said(NODE, 1), qos=1)
        await until(lambda: house.tally.messages > 0)
    assert house.stored() == [f"{NODE.path} node-1-1"]


async def test_a_node_that_claims_another_shop_is_put_into_quarantine(house: House) -> None:
    identity = await house.enrolled()
    async with house.client(identity.pem) as node:
        await node.publish(NODE.topic("up/facts"), said(NODE, 1, shop=OTHER.shop), qos=1)
        await until(lambda: house.tally.quarantined == 1)
    assert house.stored() == []
    assert f"about shop '{OTHER.shop}', but {NODE.path} said it" in house.quarantined()[0]


async def test_a_node_hears_nothing_of_another(house: House) -> None:
    identity, other = await house.enrolled(), await house.enrolled(OTHER)
    async with house.client(other.pem) as talker:
        # Retained: it waits for whoever comes, and the hub has subscribed to all of them.
        await talker.publish(OTHER.topic("state"), b'{"online": true}', qos=1, retain=True)
        await talker.publish(OTHER.topic("up/facts"), said(OTHER, 1), qos=1)
        await until(lambda: house.tally.messages == 1)
        async with house.client(identity.pem) as spy:
            wishes = ["#", "storepulse/1/+/+/+/state", "storepulse/1/#", OTHER.topic("down/acks")]
            for wish in [*wishes, NODE.topic("down/acks")]:
                await spy.subscribe(wish, qos=1)
            await talker.publish(OTHER.topic("up/facts"), said(OTHER, 2), qos=1)
            await until(lambda: house.tally.messages == 2)
            await spy.publish(NODE.topic("up/facts"), said(NODE, 1), qos=1)
            async with asyncio.timeout(120):
                heard = await anext(aiter(spy.messages))
    assert str(heard.topic) == NODE.topic("down/acks")


async def test_a_node_cannot_take_anothers_seat(house: House) -> None:
    identity, other = await house.enrolled(), await house.enrolled(OTHER)
    seat = f"{NODE.chain}/{NODE.shop}/{NODE.node}"
    async with house.client(identity.pem, identifier=seat) as node:
        await node.subscribe(NODE.topic("down/acks"), qos=1)
        for name in (seat, "hub"):
            async with house.client(other.pem, identifier=name) as thief:
                await thief.publish(OTHER.topic("up/facts"), said(OTHER, 1), qos=1)
        await node.publish(NODE.topic("up/facts"), said(NODE, 1), qos=1)
        async with asyncio.timeout(120):
            assert b'"through":1' in bytes((await anext(aiter(node.messages))).payload)
    assert house.tally.connected


async def test_renewal_gives_a_certificate_that_is_let_in(house: House) -> None:
    identity = await house.enrolled()
    old = identity.pem.read_bytes()
    house.at += timedelta(days=16)
    fresh = await asyncio.to_thread(renew, house.folder / NODE.node, identity)
    assert timedelta(days=29) < fresh.left(house.at) <= timedelta(days=30)
    assert fresh.pem.read_bytes() != old
    assert read_identity(house.folder / NODE.node) == fresh
    # That door's clock is ahead; by one that is right, the first certificate renews as well.
    house.at = datetime.now(UTC)
    identity.pem.write_bytes(old)
    again = await asyncio.to_thread(renew, house.folder / NODE.node, identity)
    assert await house.lets_in(again.pem)


async def test_a_shop_that_was_closed_comes_back_with_its_outbox(one_house: House) -> None:
    house = one_house
    data = house.folder / NODE.node
    identity = await house.enrolled()
    disk = Disk(data)
    epoch = Outbox(disk, node=NODE.node, bytes_max=2**30).epoch
    disk.close()
    shutil.copy(house.certified(lifetime=timedelta(seconds=-1)), identity.pem)
    assert not await house.lets_in(identity.pem)
    again = await house.enrolled(data=data)
    assert again.address == NODE
    assert await house.lets_in(again.pem)
    disk = Disk(data)
    assert Outbox(disk, node=NODE.node, bytes_max=2**30).epoch == epoch
    disk.close()


async def test_used_and_ended_codes_open_nothing(one_house: House) -> None:
    house = one_house
    used = invite(house.database, house.authority, NODE, now=house.at)
    await asyncio.to_thread(enrol, house.folder / "one", used, house.door)
    with pytest.raises(EnrolmentRefused, match="used before"):
        await asyncio.to_thread(enrol, house.folder / "two", used, house.door)
    late = invite(house.database, house.authority, NODE, now=house.at - timedelta(minutes=15))
    with pytest.raises(EnrolmentRefused, match="ended"):
        await asyncio.to_thread(enrol, house.folder / "two", late, house.door)
    assert read_identity(house.folder / "two") is None


async def test_a_folder_becomes_no_other_node(one_house: House) -> None:
    await one_house.enrolled()
    with pytest.raises(EnrolmentRefused, match="its own --data"):
        await one_house.enrolled(OTHER, data=one_house.folder / NODE.node)
    # The code was not used up.
    assert (await one_house.enrolled(OTHER)).address == OTHER


async def test_a_hub_with_another_fingerprint_hears_no_secret(one_house: House) -> None:
    house = one_house
    false = keep_authority(house.folder / "false", now=house.at)
    code = invite(house.database, house.authority, NODE, now=house.at)
    asked: list[datetime] = []

    def now() -> datetime:
        asked.append(house.at)  # the door looks at its clock when it is given a code
        return house.at

    own = server_pem(false, now=house.at)
    async with open_door(house.database, false, broker="x", server=own, now=now) as door:
        with pytest.raises(EnrolmentRefused, match="fingerprint differs"):
            await asyncio.to_thread(enrol, house.folder / "node", code, door)
    # One that shows our certificate, but has not our key.
    posing = KeptAuthority(house.authority, false.folder)
    async with open_door(house.database, posing, broker="x", server=own, now=now) as door:
        with pytest.raises(EnrolmentRefused, match="not trusted"):
            await asyncio.to_thread(enrol, house.folder / "node", code, door)
    # An enrolled node that poses as the hub.
    other = await house.enrolled(OTHER)
    node = other.pem.read_bytes()
    async with open_door(house.database, posing, broker="x", server=node, now=now) as door:
        with pytest.raises(EnrolmentRefused, match="not trusted"):
            await asyncio.to_thread(enrol, house.folder / "node", code, door)
    assert asked == []
    assert read_identity(house.folder / "node") is None


async def test_the_door_renews_for_no_stranger(one_house: House) -> None:
    house = one_house
    identity = await house.enrolled()
    key = identity.pem.read_bytes()
    identity.pem.write_bytes(house.certified(by=make_authority(now=house.at)).read_bytes())
    with pytest.raises((EnrolmentRefused, HubAway), match="ask for a code"):
        await asyncio.to_thread(renew, house.folder / NODE.node, identity)
    # Signed by us, but never given out: as the one by which a seat is taken.
    identity.pem.write_bytes(house.certified().read_bytes())
    with pytest.raises(EnrolmentRefused, match="no node's of this hub"):
        await asyncio.to_thread(renew, house.folder / NODE.node, identity)
    identity.pem.write_bytes(house.kept.hub.read_bytes())
    with pytest.raises(EnrolmentRefused, match="no node's of this hub"):
        await asyncio.to_thread(renew, house.folder / NODE.node, identity)
    identity.pem.write_bytes(key)
    await asyncio.to_thread(renew, house.folder / NODE.node, identity)


async def test_a_door_that_is_away_is_told(one_house: House) -> None:
    identity = await one_house.enrolled()
    away = moved(identity, hub="https://127.0.0.1:1")
    with pytest.raises(HubAway, match="does not answer"):
        await asyncio.to_thread(renew, one_house.folder / NODE.node, away)


def test_tls_below_1_2_is_not_spoken(tmp_path: Path) -> None:
    kept = keep_authority(tmp_path, now=datetime.now(UTC))
    assert trusting(cafile=kept.ca).minimum_version == ssl.TLSVersion.TLSv1_2
