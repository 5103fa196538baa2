"""No address of a capture comes out of the process, in any spelling."""

import ast
import base64
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import probes
from tests.probes.drawn_captures import busy_shop, write

SHOP = busy_shop(12)
ADDRESSES = sorted(set(SHOP.addresses))
ROOT = Path(probes.__file__).parent


def spellings(address: bytes) -> list[bytes]:
    """Every usual way to write an address down, unsalted hashes of each included."""
    pairs = [f"{byte:02x}" for byte in address]
    texts = [":".join(pairs), "-".join(pairs), "".join(pairs)]
    texts += [text.upper() for text in texts]
    raw = [address, *(text.encode() for text in texts)]
    hashed = []
    for plain in raw:
        for name in ("md5", "sha1", "sha256"):
            digest = hashlib.new(name, plain, usedforsecurity=False).digest()
            hashed += [digest, digest.hex().encode(), base64.b64encode(digest)]
    return [*raw, base64.b64encode(address), *hashed]


def leaks(said: bytes) -> list[bytes]:
    return [s for address in ADDRESSES for s in spellings(address) if s in said]


def run(tmp_path: Path, *command: str) -> bytes:
    """Run a command in a folder of its own; give back all that it said and left behind."""
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-X", "dev", *command],
        capture_output=True,
        cwd=home,
        env={**os.environ, "HOME": str(home), "TMPDIR": str(home), "PYTHONPATH": str(ROOT.parent)},
        check=True,
    )
    written = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    return done.stdout + done.stderr + written


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["-m", "storepulse", "probes", "replay"], id="replay"),
        pytest.param(["-m", "probes.worker"], id="worker"),
    ],
)
def test_no_address_and_no_network_name_leaves_the_process(
    tmp_path: Path, command: list[str]
) -> None:
    capture = write(tmp_path / "shop.pcap", SHOP.pcap()[:-3])  # cut: warnings are said too
    said = run(tmp_path, *command, str(capture), *(["--json"] if "replay" in command else []))
    assert b"dwell" in said
    assert leaks(said) == []
    assert b"homenet" not in said


def test_a_planted_leak_is_found() -> None:
    address = ADDRESSES[3]
    assert leaks(b"log: " + address)
    assert leaks(b"seen " + address.hex(":").upper().encode())
    assert leaks(hashlib.sha256(address.hex(":").encode()).hexdigest().encode())


def test_what_is_kept_of_a_replay_holds_no_address(tmp_path: Path) -> None:
    # Pickled, every value that hangs on the account is searched.
    capture = write(tmp_path / "shop.pcap", SHOP.pcap())
    code = (
        "import pickle, sys\n"
        "from pathlib import Path\n"
        "from probes.calibration import read_calibration\n"
        "from probes.replay import replay\n"
        f"account = replay([Path({str(capture)!r})], read_calibration())\n"
        "assert account.visits == 12\n"
        "sys.stdout.buffer.write(pickle.dumps(account))\n"
    )
    said = run(tmp_path, "-c", code)
    assert b"Visit" in said
    assert leaks(said) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="prctl is Linux's")
def test_a_hardened_process_leaves_no_core_and_cannot_be_looked_into() -> None:
    code = (
        "import ctypes, resource\n"
        "from probes.privacy import keep_to_itself\n"
        "assert keep_to_itself()\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent
    )
    assert done.stdout.strip() == "(0, 0) 0"


RIM = {
    "hand_counts",
    "captures", "calibration", "streams", "privacy", "cli", "worker", "replay", "lists", "bench",
    "ear", "told_worker", "door_journal",
    "told_files", "cli_listening", "cli_proof", "cli_tracing", "privacy_proof", "leak_search",
    "recording_broker", "scapy_reference",
}  # fmt: skip
"""Modules that touch files or the operating system, or drive those that do."""
IO_MODULES = {"socket", "pathlib", "os", "subprocess", "sqlite3", "time", "typer", "logging"}


@pytest.mark.parametrize(
    "module", sorted(path.stem for path in ROOT.glob("*.py") if path.stem not in RIM)
)
def test_pure_modules_touch_no_file_clock_or_log(module: str) -> None:
    tree = ast.parse((ROOT / f"{module}.py").read_text())
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.split(".")[0])
    assert not imported & IO_MODULES
