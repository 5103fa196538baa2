"""`storepulse hub rounds` and `storepulse hub rests`: publish, list, end. Decides nothing."""

import json
from datetime import UTC, datetime, time
from typing import Annotated, get_args
from uuid import UUID

import typer

from hub.rounds.store import (
    BadRest,
    BadRound,
    ListedRound,
    Reach,
    end_rest,
    let_rest,
    list_rests,
    list_rounds,
    publish_round,
    read_weekdays,
)
from hub.shops_store import shops
from hub.store.database import open_database
from storepulse.rounds import ONCE_A_DAY, RestDue, RestReason, RoundDue, Weekday, Window

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
rests_app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

DatabaseOption = Annotated[
    str | None, typer.Option("--database", help="As for `storepulse hub run`.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("publish")
def publish(
    round_: Annotated[str, typer.Argument(metavar="ROUND", help="Its id, e.g. daily.")],
    name: Annotated[str, typer.Option(help="What people call it; by default its id.")] = "",
    at: Annotated[
        list[str] | None,
        typer.Option(help="A window HH:MM-HH:MM of the shop's clock; repeat. None: once a day."),
    ] = None,
    weekdays: Annotated[str, typer.Option(help="E.g. mon,wed,fri; by default all.")] = "",
    bay: Annotated[
        list[str] | None,
        typer.Option(help="In walking order; repeat. None: every bay that has a planogram."),
    ] = None,
    region: Annotated[list[str] | None, typer.Option(help="Only there; repeat.")] = None,
    format_: Annotated[
        list[str] | None, typer.Option("--format", help="Only shops of this format; repeat.")
    ] = None,
    shop: Annotated[list[str] | None, typer.Option(help="Only these; repeat.")] = None,
    starts_on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The first day; by default now.")
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Publish the next version of a round: which bays of which shops are photographed when.

    Example: storepulse hub rounds publish daily --at 09:00-11:00 --at 15:00-17:00 --region east
    """
    windows = tuple(_window(one) for one in at or []) or (ONCE_A_DAY,)
    _publish(
        round_, name or round_, windows, read_weekdays(weekdays.split(",")), bay, starts_on,
        Reach(
            regions=tuple(region or ()), formats=tuple(format_ or ()), shops=tuple(shop or ())
        ),
        database,
    )  # fmt: skip


@app.command("end")
def end(
    round_: Annotated[str, typer.Argument(metavar="ROUND", help="Its id.")],
    starts_on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The first day without it; by default now."),
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """End a round: a version of it with which nothing is due.

    Example: storepulse hub rounds end christmas --starts-on 2026-12-27
    """
    with open_database(database) as opened, opened.connection() as connection:
        known = {one.due.round for one in list_rounds(connection)}
    if round_ not in known:
        raise BadRound(f"there is no round {round_!r}: `storepulse hub rounds list` names them")
    _publish(round_, round_, (ONCE_A_DAY,), (), None, starts_on, Reach(), database)


def _publish(
    round_: str, name: str, windows: tuple[Window, ...], weekdays: tuple[Weekday, ...],
    bays: list[str] | None, starts_on: datetime | None, reach: Reach, database: str | None,
) -> None:  # fmt: skip
    try:
        due = RoundDue(
            round=round_, version=1, name=name, windows=windows, weekdays=weekdays,
            bays=tuple(bays or ()), starts_on=None if starts_on is None else starts_on.date(),
        )  # fmt: skip
    except ValueError as error:
        raise BadRound(str(error)) from error
    with open_database(database) as opened, opened.connection() as connection:
        made = publish_round(connection, due, reach)
        reached = next(
            one.reached for one in list_rounds(connection)
            if (one.due.round, one.due.version) == (made.round, made.version)
        )  # fmt: skip
    typer.echo(f"round {made.round} version {made.version} is published for {reached} shops")


def _window(said: str) -> Window:
    opens, dash, due = said.partition("-")
    try:
        if not dash:
            raise ValueError("no - in it")
        return Window(opens=time.fromisoformat(opens.strip()), due=time.fromisoformat(due.strip()))
    except ValueError as error:
        raise BadRound(f"--at {said}: must be HH:MM-HH:MM, e.g. 09:00-11:00 ({error})") from error


@app.command("list")
def list_(database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """List every version of every round, the newest first.

    Example: storepulse hub rounds list --json
    """
    with open_database(database) as opened, opened.connection() as connection:
        found = list_rounds(connection)
    if as_json:
        typer.echo(json.dumps([_plain(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        typer.echo(_line(one))


def _plain(one: ListedRound) -> dict[str, object]:
    due = one.due
    return {
        "round": due.round, "version": due.version, "name": due.name,
        "windows": [f"{w.opens:%H:%M}-{w.due:%H:%M}" for w in due.windows],
        "weekdays": list(due.weekdays), "bays": list(due.bays),
        "regions": list(one.reach.regions), "formats": list(one.reach.formats),
        "shops": list(one.reach.shops), "reached": one.reached,
        "starts_on": due.starts_on and due.starts_on.isoformat(),
    }  # fmt: skip


def _line(one: ListedRound) -> str:
    due = one.due
    if not due.weekdays:
        when = "ended"
    else:
        windows = " and ".join(f"{w.opens:%H:%M}-{w.due:%H:%M}" for w in due.windows)
        when = f"{windows} on {', '.join(due.weekdays)}"
    starts = "" if due.starts_on is None else f" from {due.starts_on}"
    bays = ", ".join(due.bays) or "every bay with a planogram"
    return f"{due.round} version {due.version}{starts}: {when}, {bays}, {one.reached} shops"


@rests_app.command("add")
def add_rest(
    shop: Annotated[str, typer.Argument(help="The shop.")],
    sku: Annotated[str, typer.Argument(help="The product's SKU.")],
    until: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="The last day, in the shop's calendar.")
    ],
    reason: Annotated[
        str, typer.Option(help="delivery_due, promotion_change or other.")
    ] = "delivery_due",
    bay: Annotated[str, typer.Option(help="By default every bay.")] = "",
    note: Annotated[str, typer.Option(help="In your words.")] = "",
    database: DatabaseOption = None,
) -> None:
    """Let the findings of a product rest in a shop up to a day; it ends by itself.

    Example: storepulse hub rests add shop-17 M001 --until 2026-11-25 --reason delivery_due
    """
    known: tuple[RestReason, ...] = get_args(RestReason)
    told = next((one for one in known if one == reason), None)
    if told is None:
        raise BadRest(f"--reason {reason}: known are {', '.join(known)}")
    try:
        due = RestDue(bay=bay, sku=sku, reason=told, until=until.date(), note=note)
    except ValueError as error:
        raise BadRest(str(error)) from error
    with open_database(database) as opened, opened.connection() as connection:
        made = let_rest(connection, shop, due, now=datetime.now(UTC))
    typer.echo(f"{made}: {sku} rests in {shop} up to {due.until}")


@rests_app.command("list")
def list_rests_(
    shop: Annotated[str, typer.Argument(help="The shop.")],
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what rests in a shop today.

    Example: storepulse hub rests list shop-17 --json
    """
    with open_database(database) as opened, opened.connection() as connection:
        if not shops(connection, [shop]):
            raise BadRest(f"shop {shop!r} is not known")
        found = list_rests(connection, shop, now=datetime.now(UTC))
    if as_json:
        rows = [
            {"id": str(one.id), "bay": one.bay, "sku": one.sku, "reason": one.reason,
             "note": one.note, "until": one.until.isoformat()}
            for one in found
        ]  # fmt: skip
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for one in found:
        where = one.bay or "every bay"
        typer.echo(f"{one.id}: {one.sku}, {where}, {one.reason}, up to {one.until} {one.note}")


@rests_app.command("end")
def end_rest_(
    shop: Annotated[str, typer.Argument(help="The shop.")],
    rest: Annotated[UUID, typer.Argument(help="Its id, as `list` prints it.")],
    database: DatabaseOption = None,
) -> None:
    """End a rest before its day.

    Example: storepulse hub rests end shop-17 3f9c1f6e-0000-4000-8000-000000000000
    """
    with open_database(database) as opened, opened.connection() as connection:
        end_rest(connection, shop, rest, now=datetime.now(UTC))
    typer.echo(f"{rest} has ended")
