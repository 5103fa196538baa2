"""The routes of sign-in by an account of elsewhere. Decides nothing itself."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from hub.errors import Refused
from hub.people.accounts import TRY_LIFETIME, TryGone, begin, finish
from hub.people.provider import NotVouchedFor, Provider
from hub.people.routes import asking_address, keep_cookie
from hub.people.sessions import PerhapsSignedIn
from hub.store.database import Database

_COOKIE: Final = "storepulse-account"
_PATH: Final = "/api/account"
_ASKED_MAX: Final = 4000


class NoProvider(Refused):
    """No provider was set up here."""

    status = 404
    code = "no_provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """Whether there is a provider, and how it is called."""

    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidLink:
    """The secret of a welcome link, for whoever comes by one."""

    welcome: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GoTo:
    """Where the browser goes to sign in."""

    address: str


def account_routes(database: Database, provider: Provider | None) -> APIRouter:
    """Sign-in by a provider; with none, only the word that there is none."""
    routes = APIRouter(prefix="/api", tags=["people"])

    @routes.get("/account")
    def offered() -> Offered:
        """How the provider is called by which one may sign in; null: there is none."""
        return Offered(name=None if provider is None else provider.client.name)

    @routes.post("/account")
    def go(said: SaidLink, request: Request, response: Response, session: PerhapsSignedIn) -> GoTo:
        """Begin: whoever has signed in links the account, whoever has a welcome link uses it."""
        if provider is None:
            raise NoProvider("no provider was set up here")
        person = None if session is None or said.welcome else session.person.id
        began = begin(
            database, provider, redirect_uri=_back(request), welcome=said.welcome, person=person
        )
        # Lax: the provider sends the browser back by a link of its own.
        response.set_cookie(
            _COOKIE, began.browser, max_age=int(TRY_LIFETIME.total_seconds()), path=_PATH,
            secure=request.url.scheme == "https", httponly=True, samesite="lax",
        )  # fmt: skip
        return GoTo(address=began.address)

    @routes.get("/account/back", response_class=RedirectResponse, status_code=303)
    def back(
        request: Request,
        state: Annotated[str, Query(max_length=_ASKED_MAX)] = "",
        code: Annotated[str, Query(max_length=_ASKED_MAX)] = "",
        error: Annotated[str, Query(max_length=_ASKED_MAX)] = "",
    ) -> Response:
        """Where the provider sends the browser: on to the board, or to sign-in with a reason."""
        try:
            if provider is None:
                raise NoProvider("no provider was set up here")
            browser = request.cookies.get(_COOKIE, "")
            if not (state and browser):
                raise TryGone("this sign-in was begun elsewhere")
            if error or not code:
                raise NotVouchedFor("the provider did not let you in")
            now = finish(
                database, provider, code=code, state=state, browser=browser,
                redirect_uri=_back(request), where=asking_address(request),
            )  # fmt: skip
        except Refused as refused:
            return _on(f"/#/sign-in/{refused.code}")
        answer = _on("/")
        keep_cookie(answer, request, now.token)
        return answer

    return routes


def _on(place: str) -> Response:
    answer = RedirectResponse(place, status_code=303)
    answer.delete_cookie(_COOKIE, path=_PATH)
    return answer


def _back(request: Request) -> str:
    # The host was held against our own names before (hub.api.app).
    return f"{request.url.scheme}://{request.headers['host']}{_PATH}/back"
