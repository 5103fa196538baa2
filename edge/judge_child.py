"""The node's judging child: `python -m edge.judge_child`. One photo in; judgement, pictures out.

Speaks `vision.framing`, as `vision.worker` has it. Each photo takes two requests, so that the
clerk's answer does not wait for the search for faces:

    parent -> child   {"do": "judge", "photo": PATH, "uuid", "bay", "planogram": PATH, "shop",
                       "source", "at": when it came, ISO 8601, "round": its key or "",
                       "earlier": {position: right}, "resting": [SKU, ...], "before":
                       [{"checklist", "photo": PATH, "width", "places": {item: box}}, ...]}
    child -> parent   {"judgement": {...}, "checklist": {...} or null, "facts": [...],
                       "signature": the photo from afar, hex, "taken": what its camera says,
                       "unchanged": {checklist: [items whose place looks as before]},
                       "priced": whether its plan has prices}
    parent -> child   {"do": "keep", "kept": PATH, "annotated": PATH, "anchors": PATH, and the
                       keys of "judge"}
    child -> parent   {}

Which bay a photo shows is asked before it is judged, with the photo as the request's body:

    parent -> child   {"do": "recognise", "shop", "known": {bay: {"planogram": PATH or null,
                       "photos": [PATH, ...]}}}
    child -> parent   {"by", "bay", "candidates": [{"bay", "confidence"}, ...]}

The photo is judged as it is; then people are blurred, and only from the blurred pixels are the two
pictures written that stay. Neither has EXIF: they are made from pixels alone.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

import cv2
import numpy as np

from edge.bay_eyes import BayEyes
from planograms.after import signature
from planograms.anchors import anchor_file
from planograms.check import not_told
from planograms.checklist import checklist_of
from planograms.drawing import draw_marks, marks_of
from planograms.facts import facts_of
from planograms.files import read_planogram
from planograms.judge import (
    JUDGEMENT_JSON,
    Judgement,
    Prepared,
    judge_observation,
    key_points_of,
    prepare,
)
from planograms.model import Planogram
from planograms.rounds import Within
from planograms.second_answer import has_prices
from planograms.unchanged import unchanged_places
from storepulse.checklists import CHECKLIST_JSON, Checklist
from storepulse.errors import BadInput, Unavailable
from storepulse.facts import FACT_JSON, Fact
from storepulse.secret_files import PUBLIC, write_whole
from vision.detector import Limits
from vision.errors import UnreadablePhoto
from vision.faces import FaceFinder
from vision.look import Looker
from vision.memory import give_back, one_heap
from vision.observation import Observation
from vision.photos import Photo, Pixels, read_photo, with_time
from vision.register import Features, features
from vision.worker import own_stdout, serve

METHOD: Final = "edge.judge_child/1"
_PLANOGRAMS_KEPT: Final = 8
_POINTS_KEPT: Final = 16
"""Photos by their folder whose key points are kept, 0.8 MB each at most: the next photo of a bay is
held against its last ones."""
_FIRST_LOOK_SHAPE: Final = (2016, 1512, 3)
"""A phone's photo at working size, upright."""
_JPEG_QUALITY: Final = 85
"""A tag of 12 px height stays readable; 2048 x 1536 takes about 0.6 MB."""

Blur = Callable[[Pixels], Pixels]
"""A copy of the pixels with people made unknowable."""


class LooksAt(Protocol):
    """Eyes: what `vision.look.Looker` offers."""

    def look_at(
        self, source: Path | bytes, *, name: str | None = None
    ) -> tuple[Photo, Observation]:
        """Read a photo and look at it. Raises `UnreadablePhoto`."""
        ...

    def rest(self) -> None:
        """No photo comes for a while: let go of what is only kept to be quick."""
        ...


@dataclass(frozen=True, slots=True)
class _Judged:
    uuid: str
    photo: Photo
    judgement: Judgement
    checklist: Checklist
    plan: Planogram


class PhotoJudge:
    """Answers requests; keeps the last planograms ready, as a bay is photographed again."""

    def __init__(self, looker: LooksAt, blur: Blur) -> None:
        self._looker = looker
        self._blur = blur
        self._ready: dict[tuple[str, int, int], Prepared] = {}
        self._last: _Judged | None = None
        self._points: dict[Path, Features] = {}
        self._recognises = BayEyes()

    def __call__(self, header: dict[str, Any], body: bytes) -> dict[str, Any]:
        """Do what the header asks for.

        Raises:
            BadInput: the photo or the planogram cannot be used.
            Unavailable: a picture cannot be written, or people cannot be blurred.
        """
        if header["do"] == "keep":
            self._keep(header)
            return {}
        if header["do"] == "recognise":
            return self._recognises(header["shop"], header["known"], body)
        return self._answer(header)

    def _answer(self, header: dict[str, Any]) -> dict[str, Any]:
        started = time.perf_counter()
        judged = self._last = self._judge(header)
        at = datetime.fromisoformat(header["at"])
        facts = facts_of(
            judged.judgement, judged.plan, shop=header["shop"], photo=judged.uuid, taken_at=at,
            source=header["source"],
            within=Within(round=header.get("round", ""), earlier=header.get("earlier", {})),
        )  # fmt: skip
        unchanged = {
            one["checklist"]: sorted(self._unchanged(one, judged.photo))
            for one in header.get("before", ())
        }
        judge_s = round(time.perf_counter() - started, 3)
        facts += node_facts(judged.judgement, header, at=at, judge_s=judge_s)
        usable = judged.judgement.observation.photo.verdict == "usable"
        if judged.judgement.registration.pairs:
            # They were found for this one, and the bay's next photo is held against it.
            self._remember(Path(header["photo"]).parent, key_points_of(judged.photo))
        checklist = CHECKLIST_JSON.dump_python(judged.checklist, mode="json")
        return {
            "judgement": JUDGEMENT_JSON.dump_python(judged.judgement, mode="json"),
            "checklist": checklist if usable else None,
            "signature": signature(judged.photo.rgb).hex(),
            "taken": judged.photo.taken,
            "unchanged": unchanged,
            "priced": has_prices(judged.plan),
            "facts": [FACT_JSON.dump_python(fact, mode="json") for fact in facts],
        }

    def _keep(self, header: dict[str, Any]) -> None:
        judged = self._last
        if judged is None or judged.uuid != header["uuid"]:
            # Another photo came between, or this is another child: the same photo against the
            # same planogram is judged the same.
            judged = self._judge(header)
        self._last = None
        key_points_of.cache_clear()  # it holds the photo, people and all
        # Nobody waits for this part: what judging left free makes room for the search for faces,
        # and what that leaves free the next photo finds ready.
        self._looker.rest()
        give_back()
        blurred = self._blur(judged.photo.rgb)
        marks = marks_of(judged.checklist.items)
        note = not_told(judged.judgement)
        anchors = anchor_file(
            blurred, judged.photo.scale, judged.checklist.items, photo=judged.uuid
        )
        drawn = draw_marks(blurred, marks, scale=judged.photo.scale, note=note)
        _write_durably(Path(header["anchors"]), anchors)
        _write_jpeg(Path(header["kept"]), blurred, judged.photo.taken)
        _write_jpeg(Path(header["annotated"]), drawn, judged.photo.taken)

    def _judge(self, header: dict[str, Any]) -> _Judged:
        # The planogram first: a wrong one is told before the photo takes its second.
        ready = self._prepared(Path(header["planogram"]))
        photo, observation = self._looker.look_at(Path(header["photo"]), name="photo")
        judgement = judge_observation(photo, observation, ready)
        # One plan may hold in several bays: what is said is said of the one that was photographed.
        plan = replace(ready.planogram, bay=header["bay"])
        checklist = checklist_of(
            judgement, plan, shop=header["shop"], photo=header["uuid"],
            made_at=datetime.fromisoformat(header["at"]),
            resting=frozenset(header.get("resting", ())),
        )  # fmt: skip
        return _Judged(header["uuid"], photo, judgement, checklist, plan)

    def _unchanged(self, before: dict[str, Any], photo: Photo) -> frozenset[str]:
        """The items of an earlier photo whose place looks on this one as it did on that."""
        path = Path(before["photo"])
        try:
            earlier = read_photo(path, name="earlier photo")
        except UnreadablePhoto:
            return frozenset()
        if path.parent not in self._points:
            self._remember(path.parent, features(earlier.rgb))
        places = {name: tuple(box) for name, box in before["places"].items()}
        return unchanged_places(
            earlier.rgb, photo.rgb, places, before_scale=earlier.rgb.shape[1] / before["width"],
            points=(self._points[path.parent], key_points_of(photo)),
        )  # fmt: skip

    def _remember(self, folder: Path, points: Features) -> None:
        while len(self._points) >= _POINTS_KEPT:
            del self._points[next(iter(self._points))]
        self._points[folder] = points

    def _prepared(self, path: Path) -> Prepared:
        try:
            stat = path.stat()
            key = (str(path), stat.st_mtime_ns, stat.st_size)
        except OSError:
            key = (str(path), 0, 0)  # reading it says what is wrong
        if key not in self._ready:
            ready = prepare(read_planogram(path))
            while len(self._ready) >= _PLANOGRAMS_KEPT:
                del self._ready[next(iter(self._ready))]
            self._ready[key] = ready
        return self._ready[key]


def node_facts(
    judgement: Judgement, header: dict[str, Any], *, at: datetime, judge_s: float
) -> list[Fact]:
    """What the node says of itself for one photo: judged or refused, and how long it took."""
    refused = judgement.observation.photo.verdict == "refused"
    counted = "photos_refused" if refused else "photos_judged"
    return [
        Fact(
            id=f"{header['uuid']}:{metric}",
            shop=header["shop"],
            metric=metric,
            start=at,
            end=at,
            value=value,
            n=1,
            dims={"bay": header["bay"]},
            method=METHOD,
            source=header["source"],
        )
        for metric, value in ((counted, 1.0), ("judge_time", judge_s))
    ]


def _write_jpeg(path: Path, rgb: Pixels, taken: str | None) -> None:
    done, content = cv2.imencode(
        ".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    )
    if not done:
        raise BadInput(f"a picture of {rgb.shape[1]} x {rgb.shape[0]} pixels fits no JPEG")
    _write_durably(path, with_time(content.tobytes(), taken))


def _write_durably(path: Path, content: bytes) -> None:
    try:
        # The original is deleted for it: a power cut must not leave neither.
        write_whole(path, content, mode=PUBLIC)
    except OSError as error:
        raise Unavailable(f"{path} cannot be written: {error.strerror}") from error


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve requests on stdin until it ends.

    Raises:
        BadModel, NoFaceFinder: without eyes, or without a way to blur people, it does not start.
    """
    parser = argparse.ArgumentParser(prog="edge.judge_child", description=__doc__)
    parser.add_argument("--model", type=Path, default=None, help="a detector (.onnx)")
    parser.add_argument("--threads", type=int, default=2, help="cores to use")
    given = parser.parse_args(arguments)
    one_heap()
    answers = own_stdout()
    looker = Looker(given.model, threads=given.threads)
    faces = FaceFinder(threads=given.threads)
    # The first run of a network takes three times as long as the next: not on a clerk's photo.
    looker.detector.find_at_all(np.zeros(_FIRST_LOOK_SHAPE, np.uint8), [Limits()])
    model = {"name": looker.detector.facts.name, "version": looker.detector.facts.version}
    give_back()  # what loading needed
    judge = PhotoJudge(looker, lambda rgb: faces.blur(rgb)[0])
    serve(judge, sys.stdin.buffer, answers, ready={"model": model})


if __name__ == "__main__":
    main()
