"""The planograms that this node judges by: a folder of files, one for each id. Judges nothing."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge.errors import Contradicts, NotHere
from planograms.files import parse_planogram, read_planogram, write_planogram
from planograms.model import Planogram
from storepulse.errors import BadInput

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What a list of planograms shows of each."""

    id: str
    name: str
    bay: str
    version: int
    positions: int


class Plans:
    """The planograms of one node. Its methods block: call them in a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        # Reading one means reading its pictures: what a list needs is kept.
        self._facts = {plan.id: _facts(plan) for plan in map(read_planogram, self._files())}

    def all(self) -> list[PlanFacts]:
        """All planograms, by bay and id."""
        return sorted(self._facts.values(), key=lambda plan: (plan.bay, plan.id))

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
        """The planogram that was named, or the bay's newest one.

        Raises:
            NotHere: there is none.
        """
        if planogram_id is not None:
            if planogram_id not in self._facts:
                raise NotHere(f"no planogram {planogram_id!r} on this node")
            return self._facts[planogram_id]
        here = [plan for plan in self._facts.values() if plan.bay == bay]
        if not here:
            raise NotHere(
                f"no planogram for bay {bay!r} on this node: send one with "
                "PUT /api/planograms/ID, or start the node with --planogram FILE"
            )
        return max(here, key=lambda plan: (plan.version, plan.id))

    def path(self, planogram_id: str) -> Path:
        """The file of a planogram. Raises `BadInput` for an id that cannot be a file's name."""
        if not _NAME.fullmatch(planogram_id):
            raise BadInput(
                f"planogram id {planogram_id!r} cannot be a file's name: use up to 100 letters, "
                "digits, dots, dashes and underscores, starting with a letter or digit"
            )
        return self._folder / f"{planogram_id}.json"

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("[!.]*.json"))


def _facts(plan: Planogram) -> PlanFacts:
    return PlanFacts(plan.id, plan.name, plan.bay, plan.version, len(plan.positions))
