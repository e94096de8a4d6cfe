"""Training samples of a refining network: drafts with the faults that real edits cause, and the true picture beside.

No edit's true result is known. But the way back is: the picture is edited, what the draft makes of that is taken for a
picture, and the draft leads from there back to the original primitive. What should come out is the picture itself.
Warps (DeepSIM, section 3.2) are the other kind: the true result of a warped primitive is the warped picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from underdrawing.draft.draft import Draft, draft
from underdrawing.draft.refiner_input import class_colours, hints
from underdrawing.picture.image import PictureError
from underdrawing.picture.primitive import Primitive
from underdrawing.picture.regions import Operation, change
from underdrawing.train.tps import control_points, random_shifts, sampling_grid, solve

WARPED = 0.35  # share of samples that are plain warps
OBJECTS = (0.0004, 0.2)  # of the picture: connected areas that an edit may take
MOST_EDITS = 3
OPERATIONS = {
    Operation.MOVE: 0.3,
    Operation.SCALE: 0.3,
    Operation.REMOVE: 0.2,
    Operation.COPY: 0.15,
    Operation.MIRROR: 0.05,
}


@dataclass(frozen=True, eq=False)
class TrainingSample:
    """Something to repair.

    Attributes:
        hints: (11, H, W) float16, see `draft.hints`.
        truth: (3, H, W) float16 in [-1, 1].
    """

    hints: np.ndarray
    truth: np.ndarray


def training_sample(picture: np.ndarray, primitive: Primitive, random: np.random.Generator) -> TrainingSample:
    """A new training sample of a picture.

    Args:
        picture: (H, W, 3) float32 in [0, 1].
        primitive: its own, with segments or edges.
        random: decides everything; the same state gives the same sample.
    """
    if random.random() < WARPED:
        truth, goal = warped(picture, primitive, random)
        return _sample(draft(picture, primitive, goal), goal, truth, class_colours(picture, primitive))
    if random.random() < 0.5:
        slightly = _warp(random, picture.shape, 3, 0.04)
        return cycle_sample(_picture(picture, slightly), _primitive(primitive, slightly), random)
    return cycle_sample(picture, primitive, random)


def warped(picture: np.ndarray, primitive: Primitive, random: np.random.Generator) -> tuple[np.ndarray, Primitive]:
    """A picture and its primitive, bent alike."""
    bent = _warp(random, picture.shape, int(random.integers(3, 7)), 0.1)
    return _picture(picture, bent), _primitive(primitive, bent)


def cycle_sample(picture: np.ndarray, primitive: Primitive, random: np.random.Generator) -> TrainingSample:
    """A training sample whose truth is the picture itself: edited in some way, and back again."""
    other = edited(primitive, random)
    broken = draft(picture, primitive, other).picture
    return _sample(draft(broken, other, primitive), primitive, picture, class_colours(picture, primitive))


def _sample(found: Draft, goal: Primitive, truth: np.ndarray, colours: np.ndarray | None) -> TrainingSample:
    target = np.ascontiguousarray(truth.transpose(2, 0, 1) * 2 - 1)
    return TrainingSample(hints(found, goal, colours).astype(np.float16), target.astype(np.float16))


def edited(primitive: Primitive, random: np.random.Generator) -> Primitive:
    """A random edit: objects moved, scaled, mirrored, copied, removed; or everything bent; or both."""
    shape = (primitive.size[1], primitive.size[0])
    found = primitive
    by_objects = primitive.segments is not None and random.random() < 0.8
    if by_objects:
        for _ in range(int(random.integers(1, MOST_EDITS + 1))):
            found = _one_edit(found, random)
    if not by_objects:
        found = _primitive(found, _warp(random, shape, int(random.integers(4, 9)), 0.12))
    elif random.random() < 0.5:
        found = _primitive(found, _warp(random, shape, 4, 0.05))
    return found


def _one_edit(primitive: Primitive, random: np.random.Generator) -> Primitive:
    areas = _areas(primitive)
    if not areas:
        return primitive
    mask, width, height = areas[int(random.integers(len(areas)))]
    operation = Operation(str(random.choice(list(OPERATIONS), p=list(OPERATIONS.values()))))
    values: dict[str, object] = {}
    if operation in (Operation.MOVE, Operation.COPY):
        far = random.uniform(0.2, 1.2) if operation is Operation.MOVE else random.uniform(1, 3)
        angle = random.uniform(0, 2 * np.pi)
        values = {"dx": far * width * np.cos(angle), "dy": far * height * np.sin(angle)}
    elif operation is Operation.SCALE:
        values = {"factor": [np.exp(random.uniform(-1.1, 0.6)), np.exp(random.uniform(-1.3, 0.6))]}
    try:
        return change(primitive, operation, mask, values).primitive
    except PictureError:
        # Moved out of the picture, or nothing left to fill from: as good as no edit.
        return primitive


def _areas(primitive: Primitive) -> list[tuple[np.ndarray, int, int]]:
    """Connected areas of a size that people edit: mask, width, height."""
    found = []
    segments = primitive.segments
    if segments is None:
        return []
    for label in np.unique(segments):
        mask = (segments == label).view(np.uint8)
        count, marks, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        for k in range(1, count):
            if OBJECTS[0] < stats[k, cv2.CC_STAT_AREA] / segments.size < OBJECTS[1]:
                found.append((np.asarray(marks == k), int(stats[k, 2]), int(stats[k, 3])))
    return found


Warp = tuple[np.ndarray, np.ndarray]


def _warp(random: np.random.Generator, shape: tuple[int, ...], grid: int, limit: float) -> Warp:
    """Where each pixel is taken from, x and y in pixels, each (H, W) float32."""
    height, width = shape[:2]
    generator = torch.Generator().manual_seed(int(random.integers(2**31)))
    points = control_points(height, width, grid)
    places = sampling_grid(points, solve(points, random_shifts(1, grid, limit, generator)), (height, width))[0].numpy()
    x, y = ((places[..., 0] + 1) * width - 1) / 2, ((places[..., 1] + 1) * height - 1) / 2
    return np.ascontiguousarray(x, np.float32), np.ascontiguousarray(y, np.float32)


def _picture(picture: np.ndarray, warp: Warp) -> np.ndarray:
    return np.asarray(cv2.remap(picture, *warp, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)).clip(0, 1)


def _primitive(primitive: Primitive, warp: Warp) -> Primitive:
    def through(how: int) -> Callable[[np.ndarray | None], np.ndarray | None]:
        def one(plane: np.ndarray | None) -> np.ndarray | None:
            if plane is None:
                return None
            return np.asarray(cv2.remap(plane, *warp, how, borderMode=cv2.BORDER_REFLECT))

        return one

    classes, values = through(cv2.INTER_NEAREST), through(cv2.INTER_LINEAR)
    edges, paint = values(primitive.edges), values(primitive.paint)
    return Primitive(classes(primitive.segments), primitive.palette, edges, paint)
