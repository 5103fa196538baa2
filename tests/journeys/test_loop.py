"""The whole loop on a drawn shelf, through real processes: photo and capture in, codes out."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from storepulse.actions import DIMENSIONS
from storepulse.demo.children import wait_until

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]
DEMO = [sys.executable, "-m", "storepulse", "demo"]


@pytest.fixture(scope="module")
def loop() -> dict[str, Any]:
    """What `storepulse demo --once --json` says on a drawn shelf."""
    done = subprocess.run(
        [*DEMO, "--once", "--json"], capture_output=True, text=True, timeout=840, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def stage(loop: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in loop["stages"] if one["stage"] == name)


def test_four_codes_come_out_each_with_its_reason(loop: dict[str, Any]) -> None:
    assert loop["ok"]
    assert [code["dimension"] for code in loop["codes"]] == list(DIMENSIONS)
    assert all(code["rule"] for code in loop["codes"])


def test_the_erased_main_push_facings_turn_goods_red(loop: dict[str, Any]) -> None:
    goods = next(code for code in loop["codes"] if code["dimension"] == "goods")
    assert goods["colour"] == "red"
    assert goods["probability"] >= 0.8
    assert "main-push" in goods["rule"]


def test_at_least_two_of_three_erased_facings_are_found(loop: dict[str, Any]) -> None:
    judgement = stage(loop, "judgement")
    assert judgement["erased"] == 3
    assert judgement["erased_found"] >= 2


def test_the_hub_holds_the_nodes_checklist_and_the_node_the_hubs_action(
    loop: dict[str, Any],
) -> None:
    assert stage(loop, "facts at the hub")["checklist_acknowledged"]
    (goods,) = [
        action for action in stage(loop, "actions")["actions"] if action["dimension"] == "goods"
    ]
    assert goods["on_node"]
    assert goods["state"] == "delivered"
    assert goods["checklist"] == stage(loop, "judgement")["checklist"]


def test_dwell_comes_with_its_interval(loop: dict[str, Any]) -> None:
    dwell = stage(loop, "ears")["dwell_minutes"]
    assert dwell["low"] < dwell["mean"] < dwell["high"]


def test_the_board_shows_twelve_shops_marked_as_simulated(loop: dict[str, Any]) -> None:
    assert len(loop["board"]) == 12
    assert all(row["simulated"] for row in loop["board"])
    assert {row["colour"] for row in loop["board"]} >= {"green", "yellow", "red", "unknown"}


def test_the_temporary_folder_is_gone(loop: dict[str, Any]) -> None:
    assert not Path(loop["data"]).exists()


@pytest.mark.parametrize("what", ["photo", "capture"])
def test_what_cannot_be_read_is_one_line_and_exit_code_2(what: str, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.jpg"
    wrong.write_text("neither a photo nor a capture")
    done = subprocess.run(
        [*DEMO, "--once", "--json", f"--{what}", str(wrong)],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert [line for line in done.stderr.splitlines() if "storepulse: " in line]
    assert not json.loads(done.stdout)["ok"]


def test_a_demo_that_is_told_to_end_takes_its_children_with_it(tmp_path: Path) -> None:
    said = tmp_path / "said"
    data = tmp_path / "data"
    with said.open("wb") as file:
        demo = subprocess.Popen([*DEMO, "--once", "--data", str(data)], stderr=file, stdout=file)
    try:
        wait_until(
            lambda: "✓ broker" in said.read_text(errors="replace"), what="the broker", limit_s=240
        )
        demo.send_signal(signal.SIGTERM)
        assert demo.wait(120) != 0
    finally:
        demo.kill()
    assert not _processes_that_name(str(data))


def _processes_that_name(folder: str) -> list[str]:
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = each.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it ended meanwhile
        if folder in words:
            found.append(words)
    return found
