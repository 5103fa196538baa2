"""Time zones are there on a machine that has none of its own."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

ASK = (
    "from zoneinfo import ZoneInfo\n"
    "from datetime import datetime\n"
    "print(datetime(2026, 7, 1, tzinfo=ZoneInfo('Europe/Berlin')).utcoffset())"
)


def test_a_node_without_zones_of_its_system_knows_the_shops_clock() -> None:
    # As where /usr/share/zoneinfo is missing: nothing is looked for in the system.
    said = subprocess.run(
        [sys.executable, "-c", ASK], env=os.environ | {"PYTHONTZPATH": ""}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert said.stdout.strip() == "2:00:00"


def test_zones_come_with_every_installation() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    assert any(one.startswith("tzdata>=") for one in project["project"]["dependencies"])
