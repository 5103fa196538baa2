"""Recognises the bay of a photo, within the judging child. Keeps what it learnt of each picture."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from pydantic import TypeAdapter

from planograms.bay_answers import SeenBay
from planograms.bay_codes import read_codes
from planograms.bay_recognition import by_codes, features_of, pictures_of, recognised
from planograms.errors import BadPlanogram
from planograms.files import read_planogram
from planograms.pictures import Pixels
from vision.photos import read_photo
from vision.register import Features

_KEPT_MAX: Final = 400
"""Pictures whose key points are kept, about 0.8 MB each at most: a shop has some dozens."""
_SEEN_BAY_JSON: TypeAdapter[SeenBay] = TypeAdapter(SeenBay)


class BayEyes:
    """Answers which bay a photo shows: by the code on the shelf's edge, else by its looks."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, int], tuple[Features, ...]] = {}

    def __call__(
        self, shop: str, known: Mapping[str, Mapping[str, Any]], photo: bytes
    ) -> dict[str, Any]:
        """Recognise one photo.

        Args:
            shop: whose codes count.
            known: by bay its planogram's file, and files of earlier photos.
        Raises:
            BadInput: the photo cannot be read.
        """
        rgb = read_photo(photo, name="photo").rgb
        told = by_codes([seen.bay for seen in read_codes(rgb, shop=shop)], sorted(known))
        if told.by == "nothing":
            looks = {bay: self._pictures(of) for bay, of in known.items()}
            told = recognised(features_of(rgb), looks)
        answer: dict[str, Any] = _SEEN_BAY_JSON.dump_python(told, mode="json")
        return answer

    def _pictures(self, of: Mapping[str, Any]) -> tuple[Features, ...]:
        plan = of.get("planogram")
        found = () if plan is None else self._of(Path(plan), _of_plan)
        for photo in of.get("photos", ()):
            found += self._of(Path(photo), _of_photo)
        return found

    def _of(self, path: Path, read: Any) -> tuple[Features, ...]:
        try:
            stat = path.stat()
        except OSError:
            return ()
        key = (str(path), stat.st_mtime_ns, stat.st_size)
        if key not in self._known:
            while len(self._known) >= _KEPT_MAX:
                del self._known[next(iter(self._known))]
            self._known[key] = tuple(features_of(rgb) for rgb in read(path))
        return self._known[key]


def _of_plan(path: Path) -> tuple[Pixels, ...]:
    try:
        return pictures_of(read_planogram(path))
    except BadPlanogram:
        # Judging by it says what is wrong with it; here it only shows nothing.
        return ()


def _of_photo(path: Path) -> tuple[Pixels, ...]:
    picture = cv2.imread(str(path))
    if picture is None:
        return ()
    return (np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8),)
