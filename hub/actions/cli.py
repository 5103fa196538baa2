"""`storepulse hub rules`: how actions are handed out. Decides nothing."""

import json
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from hub.actions.rules import RULES_JSON, BadRules, read_rules, rules_schema
from hub.actions.store import publish_rules, read_rules_in_force
from hub.store.database import open_database

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

talk: Final = Console(stderr=True, soft_wrap=True, highlight=False)

DatabaseOption = Annotated[
    str | None, typer.Option("--database", help="As for `storepulse hub run`.")
]


@app.command("show")
def show(database: DatabaseOption = None) -> None:
    """Print the rules in force as JSON: to be changed and published again.

    Example: storepulse hub rules show > rules.json
    """
    with open_database(database) as opened, opened.connection() as connection:
        rules = read_rules_in_force(connection)
    typer.echo(RULES_JSON.dump_json(rules, indent=2).decode())


@app.command("schema")
def schema() -> None:
    """Print the JSON Schema of a file of rules.

    Example: storepulse hub rules schema > rules.schema.json
    """
    typer.echo(json.dumps(rules_schema(), indent=2))


@app.command("publish")
def publish(
    file: Annotated[Path, typer.Argument(help="JSON, with a version of its own.")],
    database: DatabaseOption = None,
) -> None:
    """Put rules in force, from the next action on.

    Example: storepulse hub rules publish rules.json
    """
    rules = read_rules(file)
    with open_database(database) as opened, opened.connection() as connection:
        before = read_rules_in_force(connection)
        if rules.version <= before.version or not publish_rules(connection, rules):
            raise BadRules(f"version {before.version} is in force: give the new rules a higher one")
    talk.print(f"version {rules.version} is in force")
