"""How long a phone's photo takes from its bytes to the observation, the model being loaded."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PIL import Image

from storepulse.eval.data_folders import WrongData, need
from storepulse.eval.figures import Figure, Report
from storepulse.eval.progress import Steps
from vision.bench import Bench, bench

MEGAPIXELS_MIN: Final = 12.0
_JPEG_ENDINGS: Final = (".jpg", ".jpeg")


def measure_answer_time(
    folder: Path, *, model: Path | None, threads: int, runs: int, steps: Steps
) -> Report:
    """Time the JPEG photos of 12 megapixels or more in `full/`.

    Raises:
        WrongData: the folder holds none.
        UnreadablePhoto, BadModel: as when looking.
    """
    need(folder, "full")
    photos = large_photos(folder / "full", megapixels_min=MEGAPIXELS_MIN)
    return report_of(
        [
            bench(photo, model=model, threads=threads, runs=runs)
            for photo in steps(photos, f"{runs} looks at each photo")
        ]
    )


def large_photos(folder: Path, *, megapixels_min: float) -> list[Path]:
    """The JPEG photos of at least this size, by name; no pixel is decoded.

    Raises:
        WrongData: there is none.
    """
    large = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in _JPEG_ENDINGS:
            continue
        try:
            with Image.open(path) as image:
                pixels = image.width * image.height
        except OSError as error:
            raise WrongData(f"{path} cannot be read as a photo") from error
        if pixels >= megapixels_min * 1e6:
            large.append(path)
    if not large:
        raise WrongData(f"{folder} holds no JPEG of {megapixels_min:g} megapixels or more")
    return large


def report_of(benches: Sequence[Bench]) -> Report:
    """The figures of each photo; its name tells which."""
    figures = []
    for one in benches:
        of = f"{Path(one.photo).name}, {one.megapixels:g} MP"
        for stage in one.stages:
            figures += [
                Figure(name=f"{stage.stage}_p50", of=of, value=stage.p50_ms, n=one.runs, unit="ms"),
                Figure(name=f"{stage.stage}_p95", of=of, value=stage.p95_ms, n=one.runs, unit="ms"),
            ]
        figures.append(Figure(name="load", of=of, value=one.load_ms, unit="ms"))
        figures.append(Figure(name="peak_memory", of=of, value=one.peak_memory_mb, unit="MB"))
    return Report(
        measure="answer-time",
        settings={
            "photos": len(benches), "runs": benches[0].runs if benches else 0,
            "threads": benches[0].threads if benches else 0,
        },
        figures=tuple(figures),
        notes=(
            "total: from the photo's bytes to the observation; blur and with_blur: the copy that "
            "is kept, which can wait",
        ),
    )  # fmt: skip
