"""The child of the node that judges photos: `python -m planograms.worker`. Keeps no photo.

    parent -> child   {"photo": PATH, "planogram": PATH or null, "annotate": PATH or null}
    child -> parent   what `storepulse check --json` prints; without a planogram, what
                      `storepulse vision look --json` prints; or {"error": one line, ...}

The photo may come as the frame's body instead of a path ("name" then says what to call it), as
`vision.worker` has it. With "annotate" the findings are drawn into that picture file.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from planograms.check import annotated
from planograms.files import read_planogram, write_picture
from planograms.judge import Prepared, judge_observation, judgement_as_json, prepare
from storepulse.errors import BadInput
from vision.look import Looker
from vision.observation import OBSERVATION_JSON
from vision.worker import own_stdout, serve

PLANOGRAMS_KEPT: Final = 8


class BadRequest(BadInput):
    """A request that names no photo, or names it by something that is no path."""


class JudgeHandler:
    """Answers requests; keeps the last planograms ready, as a bay is photographed again."""

    def __init__(self, looker: Looker) -> None:
        """Answer with the eyes of `looker`."""
        self._looker = looker
        self._ready: dict[tuple[str, int, int], Prepared] = {}

    def __call__(self, header: dict[str, Any], body: bytes) -> dict[str, Any]:
        """Judge one photo.

        Raises:
            BadInput: the photo, the planogram or the request cannot be used.
        """
        plan, annotate = _path(header, "planogram"), _path(header, "annotate")
        photo_path = _path(header, "photo")
        if not body and photo_path is None:
            raise BadRequest('a request needs "photo" (a path), or the photo after its line')
        # The planogram first: a wrong one is told before the photo takes its second.
        ready = None if plan is None else self._prepared(plan)
        source = body or photo_path
        assert source is not None
        name = header.get("name")
        photo, observation = self._looker.look_at(
            source, name=name if isinstance(name, str) else None
        )
        if ready is None:
            seen: dict[str, Any] = OBSERVATION_JSON.dump_python(observation, mode="json")
            return seen
        judgement = judge_observation(photo, observation, ready)
        if annotate is not None:
            write_picture(annotate, annotated(photo, judgement))
        return judgement_as_json(judgement)

    def _prepared(self, path: Path) -> Prepared:
        try:
            stat = path.stat()
            key = (str(path), stat.st_mtime_ns, stat.st_size)
        except OSError:
            key = (str(path), 0, 0)  # reading it says what is wrong
        if key not in self._ready:
            ready = prepare(read_planogram(path))
            while len(self._ready) >= PLANOGRAMS_KEPT:
                del self._ready[next(iter(self._ready))]
            self._ready[key] = ready
        return self._ready[key]


def _path(header: dict[str, Any], key: str) -> Path | None:
    value = header.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value or "\0" in value:
        raise BadRequest(f'"{key}" must be a path, got {value!r}')
    return Path(value)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve requests on stdin until it ends."""
    parser = argparse.ArgumentParser(prog="planograms.worker", description=__doc__)
    parser.add_argument("--model", type=Path, default=None, help="a detector (.onnx)")
    parser.add_argument("--threads", type=int, default=2, help="cores to use")
    given = parser.parse_args(arguments)
    answers = own_stdout()
    looker = Looker(given.model, threads=given.threads)
    model = {"name": looker.detector.facts.name, "version": looker.detector.facts.version}
    serve(JudgeHandler(looker), sys.stdin.buffer, answers, ready={"model": model})


if __name__ == "__main__":
    main()
