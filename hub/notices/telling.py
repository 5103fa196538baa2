"""Who is told what: escalations, pushes, the digest. Writes notices; sends none."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from hub.actions.listing import LIST_MAX, ActionStep, Filter, ListedAction, listed_actions
from hub.actions.silence import Silence
from hub.notices.choice import not_quiet
from hub.notices.store import Chosen, chosen, insert_notice
from hub.store.database import Connection
from storepulse.checklists import Sentence

_DIGEST_LINES_MAX: Final = 10
_WHY: Final = {
    "not_seen": Sentence(en="nobody opened it in time", zh="规定时间内无人查看"),
    "not_done": Sentence(en="its due time has passed", zh="已过截止时间仍未完成"),
}
_OPEN: Final = ("pushed", "delivered", "seen", "overdue")


def tell_escalations(connection: Connection, gone_up: Sequence[Silence], *, now: datetime) -> int:
    """Tell those one level up, with the history; returns how many notices that made."""
    told = 0
    people = chosen(connection, "escalation") if gone_up else []
    for one in gone_up:
        found = listed_actions(connection, Filter(id=one.action), limit=1).actions
        for person in people:
            if found and person.role == one.to_role and _sees(person, found[0].shop):
                title, body = _escalation(found[0], one, person.choice.language)
                told += insert_notice(
                    connection, person, "escalation", f"escalation {one.action}", title=title,
                    body=body, made_at=now, not_before=not_quiet(now, person.choice),
                )  # fmt: skip
    return told


def tell_pushed(connection: Connection, actions: Sequence[str], *, now: datetime) -> int:
    """Tell those of the role at the shop who want to hear of each action."""
    told = 0
    people = chosen(connection, "pushed") if actions else []
    if not people:
        return 0
    for action in actions:
        found = listed_actions(connection, Filter(id=action), limit=1).actions
        for person in people:
            if found and person.role == found[0].role and _sees(person, found[0].shop):
                one, language = found[0], person.choice.language
                told += insert_notice(
                    connection, person, "pushed", f"pushed {action}",
                    title=f"{one.shop_name or one.shop}: {_in(one.title, language)}",
                    body=_body(one, language), made_at=now,
                    not_before=not_quiet(now, person.choice),
                )  # fmt: skip
    return told


def tell_proposal(
    connection: Connection, experiment: str, *, subject: str, shop: str, now: datetime
) -> int:
    """Tell those of head office who want to hear that a shop proposes a trial."""
    told = 0
    for person in chosen(connection, "proposal"):
        if person.role == "head_office":
            title = Sentence(en=f"{shop} proposes a trial", zh=f"{shop} 提议一项试验")
            told += insert_notice(
                connection, person, "proposal", f"proposal {experiment}",
                title=_in(title, person.choice.language), body=f"{subject} ({experiment})",
                made_at=now, not_before=not_quiet(now, person.choice),
            )  # fmt: skip
    return told


def tell_digests(connection: Connection, *, now: datetime) -> int:
    """Write the digests whose time has come today; each once a day, by the person's own clock."""
    told = 0
    for person in chosen(connection, "digest"):
        local = now.astimezone(ZoneInfo(person.choice.timezone))
        at = person.choice.digest_at
        if at is None or local.time() < at:
            continue
        title, body = _digest(connection, person)
        told += insert_notice(
            connection, person, "digest", f"digest {local.date()}", title=title, body=body,
            made_at=now, not_before=not_quiet(now, person.choice),
        )  # fmt: skip
    return told


def _sees(person: Chosen, shop: str) -> bool:
    return person.shops is None or shop in person.shops


def _in(sentence: Sentence, language: str) -> str:
    return sentence.zh if language == "zh" else sentence.en


def _escalation(one: ListedAction, silence: Silence, language: str) -> tuple[str, str]:
    shop, why = one.shop_name or one.shop, _in(_WHY[silence.why], language)
    title = f"{shop}: {_in(one.title, language)} ({why})"
    history = "\n".join(_step(step) for step in one.history)
    return title, _body(one, language) + (f"\n\n{history}" if history else "")


def _body(one: ListedAction, language: str) -> str:
    reason = one.reason_zh if language == "zh" and one.reason_zh else one.reason
    figures = ""
    if one.figure is not None and one.limit is not None:
        figures = f"{_in(one.figure, language)} → {_in(one.limit, language)}\n"
    due = "截止" if language == "zh" else "due"
    return f"{reason}\n{figures}{due}: {one.due_at:%Y-%m-%d %H:%M} UTC"


def _step(step: ActionStep) -> str:
    who = f" {step.by_whom}" if step.by_whom else ""
    why = f": {step.reason}" if step.reason else ""
    return f"{step.at:%m-%d %H:%M} UTC {step.what} {step.came_from} → {step.went_to}{who}{why}"


def _digest(connection: Connection, person: Chosen) -> tuple[str, str]:
    language = person.choice.language
    wanted = Filter(states=_OPEN, shops=person.shops)
    found = listed_actions(connection, wanted, limit=LIST_MAX).actions
    overdue = sum(one.state == "overdue" for one in found)
    up = sum(one.escalation is not None for one in found)
    if language == "zh":
        title = f"今日待办：{len(found)} 项未完成，{overdue} 项逾期，{up} 项已上报"
    else:
        title = f"Today: {len(found)} open actions, {overdue} overdue, {up} gone up"
    lines = [
        f"- {one.shop_name or one.shop}: {_in(one.title, language)}"
        for one in found[:_DIGEST_LINES_MAX]
    ]
    if len(found) > _DIGEST_LINES_MAX:
        more = len(found) - _DIGEST_LINES_MAX
        lines.append(f"……另有 {more} 项" if language == "zh" else f"... and {more} more")
    return title, "\n".join(lines) or ("无" if language == "zh" else "none")
