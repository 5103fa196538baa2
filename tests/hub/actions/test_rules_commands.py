"""Rules are shown, changed and published by commands."""

import json
from pathlib import Path

from typer.testing import CliRunner

from hub.actions.cli import app
from hub.actions.rules import BadRules
from hub.store.database import Database


def test_rules_are_published_by_version(database: Database, tmp_path: Path) -> None:
    run, where = CliRunner(), ["--database", database.place]
    shown = json.loads(run.invoke(app, ["show", *where]).stdout)
    assert shown["version"] == 1
    file = tmp_path / "rules.json"
    file.write_text(json.dumps(shown | {"unseen_minutes_max": 45}), encoding="utf-8")
    refused = run.invoke(app, ["publish", str(file), *where]).exception
    assert isinstance(refused, BadRules)
    assert "higher one" in str(refused)
    file.write_text(json.dumps(shown | {"unseen_minutes_max": 45, "version": 2}), encoding="utf-8")
    assert run.invoke(app, ["publish", str(file), *where]).exit_code == 0
    assert json.loads(run.invoke(app, ["show", *where]).stdout)["unseen_minutes_max"] == 45
    assert "unseen_minutes_max" in json.loads(run.invoke(app, ["schema"]).stdout)["properties"]
