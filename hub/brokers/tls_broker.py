"""amqtt with mutual TLS: who a client is comes from its certificate. Starts no process.

amqtt (0.12) lets some things through that an access list must not, mended here: a client without
a certificate, a last will on any topic, retained messages that match what others subscribed to,
and a stranger who ends a session by its client id. The client id is therefore not the client's to
choose: it is the subject of its certificate, as mosquitto has it by `use_username_as_clientid`.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from amqtt.broker import Broker
from amqtt.contexts import Action
from amqtt.errors import MQTTError
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from cryptography import x509

from hub.brokers.topic_rights import may
from hub.nodes.authority import subject_of
from hub.nodes.authority_files import read_revoked
from storepulse.errors import Unavailable

LOOK_EVERY_S: Final = 0.1
"""How often the list of the revoked is looked at: what "at once" means."""

log = logging.getLogger(__name__)


class CertifiedBroker(Broker):  # type: ignore[misc]  # amqtt has no types
    """A broker whose clients are known by their certificates."""

    def __init__(
        self, port: int, *, ca: Path, server: Path, folder: Path, host: str = "127.0.0.1"
    ) -> None:
        """`folder` is the authority's, where the revoked are listed."""
        listener = {
            "type": "tcp", "bind": f"{host}:{port}", "ssl": True, "cafile": str(ca),
            "certfile": str(server), "keyfile": str(server),
        }  # fmt: skip
        super().__init__({"listeners": {"default": listener}, "plugins": {}})
        self._folder = folder
        self._revoked = read_revoked(folder)

    async def run(self, until: Callable[[], Any]) -> None:
        """Serve until `until` has been waited for."""
        await self.start()
        looking = asyncio.create_task(self._cut_revoked())
        try:
            await until()
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            await self.shutdown()

    async def _cut_revoked(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                revoked = await asyncio.to_thread(read_revoked, self._folder)
            except Unavailable as error:
                # Who was revoked before stays so.
                log.error("%s", error)
                continue
            if revoked == self._revoked:
                continue
            self._revoked = revoked
            for name, (session, _) in list(self._sessions.items()):
                if _serial(session) in revoked:
                    log.warning("%s is revoked: cut off", name)
                    await self._cleanup_session(name)

    @staticmethod
    def _create_ssl_context(listener: Any) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=listener["cafile"])
        context.load_cert_chain(listener["certfile"], listener["keyfile"])
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    async def _initialize_client_session(
        self, reader: Any, writer: Any, remote_address: str, remote_port: int
    ) -> tuple[Any, Any]:
        handler, session = await BrokerProtocolHandler.init_from_connect(
            reader, writer, self.plugins_manager
        )
        certificate = _certificate(session)
        subject = "" if certificate is None else subject_of(certificate)
        why = None
        if certificate is None or not subject:
            why = "shows no certificate that names it"
        elif certificate.serial_number in self._revoked:
            why = "is revoked"
        elif session.will_flag and not may(subject, "say", session.will_topic):
            why = f"may not leave a will on {session.will_topic}"
        if why is not None:
            log.warning("%s:%s %s %s", remote_address, remote_port, subject, why)
            await writer.close()
            raise MQTTError(f"{subject} {why}")
        session.client_id = subject
        # What a client missed is its hub's or its node's to say again: no session outlives its
        # connection here.
        session.clean_session = True
        session.parent = 0
        await self._cleanup_session(subject)
        return handler, session

    async def _authenticate(self, session: Any, _: Any) -> bool:
        certificate = _certificate(session)
        return certificate is not None and certificate.serial_number not in self._revoked

    async def _topic_filtering(self, session: Any, topic: str, action: Any) -> bool:
        if _serial(session) in self._revoked:
            return False
        return may(session.client_id, "say" if action == Action.PUBLISH else "hear", topic)

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Any
    ) -> None:
        # At each connection amqtt goes through everybody's subscriptions.
        whose = self._subscriptions.get(subscription[0], [])
        if any(one.client_id == session.client_id for one, _ in whose):
            await super()._publish_retained_messages_for_subscription(subscription, session)


def _certificate(session: Any) -> x509.Certificate | None:
    der = None if session.ssl_object is None else session.ssl_object.getpeercert(True)
    return None if der is None else x509.load_der_x509_certificate(der)


def _serial(session: Any) -> int | None:
    certificate = _certificate(session)
    return None if certificate is None else certificate.serial_number
