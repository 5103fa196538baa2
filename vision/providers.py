"""Which of onnxruntime's ways to compute is used: the processor, or what a chain has beside it.

The setting is the environment variable `STOREPULSE_PROVIDER`: `cpu` (the default), `openvino` or
`cuda`. The last two need another wheel of onnxruntime's in place of the usual one; they are asked
for by name, never taken because they happen to be there: figures should not depend on that.
"""

import os
from collections.abc import Mapping
from functools import cache
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


def session_options(*, threads: int) -> onnxruntime.SessionOptions:
    """How a network for whole photos is loaded: with its share of the one pool of memory.

    Args:
        threads: cores to use.
    """
    _one_pool()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Photos come one at a time: threads that spin between them only heat the box.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The networks run one after another, so what one gave back the next can use.
    options.add_session_config_entry("session.use_env_allocators", "1")
    # A plan of where each tensor goes is made for each size of photo, in one piece of memory that
    # nothing else fits into: 40 MB more for nothing.
    options.enable_mem_pattern = False
    return options


@cache
def _one_pool() -> None:
    """Make the pool that the networks of this process share; it grows by what is asked for, not by
    powers of two."""
    growing = {
        "max_mem": 0, "arena_extend_strategy": 1, "initial_chunk_size_bytes": -1,
        "max_dead_bytes_per_chunk": -1,
    }  # fmt: skip
    onnxruntime.create_and_register_allocator(
        onnxruntime.OrtMemoryInfo(
            "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0,
            onnxruntime.OrtMemType.DEFAULT,
        ),
        onnxruntime.OrtArenaCfg(growing),
    )  # fmt: skip
