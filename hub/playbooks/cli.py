"""`storepulse playbook`: check, list, show, render and load texts. Decides nothing."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from hub.actions.store import set_video
from hub.codes.computing import UnknownShop
from hub.playbooks import BadPlaybook, Playbook, check_playbooks, playbooks, read_playbooks
from hub.playbooks.playbook import Problem
from hub.playbooks.reading import sources_of
from hub.playbooks.rendering import rendered
from hub.playbooks.store import insert_playbook, newest_playbooks, playbooks_in_force
from hub.store.database import open_database
from storepulse.errors import BadInput

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

talk: Final = Console(stderr=True, soft_wrap=True, highlight=False)

FolderArgument = Annotated[
    Path | None, typer.Argument(help="Folder of NAME.en.md and NAME.zh.md; default: ours.")
]
DatabaseOption = Annotated[
    str | None, typer.Option("--database", help="As for `storepulse hub run`.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
NameArgument = Annotated[str, typer.Argument(help="Name of the playbook.")]
LanguageOption = Annotated[str, typer.Option(help="en or zh.")]


@app.callback()
def _top() -> None:
    """What actions say: Markdown in English and Chinese."""


@app.command("check")
def check(folder: FolderArgument = None, as_json: JsonOption = False) -> None:
    """Say everything that is wrong with a folder of playbooks, with file and line.

    Example: storepulse playbook check ./our-playbooks
    """
    books, problems = _checked(folder)
    if as_json:
        told = {"usable": sorted(books), "problems": [asdict(one) for one in problems]}
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        for one in problems:
            typer.echo(str(one))
    if problems:
        raise BadInput(f"faults: {len(problems)}; playbooks that can be used: {len(books)}")
    talk.print(f"{len(books)} playbooks, no fault")


@app.command("list")
def list_them(folder: FolderArgument = None, as_json: JsonOption = False) -> None:
    """List the playbooks of a folder.

    Example: storepulse playbook list --json
    """
    books = _read(folder)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in books.values()], ensure_ascii=False))
        return
    table = Table("name", "dimension", "for", "title", "标题", box=None)
    for name, book in sorted(books.items()):
        table.add_row(name, book.dimension, book.role, book.title.en, book.title.zh)
    Console(width=None if sys.stdout.isatty() else 160, markup=False).print(table)


@app.command("show")
def show(
    name: NameArgument, folder: FolderArgument = None, language: LanguageOption = "zh"
) -> None:
    """Print a playbook as it will read, with sample figures.

    Example: storepulse playbook show talk_track --language en
    """
    shown = rendered(_one(_read(folder), name))
    chinese = _is_chinese(language)
    typer.echo(shown.title_zh if chinese else shown.title_en)
    typer.echo("")
    typer.echo(shown.text_zh if chinese else shown.text_en)


@app.command("render")
def render(
    name: NameArgument, folder: FolderArgument = None, language: LanguageOption = "zh"
) -> None:
    """Print a playbook as HTML, with sample figures.

    Example: storepulse playbook render talk_track ./our-playbooks > talk_track.html
    """
    shown = rendered(_one(_read(folder), name))
    typer.echo(shown.html_zh if _is_chinese(language) else shown.html_en, nl=False)


@app.command("load")
def load(
    folder: Annotated[Path, typer.Argument(help="Folder of NAME.en.md and NAME.zh.md.")],
    note: Annotated[str, typer.Option(help="Why, for the list of versions.")] = "",
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Publish a folder's playbooks to a hub: what differs becomes a new version, all or none.

    Pictures and videos must be https:// addresses: phones cannot open files of this folder.

    Example: storepulse playbook load ./our-playbooks --note "spring campaign"
    """
    sources, _ = sources_of(folder)
    books = read_playbooks(sources)
    texts = {one.name: one.content for one in sources}
    published: dict[str, int] = {}
    with open_database(database) as opened, opened.connection() as connection:
        known = {one.name: (one.en, one.zh) for one in newest_playbooks(connection)}
        for name in sorted(books):
            en, zh = texts[f"{name}.en.md"], texts[f"{name}.zh.md"]
            if known.get(name) != (en, zh):
                published[name] = insert_playbook(connection, name, en=en, zh=zh, note=note)
        playbooks_in_force(connection)
    if as_json:
        typer.echo(json.dumps({"published": published}))
    else:
        for name, version in published.items():
            typer.echo(f"{name}: version {version}")
        talk.print(f"{len(published)} published, {len(books) - len(published)} as before")


@app.command("video")
def video(
    shop: Annotated[str, typer.Argument(help="The shop that is filmed.")],
    address: Annotated[str, typer.Argument(help='https:// address; "" takes it away.')],
    database: DatabaseOption = None,
) -> None:
    """Say where the video of a shop's reception is: shown to weak shops where it is the model.

    Example: storepulse playbook video sim-07 https://video.example.com/reception-07
    """
    if address and not address.startswith("https://"):
        raise BadInput(f"{address} is no https:// address")
    with open_database(database) as opened, opened.connection() as connection:
        if not set_video(connection, shop, address):
            raise UnknownShop(f"shop {shop!r} is not known")
    talk.print(f"{shop}: {address or 'no video'}", markup=False)


def _checked(folder: Path | None) -> tuple[dict[str, Playbook], list[Problem]]:
    if folder is None:
        return dict(playbooks()), []
    try:
        sources, is_there = sources_of(folder)
    except BadPlaybook as error:
        return {}, list(error.problems)
    return check_playbooks(sources, is_there=is_there)


def _read(folder: Path | None) -> dict[str, Playbook]:
    books, problems = _checked(folder)
    if problems:
        raise BadPlaybook(problems)
    return books


def _one(books: dict[str, Playbook], name: str) -> Playbook:
    if name not in books:
        raise BadInput(f"there is no playbook {name!r}; there are {', '.join(sorted(books))}")
    return books[name]


def _is_chinese(language: str) -> bool:
    if language not in ("en", "zh"):
        raise BadInput(f"--language must be en or zh, got {language!r}")
    return language == "zh"
