"""The embedded broker as a process that a test can kill: `amqtt_broker.py PORT`."""

import asyncio
import sys

from amqtt.broker import Broker


async def main() -> None:
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{sys.argv[1]}"}},
            "plugins": {
                "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
            },
        }
    )
    await broker.start()
    await asyncio.Event().wait()


asyncio.run(main())
