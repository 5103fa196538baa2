"""A phone that says two lists of elements is one phone; two phones of one maker are two."""

from hypothesis import given, settings
from hypothesis import strategies as st

from probes.captures import Record
from probes.frames import Frame, FrameReader, lasting_elements
from probes.two_lists import with_second_lists
from tests.probes.drawn_captures import DrawnPhone, probe


def burst(
    start_s: float, *, count: int, elements: int, frames: int = 3, shape: int = 1,
    random: bool = True,
) -> list[Frame]:  # fmt: skip
    return [
        Frame(
            start_s + 0.02 * n, elements, random, (count + n) % 4096, -50, 2437, False, elements,
            elements_exact=elements, shape=shape,
        )
        for n in range(frames)
    ]  # fmt: skip


def joined(*bursts: list[Frame]) -> list[int]:
    """The phone of each burst, where tracking told phones apart by their elements."""
    frames = sorted(frame for one in bursts for frame in one)
    told = with_second_lists(frames, [frame.elements for frame in frames])
    of = {frame.elements: phone for frame, phone in zip(frames, told, strict=True)}
    return [of[one[0].elements] for one in bursts]


def first_list(number: int = 10) -> list[list[Frame]]:
    return [burst(60.0 * n, count=100 + 9 * n, elements=7, frames=5) for n in range(number)]


def test_nothing_heard_is_nobody() -> None:
    assert with_second_lists([], []) == []


def test_a_list_that_the_count_runs_through_is_the_same_phones() -> None:
    second = burst(190.0, count=100 + 9 * 3 + 5, elements=8, frames=2, shape=2)
    assert joined(*first_list(), second) == [0] * 11


def test_a_list_with_a_count_of_its_own_is_another_phones() -> None:
    second = burst(190.0, count=3000, elements=8, frames=2, shape=2)
    assert joined(*first_list(), second) == [0] * 10 + [1]


def test_the_same_elements_with_other_capabilities_are_the_same_phones_where_they_are_few() -> None:
    few = burst(190.0, count=3000, elements=8, frames=2)
    many = burst(190.0, count=3000, elements=8, frames=6)
    assert joined(*first_list(), few) == [0] * 10 + [0]
    assert joined(*first_list(), many) == [0] * 10 + [1]


def test_few_that_lie_apart_are_another_phones() -> None:
    assert joined(*first_list(), burst(900.0, count=3000, elements=8, frames=2)) == [0] * 10 + [1]


def test_a_phone_that_keeps_its_own_address_is_never_joined() -> None:
    second = burst(190.0, count=100 + 9 * 3 + 5, elements=8, frames=2, random=False)
    assert joined(*first_list(), second) == [0] * 10 + [1]


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 4095), st.integers(0, 4)), min_size=1)
)
def test_tracks_are_only_ever_joined(heard: list[tuple[int, int, int]]) -> None:
    frames = sorted(
        frame
        for at_s, count, kind in heard
        for frame in burst(at_s, count=count, elements=kind, frames=1 + 2 * kind)
    )
    before = [frame.elements for frame in frames]
    after = with_second_lists(frames, before)
    pairs = set(zip(before, after, strict=True))
    assert len(pairs) == len(set(before))
    assert list(dict.fromkeys(after)) == list(range(len(set(after))))


def test_the_shape_of_elements_leaves_out_what_they_say() -> None:
    one, other = b"\x2d\x02ab\xdd\x05\x00\x10\x18\x02x", b"\x2d\x02cd\xdd\x05\x00\x10\x18\x02y"
    assert lasting_elements(one, 0, len(one)).shape == lasting_elements(other, 0, len(other)).shape
    assert (
        lasting_elements(one, 0, len(one)).lasting != lasting_elements(other, 0, len(other)).lasting
    )
    shorter = one[:4]
    assert lasting_elements(shorter, 0, 4).shape != lasting_elements(one, 0, len(one)).shape


def test_a_frame_carries_its_shape_as_a_keyed_hash() -> None:
    record = Record(5.0, 105, probe(DrawnPhone(), 1), False, False)
    shapes = []
    for key in (b"one", b"other"):
        frame = FrameReader(key).read(record)
        assert frame is not None
        shapes.append(frame.shape)
    assert shapes[0] != shapes[1]
    assert all(shapes)
