"""Under which names a node may be served to phones. Pure: asks nobody whether they lead there.

A phone that trusts the hub's authority believes any certificate of it. So a node gets names that
mean something in its own network only, or lie below a domain that the chain has set aside for its
nodes, and never one of the hub's own: else whoever stole a node's card could stand for the hub, or
for any other place in the world.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from storepulse.server_names import (
    LOOPBACK_NAMES,
    BadServerName,
    is_below,
    is_private,
    read_server_names,
)


@dataclass(frozen=True, slots=True)
class NodeNames:
    """What the hub allows."""

    own: tuple[str, ...] = LOOPBACK_NAMES
    """The hub's own names."""
    domains: tuple[str, ...] = ()
    """Set aside for nodes: what lies below them may be theirs."""

    def allowed(self, asked: Iterable[str]) -> tuple[str, ...]:
        """The names of a node's certificate: the loopback's, which nobody else reaches, and these.

        Raises:
            BadServerName: one is none, or no node may have it.
        """
        names = read_server_names(asked)
        for name in names:
            if name in LOOPBACK_NAMES:
                continue
            if name in self.own:
                raise BadServerName(f"{name} is the hub's own name: no node may stand for the hub")
            if not (is_private(name) or is_below(name, self.domains)):
                raise BadServerName(
                    f"{name} means something outside the shop's network, too: take a name such as "
                    "shop-17.lan or the node's address there, or set STOREPULSE_HUB_NODE_DOMAINS "
                    "at the hub"
                )
        return tuple(dict.fromkeys([*LOOPBACK_NAMES, *names]))


PRIVATE_NAMES: Final = NodeNames()
"""What a hub allows that was told nothing: the loopback, and what is private."""


def read_domains(said: str) -> tuple[str, ...]:
    """Domains separated by commas; () for none. Raises `BadServerName`."""
    return read_server_names(one for one in _split(said))


def read_names(said: str) -> tuple[str, ...]:
    """The hub's names separated by commas; the loopback's where none is said."""
    return read_server_names(_split(said)) or LOOPBACK_NAMES


def _split(said: str) -> Sequence[str]:
    return [one for one in (part.strip() for part in said.split(",")) if one]
