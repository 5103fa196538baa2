"""A child that dies, hangs or babbles costs its own answer and nothing else."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from edge.errors import DiskFull, WorkerAway, WorkerEnded, WorkerTooSlow
from edge.workers import AskedWorker, Supervised, TellingWorker
from storepulse.facts import FACT_JSON, Fact
from tests.edge.samples import fact
from vision.framing import HEADER_BYTES_MAX

FAKE = Path(__file__).with_name("fake_judge.py")


async def until(true: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def running(worker: Supervised) -> AsyncIterator[None]:
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def judge(tmp_path: Path, **changes: float) -> AskedWorker:
    given = {"start_timeout_s": 60.0, "answer_timeout_s": 60.0} | changes
    argv = [sys.executable, str(FAKE), str(tmp_path / "log")]
    return AskedWorker("judge", argv, restarts_max=5, **given)


def photo(tmp_path: Path, content: bytes) -> dict[str, str]:
    path = tmp_path / "photo"
    path.write_bytes(content)
    return {
        "do": "judge", "photo": str(path), "uuid": "u", "bay": "b1", "shop": "s", "source": "n",
        "at": "2026-11-20T12:00:00+00:00", "kept": str(tmp_path / "kept"),
        "annotated": str(tmp_path / "annotated"),
        "anchors": str(tmp_path / "anchors"),
    }  # fmt: skip


async def test_a_question_gets_its_answer(tmp_path: Path) -> None:
    worker = judge(tmp_path)
    async with running(worker):
        answer = await worker.ask(photo(tmp_path, b"shelf"))
        assert answer["judgement"]["planogram"] == "plan"
    phases = [worker.state.phase]
    assert phases == ["stopped"]


async def test_questions_take_turns(tmp_path: Path) -> None:
    worker = judge(tmp_path)
    async with running(worker):
        asked = photo(tmp_path, b"shelf")
        answers = await asyncio.gather(*(worker.ask({**asked, "uuid": str(n)}) for n in range(5)))
    assert [answer["checklist"]["photo"] for answer in answers] == list("01234")


async def test_a_refusal_and_a_fault_are_answers(tmp_path: Path) -> None:
    worker = judge(tmp_path)
    async with running(worker):
        refused = await worker.ask(photo(tmp_path, b"bad"))
        assert (refused["error"], refused["bad_input"]) == ("photo.jpg: this is no photo", True)
        assert (await worker.ask(photo(tmp_path, b"fault")))["retryable"] is True
        assert worker.state.restarts == 0


async def test_a_child_that_dies_over_a_photo_is_started_afresh(tmp_path: Path) -> None:
    worker = judge(tmp_path)
    async with running(worker):
        with pytest.raises(WorkerEnded, match="kept") as caught:
            await worker.ask(photo(tmp_path, b"die"))
        assert caught.value.retryable
        assert "error" not in await worker.ask(photo(tmp_path, b"shelf"))
        assert worker.state.restarts == 1


async def test_a_child_that_is_killed_while_idle_is_started_afresh(tmp_path: Path) -> None:
    worker = judge(tmp_path)
    async with running(worker):
        await worker.ask(photo(tmp_path, b"shelf"))
        first = worker.state.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: worker.state.phase == "ready" and worker.state.pid != first)
        assert "error" not in await worker.ask(photo(tmp_path, b"shelf"))


async def test_a_child_that_hangs_is_killed(tmp_path: Path) -> None:
    worker = judge(tmp_path, answer_timeout_s=3)
    async with running(worker):
        await until(lambda: worker.state.phase == "ready")
        first = worker.state.pid
        with pytest.raises(WorkerTooSlow, match="kept"):
            await worker.ask(photo(tmp_path, b"slow"))
        assert "error" not in await worker.ask(photo(tmp_path, b"shelf"))
        assert worker.state.pid != first


async def test_a_question_that_is_called_off_does_not_answer_the_next(tmp_path: Path) -> None:
    worker = judge(tmp_path)
    async with running(worker):
        asked = asyncio.create_task(worker.ask(photo(tmp_path, b"wait")))
        await until(lambda: (tmp_path / "log").exists())
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        answer = await worker.ask({**photo(tmp_path, b"shelf"), "uuid": "second"})
        assert answer["checklist"]["photo"] == "second"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        pytest.param(["/nowhere/at-all"], "cannot be started", id="no such program"),
        pytest.param([sys.executable, "-c", "import nothing_of_that_name"], "ModuleNotFoundError",
                     id="a library is missing"),
        pytest.param([sys.executable, "-c", "print('hello')"], "exit code 0", id="babble"),
        pytest.param([sys.executable, "-c", "print('{}')"], "did not say", id="another child"),
    ],
)  # fmt: skip
async def test_a_child_that_cannot_work_rests_and_says_why(argv: list[str], words: str) -> None:
    worker = AskedWorker("judge", argv, restarts_max=1, start_timeout_s=60, answer_timeout_s=1)
    async with running(worker):
        await until(lambda: worker.state.phase == "resting")
        assert words in worker.state.trouble


async def test_asking_a_child_that_is_away_says_so() -> None:
    worker = AskedWorker(
        "judge", ["/nowhere/at-all"], restarts_max=1, start_timeout_s=0.1, answer_timeout_s=1
    )
    async with running(worker):
        with pytest.raises(WorkerAway, match="kept"):
            await worker.ask({})


def radio(lines: Sequence[str], code: int, keep: Callable[[Sequence[Fact]], None]) -> TellingWorker:
    script = f"import sys\nfor line in {list(lines)!r}: print(line)\nsys.exit({code})"
    if code == 2:
        script = "import sys; sys.stderr.write('the capture is cut\\n'); sys.exit(2)"

    async def kept(facts: Sequence[Fact]) -> None:
        keep(facts)

    return TellingWorker("radio", [sys.executable, "-c", script], kept, restarts_max=1)


async def test_facts_that_are_told_are_kept_in_order() -> None:
    heard: list[Fact] = []
    told = [fact(number) for number in range(450)]
    lines = [FACT_JSON.dump_json(one).decode() for one in told]
    worker = radio([*lines[:10], "{}", "", *lines[10:]], 0, heard.extend)
    await asyncio.wait_for(worker.run(), 60)
    assert heard == told
    assert (worker.state.phase, worker.state.pid) == ("finished", None)


async def test_while_the_disk_is_full_the_radio_waits() -> None:
    heard: list[Fact] = []
    tries = iter([True, False])

    def keep(facts: Sequence[Fact]) -> None:
        if next(tries, False):
            raise DiskFull("no room")
        heard.extend(facts)

    worker = radio([FACT_JSON.dump_json(fact(1)).decode()], 0, keep)
    worker.retry_s = 0.01
    await asyncio.wait_for(worker.run(), 60)
    assert heard == [fact(1)]


async def test_a_line_without_end_ends_the_radio_and_not_the_hearing_of_it() -> None:
    heard: list[Fact] = []
    first = FACT_JSON.dump_json(fact(1)).decode()
    script = f"print({first!r}); print('x' * {HEADER_BYTES_MAX + 2**20})"

    async def keep(facts: Sequence[Fact]) -> None:
        heard.extend(facts)

    worker = TellingWorker("radio", [sys.executable, "-c", script], keep, restarts_max=1)
    async with running(worker):
        await until(lambda: worker.state.restarts >= 1)
    assert heard[0] == fact(1)


async def test_a_capture_that_is_refused_is_not_tried_again() -> None:
    worker = radio([], 2, lambda facts: None)
    await asyncio.wait_for(worker.run(), 60)
    assert (worker.state.phase, worker.state.trouble) == ("refused", "the capture is cut")


async def test_a_radio_that_breaks_off_is_started_again() -> None:
    heard: list[Fact] = []
    line = json.dumps(FACT_JSON.dump_python(fact(1), mode="json"))
    worker = radio([line], 7, heard.extend)
    async with running(worker):
        await until(lambda: len(heard) >= 2)
        assert worker.state.restarts >= 1
