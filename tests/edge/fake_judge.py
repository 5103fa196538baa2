"""A child that speaks the framing and judges by the photo's first bytes. For tests of the node.

The photo's content says what happens: b"slow" sleeps, b"die" ends the process, b"bad" is refused
as bad input, b"fault" fails; anything else is judged, with one finding.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

from storepulse.errors import BadInput
from vision.worker import own_stdout, serve


def judge(header: dict[str, Any], _body: bytes) -> dict[str, Any]:
    content = Path(header["photo"]).read_bytes()
    with Path(sys.argv[1]).open("a") as log:
        log.write(f"{header['do']} {header['uuid']}\n")
    if content.startswith(b"slow"):
        time.sleep(60)
    if content.startswith(b"die"):
        os._exit(3)
    if content.startswith(b"bad"):
        raise BadInput("photo.jpg: this is no photo")
    if content.startswith(b"fault"):
        raise ZeroDivisionError
    if content.startswith(b"wait"):
        # Until the test lets it go on.
        while not Path(header["photo"]).with_name("go").exists():
            time.sleep(0.01)
    if header["do"] == "keep":
        Path(header["kept"]).write_bytes(b"kept")
        Path(header["annotated"]).write_bytes(b"drawn")
        Path(header["anchors"]).write_bytes(b"anchors")
        return {}
    item = {
        "id": "1", "kind": "missing", "sentence": {"en": "Put it back", "zh": "放回去"},
        "box_xyxy_px": [0, 0, 10, 10], "confidence": 0.9,
    }  # fmt: skip
    fact = {
        "id": f"{header['uuid']}-exposure", "shop": header["shop"], "metric": "exposure_main_push",
        "start": header["at"], "end": header["at"], "value": 0.5, "low": 0.4, "high": 0.6,
        "source": header["source"],
    }  # fmt: skip
    return {
        "judgement": {
            "observation": {
                "photo": {"file": "x", "width": 10, "height": 10, "verdict": "usable",
                          "reasons": []},
                "facings": [], "gaps": [], "rows": [], "timings_ms": {"total": 1.0},
                "model": {"name": "fake", "version": "0", "input_px": 1},
            },
            "planogram": "plan", "planogram_version": 1,
            "positions": [{"id": "p1", "status": "missing"}],
            "findings": [{"kind": "missing"}], "scores": {"exposure_main_push": 0.5},
        },
        "checklist": {
            "id": f"checklist-{header['uuid']}", "shop": header["shop"], "bay": header["bay"],
            "photo": header["uuid"], "planogram": "plan", "planogram_version": 1,
            "made_at": header["at"], "items": [item],
        },
        "facts": [fact],
        "priced": True,
    }  # fmt: skip


if __name__ == "__main__":
    frames = own_stdout()
    serve(judge, sys.stdin.buffer, frames)
