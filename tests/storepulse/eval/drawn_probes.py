"""A small data folder of drawn captures in the form of the reference one."""

import gzip
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.probes.drawn_captures import DrawnShop, pcap

BEGIN = datetime(2021, 5, 21, 11, 0, tzinfo=ZoneInfo("Europe/Rome"))
PAUSES_S = (12.0, 18.0, 25.0, 34.0, 45.0, 60.0, 80.0)
"""One phone each."""


def _session_name(phone: str, begin: datetime) -> str:
    return f"{phone}-ts-{begin:%Y-%b-%d}-h{begin:%H}-m{begin:%M}-s{begin:%S}-modeA"


def draw_devices(folder: Path) -> Path:
    """Seven phones of one session each on two radios, and two of two sessions in one file."""
    (folder / "devices").mkdir(parents=True)
    (folder / "devices-2").mkdir()
    rows = ["file,phone,session"]
    for number, pause_s in enumerate(PAUSES_S):
        phone = "ABCDEFG"[number]
        begin = BEGIN + timedelta(hours=number)
        session = _session_name(phone, begin)
        shop = DrawnShop()
        # A minute too long: what is heard after the session belongs to nobody.
        shop.visit(number, begin.timestamp() + 3, 1260, pause_s=pause_s, kind=number)
        for channel in (1, 6):
            file = f"devices/{session}-ch-{channel}-th-40.pcap"
            (folder / file).write_bytes(shop.pcap())
            rows.append(f"{file},{phone},{session}")
    (folder / "devices/labels.csv").write_text("\n".join(rows) + "\n")
    rows = ["file,phone"]
    for number, phone in enumerate(("phone-X", "phone-Y")):
        shop = DrawnShop()
        begin_s = BEGIN.timestamp() + 86400 * (number + 1)
        shop.visit(20 + number, begin_s, 1200, pause_s=30.0, kind=20 + number)
        shop.visit(20 + number, begin_s + 3600, 900, pause_s=30.0, kind=20 + number)
        file = f"devices-2/{phone}.pcap"
        (folder / file).write_bytes(shop.pcap())
        rows.append(f"{file},{phone}")
    (folder / "devices-2/labels.csv").write_text("\n".join(rows) + "\n")
    return folder


DAYS = ("2023-03-01", "2023-03-08", "2023-03-15", "2023-04-05", "2023-04-06")


def draw_days(folder: Path, *, people_per_phone: float = 0.5) -> Path:
    """Five days of an hour: four phones stay all the time, and so many people are counted."""
    (folder / "occupancy").mkdir(parents=True, exist_ok=True)
    days = ["day,capture"]
    windows = ["day,start_utc_epoch,people_mean,seconds_known,probe_requests"]
    for day in DAYS:
        begin_s = datetime.fromisoformat(f"{day}T12:00:00+00:00").timestamp()
        shop = DrawnShop()
        for number in range(4):
            shop.visit(number, begin_s + number, 3600, pause_s=20.0, kind=number)
        name = f"{day}.pcap.gz"
        (folder / "occupancy" / name).write_bytes(gzip.compress(pcap(sorted(shop.records))))
        days.append(f"{day},{name}")
        for window in range(6):
            start_s = int(begin_s) + 600 * window
            # The last one is known for too short a time, and wrong.
            people, known_s = (4 * people_per_phone, 600) if window < 5 else (99, 300)
            windows.append(f"{day},{start_s},{people},{known_s},90")
    (folder / "occupancy/days.csv").write_text("\n".join(days) + "\n")
    (folder / "occupancy/windows-10min.csv").write_text("\n".join(windows) + "\n")
    return folder
