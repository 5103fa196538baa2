"""How long the stages of a look take on this machine, and how much memory. Prints nothing.

Beside them, in the same rounds: the least that any program would need (decode the photo, run the
network), and, where they are asked for, the naming of facings from a catalogue, and `ultralytics
predict` with the same weights where it is installed.
"""

import os
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import cv2
import numpy as np

from storepulse.errors import BadInput
from vision.detector import default_model
from vision.faces import FaceFinder
from vision.look import Looker
from vision.memory import give_back, one_heap
from vision.photos import read_photo
from vision.products.bench import recognition
from vision.tags.reading import AT_ONCE_PX, READING_S_MAX, TagReader


@dataclass(frozen=True, slots=True)
class StageTime:
    """One stage over the runs, in milliseconds."""

    stage: str
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Bench:
    """What a photo costs, the model being loaded."""

    photo: str
    megapixels: float
    runs: int
    threads: int
    load_ms: float
    """Once: loading the model and its first, idle run."""
    stages: tuple[StageTime, ...]
    """"total" is the look; "blur" and "with_blur" the copy to be kept, which can wait; "bare" is
    decoding and the networks' runs alone (facings and gaps, on pictures that are ready), and
    "bare_facings" without those of the gap network; "recognise" names facings; "tags" reads the
    price tags and "with_tags" is from the photo to its prices; "ultralytics" is its own predict,
    from file to boxes."""
    overhead: float
    """Total over bare, of the p50."""
    overhead_facings: float
    """Total over bare_facings: what the whole look costs beside the detector alone."""
    faster_than_ultralytics: float | None
    """Its p50 over that of reading, detecting and choosing, which is what it does too; None: it was
    not asked for."""
    cpu_ms_p50: float
    """Work of all threads for look and blur; on a busy machine this alone tells the cost."""
    peak_memory_mb: float
    """Of the whole process, Python and its libraries included, after looking and blurring."""
    tags_late: int | None
    """Of the runs, those in which the time for reading tags ended before all were read; None: tags
    were not asked for."""
    recognised: int
    """Facings named in the stage "recognise"; 0: it was not asked for."""
    references: int
    """Pictures in the catalogue that they were named from."""
    busy: float
    """Processes that ran or waited for a core, averaged over the last minute."""


Rival = Callable[[], float]
"""One prediction by another program: its milliseconds."""


def bench(
    photo: Path,
    *,
    model: Path | None,
    threads: int,
    runs: int,
    against_ultralytics: bool = False,
    facings: int = 0,
    references: int = 300,
    prices: bool = False,
) -> Bench:
    """Look at one photo several times.

    Args:
        facings: so many of its facings are named too, from a drawn catalogue.
        references: pictures in that catalogue.
        prices: its tags are read too, within the time that a node takes for it.
    Raises:
        NoTextReader: tags were asked for and the `ocr` extra is not installed.
        UnreadablePhoto, BadModel, NoFaceFinder: as when looking.
        BadInput: ultralytics was asked for and is not installed, or there is no facing to name.
    """
    one_heap()  # as the node's children do
    started = time.perf_counter()
    looker, finder = Looker(model, threads=threads), FaceFinder(threads=threads)
    load_ms = (time.perf_counter() - started) * 1e3
    facings_alone, gaps_alone = _least(looker, photo)
    times: dict[str, list[float]] = {}
    cpu: list[float] = []
    for _ in range(runs):
        worked = time.process_time()
        read, seen = looker.look_at(photo)
        started = time.perf_counter()
        looker.rest()  # as the node's child does
        give_back()
        finder.blur(read.rgb)
        blur_ms = (time.perf_counter() - started) * 1e3
        cpu.append((time.process_time() - worked) * 1e3)
        total = seen.timings_ms["total"]
        decoded_ms, gaps_ms = facings_alone(), gaps_alone()
        for stage, ms in {
            **seen.timings_ms, "blur": blur_ms, "with_blur": total + blur_ms,
            "bare": decoded_ms + gaps_ms, "bare_facings": decoded_ms,
        }.items():  # fmt: skip
            times.setdefault(stage, []).append(ms)
    if facings:
        times["recognise"] = _recognising(
            looker, photo, facings=facings, references=references, threads=threads, runs=runs
        )
    late = _reading_tags(looker, photo, threads=threads, runs=runs, times=times) if prices else None
    # Linux counts in kibibytes. Before another program's libraries are loaded.
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    faster = None
    if against_ultralytics:
        faster = _race(looker, photo, model or default_model(), runs=runs, times=times)
    middle = {stage: float(np.median(of)) for stage, of in times.items()}
    return Bench(
        photo=read.file,
        megapixels=round(read.width * read.height / 1e6, 1),
        runs=runs,
        threads=threads,
        load_ms=round(load_ms, 1),
        stages=tuple(_stage(stage, values) for stage, values in times.items()),
        overhead=round(middle["total"] / middle["bare"], 2),
        overhead_facings=round(middle["total"] / middle["bare_facings"], 2),
        faster_than_ultralytics=faster,
        cpu_ms_p50=_stage("cpu", cpu).p50_ms,
        peak_memory_mb=round(peak_mb, 1),
        tags_late=late,
        recognised=facings,
        references=references if facings else 0,
        busy=round(os.getloadavg()[0], 1),
    )


def _least(looker: Looker, photo: Path) -> tuple[Callable[[], float], Callable[[], float]]:
    """What any program would need, in milliseconds, on pictures made ready: decoding at a half and
    running the network of facings; and running that of gaps."""
    data = np.frombuffer(photo.read_bytes(), np.uint8)
    read, seen = looker.look_at(photo)
    ready = looker.detector.ready(read.rgb)
    boxes = np.array([one.box_xyxy_px for one in seen.facings]).reshape(-1, 4)
    gaps = looker.gap_eyes.bare(boxes, rgb=read.rgb, scale=read.scale)

    def facings_alone() -> float:
        started = time.perf_counter()
        cv2.imdecode(data, cv2.IMREAD_REDUCED_COLOR_2)
        for picture in ready:
            looker.detector.run_bare(picture)
        return (time.perf_counter() - started) * 1e3

    def gaps_alone() -> float:
        started = time.perf_counter()
        gaps()
        return (time.perf_counter() - started) * 1e3

    return facings_alone, gaps_alone


def _recognising(
    looker: Looker, photo: Path, *, facings: int, references: int, threads: int, runs: int
) -> list[float]:
    """Milliseconds for naming facings, from the picture that was looked at, warm."""
    read, seen = looker.look_at(photo)
    if not seen.facings:
        raise BadInput(f"--facings: {photo} shows none; give a photo of a shelf")
    boxes = np.array([one.box_xyxy_px for one in seen.facings]) * read.scale
    once = recognition(read.rgb, boxes, facings=facings, references=references, threads=threads)
    once()
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        once()
        times.append((time.perf_counter() - started) * 1e3)
    return times


def _reading_tags(
    looker: Looker, photo: Path, *, threads: int, runs: int, times: dict[str, list[float]]
) -> int:
    """Add "tags" and, with the look before, "with_tags" to the times, the reader being loaded.

    As a node does whose plan has a price for every facing, but in this process.

    Returns:
        In how many runs the time ended first.
    """
    from vision.tags.rapid import RapidReader

    reader = TagReader(RapidReader(threads=threads), at_once_px=AT_ONCE_PX)
    late = 0
    for run in range(runs + 1):
        _, seen = looker.look_at(photo)
        started = time.perf_counter()
        ends, ended = started + READING_S_MAX, False

        def in_time(ends: float = ends) -> bool:
            nonlocal ended
            ended = ended or time.perf_counter() >= ends
            return not ended

        reader.read(photo, seen, near=[one.box_xyxy_px for one in seen.facings], in_time=in_time)
        ms = (time.perf_counter() - started) * 1e3
        if run:  # the first one loads
            times.setdefault("tags", []).append(ms)
            times.setdefault("with_tags", []).append(seen.timings_ms["total"] + ms)
            late += ended
    return late


def _race(
    looker: Looker, photo: Path, model: Path, *, runs: int, times: dict[str, list[float]]
) -> float:
    """Ultralytics and our file-to-boxes in turn; adds both to the times."""
    try:
        compare = import_module("vision.training.compare")
    except ModuleNotFoundError as error:
        raise BadInput(
            f"--against-ultralytics needs {error.name}: pip install 'storepulse[train]'"
        ) from error
    with tempfile.TemporaryDirectory() as folder:
        rival: Rival = compare.predictor(
            model, photo, input_px=looker.detector.facts.input_px, folder=Path(folder)
        )
        rival()  # the first one loads
        ours, theirs = [], []
        for _ in range(runs):
            started = time.perf_counter()
            looker.detector.find(read_photo(photo).rgb)
            ours.append((time.perf_counter() - started) * 1e3)
            theirs.append(rival())
    times["file_to_boxes"], times["ultralytics"] = ours, theirs
    return round(float(np.median(theirs) / np.median(ours)), 2)


def _stage(stage: str, ms: Sequence[float]) -> StageTime:
    return StageTime(
        stage, round(float(np.percentile(ms, 50)), 1), round(float(np.percentile(ms, 95)), 1)
    )
