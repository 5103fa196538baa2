"""From codes to actions: what a code calls for, to be done by when. Pure: no store, no clock.

How much of it is handed out at once says `hub.actions.plate`. The care message to a customer whose
experience reaches 72 h without a deal is no action of a shop: `hub.care` sends it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import asin, cos, radians, sin, sqrt
from typing import Final
from uuid import UUID, uuid5

from hub.actions.choosing import Steering, choose
from hub.actions.kinds import CHECKLIST_KIND, MISSING_KIND, slot_of
from hub.actions.plate import worth_of
from hub.actions.rules import ActionRules, default_rules
from hub.codes.code import Code
from hub.codes.colours import WORST_FIRST, Shown
from hub.codes.policy import Policy, Push
from hub.codes.sentences import said
from hub.playbooks import Playbook
from storepulse.actions import Action, Dimension
from storepulse.checklists import Sentence

_NAMESPACE: Final = UUID("6b1f3a52-2c1e-5f0b-9a66-0d3f1f0f7c11")
"""Of action ids. Never changed: the same code must give the same action after every restart."""
_EVIDENCE_MAX: Final = 60
"""A node's screen needs no longer list; the code itself names all its facts."""
_TICKETS_MAX: Final = 20
_ZONES_MAX: Final = 12
_WITHOUT_LIST: Final = "shelf_photo_round"
"""What is said in a checklist's place where the day has none yet."""
_EARTH_RADIUS_KM: Final = 6371.0
_DIMENSION_WORDS: Final[Mapping[Dimension, Sentence]] = {
    "people": Sentence(en="people", zh="人员"),
    "goods": Sentence(en="goods", zh="货品"),
    "place": Sentence(en="place", zh="场地"),
    "conversion": Sentence(en="conversion", zh="转化"),
}


@dataclass(frozen=True, slots=True)
class OpenChecklist:
    """A checklist of the day that still has open items. The node made it; the hub only names it."""

    id: str
    bay: str
    open_items: int
    photo: str = ""
    """The photo that it was made from; its picture shows where."""


@dataclass(frozen=True, slots=True)
class ZoneFigure:
    """How long visitors stay in one part of a shop."""

    zone: str
    dwell_min: float


@dataclass(frozen=True, slots=True)
class ShopPlace:
    """Where and what kind a shop is, and how it stands in people."""

    shop: str
    region: str
    format: str
    latitude: float | None
    longitude: float | None
    colour: Shown
    receptions_a_head: float | None
    video: str = ""
    """Where the video of its reception is; empty: there is none."""


@dataclass(frozen=True, slots=True)
class OpenAction:
    """An action that nobody has finished: while it is open, no second one of its kind."""

    kind: str
    dimension: Dimension
    bay: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a push needs to know beside the codes."""

    checklist: OpenChecklist | None = None
    strong_shop: ShopPlace | None = None
    open_tickets: Sequence[str] = ()
    """Experiences older than 72 h without a deal, oldest first."""
    zones: Sequence[ZoneFigure] = ()
    """Of the day; empty where the shop is heard as one."""
    open_actions: frozenset[OpenAction] = frozenset()


def pushes(
    codes: Iterable[Code],
    situation: Situation,
    policy: Policy,
    playbooks: Mapping[str, Playbook],
    *,
    now: datetime,
    rules: ActionRules | None = None,
    steering: Steering | None = None,
) -> list[Action]:
    """The actions that the codes of one shop and day call for, none that is open already.

    The id of an action follows from shop, kind, dimension, day and checklist: computing it again
    gives the same action, not a second one.

    Args:
        rules: for the order by worth; without them those that come with storepulse.
        steering: what trials say; without it the policy's first playbook is pushed.
    """
    actions: list[Action] = []
    for code in codes:
        worth = worth_of(code, rules or default_rules())
        action: Action | None = None
        if code.colour == "red":
            push = policy.of(code.dimension).push
            action = _for_red(
                code, push, situation, playbooks, steering or Steering(), worth=worth, now=now
            )
        elif code.unknown_days > policy.unknown_days_max:
            action = _for_unknown(code, policy.evidence_missing, playbooks, now=now)
            action = replace(action, worth=worth)
        if action is not None:
            actions.append(action)
    taken = {_slot(one.kind, one.dimension, one.bay) for one in situation.open_actions}
    return [
        one for one in actions
        if _slot(one.kind, one.dimension, one.dims.get("bay", "")) not in taken
    ]  # fmt: skip


def _slot(kind: str, dimension: str, bay: str) -> tuple[str, str, str]:
    return (slot_of(kind), dimension, bay)


def _for_red(
    code: Code, push: Push, situation: Situation, playbooks: Mapping[str, Playbook],
    steering: Steering, *, worth: float, now: datetime,
) -> Action | None:  # fmt: skip
    """None: a trial holds the playbook back at this shop, and nothing else stands for it."""
    assert code.value is not None
    values = {
        "shop": _same(code.shop),
        "day": _same(code.day.isoformat()),
        "figure": said(code.dimension, code.value),
        "limit": said(code.dimension, code.turns_green_at),
        "rule": _rule_of(code),
    }
    dims: dict[str, str] = {}
    checklist: str | None = None
    picture = ""
    extra: list[str] = []
    if code.dimension == "people" and situation.strong_shop is not None:
        strong = situation.strong_shop
        assert strong.receptions_a_head is not None
        values["strong_shop"] = _same(strong.shop)
        values["strong_figure"] = said("people", strong.receptions_a_head)
        dims["strong_shop"] = strong.shop
        extra.append("strong_shop_video" if strong.video else "strong_shop")
        values["video"] = _same(strong.video)
    if situation.checklist is not None:
        values["bay"] = _same(situation.checklist.bay)
        values["items"] = _same(str(situation.checklist.open_items))
        values["checklist"] = _same(situation.checklist.id)
    if code.dimension == "conversion":
        shown = list(situation.open_tickets[:_TICKETS_MAX])
        more = len(situation.open_tickets) - len(shown)
        listed = ", ".join(shown) or "-"
        values["open_count"] = _same(str(len(situation.open_tickets)))
        values["tickets"] = Sentence(
            en=listed + (f" and {more} more" if more else ""),
            zh=listed + (f" 等，另有 {more} 个" if more else ""),
        )
        dims |= {"tickets": ",".join(shown)} if shown else {}
    if code.dimension == "place":
        values["zones"] = _zones(situation.zones)
    choice = choose(
        push.named, code.dimension, code.shop, steering,
        fitting=_fitting(playbooks, code.dimension, values),
    )  # fmt: skip
    if choice is None:
        return None
    kind = text_of = choice.playbook
    if kind == CHECKLIST_KIND:
        if situation.checklist is None:
            text_of = _WITHOUT_LIST
        else:
            checklist = situation.checklist.id
            picture = situation.checklist.photo
            dims["bay"] = situation.checklist.bay
    if choice.trial:
        dims["trial"] = choice.trial
    book = playbooks[text_of]
    title, text = book.filled(values)
    for name in extra:
        _, more_text = playbooks[name].filled(values)
        text = Sentence(en=f"{text.en}\n\n{more_text.en}", zh=f"{text.zh}\n\n{more_text.zh}")
    action = _action(code, kind, push, title, text, dims=dims, checklist=checklist, now=now)
    video = values["video"].en if "video" in values else ""
    return replace(
        action, role=book.role, figure=values["figure"], limit=values["limit"], picture=picture,
        video=video or book.video, chosen_because=choice.because, worth=worth * choice.lift,
    )  # fmt: skip


def _fitting(
    playbooks: Mapping[str, Playbook], dimension: str, values: Mapping[str, Sentence]
) -> set[str]:
    """The playbooks of a dimension whose every variable has a value; the checklist's own always."""
    found = {
        name
        for name, book in playbooks.items()
        if book.dimension == dimension and book.variables <= set(values)
    }
    return found | ({CHECKLIST_KIND} if dimension == "goods" else set())


def _zones(zones: Sequence[ZoneFigure]) -> Sentence:
    """The parts of the shop, the shortest stay first; said so where there are none."""
    if not zones:
        return Sentence(en="not told apart in this shop", zh="本店未分区测量")
    in_order = sorted(zones, key=lambda one: (one.dwell_min, one.zone))[:_ZONES_MAX]
    told = [(one.zone, said("place", one.dwell_min)) for one in in_order]
    return Sentence(
        en=", ".join(f"{zone} {figure.en}" for zone, figure in told),
        zh="，".join(f"{zone} {figure.zh}" for zone, figure in told),
    )


def _for_unknown(
    code: Code, push: Push, playbooks: Mapping[str, Playbook], *, now: datetime
) -> Action:
    book = playbooks[push.playbook]
    title, text = book.filled(
        {
            "shop": _same(code.shop),
            "day": _same(code.day.isoformat()),
            "rule": _rule_of(code),
            "days": _same(str(code.unknown_days)),
            "dimension": _DIMENSION_WORDS[code.dimension],
        }
    )
    action = _action(code, MISSING_KIND, push, title, text, dims={}, checklist=None, now=now)
    return replace(action, role=book.role, video=book.video)


def _action(
    code: Code, kind: str, push: Push, title: Sentence, text: Sentence, *,
    dims: Mapping[str, str], checklist: str | None, now: datetime,
) -> Action:  # fmt: skip
    name = "|".join((code.shop, kind, code.dimension, code.day.isoformat(), checklist or ""))
    return Action(
        id=str(uuid5(_NAMESPACE, name)), shop=code.shop, kind=kind, dimension=code.dimension,
        day=code.day.isoformat(), title=title, text=text, reason=code.rule,
        reason_zh=code.rule_zh, created_at=now, due_at=now + timedelta(hours=push.due_hours),
        checklist=checklist, evidence=code.facts[:_EVIDENCE_MAX], dims=dims,
    )  # fmt: skip


def _same(text: str) -> Sentence:
    return Sentence(en=text, zh=text)


def _rule_of(code: Code) -> Sentence:
    return Sentence(en=f"{code.rule[:1].upper()}{code.rule[1:]}.", zh=f"{code.rule_zh}。")


def strong_shop_nearby(to: ShopPlace, others: Iterable[ShopPlace]) -> ShopPlace | None:
    """The shop whose reception is worth seeing: near in kind and place, chosen by its figure.

    Only shops of the same region with a green or yellow people code come into question, those of
    the same format before others; then the better colour, the higher figure, the shorter way.
    """
    strong = [
        other
        for other in others
        if other.shop != to.shop
        and other.region == to.region
        and other.colour in ("green", "yellow")
        and other.receptions_a_head is not None
    ]

    def rank(other: ShopPlace) -> tuple[bool, int, float, float, str]:
        assert other.receptions_a_head is not None
        return (
            other.format != to.format,
            -WORST_FIRST.index(other.colour),
            -other.receptions_a_head,
            _distance_km(to, other),
            other.shop,
        )

    return min(strong, key=rank, default=None)


def _distance_km(one: ShopPlace, other: ShopPlace) -> float:
    """Great-circle distance; infinite where a shop has no place."""
    if (
        one.latitude is None
        or one.longitude is None
        or other.latitude is None
        or other.longitude is None
    ):
        return float("inf")
    north, south = radians(one.latitude), radians(other.latitude)
    half_height = sin((north - south) / 2) ** 2
    half_width = sin(radians(one.longitude - other.longitude) / 2) ** 2
    chord = half_height + cos(north) * cos(south) * half_width
    return 2 * _EARTH_RADIUS_KM * asin(sqrt(chord))
