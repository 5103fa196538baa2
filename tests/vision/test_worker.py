"""The worker's framing and loop: what goes in comes out, and a bad request costs only itself."""

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storepulse.errors import BadInput, Unavailable
from vision.framing import Frame, LostStep, decode_header, encode_frame, read_frame
from vision.worker import serve

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
frames = st.builds(
    Frame,
    header=st.dictionaries(st.text().filter(lambda key: key != "bytes"), json_values, max_size=4),
    body=st.binary(max_size=300),
)


class OneByteAtATime(io.BytesIO):
    """A pipe that hands over a body in the smallest parts it may."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(1 if size is None or size > 1 else size)


def all_frames(data: bytes) -> list[Frame]:
    stream = io.BytesIO(data)
    found = []
    while (frame := read_frame(stream)) is not None:
        found.append(frame)
    return found


def answers(handle: Any, *requests: Frame) -> list[dict[str, Any]]:
    out = io.BytesIO()
    serve(handle, io.BytesIO(b"".join(map(encode_frame, requests))), out)
    return [frame.header for frame in all_frames(out.getvalue())]


@given(st.lists(frames, max_size=4))
def test_frames_come_out_as_they_went_in(sent: list[Frame]) -> None:
    assert all_frames(b"".join(map(encode_frame, sent))) == sent


@given(frames)
def test_a_body_may_arrive_in_parts(frame: Frame) -> None:
    assert read_frame(OneByteAtATime(encode_frame(frame))) == frame


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'{"bytes": 4}\nab', id="ends inside the body"),
        pytest.param(b'{"photo": "a', id="ends inside the header"),
        pytest.param(b"shelf.jpg\n", id="no JSON"),
        pytest.param(b"[1]\n", id="no object"),
        pytest.param(b'{"bytes": -1}\n', id="negative length"),
        pytest.param(b'{"bytes": "4"}\nabcd', id="length is text"),
        pytest.param(b'{"bytes": 99999999999}\n', id="more than any photo"),
    ],
)
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises(LostStep):
        read_frame(io.BytesIO(data))


def test_a_header_cannot_lie_about_its_body() -> None:
    with pytest.raises(ValueError, match="bytes"):
        encode_frame(Frame({"bytes": 3}, b"abcd"))
    assert decode_header(b'{"a":1,"bytes":3}\n') == ({"a": 1}, 3)


def test_ready_comes_first_and_the_loop_ends_with_its_input() -> None:
    assert answers(lambda header, body: {}) == [{"ready": True}]


def test_each_request_gets_its_answer_with_its_id() -> None:
    said = answers(
        lambda header, body: {"seen": header["photo"], "size": len(body)},
        Frame({"photo": "a.jpg", "id": "7"}),
        Frame({"photo": "b.jpg"}, b"1234"),
    )
    assert said[1:] == [{"seen": "a.jpg", "size": 0, "id": "7"}, {"seen": "b.jpg", "size": 4}]


def test_a_bad_request_costs_only_itself(capsys: pytest.CaptureFixture[str]) -> None:
    def handle(header: dict[str, Any], body: bytes) -> dict[str, Any]:
        match header["do"]:
            case "refuse":
                raise BadInput("shelf.jpg holds no picture")
            case "wait":
                raise Unavailable("the model is not there yet")
            case "break":
                raise RuntimeError("secret of the house")
            case "not json":
                return {"x": float("nan")}
        return {"done": True}

    said = answers(
        handle, *(Frame({"do": what}) for what in ("refuse", "wait", "break", "not json", "work"))
    )
    assert said[1] == {
        "error": "shelf.jpg holds no picture",
        "kind": "BadInput",
        "bad_input": True,
        "retryable": False,
    }
    assert (said[2]["bad_input"], said[2]["retryable"]) == (False, True)
    assert said[3]["kind"] == "RuntimeError"
    assert "secret" not in said[3]["error"]
    assert "secret of the house" in capsys.readouterr().err
    assert said[4]["kind"] == "ValueError"
    assert said[5] == {"done": True}
