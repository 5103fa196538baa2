"""Lists of phones that are never heard, or that alone are heard, kept as keyed hashes (disk).

An address is global or made up by the phone. A list can only know global ones: a phone makes up a
new random address as often as it likes, and nothing ties it to an entry here. Whoever has the file
has its key too, and can test addresses against it: it is kept readable by its owner only.
"""

import hmac
import json
import re
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes
from typing import Final

from probes.errors import ListRefused
from storepulse.secret_files import write_whole

_ADDRESS: Final = re.compile(r"[0-9a-fA-F]{2}(?:[:-]?[0-9a-fA-F]{2}){5}")
_LOCAL_BIT: Final = 2
_GROUP_BIT: Final = 1
_MAC_BYTES: Final = 16

RANDOM_CANNOT: Final = (
    "this address was made up by the phone (private or random Wi-Fi address) and will not come "
    "again, so a list cannot hold it. What works: turn Wi-Fi off in the shop, or turn the private "
    "address off and give the address that Settings > About then shows"
)


@dataclass(frozen=True, slots=True)
class PhoneList:
    """Global addresses as HMAC-SHA256 (16 bytes) under a key of the list's own."""

    key: bytes = field(default_factory=lambda: token_bytes(32), repr=False)
    entries: frozenset[bytes] = frozenset()

    def __contains__(self, address: bytes) -> bool:
        """Whether a raw address is on the list; a random one never is."""
        return (
            bool(self.entries)
            and not address[0] & _LOCAL_BIT
            and _mac(self.key, address) in self.entries
        )

    def with_address(self, address: bytes) -> "PhoneList":
        """The list with one more entry.

        Raises:
            ListRefused: a random or a group address.
        """
        if len(address) != 6 or address[0] & _GROUP_BIT:
            raise ListRefused("this is no phone's address: a phone's is six bytes, of one device")
        if address[0] & _LOCAL_BIT:
            raise ListRefused(RANDOM_CANNOT)
        return PhoneList(self.key, self.entries | {_mac(self.key, address)})


def _mac(key: bytes, address: bytes) -> bytes:
    return hmac.digest(key, address, sha256)[:_MAC_BYTES]


def parse_address(text: str) -> bytes:
    """Read an address as people write it: a4:50:46:12:34:56, with dashes or bare.

    Raises:
        ListRefused: it is none. The message does not repeat it.
    """
    if not _ADDRESS.fullmatch(text.strip()):
        raise ListRefused("this is no address: write six pairs, e.g. a4:50:46:12:34:56")
    return bytes.fromhex(re.sub("[:-]", "", text.strip()))


def read_list(path: Path) -> PhoneList:
    """Read a list; an empty one where there is no file.

    Raises:
        ListRefused: the file is no list.
    """
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        key, entries = bytes.fromhex(plain["key"]), frozenset(map(bytes.fromhex, plain["entries"]))
    except FileNotFoundError:
        return PhoneList()
    except OSError as error:
        raise ListRefused(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ListRefused(f"{path} is no list of phones made by `storepulse probes`") from error
    if len(key) != 32 or any(len(entry) != _MAC_BYTES for entry in entries):
        raise ListRefused(f"{path} is no list of phones made by `storepulse probes`")
    return PhoneList(key, entries)


def write_list(phones: PhoneList, path: Path) -> None:
    """Write a list that only its owner may read; the old one stands until the new one is whole.

    Raises:
        ListRefused: it cannot be written.
    """
    plain = {"key": phones.key.hex(), "entries": sorted(entry.hex() for entry in phones.entries)}
    try:
        write_whole(path, json.dumps(plain).encode())
    except OSError as error:
        raise ListRefused(f"cannot write {path}: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class Admission:
    """Who may be heard at all: asked with the raw address before anything else is done with it."""

    opted_out: PhoneList
    agreed: PhoneList | None = None
    """In consent mode: those who agreed, and nobody else."""

    def __call__(self, address: bytes) -> bool:
        """Whether frames of this sender may be used."""
        if address in self.opted_out:
            return False
        return self.agreed is None or address in self.agreed
