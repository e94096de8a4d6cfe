"""Areas and clicks on labelled pictures: how well area maps cover the truth, and what one click finds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from underdrawing.picture.area_hierarchy import AreaHierarchy, Network, build_hierarchy
from underdrawing.picture.files import read_picture
from underdrawing.picture.pick import Prompted, nested, overlap, pick

SMALLEST = 0.0015  # of the picture: smaller labelled pieces do not count
STEPS = 3  # "bigger" or "smaller" at most so many times


@dataclass(frozen=True)
class ClickResult:
    """One click: IoU with the truth of the first candidate, and of the best within three steps of size."""

    first: float
    best: float


def true_pieces(labels: np.ndarray) -> list[np.ndarray]:
    """The 4-connected pieces of equal label of an (H, W, 3) map, each (H, W) bool."""
    flat = labels.astype(np.int64) @ np.array([65536, 256, 1])
    return [piece for piece in _pieces(flat) if piece.mean() > SMALLEST]


def covering(truth: Sequence[np.ndarray], labels: np.ndarray) -> float:
    """Segmentation covering (Arbelaez et al. 2011): mean best IoU of the true pieces, weighted by their size."""
    areas = [labels == label for label in np.unique(labels)] + list(_pieces(labels))
    best = [max(overlap(piece, area) for area in areas) for piece in truth]
    return float(np.average(best, weights=[piece.sum() for piece in truth]))


def click(
    rgb: np.ndarray,
    tree: AreaHierarchy,
    truth: np.ndarray,
    point: tuple[int, int],
    saliency: Network | None,
    prompted: Prompted | None = None,
) -> ClickResult:
    """What a click at a point finds of the thing `truth`, (H, W) bool."""
    found = pick(rgb, tree, [point], subject=saliency, prompted=prompted)
    ladder = nested(found)
    place = next(i for i, candidate in enumerate(ladder) if candidate is found[0])
    size = rgb.shape[1], rgb.shape[0]
    masks = [cv2.resize(one.mask.astype(np.float32), size, interpolation=cv2.INTER_LINEAR) > 0.5 for one in ladder]
    overlaps = [overlap(mask, truth) for mask in masks]
    return ClickResult(overlaps[place], max(overlaps[max(0, place - STEPS) : place + STEPS + 1]))


def measure(
    bench: Path,
    clicks: Path,
    outlines: Network | None,
    saliency: Network | None,
    prompted: Prompted | None = None,
    areas: Sequence[int] = (12, 14),
) -> dict[str, float]:
    """Mean covering at each number of areas, and mean IoU of clicks, over the sets that `clicks` names.

    Args:
        bench: folder of sets; each has train/image.png and train/labels.png.
        clicks: JSON with "points": [{"set", "x", "y"}].
    """
    points = json.loads(clicks.read_text("utf-8"))["points"]
    covers: dict[int, list[float]] = {count: [] for count in areas}
    results: list[ClickResult] = []
    for name in sorted({point["set"] for point in points}):
        rgb = read_picture(bench / name / "train" / "image.png").to_bytes()
        truth = true_pieces(read_picture(bench / name / "train" / "labels.png").to_bytes())
        tree = build_hierarchy(rgb, outlines)
        for count in areas:
            covers[count].append(covering(truth, tree.labels(count)))
        for x, y in ((p["x"], p["y"]) for p in points if p["set"] == name):
            thing = next((piece for piece in truth if piece[y, x]), None)
            if thing is not None:
                results.append(click(rgb, tree, thing, (x, y), saliency, prompted))
    found = {f"covering at {count}": float(np.mean(values)) for count, values in covers.items()}
    found["click, first"] = float(np.mean([result.first for result in results]))
    found["click, best of steps"] = float(np.mean([result.best for result in results]))
    return found


def _pieces(labels: np.ndarray) -> Iterator[np.ndarray]:
    for label in np.unique(labels):
        count, pieces = cv2.connectedComponents((labels == label).astype(np.uint8), connectivity=4)
        yield from (pieces == number for number in range(1, count))
