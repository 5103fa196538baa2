"""The child process that answers one request after another. Does not restart itself.

`serve` is the loop, for any handler: whoever needs a supervised child (the judging of photos, for
one) gives it a function. `python -m vision.worker` serves the looking at photos:

    child -> parent   {"ready": true, ...}                        once, when the model is loaded
    parent -> child   {"photo": "shelf.jpg", "id": "7"}           a path on this machine
    parent -> child   {"name": "shelf.jpg", "bytes": 812345}      or the photo after the line
    child -> parent   {"photo": {...}, "facings": [...], ...}     the observation, "id" echoed
    child -> parent   {"error": "...", "kind": "...", "bad_input": true, "retryable": false}

One request is in flight at a time. The child ends when its stdin ends.
"""

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from storepulse.errors import BadInput, StorepulseError
from vision.framing import Frame, ReadsBytes, encode_frame, read_frame

Handler = Callable[[dict[str, Any], bytes], dict[str, Any]]
"""Request header and body -> answer, both JSON objects."""


class WritesBytes(Protocol):
    """A stream that takes bytes, such as `sys.stdout.buffer`."""

    def write(self, data: bytes, /) -> object: ...

    def flush(self) -> object: ...


def serve(
    handle: Handler,
    stdin: ReadsBytes,
    stdout: WritesBytes,
    *,
    ready: Mapping[str, Any] | None = None,
) -> None:
    """Say ready, then answer each request of `stdin` on `stdout` until `stdin` ends.

    Whatever `handle` raises becomes an answer with "error", and the loop goes on: one bad photo
    must not cost the next one a model load. A request's "id" is echoed in its answer.

    Args:
        handle: called with the header (without "bytes") and the body of each request.
        ready: what the first message says beside {"ready": true}, such as the model's name.
    Raises:
        LostStep: `stdin` holds no frames any more.
    """

    def say(answer: dict[str, Any]) -> None:
        stdout.write(encode_frame(Frame(answer)))
        stdout.flush()

    say({"ready": True, **(ready or {})})
    while (request := read_frame(stdin)) is not None:
        answer = _answer(handle, request)
        if "id" in request.header:
            answer["id"] = request.header["id"]
        say(answer)


def _answer(handle: Handler, request: Frame) -> dict[str, Any]:
    try:
        answer = handle(request.header, request.body)
        encode_frame(Frame(answer))  # what cannot be sent is an error of this request, not a crash
    except StorepulseError as error:
        return {
            "error": str(error),
            "kind": type(error).__name__,
            "bad_input": isinstance(error, BadInput),
            "retryable": error.retryable,
        }
    except Exception as error:
        # The parent logs the child's stderr; the phone gets the short words.
        traceback.print_exc(file=sys.stderr)
        return {
            "error": f"the photo could not be judged ({type(error).__name__}); send it again",
            "kind": type(error).__name__,
            "bad_input": False,
            "retryable": True,
        }
    return answer


def own_stdout() -> BinaryIO:
    """Stdout for frames alone; from now on whatever else prints goes to stderr.

    A native library that prints one line would otherwise break the step of the two sides.
    """
    frames = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return frames


def main() -> None:
    """Serve the looking at photos until stdin ends."""
    # Imported here: whoever uses `serve` with another handler needs no detector.
    from vision.look import Looker
    from vision.observation import OBSERVATION_JSON

    parser = argparse.ArgumentParser(prog="python -m vision.worker", description=main.__doc__)
    parser.add_argument("--model", type=Path, help="an exported detector, in place of ours")
    parser.add_argument("--threads", type=int, default=2, help="cores to use")
    given = parser.parse_args()
    frames = own_stdout()
    try:
        looker = Looker(given.model, threads=given.threads)
    except StorepulseError as error:
        sys.exit(f"vision.worker: {error}")

    def look(header: dict[str, Any], body: bytes) -> dict[str, Any]:
        path = header.get("photo")
        if not body and not isinstance(path, str):
            raise BadInput('a request needs "photo", a path, or the bytes of a photo')
        name = header.get("name")
        source = body or Path(str(path))
        _, seen = looker.look_at(source, name=name if isinstance(name, str) else None)
        answer: dict[str, Any] = OBSERVATION_JSON.dump_python(seen, mode="json")
        return answer

    serve(look, sys.stdin.buffer, frames, ready={"model": looker.detector.facts.version})


if __name__ == "__main__":
    main()
