"""`storepulse policy`: see, edit, compare, try and publish what codes are judged by.

Thresholds are data: nobody edits code to change one. A draft is a file that stays until it is
published.
"""

import json
import os
import shlex
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from pydantic import TypeAdapter
from rich.console import Console
from rich.table import Table

from hub.codes.computing import UnknownShop, read_policies
from hub.codes.effective import ShopKind, effective, read_policy
from hub.codes.policy import Policy, policy_schema
from hub.codes.publishing import (
    PolicyVersion,
    differences,
    list_policies,
    next_draft,
    policy_json,
    policy_of_version,
    publish_as_owner,
    try_policy,
)
from hub.codes.touched import known_shops
from hub.codes.trial import LISTED_MAX, TRIED_DAYS, Trial
from hub.playbooks.store import playbooks_in_force
from hub.store.database import Connection, beside, open_database
from storepulse.errors import BadInput

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
talk: Final = Console(stderr=True, soft_wrap=True, highlight=False)

DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        help="postgresql://... or a folder for the embedded one; "
        "default: STOREPULSE_DATABASE, else ./data/hub.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DraftOption = Annotated[
    Path | None,
    typer.Option("--draft", help="The draft's file; default: policy-draft.json by the database."),
]
_TRIAL_JSON: Final = TypeAdapter(Trial)
_VERSIONS_JSON: Final = TypeAdapter(list[PolicyVersion])


class NoPolicy(BadInput):
    """Neither a file nor a published version."""


class NoEditor(BadInput):
    """The editor cannot be started, or ended with an error."""


@app.callback()
def _top() -> None:
    """See, edit, compare, try and publish the policy by which codes are judged."""


@app.command("schema")
def schema() -> None:
    """Print the JSON Schema of a policy; editors check a draft by it.

    Example: storepulse policy schema > policy.schema.json
    """
    _say(policy_schema())


@app.command("list")
def list_them(database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """The published versions, newest first.

    Example: storepulse policy list
    """
    with open_database(database) as opened, opened.connection() as connection:
        found = list_policies(connection, _today())
    if as_json:
        _say(_VERSIONS_JSON.dump_python(found, mode="json"))
        return
    table = Table("version", "name", "from", "in force", "published", "by", box=None)
    for one in found:
        published = "" if one.published_at is None else f"{one.published_at:%Y-%m-%d %H:%M}"
        table.add_row(
            str(one.version), one.name, str(one.starts_on), "yes" if one.in_force else "",
            published, one.published_by or "this machine",
        )  # fmt: skip
    _print(table)


@app.command("show")
def show(
    version: Annotated[
        str | None, typer.Argument(help="A version or a file; default: the one in force today.")
    ] = None,
    shop: Annotated[
        str | None, typer.Option(help="As it holds in this shop, overrides applied.")
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Print a policy as JSON, whole, or as it holds in one shop.

    Example: storepulse policy show --shop 12
    """
    with open_database(database) as opened, opened.connection() as connection:
        found = _policy(connection, version)
        if shop is not None:
            found = effective(found, _kind(connection, shop))
    typer.echo(json.dumps(policy_json(found), indent=2, ensure_ascii=False))


@app.command("edit")
def edit(database: DatabaseOption = None, draft: DraftOption = None) -> None:
    """Open the draft in $EDITOR, check it, and keep it as a file for `try` and `publish`.

    Without a draft it begins with the newest version, as the next one, starting today. A draft
    with a mistake is kept, too: the message names the field and what is allowed.

    Example: EDITOR=nano storepulse policy edit
    """
    file = _draft_file(database, draft)
    with open_database(database) as opened, opened.connection() as connection:
        body = policy_json(next_draft(connection, _today()))
        books = playbooks_in_force(connection)
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(body, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    _open_editor(file)
    found = read_policy(file, books=books)
    talk.print(
        f"{file} is a policy: version {found.version}, from {found.starts_on}. "
        "Next: storepulse policy try"
    )


@app.command("check")
def check(
    policy: Annotated[Path | None, typer.Argument(help="A file; default: the draft.")] = None,
    database: DatabaseOption = None,
    draft: DraftOption = None,
) -> None:
    """Say whether a file is a policy that this hub can follow: its own playbooks count, too.

    Example: storepulse policy check policy-draft.json
    """
    with open_database(database) as opened, opened.connection() as connection:
        books = playbooks_in_force(connection)
    file = policy or _draft_file(database, draft)
    found = read_policy(file, books=books)
    talk.print(f"{file} is a policy: version {found.version}, from {found.starts_on}")


@app.command("diff")
def diff(
    old: Annotated[
        str | None, typer.Argument(help="A version or a file; default: the one in force today.")
    ] = None,
    new: Annotated[
        str | None, typer.Argument(help="A version or a file; default: the draft.")
    ] = None,
    shop: Annotated[
        str | None, typer.Option(help="Both as they hold in this shop, overrides applied.")
    ] = None,
    database: DatabaseOption = None,
    draft: DraftOption = None,
    as_json: JsonOption = False,
) -> None:
    """The fields in which two policies differ.

    Example: storepulse policy diff 3 4 --shop 12
    """
    with open_database(database) as opened, opened.connection() as connection:
        sides = [
            _policy(connection, old),
            _policy(connection, new or str(_draft_file(database, draft))),
        ]
        if shop is not None:
            kind = _kind(connection, shop)
            sides = [effective(side, kind) for side in sides]
    found = differences(policy_json(sides[0]), policy_json(sides[1]))
    if as_json:
        _say([{"field": field, "old": was, "new": now} for field, was, now in found])
        return
    table = Table("field", "old", "new", box=None)
    for field, was, now in found:
        table.add_row(field, _short(was), _short(now))
    _print(table)


@app.command("try")
def try_it(
    policy: Annotated[
        str | None, typer.Argument(help="A version or a file; default: the draft.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=TRIED_DAYS)] = TRIED_DAYS,
    database: DatabaseOption = None,
    draft: DraftOption = None,
    as_json: JsonOption = False,
) -> None:
    """What a draft would have changed over the last 28 days. Publishes nothing.

    Example: storepulse policy try --json
    """
    with open_database(database) as opened, opened.connection() as connection:
        asked = _policy(connection, policy or str(_draft_file(database, draft)))
        found = try_policy(connection, asked, now=datetime.now(UTC), days=days)
    if as_json:
        _say(_TRIAL_JSON.dump_python(found, mode="json"))
        return
    title = f"{found.first} to {found.last}, {found.shops} shops"
    table = Table("dimension", "shop", "on", "was", "becomes", "days", "figure", "limit", "",
                  title=title, box=None)  # fmt: skip
    for one in found.dimensions:
        for row in (*one.worse, *one.better):
            table.add_row(
                one.dimension, row.shop, str(row.day), row.before, row.after, str(row.days),
                "" if row.value is None else f"{row.value:.3f}",
                "" if row.limit is None else f"{row.limit:g}", "close" if row.near else "",
            )  # fmt: skip
        if max(one.worse_shops, one.better_shops) > LISTED_MAX:
            talk.print(f"{one.dimension}: only {LISTED_MAX} shops each way are listed")
    _print(table)
    typer.echo(found.sentence.en)
    typer.echo(found.sentence.zh)


@app.command("publish")
def publish(
    policy: Annotated[Path | None, typer.Argument(help="A file; default: the draft.")] = None,
    database: DatabaseOption = None,
    draft: DraftOption = None,
) -> None:
    """Publish a draft as the next version. It starts today or later; yesterday stays as it was.

    Example: storepulse policy publish
    """
    file = policy or _draft_file(database, draft)
    with open_database(database) as opened, opened.connection() as connection:
        asked = read_policy(file, books=playbooks_in_force(connection))
        publish_as_owner(connection, asked)
    talk.print(f"published: version {asked.version}, {asked.name}, from {asked.starts_on}")
    if policy is None:
        # The next edit begins with what is published now, not with yesterday's draft.
        file.unlink()


def _policy(connection: Connection, asked: str | None) -> Policy:
    """A published version by its number, a file by its path, or what is in force today."""
    if asked is None:
        return read_policies(connection).in_force(_today())
    if asked.isdecimal():
        found = policy_of_version(connection, int(asked))
        if found is None:
            raise NoPolicy(f"there is no policy {asked}; `storepulse policy list` names them")
        return found
    if not Path(asked).exists():
        raise NoPolicy(f"{asked} is not there; `storepulse policy edit` begins a draft")
    return read_policy(Path(asked), books=playbooks_in_force(connection))


def given_policy(connection: Connection, asked: str | None) -> Policy | None:
    """For `--policy`: a version or a file; None where none is asked for."""
    return None if asked is None else _policy(connection, asked)


def _kind(connection: Connection, shop: str) -> ShopKind:
    known = known_shops(connection, [shop])
    if shop not in known:
        raise UnknownShop(f"shop {shop!r} is not known: no list and no fact names it")
    return ShopKind(shop=shop, region=known[shop].region, format=known[shop].format)


def _draft_file(database: str | None, draft: Path | None) -> Path:
    return draft or beside(database, "policy-draft.json")


def _open_editor(file: Path) -> None:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        ended = subprocess.run([*shlex.split(editor), str(file)], check=False)
    except (OSError, ValueError) as error:
        raise NoEditor(
            f"{editor!r} cannot be started ({error}); name an editor by EDITOR. The draft is {file}"
        ) from error
    if ended.returncode:
        raise NoEditor(f"{editor!r} ended with {ended.returncode}; the draft is {file}")


def _today() -> date:
    return datetime.now(UTC).date()


def _short(value: Any) -> str:
    text = "" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."


def _say(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, default=str))


def _print(table: Table) -> None:
    # Not cut to the width of a terminal where none is looking.
    Console(width=None if sys.stdout.isatty() else 220).print(table)
