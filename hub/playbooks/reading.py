"""Read playbooks and find everything that is wrong with them. Touches disk only to look for files.

The front matter is TOML (the standard library's reader), the text CommonMark (markdown-it-py, which
also finds pictures and links). An address of the internet is checked for its form only: nothing is
fetched. HTML in a text is refused: it would run in the browser of whoever reads.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, get_args
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from hub.playbooks.playbook import (
    LANGUAGES,
    NEEDED,
    VARIABLE,
    VARIABLES,
    BadPlaybook,
    Playbook,
    Problem,
)
from storepulse.actions import ACTION_ROLES, ActionRole
from storepulse.checklists import Sentence

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")
_FILE: Final = re.compile(rf"({NAME.pattern})\.(en|zh)\.md")
_FENCE: Final = "+++"
_TOML_LINE: Final = re.compile(r"\(at line (\d+)")
TEXT_CHARACTERS_MAX: Final = 20_000
_KEYS: Final = {"title", "dimension", "role", "video"}


@dataclass(frozen=True, slots=True)
class Source:
    """A file of a playbook: one language."""

    name: str
    content: str


@dataclass(frozen=True, slots=True)
class _Half:
    dimension: str
    title: str
    text: str
    role: ActionRole
    video: str


IsThere = Callable[[str], bool]
"""Whether a picture or video of this relative name is there."""


def nothing_is_there(_: str) -> bool:
    """For texts that lie in no folder: they name full addresses only."""
    return False


def sources_of(folder: Path) -> tuple[list[Source], IsThere]:
    """The Markdown files of a folder, and what says whether a file beside them is there.

    Raises:
        BadPlaybook: there is no such folder, it has no Markdown file, or one cannot be read.
    """
    if not folder.is_dir():
        raise BadPlaybook([Problem(str(folder), 0, "there is no such folder", "没有这个文件夹")])
    found = []
    for file in sorted(folder.glob("*.md")):
        try:
            found.append(Source(file.name, file.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError) as error:
            fault = Problem(file.name, 1, f"cannot be read: {error}", f"无法读取：{error}")
            raise BadPlaybook([fault]) from error
    if not found:
        what, what_zh = "holds no playbook", "没有话术手册"
        names = "NAME.en.md, NAME.zh.md"
        raise BadPlaybook([Problem(str(folder), 0, f"{what}: {names}", f"{what_zh}：{names}")])
    root = folder.resolve()

    def is_there(name: str) -> bool:
        path = (root / name).resolve()
        return path.is_relative_to(root) and path.is_file()

    return found, is_there


def read_playbooks(
    found: Iterable[Source], *, is_there: IsThere = nothing_is_there
) -> dict[str, Playbook]:
    """Read and check playbooks, by name.

    Raises:
        BadPlaybook: names everything that is wrong, with file and line.
    """
    books, problems = check_playbooks(found, is_there=is_there)
    if problems:
        raise BadPlaybook(problems)
    return books


def check_playbooks(
    found: Iterable[Source], *, is_there: IsThere = nothing_is_there
) -> tuple[dict[str, Playbook], list[Problem]]:
    """The playbooks that can be used, and everything that is wrong with the others, by file."""
    halves: dict[str, dict[str, _Half | None]] = {}
    problems: list[Problem] = []
    for source in sorted(found, key=lambda one: one.name):
        match = _FILE.fullmatch(source.name)
        if match is None:
            what = "a playbook is called NAME.en.md or NAME.zh.md, NAME in small letters"
            what_zh = "文件名应为 NAME.en.md 或 NAME.zh.md，NAME 用小写字母"
            problems.append(Problem(source.name, 1, what, what_zh))
            continue
        half, wrong = _read_half(source, is_there)
        problems += wrong
        halves.setdefault(match[1], {})[match[2]] = half
    books = {}
    for name, both in halves.items():
        book, disagree = _whole(name, both)
        problems += disagree
        if book is not None:
            books[name] = book
    return books, sorted(problems)


def _whole(
    name: str, both: Mapping[str, _Half | None]
) -> tuple[Playbook | None, Sequence[Problem]]:
    missing = [
        Problem(
            f"{name}.{language}.md",
            1,
            "is missing; each playbook speaks both",
            "缺少此文件；每份手册都要有中英文",
        )
        for language in LANGUAGES
        if language not in both
    ]
    english, chinese = both.get("en"), both.get("zh")
    if missing or english is None or chinese is None:
        return None, missing
    for what in ("dimension", "role"):
        if getattr(english, what) != getattr(chinese, what):
            differs = f"{what} differs from {name}.en.md"
            differs_zh = f"{what} 与 {name}.en.md 不一致"
            return None, [Problem(f"{name}.zh.md", 1, differs, differs_zh)]
    book = Playbook(
        name=name,
        dimension=english.dimension,
        title=Sentence(en=english.title, zh=chinese.title),
        text=Sentence(en=english.text, zh=chinese.text),
        role=english.role,
        video=english.video or chinese.video,
    )
    return book, ()


def _read_half(source: Source, is_there: IsThere) -> tuple[_Half | None, list[Problem]]:
    name, lines = source.name, source.content.splitlines()
    if len(source.content) > TEXT_CHARACTERS_MAX:
        most = TEXT_CHARACTERS_MAX
        return None, [Problem(name, 1, f"has more than {most} characters", f"超过 {most} 个字符")]
    if not lines or lines[0].strip() != _FENCE or _FENCE not in [x.strip() for x in lines[1:]]:
        return None, [
            Problem(
                name,
                1,
                f"must begin with front matter between two lines of {_FENCE}",
                f"开头必须是两行 {_FENCE} 之间的信息",
            )
        ]
    end = [line.strip() for line in lines].index(_FENCE, 1)
    front, problems = _front_matter(name, lines[1:end])
    if front is None:
        return None, problems
    dimension = front["dimension"]
    known = VARIABLES[dimension]
    used: set[str] = set()
    # Line numbers count from 1; a value of the front matter stands on its own line.
    for number, line in enumerate(lines, start=1):
        if number in (1, end + 1):
            continue
        for variable in VARIABLE.findall(line):
            used.add(variable)
            if variable not in known:
                there = ", ".join(sorted(known))
                what = f"variable {{{variable}}} is not known; there are {there}"
                what_zh = f"没有变量 {{{variable}}}；可用的有 {there}"
                problems.append(Problem(name, number, what, what_zh))
    for variable in sorted(NEEDED.get(dimension, frozenset()) - used):
        what, what_zh = f"variable {{{variable}}} must be in the text", "正文中必须有变量"
        problems.append(Problem(name, end + 2, what, f"{what_zh} {{{variable}}}"))
    body = "\n".join(lines[end + 1 :])
    if not body.strip():
        problems.append(Problem(name, end + 2, "the text is empty", "正文为空"))
    problems += _dead_references(name, body, end + 1, is_there)
    video = front.get("video", "")
    if video:
        why = _why_dead(video, is_there)
        if why is not None:
            at = next(n for n, line in enumerate(lines, 1) if line.lstrip().startswith("video"))
            what, what_zh = f"video {video}: {why.en}", f"视频 {video}：{why.zh}"
            problems.append(Problem(name, at, what, what_zh))
    if problems:
        return None, problems
    role = next(one for one in get_args(ActionRole) if one == front.get("role", "clerk"))
    return _Half(dimension, front["title"], body.strip(), role, video), []


def _front_matter(name: str, lines: Sequence[str]) -> tuple[dict[str, str] | None, list[Problem]]:
    try:
        front: dict[str, Any] = tomllib.loads("\n".join(lines) + "\n")
    except tomllib.TOMLDecodeError as error:
        at = _TOML_LINE.search(str(error))
        line = 2 if at is None else int(at[1]) + 1
        # TOML's own words name the line within the front matter, which nobody counts.
        told = str(error).split(" (at ")[0]
        slip = f'front matter is not TOML, as in title = "…": {told}'
        slip_zh = f'开头的信息不是 TOML，应如 title = "…"：{told}'
        return None, [Problem(name, line, slip, slip_zh)]
    texts = {key: value for key, value in front.items() if isinstance(value, str)}
    what: Sentence | None = None
    if not {"title", "dimension"} <= set(texts) or len(texts) < len(front):
        what = Sentence("front matter needs title and dimension, and all values are texts",
                        "开头必须有 title 和 dimension，且值都是文字")  # fmt: skip
    elif set(front) - _KEYS:
        keys = ", ".join(sorted(_KEYS))
        what = Sentence(f"front matter has only {keys}", f"开头只能有 {keys}")
    elif not texts["title"].strip():
        what = Sentence("the title is empty", "标题为空")
    elif texts["dimension"] not in VARIABLES:
        of = ", ".join(VARIABLES)
        what = Sentence(f"dimension must be one of {of}", f"dimension 只能是 {of}")
    elif texts.get("role", "clerk") not in ACTION_ROLES:
        of = ", ".join(ACTION_ROLES)
        what = Sentence(f"role must be one of {of}", f"role 只能是 {of}")
    return (texts, []) if what is None else (None, [Problem(name, 2, what.en, what.zh)])


@cache
def _markdown() -> MarkdownIt:
    # Addresses are told as they are written: we look for the file, no browser does.
    markdown = MarkdownIt("commonmark")
    markdown.validateLink = _as_written  # type: ignore[method-assign]
    return markdown


def _as_written(url: str) -> bool:  # noqa: ARG001
    return True


def _dead_references(
    name: str, body: str, lines_before: int, is_there: IsThere
) -> Iterator[Problem]:
    lines = body.splitlines()
    for token, block in _tokens(_markdown().parse(body)):
        first, last = block
        number = lines_before + first + 1
        if token.type in ("html_block", "html_inline"):
            what = "HTML is not possible here: write Markdown"
            yield Problem(name, number, what, "这里不能用 HTML，请用 Markdown")
        target = {"image": "src", "link_open": "href"}.get(token.type)
        if target is None:
            continue
        address = unquote(str(token.attrGet(target) or ""))
        why = None if VARIABLE.fullmatch(address) else _why_dead(address, is_there)
        if why is not None:
            at = next((n for n in range(first, last) if address in unquote(lines[n])), first)
            what = f"reference {address or '()'}: {why.en}"
            what_zh = f"引用 {address or '()'}：{why.zh}"
            yield Problem(name, lines_before + at + 1, what, what_zh)


def _tokens(tokens: Iterable[Token]) -> Iterator[tuple[Token, tuple[int, int]]]:
    """Every token with the lines of its block."""
    for token in tokens:
        block = (token.map[0], token.map[1]) if token.map else (0, 1)
        yield token, block
        for child in token.children or ():
            yield child, block


_NO_ADDRESS: Final = Sentence("is no address", "不是地址")


def _why_dead(address: str, is_there: IsThere) -> Sentence | None:
    try:
        parts = urlsplit(address)
    except ValueError:
        return _NO_ADDRESS
    if parts.scheme in ("http", "https"):
        return None if parts.hostname else _NO_ADDRESS
    if parts.scheme or parts.netloc:
        return Sentence("only https:// addresses and files beside the playbook are possible",
                        "只能是 https:// 地址或手册旁边的文件")  # fmt: skip
    if not parts.path:
        return Sentence("names nothing", "没有写地址")
    if is_there(unquote(parts.path)):
        return None
    return Sentence("there is no such file", "没有这个文件")
