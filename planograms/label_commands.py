"""`storepulse planogram labels`. Thin: the work is in `bay_codes`."""

from pathlib import Path
from typing import Annotated

import typer

from planograms.bay_codes import label_page, label_sheets
from planograms.errors import BadPicture
from planograms.files import write_file
from planograms.rounds import in_order


def labels(
    bays: Annotated[list[str], typer.Argument(help="The bays, as their planograms call them.")],
    shop: Annotated[str, typer.Option(help="The shop, as its node is called.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="A page to print (.html), or a sheet (.svg).")
    ],
    name: Annotated[str, typer.Option(help="Of the shop, for people; by default its id.")] = "",
) -> None:
    """Make codes for the shelves' edges: a photo that shows one says by itself which bay it is of.

    An .svg holds one sheet (A4); of more bays than fit, the others go into NAME-2.svg and so on.

    Example: storepulse planogram labels bay-1 bay-2 --shop shop-17 -o labels.html
    """
    order = in_order(dict.fromkeys(bays))
    kind = output.suffix.lower()
    if kind == ".html":
        write_file(output, label_page(shop, order, name=name).encode("utf-8"))
        typer.echo(f"{output}: {len(order)} codes")
        return
    if kind != ".svg":
        raise BadPicture(f"-o {output}: the name must end in .html or .svg")
    for number, sheet in enumerate(label_sheets(shop, order, name=name), 1):
        file = output if number == 1 else output.with_name(f"{output.stem}-{number}.svg")
        write_file(file, sheet.encode("utf-8"))
        typer.echo(f"{file}: sheet {number}")


def add_to(app: typer.Typer) -> None:
    """Put this command beside those of `planograms.cli`."""
    app.command()(labels)
