"""`storepulse edge enrol` and `doctor`: bring a node in, and say how it stands. Decides nothing."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from edge.clock import SynchronisedSetting
from edge.doctor import Finding, Standing, examine
from edge.enrolment import enrol
from edge.errors import BadSettings
from edge.identity import read_identity, settings_of
from edge.settings import PREFIX, Settings, read_settings
from storepulse.languages import Language, in_language, spoken_language

app = typer.Typer(no_args_is_help=True)

Data = Annotated[Path, typer.Option(help="The node's data folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object.")]
_SIGNS: Final[Mapping[Language, Mapping[Standing, str]]] = {
    "en": {"well": "● well", "look": "▲ look", "ill": "■ ill"},
    "zh": {"well": "● 正常", "look": "▲ 留意", "ill": "■ 故障"},
}
_HEADS: Final[Mapping[Language, tuple[str, ...]]] = {
    "en": ("what", "how", "says", "what to do"), "zh": ("项目", "状态", "说明", "处理办法"),
}  # fmt: skip
_STYLES = {"well": "green", "look": "yellow", "ill": "red"}


@app.command("enrol", epilog="storepulse edge enrol CODE --hub https://127.0.0.1:8443 --data d")
def enrol_command(
    code: Annotated[str, typer.Argument(help="As `storepulse hub node invite` printed it.")],
    hub: Annotated[str, typer.Option(help="The hub's door: https://HOST:PORT.")],
    data: Data,
    name: Annotated[
        list[str] | None,
        typer.Option(
            help="Name or address under which phones reach this node, such as shop-17.lan or "
            "192.168.1.20; may be given again. Without it: this machine only."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Bring this node in: make its key, have it signed, and know the hub from then on.

    Before anything is sent, the hub must show the authority whose fingerprint is in the code. A
    node that was enrolled before keeps its outbox; restart it afterwards.
    """
    identity = enrol(data, code, hub, names=name or ())
    ends_at = identity.certificate.not_valid_after_utc
    if as_json:
        told = {"node": identity.address.path, "ends_at": ends_at.isoformat(),
                "hub": identity.hub, "broker": identity.broker}  # fmt: skip
        typer.echo(json.dumps(told))
    else:
        typer.echo(
            f"This is {identity.address.path} until {ends_at:%Y-%m-%d}; it renews itself. "
            f"Start it: storepulse edge run --data {data}"
        )


@app.command("doctor", epilog="storepulse edge doctor --data /var/lib/storepulse")
def doctor_command(
    data: Data,
    clock: Annotated[
        SynchronisedSetting | None, typer.Option(help="Is the wall clock set?")
    ] = None,
    language: Annotated[
        str | None, typer.Option(help="en or zh. Without it: as the system's locale says.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Say in one screen what is well, and what to do about what is not.

    A running node is not disturbed. Ends with exit code 1 if anything is ill. --json holds both
    languages.
    """
    spoken = spoken_language(language, os.environ)
    settings = _settings_for_doctor(data, clock)
    findings = asyncio.run(examine(settings))
    if as_json:
        said = {"findings": [asdict(one) for one in findings]}
        typer.echo(json.dumps(said, ensure_ascii=False))
    else:
        _show(findings, spoken)
    if any(one.standing == "ill" for one in findings):
        raise typer.Exit(1)


def enrolled_environ(data: Path | None) -> dict[str, str]:
    """What enrolment settled for the folder that is given or set."""
    folder = data or (Path(os.environ[PREFIX + "DATA"]) if PREFIX + "DATA" in os.environ else None)
    return settings_of(None if folder is None else read_identity(folder))


def check_enrolled(settings: Settings) -> None:
    """A node that says it is another than its certificate names would only be refused everywhere.

    Raises:
        BadSettings: it does.
    """
    identity = read_identity(settings.data)
    uses_it = identity is not None and settings.tls_certificate == identity.pem
    if identity is not None and uses_it and identity.address != settings.address:
        raise BadSettings(
            f"{settings.data} is enrolled as {identity.address.path}, not as "
            f"{settings.address.path}: leave out --chain, --shop and --node"
        )


def _settings_for_doctor(data: Path, clock: SynchronisedSetting | None) -> Settings:
    environ = {**enrolled_environ(data), **os.environ}
    # One that was never enrolled has no name yet, and is to be told so.
    unnamed = {PREFIX + name: "unnamed" for name in ("CHAIN", "SHOP", "NODE")}
    return read_settings({**unnamed, **environ}, data=data, clock=clock)


def _show(findings: list[Finding], language: Language) -> None:
    table = Table(*_HEADS[language], box=None)
    for one in findings:
        sign = f"[{_STYLES[one.standing]}]{_SIGNS[language][one.standing]}[/]"
        says, do = in_language(one.says, language), in_language(one.do, language)
        table.add_row(one.name, sign, escape(says), escape(do))
    Console(width=None if sys.stdout.isatty() else 160).print(table)
