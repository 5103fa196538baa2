"""Which language a terminal speaks."""

import pytest

from storepulse.errors import BadInput
from storepulse.languages import spoken_language


@pytest.mark.parametrize(
    ("asked", "environ", "language"),
    [
        pytest.param(None, {}, "en", id="nothing is said"),
        pytest.param(None, {"LANG": "zh_CN.UTF-8"}, "zh", id="a Chinese locale"),
        pytest.param(None, {"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en", id="LC_ALL comes first"),
        pytest.param(None, {"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "zh", id="an empty one is none"),
        pytest.param("en", {"LANG": "zh_CN.UTF-8"}, "en", id="what was asked for comes first"),
    ],
)
def test_a_terminal_speaks_as_asked_or_as_its_locale(
    asked: str | None, environ: dict[str, str], language: str
) -> None:
    assert spoken_language(asked, environ) == language


def test_another_language_is_refused_in_one_line() -> None:
    with pytest.raises(BadInput, match="--language must be en or zh"):
        spoken_language("fr", {})
