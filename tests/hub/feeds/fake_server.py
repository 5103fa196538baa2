"""A server on the loopback that plays the others: CSV behind an address, and Open-Meteo."""

import csv
import io
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

Said = Mapping[str, object]


@dataclass
class Fake:
    """What it answers, and what it was asked."""

    url: str = ""
    status: int = 200
    content: bytes = b""
    weather: dict[str, dict[str, tuple[object, object]]] = field(default_factory=dict)
    """By "latitude,longitude" and day: rain in mm, temperature in °C."""
    days: tuple[str, ...] = ()
    units: Mapping[str, str] = field(
        default_factory=lambda: {"precipitation_sum": "mm", "temperature_2m_mean": "°C"}
    )
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str) -> bytes:
        self.asked.append(path)
        if not path.startswith("/v1/forecast"):
            return self.content
        said = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        assert set(said["daily"].split(",")) == set(self.units)
        places = list(
            zip(*(said[one].split(",") for one in ("latitude", "longitude")), strict=True)
        )
        assert len(said["timezone"].split(",")) == len(places)
        found = [self._place(*place) for place in places]
        # One place is an object, several are a list: as the real one does.
        return json.dumps(found if len(found) > 1 else found[0]).encode()

    def _place(self, latitude: str, longitude: str) -> dict[str, object]:
        days = self.weather.get(f"{float(latitude):g},{float(longitude):g}", {})
        listed = self.days or tuple(sorted(days))
        rain, degrees = zip(*(days.get(day, (None, None)) for day in listed), strict=True)
        return {
            "latitude": float(latitude), "longitude": float(longitude),
            "generationtime_ms": 0.1, "utc_offset_seconds": 28800, "timezone": "Asia/Shanghai",
            "timezone_abbreviation": "GMT+8", "elevation": 4.0,
            "daily_units": {"time": "iso8601", **self.units},
            "daily": {
                "time": list(listed), "precipitation_sum": list(rain),
                "temperature_2m_mean": list(degrees),
            },
        }  # fmt: skip


def csv_bytes(rows: Sequence[Said], columns: Sequence[str]) -> bytes:
    written = io.StringIO(newline="")
    writer = csv.DictWriter(written, columns)
    writer.writeheader()
    writer.writerows(rows)
    # As a spreadsheet writes it.
    return b"\xef\xbb\xbf" + written.getvalue().encode()


def day_after(day: date, n: int) -> str:
    return (day + timedelta(days=n)).isoformat()


@contextmanager
def fake_server() -> Iterator[Fake]:
    fake = Fake()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = fake.answer(self.path)
            self.send_response(fake.status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        fake.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()
