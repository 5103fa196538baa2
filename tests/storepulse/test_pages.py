"""Built pages are served with what keeps them safe, and their client is that of the API."""

import gzip
import runpy
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from storepulse.pages import ENVIRONMENT_NAME, NOT_BUILT, page_routes, pages_folder

HOUSE = Path(__file__).parents[2]
SCRIPT = "asset-1234.js"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "clerk.html").write_text("<!doctype html>")
    (tmp_path / "sw.js").write_text("// keeps")
    (tmp_path / "secret.txt").write_text("not for the web")
    script = tmp_path / "assets" / SCRIPT
    script.write_text("1" * 1000)
    script.with_name(SCRIPT + ".gz").write_bytes(gzip.compress(script.read_bytes()))
    return tmp_path


async def get(folder: Path, path: str, **headers: str) -> httpx.Response:
    app = FastAPI()
    app.include_router(page_routes("clerk.html", folder))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        return await client.get(path, headers=headers)


async def test_a_page_may_load_nothing_from_elsewhere(folder: Path) -> None:
    answer = await get(folder, "/")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"].startswith("default-src 'self';")
    assert answer.headers["cache-control"] == "no-cache"


async def test_a_page_that_is_not_built_says_how_in_one_line(tmp_path: Path) -> None:
    answer = await get(tmp_path, "/")
    assert answer.status_code == 503
    assert answer.text == NOT_BUILT
    assert len(answer.text.splitlines()) == 1


async def test_a_script_travels_packed_to_who_can_unpack_it(folder: Path) -> None:
    packed = await get(folder, f"/assets/{SCRIPT}", **{"Accept-Encoding": "gzip"})
    plain = await get(folder, f"/assets/{SCRIPT}", **{"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])
    assert packed.text == plain.text == "1" * 1000
    assert packed.headers["content-type"].startswith("text/javascript")
    assert "immutable" in plain.headers["cache-control"]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/assets/nothing.js", id="no such file"),
        pytest.param("/assets/%2e%2e", id="the folder above"),
        pytest.param("/assets/..%2Fsecret.txt", id="a file above"),
        pytest.param("/assets/%2e%2e%2fsecret.txt", id="a file above, spelt otherwise"),
        pytest.param("/secret.txt", id="a file beside the page"),
    ],
)
async def test_nothing_but_the_built_files_leaves_the_folder(folder: Path, path: str) -> None:
    assert (await get(folder, path)).status_code == 404


def test_another_folder_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(ENVIRONMENT_NAME, str(tmp_path))
    assert pages_folder() == tmp_path


SCRIPTED = runpy.run_path(str(HOUSE / "dashboards" / "scripts" / "openapi.py"), run_name="openapi")


@pytest.mark.parametrize("name", ["hub", "node"])
def test_the_pages_client_is_generated_from_the_api_as_it_is(name: str) -> None:
    document = SCRIPTED["documents"]()[name]
    kept = (HOUSE / "dashboards" / "api" / f"{name}.json").read_text(encoding="utf-8")
    assert kept == SCRIPTED["as_text"](document), "run dashboards/scripts/generate and commit it"
