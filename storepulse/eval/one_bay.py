"""Whether facings are counted once when a bay comes in several overlapping photos.

Views with different perspective, light and blur are cut out of a labelled photo, so it is known
which facing each one shows. What is measured is the fusing: a facing that no view showed was not
lost by it. Views of one photo have no parallax; the one real pair in `full/` has.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from storepulse.eval.data_folders import WrongData, need
from storepulse.eval.figures import Figure, Report
from storepulse.eval.progress import Steps
from storepulse.eval.resampling import ratio_interval
from storepulse.simulated.exposures import Homography, expose_again
from storepulse.simulated.packs import Rgb
from vision.geometry import Boxes, boxes_of, inverse, iou, mapped, mapped_boxes
from vision.look import Looker
from vision.observation import Observation
from vision.one_bay import Bay, NotOneBay, fuse
from vision.photos import Photo, read_photo
from vision.training.labels import LabelledPhoto, read_coco

VIEWS: Final = ((0.0, 0.46), (0.27, 0.73), (0.54, 1.0))
"""Left and right ends, as shares of the width: neighbours share 41 % of a view."""
_SAME_IOU: Final = 0.4
_FACINGS_MIN: Final = 30


@dataclass(frozen=True, slots=True)
class Counted:
    """One bay from views of one photo."""

    found_before: int
    """Labelled facings that at least one view showed."""
    lost: int
    """Of them those that the bay has not."""
    facings: int
    """Of the bay."""
    twice: int
    """Of them those that lie on another one."""
    sum_of_views: int
    whole: int
    """Facings of a look at the whole photo."""


def measure_one_bay(
    folder: Path, looker: Looker, *, photos: int | None, seed: int, steps: Steps
) -> Report:
    """Measure on the labelled photos that show enough, and on the real pair.

    Raises:
        WrongData, LabelsUnreadable: the folder does not hold them.
        UnreadablePhoto: one of the photos cannot be read.
    """
    need(folder, "checked.json", "images")
    labelled = read_coco(folder / "checked.json", folder / "images").photos
    chosen = [photo for photo in labelled if len(photo.facings) >= _FACINGS_MIN][:photos]
    counted: list[Counted] = []
    apart = 0
    for number, photo in enumerate(steps(chosen, "cutting views and fusing them")):
        one = _from_views(photo, looker, seed=seed * 1000 + number)
        if one is None:
            apart += 1
        else:
            counted.append(one)
    lost = [one.lost for one in counted]
    twice = [one.twice for one in counted]
    figures = [
        _ratio("lost", lost, [one.found_before for one in counted], "of those a view shows", seed),
        _ratio("counted_twice", twice, [one.facings for one in counted], "of the bay's", seed),
        _ratio("facings", [one.facings for one in counted], [one.whole for one in counted],
               "against one look at the whole", seed),
        _ratio("facings", [one.sum_of_views for one in counted], [one.whole for one in counted],
               "if the views were added up", seed),
        Figure(name="not_registered", of="bays", value=float(apart), n=len(chosen)),
    ]  # fmt: skip
    if (folder / "full" / "full.json").is_file():
        figures += _real_pair(folder, looker)
    return Report(
        measure="one-bay",
        settings={"photos": len(chosen), "views": len(VIEWS), "seed": seed},
        figures=tuple(figures),
        notes=(
            "views are cut out of one photo, each in its own perspective, light and blur: no "
            "parallax, so these figures flatter; the real pair has it",
            "the pair: its homography was made with SIFT too, and looked at",
        ),
    )


def _ratio(name: str, over: Sequence[int], under: Sequence[int], of: str, seed: int) -> Figure:
    low, high = ratio_interval(over, under, seed=seed)
    value = sum(over) / sum(under) if sum(under) else None
    return Figure(name=name, of=of, value=value, low=low, high=high, n=sum(under))


def _from_views(photo: LabelledPhoto, looker: Looker, *, seed: int) -> Counted | None:
    """None: the views could not be laid over each other."""
    read = read_photo(photo.path)
    truth = boxes_of(photo.facings) * read.scale
    looks, to_whole = [], []
    for number, (left, right) in enumerate(VIEWS):
        rgb, home = _view(read.rgb, left, right, seed=seed * 10 + number)
        seen = Photo(f"view-{number}", rgb.shape[1], rgb.shape[0], rgb, 1.0)
        looks.append((seen, looker.look(seen)))
        to_whole.append(home)
    shown = np.concatenate(
        [_there(look, home) for (_, look), home in zip(looks, to_whole, strict=True)]
    )
    try:
        bay = fuse(looks)
    except NotOneBay:
        return None
    kept = np.concatenate(
        [
            mapped_boxes(boxes_of([one.photo_box_xyxy_px]), to_whole[one.photo])
            for one in bay.facings
        ]
        or [np.zeros((0, 4))]
    )
    before, after = _met(truth, shown), _met(truth, kept)
    return Counted(
        found_before=int(before.sum()), lost=int((before & ~after).sum()), facings=len(kept),
        twice=_doubles(bay, kept), sum_of_views=len(shown),
        whole=len(looker.look(replace(read, file="whole")).facings),
    )  # fmt: skip


def _view(rgb: Rgb, left: float, right: float, *, seed: int) -> tuple[Rgb, Homography]:
    """A part of a photo, photographed again; and the map from its pixels to the whole photo."""
    start, end = round(left * rgb.shape[1]), round(right * rgb.shape[1])
    again = expose_again(np.ascontiguousarray(rgb[:, start:end]), seed=seed)
    move = np.eye(3)
    move[0, 2] = start
    home: NDArray[np.float64] = move @ inverse(again.homography)
    return again.rgb, home


def _there(look: Observation, home: Homography) -> Boxes:
    return mapped_boxes(boxes_of([one.box_xyxy_px for one in look.facings]), home)


def _met(truth: Boxes, boxes: Boxes) -> NDArray[np.bool_]:
    if not len(boxes) or not len(truth):
        return np.zeros(len(truth), bool)
    return np.asarray(iou(truth, boxes).max(axis=1) >= _SAME_IOU)


def _doubles(bay: Bay, kept: Boxes) -> int:
    """Facings that lie on an earlier one of another photo: one look alone has no doubles."""
    shared = np.triu(iou(kept, kept), 1)
    photo = np.array([one.photo for one in bay.facings])
    other = photo[:, None] != photo[None]
    return int(((shared >= _SAME_IOU) & other).any(axis=0).sum())


def _real_pair(folder: Path, looker: Looker) -> list[Figure]:
    """Two photos of one bay, taken a step apart."""
    try:
        entries = json.loads((folder / "full" / "full.json").read_bytes())
        (one,) = [entry for entry in entries if entry.get("homography_to_overlap_px")]
        truth = np.array(one["homography_to_overlap_px"], np.float64)
        paths = [folder / "full" / one["file_name"], folder / "full" / one["overlaps"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WrongData(f"{folder / 'full' / 'full.json'} names no pair of photos") from error
    looks = [looker.look_at(path) for path in paths]
    bay = fuse(looks)
    planes = [np.array(plane) for plane in bay.planes]
    ours = inverse(planes[1]) @ planes[0]
    width, height = bay.photos[0].width, bay.photos[0].height
    grid = np.array([[x, y] for x in np.linspace(0, width, 15) for y in np.linspace(0, height, 15)])
    other = bay.photos[1]
    there = mapped(grid, truth)
    inside = ((there >= 0) & (there <= [other.width, other.height])).all(axis=1)
    away = np.hypot(*(mapped(grid[inside], ours) - there[inside]).T)
    kept = boxes_of([each.box_xyxy_px for each in bay.facings])
    both = sum(len(each.seen_in) > 1 for each in bay.facings)
    pair = "the real pair"
    return [
        Figure(name="facings_of_each", of=paths[0].name, value=float(len(looks[0][1].facings))),
        Figure(name="facings_of_each", of=paths[1].name, value=float(len(looks[1][1].facings))),
        Figure(name="facings", of=pair, value=float(len(kept))),
        Figure(name="seen_in_both", of=pair, value=float(both)),
        Figure(name="counted_twice", of=pair, value=float(_doubles(bay, kept)), n=len(kept)),
        Figure(name="off_its_homography", of=pair, value=float(np.median(away)), unit="px"),
    ]
