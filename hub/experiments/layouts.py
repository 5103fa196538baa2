"""Tell a trial's layout to the shops that act, once each; nothing to those that wait."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from hub.actions.kinds import LAYOUT_KIND
from hub.actions.store import NewAction, insert_actions
from hub.playbooks import Playbook
from hub.store.database import Connection
from hub.store.queries import question
from storepulse.actions import Action, Dimension
from storepulse.checklists import Sentence

_NAMESPACE: Final = UUID("0c9e5b1e-6c2f-5d0a-8f43-7f5b1f6f4a52")
"""Of the ids of these actions. Never changed: told again it is the same action."""
_DUE: Final = timedelta(hours=48)
_ALWAYS: Final = Sentence(en="further notice", zh="另行通知")


def tell_layouts(
    connection: Connection, playbooks: Mapping[str, Playbook], *, now: datetime
) -> list[str]:
    """Push what shops are to try from today on, or what was rolled out; returns the new ids.

    Beside the cap of a shift: a trial whose acting shops do not act shows nothing.
    """
    rows = connection.execute(question("layouts_to_tell"), {"now": now, "kind": LAYOUT_KIND})
    new = [
        NewAction(
            action=layout_action(
                playbooks[LAYOUT_KIND], trial=row["id"], layout=row["subject"],
                words=row["words"], dimension=row["dimension"], shop=row["shop"], day=row["day"],
                until=None if row["state"] == "rolled_out" else row["ends_on"], now=now,
            ),
            subject=row["id"],
        )
        for row in rows
    ]  # fmt: skip
    return insert_actions(connection, new)


def layout_action(
    book: Playbook, *, trial: str, layout: str, words: str, dimension: Dimension, shop: str,
    day: date, until: date | None, now: datetime,
) -> Action:  # fmt: skip
    """The action by which a shop tries a layout. Pure.

    Args:
        until: the trial's last day; None: it was rolled out.
    """
    values = {
        "shop": _same(shop), "day": _same(day.isoformat()), "layout": _same(layout),
        "trial": _same(trial), "words": _same(words),
        "until": _ALWAYS if until is None else _same(until.isoformat()),
    }  # fmt: skip
    title, text = book.filled(values)
    if until is None:
        because = Sentence(
            en=f"head office rolled it out after trial {trial}",
            zh=f"总部在试验 {trial} 后全面推行",
        )
    else:
        because = Sentence(
            en=f"this shop tries it: trial {trial}, drawn by lot",
            zh=f"本店抽签参加试验 {trial}",
        )
    name = "|".join((shop, trial, "always" if until is None else "trial", day.isoformat()))
    return Action(
        id=str(uuid5(_NAMESPACE, name)), shop=shop, kind=LAYOUT_KIND, dimension=dimension,
        day=day.isoformat(), title=title, text=text, reason=because.en, reason_zh=because.zh,
        created_at=now, due_at=now + _DUE, dims={"trial": trial}, role=book.role, video=book.video,
        worth=1.0, chosen_because=because,
    )  # fmt: skip


def _same(text: str) -> Sentence:
    return Sentence(en=text, zh=text)
