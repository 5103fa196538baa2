"""The embedded MQTT broker as a process of its own: `python -m hub.brokers.embedded_broker PORT`.

With `PORT CA SERVER AUTHORITY HOST` it speaks TLS and knows its clients by their certificates
(`hub.brokers.tls_broker`): the authority's certificate, key and certificate of this server, and
the folder where the revoked are listed, and the address to listen on.

For trying out, and where mosquitto is not installed: it keeps sessions and retained messages in
memory only. A process of its own, so that its load and its end are not the hub's; it ends when
whoever started it closes its standard input.
"""

import asyncio
import logging
import sys
from pathlib import Path
from typing import Any

from amqtt.broker import Broker


async def serve(port: int) -> None:
    """Serve everybody on the loopback until standard input ends."""
    config: dict[str, Any] = {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
        "plugins": {
            # Nobody but this machine can connect, and no authority has given out names.
            "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True},
        },
    }
    broker = Broker(config)
    await broker.start()
    try:
        await _input_ended()
    finally:
        await broker.shutdown()


async def serve_certified(
    port: int, *, ca: Path, server: Path, folder: Path, host: str = "127.0.0.1"
) -> None:
    """Serve those who have a certificate until standard input ends."""
    # cryptography is needed only where there is an authority.
    from hub.brokers.tls_broker import CertifiedBroker

    await CertifiedBroker(port, ca=ca, server=server, folder=folder, host=host).run(_input_ended)


async def _input_ended() -> None:
    await asyncio.to_thread(sys.stdin.buffer.read)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    port, *paths = sys.argv[1:]
    if paths:
        ca, server, folder = map(Path, paths[:3])
        asyncio.run(serve_certified(int(port), ca=ca, server=server, folder=folder, host=paths[3]))
    else:
        asyncio.run(serve(int(port)))
