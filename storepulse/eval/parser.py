"""Read captures whose numbers of frames and probe requests are known, and count the agreements."""

from dataclasses import dataclass
from pathlib import Path

from probes.captures import Capture, CaptureWarning
from probes.errors import CaptureRefused
from probes.frames import FrameReader
from storepulse.eval.data_folders import WrongData, need, number_in, rows_of
from storepulse.eval.figures import Figure, Report
from storepulse.eval.progress import Steps


@dataclass(frozen=True, slots=True)
class Reading:
    """One capture: frames and probe requests as the manifest has them, and as they were read."""

    file: str
    frames: int
    probe_requests: int
    frames_read: int
    probe_requests_read: int
    refused: bool
    note: str = ""
    """What the manifest says of it."""

    @property
    def agrees(self) -> bool:
        return (self.frames, self.probe_requests) == (self.frames_read, self.probe_requests_read)


def measure_parser(folder: Path, *, steps: Steps) -> Report:
    """Read every file of `parser/manifest.csv`.

    Raises:
        WrongData: the folder does not hold it.
    """
    need(folder, "parser/manifest.csv")
    rows = rows_of(folder / "parser/manifest.csv", ["file", "frames", "probe_requests"])
    readings = []
    for row in steps(rows, "reading captures"):
        frames, probe_requests, refused = read_one(folder / "parser" / row["file"])
        readings.append(
            Reading(
                row["file"], int(number_in(row, "frames")),
                int(number_in(row, "probe_requests")), frames, probe_requests, refused,
                row.get("note") or "",
            )
        )  # fmt: skip
    return report_of(readings)


def read_one(path: Path) -> tuple[int, int, bool]:
    """Frames and probe requests of a capture, and whether it was refused (then none of either).

    Raises:
        WrongData: there is no such file.
    """
    if not path.is_file():
        raise WrongData(f"{path} is in the manifest, but not there")
    reader = FrameReader()
    try:
        capture = Capture(path, warn=_expected)
    except CaptureRefused:
        return 0, 0, True
    try:
        for record in capture.records():
            reader.read(record)
    finally:
        capture.close()
    return reader.counts.frames, reader.counts.probe_requests, False


def _expected(warning: CaptureWarning) -> None:
    """Many of these files are broken on purpose."""


def report_of(readings: list[Reading]) -> Report:
    """The figures, and each file that disagrees."""
    apart = [reading for reading in readings if not reading.agrees]
    agree = len(readings) - len(apart)
    return Report(
        measure="parser",
        settings={"files": len(readings)},
        figures=(
            Figure(name="files_that_agree", value=float(agree), n=len(readings)),
            Figure(name="refused", value=float(sum(one.refused for one in readings))),
            Figure(name="frames", value=float(sum(one.frames_read for one in readings))),
            Figure(
                name="probe_requests",
                value=float(sum(one.probe_requests_read for one in readings)),
            ),
        ),
        notes=tuple(
            f"{one.file}: {one.frames_read} frames and {one.probe_requests_read} probe requests "
            f"were read, {one.frames} and {one.probe_requests} are there"
            + (f" ({one.note})" if one.note else "")
            for one in apart
        ),
    )
