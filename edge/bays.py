"""Which bay a photo shows, as this node knows its bays. Looks at no pixel: it asks the child."""

import asyncio
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from edge.disk import Disk
from edge.errors import JudgeBroke
from edge.judging import Asks
from edge.plans import Plans
from planograms.bay_answers import SeenBay
from storepulse.errors import BadInput
from storepulse.pictures import KEPT
from storepulse.wire import explain

_PHOTOS_MAX: Final = 2
"""Of each bay, the newest ones that were usable."""
_SEEN_BAY_JSON: TypeAdapter[SeenBay] = TypeAdapter(SeenBay)


class Bays:
    """The bays of one node."""

    def __init__(self, child: Asks, disk: Disk, plans: Plans, photos: Path, *, shop: str) -> None:
        """`photos`: the folder of kept photos."""
        self._child = child
        self._disk = disk
        self._plans = plans
        self._photos = photos
        self._shop = shop

    async def recognise(self, photo: bytes) -> SeenBay:
        """Say which bay a photo shows.

        Raises:
            BadInput: it is no photo.
            Unavailable, JudgeBroke: the child did not say.
        """
        known = await asyncio.to_thread(self._known)
        header = {"do": "recognise", "shop": self._shop, "known": known}
        answer = await self._child.ask(header, photo)
        if "error" in answer:
            if answer.get("bad_input"):
                raise BadInput(str(answer["error"]))
            raise JudgeBroke(str(answer["error"]))
        try:
            return _SEEN_BAY_JSON.validate_python(answer, strict=False)
        except ValidationError as error:
            raise JudgeBroke(f"the child's answer cannot be read: {explain(error)}") from error

    def _known(self) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for plan in self._plans.all():
            out[plan.bay] = {
                "planogram": str(self._plans.file_of(plan)), "photos": self._newest(plan.bay)
            }  # fmt: skip
        return out

    def _newest(self, bay: str) -> list[str]:
        with self._disk.reading() as db:
            rows = db.execute(
                "select uuid from photos where bay = ? and counts = 1 order by received_at desc "
                "limit ?",
                (bay, _PHOTOS_MAX),
            ).fetchall()
        files = (self._photos / uuid / KEPT for (uuid,) in rows)
        return [str(file) for file in files if file.is_file()]
