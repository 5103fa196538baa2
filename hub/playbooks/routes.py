"""The routes of playbooks: read them, try a text, publish a version (head office)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path

from hub.api.asked import NotThere
from hub.errors import Refused
from hub.people.roles import Session
from hub.people.sessions import NotYours, SignedIn
from hub.playbooks.playbook import VARIABLES, Problem
from hub.playbooks.reading import NAME, check_playbooks
from hub.playbooks.rendering import Rendered, rendered
from hub.playbooks.shop_values import values_of_shop
from hub.playbooks.store import (
    StoredPlaybook,
    newest_playbooks,
    shipped_playbooks,
    sources_from,
    tell_published,
    versions_of,
)
from hub.store.database import Database
from hub.store.queries import question
from storepulse.checklists import Sentence

Called = Annotated[str, Path(pattern=f"^{NAME.pattern}$")]


class TextHasFaults(Refused):
    """A text that cannot be published; the preview says what is wrong, by line."""

    status = 422
    code = "text_has_faults"


class ChangedMeanwhile(Refused):
    """Somebody else published a version since this one was opened."""

    status = 409
    code = "changed_meanwhile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Both languages of a playbook, with their front matter."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedTexts(Texts):
    """Texts to be tried, with the figures of a shop where one is named."""

    shop: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTexts(Texts):
    """A version to be published; `after` is the version that it was made from."""

    after: int
    note: str = ""

    def __post_init__(self) -> None:
        if len(self.note) > 500:
            raise ValueError("a note has at most 500 characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPlaybook:
    """A playbook's newest version. Version 0: as it comes with storepulse."""

    name: str
    version: int
    dimension: str
    role: str
    title_en: str
    title_zh: str
    usable: bool
    """False: it was written for an older hub, and ours stands in for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldPlaybook:
    """A playbook with all its versions, the newest first, and the variables it may use."""

    name: str
    variables: tuple[str, ...]
    versions: tuple[StoredPlaybook, ...]
    shown: Rendered | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What is wrong with a text; without faults, how it will read with sample figures."""

    faults: tuple[Problem, ...]
    shown: Rendered | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The number of the new version."""

    version: int


def publishes(session: SignedIn) -> Session:
    """FastAPI dependency: head office. The database looks, too."""
    if session.person.role != "head_office":
        raise NotYours("this is not among what your role may do")
    return session


Publishes = Annotated[Session, Depends(publishes)]


def playbook_routes(database: Database) -> APIRouter:
    """The routes over the database, each as the session that asks."""
    routes = APIRouter(prefix="/api/playbooks", tags=["playbooks"])

    @routes.get("")
    def listed(session: SignedIn) -> list[ListedPlaybook]:
        """The newest version of every playbook, by name."""
        with database.of_session(session) as connection:
            newest = shipped_playbooks() | {one.name: one for one in newest_playbooks(connection)}
        return [_listed(newest[name]) for name in sorted(newest)]

    @routes.get("/{name}")
    def one(name: Called, session: SignedIn) -> ToldPlaybook:
        """A playbook with its versions."""
        with database.of_session(session) as connection:
            versions = versions_of(connection, name)
        if not versions:
            raise NotThere(f"there is no playbook {name!r}")
        preview = _preview(name, versions[0].en, versions[0].zh)
        dimension = _dimension(versions[0])
        return ToldPlaybook(
            name=name, variables=tuple(sorted(VARIABLES.get(dimension, ()))),
            versions=tuple(versions), shown=preview.shown,
        )  # fmt: skip

    @routes.post("/{name}/preview")
    def preview(name: Called, said: TriedTexts, session: Publishes) -> Preview:
        """What a text would say, or what is wrong with it; nothing is kept."""
        books, faults = check_playbooks(sources_from(name, en=said.en, zh=said.zh))
        if name not in books:
            return Preview(faults=tuple(faults), shown=None)
        known: Mapping[str, Sentence] = {}
        if said.shop is not None:
            with database.of_session(session) as connection:
                known = values_of_shop(connection, said.shop, books[name].dimension)
        return Preview(faults=tuple(faults), shown=rendered(books[name], known))

    @routes.put("/{name}")
    def publish(name: Called, said: NewTexts, session: Publishes) -> Published:
        """Publish a new version; it counts for what is pushed from now on."""
        tried = _preview(name, said.en, said.zh)
        if tried.faults:
            raise TextHasFaults("; ".join(map(str, tried.faults)))
        asked: dict[str, Any] = {
            "name": name, "en": said.en, "zh": said.zh, "note": said.note, "after": said.after,
        }  # fmt: skip
        with database.of_session(session) as connection:
            row = connection.execute(question("publish_playbook"), asked).fetchone()
            assert row is not None
            if row["version"]:
                tell_published(
                    connection, name, row["version"], note=said.note, who=session.person.id
                )
        if row["version"] is None:
            raise NotYours("this is not among what your role may do")
        if row["version"] == 0:
            raise ChangedMeanwhile(f"version {said.after} of {name} is not the newest any more")
        return Published(version=row["version"])

    return routes


def _preview(name: str, en: str, zh: str) -> Preview:
    books, faults = check_playbooks(sources_from(name, en=en, zh=zh))
    shown = rendered(books[name]) if name in books else None
    return Preview(faults=tuple(faults), shown=shown)


def _dimension(stored: StoredPlaybook) -> str:
    books, _ = check_playbooks(sources_from(stored.name, en=stored.en, zh=stored.zh))
    return books[stored.name].dimension if stored.name in books else ""


def _listed(stored: StoredPlaybook) -> ListedPlaybook:
    texts = sources_from(stored.name, en=stored.en, zh=stored.zh)
    book = check_playbooks(texts)[0].get(stored.name)
    usable = book is not None
    if book is None:
        ours = shipped_playbooks().get(stored.name)
        book = None if ours is None else ours.read()
    return ListedPlaybook(
        name=stored.name, version=stored.version, usable=usable,
        dimension="" if book is None else book.dimension,
        role="" if book is None else book.role,
        title_en="" if book is None else book.title.en,
        title_zh="" if book is None else book.title.zh,
    )  # fmt: skip
