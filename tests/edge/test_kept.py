"""Actions, items and taps: each is kept once and told once, together or not at all."""

import hashlib
from datetime import timedelta

import pytest

from edge.checks import Checks
from edge.clock import boot_id, kernel_says_synchronised, now_of, seconds_since_boot
from edge.disk import Disk
from edge.errors import Contradicts, DiskFull, NotHere
from edge.inbox import RECEIPT_AGAIN_AFTER, Inbox
from edge.outbox import Outbox
from edge.taps import Taps
from storepulse.errors import BadInput
from storepulse.events import (
    ActionMarked,
    DealMade,
    Event,
    ExperienceBegun,
    ItemMarked,
    ReceptionTapped,
    TapUndone,
)
from storepulse.facts import Fact
from storepulse.wire import Acknowledgement
from tests.edge.samples import StandingClock, action, checklist, fact

A, B, C = (f"3f9c1f6e-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))


def said(outbox: Outbox) -> list[Fact | Event]:
    return [message.body for message in outbox.unacknowledged(0, 1000)]


@pytest.fixture
def inbox(disk: Disk, outbox: Outbox) -> Inbox:
    return Inbox(disk, outbox)


@pytest.fixture
def checks(disk: Disk, outbox: Outbox) -> Checks:
    checks = Checks(disk, outbox)
    checks.keep(checklist())
    return checks


@pytest.fixture
def taps(disk: Disk, outbox: Outbox) -> Taps:
    return Taps(disk, outbox)


def test_an_action_is_kept_once_with_one_receipt(
    inbox: Inbox, outbox: Outbox, now: StandingClock
) -> None:
    assert inbox.receive([action()], now()) == ("action-1",)
    assert inbox.receive([action(), action("action-2")], now()) == ("action-2",)
    receipts = [ActionMarked(action=f"action-{n}", event="receipt_stored", at=now().at)
                for n in (1, 2)]  # fmt: skip
    assert said(outbox) == receipts
    assert [kept.action.id for kept in inbox.all()] == ["action-1", "action-2"]
    assert inbox.one("action-1").state == "delivered"


def test_an_action_without_room_for_its_receipt_is_not_kept(disk: Disk, now: StandingClock) -> None:
    outbox = Outbox(disk, node="n", bytes_max=1)
    with pytest.raises(DiskFull):
        Inbox(disk, outbox).receive([action()], now())
    assert Inbox(disk, outbox).all() == []


def test_a_hub_that_lost_the_receipt_is_told_again(
    inbox: Inbox, outbox: Outbox, now: StandingClock
) -> None:
    inbox.receive([action()], now())
    now.forward(RECEIPT_AGAIN_AFTER)
    inbox.receive([action()], now())
    assert len(said(outbox)) == 1, "the first receipt still waits: no second one"
    outbox.acknowledge(Acknowledgement(epoch=outbox.epoch, through=1))
    now.forward(timedelta(seconds=1))
    inbox.receive([action()], now())
    inbox.receive([action()], now())
    assert len(said(outbox)) == 1
    assert len(inbox.all()) == 1


def test_what_staff_do_with_an_action_is_told_once(
    inbox: Inbox, outbox: Outbox, now: StandingClock
) -> None:
    inbox.receive([action()], now())
    for _ in range(2):
        assert inbox.mark("action-1", "opened", now(), uuid=None).state == "seen"
    assert inbox.mark("action-1", "ticked", now(), uuid=A).state == "done"
    with pytest.raises(Contradicts, match="already done"):
        inbox.mark("action-1", "ticked", now(), uuid=None)
    with pytest.raises(Contradicts, match="before"):
        inbox.mark("action-1", "declined", now(), uuid=A)
    assert inbox.mark("action-1", "ticked", now(), uuid=A).state == "done"
    assert [getattr(event, "event", None) for event in said(outbox)] == [
        "receipt_stored", "opened", "ticked",
    ]  # fmt: skip
    with pytest.raises(NotHere):
        inbox.mark("action-9", "opened", now(), uuid=B)


def test_an_items_mark_is_told_once(checks: Checks, outbox: Outbox, now: StandingClock) -> None:
    for _ in range(2):
        kept = checks.mark("checklist-1", "1", "done", now(), uuid=A)
        assert [(mark.item, mark.state) for mark in kept.marks] == [("1", "done")]
    assert said(outbox) == [
        ItemMarked(checklist="checklist-1", item="1", state="done", at=now().at)
    ]
    with pytest.raises(Contradicts, match="before"):
        checks.mark("checklist-1", "1", "not_true", now(), uuid=A)
    assert checks.mark("checklist-1", "1", "not_true", now(), uuid=B).marks[0].state == "not_true"


def test_an_item_that_cannot_be_done_needs_its_reason(
    checks: Checks, outbox: Outbox, now: StandingClock
) -> None:
    with pytest.raises(BadInput, match="why"):
        checks.mark("checklist-1", "1", "cannot_do", now(), uuid=A)
    with pytest.raises(NotHere):
        checks.mark("checklist-1", "2", "done", now(), uuid=A)
    with pytest.raises(NotHere):
        checks.mark("checklist-2", "1", "done", now(), uuid=A)
    assert said(outbox) == []


def test_a_tap_gets_its_first_answer_again(taps: Taps, outbox: Outbox, now: StandingClock) -> None:
    first = taps.tap(A, "experience", now())
    assert taps.tap(A, "experience", now.forward(timedelta(minutes=1))) == first
    assert first.ticket is not None
    assert first.ticket.startswith("1120-")
    (event,) = said(outbox)
    assert isinstance(event, ExperienceBegun)
    assert (event.ticket, event.at) == (first.ticket, first.at)
    assert len(event.link_sha256) == 64
    assert first.link is None, "the hub has not said where its pages are"
    with pytest.raises(Contradicts):
        taps.tap(A, "reception", now())


def test_an_experience_gets_a_number_and_a_secret_link_once(
    disk: Disk, outbox: Outbox, now: StandingClock
) -> None:
    pages = [""]
    taps = Taps(disk, outbox, pages=lambda: pages[0])
    assert taps.tap(A, "experience", now()).link is None
    pages[0] = "https://hub.example.com/ticket#"
    first = taps.tap(A, "experience", now())
    other = taps.tap(B, "experience", now())
    assert first.link is not None
    assert first.link.startswith(pages[0])
    assert len(first.link) == len(pages[0]) + 43
    assert first.ticket not in first.link
    assert taps.tap(A, "experience", now()).link == first.link
    assert len({first.link, other.link, first.ticket, other.ticket}) == 4
    secret = first.link.removeprefix(pages[0])
    told = [one.link_sha256 for one in said(outbox) if isinstance(one, ExperienceBegun)]
    assert told[0] == hashlib.sha256(secret.encode()).hexdigest()
    assert secret not in str(said(outbox)), "only the customer gets it"
    # After 28 days the link leads nowhere, and the secret is forgotten.
    taps.tap(C, "reception", now.forward(timedelta(days=29)))
    assert taps.tap(A, "experience", now()).link is None
    assert taps.undo(B, now()).link is None


def test_a_phone_makes_the_ticket_while_the_node_is_away(
    disk: Disk, outbox: Outbox, now: StandingClock
) -> None:
    taps = Taps(disk, outbox, pages=lambda: "https://hub.example.com/ticket#")
    made = taps.tap(A, "experience", now(), ticket="1120-7km3q", token="t" * 43, waited_s=60)
    assert (made.ticket, made.link) == ("1120-7KM3Q", "https://hub.example.com/ticket#" + "t" * 43)
    assert taps.tap(A, "experience", now(), ticket="1120-7KM3Q", token="t" * 43) == made
    with pytest.raises(Contradicts, match="was given already"):
        taps.tap(B, "experience", now(), ticket="1120-7KM3Q", token="u" * 43)
    for wrong in ({"ticket": "1120-7KM3Q"}, {"token": "t" * 43}, {"ticket": "7", "token": "t" * 43},
                  {"ticket": "1120-0KM3Q", "token": "t" * 43},
                  {"ticket": "1120-8KM3Q", "token": "t" * 42 + "="}):  # fmt: skip
        with pytest.raises(BadInput):
            taps.tap(C, "experience", now(), **wrong)  # type: ignore[arg-type]
    with pytest.raises(BadInput):
        taps.tap(C, "deal", now(), token="t" * 43)


def test_a_deal_names_its_ticket(taps: Taps, outbox: Outbox, now: StandingClock) -> None:
    taps.tap(A, "reception", now())
    taps.tap(B, "deal", now(), ticket=" 1120-7km3q ", amount=99.5)
    assert said(outbox) == [
        ReceptionTapped(id=A, at=now().at),
        DealMade(id=B, at=now().at, ticket="1120-7KM3Q", amount=99.5),
    ]


@pytest.mark.parametrize(
    ("kind", "given"),
    [("reception", {"ticket": "x"}), ("experience", {"amount": 1.0}), ("deal", {"amount": -1.0})],
)
def test_a_tap_without_meaning_is_refused(
    taps: Taps, outbox: Outbox, now: StandingClock, kind: str, given: dict[str, object]
) -> None:
    with pytest.raises(BadInput):
        taps.tap(A, kind, now(), **given)  # type: ignore[arg-type]
    assert said(outbox) == []


def test_a_tap_is_taken_back_once(taps: Taps, outbox: Outbox, now: StandingClock) -> None:
    ticket = taps.tap(A, "experience", now()).ticket
    taps.tap(B, "reception", now())
    for _ in range(2):
        assert taps.undo(A, now()).undone_at == now().at
        taps.undo(B, now())
    assert ticket is not None
    assert said(outbox)[2:] == [
        TapUndone(tap=ticket, at=now().at), TapUndone(tap=B, at=now().at),
    ]  # fmt: skip
    with pytest.raises(NotHere):
        taps.undo("3f9c1f6e-0000-4000-8000-000000000009", now())


def test_the_clocks_of_this_machine_go_forward() -> None:
    now = now_of("ask")
    first, second = now(), now()
    assert first.clock.boot == boot_id() == second.clock.boot
    assert second.clock.monotonic_s >= first.clock.monotonic_s > 0
    assert first.clock.synchronised == kernel_says_synchronised()
    assert first.at.tzinfo is not None
    assert abs(seconds_since_boot() - second.clock.monotonic_s) < 60


@pytest.mark.parametrize("told", ["yes", "no"])
def test_an_installer_may_say_whether_the_clock_is_set(told: str) -> None:
    assert now_of(told)().clock.synchronised == (told == "yes")  # type: ignore[arg-type]


def test_a_commit_is_heard_after_it_happened(
    disk: Disk, outbox: Outbox, now: StandingClock
) -> None:
    heard: list[int] = []
    disk.on_commit(lambda: heard.append(len(said(outbox))))
    with disk.transaction():
        outbox.append([fact(1)], now())
        outbox.append([fact(2)], now())
    assert heard == [2]
