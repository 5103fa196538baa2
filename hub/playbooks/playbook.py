"""The words for playbooks: texts with variables in both languages. Reads none."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from storepulse.actions import ActionRole
from storepulse.checklists import Sentence
from storepulse.errors import BadInput

Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)

_EVERYWHERE: Final = frozenset({"shop", "day", "figure", "limit", "rule"})
VARIABLES: Final[Mapping[str, frozenset[str]]] = {
    "people": _EVERYWHERE | {"strong_shop", "strong_figure", "video"},
    "goods": _EVERYWHERE | {"bay", "items", "checklist"},
    "place": _EVERYWHERE | {"zones"},
    "conversion": _EVERYWHERE | {"open_count", "tickets"},
    "any": frozenset({"shop", "day", "rule", "days", "dimension"}),
    "care": frozenset({"shop", "ticket", "coupon", "way_out"}),
    "trial": frozenset({"shop", "day", "layout", "until", "trial", "words"}),
}
"""The variables that a playbook of each dimension may use. "any": for missing evidence in whichever
dimension; "care": a message to a customer; "trial": a layout that a trial tries."""
NEEDED: Final[Mapping[str, frozenset[str]]] = {"care": frozenset({"way_out"})}
"""Variables without which a playbook may not be: no message to a customer without a way out."""
SAMPLES: Final[Mapping[str, Sentence]] = {
    "shop": Sentence(en="shop-17", zh="shop-17"),
    "day": Sentence(en="2026-11-20", zh="2026-11-20"),
    "figure": Sentence(en="2 min", zh="2 分钟"),
    "limit": Sentence(en="3.2 min", zh="3.2 分钟"),
    "rule": Sentence(
        en="Mean dwell of visitors 2 min is below 2.5 min.",
        zh="顾客平均停留 2 分钟，低于 2.5 分钟。",
    ),
    "strong_shop": Sentence(en="shop-9", zh="shop-9"),
    "strong_figure": Sentence(en="16", zh="16"),
    "video": Sentence(en="https://example.com/video", zh="https://example.com/video"),
    "bay": Sentence(en="bay-1", zh="bay-1"),
    "items": Sentence(en="3", zh="3"),
    "checklist": Sentence(en="list-1", zh="list-1"),
    "zones": Sentence(en="entrance 0.8 min, table 4.1 min", zh="入口 0.8 分钟，体验台 4.1 分钟"),
    "open_count": Sentence(en="12", zh="12"),
    "tickets": Sentence(en="1120-7KM3Q, 1120-9PWZ2", zh="1120-7KM3Q, 1120-9PWZ2"),
    "days": Sentence(en="4", zh="4"),
    "dimension": Sentence(en="goods", zh="货品"),
    "ticket": Sentence(en="1120-7KM3Q", zh="1120-7KM3Q"),
    "coupon": Sentence(en="7KM3-Q9PW", zh="7KM3-Q9PW"),
    "layout": Sentence(en="the try-out table to the right", zh="体验台移至右侧"),
    "until": Sentence(en="2026-12-18", zh="2026-12-18"),
    "trial": Sentence(en="exp-0123456789ab", zh="exp-0123456789ab"),
    "words": Sentence(en="Visitors turn right.", zh="顾客多向右走。"),
    "way_out": Sentence(en="https://example.com/out", zh="https://example.com/out"),
}
"""A value for each variable, for a preview."""
VARIABLE: Final = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What keeps a playbook from being used, and where."""

    file: str
    line: int
    """0: it is about the whole of it, a folder say."""
    what: str
    what_zh: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}" if self.line else f"{self.file}: {self.what}"


class BadPlaybook(BadInput):
    """Playbooks that cannot be used; the message names each file and line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """A title and a text in both languages, with variables."""

    name: str
    dimension: str
    title: Sentence
    text: Sentence
    role: ActionRole = "clerk"
    """To whom the action goes."""
    video: str = ""
    """Where a video is that shows it; empty: there is none."""

    @property
    def variables(self) -> frozenset[str]:
        """The variables that its title and text use, in either language."""
        texts = (self.title.en, self.title.zh, self.text.en, self.text.zh)
        return frozenset(name for text in texts for name in VARIABLE.findall(text))

    def filled(self, values: Mapping[str, Sentence]) -> tuple[Sentence, Sentence]:
        """Title and text with every variable replaced, each language by its own words.

        Raises:
            KeyError: a variable that the texts use has no value.
        """
        return _filled(self.title, values), _filled(self.text, values)


def _filled(sentence: Sentence, values: Mapping[str, Sentence]) -> Sentence:
    # Not str.format: a value with braces in it, or a field access in a text, must do nothing.
    return Sentence(
        en=VARIABLE.sub(lambda found: values[found[1]].en, sentence.en),
        zh=VARIABLE.sub(lambda found: values[found[1]].zh, sentence.zh),
    )
