"""Head office's answers for the pages' tests, by the hub's own types; what can be, by its code."""

import math
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request

from hub.audit.store import Line
from hub.experiments.routes import ToldExperiment
from hub.experiments.size_routes import TrialSizes
from hub.experiments.sizes import sizes
from hub.experiments.store import Experiment, ExperimentMove
from hub.experiments.trials import Look, Trial, Worth, standing, worth_of_playbooks
from hub.feeds.kinds import KINDS
from hub.feeds.reasons import RowReason
from hub.feeds.routes import Again, Delivered, ToldKind
from hub.feeds.store import Aside, ToldFeed
from hub.notices.routes import MyNotices, SaidChoice, ToldChoice, ToldNotice
from hub.people.account_routes import Offered
from hub.people.data_routes import LinkedAccount
from hub.playbooks import check_playbooks
from hub.playbooks.playbook import VARIABLES
from hub.playbooks.reading import NAME
from hub.playbooks.rendering import rendered
from hub.playbooks.routes import (
    ListedPlaybook,
    NewTexts,
    Preview,
    Published,
    ToldPlaybook,
    TriedTexts,
)
from hub.playbooks.store import StoredPlaybook, shipped_playbooks, sources_from
from storepulse.checklists import Sentence

NOW: Final = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY: Final = datetime.now(UTC).date()
BOOK: Final = "walking_route"


def _looks(effect: float, days: int, *, wide: float = 0.09) -> tuple[Look, ...]:
    first = TODAY - timedelta(days=days)
    found = []
    for n in range(5, days):
        half = wide / math.sqrt(n / 5)
        at = effect * (0.6 + 0.4 * n / days) + 0.006 * math.sin(n)
        found.append(
            Look(day=first + timedelta(days=n), effect=at, low=at - half, high=at + half, pairs=29)
        )
    return tuple(found)


def _experiment(n: int, subject: str, state: Any, **more: Any) -> Experiment:
    given: dict[str, Any] = {
        "kind": "playbook", "dimension": "place", "shop": None, "starts_on": None, "ends_on": None,
        "words": "", "against": "",
    } | more  # fmt: skip
    return Experiment(
        id=f"exp-00000000000{n}", subject=subject, state=state, proposed_at=NOW, **given
    )


def _days(began: int, lasts: int = 28) -> dict[str, date]:
    first = TODAY - timedelta(days=began)
    return {"starts_on": first, "ends_on": first + timedelta(days=lasts - 1)}


TRIALS: Final = (
    _experiment(1, BOOK, "running", **_days(21)),
    _experiment(2, "体验台放在右侧 / table to try on the right", "running", kind="layout",
                dimension="conversion", shop="17", **_days(12)),
    _experiment(3, "talk_track", "proposed", dimension="people", shop="0002",
                words="Our queue is at the door.\n顾客在门口排队，先打招呼。"),
    _experiment(4, "strong_shop", "stopped", dimension="people", **_days(60)),
    _experiment(5, "open_experiences_review", "rolled_out", dimension="conversion",
                against="talk_track", **_days(90)),
    _experiment(7, "mirror at the till", "declined", kind="layout", shop="17"),
    _experiment(6, "limits of version 7", "running", kind="policy", dimension="goods", **_days(2)),
)  # fmt: skip
LOOKS: Final = {
    "exp-000000000001": _looks(0.062, 21), "exp-000000000002": _looks(0.021, 12),
    "exp-000000000004": _looks(-0.055, 28), "exp-000000000005": _looks(0.12, 28),
}  # fmt: skip


def feeds() -> list[ToldFeed]:
    """One in each state; their times are of now, as ages are shown."""
    now = datetime.now(UTC)
    base: dict[str, Any] = {
        "every_s": 21600, "made_at": NOW, "ended_at": None, "failures": 0, "reason": "",
        "detail": "", "taken": 18423, "same": 312, "aside": 0,
        "last_run_at": now - timedelta(minutes=12), "last_ok_at": now - timedelta(minutes=12),
        "next_run_at": now + timedelta(hours=5),
    }  # fmt: skip
    webhook = {"place": "webhook", "next_run_at": None}
    found: list[dict[str, Any]] = [
        {"name": "till", "kind": "deals", **webhook, "aside": 3},
        {"name": "crm", "kind": "deals", "place": "https://crm.example/deals.csv",
         "reason": "refused", "failures": 4, "detail": "403 Forbidden",
         "last_ok_at": now - timedelta(days=2)},
        {"name": "rota", "kind": "rota", "place": "/srv/rota.csv", "last_ok_at": None,
         "taken": 0, "same": 0},
        {"name": "open-meteo", "kind": "weather", "place": "open-meteo"},
        {"name": "holidays-cn", "kind": "holidays", "place": "holidays",
         "next_run_at": now - timedelta(days=1)},
        {"name": "screen-wall", "kind": "screen", **webhook},
    ]  # fmt: skip
    return [ToldFeed(**base | one) for one in found]


ASIDE: Final = [
    Aside(id=41, feed="till", said={"shop": "0099", "id": "r-2210", "at": "2026-11-19T18:02:00"},
          reason=RowReason.UNKNOWN_SHOP, detail="shop '0099' is in no list", first_at=NOW,
          last_at=NOW, tries=3),
    Aside(id=42, feed="till", said={"shop": "17", "id": "r-2214", "amount": "12,50"},
          reason=RowReason.NOT_A_NUMBER, detail="amount: '12,50'", first_at=NOW, last_at=NOW,
          tries=1),
    Aside(id=44, feed="till", said={"shop": "17", "id": "r-2220", "at": "2027-11-19T18:02:00"},
          reason=RowReason.IN_FUTURE, detail="at: 2027-11-19 has not come yet", first_at=NOW,
          last_at=NOW, tries=1),
]  # fmt: skip


def _line(n: int, what: str, about: str, name: str = "", **more: Any) -> Line:
    given: dict[str, Any] = {"who": "person", "person": UUID(int=1), "about_name": ""} | more
    if not name:
        given |= {"who": "machine", "person": None}
    return Line(
        id=n, at=NOW - timedelta(hours=7 * (40 - n)), name=name, what=what, about=about,
        detail=given.pop("detail", {}), **given,
    )  # fmt: skip


LINES: Final = [
    _line(40, "playbook_published", f"playbook:{BOOK}", "林晓 Lin Xiao", detail={"version": 2}),
    _line(39, "policy_published", "policy:7", "林晓 Lin Xiao", detail={"name": "winter"}),
    _line(38, "person_changed", f"person:{UUID(int=2)}", "林晓 Lin Xiao", about_name="赵敏",
          detail={"before": {"role": "region", "regions": ["East"]},
                  "after": {"role": "region", "regions": ["East", "North"]}}),
    _line(37, "feed_sent_again", "feed:till", "林晓 Lin Xiao",
          detail={"taken": 2, "same": 0, "aside": 1}),
    _line(36, "feed_added", "feed:till", detail={"kind": "deals"}),
    _line(35, "person_ended", f"person:{UUID(int=6)}", "林晓 Lin Xiao", about_name="Olga"),
    _line(34, "something_of_a_newer_hub", "code:17/goods/2026-11-20"),
]  # fmt: skip


def _notice(n: int, title: str, **more: Any) -> ToldNotice:
    given: dict[str, Any] = {
        "kind": "escalation", "tries": 1, "sent_at": NOW - timedelta(hours=n), "gave_up_at": None,
        "last_error": "", "next_try_at": NOW,
    } | more  # fmt: skip
    return ToldNotice(
        id=100 - n, title=title, body="…", made_at=NOW - timedelta(hours=n, minutes=1), **given
    )


NOTICES: Final = (
    _notice(1, "旗舰店: 请顾客体验 (规定时间内无人查看)"),
    _notice(3, "Harbour: Put the shelf of bay-1 right", kind="pushed", sent_at=None, tries=2,
            last_error="not taken by wecombot"),
    _notice(5, "今日待办：7 项未完成，1 项逾期，0 项已上报", kind="digest"),
    _notice(29, "Garden Road: Let visitors stay longer", sent_at=None, tries=7, gave_up_at=NOW,
            last_error="not taken by mail"),
)  # fmt: skip


class FakeOffice:
    """Trials, playbooks, notices, feeds and the log; `empty`: nothing of it is there yet."""

    def __init__(self) -> None:
        self.empty = False
        self.choice: ToldChoice | None = None
        self.own: list[StoredPlaybook] = []
        self.reset(empty=False)

    def reset(self, *, empty: bool) -> None:
        """As at the start."""
        self.empty = empty
        self.choice = None if empty else ToldChoice(
            services=("mail", "wecombot"), kinds=("escalation", "digest"),
            quiet_from=time(22), quiet_until=time(8),
            digest_at=time(18), timezone="Asia/Shanghai", language="zh",
        )  # fmt: skip
        ours = shipped_playbooks()[BOOK]
        shorter = ours.en.replace("first three metres", "first two metres")
        self.own = [
            StoredPlaybook(name=BOOK, version=2, en=shorter, zh=ours.zh, note="two metres do",
                           by_whom="林晓 Lin Xiao", published_at=NOW),
            StoredPlaybook(name=BOOK, version=1, en=ours.en + "\nA last line.\n", zh=ours.zh,
                           note="spring", published_at=NOW - timedelta(days=30)),
        ]  # fmt: skip

    def router(self) -> APIRouter:
        """The routes."""
        routes = APIRouter(prefix="/api")
        self._trials(routes)
        self._playbooks(routes)
        self._notices(routes)
        self._feeds(routes)
        self._log(routes)
        return routes

    def _trials(self, routes: APIRouter) -> None:
        @routes.get("/experiments")
        def listed() -> list[Experiment]:
            return [] if self.empty else list(TRIALS)

        @routes.get("/experiments/worths")
        def worths() -> list[Worth]:
            trials = [
                Trial(kind=one.kind, against=one.against, subject=one.subject,
                      dimension=one.dimension, effect=looks[-1].effect,
                      low=looks[-1].low, high=looks[-1].high)
                for one in TRIALS
                if (looks := LOOKS.get(one.id))
            ]  # fmt: skip
            return list(worth_of_playbooks(trials))

        @routes.get("/experiments/{one}")
        def shown(one: str) -> ToldExperiment:
            found = next(trial for trial in TRIALS if trial.id == one)
            looks = LOOKS.get(one, ())
            ran = found.state not in ("proposed", "declined")
            moves = (
                ExperimentMove(from_state="proposed", to_state="running", at=NOW, reason=""),
                ExperimentMove(from_state="running", to_state="stopped", at=NOW,
                               reason="seen enough"),
            )  # fmt: skip
            return ToldExperiment(
                **asdict(found), standing=standing(looks), pairs=30 if ran else 0, looks=looks,
                moves=moves if found.state == "stopped" else moves[:1] if ran else (),
            )  # fmt: skip

        @routes.post("/experiments")
        async def propose(request: Request) -> Experiment:
            await request.body()  # what is told is what was read
            return TRIALS[2]

        @routes.post("/experiments/{one}/{act}")
        async def move(one: str, act: str, request: Request) -> dict[str, int]:
            await request.body()
            return {"pairs": 30}

        @routes.get("/trial-sizes")
        def trial_sizes(days: int = 28) -> TrialSizes:
            last = TODAY - timedelta(days=1)
            first = last - timedelta(days=days - 1)
            if self.empty:
                return TrialSizes(first=first, last=last, pairs=0, sizes=())
            return TrialSizes(first=first, last=last, pairs=29, sizes=sizes(0.011, 29))

    def _playbooks(self, routes: APIRouter) -> None:
        def versions(name: str) -> list[StoredPlaybook]:
            ours = shipped_playbooks().get(name)
            return [one for one in self.own if one.name == name] + ([ours] if ours else [])

        @routes.get("/playbooks")
        def listed() -> list[ListedPlaybook]:
            names = sorted({*shipped_playbooks(), *(one.name for one in self.own)})
            found = []
            for name in names:
                newest = versions(name)[0]
                book = newest.read()
                found.append(
                    ListedPlaybook(
                        name=name, version=newest.version, dimension=book.dimension,
                        role=book.role, title_en=book.title.en, title_zh=book.title.zh,
                        usable=name != "strong_shop",
                    )
                )  # fmt: skip
            return found

        @routes.get("/playbooks/{name}")
        def one(name: str) -> ToldPlaybook:
            found = versions(name)
            book = found[0].read()
            return ToldPlaybook(
                name=name, variables=tuple(sorted(VARIABLES[book.dimension])),
                versions=tuple(found), shown=rendered(book),
            )  # fmt: skip

        @routes.post("/playbooks/{name}/preview")
        def preview(name: str, said: TriedTexts) -> Preview:
            assert NAME.fullmatch(name)
            books, faults = check_playbooks(sources_from(name, en=said.en, zh=said.zh))
            known = {"shop": Sentence(said.shop, said.shop)} if said.shop else {}
            shown = rendered(books[name], known) if name in books else None
            return Preview(faults=tuple(faults), shown=shown)

        @routes.put("/playbooks/{name}")
        def publish(name: str, said: NewTexts) -> Published:
            version = said.after + 1
            self.own.insert(
                0,
                StoredPlaybook(name=name, version=version, en=said.en, zh=said.zh, note=said.note,
                               by_whom="林晓 Lin Xiao", published_at=NOW),
            )  # fmt: skip
            return Published(version=version)

    def _notices(self, routes: APIRouter) -> None:
        possible = ("dingtalk", "feishu", "slack", "wecombot", "mail", "browsers")

        def mine(*more: ToldNotice) -> MyNotices:
            told = () if self.empty else NOTICES
            return MyNotices(choice=self.choice, possible=possible, notices=(*more, *told))

        @routes.get("/notices")
        def notices() -> MyNotices:
            return mine()

        @routes.put("/notices")
        def choose(said: SaidChoice) -> MyNotices:
            before = self.choice.services if self.choice else ()
            new = tuple(one.split("://")[0] if "://" in one else "mail" for one in said.channels)
            self.choice = ToldChoice(
                services=(*(before[at] for at in said.keep), *new), kinds=said.kinds,
                quiet_from=said.quiet_from, quiet_until=said.quiet_until,
                digest_at=said.digest_at, timezone=said.timezone, language=said.language,
            )  # fmt: skip
            return mine()

        @routes.post("/notices/test")
        def test() -> MyNotices:
            return mine(_notice(0, "storepulse 测试消息", kind="test"))

    def _feeds(self, routes: APIRouter) -> None:
        @routes.get("/feed-kinds")
        def kinds() -> list[ToldKind]:
            return [
                ToldKind(name=one.name, meaning=one.meaning, columns=one.columns,
                         fetched_from=one.fetched_from)
                for one in KINDS.values()
            ]  # fmt: skip

        @routes.get("/feeds")
        def listed() -> list[ToldFeed]:
            return [] if self.empty else feeds()

        @routes.get("/feeds/{feed}/aside")
        def aside(feed: str) -> list[Aside]:
            return [one for one in ASIDE if one.feed == feed]

        @routes.post("/feeds/{feed}/again")
        def again(feed: str, said: Again) -> Delivered:
            return Delivered(before=False, taken=1, same=0, aside=2 if said.id is None else 0)

    def _log(self, routes: APIRouter) -> None:
        @routes.get("/audit")
        def audit(what: str | None = None, person: str | None = None) -> list[Line]:
            return [
                one
                for one in ([] if self.empty else LINES)
                if what in (None, one.what) and person in (None, str(one.person))
            ]

        @routes.get("/account")
        def account() -> Offered:
            return Offered(name=None if self.empty else "acme SSO")

        @routes.get("/people-accounts")
        def accounts() -> list[LinkedAccount]:
            return [
                LinkedAccount(person=UUID(int=3), issuer="https://sso.acme.example", linked_at=NOW)
            ]

        @routes.get("/people/{one}/data")
        def data(one: str) -> dict[str, Any]:
            return {"person": {"id": one, "name": "赵敏"}}

        @routes.post("/people/{one}/erase")
        def erase(one: str) -> dict[str, str]:
            return {"erased": one}
