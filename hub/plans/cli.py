"""`storepulse hub plans`: put planogram files in as drafts, list and publish. Decides nothing."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from hub.plans.store import NEW, check_plan_id, list_plans, publish, read_draft, save_draft
from hub.store.database import open_database
from planograms.errors import BadPlanogram
from planograms.exchange import read_planograms
from planograms.model import Assignment

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

DatabaseOption = Annotated[
    str | None, typer.Option("--database", help="As for `storepulse hub run`.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("add")
def add(
    files: Annotated[list[Path], typer.Argument(help="Planogram files, in any format.")],
    database: DatabaseOption = None,
) -> None:
    """Put all planograms of some files in as drafts, or none of them.

    Example: storepulse hub plans add chain.psa plans/*.json
    """
    found = [each for file in files for each in read_planograms(file, made_at=datetime.now(UTC))]
    for each in found:
        check_plan_id(each.id)
    with open_database(database) as opened, opened.connection() as connection:
        for each in found:
            save_draft(connection, each, revision=NEW)
    typer.echo(f"{len(found)} drafts: look at them on the desk, {', '.join(p.id for p in found)}")


@app.command("list")
def list_(database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """List the planograms of the hub.

    Example: storepulse hub plans list --json
    """
    with open_database(database) as opened, opened.connection() as connection:
        found = list_plans(connection)
    if as_json:
        rows = [
            {"id": p.id, "name": p.name, "bay": p.bay, "version": p.version, "shops": p.shops,
             "draft": p.draft is not None, "starts_on": p.starts_on and p.starts_on.isoformat()}
            for p in found
        ]  # fmt: skip
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for plan in found:
        version = "not published" if plan.version is None else f"version {plan.version}"
        draft = ", has a draft" if plan.draft else ""
        typer.echo(f"{plan.id}: {plan.name}, {version}, {plan.shops} shops{draft}")


@app.command("publish")
def publish_(
    planogram: Annotated[str, typer.Argument(help="Its id.")],
    at: Annotated[list[str], typer.Option(help="SHOP=BAY, or SHOP=BAY,BAY; repeat.")],
    starts_on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The first day; by default now.")
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Publish a draft for shops and bays: from then on this version never changes.

    Example: storepulse hub plans publish tea --at shop-1=bay-3 --starts-on 2026-12-01
    """
    assigned = [_assignment(one) for one in at]
    first: date | None = None if starts_on is None else starts_on.date()
    with open_database(database) as opened, opened.connection() as connection:
        draft = read_draft(connection, planogram)
        made = publish(
            connection, planogram, revision=draft.revision, starts_on=first, assigned=assigned,
            now=datetime.now(UTC),
        )  # fmt: skip
    typer.echo(f"{made.id} version {made.version} is published for {len(assigned)} shops")


def _assignment(said: str) -> Assignment:
    shop, equals, bays = said.partition("=")
    try:
        if not equals:
            raise ValueError("no = in it")
        return Assignment(shop=shop, bays=tuple(bay for bay in bays.split(",") if bay))
    except ValueError as error:
        raise BadPlanogram(f"--at {said}: must be SHOP=BAY or SHOP=BAY,BAY ({error})") from error
