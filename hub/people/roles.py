"""The words for people: roles, rights, a person, a session. Pure: no database, no clock.

The database holds the same table of rights (`reach`, migrations 7 and later) and enforces it by
itself.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args
from uuid import UUID

from storepulse.errors import BadInput

Role = Literal["clerk", "shop", "region", "head_office", "installer", "auditor"]
Right = Literal[
    "see_shops", "read_figures", "see_nodes", "see_faults", "pair_phones", "invite_nodes",
    "manage_people", "try_policy", "edit_policy", "read_audit", "see_plans", "edit_plans",
    "propose_trials", "run_trials", "rest_findings",
]  # fmt: skip
Reach = Literal["own", "all"]
"""own: the shops of the person's regions and those named; all: the whole chain."""

ROLES: Final[tuple[Role, ...]] = get_args(Role)
RIGHTS: Final[Mapping[Role, Mapping[Right, Reach]]] = {
    "clerk": {"see_shops": "own", "read_figures": "own", "propose_trials": "own"},
    "shop": {
        "see_shops": "own", "read_figures": "own", "see_nodes": "own", "pair_phones": "own",
        "propose_trials": "own", "rest_findings": "own",
    },
    "region": {
        "see_shops": "own", "read_figures": "own", "see_nodes": "own", "pair_phones": "own",
        "try_policy": "own", "see_plans": "own", "propose_trials": "own", "rest_findings": "own",
    },
    "head_office": {
        "see_shops": "all", "read_figures": "all", "see_nodes": "all", "see_faults": "all",
        "pair_phones": "all", "invite_nodes": "all", "manage_people": "all", "read_audit": "all",
        "try_policy": "all", "edit_policy": "all", "see_plans": "all", "edit_plans": "all",
        "propose_trials": "all", "run_trials": "all", "rest_findings": "all",
    },
    "installer": {
        "see_shops": "all", "see_nodes": "all", "see_faults": "all", "pair_phones": "all",
        "invite_nodes": "all",
    },
    "auditor": {
        "see_shops": "all", "read_figures": "all", "see_nodes": "all", "see_faults": "all",
        "read_audit": "all", "see_plans": "all",
    },
}  # fmt: skip
"""`see_shops` is the list of shops (names, regions), no figure."""
NAME_CHARACTERS_MAX: Final = 80


class BadPerson(BadInput):
    """A person that cannot be: the name, or a role without what it is for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What somebody is there for: a role, and the regions or shops that it reaches."""

    role: Role
    regions: tuple[str, ...] = ()
    shops: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise BadPerson(f"role {self.role!r} is none of {', '.join(ROLES)}")
        if (self.role == "region") != bool(self.regions):
            raise BadPerson("regions are named for the role region, at least one, and only there")
        if (self.role in ("clerk", "shop")) != bool(self.shops):
            raise BadPerson(
                "shops are named for the roles clerk and shop, at least one, and only there"
            )
        if "" in self.regions or "" in self.shops:
            raise BadPerson("a region or shop has a name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who may sign in."""

    id: UUID
    name: str
    role: Role
    regions: tuple[str, ...] = ()
    shops: tuple[str, ...] = ()

    @property
    def rights(self) -> tuple[Right, ...]:
        """What the role may do, wherever it reaches."""
        return tuple(RIGHTS[self.role])


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Somebody who has signed in, by one device."""

    id: UUID
    person: Person
    token_sha256: bytes
    """By this the database finds person and shops; the secret itself only the device has."""


def clean_name(said: str) -> str:
    """A name as it is shown: letters of any script, single spaces, at most 80 characters.

    Raises:
        BadPerson: nothing is left of it, it is longer, or it holds characters that nobody sees.
    """
    name = " ".join(unicodedata.normalize("NFC", said).split())
    if not 0 < len(name) <= NAME_CHARACTERS_MAX:
        raise BadPerson(f"a name has 1 to {NAME_CHARACTERS_MAX} characters")
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Cn") for letter in name):
        raise BadPerson("a name has no control characters")
    return name


def name_key(name: str) -> str:
    """What two names that are the same to a reader share: case and width do not matter."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
