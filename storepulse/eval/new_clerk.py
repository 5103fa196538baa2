"""A new clerk's first list, from the pairing code to the last item: steps, counted and timed.

A script does what a person would, by touch or by keyboard alone; what a person needs beside it is
estimated by the keystroke-level model (Card, Moran and Newell 1980). The walk to the shelf and the
work at it are not in it. Judges nothing.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from storepulse.demo.doors import last_of
from storepulse.eval.shop_world import DESK, PHONE, World, open_page, words

How = Literal["touch", "keyboard"]

POINT_S: Final = 1.1
"""To move to a place and press there."""
KEY_S: Final = 0.28
"""One key, by somebody who types now and then."""
THINK_S: Final = 1.35
"""Before each thing that has to be decided: here once a step."""
WITHIN_S: Final = 120.0
_KEYS_MOST: Final = 80


@dataclass(slots=True)
class Step:
    """One thing that the clerk does, and waits for."""

    name: str
    presses: int = 0
    keys: int = 0
    machine_s: float = 0.0

    @property
    def person_s(self) -> float:
        """By the keystroke-level model."""
        return THINK_S + self.presses * POINT_S + self.keys * KEY_S


@dataclass(slots=True)
class NewClerk:
    """All steps of one run."""

    how: How
    items: int = 0
    """Of the list."""
    steps: list[Step] = field(default_factory=list)
    faults: tuple[str, ...] = ()

    @property
    def machine_s(self) -> float:
        """Measured: what the clerk waited for."""
        return sum(one.machine_s for one in self.steps)

    @property
    def person_s(self) -> float:
        """Estimated: what the clerk thought and pressed."""
        return sum(one.person_s for one in self.steps)

    @property
    def ok(self) -> bool:
        """Finished in time."""
        return not self.faults and self.machine_s + self.person_s <= WITHIN_S

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {
            "machine_s": round(self.machine_s, 2), "person_s": round(self.person_s, 1),
            "ok": self.ok,
        }  # fmt: skip

    def in_words(self) -> str:
        """A line for each step."""
        lines = [
            f"{n:2} {one.name:34} presses {one.presses:2}  keys {one.keys:2}  "
            f"machine {one.machine_s:5.2f} s  person {one.person_s:5.1f} s"
            for n, one in enumerate(self.steps, 1)
        ]
        whole = (
            f"by {self.how}: {len(self.steps)} steps, {sum(s.presses for s in self.steps)} presses,"
            f" {sum(s.keys for s in self.steps)} keys, list of {self.items}: machine "
            f"{self.machine_s:.1f} s (measured) and person {self.person_s:.1f} s (estimated)"
        )
        return "\n".join([*lines, whole])


class _Hand:
    """Presses and types, and counts it."""

    def __init__(self, page: Any, run: NewClerk) -> None:
        self.page = page
        self._run = run
        self._step = Step("")

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        self._step = Step(name)
        began = time.perf_counter()
        yield
        self._step.machine_s = time.perf_counter() - began
        self._run.steps.append(self._step)

    def type(self, selector: str, text: str) -> None:
        self._reach(selector)
        self.page.keyboard.type(text)
        self._step.keys += len(text)

    def press(self, selector: str) -> None:
        if self._run.how == "touch":
            self.page.locator(selector).first.tap()
            self._step.presses += 1
        else:
            self._reach(selector)
            self._key("Enter")

    def choose(self, selector: str, photo: Any) -> None:
        """Take a photo: the system's own camera or dialog counts as two presses."""
        if self._run.how == "touch":
            self.page.locator(selector).first.set_input_files(str(photo))
        else:
            with self.page.expect_file_chooser() as chooser:
                self._reach(selector)
                self._key("Enter")
            chooser.value.set_files(str(photo))
        self._step.presses += 2

    def _reach(self, selector: str) -> None:
        self.page.locator(selector).first.wait_for(state="attached")
        if self._run.how == "touch":
            self.page.locator(selector).first.tap()
            self._step.presses += 1
            return
        for _ in range(_KEYS_MOST):
            if self.page.evaluate("(s) => document.activeElement?.matches(s) ?? false", selector):
                return
            self._key("Tab")
        raise AssertionError(f"the keyboard does not reach {selector}")

    def _key(self, key: str) -> None:
        self.page.keyboard.press(key)
        self._step.keys += 1


def new_clerk(world: World, browser: Any, *, how: How) -> NewClerk:
    """Pair a phone by its code, take a photo, and say of every item that it is done."""
    run = NewClerk(how)
    link = world.pairing_link()
    page = open_page(browser, "about:blank", "en", **(PHONE if how == "touch" else DESK))
    hand = _Hand(page, run)
    with hand.step("open the address on the code's sheet"):
        page.goto(world.node.url)
        page.locator("input.code").wait_for()
    with hand.step("type the code"):
        hand.type("input.code", last_of(link))
    with hand.step("pair"):
        hand.press(".door button.first")
        page.locator("label.big").wait_for()
    with hand.step("photo of the shelf"):
        # A camera of the page's own there is none on this machine: the page says so, and the
        # phone's serves.
        hand.press("label.big" if how == "touch" else "label.big input")
        page.locator("dialog[data-camera] label.big").wait_for()
        hand.choose("dialog[data-camera] label.big input", world.poor)
        page.locator("[data-item]").first.wait_for()
    names = page.locator("[data-item]").evaluate_all("(all) => all.map((one) => one.dataset.item)")
    run.items = len(names)
    for number, name in enumerate(names, 1):
        item = f"[data-item='{name}']"
        with hand.step(f"item {number}: open, done"):
            hand.press(f"{item} .head")
            page.locator(f"{item} .say button.first").wait_for()
            hand.press(f"{item} .say button.first")
            page.locator(f"{item}[data-state=done]").wait_for()
    with hand.step("all of it is with the node"):
        whole = words("result.left", "en", done=run.items, n=run.items)
        page.get_by_text(whole).wait_for()
        hand.press("a.back")
        page.get_by_text(words("waiting.none", "en")).wait_for()
    # A phone that is not paired yet asks who it is, and is told that it is nobody.
    run.faults = tuple(one for one in page.faults if "401" not in one)
    page.context.close()
    return run
