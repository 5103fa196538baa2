"""`python -m hub.bench.serve DATABASE PORT`: the API alone, for the bench. Computes no code."""

import sys

import uvicorn

from hub.api.app import create_app
from hub.store.database import open_database


def main() -> None:
    """Serve until SIGTERM, on this machine only."""
    place, port = sys.argv[1:]
    with open_database(place) as database:
        uvicorn.run(
            create_app(database), host="127.0.0.1", port=int(port), log_level="warning",
            server_header=False, proxy_headers=False, lifespan="off",
        )  # fmt: skip


if __name__ == "__main__":
    main()
