"""A photo goes to the node as a phone sends it: a form that a real web framework reads."""

import httpx
import pytest
from fastapi import FastAPI, File, Form, UploadFile

from storepulse.demo.requests import Visitor, multipart


async def test_a_form_is_read_as_it_was_meant() -> None:
    app = FastAPI()

    @app.post("/")
    async def take(file: UploadFile = File(), bay: str = Form()) -> dict[str, str]:
        return {"bay": bay, "name": str(file.filename), "content": (await file.read()).hex()}

    content = bytes(range(256)) + b"\r\n--x"
    body, kind = multipart({"bay": "bay 1"}, filename="a.jpg", content=content)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
        told = await client.post("/", content=body, headers={"Content-Type": kind})
    assert told.json() == {"bay": "bay 1", "name": "a.jpg", "content": content.hex()}


@pytest.mark.parametrize(
    "url", ["http://example.org/", "http://127.0.0.1.example.org/", "ftp://127.0.0.1/"]
)
def test_nothing_but_the_loopback_is_spoken_to(url: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        Visitor(url)
