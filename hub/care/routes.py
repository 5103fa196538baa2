"""The routes behind a ticket's QR: the consent text, a contact, the way out. Asks for no session.

Whoever has the link sees the shop, the ticket and the text, and never a contact. Links are secrets
of 32 random bytes; asking is limited a minute, of one address and of all together.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Path, Request

from hub.api.asked import Clock, Name, NotThere
from hub.care.consent import CONSENT_TEXTS, TEXT_VERSION, ContactKind, read_contact
from hub.care.keyring import Keys
from hub.care.limits import AskedTooOften, RateLimit
from hub.care.sending import CareSettings
from hub.care.store import (
    TicketSeen,
    give_consent,
    ticket_of,
    withdraw_by_way_out,
    withdraw_of_ticket,
)
from hub.errors import Refused
from hub.people.sessions import ReadsFigures
from hub.people.signing_in import TooManyTries
from hub.people.tokens import new_token, token_sha256
from hub.store.database import Connection, Database
from hub.store.queries import question

LINK_PATH: Final = "/ticket#"
_EACH_A_MINUTE: Final = 30
_TOGETHER_A_MINUTE: Final = 1200
Token = Annotated[str, Path(min_length=20, max_length=100)]


class LinkNowhere(Refused):
    """No ticket behind it, or not any more."""

    status = 404
    code = "link_nowhere"


class OtherText(Refused):
    """The consent text is another one by now: it is to be read first."""

    status = 409
    code = "other_text"


class NotAsked(Refused):
    """This hub sends no messages to such a contact, so it takes none."""

    status = 409
    code = "not_asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketPage:
    """What the page shows."""

    shop: str
    ticket: str
    begun_at: datetime
    agreed_at: datetime | None
    """None: nobody has agreed."""
    possible: tuple[ContactKind, ...]
    """Kinds of contact that are taken; none: the shop sends no messages."""
    text_version: int
    text_en: str
    text_zh: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidConsent:
    """A customer agrees."""

    contact: str
    agreed: Literal[True]
    text_version: int
    """Of the text that was shown."""
    language: Literal["en", "zh"]

    def __post_init__(self) -> None:
        if len(self.contact) > 254:
            raise ValueError("a contact has at most 254 characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class WentOut:
    """There is no consent any more, and no contact."""

    withdrawn: Literal[True] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketLink:
    """Where a ticket's QR leads; shown now and kept nowhere."""

    link: str


def care_routes(
    database: Database, now: Clock, *, keys: Keys | None, care: CareSettings
) -> APIRouter:
    """The routes over the database."""
    routes = APIRouter(prefix="/api", tags=["care"])
    limit = RateLimit(each=_EACH_A_MINUTE, together=_TOGETHER_A_MINUTE)
    possible = care.possible if keys is not None else ()

    async def few(request: Request) -> None:
        # Asynchronous, so that it counts on the loop's one thread.
        try:
            limit.ask(request.client.host if request.client else "")
        except AskedTooOften as error:
            raise TooManyTries(error.retry_after_s) from None

    public = Depends(few)

    @routes.get("/tickets/{token}", dependencies=[public])
    def ticket(token: Token) -> TicketPage:
        """The ticket behind a link, and the text to agree to."""
        with database.connection() as connection:
            return _page(_seen(connection, token, now()), possible)

    @routes.post("/tickets/{token}/consent", dependencies=[public])
    def agree(token: Token, said: SaidConsent) -> TicketPage:
        """Agree to one message, and say where it goes."""
        contact = read_contact(said.contact)
        if keys is None or contact.kind not in possible:
            raise NotAsked("the shop sends no messages to such a contact: nothing was kept")
        if said.text_version != TEXT_VERSION:
            raise OtherText("the text has changed: read it again")
        with database.connection() as connection:
            seen = _seen(connection, token, now())
            give_consent(
                connection, seen, contact, language=said.language, keyring=keys(), at=now()
            )
            return _page(_seen(connection, token, now()), possible)

    @routes.delete("/tickets/{token}/consent", dependencies=[public])
    def withdraw(token: Token) -> WentOut:
        """Withdraw on the page; a second time changes nothing."""
        with database.connection() as connection:
            withdraw_of_ticket(connection, _seen(connection, token, now()), at=now())
        return WentOut()

    @routes.post("/way-out/{token}", dependencies=[public])
    def way_out(token: Token) -> WentOut:
        """Withdraw by a message's link. A POST: programs that look at links change nothing."""
        with database.connection() as connection:
            if not withdraw_by_way_out(connection, token, at=now()):
                raise LinkNowhere("this link leads nowhere")
        return WentOut()

    @routes.post("/shops/{shop}/tickets/{ticket}/link", status_code=201)
    def link(shop: Name, ticket: Name, session: ReadsFigures) -> TicketLink:
        """Make the link of a ticket's QR; older ones stay good."""
        token = new_token()
        asked = {"shop": shop, "ticket": ticket, "sha256": token_sha256(token)}
        with database.of_session(session) as connection:
            row = connection.execute(question("new_ticket_link"), asked).fetchone()
        if row is None or not row["done"]:
            raise NotThere(f"there is no ticket {ticket!r} at shop {shop!r}")
        return TicketLink(link=care.pages + LINK_PATH + token)

    return routes


def _seen(connection: Connection, token: str, at: datetime) -> TicketSeen:
    seen = ticket_of(connection, token, now=at)
    if seen is None:
        raise LinkNowhere("this link leads nowhere, or its time is over")
    return seen


def _page(seen: TicketSeen, possible: tuple[ContactKind, ...]) -> TicketPage:
    text = CONSENT_TEXTS[TEXT_VERSION - 1]
    return TicketPage(
        shop=seen.shop_name or seen.shop, ticket=seen.ticket, begun_at=seen.begun_at,
        agreed_at=seen.agreed_at, possible=possible, text_version=TEXT_VERSION, text_en=text.en,
        text_zh=text.zh,
    )  # fmt: skip
