"""The planograms that this node judges by: files in a folder. Judges nothing, fetches nothing.

Two kinds: those of the shop itself, one file for each id, put there by a command or by the node's
owner; and the hub's, which are published, one file for each version, below `hub/`. Where one of the
hub's holds for a bay on a day, it goes before the shop's own. A version of the hub's that is not
needed any more stays until all that are needed are here whole: a fetch that fails leaves the node
with what it has.
"""

import hashlib
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from edge.errors import Contradicts, NotHere
from planograms.errors import BadPlanogram
from planograms.files import parse_planogram, read_planogram, write_planogram
from planograms.model import Planogram
from planograms.planned import planned_of
from planograms.versions import Placed, holding
from storepulse.errors import BadInput, Unavailable
from storepulse.plans import PLAN_NAME, PlanDue
from storepulse.secret_files import write_whole

log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The moment, by this machine's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What a list of planograms shows of each."""

    id: str
    name: str
    bay: str
    version: int
    positions: int
    planned: Mapping[str, int] = field(default_factory=dict)
    """By score how many things are planned: facings, runs, products."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A planogram of the hub's that is here whole."""

    due: PlanDue
    facts: PlanFacts

    def at(self, bay: str) -> PlanFacts:
        return replace(self.facts, bay=bay)


class Plans:
    """The planograms of one node. Its methods block: call them in a thread."""

    def __init__(self, folder: Path, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._folder = folder
        self._clock = clock
        self.zone = ZoneInfo("UTC")
        """Of the shop."""
        self._hub = folder / "hub"
        self._hub.mkdir(parents=True, exist_ok=True)
        self._turn = threading.Lock()
        # Reading one means reading its pictures: what a list needs is kept.
        self._facts = {plan.id: _facts(plan) for plan in map(read_planogram, self._files())}
        self._due: tuple[PlanDue, ...] = ()
        self._before: frozenset[str] = frozenset()
        """What was needed before: a photo may be judged by it in this moment."""
        self._held: dict[str, _Held] = {}

    def all(self, day: date | None = None) -> list[PlanFacts]:
        """What photos can be judged by today, or on another day, by bay and id."""
        now = self._holding(day)
        own = [plan for plan in self._facts.values() if plan.bay not in now]
        return sorted([*own, *now.values()], key=lambda plan: (plan.bay, plan.id))

    def put(self, planogram_id: str, content: bytes) -> PlanFacts:
        """Check and keep a planogram, also in place of an older version of it.

        Raises:
            BadPlanogram: not JSON, or a field is missing or wrong; says which.
            BadInput: the id cannot be a file's name, or is not the one inside.
            Contradicts: a newer version, or another planogram of this version, is here already.
        """
        plan = parse_planogram(content, name=f"planogram {planogram_id}")
        if plan.id != planogram_id:
            raise BadInput(f"the planogram's id is {plan.id!r}, not {planogram_id!r}")
        path = self.path(plan.id)
        if path.exists():
            known = read_planogram(path)
            if known.version == plan.version and known == plan:
                return self._facts[plan.id]
            if known.version >= plan.version:
                raise Contradicts(
                    f"planogram {plan.id} is here in version {known.version}: "
                    f"give the changed one version {known.version + 1} or above"
                )
        write_planogram(path, plan)
        self._facts = {**self._facts, plan.id: _facts(plan)}
        return self._facts[plan.id]

    def adopt(self, file: Path) -> PlanFacts:
        """Keep a planogram from a file that the command line names; a newer one here stays."""
        plan = read_planogram(file)
        known = self._facts.get(plan.id)
        if known is not None and known.version > plan.version:
            return known
        write_planogram(self.path(plan.id), plan)
        self._facts = {**self._facts, plan.id: _facts(plan)}
        return self._facts[plan.id]

    def choose(self, bay: str, planogram_id: str | None) -> PlanFacts:
        """The planogram that was named, or what the bay should show today.

        Raises:
            NotHere: there is none.
        """
        now = self._holding()
        if planogram_id is not None:
            named = [plan for plan in now.values() if plan.id == planogram_id]
            found = next((plan for plan in named if plan.bay == bay), None)
            found = found or (named[0] if named else self._facts.get(planogram_id))
            if found is None:
                raise NotHere(f"no planogram {planogram_id!r} on this node")
            return found
        if bay in now:
            return now[bay]
        here = [plan for plan in self._facts.values() if plan.bay == bay]
        if not here:
            raise NotHere(
                f"no planogram for bay {bay!r} on this node: publish one at the hub, send one "
                "with PUT /api/planograms/ID, or start the node with --planogram FILE"
            )
        return max(here, key=lambda plan: (plan.version, plan.id))

    def file_of(self, chosen: PlanFacts) -> Path:
        """The file of a planogram that `choose` gave."""
        hubs = self._hub_file(chosen.id, chosen.version)
        return hubs if hubs.is_file() else self.path(chosen.id)

    def file(self, planogram_id: str, version: int | None = None) -> Path:
        """The file of a planogram, of this version where it is here, else of the newest.

        Raises:
            NotHere: there is none of this id.
            BadInput: the id cannot be a file's name.
        """
        own = self.path(planogram_id)
        if version is not None and self._hub_file(planogram_id, version).is_file():
            return self._hub_file(planogram_id, version)
        if own.is_file():
            return own
        held = [one.due for one in self._held.values() if one.due.planogram == planogram_id]
        if not held:
            raise NotHere(f"no planogram {planogram_id!r} on this node")
        return self._hub_file(planogram_id, max(due.version for due in held))

    def path(self, planogram_id: str) -> Path:
        """Where a planogram of the shop's own lies. Raises `BadInput`."""
        if not PLAN_NAME.fullmatch(planogram_id):
            raise BadInput(
                f"planogram id {planogram_id!r} cannot be a file's name: use up to 100 letters, "
                "digits, dots, dashes and underscores, starting with a letter or digit"
            )
        return self._folder / f"{planogram_id}.json"

    def take_due(self, due: Sequence[PlanDue], timezone: str) -> None:
        """Hear which planograms of the hub's are needed; those that are here whole are held."""
        with self._turn:
            self.zone = ZoneInfo(timezone)
            self._before = frozenset(one.key for one in self._due)
            self._due = tuple(due)
            for one in due:
                if one.key in self._held and self._held[one.key].due == one:
                    continue
                # The same file may have other bays by now, or be another file altogether.
                self._held.pop(one.key, None)
                path = self._hub_file(one.planogram, one.version)
                if path.is_file():
                    try:
                        self._held[one.key] = _checked(path.read_bytes(), one)
                    except (BadPlanogram, OSError) as error:
                        log.warning("%s is fetched again: %s", path.name, error)
            self._tidy()

    def missing(self) -> tuple[PlanDue, ...]:
        """What is needed and not here."""
        return tuple(one for one in self._due if one.key not in self._held)

    def hold(self, due: PlanDue, content: bytes) -> None:
        """Keep a planogram that was fetched; on return it is on the disk.

        Raises:
            BadPlanogram: it is not what the hub named, or cannot be judged by.
            Unavailable: it cannot be written.
        """
        held = _checked(content, due)
        file = self._hub_file(due.planogram, due.version)
        try:
            write_whole(file, content, mode=0o644)
        except OSError as error:
            raise Unavailable(f"{file} cannot be written: {error.strerror}") from error
        with self._turn:
            self._held[due.key] = held
            self._tidy()

    def receipt(self) -> tuple[str, ...]:
        """What is needed and here, as ID@VERSION."""
        return tuple(sorted(one.key for one in self._due if one.key in self._held))

    def _tidy(self) -> None:
        if self.missing():
            return
        wanted = {one.key for one in self._due} | self._before
        for path in self._hub.glob("[!.]*.json"):
            if path.stem not in wanted:
                path.unlink(missing_ok=True)
        self._held = {key: held for key, held in self._held.items() if key in wanted}

    def today(self) -> date:
        """The day in the shop's own calendar."""
        return self._clock().astimezone(self.zone).date()

    def day_began(self, at: datetime) -> datetime:
        """When the day of that moment began in the shop's own calendar."""
        return datetime.combine(at.astimezone(self.zone).date(), time.min, self.zone)

    def _holding(self, day: date | None = None) -> dict[str, PlanFacts]:
        held = {(one.due.planogram, one.due.version): one for one in self._held.values()}
        placed = [
            Placed(id=id_, version=version, bays=one.due.bays, starts_on=one.due.starts_on)
            for (id_, version), one in held.items()
        ]
        now = holding(placed, day or self.today())
        return {bay: held[one.id, one.version].at(bay) for bay, one in now.items()}

    def _hub_file(self, planogram_id: str, version: int) -> Path:
        self.path(planogram_id)  # refuses what could lead elsewhere
        return self._hub / f"{planogram_id}@{version}.json"

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("[!.]*.json"))


def _checked(content: bytes, due: PlanDue) -> _Held:
    if hashlib.sha256(content).hexdigest() != due.sha256:
        raise BadPlanogram(f"planogram {due.key}: its checksum is not the one that the hub named")
    plan = parse_planogram(content, name=f"planogram {due.key}")
    if (plan.id, plan.version) != (due.planogram, due.version):
        raise BadPlanogram(f"planogram {due.key}: inside it says {plan.id}@{plan.version}")
    return _Held(due, _facts(plan))


def _facts(plan: Planogram) -> PlanFacts:
    return PlanFacts(
        plan.id, plan.name, plan.bay, plan.version, len(plan.positions), planned_of(plan)
    )
