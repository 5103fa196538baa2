"""How long the stages of a look take on this machine, and how much memory. Prints nothing."""

import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vision.faces import FaceFinder
from vision.look import Looker


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
    cpu_ms_p50: float
    """Work of all threads for look and blur; on a busy machine this alone tells the cost."""
    """"total" is the look; "blur" and "with_blur" the copy to be kept, which can wait."""
    peak_memory_mb: float
    """Of the whole process, Python and its libraries included."""


def bench(photo: Path, *, model: Path | None, threads: int, runs: int) -> Bench:
    """Look at one photo several times.

    Raises:
        UnreadablePhoto, BadModel, NoFaceFinder: as when looking.
    """
    started = time.perf_counter()
    looker, finder = Looker(model, threads=threads), FaceFinder()
    load_ms = (time.perf_counter() - started) * 1e3
    times: dict[str, list[float]] = {}
    cpu: list[float] = []
    for _ in range(runs):
        worked = time.process_time()
        read, seen = looker.look_at(photo)
        started = time.perf_counter()
        finder.blur(read.rgb)
        blur_ms = (time.perf_counter() - started) * 1e3
        cpu.append((time.process_time() - worked) * 1e3)
        total = seen.timings_ms["total"]
        for stage, ms in {
            **seen.timings_ms, "blur": blur_ms, "with_blur": total + blur_ms
        }.items():  # fmt: skip
            times.setdefault(stage, []).append(ms)
    return Bench(
        photo=read.file,
        megapixels=round(read.width * read.height / 1e6, 1),
        runs=runs,
        threads=threads,
        load_ms=round(load_ms, 1),
        stages=tuple(_stage(stage, values) for stage, values in times.items()),
        cpu_ms_p50=_stage("cpu", cpu).p50_ms,
        # Linux counts in kibibytes.
        peak_memory_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    )


def _stage(stage: str, ms: Sequence[float]) -> StageTime:
    return StageTime(
        stage, round(float(np.percentile(ms, 50)), 1), round(float(np.percentile(ms, 95)), 1)
    )
