"""Serve a filled hub on the loopback and let Schemathesis ask it everything (scripts/fuzz).

`python tests/hub/api/fuzzed_hub.py PROGRAM EXAMPLES SEED`; ends as Schemathesis does.
"""

import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from hub.api.app import create_app
from hub.care.keyring import new_keyring
from hub.errors import DatabaseUnavailable
from hub.feeds.store import add_feed
from hub.notices.push import WebPush
from hub.pictures.blobs import FolderBlobs
from hub.store.database import Database, open_database
from storepulse.web_push import keep_push_key
from tests.dashboards.served import served
from tests.hub.keeping.places import fill
from tests.hub.staff import session_for

_AS_IT_WAS = (
    "update sessions set ended_at = null where ended_at is not null",
    "update people set ended_at = null, role = 'head_office'"
    " where name = 'fuzz' and (ended_at is not null or role <> 'head_office')",
)
LEFT_OUT = (
    "/api/events",  # answers until somebody leaves
    "/api/session",  # would sign out whoever asks
)


@contextmanager
def kept_signed_in(database: Database) -> Iterator[None]:
    """Schemathesis finds out who it is, and ends that, too: it gets its rights back again."""
    over = threading.Event()

    def keep() -> None:
        while not over.wait(0.2):
            with suppress(DatabaseUnavailable), database.connection() as connection:
                for text in _AS_IT_WAS:
                    connection.execute(text)  # type: ignore[call-overload]

    keeper = threading.Thread(target=keep)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()


def main(program: str, examples: str, seed: str) -> int:
    with tempfile.TemporaryDirectory(prefix="storepulse-fuzz-") as made:
        folder = Path(made)
        folder.chmod(0o711)
        with open_database(str(folder / "hub")) as database:
            fill(database)
            with database.connection() as connection:
                add_feed(
                    connection, "till", kind="deals", place="webhook", options={}, every_s=60,
                    now=datetime.now(UTC),
                )  # fmt: skip
            _, token = session_for(database, "head_office", name="fuzz")
            keyring = new_keyring()
            push = WebPush(keep_push_key(folder / "push-key.pem"), "mailto:it@example.com", ())
            app = create_app(
                database, store=FolderBlobs(folder / "blobs"), keys=lambda: keyring, push=push
            )
            with served(app) as hub, kept_signed_in(database):
                left_out = [word for path in LEFT_OUT for word in ("--exclude-path", path)]
                return subprocess.run(
                    [
                        program, "run", f"{hub}/openapi.json", "--checks", "not_a_server_error",
                        "--phases", "examples,coverage,fuzzing", "--max-examples", examples,
                        "--seed", seed, "--header", f"Cookie: storepulse={token}",
                        "--header", f"Origin: {hub}", "--continue-on-failure", "--no-color",
                        "--request-timeout", "20", *left_out,
                    ],
                    check=False,
                ).returncode  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
