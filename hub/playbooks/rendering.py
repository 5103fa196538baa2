"""Show a playbook as it will read, with sample figures: plain and as HTML. Checks nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from markdown_it import MarkdownIt

from hub.playbooks.playbook import SAMPLES, Playbook
from storepulse.checklists import Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """Titles, texts and the texts as HTML (no HTML of the author's own is in it)."""

    title_en: str
    title_zh: str
    text_en: str
    text_zh: str
    html_en: str
    html_zh: str


def rendered(book: Playbook, known: Mapping[str, Sentence] | None = None) -> Rendered:
    """The playbook with `SAMPLES` in the place of its variables, but for those that are known."""
    title, text = book.filled({**SAMPLES, **(known or {})})
    return Rendered(
        title_en=title.en, title_zh=title.zh, text_en=text.en, text_zh=text.zh,
        html_en=_markdown().render(text.en), html_zh=_markdown().render(text.zh),
    )  # fmt: skip


@cache
def _markdown() -> MarkdownIt:
    # Its own check of addresses stays on here: no javascript: gets into a page.
    return MarkdownIt("commonmark", {"html": False})
