"""A chain's own playbooks in the database, version by version, beside those that come with us."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hub.audit import MACHINE, record
from hub.playbooks import playbooks, read_playbooks, shipped_sources
from hub.playbooks.playbook import BadPlaybook, Playbook
from hub.playbooks.reading import Source
from hub.store.database import Connection
from hub.store.queries import question

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlaybook:
    """One version of a playbook as it was written. Version 0 comes with storepulse."""

    name: str
    version: int
    en: str
    zh: str
    note: str = ""
    by_whom: str | None = None
    published_at: datetime | None = None

    def read(self) -> Playbook:
        """The playbook. Raises BadPlaybook."""
        return read_playbooks(sources_from(self.name, en=self.en, zh=self.zh))[self.name]


def sources_from(name: str, *, en: str, zh: str) -> list[Source]:
    """The two texts as the files that they would be."""
    return [Source(f"{name}.en.md", en), Source(f"{name}.zh.md", zh)]


def playbooks_in_force(connection: Connection) -> Mapping[str, Playbook]:
    """The newest version of every playbook; one that can no longer be used gives way to ours."""
    found = dict(playbooks())
    for stored in newest_playbooks(connection):
        try:
            found[stored.name] = stored.read()
        except BadPlaybook as error:
            log.error("playbook %s version %d: %s", stored.name, stored.version, error)
    return found


def newest_playbooks(connection: Connection) -> list[StoredPlaybook]:
    """The newest version of each of the chain's own, by name."""
    rows = connection.execute(question("newest_playbooks"))
    return [StoredPlaybook(**row) for row in rows]


def versions_of(connection: Connection, name: str) -> list[StoredPlaybook]:
    """All versions of a playbook, the newest first; the last is ours, where it comes with us."""
    rows = connection.execute(question("playbook_versions"), {"name": name})
    ours = shipped_playbooks().get(name)
    return [StoredPlaybook(**row) for row in rows] + ([] if ours is None else [ours])


def shipped_playbooks() -> dict[str, StoredPlaybook]:
    """Those that come with storepulse, as they were written."""
    texts = {source.name: source.content for source in shipped_sources()}
    return {
        name: StoredPlaybook(
            name=name, version=0, en=texts[f"{name}.en.md"], zh=texts[f"{name}.zh.md"]
        )
        for name in playbooks()
    }


def insert_playbook(connection: Connection, name: str, *, en: str, zh: str, note: str) -> int:
    """Store a new version, as the owner of the machine; returns its number."""
    asked = {"name": name, "en": en, "zh": zh, "note": note}
    row = connection.execute(question("new_playbook"), asked).fetchone()
    assert row is not None
    tell_published(connection, name, int(row["version"]), note=note)
    return int(row["version"])


def tell_published(
    connection: Connection, name: str, version: int, *, note: str, who: UUID | str = MACHINE
) -> None:
    """Add to the audit log that a version was published."""
    detail = {"version": version, "note": note}
    record(connection, who=who, what="playbook_published", about=f"playbook:{name}", detail=detail)
