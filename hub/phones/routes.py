"""The routes by which phones are let in and shut out, shop by shop. Decides nothing.

Needs the right pair_phones; at which shops, the database says. A shop of others and one that does
not exist get the same answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path

from hub.errors import Refused
from hub.people.sessions import PairsPhones
from hub.phones.store import (
    OPEN_CODES_MAX,
    PairingNode,
    ShopPhone,
    TooManyCodes,
    end_phone,
    keep_code,
    pairing_nodes,
    phones_of,
)
from hub.shops_store import shops
from hub.store.database import Connection, Database
from storepulse.phones import new_pairing_code

Name = Annotated[str, Path(min_length=1, max_length=200)]


class NothingThere(Refused):
    """No such shop or phone, or one that is not the session's to know of."""

    status = 404
    code = "not_there"


class CodesAreOpen(Refused):
    """Too many at once."""

    status = 429
    code = "too_many_codes"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPairingCode:
    """A code for one phone. It is shown now and kept nowhere."""

    code: str
    ends_at: datetime
    nodes: Sequence[PairingNode]
    """Where it can be typed, once the node is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedPhone:
    """A phone that may do nothing any more, as soon as its node is told."""

    phone: str
    ended_at: datetime


def phone_routes(database: Database) -> APIRouter:
    """The routes over the database, each as the session that asks."""
    routes = APIRouter(prefix="/api/shops/{shop}", tags=["phones"])

    @routes.post("/pairing")
    def new_code(shop: Name, session: PairsPhones) -> NewPairingCode:
        """Make a code by which one phone pairs with a node of this shop: once, in 15 minutes."""
        code = new_pairing_code()
        with database.of_session(session) as connection:
            try:
                ends_at = keep_code(connection, shop, code)
            except TooManyCodes:
                raise CodesAreOpen(
                    f"{OPEN_CODES_MAX} codes are open at this shop: use one of them, or wait until "
                    "they end (15 minutes)"
                ) from None
            if ends_at is None:
                raise _no_shop(shop)
            nodes = pairing_nodes(connection, shop)
        return NewPairingCode(code=code, ends_at=ends_at, nodes=nodes)

    @routes.get("/pairing")
    def nodes(shop: Name, session: PairsPhones) -> list[PairingNode]:
        """The nodes of this shop that phones can pair with, and whether they know its codes."""
        with database.of_session(session) as connection:
            _check_shop(connection, shop)
            return pairing_nodes(connection, shop)

    @routes.get("/phones")
    def phones(shop: Name, session: PairsPhones) -> list[ShopPhone]:
        """The phones of this shop; ended ones for 30 days."""
        with database.of_session(session) as connection:
            _check_shop(connection, shop)
            return phones_of(connection, shop)

    @routes.delete("/phones/{phone}")
    def end(shop: Name, phone: Name, session: PairsPhones) -> EndedPhone:
        """Let a phone do nothing any more; a second time changes nothing."""
        with database.of_session(session) as connection:
            ended_at = end_phone(connection, shop, phone)
        if ended_at is None:
            raise NothingThere(f"there is no phone {phone!r} at shop {shop!r}")
        return EndedPhone(phone=phone, ended_at=ended_at)

    return routes


def _check_shop(connection: Connection, shop: str) -> None:
    # The session sees the shops that it may list; whose phones it may pair is narrower, and then
    # there is nothing to be seen either.
    if not shops(connection, [shop]):
        raise _no_shop(shop)


def _no_shop(shop: str) -> NothingThere:
    return NothingThere(f"there is no shop {shop!r}")
