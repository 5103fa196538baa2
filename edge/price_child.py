"""The node's child that reads price tags: `python -m edge.price_child`. Judges no shelf.

Beside the judging child, as both readers and eyes in one would not keep within its memory; started
when a photo's tags are to be read, ended when none was for a while (`edge.on_demand`). Speaks
`vision.framing`, as `vision.worker` has it:

    parent -> child   {"photo": PATH, "planogram": PATH, "judgement": {...}, "uuid", "bay", "shop",
                       "source", "at": when it came, ISO 8601, "resting": [SKU, ...]}
    child -> parent   {"checklist": {...}, "compliance": {...}, "fact": {...}, "late": whether the
                       time ended before all was read}
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from planograms.files import read_planogram
from planograms.judge import JUDGEMENT_JSON
from planograms.scores import Score
from planograms.second_answer import places_of_tags, second_answer
from planograms.unfold import unfolded
from storepulse.checklists import CHECKLIST_JSON
from storepulse.errors import StorepulseError
from storepulse.facts import FACT_JSON
from vision.memory import one_heap
from vision.tags.lines import ReadsText
from vision.tags.reading import AT_ONCE_PX, READING_S_MAX, TagReader
from vision.worker import own_stdout, serve

_NICENESS: Final = 10
"""The next photo's first answer goes before this one's second."""
_READING_S_MIN: Final = 1.5
"""What the first photo gets of the time, however long the child took to start: one or two edges."""
_AT_ONCE_S: Final = 0.5
_SCORE_JSON: TypeAdapter[Score] = TypeAdapter(Score)


class PriceReader:
    """Answers requests."""

    def __init__(
        self,
        reader: ReadsText,
        *,
        reading_s_max: float = READING_S_MAX,
        clock: Callable[[], float] = time.monotonic,
        begun: float | None = None,
    ) -> None:
        """Keep the reader.

        Args:
            reading_s_max: how long the tags of one photo are read.
            begun: when this child was started, by the clock. It was for a photo, which comes at
                once when it is ready and waits since then.
        """
        self._begun = begun
        self._ready = clock()
        self._tags = TagReader(reader, at_once_px=AT_ONCE_PX)
        self._reading_s_max = reading_s_max
        self._clock = clock

    def __call__(self, header: dict[str, Any], _body: bytes) -> dict[str, Any]:
        """Read the tags of one photo.

        Raises:
            BadInput: the photo or the planogram cannot be used.
        """
        ends = self._ends()
        plan = replace(unfolded(read_planogram(Path(header["planogram"]))), bay=header["bay"])
        judgement = JUDGEMENT_JSON.validate_python(header["judgement"], strict=False)
        late = False

        def in_time() -> bool:
            nonlocal late
            late = late or self._clock() >= ends
            return not late

        seen = self._tags.read(
            Path(header["photo"]), judgement.observation, near=places_of_tags(judgement, plan),
            in_time=in_time,
        )  # fmt: skip
        told = second_answer(
            replace(judgement, observation=seen), plan, shop=header["shop"], photo=header["uuid"],
            taken_at=datetime.fromisoformat(header["at"]), source=header["source"],
            resting=frozenset(header.get("resting", ())),
        )  # fmt: skip
        return {
            "checklist": CHECKLIST_JSON.dump_python(told.checklist, mode="json"),
            "compliance": _SCORE_JSON.dump_python(told.compliance, mode="json"),
            "fact": FACT_JSON.dump_python(told.fact, mode="json"),
            "late": late,
        }

    def _ends(self) -> float:
        """When reading has to end, by the clock."""
        now = self._clock()
        waited = self._begun is not None and now - self._ready < _AT_ONCE_S
        since = self._begun if waited and self._begun is not None else now
        self._begun = None
        return max(since + self._reading_s_max, now + min(_READING_S_MIN, self._reading_s_max))


def _age_s() -> float:
    """How long ago this process was started; 0 where the system does not tell it as Linux does."""
    try:
        # Behind the name, which may hold anything but ends with the last bracket.
        started = Path("/proc/self/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(started[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError, IndexError):
        return 0.0
    return max(age, 0.0)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve requests on stdin until it ends. Raises `NoTextReader` without the `ocr` extra."""
    parser = argparse.ArgumentParser(prog="edge.price_child", description=__doc__)
    parser.add_argument("--threads", type=int, default=2, help="cores to use")
    given = parser.parse_args(arguments)
    os.nice(_NICENESS)
    one_heap()
    begun = time.monotonic() - _age_s()
    answers = own_stdout()
    from vision.tags.rapid import RapidReader

    try:
        reader = PriceReader(RapidReader(threads=given.threads), begun=begun)
    except StorepulseError as error:
        sys.exit(f"edge.price_child: {error}")
    serve(reader, sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
