"""How fast the clerk's page is: on a slow phone over slow 4G, and a photo's result in the shop.

Measured in headless Chromium against a real node on this machine. The slow phone is Chromium's own
(the processor four times slower), the slow line its network conditions; both are simulations.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from storepulse.eval.figures import Figure, Report
from storepulse.eval.progress import Steps
from storepulse.eval.resampling import drawn_anew, interval_of
from storepulse.eval.shop_world import PHONE, World, open_page, pair, watch

CPU_SLOWER: Final = 4
LINE: Final = {
    "offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8,
    "uploadThroughput": 0.75e6 / 8,
}  # fmt: skip
"""Slow 4G: 1.6 Mbit/s down, 750 kbit/s up, 150 ms."""
INTERACTIVE_S_MAX: Final = 3.0
RESULT_S_MAX: Final = 2.0
PHOTO_PX: Final = (4000, 3000)
_ROUNDS: Final = 2000
_USABLE: Final = """() => {
  const look = () => {
    const seen = document.querySelector('label.big, form.door button.first')
    if (!seen || !seen.getClientRects().length) return requestAnimationFrame(look)
    // What was pressed now would be heard: the page's thread has come back to its queue.
    setTimeout(() => (window.usableMs = performance.now()))
  }
  requestAnimationFrame(look)
}"""
_RESULT: Final = """() => {
  document.addEventListener('change', ({ target }) => {
    if (target.type !== 'file') return
    const from = (window.chosenMs = performance.now())
    window.resultMs = undefined
    performance.clearResourceTimings()
    const look = () => {
      const list = document.querySelector('.result [data-judged] :is([data-item], h2)')
      const photo = document.querySelector('.result .shelf img')
      if (!list || !photo?.complete || !photo.naturalWidth) return requestAnimationFrame(look)
      window.resultMs = performance.now() - from
    }
    look()
  }, true)
}"""

_STAGES: Final = """async () => {
  const at = (stage) => performance.getEntriesByName(`photo.${stage}`).at(-1).startTime - chosenMs
  const sent = performance.getEntriesByType('resource').filter((one) =>
    one.name.endsWith('/api/photos'))
  const node = Object.fromEntries(sent.at(-1).serverTiming.map((one) => [one.name, one.duration]))
  const uuid = location.hash.split('/').at(-1)
  const { observation } = await (await fetch(`/api/photos/${uuid}`)).json()
  return { kept: at('kept'), sending: at('sending'),
    answered: at('answered'), shown: resultMs, node, eyes: observation.timings_ms }
}"""


def measure_phone_speed(
    world: World, browser: Any, folder: Path, *, count: int, seed: int, steps: Steps
) -> Report:
    """Open the page `count` times in each state, and send `count` photos of 12 megapixels."""
    paired = open_page(browser, world.pairing_link(), "en", **PHONE)
    pair(paired, "en")
    state = paired.context.storage_state()
    # What an earlier visit has kept would save a question.
    for origin in state["origins"]:
        kept = origin["localStorage"]
        origin["localStorage"] = [
            one for one in kept if not one["name"].startswith("storepulse.bay")
        ]
    ways: dict[str, Callable[[], float]] = {
        "first visit, to the pairing form": lambda: _usable_s(browser, world.node.url, None),
        "paired, nothing kept": lambda: _usable_s(browser, world.node.url, state),
        "paired, page kept on the phone": _kept(browser, world.node.url, state),
    }
    figures = []
    for name, once in ways.items():
        found = [once() for _ in steps(range(count), f"opening the page: {name}")]
        figures += _figures("interactive", name, found, INTERACTIVE_S_MAX, seed)
    photos = _photos(world.poor, folder, count + 1)
    megabytes = sum(one.stat().st_size for one in photos) / len(photos) / 1e6
    paired.evaluate(_RESULT)
    found, stages, node_cpu_s = [], [], []
    for one in steps(photos, "sending photos of 12 megapixels"):
        before = _cpu_s(world.node.child.process.pid)
        found.append(_result_s(paired, one))
        stages.append(stages_of(paired.evaluate(_STAGES)))
        node_cpu_s.append(_cpu_s(world.node.child.process.pid) - before)
    paired.context.close()
    # The first one has the node's judge and the page's parts to load.
    figures += _figures("photo to result", "12 megapixels", found[1:], RESULT_S_MAX, seed)
    figures.append(
        Figure(name="photo to result", of="the very first", value=found[0], n=1, unit="s")
    )
    figures += [
        Figure(name="photo to result, stage, median", of=name, n=count, unit="s",
               value=round(float(np.median([one[name] for one in stages[1:]])), 4))
        for name in stages[1]
    ]  # fmt: skip
    low, high = interval_of(
        [float(np.median(some)) for some in drawn_anew(node_cpu_s[1:], seed=seed, rounds=_ROUNDS)]
    )
    figures.append(
        Figure(name="photo to result, the node's processor time", of="12 megapixels",
               value=float(np.median(node_cpu_s[1:])), low=low, high=high, n=count, unit="s")
    )  # fmt: skip
    return Report(
        measure="phone-speed",
        settings={
            "count": count, "seed": seed, "processor_slower": CPU_SLOWER,
            "line": "1.6 Mbit/s, 150 ms", "cores": os.cpu_count() or 0,
            "load_after": round(os.getloadavg()[0], 1),
        },
        figures=tuple(figures),
        notes=(
            "interactive: from the address to the large button on screen and the thread free",
            f"photo to result: no slow-down; {PHOTO_PX[0]} x {PHOTO_PX[1]} JPEG, from the file "
            "chosen to photo and list on screen",
            "stages: by the page's User Timing and the node's Server-Timing; those of the node's "
            "judge are parts of it",
            "intervals of the median: times drawn anew",
            "on a machine with other work in it, times are its load's as much as the page's; the "
            f"node's processor time is not. Photos of {megabytes:.1f} MB on average",
        ),
    )  # fmt: skip


def _usable_s(browser: Any, url: str, state: Any) -> float:
    context = browser.new_context(locale="en", storage_state=state, **PHONE)
    try:
        return _slow_s(context, url)
    finally:
        context.close()


def _slow_s(context: Any, url: str) -> float:
    page = context.new_page()
    watch(page)
    page.add_init_script(f"({_USABLE})()")
    slow = context.new_cdp_session(page)
    slow.send("Network.enable")
    slow.send("Network.emulateNetworkConditions", LINE)
    slow.send("Emulation.setCPUThrottlingRate", {"rate": CPU_SLOWER})
    page.goto(url, wait_until="commit")
    found = page.wait_for_function("() => window.usableMs").json_value()
    page.close()
    return float(found) / 1000


def _kept(browser: Any, url: str, state: Any) -> Callable[[], float]:
    """One phone that has the page: its worker answers for it."""
    context = browser.new_context(locale="en", storage_state=state, **PHONE)
    first = context.new_page()
    first.goto(url)
    first.wait_for_function(
        "async () => (await navigator.serviceWorker.ready).active?.state === 'activated'"
    )
    first.close()
    return lambda: _slow_s(context, url)


def _photos(shelf: Path, folder: Path, count: int) -> list[Path]:
    """The shelf as a camera of 12 megapixels gives it, each file another one."""
    bgr = cv2.imread(str(shelf))
    assert bgr is not None
    large = cv2.resize(bgr, PHOTO_PX, interpolation=cv2.INTER_CUBIC)
    made = []
    for number in range(count):
        # As much as a sensor's in good light.
        noise = np.random.default_rng(number).integers(-1, 2, large.shape, np.int16)
        file = folder / f"photo-{number}.jpg"
        seen = np.clip(large + noise, 0, 255).astype(np.uint8)
        cv2.imwrite(str(file), seen, [cv2.IMWRITE_JPEG_QUALITY, 90])
        made.append(file)
    return made


def _result_s(page: Any, photo: Path) -> float:
    if not page.url.endswith("#/"):
        page.evaluate("location.hash = '#/'")
    page.locator("label.choose input").wait_for(state="attached")
    page.locator("label.choose input").set_input_files(str(photo))
    found = page.wait_for_function("() => window.resultMs").json_value()
    return float(found) / 1000


def stages_of(told: Mapping[str, Any]) -> dict[str, float]:
    """Where one photo's time went, in seconds, in the order in which it passes.

    Args:
        told: milliseconds from the file's choice until it was `kept` (on the phone's disk),
            `sending`, `answered` and `shown`; `node`, its own stages; and `eyes`, those
            of the judging child, which are parts of the node's "judge".
    """
    node: Mapping[str, float] = told["node"]
    of_node = sum(node.values())
    ms = {
        "phone: kept on its disk": told["kept"],
        "phone: until it is sent": told["sending"] - told["kept"],
        **{f"node: {name}": took for name, took in node.items()},
        **{f"node: judge: {name}": took for name, took in told["eyes"].items() if name != "total"},
        # A browser says only some time after it that the last byte has gone: no stage of its own.
        "line: the photo's way, and the answer's": told["answered"] - told["sending"] - of_node,
        "phone: until the list is seen": told["shown"] - told["answered"],
    }
    return {name: took / 1000 for name, took in ms.items()}


def _cpu_s(pid: int) -> float:
    """Processor time of a process and of all that it started, those that have ended included."""
    stats = {}
    for each in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = each.read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        stats[int(each.parent.name)] = int(words[1]), sum(int(one) for one in words[11:15])
    ours = {pid}
    while more := {one for one, (parent, _) in stats.items() if parent in ours} - ours:
        ours |= more
    return sum(stats[one][1] for one in ours if one in stats) / os.sysconf("SC_CLK_TCK")


def _figures(what: str, of: str, seconds: Sequence[float], most: float, seed: int) -> list[Figure]:
    medians = [float(np.median(some)) for some in drawn_anew(seconds, seed=seed, rounds=_ROUNDS)]
    low, high = interval_of(medians)
    return [
        Figure(name=f"{what}, median", of=of, value=float(np.median(seconds)), low=low, high=high,
               n=len(seconds), unit="s"),
        Figure(name=f"{what}, slowest", of=of, value=max(seconds), n=len(seconds), unit="s"),
        Figure(name=f"{what}, within {most:g} s", of=of, n=len(seconds),
               value=float(np.mean(np.array(seconds) <= most))),
    ]  # fmt: skip
