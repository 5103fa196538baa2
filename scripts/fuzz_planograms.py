"""Fuzz the importers of planogram files with atheris: no crash, no hang, nothing half-imported.

    python scripts/fuzz_planograms.py psa --minutes 10 [--corpus FOLDER]

What a file may end in is a planogram, or one `BadPlanogram` line. What was read is written in every
format and read again. Ends with exit code 0 and libFuzzer's count of runs; a finding ends it at
once, and is printed with the bytes that make it. atheris is no dependency: `pip install atheris`.
"""

import argparse
import io
import sys
import tempfile
import zipfile
from contextlib import redirect_stdout, suppress
from datetime import UTC, datetime
from pathlib import Path

import atheris  # type: ignore[import-untyped]

with atheris.instrument_imports(include=["planograms"]):
    from planograms.errors import BadPlanogram
    from planograms.exchange import FORMATS
    from planograms.exchange_commands import import_
    from planograms.formats.azure import write_azure
    from planograms.formats.csv_file import read_csv
    from planograms.formats.csv_file import template as csv_template
    from planograms.formats.excel import template as excel_template
    from planograms.formats.own import write_own
    from planograms.formats.psa_write import write_psa

AT = datetime(2026, 11, 22, tzinfo=UTC)
SHEET = "xl/worksheets/sheet1.xml"
RUN_S_MAX = 20
ENDINGS = {"json": ".json", "psa": ".psa", "csv": ".csv", "excel": ".xlsx", "azure": ".json"}


def seeds() -> dict[str, list[bytes]]:
    """A good file of each format."""
    (plan,) = read_csv(csv_template(), name="template.csv", made_at=AT)
    return {
        "json": [write_own([plan]), write_own([plan, plan])],
        "psa": [write_psa([plan], name="x.psa")],
        "csv": [csv_template(), csv_template().replace(b",", b";"), csv_template() * 2],
        "excel": [excel_template(), b"\x01" + _sheet()],
        "azure": [write_azure(plan)],
    }


def _sheet() -> bytes:
    with zipfile.ZipFile(io.BytesIO(excel_template())) as book:
        return book.read(SHEET)


def workbook_of(content: bytes) -> bytes:
    """The bytes as they are; after a 1 they are a sheet inside a workbook that is whole."""
    if not content.startswith(b"\x01"):
        return content
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(excel_template())) as book,
        zipfile.ZipFile(out, "w") as made,
    ):
        for name in book.namelist():
            made.writestr(name, content[1:] if name == SHEET else book.read(name))
    return out.getvalue()


class Fuzz:
    """One importer."""

    def __init__(self, name: str, folder: Path) -> None:
        self.format = FORMATS[name]
        self.name = name
        self.file = folder / f"in{ENDINGS[name]}"
        self.out = folder / "out"
        self.runs = 0
        self.read = 0

    def __call__(self, content: bytes) -> None:
        """Read, write, read again. Anything but `BadPlanogram` is a finding."""
        self.runs += 1
        if self.name == "excel":
            content = workbook_of(content)
        try:
            found = self.format.read(content, "in", AT)
        except BadPlanogram as error:
            if not str(error).strip():
                raise AssertionError("a refusal without words") from error
            if self.runs % 50 == 0:
                self._import(content)
            return
        self.read += 1
        if len({each.id for each in found}) < len(found):
            return  # refused by whoever reads files; side by side they are one to a table
        for each in FORMATS.values():
            # A format may refuse what it cannot hold, at either end, in words.
            with suppress(BadPlanogram):
                each.read(each.write(found, "out"), "again", AT)
        self._import(content)

    def _import(self, content: bytes) -> None:
        """All of a file, or nothing, and nothing outside the folder."""
        self.file.write_bytes(content)
        try:
            with redirect_stdout(io.StringIO()):
                import_(self.file, self.out, format_=self.name, bay="", version=None)
        except BadPlanogram:
            assert not any(self.out.rglob("*")), "half of it was imported"
        for each in self.out.rglob("*"):
            each.unlink()
        assert {each.name for each in self.out.parent.iterdir()} <= {self.file.name, "out"}


def main() -> None:
    """Read the arguments, and fuzz until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("format", choices=[*FORMATS])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--corpus", type=Path, default=None)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="storepulse-fuzz-") as folder:
        corpus = given.corpus or Path(folder) / "corpus"
        corpus.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(seeds()[given.format]):
            (corpus / f"seed-{number}").write_bytes(seed)
        place = Path(folder) / "place"
        place.mkdir()
        fuzz = Fuzz(given.format, place)
        atheris.Setup(
            [
                sys.argv[0], str(corpus), f"-max_total_time={round(given.minutes * 60)}",
                f"-timeout={RUN_S_MAX}", "-rss_limit_mb=2500", "-max_len=20000",
                f"-artifact_prefix={Path.cwd()}/", "-print_final_stats=1",
            ],
            fuzz,
        )  # fmt: skip
        atheris.Fuzz()


if __name__ == "__main__":
    main()
