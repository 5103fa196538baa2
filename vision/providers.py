"""Which of onnxruntime's ways to compute is used: the processor, or what a chain has beside it.

The setting is the environment variable `STOREPULSE_PROVIDER`: `cpu` (the default), `openvino` or
`cuda`. The last two need another wheel of onnxruntime's in place of the usual one; they are asked
for by name, never taken because they happen to be there: figures should not depend on that.
"""

import os
from collections.abc import Mapping
from typing import Final

import onnxruntime

from vision.errors import NoSuchProvider

PROVIDER_VARIABLE: Final = "STOREPULSE_PROVIDER"
PROVIDERS: Final[Mapping[str, tuple[str, str]]] = {
    "cpu": ("CPUExecutionProvider", "onnxruntime"),
    "openvino": ("OpenVINOExecutionProvider", "onnxruntime-openvino"),
    "cuda": ("CUDAExecutionProvider", "onnxruntime-gpu"),
}
"""Setting -> onnxruntime's own name, and the wheel that has it."""


def chosen_provider() -> list[str]:
    """What to give a session: the chosen way, then the processor for what that cannot do.

    Raises:
        NoSuchProvider: the setting names none, or one that the installed onnxruntime has not.
    """
    name = os.environ.get(PROVIDER_VARIABLE, "cpu").strip().lower() or "cpu"
    if name not in PROVIDERS:
        raise NoSuchProvider(
            f"{PROVIDER_VARIABLE}={name}: known are {', '.join(PROVIDERS)}; leave it away for cpu"
        )
    provider, wheel = PROVIDERS[name]
    if provider not in onnxruntime.get_available_providers():
        raise NoSuchProvider(
            f"{PROVIDER_VARIABLE}={name}: the onnxruntime here cannot do that; install {wheel} in "
            "place of onnxruntime, or leave the variable away for cpu"
        )
    return list(dict.fromkeys([provider, PROVIDERS["cpu"][0]]))
