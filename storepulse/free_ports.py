"""Choose a port for a server that is started with its number, and may come back on it."""

import random
import socket
from typing import Final

LOWEST: Final = 20_000
BEYOND: Final = 32_000
"""Below the ports that Linux gives to outgoing connections (32768 and up): one of those that was
free a moment ago may be somebody's connection before the server has it, or while it restarts."""
_TRIES: Final = 50


def free_port(host: str = "127.0.0.1") -> int:
    """A port at which nothing listens just now; of those for connections where no other is free.

    Raises:
        OSError: the address is not of this machine.
    """
    chance = random.SystemRandom()
    for _ in range(_TRIES):
        try:
            return bound_once(host, chance.randrange(LOWEST, BEYOND))
        except OSError:
            continue
    return bound_once(host, 0)


def bound_once(host: str, port: int) -> int:
    """Take a port (0: any) and let it go again. Raises OSError: it cannot be had."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # As servers do: a port whose last connections still fade is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        return int(probe.getsockname()[1])
