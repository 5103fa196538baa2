"""`storepulse hub people`: invite, list, end people on the hub's own machine. Decides nothing."""

import json
import sys
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from hub.people.roles import ROLES, BadPerson, Scope
from hub.people.store import (
    KnownPerson,
    end_person,
    end_sessions,
    invite,
    new_link,
    people,
    person_named,
    sessions_of,
)
from hub.people.tokens import link_path
from hub.store.database import open_database

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

talk: Final = Console(stderr=True, soft_wrap=True, highlight=False)

DatabaseOption = Annotated[
    str | None, typer.Option("--database", help="As for `storepulse hub run`.")
]
UrlOption = Annotated[
    str, typer.Option("--url", help="Where the board is: put before the link, https://HUB:8080.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
NameArgument = Annotated[str, typer.Argument(help="The person's name.")]


@app.command("invite")
def people_invite(
    name: NameArgument,
    role: Annotated[str, typer.Option(help=", ".join(ROLES))],
    region: Annotated[list[str] | None, typer.Option(help="For the role region; repeat.")] = None,
    shop: Annotated[list[str] | None, typer.Option(help="For clerks; repeat.")] = None,
    url: UrlOption = "",
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a link by which a person chooses a password: once, within 24 hours.

    Example: storepulse hub people invite "Li Wei" --role region --region east
    """
    if role not in ROLES:
        raise BadPerson(f"role {role!r} is none of {', '.join(ROLES)}")
    scope = Scope(role=role, regions=tuple(region or ()), shops=tuple(shop or ()))
    with open_database(database) as opened, opened.connection() as connection:
        person = invite(connection, name, scope)
        link = url.rstrip("/") + link_path(new_link(connection, person.id))
    _say_link(person.name, link, as_json=as_json)


@app.command("link")
def people_link(
    name: NameArgument,
    url: UrlOption = "",
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a new link for somebody, also the way back after a lost password.

    Example: storepulse hub people link "Li Wei"
    """
    with open_database(database) as opened, opened.connection() as connection:
        person = person_named(connection, name)
        link = url.rstrip("/") + link_path(new_link(connection, person.id))
    _say_link(person.name, link, as_json=as_json)


@app.command("list")
def people_list(database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """List everybody, also who has ended.

    Example: storepulse hub people list --json
    """
    with open_database(database) as opened, opened.connection() as connection:
        found = people(connection)
    if as_json:
        typer.echo(json.dumps([_json(one) for one in found], ensure_ascii=False))
        return
    table = Table("name", "role", "sees", "standing", box=None)
    for one in found:
        sees = ", ".join(one.person.regions + one.person.shops)
        table.add_row(one.person.name, one.person.role, sees, _standing(one))
    Console(width=None if sys.stdout.isatty() else 160, markup=False).print(table)


@app.command("end")
def people_end(
    name: NameArgument, database: DatabaseOption = None, as_json: JsonOption = False
) -> None:
    """Shut a person out at once; figures that the person saw stay as they are.

    Example: storepulse hub people end "Li Wei"
    """
    with open_database(database) as opened, opened.connection() as connection:
        person = person_named(connection, name)
        end_person(connection, person.id)
    typer.echo(json.dumps({"ended": person.name}) if as_json else f"{person.name} is shut out")


@app.command("sessions")
def people_sessions(
    name: NameArgument,
    end: Annotated[bool, typer.Option("--end", help="End them all.")] = False,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List where a person has signed in.

    Example: storepulse hub people sessions "Li Wei" --end
    """
    with open_database(database) as opened, opened.connection() as connection:
        person = person_named(connection, name)
        found = sessions_of(connection, person.id)
        if end:
            end_sessions(connection, person.id)
    if as_json:
        told = [
            {
                "id": str(one.id), "made_at": one.made_at.isoformat(),
                "last_used_at": one.last_used_at.isoformat(), "where": one.where, "ended": end,
            }
            for one in found
        ]  # fmt: skip
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    for one in found:
        typer.echo(f"{one.last_used_at:%Y-%m-%d %H:%M}  {one.where}{'  ended' if end else ''}")
    talk.print(f"{len(found)} {'ended' if end else 'open'}")


def _say_link(name: str, link: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"name": name, "link": link}, ensure_ascii=False))
        return
    typer.echo(link)
    talk.print(
        f"For {name}, once, within 24 hours"
        + ("" if "://" in link else ": put the board's address before it"),
        markup=False,
    )


def _standing(one: KnownPerson) -> str:
    if one.ended_at is not None:
        return "ended"
    return "may sign in" if one.welcomed else "invited"


def _json(one: KnownPerson) -> dict[str, object]:
    person = one.person
    return {
        "id": str(person.id), "name": person.name, "role": person.role,
        "regions": person.regions, "shops": person.shops, "welcomed": one.welcomed,
        "made_at": one.made_at.isoformat(),
        "ended_at": None if one.ended_at is None else one.ended_at.isoformat(),
    }  # fmt: skip
