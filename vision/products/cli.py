"""`storepulse vision recognise` and `index`: name products on pictures. Thin: no deciding here."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from storepulse.errors import BadInput
from vision.photos import read_photo
from vision.products.catalogue import Catalogue, read_catalogue
from vision.products.embedding import Embedder
from vision.products.errors import BadReferences
from vision.products.judgement import read_judgement
from vision.products.naming import name_product
from vision.products.traits import read_traits

PICTURE_ENDINGS: Final = (".jpg", ".jpeg", ".png", ".webp")
_AT_ONCE: Final = 32
"""Pictures in memory at a time."""


def read_folder(folder: Path, embedder: Embedder) -> Catalogue:
    """Make a catalogue of a folder that has a folder of pictures for each product.

    Raises:
        BadReferences: there is no product in it, or one without a picture.
        UnreadablePhoto: a picture cannot be read.
    """
    if not folder.is_dir():
        raise BadReferences(f"--refs {folder}: there is no such folder")
    catalogue = Catalogue()
    for product in sorted(one for one in folder.iterdir() if one.is_dir()):
        pictures = sorted(one for one in product.iterdir() if _is_picture(one))
        if not pictures:
            raise BadReferences(
                f"--refs {folder}: the folder {product.name} holds no picture "
                f"({', '.join(PICTURE_ENDINGS)}); put one in or remove the folder"
            )
        traits = read_traits([read_photo(one).rgb for one in pictures], embedder)
        catalogue = catalogue.with_product(product.name, traits)
    if not catalogue.products:
        raise BadReferences(
            f"--refs {folder}: holds no product; make a folder for each, named by its SKU, "
            "with one to five pictures"
        )
    return catalogue


def _is_picture(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in PICTURE_ENDINGS


References = Annotated[
    Path,
    typer.Option(
        "--refs", help="A folder with a folder of pictures for each product, or a kept index."
    ),
]
Threads = Annotated[int, typer.Option("--threads", min=1, max=64, help="Cores to use.")]


def recognise(
    photos: Annotated[
        list[Path], typer.Argument(help="Crops or pictures with one product.", metavar="PHOTO...")
    ],
    refs: References,
    as_json: Annotated[bool, typer.Option("--json", help="JSON to stdout.")] = False,
    threads: Threads = 2,
) -> None:
    """Name the product in the middle of each photo, from a few pictures of each product.

    Prints {photo: [{"sku", "score"}, ...]}, best first; the score is the probability that the
    answer is right. An empty list says "not in the catalogue".

    Example: storepulse vision recognise --refs products crop.jpg --json
    """
    embedder, judgement = Embedder(threads=threads), read_judgement()
    catalogue = read_catalogue(refs) if refs.is_file() else read_folder(refs, embedder)
    answers = {}
    for few in _in_parts(photos):
        for path, query in zip(
            few, read_traits([read_photo(path).rgb for path in few], embedder), strict=True
        ):
            answers[str(path)] = name_product(query, catalogue, judgement)
    if as_json:
        plain = {
            photo: [{"sku": name.sku, "score": round(name.score, 4)} for name in names]
            for photo, names in answers.items()
        }
        typer.echo(json.dumps(plain, ensure_ascii=False))
        return
    table = Table("photo", "product", "score", "or else")
    for photo, names in answers.items():
        if not names:
            table.add_row(Path(photo).name, "not in the catalogue", "", "")
            continue
        others = ", ".join(f"{name.sku} {name.score:.2f}" for name in names[1:3])
        table.add_row(Path(photo).name, names[0].sku, f"{names[0].score:.2f}", others)
    Console().print(table)


def index(
    output: Annotated[Path, typer.Option("-o", "--output", help="The index, one file.")],
    add: Annotated[
        Path | None, typer.Option(help="A folder with a folder of pictures for each product.")
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option(help="A SKU to forget; may be given several times.")
    ] = None,
    threads: Threads = 2,
) -> None:
    """Keep references in one file, add products to it, remove some. Nothing is trained.

    Example: storepulse vision index -o shop.refs --add products
    """
    if add is None and not remove:
        raise BadInput("say what to do: --add FOLDER, --remove SKU, or both")
    catalogue = read_catalogue(output) if output.exists() else Catalogue()
    for sku in remove or ():
        if sku not in catalogue.products:
            raise BadReferences(f"--remove {sku}: {output} has no such product")
        catalogue = catalogue.without(sku)
    if add is not None:
        more = read_folder(add, Embedder(threads=threads))
        for sku, references in more.products.items():
            catalogue = catalogue.with_product(sku, references)
    catalogue.write(output)
    Console(stderr=True).print(f"{output}: {len(catalogue.products)} products", markup=False)


def _in_parts(photos: Sequence[Path]) -> Iterator[Sequence[Path]]:
    for start in range(0, len(photos), _AT_ONCE):
        yield photos[start : start + _AT_ONCE]
