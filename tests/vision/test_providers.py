"""The way to compute is chosen by name; one that is not there is said so."""

import onnxruntime
import pytest

from vision.errors import NoSuchProvider
from vision.providers import PROVIDER_VARIABLE, PROVIDERS, chosen_provider


@pytest.mark.parametrize("said", [None, "", "cpu", " CPU "])
def test_the_processor_is_the_default(said: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PROVIDER_VARIABLE, raising=False)
    if said is not None:
        monkeypatch.setenv(PROVIDER_VARIABLE, said)
    assert chosen_provider() == ["CPUExecutionProvider"]


@pytest.mark.parametrize("name", ["openvino", "cuda"])
def test_another_one_comes_before_the_processor_or_is_told_missing(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PROVIDER_VARIABLE, name)
    provider, wheel = PROVIDERS[name]
    if provider in onnxruntime.get_available_providers():
        assert chosen_provider() == [provider, "CPUExecutionProvider"]
    else:
        with pytest.raises(NoSuchProvider, match=wheel):
            chosen_provider()


def test_an_unknown_name_is_told_with_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PROVIDER_VARIABLE, "tpu")
    with pytest.raises(NoSuchProvider, match="openvino"):
        chosen_provider()
