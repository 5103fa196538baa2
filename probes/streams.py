"""One stream of probe frames out of several captures: by time, each frame once (disk behind it)."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from operator import itemgetter
from pathlib import Path
from typing import Final

from probes.captures import Capture, CaptureWarning
from probes.frames import Frame, FrameReader

_ORDER: Final = itemgetter(0, 3, 8)
"""Time, count, check sum: the same order under every key and whichever capture is named first."""
_REORDER_FRAMES: Final = 4096
"""Frames held back to put them in order: radios on several channels write to one file in turns."""
SAME_FRAME_S_MAX: Final = 0.005
"""Two radios that hear one frame stamp it at most so far apart (measured: 0.1 ms, one clock)."""


def in_order(frames: Iterable[Frame], *, late: Callable[[], None]) -> Iterator[Frame]:
    """Put nearly ordered frames in order of time, in bounded memory.

    Args:
        late: called for each frame that comes too late to be put in its place; it is given out all
            the same, at the earliest time that is still possible.
    """
    held: list[Frame] = []
    given_s = float("-inf")
    for frame in frames:
        if frame.time_s < given_s:
            late()
            frame = frame._replace(time_s=given_s)
        held.append(frame)
        if len(held) >= _REORDER_FRAMES:
            held.sort(key=_ORDER)
            half = _REORDER_FRAMES // 2
            yield from held[:half]
            given_s = held[half - 1].time_s
            del held[:half]
    held.sort(key=_ORDER)
    yield from held


class Once:
    """Lets each frame pass once, though several radios heard it."""

    def __init__(self, repeats: int = 0) -> None:
        self.repeats = repeats
        self._seen: dict[tuple[int, int], float] = {}
        self._seen_before: dict[tuple[int, int], float] = {}
        self._turn_s = float("-inf")

    def first_time(self, frame: Frame) -> bool:
        """Whether this frame, of a stream in order of time, was not heard a moment ago."""
        time_s = frame.time_s
        if time_s >= self._turn_s:
            # Two generations: nothing older than a tenth of a second is kept.
            self._seen_before, self._seen = self._seen, {}
            self._turn_s = time_s + 0.05
        key = (frame.sender, frame.sequence)
        known_s = self._seen.get(key)
        if known_s is None:
            known_s = self._seen_before.get(key)
        self._seen[key] = time_s
        if known_s is not None and time_s - known_s <= SAME_FRAME_S_MAX:
            self.repeats += 1
            return False
        return True


def frames_of(
    captures: Sequence[Path],
    reader: FrameReader,
    *,
    warn: Callable[[CaptureWarning], None],
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Frame]:
    """Read captures as one stream in order of time; a frame in two captures comes twice.

    Args:
        progress: called now and then with the bytes read and the bytes in all.
    Raises:
        CaptureRefused: before the first frame, when any of the captures cannot be read at all.
    """
    with ExitStack() as opened:
        files = [opened.enter_context(_closing(path, warn)) for path in captures]
        total = sum(file.bytes_total for file in files)
        streams = [_frames(file, reader, warn) for file in files]
        merged = streams[0] if len(streams) == 1 else heapq.merge(*streams, key=_ORDER)
        for number, frame in enumerate(merged):
            if progress is not None and number % 20_000 == 0:
                progress(sum(file.bytes_read for file in files), total)
            yield frame
        if progress is not None:
            progress(total, total)


class _closing:  # noqa: N801  (reads as the verb that it is, like contextlib's own)
    def __init__(self, path: Path, warn: Callable[[CaptureWarning], None]) -> None:
        self._capture = Capture(path, warn=warn)

    def __enter__(self) -> Capture:
        return self._capture

    def __exit__(self, *_: object) -> None:
        self._capture.close()


def _frames(
    capture: Capture, reader: FrameReader, warn: Callable[[CaptureWarning], None]
) -> Iterator[Frame]:
    late = 0

    def count_late() -> None:
        nonlocal late
        late += 1

    read = reader.read
    found = (frame for record in capture.records() if (frame := read(record)) is not None)
    yield from in_order(found, late=count_late)
    reader.forget()
    if late:
        warn(
            CaptureWarning(
                "out_of_order",
                capture.name,
                f"{capture.name}: {late} frames lie far from their place in time",
            )
        )
