"""Keep what a file says beside what we know, packed inside the planogram. Pure."""

import base64
import binascii
import json
from typing import Any, Final

import zstandard

from planograms.errors import BadPlanogram
from planograms.model import Kept

_UNPACKED_BYTES_MAX: Final = 128 * 1024 * 1024


def packed(format_: str, values: Any) -> Kept:
    """Pack plain JSON values."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    content = zstandard.ZstdCompressor(level=9).compress(text.encode("utf-8", "surrogatepass"))
    return Kept(format=format_, packed=base64.b64encode(content).decode("ascii"))


def unpacked(kept: Kept, what: str) -> Any:
    """What was packed.

    Raises:
        BadPlanogram: it is damaged; `what` is what the message calls it.
    """
    try:
        content = base64.b64decode(kept.packed, validate=True)
        text = zstandard.ZstdDecompressor().decompress(content, max_output_size=_UNPACKED_BYTES_MAX)
        return json.loads(text.decode("utf-8", "surrogatepass"))
    except (binascii.Error, zstandard.ZstdError, ValueError) as error:
        raise BadPlanogram(
            f"{what}: what was kept of its {kept.format} file is damaged; import the file again"
        ) from error
