"""`storepulse hub codes|actions|board|run`: print what the facts give. Decides nothing."""

import json
import sys
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from hub.api.answers import BoardRow, action_json, board, shown_actions
from hub.codes.code import CODES_JSON, Code
from hub.codes.colours import SIGNS, WORST_FIRST
from hub.codes.computing import UnknownShop, compute_codes, day_shown, read_policies
from hub.codes.figures import per_cent
from hub.codes.goods_scores import GOODS_SCORES_JSON, read_goods_scores
from hub.codes.policy_cli import given_policy
from hub.codes.touched import known_shops
from hub.ingest.fact_rules import YEARS
from hub.store.database import Connection, open_database
from storepulse.actions import ACTION_MOVES, DIMENSIONS
from storepulse.errors import BadInput

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
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
DayOption = Annotated[
    str | None,
    typer.Option(help="The shops' local day, e.g. 2026-11-20; default: the newest with facts."),
]
ShopOption = Annotated[str | None, typer.Option(help="Only this shop.")]
PolicyOption = Annotated[
    str | None,
    typer.Option(help="A policy's version, or a file, in place of the one in force."),
]

_BAR_FROM_SHOPS: Final = 100
_OPEN: Final = frozenset({"pushed", "delivered", "seen", "overdue"})
_STYLES: Final = {
    "red": "bold red", "orange": "dark_orange", "yellow": "yellow", "green": "green",
    "unknown": "dim",
}  # fmt: skip


class NoDay(BadInput):
    """A day that is none, or no fact yet to take a day from."""


@app.command("codes")
def codes(
    of_shop: Annotated[str | None, typer.Argument(metavar="[SHOP]", help="Only this shop.")] = None,
    day: DayOption = None,
    shop: ShopOption = None,
    policy: PolicyOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """The four codes of each shop on a day, with reasons: always computed from the facts.

    Any day under any policy; nothing is stored, and what was stored stays as it was.

    Example: storepulse hub codes 12 --day 2026-11-20 --policy 3 --json
    """
    shop = of_shop or shop
    asked = read_day(day)
    with open_database(database) as opened, opened.connection() as connection:
        given = given_policy(connection, policy)
        shown = asked or _newest_day(connection, shop)
        policies = read_policies(connection, given)
        wanted = {name: [shown] for name in _shops(connection, shop)}
        computed = compute_codes(connection, wanted, policies, now=datetime.now(UTC))
        bar = track(
            computed, description="codes", total=len(wanted), console=talk, transient=True,
            disable=len(wanted) < _BAR_FROM_SHOPS,
        )  # fmt: skip
        found = [code for four in bar for code in four]
    if as_json:
        _say(CODES_JSON.dump_python(tuple(found), mode="json"))
    else:
        _print(_codes_table(found, shown))


@app.command("scores")
def scores(
    shop: Annotated[str, typer.Argument(help="The shop.")],
    day: Annotated[str, typer.Argument(help="One of its local days, e.g. 2026-11-20.")],
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """The scores of a shop's shelves on a day, by bay and of all, with 90 % intervals.

    Example: storepulse hub scores shop-17 2026-11-20 --json
    """
    asked = read_day(day)
    assert asked is not None
    with open_database(database) as opened, opened.connection() as connection:
        _shops(connection, shop)
        found = read_goods_scores(connection, shop, asked)
    if as_json:
        _say(GOODS_SCORES_JSON.dump_python(found, mode="json"))
        return
    table = Table("score", "of", "value", "90% interval", "n", "coverage", box=None)
    for one in found.scores:
        told = ["not seen", ""] if one.value is None else [per_cent(one.value), ""]
        if one.low is not None and one.high is not None:
            told[1] = f"{per_cent(one.low)} to {per_cent(one.high)}"
        of = " ".join(part for part in (one.bay or "shop", one.brand) if part)
        table.add_row(one.metric, of, *told, str(one.n or 0), per_cent(one.coverage))
    _print(table)


@app.command("actions")
def actions(
    shop: ShopOption = None,
    day: DayOption = None,
    state: Annotated[
        str | None, typer.Option(help="Only those in this state: open, or one of the states.")
    ] = None,
    policy: PolicyOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """What was pushed, to be done by when, where it stands, and why this playbook.

    State not_pushed: the codes of the day call for it, but no `hub run` was there to push it, or
    there was no room for it. Withdrawn: dismissed, long overdue, or its cause is gone.

    Example: storepulse hub actions --shop 12 --day 2026-11-20 --json
    """
    asked = read_day(day)
    wanted = _states(state)
    with open_database(database) as opened, opened.connection() as connection:
        given = given_policy(connection, policy)
        _shops(connection, shop)
        called_for = asked or day_shown(connection, shops=None if shop is None else [shop])
        found = shown_actions(
            connection, shop=shop, day=asked, called_for_on=called_for,
            policies=read_policies(connection, given), now=datetime.now(UTC), policy=given,
        )  # fmt: skip
    found = [one for one in found if wanted is None or one.state in wanted]
    if as_json:
        _say([action_json(one) for one in found])
        return
    table = Table("day", "shop", "dimension", "action", "state", "due", "why", "chosen", box=None)
    for one in found:
        action = one.action
        table.add_row(
            action.day, action.shop, action.dimension, action.title.en, one.state,
            f"{action.due_at:%Y-%m-%d %H:%M}", action.reason,
            "" if action.chosen_because is None else action.chosen_because.en,
        )  # fmt: skip
    _print(table)


def _states(said: str | None) -> frozenset[str] | None:
    """Which states a word stands for; None for all. Raises BadInput."""
    if said is None:
        return None
    if said == "open":
        return _OPEN
    if said not in (*ACTION_MOVES, "not_pushed"):
        raise BadInput(f"--state is open, not_pushed, or one of {', '.join(ACTION_MOVES)}")
    return frozenset({said})


@app.command("board")
def show_board(
    day: DayOption = None,
    policy: PolicyOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """The whole chain on a day, worst shops first.

    Example: storepulse hub board --day 2026-11-20
    """
    asked = read_day(day)
    with open_database(database) as opened, opened.connection() as connection:
        given = given_policy(connection, policy)
        shown = asked or _newest_day(connection, None)
        policies = read_policies(connection, given)
        rows = board(connection, shown, policies, now=datetime.now(UTC))
    if as_json:
        _say([_row_json(row) for row in rows])
    else:
        _print(board_table(rows, shown))


@app.command("run")
def run(
    database: DatabaseOption = None,
    broker: Annotated[
        str | None, typer.Option(help="mqtt://HOST:PORT; without it a broker is started here.")
    ] = None,
    broker_port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help="Of the broker started here; 0: any free one; default: 1883, with TLS 8883.",
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; any other than 127.0.0.1 needs TLS.")
    ] = "127.0.0.1",
    name: Annotated[
        list[str] | None,
        typer.Option(
            help="Name or address under which phones, managers and nodes reach the hub; may be "
            "given again. It stands in the hub's certificate."
        ),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 8080,
    chain: Annotated[str | None, typer.Option(help="Name of the chain in the topics.")] = None,
    tls: Annotated[
        bool,
        typer.Option(
            "--tls", help="Make the hub's own authority; from then on TLS is on by itself."
        ),
    ] = False,
    tls_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where nodes enrol, with TLS; 0: any free one.")
    ] = 8443,
) -> None:
    """Run the whole hub until Ctrl-C: database, broker, ingest, couriers, codes, API.

    Prints one JSON line when it is ready: {"listening": URL, "broker": URL}, with TLS also "door",
    and "first" while nobody of head office can sign in: a link by which the first one does, once.

    Example: storepulse hub run --database ./data/hub
    """
    # Imported here: the other commands start quicker without a web server.
    from hub.run import run_hub

    run_hub(
        database=database, broker=broker, broker_port=broker_port, host=host, port=port,
        chain=chain, ready=_say, tls=tls, tls_port=tls_port, names=name or (),
    )  # fmt: skip


def board_table(rows: list[BoardRow], day: date) -> Table:
    """A board for the terminal; colours never speak alone."""
    title = f"{day.isoformat()}: {len(rows)} shops"
    if any(row.simulated for row in rows):
        title += " (simulated)"
    table = Table("shop", "name", "own code", *DIMENSIONS, "why", title=title, box=None)
    for row in rows:
        worst = min(row.codes, key=lambda code: _rank(code.colour))
        cells = [_signed(code.colour, code.turning) for code in row.codes]
        name = row.name + (" (simulated)" if row.simulated else "")
        table.add_row(row.shop, name, _signed(row.colour, None), *cells, worst.rule)
    return table


def _rank(colour: str) -> int:
    return next(rank for rank, one in enumerate(WORST_FIRST) if one == colour)


def _signed(colour: str, turning: str | None) -> Text:
    sign = next(sign for one, sign in SIGNS.items() if one == colour)
    words = f"{sign} {colour}" + (f" → {turning}" if turning else "")
    return Text(words, style=_STYLES[colour])


def _codes_table(codes: list[Code], day: date) -> Table:
    table = Table("shop", "dimension", "code", "sure", "rule", "green at", title=str(day), box=None)
    for code in codes:
        sure = "" if code.probability is None else f"{100 * code.probability:.0f}%"
        table.add_row(
            code.shop, code.dimension, _signed(code.colour, code.turning), sure, code.rule,
            f"{code.turns_green_at:g}",
        )  # fmt: skip
    return table


def _row_json(row: BoardRow) -> dict[str, Any]:
    names = BoardRow.__dataclass_fields__
    return {name: getattr(row, name) for name in names if name != "codes"} | {
        "codes": [
            {name: getattr(code, name) for name in type(code).__dataclass_fields__}
            for code in row.codes
        ]
    }


def read_day(day: str | None) -> date | None:
    """A day as it is written on the command line. Raises NoDay."""
    if day is None:
        return None
    try:
        found = date.fromisoformat(day)
    except ValueError as error:
        raise NoDay(f"{day!r} is no day; write it as 2026-11-20") from error
    if not YEARS[0] < found.year < YEARS[1]:
        raise NoDay(f"{day} lies outside the years {YEARS[0] + 1} to {YEARS[1] - 1}")
    return found


def _newest_day(connection: Connection, shop: str | None) -> date:
    found = day_shown(connection, shops=None if shop is None else [shop])
    if found is None:
        raise NoDay("there is no fact to take a day from; name one by --day 2026-11-20")
    return found


def _shops(connection: Connection, shop: str | None) -> list[str]:
    found = list(known_shops(connection, None if shop is None else [shop]))
    if shop is not None and not found:
        raise UnknownShop(f"shop {shop!r} is not known: no list and no fact names it")
    return found


def _say(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, default=str))


def _print(table: Table) -> None:
    # Not cut to the width of a terminal where none is looking.
    Console(width=None if sys.stdout.isatty() else 220).print(table)
