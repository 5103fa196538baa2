"""How many wrong codes may be tried in a minute, by all phones together. Pure: no clock."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

TRIES_MAX: Final = 10
WINDOW_S: Final = 60.0


@dataclass(slots=True)
class WrongTries:
    """The wrong tries of the last minute. One for the whole node: who guesses has many phones."""

    _at_s: deque[float] = field(default_factory=deque)

    def wait_s(self, now_s: float) -> float:
        """How long until another try may be made; 0: now."""
        while self._at_s and now_s - self._at_s[0] >= WINDOW_S:
            self._at_s.popleft()
        if len(self._at_s) < TRIES_MAX:
            return 0.0
        return self._at_s[0] + WINDOW_S - now_s

    def begun(self, now_s: float) -> None:
        """A try counts as wrong from its beginning, so that many at once are counted, too."""
        self._at_s.append(now_s)

    def take_back(self, began_s: float) -> None:
        """The try that began at that moment was right, or never looked at a code."""
        if began_s in self._at_s:
            self._at_s.remove(began_s)
