"""An installer's code survives paper and telephone, and a slip in it is seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storepulse.enrolment import BadCode, Code, fingerprint_of, read_code, write_code

secrets = st.binary(min_size=8, max_size=8)
fingerprints = st.binary(min_size=15, max_size=15)


@given(secrets, fingerprints)
def test_a_code_reads_back_however_it_is_typed(secret: bytes, fingerprint: bytes) -> None:
    shown = write_code(Code(secret, fingerprint))
    assert len(shown.replace("-", "")) == 40
    for typed in (shown, shown.lower(), shown.replace("-", ""), f" {shown.replace('-', ' ')}\n"):
        assert read_code(typed) == Code(secret, fingerprint)


@given(
    secrets, fingerprints, st.integers(0, 39), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
)
def test_one_wrong_letter_is_seen(
    secret: bytes, fingerprint: bytes, place: int, letter: str
) -> None:
    letters = write_code(Code(secret, fingerprint)).replace("-", "")
    if letters[place] == letter:
        return
    with pytest.raises(BadCode, match="slip"):
        read_code(letters[:place] + letter + letters[place + 1 :])


@pytest.mark.parametrize("text", ["", "ABC", "A" * 41, "*" * 40, "€" * 40])
def test_what_is_no_code_is_told(text: str) -> None:
    with pytest.raises(BadCode):
        read_code(text)


def test_a_code_trusts_its_own_authority_only_and_does_not_show_its_secret() -> None:
    code = Code(b"geheim!!", fingerprint_of(b"authority"))
    assert code.trusts(b"authority")
    assert not code.trusts(b"another")
    assert "geheim" not in repr(code)
