"""The embedded MQTT broker as a process of its own: `python -m hub.embedded_broker PORT`.

For trying out, and where mosquitto is not installed: it keeps sessions and retained messages in
memory only. A process of its own, so that its load and its end are not the hub's; it ends when
whoever started it closes its standard input.
"""

import asyncio
import logging
import sys
from typing import Any

from amqtt.broker import Broker


async def serve(port: int) -> None:
    """Serve on the loopback until standard input ends."""
    config: dict[str, Any] = {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
        "plugins": {
            # Nobody but this machine can connect; nodes get names of their own with enrolment.
            "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True},
        },
    }
    broker = Broker(config)
    await broker.start()
    try:
        await asyncio.to_thread(sys.stdin.buffer.read)
    finally:
        await broker.shutdown()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    asyncio.run(serve(int(sys.argv[1])))
