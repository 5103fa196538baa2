"""Write the OpenAPI documents of node and hub, from which the pages' client is generated.

`python dashboards/scripts/openapi.py` writes dashboards/api/*.json. Starts no server: a route's
types are known without the parts that it would speak to.
"""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from edge.api import Parts, make_app
from hub.api.app import create_app
from hub.store.database import Database

FOLDER = Path(__file__).parents[1] / "api"


def documents() -> dict[str, dict[str, Any]]:
    """Each document by the name of its file; without versions, which change without the routes."""
    parts = cast(Parts, SimpleNamespace(upload_bytes_max=1))
    found = {"node": make_app(parts).openapi(), "hub": create_app(cast(Database, None)).openapi()}
    for document in found.values():
        document["info"].pop("version")
    return found


def as_text(document: dict[str, Any]) -> str:
    """A document as its file holds it."""
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, document in documents().items():
        (FOLDER / f"{name}.json").write_text(as_text(document), encoding="utf-8")
