"""Bursts are one phone's, visits end in silence, and one phone stays one under many addresses."""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.burst_pace import Paces, learn_paces
from probes.bursts import Burst, gathered
from probes.calibration import read_calibration
from probes.frames import Frame
from probes.linking import Linker
from probes.visits import SILENCE_S_MAX, Visit, silence_s_allowed, split_by_silence

PACES: Paces = read_calibration().paces


def frame(
    time_s: float, sender: int = 1, *, sequence: int = 0, elements: int = 9, random: bool = True
) -> Frame:
    return Frame(time_s, sender, random, sequence % 4096, -50, 2437, False, elements)


def visits_of(frames: list[Frame]) -> list[Visit]:
    linker = Linker(PACES)
    visits = []
    for burst in gathered(iter(frames)):
        visits += linker.feed(burst)
    return visits + linker.finish()


@pytest.mark.parametrize(
    ("silence_s", "bursts"),
    [pytest.param(1.9, 1, id="goes on"), pytest.param(2.1, 2, id="another")],
)
def test_two_seconds_of_silence_end_a_burst(silence_s: float, bursts: int) -> None:
    assert len(list(gathered(iter([frame(0.0), frame(silence_s)])))) == bursts


def test_a_phone_may_change_its_address_within_a_burst() -> None:
    frames = [frame(0.1 * n, sender=n, sequence=n) for n in range(5)]
    (burst,) = gathered(iter(frames))
    assert burst.frames == 5
    assert len(burst.senders) == 5


def test_phones_of_other_elements_burst_on_their_own() -> None:
    bursts: list[Burst] = list(
        gathered(iter([frame(0.0, 1, elements=1), frame(0.1, 2, sequence=900, elements=2)]))
    )
    assert len(bursts) == 2


@pytest.mark.parametrize(
    ("silence_s", "visits"),
    [
        pytest.param(SILENCE_S_MAX - 1, 1, id="short silence continues the visit"),
        pytest.param(SILENCE_S_MAX + 1, 2, id="long silence starts another"),
    ],
)
def test_silence_splits_visits(silence_s: float, visits: int) -> None:
    assert len(split_by_silence([0.0, silence_s])) == visits
    assert len(visits_of([frame(0.0), frame(silence_s)])) == visits


def test_a_phone_that_bursts_often_is_gone_sooner() -> None:
    assert silence_s_allowed([5.0, 5.0, 6.0]) < silence_s_allowed([160.0, 160.0])
    often = [frame(5.0 * n) for n in range(10)] + [frame(200.0 + 5 * n) for n in range(3)]
    assert len(visits_of(often)) == 2


def test_a_running_count_links_bursts_under_new_addresses() -> None:
    frames = [frame(20.0 * n, sender=n, sequence=4000 + 30 * n) for n in range(12)]
    (visit,) = visits_of(frames)
    assert len(visit.burst_s) == 12
    assert visit.heard_s == 220


def test_alike_phones_that_count_on_are_kept_apart() -> None:
    frames = []
    for n in range(12):
        frames.append(frame(20.0 * n, sender=100 + n, sequence=10 + 30 * n))
        frames.append(frame(20.0 * n + 9, sender=200 + n, sequence=2000 + 30 * n))
    visits = visits_of(sorted(frames))
    assert sorted(len(visit.burst_s) for visit in visits) == [12, 12]


def test_a_phone_whose_count_starts_anew_is_linked_by_its_clock() -> None:
    frames = [frame(60.0 * n, sender=n, sequence=(n * 1571 + 300) % 4096) for n in range(8)]
    assert [len(visit.burst_s) for visit in visits_of(frames)] == [8]


def test_global_addresses_are_never_linked_to_each_other() -> None:
    frames = [frame(10.0 * n, sender=n % 2, sequence=n, random=False) for n in range(10)]
    assert len(visits_of(frames)) == 2


def test_what_stays_for_hours_is_fixed() -> None:
    (visit,) = visits_of([frame(60.0 * n, random=False) for n in range(60 * 5)])
    assert visit.fixed
    (short,) = visits_of([frame(60.0 * n, random=False) for n in range(60)])
    assert not short.fixed


def test_frames_out_of_order_do_not_crash_the_linker() -> None:
    frames = [frame(100.0 - n, sender=n % 3, sequence=n) for n in range(50)]
    assert sum(len(visit.burst_s) for visit in visits_of(frames)) >= 1


def test_paces_are_learnt_from_whole_sessions() -> None:
    paces = learn_paces([([20.0] * 30, 1.0), ([160.0] * 8, 1.0)])
    assert sum(paces.share) == pytest.approx(1, abs=1e-4)
    assert sum(sorted(paces.share)[-4:]) > 0.8


_HEARD = st.tuples(st.sampled_from([0.1, 0.5, 3.0, 30.0]), st.integers(0, 7), st.integers(0, 3))
_HASHES = st.lists(st.integers(0, 2**64 - 1), min_size=8, max_size=8, unique=True)


@given(st.lists(_HEARD, max_size=60), _HASHES)
def test_the_key_of_a_run_decides_nothing(
    heard: list[tuple[float, int, int]], hashes: list[int]
) -> None:
    times = list(accumulate(pause for pause, _, _ in heard))

    def bursts(names: list[int]) -> list[tuple[float, ...]]:
        visits = visits_of(
            [
                frame(at, names[sender], sequence=700 * sender + n, elements=names[kind])
                for n, (at, (_, sender, kind)) in enumerate(zip(times, heard, strict=True))
            ]
        )
        return [visit.burst_s for visit in visits]

    assert bursts(hashes) == bursts(list(range(8)))
