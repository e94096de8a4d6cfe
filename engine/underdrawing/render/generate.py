"""Pictures out of a single-image GAN, as its apply plan says: runs in the renderer process.

What is special about each task is what the first stage is given: noise mixed with a small copy of the picture as it was
trained (vary, animate), that copy in another shape (resize), the picture itself (enlarge), or a small copy of it
as it was changed (`onpicture.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from underdrawing.client.labels import COUNT, FRAMES, FREEDOM, LIGHT
from underdrawing.client.messages import EngineError
from underdrawing.picture.image import Picture
from underdrawing.picture.patch_texture import FROM_AFAR, Hand, TextureLevel, raised
from underdrawing.picture.resize import anchor, reduced, signed, small_copy
from underdrawing.picture.seam_carving import carved
from underdrawing.picture.super_resolution import consistent, textured
from underdrawing.render.graph_runner import pixels_of, single_graph
from underdrawing.render.model import Model
from underdrawing.render.onnx_sessions import SessionStore
from underdrawing.store.manifest import FIXED_NOISE, Encoding, GraphInput, Task

MOST_RUN = 3 << 20  # pixels that a graph is run on at a time: it holds some dozens of numbers for each
NO_CHANGE, ALL_CHANGE = 0.02, 0.1  # differences below which the picture stays, above which it is made anew
GENTLE = 1.6  # power of the freedom: so half of it is half of the way for the eye
RATE = 12  # frames a second that suit a clip
RAISED = 2.0  # how much larger one pass of `enlarge` makes a picture at most


@dataclass(frozen=True)
class GenerateOptions:
    """What is asked for; None for what suits.

    Attributes:
        freedom: 0 the training picture, 1 as far from it as the model can, or as a painting lets it.
        size: width and height of what is made.
        light: how much of its surroundings' light something pasted takes on before it is painted, 0 to 1.
        grow: pixels by which a mask is widened.
        feather: width in pixels of the soft border inside the widened mask.
        blend: "none", or "poisson" for the gradient domain.
        network_picture: the network's own picture, without the picture's brushwork; so it is always where the apply
            plan says it.
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
    network_picture: bool = False

    def as_made(self, model: Model) -> bool:
        """Whether the result is what the network makes, and nothing is laid over it."""
        return self.network_picture or model.manifest.plan.network_picture


@dataclass(frozen=True, eq=False)
class GraphRun:
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
        self,
        start: np.ndarray,
        sizes: list[tuple[int, int]],
        noise: Callable[[tuple[int, ...]], np.ndarray],
        freedom: float = 1.0,
    ) -> tuple[np.ndarray, str]:
        """A picture (H, W, 3) float32 in [0, 1], and what made it: "CPU" or "GPU".

        Args:
            start: (1, 3, h, w), for the first stage.
            sizes: width and height of every stage.
            noise: makes noise of a shape.
            freedom: how much of it is used, in place of what the picture itself is made from.

        Raises:
            EngineError: the result is no picture, or the picture is too large.
        """
        if sizes[-1][0] * sizes[-1][1] > MOST_RUN:
            text = f"{sizes[-1][0]} x {sizes[-1][1]} pixels are too many for this model at a time."
            raise EngineError("bad_request", text, "Choose a smaller size.")
        session = single_graph(self.model, self.sessions)
        given = {self.specs[0].name: start}
        for stage, (spec, (width, height)) in enumerate(zip(self.specs[1:], sizes[1:], strict=True), 1):
            drawn = noise((1, spec.channels, height, width))
            if spec.plane == FIXED_NOISE:
                given[spec.name] = mixed(anchor(width, height, spec.channels, stage), drawn, freedom)
            else:
                given[spec.name] = (freedom * drawn).astype(np.float32)
        made = np.ascontiguousarray(pixels_of(session.run(given)), np.float32)
        return made, "GPU" if session.on_gpu else "CPU"


@dataclass(frozen=True, eq=False)
class One:
    """A picture, and what made it: "CPU" or "GPU"."""

    picture: Picture
    device: str


def freely(model: Model, wishes: GenerateOptions, sessions: SessionStore) -> Iterator[One]:
    """Vary, resize, animate, enlarge: pictures one after the other.

    Raises:
        EngineError: a size that cannot be made.
    """
    size, run = wishes.size or model.picture.size, GraphRun(model, sessions)
    white = model.manifest.picture.white
    full = model.picture.to_float(white)
    if wishes.task is Task.ENLARGE:
        made, device = _enlarged(run, full, size, wishes.as_made(model))
        yield One(Picture.from_float(made, model.picture, white), device)
        return
    if wishes.as_made(model):
        for small, device in _small(model, wishes, sessions):
            yield One(Picture.from_float(small_copy(small, *size).clip(0, 1), model.picture, white), device)
        return
    same = None if wishes.task is Task.RESIZE or size != model.picture.size else _unchanged(run)
    levels: dict[float, TextureLevel] = {}
    afar = _afar(model, wishes)
    for small, device in _small(model, wishes, sessions):
        made = _at_full_size(full, model.small_picture, small, same, size, wishes.freedom, afar, levels)
        yield One(Picture.from_float(made, model.picture, white), device)


def _afar(model: Model, wishes: GenerateOptions) -> float:
    """How much smaller what the network makes is looked at before pieces build it."""
    # Frames must be alike, and a picture in another shape keeps its structure.
    if wishes.task is not Task.VARY:
        return 1.0
    return float(min(1.0, FROM_AFAR / max(model.small_size)) ** wishes.freedom**0.5)


def _unchanged(run: GraphRun) -> np.ndarray:
    """What the model makes of the picture itself, at the size trained on."""
    sizes = run.sizes(*run.model.small_size)
    return run(run.anchor(*sizes[0]), sizes, lambda shape: np.zeros(shape, np.float32), 0.0)[0]


def _small(model: Model, wishes: GenerateOptions, sessions: SessionStore) -> Iterator[tuple[np.ndarray, str]]:
    """Pictures at the scale trained on, (h, w, 3) float32 in [0, 1]."""
    run, rng = GraphRun(model, sessions), np.random.default_rng(wishes.seed)
    info = model.manifest.picture
    own_size = (info.width, info.height)
    size = wishes.size or own_size
    small = tuple(max(24, round(side * model.manifest.plan.scale)) for side in size)
    # What narrow pictures are compared with, the picture itself, has the size trained on.
    sizes = run.sizes(*(model.small_size if size == own_size else small))
    if wishes.task is Task.RESIZE and wishes.as_made(model):
        # ConSinGAN, section 5.1: other sizes come from noise of other sizes.
        yield _varied(run, sizes, 1.0, rng)
        return
    if wishes.task is Task.RESIZE:
        yield _reshaped(run, sizes, rng)
        return
    if wishes.task is Task.VARY:
        for _ in range(wishes.count):
            yield _varied(run, sizes, wishes.freedom, rng)
        return
    own = run.anchor(*sizes[0])
    walks = [Walk(own.shape, rng)] + [
        Walk((1, s.channels, h, w), rng) for s, (w, h) in zip(run.specs[1:], sizes[1:], strict=True)
    ]
    for number in range(wishes.frames):
        moment = number / wishes.frames
        start = mixed(own, walks[0].at(moment), wishes.freedom)
        later = iter(walks[1:])
        yield run(start, sizes, lambda shape: next(later).at(moment), wishes.freedom)  # noqa: B023 - called at once


def _varied(
    run: GraphRun, sizes: list[tuple[int, int]], freedom: float, rng: np.random.Generator
) -> tuple[np.ndarray, str]:
    """Another picture of the training picture's kind, the less free the nearer to it."""
    own = run.anchor(*sizes[0])
    start = mixed(own, rng.standard_normal(own.shape, np.float32), freedom)
    return run(start, sizes, lambda shape: rng.standard_normal(shape, np.float32), freedom)


def _reshaped(run: GraphRun, sizes: list[tuple[int, int]], rng: np.random.Generator) -> tuple[np.ndarray, str]:
    """The training picture in another shape, at the scale trained on.

    Nothing is stretched: the small picture gets its new shape seam by seam, the stages paint what that leaves of it at
    their first size, and what they do to the picture itself without any change is taken away along the same seams.
    """
    begins = run.specs[0].encoding is Encoding.PICTURE
    same = _unchanged(run)
    if not begins:
        # From noise a network makes others of the kind; in another shape little of the picture is left.
        # So it varies the picture in its own shape, and that goes along.
        made, device = _varied(run, run.sizes(*run.model.small_size), FREEDOM, rng)
        both = carved(np.dstack([run.model.small_picture, made - same]), *sizes[-1])
        return np.asarray((both[..., :3] + both[..., 3:]).clip(0, 1), np.float32), device
    both = carved(np.dstack([run.model.small_picture, same]), *sizes[-1])
    shaped, same = both[..., :3], both[..., 3:]
    start = signed(small_copy(shaped, *sizes[0]))
    made, device = run(start, sizes, lambda shape: rng.standard_normal(shape, np.float32))
    return np.asarray((made + shaped - same).clip(0, 1), np.float32), device


def mixed(own: np.ndarray, noise: np.ndarray, freedom: float) -> np.ndarray:
    """Between what the picture itself is made from and noise; neither loses strength on the way."""
    angle = freedom**GENTLE * np.pi / 2
    return (np.cos(angle) * own + np.sin(angle) * noise).astype(np.float32)


class Walk:
    """A way through noise that ends where it begins: every value swings once or twice, from a moment of its own.

    At each moment it is standard normal noise (a sum of independent sines and cosines).
    """

    def __init__(self, shape: tuple[int, ...], rng: np.random.Generator) -> None:
        self.parts = [rng.standard_normal(shape, np.float32) for _ in range(4)]

    def at(self, moment: float) -> np.ndarray:
        """The noise at a moment, 0 to 1."""
        turns = (2 * np.pi * moment, 4 * np.pi * moment)
        waves = [wave(turn) for turn in turns for wave in (np.cos, np.sin)]
        total = sum(wave * part for wave, part in zip(waves, self.parts, strict=True))
        return np.asarray(total / np.sqrt(2), np.float32)


def _at_full_size(
    full: np.ndarray,
    small_picture: np.ndarray,
    small: np.ndarray,
    same: np.ndarray | None,
    size: tuple[int, int],
    freedom: float,
    afar: float,
    levels: dict[float, TextureLevel],
) -> np.ndarray:
    """A picture at the scale trained on at the size that is asked for, in the picture's own brushwork.

    Args:
        full: (H, W, 3) float32 in [0, 1], the training picture; `small_picture`: as the network saw it.
        small: (h, w, 3) what the network made.
        same: what it makes of the picture itself, where that has the same size: where the two agree the picture is
            left as it is, as what the network cannot do is no part of the change.
        freedom: where the two differ, that is so as well, but the less the freer.
        afar: how much smaller what the network made is looked at: its forms are kept, its soft detail is not.
        levels: what `raised` keeps from one picture to the next.
    """
    if same is None:
        return raised([Hand(full, levels=levels)], reduced(small, afar), size)
    change = small - same
    strength = cv2.GaussianBlur(np.abs(change).max(2), (0, 0), 1.5)
    share = ((strength - NO_CHANGE) / (ALL_CHANGE - NO_CHANGE)).clip(0, 1)
    if not share.any():
        return full
    small = small - (1 - freedom * share[..., None]) * (same - small_picture)
    where = reduced(cv2.dilate(share, np.ones((3, 3), np.uint8)), afar) > 0
    made = raised([Hand(full, levels=levels)], reduced(small.clip(0, 1), afar), size, where)
    wide = cv2.resize(share, size, interpolation=cv2.INTER_LINEAR)[..., None]
    led = full + cv2.resize(change * (strength > 0)[..., None], size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(led + wide * (made - led))


def _enlarged(run: GraphRun, rgb: np.ndarray, size: tuple[int, int], as_made: bool) -> tuple[np.ndarray, str]:
    """A picture with more pixels, in passes that each make it at most twice as large; larger than the graph can be
    run on, and smaller than it is, it is scaled."""
    device = "CPU"
    while rgb.shape[1] < size[0] or rgb.shape[0] < size[1]:
        goal = tuple(min(g, round(RAISED * s)) for g, s in zip(size, (rgb.shape[1], rgb.shape[0]), strict=True))
        goal = tuple(max(g, s) for g, s in zip(goal, (rgb.shape[1], rgb.shape[0]), strict=True))
        if goal[0] * goal[1] > MOST_RUN or len(run.specs) == 1:
            break  # a model of one stage (of a tiny picture) makes nothing larger
        sizes = run.sizes(*goal)
        sizes[0] = (rgb.shape[1], rgb.shape[0])
        made, device = run(signed(rgb), sizes, lambda shape: np.zeros(shape, np.float32))
        rgb = made if as_made else consistent(textured(consistent(made, rgb), rgb), rgb)
    if (rgb.shape[1], rgb.shape[0]) != size:
        how = cv2.INTER_AREA if rgb.shape[1] > size[0] else cv2.INTER_CUBIC
        rgb = cv2.resize(rgb, size, interpolation=how)
    return np.asarray(rgb, np.float32).clip(0, 1), device
