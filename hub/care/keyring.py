"""The hub's key file: seals contacts and channels so that the database alone opens none.

Sealing is Fernet of `cryptography` (AES-128-CBC with HMAC-SHA256). The file holds keys, the newest
first: what was sealed by an older one opens until the keys are turned and everything is sealed
anew (`hub.care.turning`). Whoever has file and database reads everything: back up both, apart.
"""

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from storepulse.errors import BadInput
from storepulse.secret_files import write_whole

Keys = Callable[[], "Keyring"]
"""The keyring as the file holds it now: it may be turned while a hub runs."""
FILE_NAME: Final = "keys.json"
_KEYS_MAX: Final = 10


class KeysMissing(BadInput):
    """The key file does not open what the database holds, or is none."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """Keys, the newest first; at least one."""

    keys: tuple[bytes, ...] = field(repr=False)

    def __post_init__(self) -> None:
        if not 1 <= len(self.keys) <= _KEYS_MAX:
            raise ValueError(f"a keyring has 1 to {_KEYS_MAX} keys, got {len(self.keys)}")

    def seal(self, text: str) -> bytes:
        """What only this keyring opens. The same text never looks the same twice."""
        return Fernet(self.keys[0]).encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """The text.

        Raises:
            KeysMissing: another keyring sealed it, or it was changed.
        """
        try:
            return MultiFernet([Fernet(key) for key in self.keys]).decrypt(sealed).decode()
        except InvalidToken as error:
            raise KeysMissing(
                "the key file does not open what the database holds: put the keys.json of this "
                "hub back in its place"
            ) from error

    def lookup(self, text: str) -> bytes:
        """A checksum under the newest key, by which a text can be found but not guessed."""
        own = hmac.digest(self.keys[0], b"storepulse lookup", hashlib.sha256)
        return hmac.digest(own, text.encode(), hashlib.sha256)


def new_keyring() -> Keyring:
    """A keyring with one new key."""
    return Keyring((Fernet.generate_key(),))


def turned(keyring: Keyring) -> Keyring:
    """A new key in front of the newest; older ones go, for nothing is sealed by them any more.

    The one before stays: a hub that runs may seal by it until it reads the file again.
    """
    return Keyring((Fernet.generate_key(), keyring.keys[0]))


def read_keyring(file: Path) -> Keyring | None:
    """The keyring of a file; None when there is no file.

    Raises:
        KeysMissing: the file cannot be read, or holds no keys.
    """
    try:
        told = json.loads(file.read_text(encoding="ascii"))
        keyring = Keyring(tuple(key.encode("ascii") for key in told["keys"]))
        for key in keyring.keys:
            Fernet(key)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeysMissing(f"the key file {file} cannot be used: {type(error).__name__}") from error
    return keyring


def keep_keyring(file: Path) -> Keyring:
    """The keyring of a file, made where there is none."""
    known = read_keyring(file)
    if known is not None:
        return known
    keyring = new_keyring()
    write_keyring(file, keyring)
    return keyring


def keys_of(file: Path) -> Keys:
    """Reads the file each time; it must be there."""

    def read() -> Keyring:
        found = read_keyring(file)
        if found is None:
            raise KeysMissing(f"the key file {file} is gone: put it back in its place")
        return found

    return read


def write_keyring(file: Path, keyring: Keyring) -> None:
    """Write the keyring whole, for its owner only."""
    body = json.dumps({"keys": [key.decode("ascii") for key in keyring.keys]})
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, body.encode())
