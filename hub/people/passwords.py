"""Hash and check passwords with argon2id. Keeps none, and knows no person."""

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from hub.people.roles import BadPerson, name_key
from storepulse.errors import Unavailable

CHARACTERS_MIN: Final = 10
CHARACTERS_MAX: Final = 1000
_AT_ONCE: Final = 2
"""Each takes 46 MiB and a core for a while: many at once would starve the hub."""
_WAITING_MAX: Final = 12
"""Well below the 40 threads that serve everybody else."""
# The first of OWASP's settings for argon2id (cheat sheet "Password Storage"): 46 MiB, one pass.
_HASHER: Final = PasswordHasher(
    time_cost=1, memory_cost=47104, parallelism=1, hash_len=32, salt_len=16, type=Type.ID
)


class TooBusy(Unavailable):
    """So many sign in at once that one more has to come again."""


class _Gate:
    """Lets few in at once, and few wait."""

    def __init__(self) -> None:
        self._free = threading.BoundedSemaphore(_AT_ONCE)
        self._count = threading.Lock()
        self._inside = 0

    @contextmanager
    def passed(self) -> Iterator[None]:
        with self._count:
            if self._inside >= _AT_ONCE + _WAITING_MAX:
                raise TooBusy("many sign in just now: try again in a moment")
            self._inside += 1
        try:
            with self._free:
                yield
        finally:
            with self._count:
                self._inside -= 1


_GATE: Final = _Gate()


def check_new_password(password: str, *, name: str) -> None:
    """Refuse what is easily guessed.

    Raises:
        BadPerson: too short, too long, one letter repeated, or the name itself.
    """
    if not CHARACTERS_MIN <= len(password) <= CHARACTERS_MAX:
        raise BadPerson(f"a password has at least {CHARACTERS_MIN} characters")
    if len(set(password)) == 1 or name_key(password) == name_key(name):
        raise BadPerson("a password is neither one letter over and over nor the name")


def hash_password(password: str) -> str:
    """Hash a password, with salt and parameters, as the database keeps it; takes a while.

    Raises:
        TooBusy: many do so just now.
    """
    with _GATE.passed():
        return _HASHER.hash(_bytes(password))


def password_fits(kept: str | None, said: str) -> bool:
    """Whether a password is the one that was hashed; takes as long when none was.

    Raises:
        TooBusy: many do so just now.
    """
    with _GATE.passed():
        try:
            return _HASHER.verify(kept or _nobodys(), _bytes(said)) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


@cache
def _nobodys() -> str:
    """A hash of the same cost that nothing fits."""
    return _HASHER.hash(b"\xff nobody")


def _bytes(password: str) -> bytes:
    # The same letter can be typed as one character or two.
    return unicodedata.normalize("NFC", password).encode(errors="replace")
