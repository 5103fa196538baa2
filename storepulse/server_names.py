"""Names and addresses under which a server is reached: read them, tell the private ones apart.

Resolves no name. A private one means something only within one network: nobody can hold it in
front of the world, so an authority of ours may put it into a certificate without asking anybody.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import Final

from storepulse.errors import BadInput
from storepulse.loopback import is_loopback

LOOPBACK_NAMES: Final = ("127.0.0.1", "localhost")
NAMES_MAX: Final = 10
_NAME_LETTERS_MAX: Final = 253
_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_PRIVATE_ENDINGS: Final = (".local", ".lan", ".internal", ".home.arpa", ".test")
"""mDNS, routers of shops, ICANN's reservation, RFC 8375, RFC 6761."""


class BadServerName(BadInput):
    """No name or address of a server, or one that may not be had. Says which."""


def read_server_name(said: str) -> str:
    """One name or address in its usual spelling.

    Raises:
        BadServerName: it is none. A wildcard is none: it would speak for others.
    """
    text = said.strip().lower().rstrip(".")
    address = ip_or_none(text.strip("[]"))
    if address is not None:
        return str(address)
    labels = text.split(".")
    well_formed = len(text) <= _NAME_LETTERS_MAX and all(map(_LABEL.fullmatch, labels))
    # Of digits alone it would be read as an address by some.
    if not well_formed or labels[-1].isdigit():
        raise BadServerName(
            f"{said[:80]!r} is no name or address of a server: give a name such as "
            "shop-17.lan, or an address such as 192.168.1.20"
        )
    return text


def read_server_names(said: Iterable[str]) -> tuple[str, ...]:
    """Several, each once, in their order. Raises `BadServerName`."""
    names = tuple(dict.fromkeys(read_server_name(one) for one in said))
    if len(names) > NAMES_MAX:
        raise BadServerName(f"at most {NAMES_MAX} names, got {len(names)}")
    return names


def is_private(name: str) -> bool:
    """Whether a name (as `read_server_name` gives it) means something in one network only."""
    address = ip_or_none(name)
    if address is None:
        return "." not in name or name.endswith(_PRIVATE_ENDINGS)
    return address.is_private and not address.is_unspecified


def ip_or_none(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a text is; None for any other, a name too."""
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def is_below(name: str, domains: Sequence[str]) -> bool:
    """Whether a name lies below one of these domains."""
    return any(name.endswith(f".{domain}") for domain in domains)


def shown_name(names: Sequence[str]) -> str:
    """The name to tell others: the first that leads here from elsewhere, else the first."""
    return next((name for name in names if not is_loopback(name)), names[0])
