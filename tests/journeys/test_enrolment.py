"""A node comes in by a code, reports over mutual TLS, and is shut out: each by its command."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from storepulse.demo.children import Children, run_to_end, wait_until
from storepulse.demo.services import (
    PROGRAM,
    Server,
    hub_server,
    node_server,
    wait_for_empty_outbox,
)

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]
WHO = ("--chain", "acme", "--shop", "shop-17", "--node", "node-1")
FAKE_JUDGE = Path(__file__).parents[1] / "edge" / "fake_judge.py"
FACT = {
    "id": "f1", "shop": "shop-17", "metric": "screen_touches", "start": "2026-11-22T08:00:00Z",
    "end": "2026-11-22T08:01:00Z", "value": 3.0, "method": "test/1",
}  # fmt: skip


def start_hub(children: Children, folder: Path, *more: str) -> tuple[Server, dict[str, Any]]:
    argv = [*PROGRAM, "hub", "run", "--database", str(folder / "hub"), "--chain", "acme"]
    argv += ["--broker-port", "0", "--port", "0", "--tls-port", "0", *more]
    child = children.start("hub", argv)
    words = wait_until(child.first_words, what="the hub", limit_s=120, needs=[child])
    return hub_server(child, words, folder / "hub"), words


def test_a_node_comes_in_reports_and_is_shut_out(open_folder: Path) -> None:
    data, database = str(open_folder / "node"), str(open_folder / "hub")

    def command(*words: str) -> str:
        return run_to_end([*PROGRAM, *words], what=" ".join(words[:3]), limit_s=120)

    with Children(open_folder / "logs") as children:
        _, before = start_hub(children, open_folder)
        assert before["broker"].startswith("mqtt://")
        assert "door" not in before
        children._started[-1].process.terminate()
        children._started[-1].process.wait(120)

        hub, words = start_hub(children, open_folder, "--tls")
        assert words["broker"].startswith("mqtts://")
        code = command("hub", "node", "invite", *WHO, "--database", database).strip()
        told = json.loads(
            command("edge", "enrol", code, "--hub", hub.door, "--data", data, "--json")
        )
        assert told["node"] == "/storepulse/acme/shop-17/node-1"

        # Nothing but the folder need be said: enrolment has settled who it is, and where to.
        child = children.start(
            "node", [*PROGRAM, "edge", "run", "--data", data, "--clock", "yes"],
            STOREPULSE_EDGE_JUDGE_COMMAND=f"{sys.executable} {FAKE_JUDGE} {open_folder}/judged",
            STOREPULSE_EDGE_POLL_S="0.1",
        )  # fmt: skip
        said = wait_until(child.first_words, what="the node", limit_s=120, needs=[child])
        node = node_server(child, said, open_folder / "node")
        facts = open_folder / "facts.jsonl"
        facts.write_text(json.dumps(FACT))
        command("edge", "say", data, str(facts), "--clock", "yes")
        wait_for_empty_outbox(node)
        doctor = subprocess.run(
            [*PROGRAM, "edge", "doctor", "--data", data, "--clock", "yes", "--json"],
            capture_output=True, check=False, timeout=150,
        )  # fmt: skip
        found = {one["name"]: one for one in json.loads(doctor.stdout)["findings"]}
        for name in ("network", "clock", "hub", "broker", "certificate", "outbox", "phones"):
            assert found[name]["standing"] == "well", found[name]

        command(
            "hub", "node", "revoke", "shop-17/node-1", "--chain", "acme", "--database", database
        )

        def cut() -> bool:
            return not node.owner.get("/healthz")["link"]["connected"]

        wait_until(cut, what="the end of the node's line", limit_s=120, needs=[child])
        (listed,) = json.loads(command("hub", "node", "list", "--database", database, "--json"))
        assert (listed["standing"], listed["online"]) == ("revoked", False)

        # From then on TLS is on by itself.
        hub.child.process.terminate()
        hub.child.process.wait(120)
        _, after = start_hub(children, open_folder)
        assert after["broker"].startswith("mqtts://")
