"""Capture files as a source: .pcap and .pcapng, plain or .gz, or a pipe (disk)."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from probes.captures import CaptureWarning
from probes.frames import FrameReader
from probes.sources.port import Evidence, Hearing
from probes.streams import frames_of


class CaptureFiles:
    """Several captures as one stream in order of time."""

    name = "captures"
    evidence = Evidence.FRAMES

    def __init__(
        self,
        captures: Sequence[Path],
        reader: FrameReader,
        *,
        warn: Callable[[CaptureWarning], None],
    ) -> None:
        self._captures = captures
        self._reader = reader
        self._warn = warn

    @property
    def damaged(self) -> int:
        return self._reader.counts.damaged

    def hearings(self) -> Iterator[Hearing]:
        """Yield frames.

        Raises:
            CaptureRefused: before the first frame, when a capture cannot be read at all.
        """
        yield from frames_of(self._captures, self._reader, warn=self._warn)
