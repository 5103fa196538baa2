"""Keep a broker of ours running, and have it let go of the revoked. Speaks to no node.

How a revoked node is cut off at once: amqtt does it itself (`hub.brokers.tls_broker`). Mosquitto
reads the list of the revoked again when it is told to (SIGHUP), and refuses them from then on, but
leaves their open connections alone. There a client's id is the name in its certificate and one
name has one seat: so we make a certificate of a minute for that name, take the seat, and the old
connection is closed; it cannot come back. Nobody else is disturbed, as by a restart of the broker.
"""

import asyncio
import contextlib
import logging
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import aiomqtt

from hub.brokers import broker as brokers
from hub.errors import BrokerUnavailable
from hub.nodes.authority import issue_node, new_key, pem_with_key
from hub.nodes.authority_files import KeptAuthority, read_revoked
from storepulse.server_names import LOOPBACK_NAMES
from storepulse.topics import Address

_SEAT_LIFETIME: Final = timedelta(minutes=1)
_SEAT_S_MAX: Final = 5.0

log = logging.getLogger(__name__)


class Doorkeeper:
    """Watches who is revoked, and has one running broker act on it."""

    def __init__(self, broker: brokers.Broker, folder: Path, kept: KeptAuthority) -> None:
        self._broker = broker
        self._folder = folder.expanduser().absolute()
        self._kept = kept
        # What the broker read at its start; what came since is news at the first look.
        self._told: dict[int, str] = {}

    def look(self) -> list[str]:
        """Act on what is new; returns the subjects that were cut off.

        Raises:
            Unavailable: the list cannot be read.
        """
        if self._broker.kind != "mosquitto":
            return []
        revoked = read_revoked(self._kept.folder)
        if revoked == self._told:
            return []
        news = sorted({revoked[serial] for serial in revoked.keys() - self._told.keys()})
        brokers.tell_mosquitto_revoked(self._broker, self._folder, self._kept)
        for subject in news:
            asyncio.run(_take_seat(self._broker, self._kept, subject))
            log.warning("%s is revoked: cut off", subject)
        self._told = revoked
        return news


async def _take_seat(broker: brokers.Broker, kept: KeptAuthority, subject: str) -> None:
    key = new_key()
    certificate = issue_node(
        kept.authority, key.public_key(), Address(*subject.split("/")), now=datetime.now(UTC),
        lifetime=_SEAT_LIFETIME,
    )  # fmt: skip
    with tempfile.NamedTemporaryFile(dir=kept.folder, prefix=".seat-") as file:
        file.write(pem_with_key(certificate, key))
        file.flush()
        tls = aiomqtt.TLSParameters(ca_certs=str(kept.ca), certfile=file.name, keyfile=file.name)
        with contextlib.suppress(TimeoutError):
            async with (
                asyncio.timeout(_SEAT_S_MAX),
                aiomqtt.Client(broker.host, broker.port, tls_params=tls),
            ):
                pass


class OwnBroker:
    """A broker of ours that is started again on the same port when it dies."""

    def __init__(
        self,
        folder: Path,
        port: int,
        kept: KeptAuthority | None = None,
        *,
        host: str = brokers.HOST,
        names: Sequence[str] = LOOPBACK_NAMES,
    ) -> None:
        """With an authority (`kept`) it speaks TLS and lets go of the revoked."""
        self.host = host
        self.names = names
        self.folder = folder
        self.port = port
        self.kept = kept
        self.running = ExitStack()
        self.broker: brokers.Broker | None = None
        self._keeper: Doorkeeper | None = None

    @property
    def url(self) -> str:
        assert self.broker is not None
        return self.broker.url

    def __enter__(self) -> "OwnBroker":
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self.running.close()

    def _start(self) -> None:
        running = brokers.running_broker(
            self.folder, port=self.port, kept=self.kept, host=self.host, names=self.names
        )
        self.broker = self.running.enter_context(running)
        self.port = self.broker.port
        if self.kept is not None:
            self._keeper = Doorkeeper(self.broker, self.folder, self.kept)

    def start_again_if_gone(self) -> None:
        """Start it again if it has ended; a start that fails is tried again by the next look."""
        if self.broker is not None and brokers.is_running(self.broker.pid):
            return
        log.warning("the broker has ended; starting it again on port %s", self.port)
        self.running.close()
        self.broker = self._keeper = None
        with contextlib.suppress(BrokerUnavailable):
            self._start()

    def cut_revoked(self) -> None:
        """Have it let go of those who were revoked since the last look; a fault is told."""
        if self._keeper is None:
            return
        try:
            self._keeper.look()
        except Exception:
            # The broker itself serves on; the next look tries again.
            log.exception("the revoked could not be cut off")
