"""Change a radio's channel in turns, by `iw` (operating system). Reads no frame."""

import subprocess
from collections.abc import Callable, Sequence
from typing import Final

from probes.errors import SourceFailure, SourceRefused

CHANNELS_2GHZ: Final = (1, 6, 11)
"""Where phones are heard most; they probe on all channels in each burst, so three are enough."""
STAY_S: Final = 2.0
"""On one channel. A phone's burst goes over all channels within a second: longer stays hear it
once, shorter ones lose frames while the radio is being tuned."""

Tune = Callable[[str, int], bool]


def tune_by_iw(interface: str, channel: int) -> bool:
    """Set the channel; False when `iw` refuses it.

    Raises:
        SourceRefused: there is no `iw`.
    """
    try:
        done = subprocess.run(
            ["iw", "dev", interface, "set", "channel", str(channel)],
            capture_output=True,
            check=False,
            timeout=5,
        )
    except FileNotFoundError as error:
        raise SourceRefused(
            SourceFailure.NO_HOPPING, "`iw` is needed to change channels: apt-get install iw"
        ) from error
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


class Hopper:
    """Says when to tune, and leaves channels out that the radio refuses."""

    def __init__(
        self, interface: str, channels: Sequence[int] = CHANNELS_2GHZ, *, tune: Tune = tune_by_iw
    ) -> None:
        self._interface = interface
        self._channels = list(channels)
        self._tune = tune
        self._place = 0
        self._next_s = float("-inf")
        self.refused: list[int] = []

    def step(self, now_s: float) -> None:
        """Tune on when it is time. Nothing happens without channels: the radio stays where it is.

        Raises:
            SourceRefused: no `iw`, or every channel was refused.
        """
        if not self._channels or now_s < self._next_s:
            return
        self._next_s = now_s + STAY_S
        while self._channels:
            channel = self._channels[self._place % len(self._channels)]
            if self._tune(self._interface, channel):
                self._place += 1
                return
            self._channels.remove(channel)
            self.refused.append(channel)
        raise SourceRefused(
            SourceFailure.NO_HOPPING,
            f"{self._interface} refuses channels {', '.join(map(str, self.refused))}: name others "
            "by --channel, or --channel 0 to stay where it is",
        )
