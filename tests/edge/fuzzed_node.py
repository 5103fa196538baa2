"""Serve a node on the loopback and let Schemathesis ask it everything (scripts/fuzz).

`python tests/edge/fuzzed_node.py PROGRAM EXAMPLES SEED`; ends as Schemathesis does. Photos are
judged by the child of the tests: what the real one makes of bytes has tests of its own.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from edge.disk import Disk
from edge.lock import COOKIE
from edge.outbox import Outbox
from tests.dashboards.served import served
from tests.edge.samples import PLAN, StandingClock, action
from tests.edge.shop import OWNER_KEY, Shop

LEFT_OUT = ("/api/phone",)  # would end the pairing of whoever asks


def filled_shop(folder: Path, disk: Disk) -> Shop:
    """A node with a plan, an action, a photo with its checklist, a tap and a name."""
    shop = Shop(folder, disk, Outbox(disk, node="node-1", bytes_max=2**30), StandingClock())
    shop.plans.put("plan", json.dumps(PLAN).encode())
    shop.pair()
    shop.inbox.receive([action()], shop.now())

    async def photographed() -> None:
        assert (await shop.snap(1)).status_code == 200

    asyncio.run(photographed())
    return shop


def main(program: str, examples: str, seed: str) -> int:
    with tempfile.TemporaryDirectory(prefix="storepulse-fuzz-") as made:
        folder = Path(made)
        sys.argv = ["fake", str(folder / "judged")]
        disk = Disk(folder / "data")
        shop = filled_shop(folder, disk)
        token = shop.phone.cookies[COOKIE]
        whoever = {"Cookie": f"{COOKIE}={token}", "Authorization": f"Bearer {OWNER_KEY}"}
        with served(shop.app) as node:
            left_out = [word for path in LEFT_OUT for word in ("--exclude-path", path)]
            # A paired phone, then the owner: each may ask what the other may not.
            ended = [
                subprocess.run(
                    [
                        program, "run", f"{node}/openapi.json", "--checks", "not_a_server_error",
                        "--phases", "examples,coverage,fuzzing", "--max-examples", examples,
                        "--seed", seed, "--header", f"{name}: {secret}",
                        "--header", f"Origin: {node}", "--continue-on-failure", "--no-color",
                        "--request-timeout", "20", *left_out,
                    ],
                    check=False,
                ).returncode
                for name, secret in whoever.items()
            ]  # fmt: skip
        disk.close()
        return max(ended)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
