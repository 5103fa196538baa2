"""Serve an application on a port of the machine's choice while a test runs."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from tests.late import served_late

_PATIENCE_S = 60.0


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The address of the application, as long as the block runs."""
    config = uvicorn.Config(
        served_late(app), host="127.0.0.1", port=0, log_level="critical", lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    began = time.monotonic()
    while not server.started:
        if time.monotonic() - began > _PATIENCE_S or not thread.is_alive():
            raise TimeoutError("the fake did not start")
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join(_PATIENCE_S)
