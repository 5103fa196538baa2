"""`storepulse eval offline|new-clerk|phone-speed`: the clerk's page in a real browser. Thin."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from storepulse.errors import BadInput
from storepulse.eval.options import AsJson, Seed, say
from storepulse.eval.progress import TALK, on_stderr

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command("offline", epilog="storepulse eval offline --photos 50 --taps 200 --json")
def offline_command(
    photos: Annotated[int, typer.Option(min=3, help="Photos queued on the phone.")] = 50,
    taps: Annotated[int, typer.Option(min=1, help="Taps queued beside them.")] = 200,
    as_json: AsJson = False,
) -> None:
    """Queue photos and taps, kill browser (twice), node and hub with -9, and count what arrived.

    Ends with exit code 1 if anything was lost or came twice.
    """
    from storepulse.eval.offline import offline_campaign

    with _world() as (world, playwright, folder):
        report = offline_campaign(
            world, playwright, folder, photos=photos, taps=taps,
            tell=lambda line: TALK.print(f"  {line}", markup=False),
        )  # fmt: skip
    typer.echo(json.dumps(report.as_json()) if as_json else report.in_words())
    if not report.ok:
        raise typer.Exit(1)


@app.command("new-clerk", epilog="storepulse eval new-clerk --json")
def new_clerk_command(as_json: AsJson = False) -> None:
    """From the pairing code to the end of the first list, by touch and by keyboard: every step.

    Ends with exit code 1 if either took longer than two minutes, person's time included.
    """
    from storepulse.eval.new_clerk import How, new_clerk

    ways: tuple[How, How] = ("touch", "keyboard")
    with _world() as (world, playwright, _), _browser(world, playwright) as browser:
        runs = [new_clerk(world, browser, how=how) for how in ways]
    for run in runs:
        typer.echo(json.dumps(run.as_json()) if as_json else run.in_words())
    if not all(run.ok for run in runs):
        raise typer.Exit(1)


@app.command("phone-speed", epilog="storepulse eval phone-speed --count 12 --json")
def phone_speed_command(
    count: Annotated[int, typer.Option(min=2, help="Visits in each state, and photos.")] = 12,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """The page on a slow phone over slow 4G, and a photo to its result in the shop, in seconds."""
    from storepulse.eval.phone_speed import measure_phone_speed

    with _world() as (world, playwright, folder), _browser(world, playwright) as browser:
        report = measure_phone_speed(
            world, browser, folder, count=count, seed=seed, steps=on_stderr
        )
    say(report, as_json)


@contextmanager
def _world() -> Iterator[tuple[Any, Any, Path]]:
    """Hub, broker, node and what drives a browser, in a folder that goes with them.

    Raises:
        BadInput: the pages are not built, or there is no Chromium or playwright.
    """
    from storepulse.demo.children import Children
    from storepulse.eval.shop_world import CHROMIUM, start_world
    from storepulse.pages import pages_folder

    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError as error:
        raise BadInput("this needs playwright: pip install 'storepulse[dev]'") from error
    if not CHROMIUM.exists():
        raise BadInput(f"this needs Chromium at {CHROMIUM}: apt install chromium")
    if not (pages_folder() / "clerk.html").is_file():
        raise BadInput("this measures the built pages: run `make pages`")
    folder = Path(tempfile.mkdtemp(prefix="storepulse-clerk-"))
    folder.chmod(0o711)  # the database of a world runs as a lower user where we are root
    try:
        with Children(folder / "logs") as children, sync_playwright() as playwright:
            TALK.print("starting broker, hub and node", markup=False)
            yield start_world(folder, children), playwright, folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _browser(world: Any, playwright: Any) -> Iterator[Any]:
    from storepulse.eval.shop_world import CHROMIUM

    opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=world.browser_arguments)
    yield opened
    opened.close()
