"""What can come later waits for a lull, not for ever, and not when somebody asks for it."""

import asyncio

import pytest

from edge.lull import Lull

NEVER = 3600.0


class Turns:
    """Who has had a turn, in their order."""

    def __init__(self, lull: Lull) -> None:
        self.lull = lull
        self.had: list[str] = []
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def take(self, name: str, hurried: asyncio.Event | None = None) -> None:
        async with self.lull.turn(hurried or asyncio.Event()):
            self.had.append(name)
            await self.go_on.wait()


async def a_moment() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_nothing_waits_where_nobody_was_answered() -> None:
    turns = Turns(Lull(quiet_s=NEVER))
    await turns.take("first")
    assert turns.had == ["first"]


async def test_a_turn_waits_while_somebody_waits_for_an_answer_and_a_while_after() -> None:
    turns = Turns(Lull(quiet_s=NEVER, wait_s_max=NEVER))
    hurried = asyncio.Event()
    with turns.lull.answering():
        waiting = asyncio.create_task(turns.take("pictures", hurried))
        await a_moment()
        assert turns.had == []
    await a_moment()
    assert turns.had == [], "the answer has only just gone"
    hurried.set()
    await waiting
    assert turns.had == ["pictures"], "somebody asks for them"


async def test_the_quiet_after_an_answer_ends() -> None:
    turns = Turns(Lull(quiet_s=0.01, wait_s_max=NEVER))
    with turns.lull.answering():
        waiting = asyncio.create_task(turns.take("pictures"))
        await a_moment()
    async with asyncio.timeout(60):
        await waiting
    assert turns.had == ["pictures"]


async def test_answers_one_upon_another_put_nothing_off_for_ever() -> None:
    turns = Turns(Lull(quiet_s=NEVER, wait_s_max=0.01))
    with turns.lull.answering():
        async with asyncio.timeout(60):
            await turns.take("pictures")
    assert turns.had == ["pictures"]


@pytest.mark.parametrize("hurry", [False, True])
async def test_turns_come_one_after_the_other_but_for_one_that_is_asked_for(hurry: bool) -> None:
    turns = Turns(Lull(quiet_s=0))
    turns.go_on.clear()
    hurried = asyncio.Event()
    first = asyncio.create_task(turns.take("first"))
    await a_moment()
    second = asyncio.create_task(turns.take("second", hurried))
    await a_moment()
    assert turns.had == ["first"]
    if hurry:
        hurried.set()
        await a_moment()
        assert turns.had == ["first", "second"]
    turns.go_on.set()
    async with asyncio.timeout(60):
        await asyncio.gather(first, second)
    assert turns.had == ["first", "second"]
