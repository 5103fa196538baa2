"""Open a view of the pages in a browser and look at it: what must hold of each, in which looks.

A look is a size, a language and a theme. At each run a view is opened once, in the language of the
tests, as a phone in the dark, and then becomes a desk by day. With STOREPULSE_SHOTS=FOLDER it is
opened in each language that people speak and shown in every size and theme, and once as a colour-
blind person sees it; each is kept as a picture; axe is asked without STOREPULSE_SHOTS alone.
"""

import itertools
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import pytest

from storepulse.pages import pages_folder

CHROMIUM: Final = Path("/usr/bin/chromium")
HOUSE: Final = Path(__file__).parents[2]
AXE: Final = HOUSE / "dashboards" / "node_modules" / "axe-core" / "axe.min.js"
SIZES: Final[dict[str, dict[str, Any]]] = {
    "phone": {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True},
    "tablet": {"viewport": {"width": 768, "height": 1024}, "has_touch": True},
    "desk": {"viewport": {"width": 1440, "height": 900}},
}
TAGS: Final = {"en": "en", "zh": "zh-CN"}
PSEUDO: Final = "pseudo"
"""The language of the tests: what a page shows outside its brackets is not of the catalogue."""
BLIND: Final = "deuteranopia"
"""By day, as somebody sees it who cannot tell red from green."""
SHOTS: Final = os.environ.get("STOREPULSE_SHOTS")
LANGUAGES: Final = list(TAGS) if SHOTS else [PSEUDO]
SHAPES: Final = (
    [*itertools.product(SIZES, ("light", "dark")), ("desk", BLIND)]
    if SHOTS
    else [("phone", "dark"), ("desk", "light")]
)
"""Size and theme, in the order in which a page takes them on."""
LIMIT_MS: Final = 60_000

PYTESTMARK: Final = [
    pytest.mark.journey,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="not run: chromium is not installed"),
    pytest.mark.skipif(
        not (pages_folder() / "board.html").exists(),
        reason="not run: the pages are not built (make pages)",
    ),
]

Step = Callable[[Any], None]
Look = tuple[str, str, str]
"""Size, language, theme."""


def click(selector: str) -> Step:
    return lambda page: page.locator(selector).first.click()


def see(selector: str) -> Step:
    return lambda page: page.locator(selector).first.wait_for()


def fill(selector: str, text: str) -> Step:
    return lambda page: page.locator(selector).first.fill(text)


@dataclass(frozen=True, slots=True)
class Show:
    """The step that brings something into view: taken again in each look."""

    selector: str

    def __call__(self, page: Any) -> None:
        page.locator(self.selector).first.scroll_into_view_if_needed()


def open_view(browser: Any, url: str, look: Look) -> Any:
    size, language, theme = look
    locale = TAGS.get(language, "en")
    context = browser.new_context(locale=locale, color_scheme=theme, **SIZES[size])
    page = context.new_page()
    page.set_default_timeout(LIMIT_MS)
    page.faults = []
    page.tools = None
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.answers = []
    if language == PSEUDO:
        page.on("response", lambda answer: page.answers.append(answer))
        root, _, place = url.partition("#")
        asked = f"{root}{'&' if '?' in root else '?'}lang={PSEUDO}"
        url = f"{asked}#{place}" if place else asked
    page.goto(url)
    return page


def become(page: Any, size: str, theme: str) -> None:
    """Turn an open page into one of another size and theme: a phone into a desk, too."""
    shape = SIZES[size]
    page.set_viewport_size(shape["viewport"])
    page.emulate_media(color_scheme="light" if theme == BLIND else theme)
    # Held on to: what it says ends with it.
    page.tools = page.tools or page.context.new_cdp_session(page)
    metrics = shape["viewport"] | {"deviceScaleFactor": 1, "mobile": "is_mobile" in shape}
    page.tools.send("Emulation.setDeviceMetricsOverride", metrics)
    page.tools.send("Emulation.setTouchEmulationEnabled", {"enabled": "has_touch" in shape})
    seen = {"type": BLIND if theme == BLIND else "none"}
    page.tools.send("Emulation.setEmulatedVisionDeficiency", seen)
    page.evaluate("new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))")


def look_around(
    browser: Any,
    url: str,
    name: str,
    language: str,
    steps: Sequence[Step],
    shapes: Sequence[tuple[str, str]] = tuple(SHAPES),
) -> None:
    """Open a view, go to it by its steps, and look at it in each size and theme."""
    page = open_view(browser, url, (shapes[0][0], language, shapes[0][1]))
    for step in steps:
        step(page)
    found = []
    for at, (size, theme) in enumerate(shapes):
        if at:
            become(page, size, theme)
            for step in steps:
                if isinstance(step, Show):
                    step(page)
        look = (size, language, theme)
        found += [f"{'-'.join(look)}: {fault}" for fault in faults_of(page, name, look)]
    page.context.close()
    assert not found, "\n".join(found)


def look_at(page: Any, name: str, look: Look) -> None:
    """What must hold of every view, of one that a test has come to."""
    found = faults_of(page, name, look)
    assert not found, "\n".join(found)


def faults_of(page: Any, name: str, look: Look) -> list[str]:
    """What is wrong with a page as it stands; kept as a picture, where pictures are wanted."""
    size, language, _ = look
    page.evaluate("document.fonts.ready")
    found = list(page.faults)
    wide = SIZES[size]["viewport"]["width"]
    if page.evaluate(f"document.documentElement.scrollWidth > {wide}"):
        found.append("wider than the screen")
    if SHOTS:
        folder = Path(SHOTS)
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot()  # the first after a change of size may lack what has become visible
        page.screenshot(path=folder / f"{name}-{'-'.join(look)}.png")
        return found
    if language == PSEUDO:
        found += [f"forgotten: {text}" for text in forgotten(page)]
    return found + serious_faults(page)


def serious_faults(page: Any) -> list[str]:
    """What axe-core finds serious or critical."""
    if not AXE.exists():
        pytest.skip("not run: axe-core is not installed (make pages)")
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['nodes'][0]['html']}: {one['nodes'][0]['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


_TEXTS: Final = """() => {
  const found = []
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let at = walk.nextNode(); at; at = walk.nextNode()) {
    const into = at.parentElement
    if (into.closest('[translate=no]') || ['SCRIPT', 'STYLE'].includes(into.tagName)) continue
    found.push(at.data)
  }
  for (const one of document.querySelectorAll('*'))
    for (const name of ['title', 'alt', 'placeholder', 'aria-label', 'aria-description'])
      if (one.hasAttribute(name) && !one.closest('[translate=no]'))
        found.push(one.getAttribute(name))
  return found
}"""
_LETTERS: Final = re.compile(r"[^\W\d_]")


def forgotten(page: Any) -> list[str]:
    """Texts on the page that came neither from the catalogue nor from an answer of the API."""
    # The texts first: whatever answer they came from has been heard by then.
    texts = page.evaluate(_TEXTS)
    known: set[str] = set()
    for answer in page.answers:
        if "application/json" in answer.headers.get("content-type", ""):
            known |= set(_words_in(answer.json()))
    known |= {page.evaluate("location.host"), page.evaluate("location.origin")}
    # A shop that there is not is called what the address calls it.
    known |= {unquote(part) for part in page.url.partition("#")[2].partition("?")[0].split("/")}
    data = sorted((one for one in known if one.strip()), key=len, reverse=True)
    found = []
    for text in texts:
        rest = text
        while (less := re.sub(r"⟦[^⟦⟧]*⟧", "", rest)) != rest:
            rest = less
        # A sentence with something in bold within: its bracket closes in another text.
        rest = re.sub(r"⟦[^⟦⟧]*$|^[^⟦⟧]*⟧", "", rest)
        for one in data if _LETTERS.search(rest) else ():
            rest = rest.replace(one, "")
        if _LETTERS.search(rest):
            found.append(text)
    return found


def _words_in(told: Any) -> Iterator[str]:
    if isinstance(told, str):
        yield told
    elif isinstance(told, dict):
        for one in told.values():
            yield from _words_in(one)
    elif isinstance(told, list):
        for one in told:
            yield from _words_in(one)
