"""Pictures out of a single-image GAN, as its apply plan says: runs in the renderer process.

What is special about each task is what the first stage is given: a small copy of the picture as it was changed
(harmonize, blend, repaint), noise mixed with a small copy of the picture as it was learnt (vary, animate), that copy in
another shape (resize), or the picture itself (enlarge).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from underdrawing.link.messages import EngineError
from underdrawing.manifest import Encoding, GraphInput, Task
from underdrawing.picture.brushwork import painted
from underdrawing.picture.carving import carved
from underdrawing.picture.composite import composite, poisson
from underdrawing.picture.detail import restore_detail
from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import Picture
from underdrawing.picture.light import lit
from underdrawing.picture.mask import dilate, feather, without_specks
from underdrawing.picture.pyramid import anchor, small_copy
from underdrawing.serve.apply import Applied, Model
from underdrawing.serve.placing import inside
from underdrawing.serve.sessions import SessionStore

REACH = {
    Task.HARMONIZE: 7 / 250,
    Task.BLEND: 20 / 250,
    Task.REPAINT: 20 / 250,
}  # of the longer side (ConSinGAN's program)
DIFFERENT = 10  # of 255: less is what files and rounding make
MOST_RUN = 3 << 20  # pixels that a graph is run on at a time: it holds some dozens of numbers for each
FRAMES, COUNT, FREEDOM, LIGHT = 32, 4, 0.5, 0.5
HALF = 0.4  # of a small pixel: so much of it was changed where it counts as changed
RATE = 12  # frames a second that suit a clip
RAISED = 2.0  # how much larger one pass of `enlarge` makes a picture at most


@dataclass(frozen=True)
class Wishes:
    """What is asked for; None for what suits.

    Attributes:
        freedom: 0 the picture as it was learnt, 1 as far from it as the model can.
        size: width and height of what is made.
        light: how much of its surroundings' light something pasted takes on before it is painted, 0 to 1.
        grow: pixels by which a mask is widened.
        feather: width in pixels of the soft border inside the widened mask.
        blend: "none", or "poisson" for the gradient domain.
    """

    task: Task
    count: int = COUNT
    frames: int = FRAMES
    freedom: float = FREEDOM
    size: tuple[int, int] | None = None
    seed: int = 0
    light: float = LIGHT
    grow: int | None = None
    feather: float | None = None
    blend: str = "none"


@dataclass(frozen=True, eq=False)
class Run:
    """A model's graph with what it needs: noise for every stage, and what the first one is given."""

    model: Model
    sessions: SessionStore

    @property
    def specs(self) -> tuple[GraphInput, ...]:
        """The graph's inputs: the first stage's, then the noise of the further ones."""
        return self.model.manifest.plan.graphs[0].inputs

    def sizes(self, width: int, height: int) -> list[tuple[int, int]]:
        """Width and height of every stage for a picture of this size."""
        own = self.specs[-1].size
        return [
            (max(1, round(spec.size[0] * width / own[0])), max(1, round(spec.size[1] * height / own[1])))
            for spec in self.specs
        ]

    def anchor(self, width: int, height: int) -> np.ndarray:
        """What the first stage makes the picture itself from, (1, 3, height, width)."""
        if self.specs[0].encoding is Encoding.NOISE:
            return anchor(width, height)
        return signed(small_copy(self.model.small_picture, width, height))

    def __call__(
        self, start: np.ndarray, sizes: list[tuple[int, int]], noise: Callable[[tuple[int, ...]], np.ndarray]
    ) -> tuple[np.ndarray, str]:
        """A picture (H, W, 3) float32 in [0, 1], and what made it: "CPU" or "GPU".

        Args:
            start: (1, 3, h, w), for the first stage.
            sizes: width and height of every stage.
            noise: makes noise of a shape.

        Raises:
            EngineError: the result is no picture, or the picture is too large.
        """
        if sizes[-1][0] * sizes[-1][1] > MOST_RUN:
            text = f"{sizes[-1][0]} x {sizes[-1][1]} pixels are too many for this model at a time."
            raise EngineError("bad_request", text, "Choose a smaller size.")
        plan = self.model.manifest.plan
        graph, session = plan.graphs[0], self.sessions.get(self.model.folder / plan.graphs[0].file)
        if plan.half and session.on_gpu:
            graph = plan.half[0]
            session = self.sessions.get(self.model.folder / graph.file)
        given = {self.specs[0].name: start}
        for spec, (width, height) in zip(self.specs[1:], sizes[1:], strict=True):
            given[spec.name] = noise((1, spec.channels, height, width))
        made = session.run(given)[0].transpose(1, 2, 0) / 2 + 0.5
        if not np.isfinite(made).all():
            text = "The model's result is not a picture (it holds infinite values)."
            raise EngineError("bad_result", text, "Learn the picture again; if it stays so, try another recipe.")
        return np.ascontiguousarray(made.clip(0, 1), np.float32), "GPU" if session.on_gpu else "CPU"


def reduced_note(scale: float) -> str:
    """What a person should know about a model of a reduced picture."""
    return f"The model was learnt at {scale:.0%} of the picture's size; fine detail comes from the picture itself."


def signed(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) in [0, 1] as (1, 3, H, W) in [-1, 1]."""
    return np.ascontiguousarray(rgb.transpose(2, 0, 1)[None] * 2 - 1, np.float32)


def on_picture(
    model: Model, wishes: Wishes, given: Picture, mask: np.ndarray | None, sessions: SessionStore
) -> tuple[Applied, Picture]:
    """Harmonize, blend, repaint: what becomes of a picture that was changed, where it was changed.

    Args:
        given: the whole picture, or the learnt region, with what was pasted or painted in it. Where it is transparent
            the picture as it was learnt shows.
        mask: (H, W) float32 of the same size, above 0 where it was changed; None: where it differs from the learnt one,
            to repaint everywhere.

    Returns:
        the result, and the flattened picture that it belongs to.

    Raises:
        EngineError: sizes that do not fit, or nothing was changed.
    """
    begun = time.perf_counter()
    info, plan = model.manifest.picture, model.manifest.plan
    area, full = Bounds(*plan.region), (info.full_width, info.full_height)
    if mask is not None:
        mask = mask[inside((mask.shape[1], mask.shape[0]), area, full, "mask").slices()]
    given = given.crop(inside(given.size, area, full, "picture"))
    if given.alpha is not None:
        top = 1.0 if given.alpha.dtype.kind == "f" else float(np.iinfo(given.alpha.dtype).max)
        given = composite(model.picture, given, (0, 0), (given.alpha / top).astype(np.float32).clip(0, 1))
    rgb = given.to_float(info.white)
    changed = _changed(model, wishes, rgb, mask)
    widened = changed if changed.all() else dilate(changed, _reach(model, wishes))
    wanted = Bounds.of_mask(widened)
    run, chance = Run(model, sessions), np.random.default_rng(wishes.seed)
    small = small_copy(rgb, *model.small_size)
    if wishes.task is Task.HARMONIZE:
        where = cv2.resize(changed.astype(np.float32), model.small_size, interpolation=cv2.INTER_AREA) > HALF
        small = lit(small, where, wishes.light)
    sizes = run.sizes(*model.small_size)
    first = signed(small_copy(small, *sizes[0]))
    made, device = run(first, sizes, lambda shape: chance.standard_normal(shape, np.float32))
    notes = [] if model.small_size == given.size else [reduced_note(plan.scale)]
    learnt = model.picture.to_float(info.white)
    if wishes.blend == "poisson":
        surrounds = wanted.expand(8, given.bounds)
        made = painted(learnt, model.small_size, made, widened, surrounds)
        part = surrounds.slices()
        inner = wanted.translate(-surrounds.x, -surrounds.y).slices()
        made = poisson(rgb[part], made, widened[part].astype(np.float32))[inner]
    else:
        made = painted(learnt, model.small_size, made, widened, wanted)
    reach = float(_reach(model, wishes)) if wishes.feather is None else wishes.feather
    soft = feather(widened, reach, wanted)
    picture = Picture.from_float(made, given.crop(wanted), info.white)
    seconds = time.perf_counter() - begun
    bounds = wanted.translate(area.x, area.y)
    return Applied(bounds, picture, soft.astype(np.float32), device, seconds, tuple(notes)), given


def _reach(model: Model, wishes: Wishes) -> int:
    """Pixels by which a mask is widened."""
    if wishes.grow is not None:
        return wishes.grow
    info = model.manifest.picture
    return max(1, round(REACH[wishes.task] * max(info.width, info.height)))


def _changed(model: Model, wishes: Wishes, rgb: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """(H, W) bool: where the picture was changed.

    Raises:
        EngineError: nowhere.
    """
    if mask is not None:
        changed = mask > 0
    elif wishes.task is Task.REPAINT:
        return np.ones(rgb.shape[:2], bool)
    else:
        learnt = model.picture.to_float(model.manifest.picture.white)
        changed = without_specks(np.abs(rgb - learnt).max(2) * 255 > DIFFERENT, 12)
    if not changed.any():
        text = "Nothing is changed: " + (
            "the mask is empty." if mask is not None else "the picture is as it was learnt."
        )
        raise EngineError(
            "nothing_edited", text, "Give the picture with what was pasted or edited in it, and its mask."
        )
    return np.asarray(changed)


@dataclass(frozen=True, eq=False)
class One:
    """A picture, and what made it: "CPU" or "GPU"."""

    picture: Picture
    device: str


def freely(model: Model, wishes: Wishes, sessions: SessionStore) -> Iterator[One]:
    """Vary, resize, animate, enlarge: pictures one after the other.

    Raises:
        EngineError: a size that cannot be made.
    """
    size = wishes.size or model.picture.size
    if wishes.task is Task.ENLARGE:
        made, device = _enlarged(Run(model, sessions), model.picture.to_float(model.manifest.picture.white), size)
        yield One(Picture.from_float(made, model.picture, model.manifest.picture.white), device)
        return
    for small, device in _small(model, wishes, sessions):
        yield One(_at_full_size(model, small, size), device)


def _small(model: Model, wishes: Wishes, sessions: SessionStore) -> Iterator[tuple[np.ndarray, str]]:
    """Pictures at the scale that was learnt, (h, w, 3) float32 in [0, 1]."""
    run, chance = Run(model, sessions), np.random.default_rng(wishes.seed)
    info = model.manifest.picture
    width, height = wishes.size or (info.width, info.height)
    small = tuple(max(24, round(side * model.manifest.plan.scale)) for side in (width, height))
    sizes = run.sizes(*small)
    if wishes.task is Task.RESIZE:
        # Nothing is stretched: the smallest copy gets its new shape seam by seam, and the stages paint it.
        start = run.anchor(*run.sizes(*model.small_size)[0])
        if run.specs[0].encoding is Encoding.PICTURE:
            start = signed(carved(start[0].transpose(1, 2, 0) / 2 + 0.5, *sizes[0]))
        else:
            start = anchor(*sizes[0])
        yield run(start, sizes, lambda shape: chance.standard_normal(shape, np.float32))
        return
    own = run.anchor(*sizes[0])
    if wishes.task is Task.VARY:
        for _ in range(wishes.count):
            start = mixed(own, chance.standard_normal(own.shape, np.float32), wishes.freedom)
            yield run(start, sizes, lambda shape: wishes.freedom * chance.standard_normal(shape, np.float32))
        return
    walks = [Walk(own.shape, chance)] + [
        Walk((1, s.channels, h, w), chance) for s, (w, h) in zip(run.specs[1:], sizes[1:], strict=True)
    ]
    for number in range(wishes.frames):
        moment = number / wishes.frames
        start = mixed(own, walks[0].at(moment), wishes.freedom)
        later = iter(walks[1:])
        yield run(start, sizes, lambda shape: wishes.freedom * next(later).at(moment))  # noqa: B023 - called at once


def mixed(own: np.ndarray, noise: np.ndarray, freedom: float) -> np.ndarray:
    """Between what the picture itself is made from and noise; neither loses strength on the way."""
    angle = freedom * np.pi / 2
    return (np.cos(angle) * own + np.sin(angle) * noise).astype(np.float32)


class Walk:
    """A way through noise that ends where it begins: every value swings once or twice, from a moment of its own.

    At each moment it is standard normal noise (a sum of independent sines and cosines).
    """

    def __init__(self, shape: tuple[int, ...], chance: np.random.Generator) -> None:
        self.parts = [chance.standard_normal(shape, np.float32) for _ in range(4)]

    def at(self, moment: float) -> np.ndarray:
        """The noise at a moment, 0 to 1."""
        turns = (2 * np.pi * moment, 4 * np.pi * moment)
        waves = [wave(turn) for turn in turns for wave in (np.cos, np.sin)]
        total = sum(wave * part for wave, part in zip(waves, self.parts, strict=True))
        return np.asarray(total / np.sqrt(2), np.float32)


def _at_full_size(model: Model, small: np.ndarray, size: tuple[int, int]) -> Picture:
    """A picture at the scale that was learnt at the size that is asked for, with the picture's own fine detail."""
    info = model.manifest.picture
    if (small.shape[1], small.shape[0]) != size:
        small = restore_detail(model.picture.to_float(info.white), model.small_picture, small, size=size)
    return Picture.from_float(small, model.picture, info.white)


def _enlarged(run: Run, rgb: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, str]:
    """A picture with more pixels, in passes that each make it at most twice as large; larger than the graph can be
    run on, and smaller than it is, it is scaled."""
    device = "CPU"
    while rgb.shape[1] < size[0] or rgb.shape[0] < size[1]:
        goal = tuple(min(g, round(RAISED * s)) for g, s in zip(size, (rgb.shape[1], rgb.shape[0]), strict=True))
        goal = tuple(max(g, s) for g, s in zip(goal, (rgb.shape[1], rgb.shape[0]), strict=True))
        if goal[0] * goal[1] > MOST_RUN:
            break
        sizes = run.sizes(*goal)
        sizes[0] = (rgb.shape[1], rgb.shape[0])
        rgb, device = run(signed(rgb), sizes, lambda shape: np.zeros(shape, np.float32))
    if (rgb.shape[1], rgb.shape[0]) != size:
        how = cv2.INTER_AREA if rgb.shape[1] > size[0] else cv2.INTER_CUBIC
        rgb = cv2.resize(rgb, size, interpolation=how)
    return np.asarray(rgb, np.float32).clip(0, 1), device
