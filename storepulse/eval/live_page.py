"""Show camera pictures to the built worker of the live view in headless Chromium (browser).

The worker is the file that ships; a page of our own feeds it as the clerk's page does: the next
picture is the first one that came after the last answer, by the time that the worker itself took.
Judges nothing.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from storepulse.errors import BadInput
from storepulse.pages import pages_folder

Grey = npt.NDArray[np.uint8]

CHROMIUM: Final = Path("/usr/bin/chromium")
_PATIENCE_MS: Final = 240_000
_FEED: Final = """async ([photo, whole, size, times, everyPicture]) => {
  const bytes = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer())
  const rgba = (grey, from, n) => {
    const out = new Uint32Array(n)
    for (let k = 0; k < n; k++) out[k] = 0xff000000 | (grey[from + k] * 0x010101)
    return out.buffer
  }
  const worker = window.worker = new Worker('/worker.js', { type: 'module' })
  const asked = (words) => new Promise((told, failed) => {
    worker.onmessage = ({ data }) => told(data)
    worker.onerror = (event) => failed(new Error(event.message))
    worker.postMessage(words, [words.rgba])
  })
  {
    const still = await bytes('/photo')
    const [wide, high] = photo
    const ready = await asked({ what: 'photo', width: wide, height: high, wholeWidth: whole,
      rgba: rgba(still, 0, wide * high) })
    const pictures = await bytes('/video')
    const [width, height] = size
    const seen = []
    let freeMs = 0
    for (let k = 0; k < times.length; k++) {
      if (times[k] < freeMs && !everyPicture) continue
      const told = await asked({ what: 'picture', width, height, atMs: times[k],
        rgba: rgba(pictures, k * width * height, width * height) })
      freeMs = times[k] + told.tookMs
      seen.push({ picture: k, phase: told.sight.phase, plane: told.sight.plane ?? null,
        took_ms: told.tookMs, share: told.sight.share })
    }
    return { ready_ms: ready.tookMs, seen }
  }
}"""


@dataclass(frozen=True, slots=True)
class SeenPicture:
    """What the worker said of one picture."""

    picture: int
    phase: str
    plane: npt.NDArray[np.float64] | None
    """(3, 3) from the photo's pixels to the picture's, edges at whole numbers; while tracking."""
    took_ms: float
    """From the picture's bytes to the answer, in the worker."""
    share: float


@dataclass(frozen=True, slots=True)
class Watched:
    """A whole video, as the worker saw it."""

    ready_ms: float
    """To get to know the photo."""
    seen: tuple[SeenPicture, ...]
    """Only those that it had time for, unless every one was asked for."""
    cpu_ms: float | None
    """What the worker's thread computed for all of them and the photo, whatever else ran on the
    machine; None where the system does not tell."""


class LivePage:
    """A browser page with the worker in it; made by `live_page`."""

    def __init__(self, page: Any, files: dict[str, bytes], *, every_picture: bool) -> None:
        self._page = page
        self.every_picture = every_picture
        self._files = files

    def watch(self, photo: Grey, whole_width: int, pictures: Grey, times_ms: Any) -> Watched:
        """Show a video to a fresh worker.

        Args:
            photo: (h, w) the judged photo, made smaller.
            whole_width: of the photo, in whose pixels the answer is.
            pictures: (n, h, w).
            times_ms: (n,) when each came from the camera.
        """
        self._files["/photo"] = photo.tobytes()
        self._files["/video"] = pictures.tobytes()
        told = self._page.evaluate(
            _FEED,
            [
                [photo.shape[1], photo.shape[0]], whole_width,
                [pictures.shape[2], pictures.shape[1]], np.asarray(times_ms).tolist(),
                self.every_picture,
            ],
        )  # fmt: skip
        cpu_ms = _worker_cpu_ms()
        self._page.evaluate("window.worker.terminate()")
        return Watched(told["ready_ms"], tuple(_seen(one) for one in told["seen"]), cpu_ms)


def _worker_cpu_ms() -> float | None:
    """CPU time of the worker's thread, of the browser that this process started."""
    ours, all_ms = {os.getpid()}, []
    try:
        stats = {int(path.name): _stat(path) for path in Path("/proc").glob("[0-9]*")}
        before = 0
        while len(ours) != before:
            before = len(ours)
            ours |= {pid for pid, parent in stats.items() if parent in ours}
        for pid in ours:
            for thread in Path(f"/proc/{pid}/task").iterdir():
                if (thread / "comm").read_text().startswith("DedicatedWorker"):
                    all_ms.append(int((thread / "schedstat").read_text().split()[0]) / 1e6)
    except OSError:
        return None
    return max(all_ms) if all_ms else None


def _stat(process: Path) -> int:
    """The parent's number; 0 for a process that is gone."""
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _seen(told: dict[str, Any]) -> SeenPicture:
    plane = None if told["plane"] is None else np.array(told["plane"], np.float64).reshape(3, 3)
    return SeenPicture(told["picture"], told["phase"], plane, told["took_ms"], told["share"])


def built_worker(folder: Path | None = None) -> Path:
    """The worker of the built pages.

    Raises:
        BadInput: the pages are not built, or not whole.
    """
    found = sorted(((folder or pages_folder()) / "assets").glob("worker-*.js"))
    if len(found) != 1:
        raise BadInput(
            "`storepulse eval ar` measures the built pages, and they are not built on this "
            "machine: run `make pages`"
        )
    return found[0]


@contextmanager
def live_page(*, every_picture: bool = False) -> Iterator[LivePage]:
    """Open the worker in headless Chromium as long as the block runs.

    Args:
        every_picture: leave none out, however long one takes: for a machine that is busy with
            other work, where waiting times say nothing.
    Raises:
        BadInput: the pages are not built, or there is no Chromium or playwright.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError as error:
        raise BadInput(
            "`storepulse eval ar` needs playwright: pip install 'storepulse[dev]'"
        ) from error
    if not CHROMIUM.exists():
        raise BadInput(f"`storepulse eval ar` needs Chromium at {CHROMIUM}: apt install chromium")
    files = {
        "/": b"<!doctype html><title>live</title>",
        "/worker.js": built_worker().read_bytes(),
    }
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, files))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with sync_playwright() as running:
            browser = running.chromium.launch(
                executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page()
            page.set_default_timeout(_PATIENCE_MS)
            page.goto(f"http://127.0.0.1:{server.server_port}/")
            try:
                yield LivePage(page, files, every_picture=every_picture)
            finally:
                browser.close()
    finally:
        server.shutdown()
        server.server_close()


class _Files(BaseHTTPRequestHandler):
    """Serves what lies in a dictionary."""

    def __init__(self, files: dict[str, bytes], *rest: Any) -> None:
        self._files = files
        super().__init__(*rest)

    def do_GET(self) -> None:
        """One file, or none."""
        body = self._files.get(self.path)
        self.send_response(404 if body is None else 200)
        kind = "text/javascript" if self.path.endswith(".js") else "text/html"
        self.send_header("Content-Type", kind if len(self.path) < 12 else "text/plain")
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
