"""`storepulse planogram import|export|template|schema|draw`. Thin: the work is elsewhere."""

import json
import re
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from planograms.errors import BadPlanogram
from planograms.exchange import FORMATS, read_planograms, workbooks, write_planograms
from planograms.files import read_planogram, write_file, write_planograms_whole
from planograms.formats.csv_file import template as csv_template
from planograms.formats.own import schema_as_text
from planograms.model import Planogram
from planograms.plan_drawing import as_png, as_svg
from planograms.scaling import in_mm
from planograms.versions import published, refuse_change

_NAMES = ", ".join(f"{each.name} ({each.meaning})" for each in FORMATS.values())

_FILE_NAME: Final = re.compile(r"[^/\\\x00-\x1f]{1,100}")

Format = Annotated[
    str | None, typer.Option("--format", help=f"By default told from the file: {_NAMES}.")
]


def import_(
    file: Annotated[Path, typer.Argument(help="A planogram file of another system.")],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="A .json file for one planogram, else a folder."),
    ],
    format_: Format = None,
    bay: Annotated[str, typer.Option(help="The bay it is for (one planogram).")] = "",
    version: Annotated[int | None, typer.Option(min=1, help="A change is a new version.")] = None,
    main_push: Annotated[
        list[str] | None, typer.Option(help="SKUs to be seen first; several times or with commas.")
    ] = None,
    publish: Annotated[
        bool, typer.Option("--publish", help="From now on this version cannot change.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Say what was read as JSON.")] = False,
) -> None:
    """Read planograms of other systems: all of a file, or nothing.

    Example: storepulse planogram import chain.psa -o plans/
    """
    now = datetime.now(UTC)
    found = read_planograms(file, made_at=now, format_=format_)
    if bay and len(found) > 1:
        raise BadPlanogram(f"--bay: {file} holds {len(found)} planograms; one bay fits one")
    pushed = {sku for given in main_push or [] for sku in given.split(",") if sku}
    found = tuple(_as_asked(each, bay, version, pushed) for each in found)
    unknown = pushed - {product.sku for each in found for product in each.products}
    if unknown:
        raise BadPlanogram(f"--main-push {sorted(unknown)[0]}: no product of {file} has this SKU")
    if publish:
        found = tuple(published(each, at=now) for each in found)
    targets = _targets(found, output)
    for target, planogram in targets:
        if target.exists():
            refuse_change(read_planogram(target), planogram)
    if output.suffix.lower() != ".json":
        _make_folder(output)
    write_planograms_whole(targets)
    if as_json:
        typer.echo(json.dumps([_said(target, each) for target, each in targets]))
        return
    for target, planogram in targets:
        facings = sum(each.facings * each.facings_high for each in planogram.positions)
        typer.echo(
            f"{target}: {len(planogram.positions)} positions, {facings} facings, "
            f"{len(planogram.shelves)} shelves, {len(planogram.products)} products"
        )


def _as_asked(planogram: Planogram, bay: str, version: int | None, pushed: set[str]) -> Planogram:
    products = tuple(
        replace(product, main_push=True) if product.sku in pushed else product
        for product in planogram.products
    )
    return replace(
        planogram, bay=bay or planogram.bay, version=version or planogram.version,
        products=products,
    )  # fmt: skip


def _targets(found: tuple[Planogram, ...], output: Path) -> list[tuple[Path, Planogram]]:
    if output.suffix.lower() == ".json":
        if len(found) > 1:
            raise BadPlanogram(
                f"-o {output}: the file holds {len(found)} planograms; name a folder for them"
            )
        return [(output, found[0])]
    for planogram in found:
        # The id comes from somebody's file: it must not lead out of the folder.
        if not _FILE_NAME.fullmatch(planogram.id) or planogram.id.startswith("."):
            raise BadPlanogram(
                f"-o {output}: id {planogram.id!r} cannot be a file's name; name a .json file for "
                "it, or change the id where the file was made"
            )
    return [(output / f"{planogram.id}.json", planogram) for planogram in found]


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadPlanogram(f"-o {folder}: cannot be made: {error.strerror}") from error


def _said(target: Path, planogram: Planogram) -> dict[str, object]:
    return {
        "file": str(target), "id": planogram.id, "name": planogram.name,
        "version": planogram.version, "positions": len(planogram.positions),
        "products": len(planogram.products), "shelves": len(planogram.shelves),
    }  # fmt: skip


def export(
    planograms: Annotated[list[Path], typer.Argument(help="Planograms, in any format.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Its ending tells the format.")],
    format_: Format = None,
    width_mm: Annotated[
        float | None,
        typer.Option(help="How wide the bay is: needed for planograms made from a photo."),
    ] = None,
) -> None:
    """Write planograms for another system: PSA, CSV, Excel, Azure, or ours; several in one file.

    Example: storepulse planogram export plans/tea.json plans/coffee.json -o chain.psa
    """
    now = datetime.now(UTC)
    found = [each for file in planograms for each in read_planograms(file, made_at=now)]
    if width_mm is not None:
        if not width_mm > 0:
            raise BadPlanogram(f"--width-mm {width_mm:g}: must be above 0")
        found = [in_mm(each, width_mm=width_mm) for each in found]
    write_planograms(output, found, format_=format_)
    typer.echo(f"{output}: {len(found)} planogram{'s' if len(found) > 1 else ''}")


def template(
    output: Annotated[Path, typer.Option("-o", "--output", help="A .xlsx or .csv file.")],
) -> None:
    """Write a table to fill in, with an example row; the workbook explains each column.

    Example: storepulse planogram template -o planogram.xlsx
    """
    if output.suffix.lower() == ".csv":
        write_file(output, csv_template())
    elif output.suffix.lower() == ".xlsx":
        with workbooks(str(output)):
            from planograms.formats.excel import template as excel_template
        write_file(output, excel_template())
    else:
        raise BadPlanogram(f"-o {output}: the name must end in .xlsx or .csv")
    typer.echo(f"{output}: fill it in, then `storepulse planogram import {output} -o plans/`")


def schema() -> None:
    """Print the JSON Schema of our planogram files.

    Example: storepulse planogram schema > planogram.schema.json
    """
    typer.echo(schema_as_text())


def draw(
    plan: Annotated[Path, typer.Argument(help="A planogram, in any format.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="A .svg or .png file, or - for SVG to stdout.")
    ],
    id_: Annotated[str, typer.Option("--id", help="Which, of a file with several.")] = "",
) -> None:
    """Draw a planogram for print.

    Example: storepulse planogram draw plan.json -o plan.svg
    """
    found = read_planograms(plan, made_at=datetime.now(UTC))
    mine = [each for each in found if id_ in ("", each.id)]
    if len(mine) != 1:
        names = ", ".join(each.id for each in found)
        raise BadPlanogram(f"{plan}: say which planogram to draw with --id: {names}")
    if str(output) == "-":
        sys.stdout.write(as_svg(mine[0]))
    elif output.suffix.lower() == ".svg":
        write_file(output, as_svg(mine[0]).encode("utf-8"))
    elif output.suffix.lower() == ".png":
        write_file(output, as_png(mine[0]))
    else:
        raise BadPlanogram(f"-o {output}: the name must end in .svg or .png")


def add_to(app: typer.Typer) -> None:
    """Put these commands beside those of `planograms.cli`."""
    app.command("import")(import_)
    for command in (export, template, schema, draw):
        app.command()(command)
