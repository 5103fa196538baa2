"""`storepulse planogram`: make, read, write, draw and show planograms. Thin: work is elsewhere."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from planograms.check import check
from planograms.errors import NoShelf
from planograms.exchange_commands import add_to
from planograms.files import read_planogram, write_planogram
from planograms.from_photo import planogram_from_photo
from planograms.label_commands import add_to as add_labels
from planograms.model import Planogram
from planograms.version_commands import add_to as add_versions
from vision.errors import UnreadablePhoto

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Make, read, write, draw and show planograms."
)
add_to(app)
add_versions(app)
add_labels(app)
app.command()(check)

_MODEL_HELP = "A detector (.onnx) other than the packaged one."


@app.command("from-photo")
def from_photo(
    photo: Annotated[Path, typer.Argument(help="A photo of the well-kept shelf.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to write the planogram.")],
    main_push: Annotated[
        list[str] | None,
        typer.Option(
            help="What is to be seen first: a product (p3) or a position (r2-p07, which marks its "
            "product). Several times, or with commas."
        ),
    ] = None,
    bay: Annotated[str, typer.Option(help="The bay that it is for.")] = "bay-1",
    name: Annotated[str, typer.Option(help="What people call it; by default its id.")] = "",
    id_: Annotated[str, typer.Option("--id", help="By default the file's name.")] = "",
    version: Annotated[int, typer.Option(min=1, help="A change is a new version.")] = 1,
    model: Annotated[Path | None, typer.Option(help=_MODEL_HELP)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Say what was made as JSON.")] = False,
) -> None:
    """Make a planogram of what a photo shows.

    Facings that look alike become one product; p1 is the one with the most facings.

    Example: storepulse planogram from-photo shelf.jpg -o plan.json --main-push p1,p4
    """
    from vision.look import Looker

    try:
        seen_photo, observation = Looker(model).look_at(photo)
        planogram = planogram_from_photo(
            seen_photo,
            observation,
            id=id_ or output.stem,
            bay=bay,
            made_at=datetime.now(UTC),
            name=name,
            version=version,
            main_push=[part for given in main_push or [] for part in given.split(",") if part],
        )
    except (NoShelf, UnreadablePhoto) as error:
        if as_json:
            # Whoever asks for JSON may show it to a person, in the person's language.
            words = {"en": error.words.en, "zh": error.words.zh}
            typer.echo(json.dumps({"refused": words}, ensure_ascii=False))
        raise
    write_planogram(output, planogram)
    if as_json:
        typer.echo(json.dumps(summary(planogram, output), ensure_ascii=False))
        return
    typer.echo(
        f"{output}: {len(planogram.positions)} positions on {len(planogram.shelves)} shelves, "
        f"{len(planogram.products)} products"
        + (f", main push {', '.join(sorted(planogram.main_push))}" if planogram.main_push else "")
    )


def summary(planogram: Planogram, file: Path) -> dict[str, object]:
    """What a planogram holds, as plain JSON values."""
    facings = facings_by_product(planogram)
    return {
        "file": str(file),
        "id": planogram.id,
        "version": planogram.version,
        "bay": planogram.bay,
        "shelves": [
            {
                "row": shelf.row,
                "runs": [
                    {"product": run[0].product, "positions": [position.id for position in run]}
                    for run in planogram.runs()
                    if run[0].row == shelf.row
                ],
            }
            for shelf in planogram.shelves
        ],
        "products": [
            {
                "id": product.id,
                "sku": product.sku,
                "name": product.name,
                "main_push": product.main_push,
                "facings": facings.get(product.id, 0),
            }
            for product in planogram.products
        ],
        "positions": len(planogram.positions),
    }


def facings_by_product(planogram: Planogram) -> dict[str, int]:
    """Planned facings of each product that has any."""
    out: dict[str, int] = {}
    for position in planogram.positions:
        out[position.product] = out.get(position.product, 0) + position.facings
    return out


@app.command()
def show(
    plan: Annotated[Path, typer.Argument(help="A planogram.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show a planogram's rows and products.

    Example: storepulse planogram show plan.json
    """
    planogram = read_planogram(plan)
    if as_json:
        typer.echo(json.dumps(summary(planogram, plan), ensure_ascii=False))
        return
    console = Console()
    console.print(
        f"{planogram.name}, version {planogram.version}, bay {planogram.bay}, made "
        f"{planogram.made_at:%Y-%m-%d} from a {planogram.source}",
        markup=False,
    )
    rows = Table("shelf", "positions", "from the left (runs)", title="Shelves, from the top")
    for shelf in sorted(planogram.shelves, key=lambda each: -each.row):
        runs = [run for run in planogram.runs() if run[0].row == shelf.row]
        words = [_run_in_words(planogram, len(run), run[0].product) for run in runs]
        rows.add_row(str(shelf.row), str(sum(len(run) for run in runs)), "  ".join(words))
    console.print(rows)
    products = Table("product", "sku", "name", "facings", "main push", title="Products")
    facings = facings_by_product(planogram)
    for product in planogram.products:
        products.add_row(
            product.id, product.sku, product.name, str(facings.get(product.id, 0)),
            "yes" if product.main_push else "",
        )  # fmt: skip
    console.print(products)


def _run_in_words(planogram: Planogram, count: int, product: str) -> str:
    star = "*" if planogram.product_by_id[product].main_push else ""
    return f"{product}{star}" + (f" x{count}" if count > 1 else "")
