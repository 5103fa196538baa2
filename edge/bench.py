"""What an installer asks of a node that runs: how everything stands, a photo tried, a code.

Keeps nothing but a code or an identity that was asked for: a photo that is tried is judged, told
and forgotten; no fact, no picture and no message comes of it. Speaks no HTTP.
"""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

from edge.clock import Now
from edge.doctor import (
    ENROL_AGAIN,
    JUDGE_DO,
    Finding,
    as_said,
    look_at_broker,
    look_at_certificate,
    look_at_clock,
    look_at_disk,
    look_at_hub,
    look_at_network,
    look_at_outbox,
    look_at_pictures,
    served_sentence,
)
from edge.enrolment import enrol
from edge.errors import NotHere
from edge.identity import read_identity
from edge.judging import Asked, Judge
from edge.pairing import Phones
from edge.plans import Plans
from edge.settings import Settings
from edge.workers import WorkerState
from storepulse.checklists import Sentence
from storepulse.errors import StorepulseError
from storepulse.facts import Fact

_WELL: Final = ("ready", "finished")
_CALIBRATION_AGE_MAX: Final = timedelta(days=365)
"""A shop changes with its seasons and its shelves: what is older was counted in another shop."""
_SILENT_MAX: Final = timedelta(days=2)
"""A live radio tells a day's facts in its night."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the radio's child told since the node started. Frames stay in that child."""

    facts: int = 0
    last_at: datetime | None = None
    calibrated: str = ""
    """Date of the latest count behind its calibration; empty: it told of none."""

    def with_more(self, facts: Sequence[Fact], at: datetime) -> "Heard":
        """The same with what was told now."""
        told = [one.dims["calibrated"] for one in facts if one.dims.get("calibrated")]
        return Heard(
            facts=self.facts + len(facts), last_at=at if facts else self.last_at,
            calibrated=max([self.calibrated, *told]),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedPhoto:
    """What the judge saw on a photo that nobody keeps."""

    verdict: str
    reasons: tuple[str, ...]
    facings: int
    gaps: int
    findings: int
    planogram: str
    took_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCode:
    """A code for one phone, and the address at which it is typed in."""

    code: str
    ends_at: datetime
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolledAs:
    """Who the node is from its next start on."""

    node: str
    ends_at: datetime
    hub: str
    broker: str


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Which node this is."""

    node: str
    shop: str
    version: str
    address: str
    enrolled: bool
    hub: str
    phones: int
    planograms: tuple[str, ...]


class Bench:
    """Where an installer tries a node that runs."""

    def __init__(
        self,
        settings: Settings,
        *,
        now: Now,
        phones: Phones,
        plans: Plans,
        judge: Judge,
        workers: Callable[[], list[WorkerState]],
        heard: Callable[[], Heard],
        version: str,
    ) -> None:
        self._settings = settings
        self._now = now
        self._phones = phones
        self._plans = plans
        self._judge = judge
        self._workers = workers
        self._heard = heard
        self._version = version

    def about(self) -> About:
        """Which node this is. Raises `DataDamaged` where its identity cannot be read."""
        identity = read_identity(self._settings.data)
        return About(
            node=self._settings.address.path, shop=self._settings.shop, version=self._version,
            address=self._phones.served_at() or "", enrolled=identity is not None,
            hub="" if identity is None else identity.hub, phones=self._paired(),
            planograms=tuple(plan.id for plan in self._plans.all()),
        )  # fmt: skip

    async def examine(self) -> list[Finding]:
        """Look at everything, in the order in which one thing needs the other."""
        settings, moment = self._settings, self._now()
        in_thread = asyncio.to_thread
        try:
            identity = await in_thread(read_identity, settings.data)
        except StorepulseError as error:
            return [Finding("certificate", "ill", as_said(error), ENROL_AGAIN)]
        network, hub, broker, outbox, pictures, phones, disk = await asyncio.gather(
            in_thread(look_at_network, settings),
            in_thread(look_at_hub, identity),
            look_at_broker(settings),
            in_thread(look_at_outbox, settings.data, moment.at),
            in_thread(look_at_pictures, settings.data, identity),
            in_thread(self._look_at_phones),
            in_thread(look_at_disk, settings.data),
        )
        states = {one.name: one for one in self._workers()}
        judge = states.pop("judge", None)
        ears = [state for name, state in states.items() if name != "prices"]
        return [
            network, look_at_clock(self._now), hub, broker,
            look_at_certificate(identity, moment.at), outbox, pictures, phones, disk,
            look_at_judge(judge),
            look_at_plans(len(self._plans.all())),
            look_at_ears(ears, self._heard(), moment.at),
            look_at_calibration(self._heard(), moment.at.date()),
        ]  # fmt: skip

    async def try_photo(self, content: bytes, planogram: str | None) -> TriedPhoto:
        """Have a photo judged by a planogram (default: the first) and forget it.

        Raises:
            NotHere: no such planogram, or none at all.
            BadInput: this is no photo; the judge's own words.
            Unavailable: the judge does not answer.
        """
        known = self._plans.all()
        chosen = [one for one in known if planogram in (None, one.id)]
        if not chosen:
            raise NotHere(
                f"no planogram {planogram!r} on this node" if known
                else "no planogram is on this node yet: a photo has nothing to be judged by"
            )  # fmt: skip
        plan = chosen[0]
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        with tempfile.TemporaryDirectory(dir=self._settings.data, prefix="tried-") as folder:
            photo = Path(folder) / "photo"
            await asyncio.to_thread(photo.write_bytes, content)
            judged = await self._judge.judge(
                Asked(
                    uuid=str(uuid4()), bay=plan.bay, at=self._now().at, photo=photo,
                    planogram=self._plans.path(plan.id), kept=Path(folder) / "kept",
                    annotated=Path(folder) / "annotated", anchors=Path(folder) / "anchors",
                )
            )  # fmt: skip
        seen = judged.body["observation"]
        return TriedPhoto(
            verdict=seen["verdict"], reasons=tuple(seen["reasons"]), facings=seen["facings"],
            gaps=seen["gaps"], findings=len(judged.body["findings"]), planogram=plan.id,
            took_s=round(loop.time() - began_s, 3),
        )  # fmt: skip

    def new_code(self) -> NewCode:
        """Make a code for one phone. Raises `DiskFull` where it cannot be kept."""
        code, ends_at = self._phones.make_code(self._now())
        return NewCode(code=code, ends_at=ends_at, address=self._phones.served_at() or "")

    def enrol(self, code: str, hub: str, names: Sequence[str]) -> EnrolledAs:
        """Bring the node in by a code; it is this one from its next start on.

        Raises:
            StorepulseError: as `edge.enrolment.enrol`; nothing was changed.
        """
        found = enrol(self._settings.data, code, hub, names=names)
        return EnrolledAs(
            node=found.address.path, ends_at=found.certificate.not_valid_after_utc, hub=found.hub,
            broker=found.broker,
        )  # fmt: skip

    def _paired(self) -> int:
        return sum(one.ended_at is None for one in self._phones.all())

    def _look_at_phones(self) -> Finding:
        paired, address = self._paired(), self._phones.served_at() or "?"
        says = served_sentence(address, paired)
        if paired:
            return Finding("phones", "well", says)
        do = Sentence("pair one: make a code below, or on the board",
                      "请配对一部：在下方或看板上生成配对码")  # fmt: skip
        return Finding("phones", "look", says, do)


def look_at_judge(state: WorkerState | None) -> Finding:
    """Whether the child that judges photos is there."""
    if state is not None and state.phase in _WELL:
        says = Sentence(f"ready, {state.restarts} restarts", f"就绪，重启过 {state.restarts} 次")
        return Finding("judge", "well", says)
    if state is not None and state.phase == "starting":
        return Finding("judge", "look", Sentence("it is just starting", "正在启动"),
                       Sentence("look again in a moment", "请稍后再看"))  # fmt: skip
    trouble = Sentence("there is none", "没有")
    if state is not None:
        trouble = as_said(state.trouble or state.phase)
    return Finding("judge", "ill", trouble, JUDGE_DO)


def look_at_plans(known: int) -> Finding:
    """Whether a photo has something to be judged by."""
    if known:
        says = Sentence(f"{known} on this node", f"本机有 {known} 份")
        return Finding("planograms", "well", says)
    return Finding(
        "planograms", "look", Sentence("none on this node", "本机没有陈列图"),
        Sentence("make one from a photo: storepulse planogram from-photo",
                 "请用照片生成：storepulse planogram from-photo"),
    )  # fmt: skip


def look_at_ears(states: Sequence[WorkerState], heard: Heard, now: datetime) -> Finding:
    """Whether the ears are there and tell something."""
    if not states:
        return Finding(
            "radio", "look",
            Sentence("this node was given nothing to listen to",
                     "未给本主机指定客流来源"),
            Sentence("name a source: storepulse edge run ... --ear radio:wlan1 (docs/ears.md)",
                     "请指定来源：storepulse edge run ... --ear radio:wlan1（见 docs/ears.md）"),
        )  # fmt: skip
    en = f"{heard.facts} facts told since the start"
    zh = f"启动以来给出 {heard.facts} 条数据"
    ill = [one for one in states if one.phase not in (*_WELL, "starting")]
    if ill:
        why = "; ".join(f"{one.name}: {one.phase}: {one.trouble}" for one in ill)
        return Finding(
            "radio", "ill", Sentence(f"{why}; {en}", f"原话：{why}；{zh}"),
            Sentence("look at what it says, at the radio and its driver, or at what should send",
                     "请看原话，并检查无线网卡及其驱动，或发送数据的设备"),
        )  # fmt: skip
    starting = any(one.phase == "starting" for one in states)
    if starting or heard.last_at is None:
        phase, stand = ("starting", "正在启动") if starting else ("ready", "已就绪")
        return Finding(
            "radio", "look", Sentence(f"{phase}; {en}", f"{stand}；{zh}"),
            Sentence("a live source tells a day's facts in its night",
                     "实时来源会在当夜给出当日数据"),
        )  # fmt: skip
    at = f"{heard.last_at:%F %H:%M} UTC"
    says = Sentence(f"{en}, the last at {at}", f"{zh}，最近一条在 {at}")
    if now - heard.last_at > _SILENT_MAX and any(one.phase != "finished" for one in states):
        return Finding(
            "radio", "look", says,
            Sentence("it should have told something since: look at the antenna, or at what sends",
                     "此后本应有新数据：请检查天线或发送数据的设备"),
        )  # fmt: skip
    return Finding("radio", "well", says)


def look_at_calibration(heard: Heard, today: date) -> Finding:
    """Whether what the ears tell rests on counts of lately."""
    if not heard.calibrated:
        return Finding(
            "calibration", "look",
            Sentence("not known: the ears have told nothing yet", "未知：监听尚未给出数据"),
            Sentence("look at the radio above", "请看上面的无线监听"),
        )  # fmt: skip
    age = today - date.fromisoformat(heard.calibrated)
    says = Sentence(
        f"learnt on {heard.calibrated}, {age.days} days ago",
        f"校准于 {heard.calibrated}，{age.days} 天前",
    )
    if age > _CALIBRATION_AGE_MAX:
        return Finding(
            "calibration", "look", says,
            Sentence("count people by hand for a day, and learn it anew",
                     "请人工清点一天客流，重新校准"),
        )  # fmt: skip
    return Finding("calibration", "well", says)
