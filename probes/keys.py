"""Keyed hashes whose keys live in this memory only and are changed as time goes. Pure.

Nothing here can be written down: two runs, and two stretches of one run, share no hash.
"""

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b
from math import floor, inf
from secrets import token_bytes
from typing import Final

HASH_BYTES: Final = 8
DAY_S: Final = 86_400.0
_KEYS_KEPT_MAX: Final = 64
"""Captures of several days that are read side by side each need the key of their own day."""


@dataclass(frozen=True, slots=True)
class Turns:
    """When the key changes: every `every_s` seconds of the frames' own time, from `at_s` on."""

    every_s: float = inf
    at_s: float = 0.0
    keys: int = 1
    """So many hold side by side, each for as long, and turn one after the other."""

    def __post_init__(self) -> None:
        if not self.every_s > 0:
            raise ValueError(f"every_s must be above 0, got {self.every_s}")
        if self.keys < 1 or (self.keys > 1 and self.every_s == inf):
            raise ValueError("keys beside one another are one or more, and turn")

    @property
    def others(self) -> tuple["Turns", ...]:
        """The turns of the keys beside the first."""
        return tuple(
            Turns(self.every_s, self.at_s + self.every_s * number / self.keys)
            for number in range(1, self.keys)
        )

    def number(self, time_s: float) -> int:
        """Which key holds at this time."""
        return 0 if self.every_s == inf else floor((time_s - self.at_s) / self.every_s)

    def span_s(self, number: int) -> tuple[float, float]:
        """From when until when (not included) a key holds."""
        if self.every_s == inf:
            return -inf, inf
        return self.at_s + number * self.every_s, self.at_s + (number + 1) * self.every_s


NEVER: Final = Turns()


class KeyRing:
    """The keys of the stretches that are being read; the oldest are forgotten.

    A stretch whose key was forgotten gets another one: its phones are then taken for other phones,
    and none is ever recognised again.

    Args:
        key: 16 to 64 bytes for the one stretch of `NEVER`, for runs that must be repeatable; else
            every stretch has 32 random bytes of its own.
    """

    def __init__(self, turns: Turns, key: bytes | None = None) -> None:
        self.turns = turns
        self._given = key
        self._hashes: OrderedDict[int, blake2b] = OrderedDict()

    def hash_of(self, number: int) -> blake2b:
        """The started keyed hash of this stretch: `copy` it before use."""
        known = self._hashes.get(number)
        if known is None:
            key = self._given if self._given is not None else token_bytes(32)
            known = self._hashes[number] = blake2b(key=key, digest_size=HASH_BYTES)
            if len(self._hashes) > _KEYS_KEPT_MAX:
                self._hashes.popitem(last=False)
        return known
