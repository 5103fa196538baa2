"""The live source on a virtual interface that looks like a radio in monitor mode (Linux, root).

The kernel's tun driver makes an interface with a radio's link type, in a network namespace of its
own; what is written to it is received by a packet socket as frames of a radio would be. It is not a
radio: no air, no channels, no driver. Where it cannot be made, the test is skipped and says so.
"""

import subprocess
import sys
import textwrap

import pytest

from tests.probes.drawn_captures import DrawnPhone, probe, radiotap

SCRIPT = """
import fcntl, os, socket, struct, sys, threading, time
from probes.errors import SourceFailed, SourceFailure
from probes.frames import FrameReader
from probes.sources.radio import open_radio

TUNSETIFF, TUNSETLINK, IFF_TUN, RADIOTAP, SIOCSIFFLAGS = 0x400454CA, 0x400454CD, 1, 803, 0x8914
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", b"mon0", IFF_TUN))
fcntl.ioctl(tun, TUNSETLINK, RADIOTAP)

def up(flags):
    with socket.socket() as asked:
        fcntl.ioctl(asked, SIOCSIFFLAGS, struct.pack("16sH", b"mon0", flags))

reader = FrameReader()
try:
    open_radio("mon0", reader, now=time.time)
except SourceFailed as failed:
    assert failed.reason is SourceFailure.WENT_DOWN, failed.reason
up(1)
radio = open_radio("mon0", reader, now=time.time)
frames = [bytes.fromhex(one) for one in sys.argv[1:]]
for frame in frames:
    os.write(tun, struct.pack(">HH", 0, 4) + frame)
heard = []
try:
    for moment in radio.hearings():
        heard.append(moment)
        if len(heard) == len(frames):
            up(0)
except SourceFailed as failed:
    assert failed.reason is SourceFailure.WENT_DOWN, failed.reason
    print("went down:", failed)
print("heard", [frame.sequence for frame in heard], {frame.signal_dbm for frame in heard})
"""
CANNOT = ("Operation not permitted", "No such file or directory", "Permission denied")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux's tun driver")
def test_frames_of_a_virtual_radio_are_heard_until_it_goes_down() -> None:
    frames = [radiotap(probe(DrawnPhone(), n)).hex() for n in (7, 8, 9)]
    try:
        done = subprocess.run(
            ["unshare", "-n", sys.executable, "-c", textwrap.dedent(SCRIPT), *frames],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        pytest.skip("no `unshare` here")
    if done.returncode and any(why in done.stderr for why in CANNOT):
        pytest.skip(f"no virtual interface can be made here: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    assert "went down: mon0: the interface went down" in done.stdout
    assert "heard [7, 8, 9] {-50}" in done.stdout
