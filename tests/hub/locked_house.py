"""A hub with its locks on, within a test: authority, door, broker with TLS, ingest; visitors."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import uvicorn

from edge.enrolment import enrol, trusting
from edge.identity import Identity, new_key
from hub.brokers.broker import Broker, BrokerKind, running_broker
from hub.brokers.own_broker import Doorkeeper
from hub.ingest.listener import Tally, listen
from hub.nodes.authority import (
    Authority,
    issue_node,
    pem_with_key,
)
from hub.nodes.authority_files import (
    KeptAuthority,
    keep_authority,
    server_pem,
    write_hub_certificate,
)
from hub.nodes.door import create_door, door_config
from hub.nodes.enrolling import invite
from hub.settings import Settings
from hub.store.database import Database
from storepulse.facts import Fact
from storepulse.topics import Address
from storepulse.wire import Clock, Key, Message, encode_batch

NODE = Address("acme", "shop-17", "node-1")
OTHER = Address("acme", "shop-18", "node-9")
_CONNECT = bytes.fromhex("10 0e 00 04 4d 51 54 54 04 02 00 14 00 02 61 62")
"""MQTT 3.1.1 CONNECT, clean session, keepalive 20 s, client id "ab"."""
LET_IN = bytes.fromhex("20 02 00 00")


async def until(true: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


@contextlib.asynccontextmanager
async def open_door(
    database: Database, kept: KeptAuthority, *, broker: str, server: bytes, **how: Any
) -> AsyncIterator[str]:
    """Serve a door on the loopback; gives its address."""
    file = kept.folder / "door.pem"
    file.write_bytes(server)
    app = create_door(database, kept, broker=lambda: broker, **how)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        door = _Server(door_config(app, ca=kept.ca, server=file))
        serving = asyncio.create_task(door.serve(sockets=[listening]))
        await until(lambda: door.started)
        try:
            yield f"https://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            door.should_exit = True
            await serving


@dataclass
class House:
    """The hub and what is known of it."""

    database: Database
    kept: KeptAuthority
    broker: Broker
    folder: Path
    door: str = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    """The door's time."""
    tally: Tally = field(default_factory=Tally)

    @property
    def authority(self) -> Authority:
        return self.kept.authority

    async def enrolled(self, address: Address = NODE, data: Path | None = None) -> Identity:
        """Bring a node in as an installer does."""
        code = invite(self.database, self.authority, address, now=self.at)
        folder = data or self.folder / address.node
        return await asyncio.to_thread(enrol, folder, code, self.door)

    def certified(
        self, address: Address = NODE, *, lifetime: timedelta = timedelta(days=1), by: Any = None
    ) -> Path:
        """A certificate that no door gave out: by this authority, or by another."""
        key = new_key()
        given = issue_node(
            by or self.authority, key.public_key(), address, now=self.at, lifetime=lifetime
        )
        file = self.folder / f"made-{given.serial_number:x}.pem"
        file.write_bytes(pem_with_key(given, key))
        return file

    def client(self, pem: Path, **how: Any) -> aiomqtt.Client:
        """A connection to the broker as whoever the certificate names."""
        tls = aiomqtt.TLSParameters(ca_certs=str(self.kept.ca), certfile=str(pem), keyfile=str(pem))
        return aiomqtt.Client(self.broker.host, self.broker.port, tls_params=tls, timeout=30, **how)

    async def lets_in(self, pem: Path | None, *, session: ssl.SSLSession | None = None) -> bool:
        """Whether the broker takes a client with this certificate; None: without any."""
        context = trusting(cafile=self.kept.ca, certificate=pem)
        return (await asyncio.to_thread(self.knock, context, session))[0]

    def knock(
        self, context: ssl.SSLContext, session: ssl.SSLSession | None = None
    ) -> tuple[bool, ssl.SSLSession | None]:
        """Connect, and say whether one was let in; with what could resume the TLS session."""
        try:
            with (
                socket.create_connection((self.broker.host, self.broker.port), timeout=30) as plain,
                context.wrap_socket(plain, server_hostname="127.0.0.1", session=session) as secure,
            ):
                secure.sendall(_CONNECT)
                return secure.recv(4) == LET_IN, secure.session
        except (ssl.SSLError, ConnectionError):
            return False, None

    def stored(self) -> list[str]:
        """Who said what, as the hub has it: node path and fact."""
        with self.database.connection() as connection:
            rows = connection.execute("select source, id from facts order by id").fetchall()
        return [f"{row['source']} {row['id']}" for row in rows]

    def quarantined(self) -> list[str]:
        with self.database.connection() as connection:
            rows = connection.execute("select reason from quarantine").fetchall()
        return [row["reason"] for row in rows]


def said(address: Address, number: int, *, shop: str | None = None) -> bytes:
    """A batch of one fact."""
    now = datetime.now(UTC)
    fact = Fact(
        id=f"{address.node}-{number}", shop=shop or address.shop, metric="screen_touches",
        start=now - timedelta(minutes=1), end=now, value=1.0, n=1, method="test/1",
    )  # fmt: skip
    message = Message(
        key=Key(node=address.node, epoch=f"epoch-{address.node}", number=number), said_at=now,
        clock=Clock(boot="b", monotonic_s=1.0, synchronised=True), body=fact,
    )  # fmt: skip
    return encode_batch(address, [message])


@contextlib.asynccontextmanager
async def locked_house(database: Database, folder: Path, kind: BrokerKind) -> AsyncIterator[House]:
    """Everything runs until the end of the block."""
    now = datetime.now(UTC)
    kept = keep_authority(folder / "authority", now=now)
    hub = write_hub_certificate(kept, now=now)
    with running_broker(folder / "broker", kind=kind, kept=kept) as broker:
        house = House(database, kept, broker, folder)
        settings = Settings(
            chain="acme", broker=broker.url, tls_ca=kept.ca, tls_certificate=hub, retry_s_max=0.2
        )
        keeper = Doorkeeper(broker, folder / "broker", kept)

        async def keep() -> None:
            while True:
                await asyncio.to_thread(keeper.look)
                await asyncio.sleep(0.05)

        async with open_door(
            database, kept, broker=broker.url, server=server_pem(kept, now=now),
            now=lambda: house.at,
        ) as door:  # fmt: skip
            house.door = door
            tasks = [
                asyncio.create_task(listen(database, settings, tally=house.tally)),
                asyncio.create_task(keep()),
            ]
            try:
                await until(lambda: house.tally.connected)
                yield house
            finally:
                for task in tasks:
                    task.cancel()
                ended = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended


def moved(identity: Identity, **what: Any) -> Identity:
    """The same node with something changed."""
    return replace(identity, **what)
