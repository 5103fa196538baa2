"""The MQTT topics, built and read in one place. Opens no connection."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from storepulse.errors import BadInput

ROOT: Final = "storepulse/1"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")

Channel = Literal["up/facts", "up/events", "down/actions", "down/config", "down/acks", "state"]
CHANNELS: Final[tuple[Channel, ...]] = (
    "up/facts", "up/events", "down/actions", "down/config", "down/acks", "state",
)  # fmt: skip


class BadName(BadInput):
    """A chain, shop or node name that could not be a level of a topic."""


class NotOurTopic(BadInput):
    """A topic that is not below `storepulse/1` or names no channel of ours."""


@dataclass(frozen=True, slots=True)
class Address:
    """Which node of which shop of which chain."""

    chain: str
    shop: str
    node: str

    def __post_init__(self) -> None:
        for kind in ("chain", "shop", "node"):
            name = getattr(self, kind)
            if not _NAME.fullmatch(name):
                raise BadName(
                    f"{kind} {name!r} cannot stand in a topic: use up to 64 letters, digits, "
                    "dots, dashes and underscores, starting with a letter or digit"
                )

    @property
    def path(self) -> str:
        """As facts name their source: `/storepulse/{chain}/{shop}/{node}`."""
        return f"/storepulse/{self.chain}/{self.shop}/{self.node}"

    def topic(self, channel: Channel) -> str:
        """The topic of one channel of this node."""
        return f"{ROOT}/{self.chain}/{self.shop}/{self.node}/{channel}"


def read_path(path: str) -> Address:
    """The node of a path, as `Address.path` writes it.

    Raises:
        BadName: it is none.
    """
    names = path.split("/")
    if len(names) != 5 or names[:2] != ["", "storepulse"]:
        raise BadName(f"path {path!r} is not of the form /storepulse/CHAIN/SHOP/NODE")
    return Address(*names[2:])


def read_topic(topic: str) -> tuple[Address, Channel]:
    """Say whose topic it is and which channel.

    Raises:
        NotOurTopic: it is none of ours.
        BadName: a level is not a name.
    """
    parts = topic.split("/")
    channel = "/".join(parts[5:])
    if len(parts) < 6 or "/".join(parts[:2]) != ROOT or channel not in CHANNELS:
        raise NotOurTopic(f"topic {topic!r} is not of the form {ROOT}/CHAIN/SHOP/NODE/CHANNEL")
    return Address(*parts[2:5]), channel


def every_node(channel: Channel, *, chain: str = "+") -> str:
    """The filter by which a hub subscribes to one channel of all nodes."""
    return f"{ROOT}/{chain}/+/+/{channel}"
