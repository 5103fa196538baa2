"""`storepulse planogram validate|diff|bench`. Thin: the work is elsewhere."""

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from planograms.cropping import check_pictures
from planograms.diff import CHANGES_JSON, changes
from planograms.diff_drawing import diff_as_svg
from planograms.errors import BadPlanogram
from planograms.exchange import FORMATS, read_planograms
from planograms.files import write_file
from planograms.formats.psa_write import write_psa
from planograms.model import Planogram, Position, Product, Shelf
from storepulse.errors import BadInput

JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]
_TIMES: Final = 7
BENCH_POSITIONS: Final = 5_000
_IMPORT_S_MAX: Final = 1.0
_FROM_PHOTO_S_MAX: Final = 2.0


def validate(
    files: Annotated[list[Path], typer.Argument(help="Planogram files, in any format.")],
    format_: Annotated[
        str | None,
        typer.Option("--format", help=f"One of {', '.join(FORMATS)}."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say whether planogram files can be used; else file, line, field and what is allowed.

    Nothing is written. Exit code 2 where one of them cannot be used.

    Example: storepulse planogram validate chain.psa plans/*.json
    """  # fmt: skip
    told: list[dict[str, object]] = []
    for file in files:
        try:
            found = read_planograms(file, made_at=datetime.now(UTC), format_=format_)
            for each in found:
                check_pictures(each)
        except BadInput as error:
            told.append({"file": str(file), "ok": False, "error": str(error)})
            continue
        told.append({"file": str(file), "ok": True, "planograms": [_short(each) for each in found]})
    wrong = [one for one in told if not one["ok"]]
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        for one in told:
            named = one.get("planograms")
            if isinstance(named, list):
                typer.echo(
                    f"{one['file']}: good: " + "; ".join(str(each["words"]) for each in named)
                )
    if wrong and as_json:
        raise typer.Exit(2)
    if wrong:
        for one in wrong[:-1]:
            Console(stderr=True, soft_wrap=True).print(str(one["error"]), markup=False)
        raise BadPlanogram(str(wrong[-1]["error"]))


def _short(planogram: Planogram) -> dict[str, object]:
    words = (
        f"{planogram.id} version {planogram.version}, {len(planogram.positions)} positions on "
        f"{len(planogram.shelves)} shelves, {len(planogram.products)} products"
    )
    return {"id": planogram.id, "version": planogram.version, "words": words}


def diff(
    old: Annotated[Path, typer.Argument(help="A planogram, in any format.")],
    new: Annotated[Path, typer.Argument(help="Its other version.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Draw both into this .svg file.")
    ] = None,
    id_: Annotated[str, typer.Option("--id", help="Which, of files with several.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Say what changed from one version of a planogram to another, in words and drawn.

    Example: storepulse planogram diff plans/tea-1.json plans/tea-2.json -o changes.svg
    """
    before, after = _one(old, id_), _one(new, id_)
    found = changes(before, after)
    if output is not None:
        if output.suffix.lower() != ".svg":
            raise BadPlanogram(f"-o {output}: the name must end in .svg")
        write_file(output, diff_as_svg(before, after, found).encode("utf-8"))
    if as_json:
        typer.echo(CHANGES_JSON.dump_json(found).decode())
        return
    for number, change in enumerate(found, 1):
        typer.echo(f"{number}. {change.words.en}")
    if not found:
        typer.echo("nothing changed")


def _one(file: Path, id_: str) -> Planogram:
    found = read_planograms(file, made_at=datetime.now(UTC))
    mine = [each for each in found if id_ in ("", each.id)]
    if len(mine) != 1:
        names = ", ".join(each.id for each in found)
        raise BadPlanogram(f"{file}: say which planogram with --id: {names}")
    return mine[0]


def bench(
    photo: Annotated[
        Path | None, typer.Option(help="Also time a planogram made from this photo.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Time the import of a PSA of 5,000 positions, and a planogram from a photo.

    Exit code 1 where one takes longer than it may: 1 s to import, 2 s from a photo.

    Example: storepulse planogram bench --photo shelf.jpg
    """
    told = [_timed("import of a PSA of 5,000 positions", _IMPORT_S_MAX, _import_times())]
    if photo is not None:
        told.append(_timed("planogram from a photo", _FROM_PHOTO_S_MAX, _from_photo_times(photo)))
    if as_json:
        typer.echo(json.dumps(told))
    else:
        table = Table("what", "n", "median s", "90 % of runs, s", "CPU s", "at most s")
        for one in told:
            table.add_row(
                str(one["what"]), str(one["n"]), f"{one['median_s']:.3f}",
                f"{one['low_s']:.3f} to {one['high_s']:.3f}", f"{one['cpu_s']:.3f}",
                f"{one['s_max']:g}",
            )  # fmt: skip
        Console().print(table)
    if any(not one["ok"] for one in told):
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class _Took:
    """One run: by the clock on the wall, and of the processor, all threads together."""

    wall_s: float
    cpu_s: float


def _took(work: Callable[[], object]) -> _Took:
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    work()
    return _Took(time.perf_counter() - wall_s, time.process_time() - cpu_s)


def _timed(what: str, s_max: float, runs: Sequence[_Took]) -> dict[str, object]:
    wall = sorted(run.wall_s for run in runs)
    # Of few runs the 5th and 95th percentile are the first and the last.
    return {
        "what": what, "n": len(wall), "median_s": round(median(wall), 4),
        "low_s": round(wall[0], 4), "high_s": round(wall[-1], 4),
        "cpu_s": round(median(run.cpu_s for run in runs), 4), "s_max": s_max,
        "ok": median(wall) <= s_max,
    }  # fmt: skip


def _import_times() -> list[_Took]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bench.psa"
        file.write_bytes(write_psa(large_bays(BENCH_POSITIONS), name="bench.psa"))
        found = read_planograms(file, made_at=datetime.now(UTC))
        assert sum(len(each.positions) for each in found) == BENCH_POSITIONS
        return [
            _took(lambda: read_planograms(file, made_at=datetime.now(UTC))) for _ in range(_TIMES)
        ]


def _from_photo_times(photo: Path) -> list[_Took]:
    from planograms.from_photo import planogram_from_photo
    from vision.look import Looker

    looker = Looker()
    content = photo.read_bytes() if photo.is_file() else b""
    if not content:
        raise BadInput(f"{photo}: no such photo")

    def make() -> None:
        seen, observation = looker.look_at(content, name=photo.name)
        planogram_from_photo(seen, observation, id="bench", bay="b", made_at=datetime.now(UTC))

    make()  # the first run of a network takes three times as long as the next
    return [_took(make) for _ in range(_TIMES)]


def large_bays(positions: int) -> list[Planogram]:
    """Bays of 250 positions each, 500 products between them: as large as a chain's file gets."""
    bays = []
    for number in range(positions // 250):
        rows = [[(number * 37 + row * 11 + k // 2) % 500 for k in range(25)] for row in range(10)]
        bays.append(replace(_bay(rows), id=f"bay-{number + 1}", name=f"bay {number + 1}"))
    return bays


def _bay(rows: list[list[int]]) -> Planogram:
    used = sorted({product for row in rows for product in row})
    shelves = tuple(
        Shelf(row=row, line_xyxy=(0, 2500 - 250 * row, 2500, 2500 - 250 * row), height=200)
        for row in range(len(rows))
    )
    positions = tuple(
        Position(
            id=f"r{row}-p{k + 1:02d}", row=row, index=k, product=f"p{product}",
            box_xyxy=(100.0 * k, 2300.0 - 250 * row, 100.0 * k + 90, 2500.0 - 250 * row),
        )
        for row, products in enumerate(rows)
        for k, product in enumerate(products)
    )  # fmt: skip
    return Planogram(
        id="bay", name="bay", bay="bay", version=1, made_at=datetime(2026, 11, 22, tzinfo=UTC),
        source="plan", unit="mm", width=2500, height=2500, shelves=shelves, positions=positions,
        products=tuple(
            Product(id=f"p{k}", sku=f"sku-{k:04d}", name=f"Product {k}", width_mm=90,
                    height_mm=200, depth_mm=80, brand=f"brand {k % 40}")
            for k in used
        ),
    )  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Put these commands beside those of `planograms.cli`."""
    for command in (validate, diff, bench):
        app.command()(command)
