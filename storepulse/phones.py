"""A phone's pairing code and name. Opens no connection.

A code is eight of Crockford's letters and digits, 40 bits of chance. It is good once, for one shop,
within 15 minutes; a node takes ten wrong ones a minute, so a guess hits in those 15 minutes with a
chance of 1 in 7 thousand million. Only its checksum is kept and sent.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from storepulse.errors import BadInput

CODE_LIFETIME: Final = timedelta(minutes=15)
PAIRED_FOR: Final = timedelta(days=400)
"""The longest that browsers keep a cookie (RFC 6265bis); then a phone pairs again."""
TOKEN_BYTES: Final = 32
PHONE_NAME_MAX: Final = 80
_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U."""
_CODE_LETTERS: Final = 8
_GROUP: Final = 4
_MISREAD: Final = str.maketrans("ILO", "110")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class BadPairingCode(BadInput):
    """What was typed cannot be a code."""


def new_pairing_code() -> str:
    """A code by chance, as it is shown: XXXX-XXXX."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LETTERS))
    return f"{letters[:_GROUP]}-{letters[_GROUP:]}"


def read_pairing_code(text: str) -> str:
    """A code as it is shown, from what was typed: case, spaces and dashes do not matter.

    I and L are read as 1 and O as 0, which they were mistaken for.

    Raises:
        BadPairingCode: it is none.
    """
    letters = "".join(text.split()).replace("-", "").upper().translate(_MISREAD)
    if len(letters) != _CODE_LETTERS or any(letter not in _LETTERS for letter in letters):
        raise BadPairingCode(
            f"a code has {_CODE_LETTERS} letters and digits, such as 7KM3-Q2ZD: look at it again"
        )
    return f"{letters[:_GROUP]}-{letters[_GROUP:]}"


def code_sha256(code: str) -> str:
    """The checksum by which a code is known, in hex. Raises `BadPairingCode`."""
    return hashlib.sha256(read_pairing_code(code).encode()).hexdigest()


def token_sha256(token: str) -> str:
    """The checksum by which a phone's token is known, in hex."""
    return hashlib.sha256(token.encode()).hexdigest()


def check_sha256(name: str, value: str) -> None:
    """Raises `ValueError` for what is no SHA-256 in hex."""
    if not _SHA256.fullmatch(value):
        raise ValueError(f"{name} must be a SHA-256: 64 digits of hex, small letters")


def check_phone_id(value: str) -> None:
    """Raises `ValueError` for what is no phone's id."""
    if not _ID.fullmatch(value):
        raise ValueError("phone must be a UUID in small letters")


def check_phone_name(value: str) -> None:
    """Raises `ValueError` for a name that no list could show. "" is a name: the phone said none."""
    if len(value) > PHONE_NAME_MAX or not value.isprintable():
        raise ValueError(f"name must have at most {PHONE_NAME_MAX} characters, all of them visible")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCode:
    """A code that a node may take."""

    sha256: str
    ends_at: datetime

    def __post_init__(self) -> None:
        check_sha256("sha256", self.sha256)
        if self.ends_at.tzinfo is None:
            raise ValueError("ends_at needs a time zone")
