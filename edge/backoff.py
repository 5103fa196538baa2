"""How long to wait before the next try. Pure: no clock, no sleep; chance is an argument."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double from `first_s` to `longest_s`, each shortened by up to half by chance.

    The chance keeps a thousand nodes from coming back in the same second after a broker's restart.
    """

    first_s: float = 0.5
    longest_s: float = 30.0

    def __post_init__(self) -> None:
        if not 0 < self.first_s <= self.longest_s:
            raise ValueError(
                f"0 < first_s <= longest_s is needed, got {self.first_s}, {self.longest_s}"
            )

    def wait_s(self, failures: int, chance: float) -> float:
        """Seconds before the try that follows `failures` (from 1) failed ones; chance in [0, 1)."""
        # The exponent is capped: 2**2000 fits no float, and the wait stopped growing long ago.
        whole = min(self.longest_s, self.first_s * 2.0 ** min(max(failures - 1, 0), 60))
        return whole * (1 - chance / 2)
