"""Children of the demo: their words, their ends, and what a person is told when one fails."""

import os
import sys
import time
from pathlib import Path

import pytest

from storepulse.demo.children import Children, StageFailed, end, run_to_end, wait_until

PYTHON = [sys.executable, "-u", "-c"]
STAYS = "import json, time; print(json.dumps({'listening': 'here'})); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {STAYS}"


def test_the_first_line_says_where_a_child_listens(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        child = children.start("one", [*PYTHON, STAYS])
        assert wait_until(child.first_words, what="its words", limit_s=50) == {"listening": "here"}


def test_all_children_are_gone_after_the_block_even_after_an_error(tmp_path: Path) -> None:
    children = Children(tmp_path)
    child = children.start("one", [*PYTHON, STAYS])
    wait_until(child.first_words, what="its words", limit_s=50)
    with pytest.raises(RuntimeError, match="broke"), children:
        raise RuntimeError("the demo broke")
    assert not child.alive


def test_a_child_that_will_not_end_is_killed(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        child = children.start("stubborn", [*PYTHON, STUBBORN])
        wait_until(child.first_words, what="its words", limit_s=50)
        began = time.monotonic()
        end(child, patience_s=0.2)
        assert not child.alive
        assert time.monotonic() - began < 40


def test_what_a_child_started_ends_with_it(tmp_path: Path) -> None:
    starts = (
        "import json, subprocess, sys, time; "
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
        "print(json.dumps({'pid': p.pid})); time.sleep(60)"
    )
    with Children(tmp_path) as children:
        child = children.start("parent", [*PYTHON, starts])
        words = wait_until(child.first_words, what="its words", limit_s=50)
        assert words is not None
    wait_until(lambda: not _alive(words["pid"]), what="the grandchild's end", limit_s=40)


def test_waiting_for_a_child_that_ended_tells_its_last_words(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        child = children.start(
            "broken", [*PYTHON, "import sys; sys.stderr.write('no such port\\n'); sys.exit(3)"]
        )
        with pytest.raises(StageFailed, match=r"(?s)exit code 3.*no such port"):
            wait_until(child.first_words, what="the hub", limit_s=50, needs=[child])


def test_waiting_ends_and_says_what_it_waited_for() -> None:
    with pytest.raises(StageFailed, match="the moon: not within"):
        wait_until(lambda: None, what="the moon", limit_s=0.01)


def test_a_command_that_fails_tells_its_last_words() -> None:
    with pytest.raises(StageFailed, match=r"(?s)loading: exit code 2.*line 7 is no fact"):
        run_to_end(
            [*PYTHON, "import sys; sys.stderr.write('line 7 is no fact'); sys.exit(2)"],
            what="loading", limit_s=50,
        )  # fmt: skip


def test_a_command_gives_its_output() -> None:
    assert run_to_end([*PYTHON, "print('[1]')"], what="it", limit_s=50) == "[1]\n"


def test_a_command_that_does_not_end_is_given_up() -> None:
    with pytest.raises(StageFailed, match="loading: not within"):
        run_to_end([*PYTHON, "import time; time.sleep(60)"], what="loading", limit_s=0.2)


def test_a_killed_child_starts_again_and_its_log_goes_on(tmp_path: Path) -> None:
    says = "import json, sys, time; sys.stderr.write('up\\n'); print('{}'); time.sleep(60)"
    with Children(tmp_path) as children:
        child = children.start("one", [*PYTHON, says])
        wait_until(lambda: child.first_words() is not None, what="its words", limit_s=50)
        child.kill()
        assert not child.alive
        again = children.start_again(child)
        wait_until(lambda: again.first_words() is not None, what="its words", limit_s=50)
        assert again.last_lines() == "up\nup"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
