"""What people read: one word for each colour, and each language's own marks."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.codes.colours import WORDS
from tests.test_house import CODE, HOUSE, named

_HAN = re.compile(r"[\u4e00-\u9fff]")
_HALF_WIDTH = re.compile(
    r"(?<=[\u4e00-\u9fff”）])[,:;?!](?!//)|[,:;?!](?=[\u4e00-\u9fff“（])|[(](?=[\u4e00-\u9fff])"
)
"""Marks of English beside Chinese words."""
_CATALOGUE = re.compile(r"'sign\.(\w+)': \{ en: '([^']+)', zh: '([^']+)' \}")
SPEAKING = [file for file in CODE if file.relative_to(HOUSE).parts[0] not in ("tests", "scripts")]


def chinese(file: Path) -> Iterator[str]:
    """Texts of a program that hold Chinese words; what is filled in stands as a Chinese word."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    whole = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    parts = {id(part) for node in whole for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(
                part.value if isinstance(part, ast.Constant) else "某" for part in node.values
            )
            is_chinese = any(
                isinstance(part, ast.Constant) and _HAN.search(part.value) for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text, is_chinese = node.value, id(node) not in parts and bool(_HAN.search(node.value))
        else:
            continue
        if is_chinese:
            yield text


def test_chinese_sentences_have_chinese_marks() -> None:
    found = {
        f"{named(file)}: {text}"
        for file in SPEAKING
        for text in chinese(file)
        if _HALF_WIDTH.search(text)
    }
    assert not found


@pytest.mark.parametrize("text", ["第3层,第1个", "某:补上", "新品吗?如果", "排面(宽"])
def test_a_mark_of_english_is_seen(text: str) -> None:
    assert _HALF_WIDTH.search(text)


def test_hub_and_pages_have_one_word_for_each_colour() -> None:
    words = (HOUSE / "dashboards" / "src" / "messages.ts").read_text(encoding="utf-8")
    pages = {colour: (en, zh) for colour, en, zh in _CATALOGUE.findall(words) if colour in WORDS}
    assert pages == {colour: (said.en, said.zh) for colour, said in WORDS.items()}
