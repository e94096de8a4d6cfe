"""Apply a model to an edited underdrawing, as the model's apply plan says. Runs in the renderer process."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from underdrawing.draft.canvas import Origin
from underdrawing.draft.counterpart import counterpart
from underdrawing.draft.draft import Draft, draft
from underdrawing.draft.hints import GATE, class_colours, hints
from underdrawing.link.messages import EngineError
from underdrawing.manifest import ApplyPlan, Composite, Encoding, GraphInput, GraphSpec, Manifest, Procedure
from underdrawing.picture.composite import poisson
from underdrawing.picture.detail import restore_detail
from underdrawing.picture.files import read_picture
from underdrawing.picture.geometry import Bounds, scaled, unscaled
from underdrawing.picture.image import Picture
from underdrawing.picture.mask import combine, edit_mask, feather
from underdrawing.picture.palette import Palette
from underdrawing.picture.primitive import Primitive, read_primitive
from underdrawing.serve.doubts import doubts
from underdrawing.serve.placing import inside as inside_of
from underdrawing.serve.sessions import Session, SessionStore

_AROUND = np.ones((5, 5), np.uint8)  # filled ground is led over into its surroundings
SOURCE = "source:picture"  # the plane of a graph's input that takes the picture as it was learnt
DETAIL_MARGIN = 24  # pixels of the picture around an edit that restored detail may come from, at least


@dataclass(frozen=True)
class Options:
    """How an edit becomes a result.

    Attributes:
        mask_mode: how a given mask and the difference of the primitives go together: "limit", "only" or "add".
        grow: pixels by which the difference is widened; None: a default that fits the picture.
        feather: width in pixels of the soft inner border of the result's mask.
        blend: "none", or "poisson" for the gradient domain.
        whole: the whole learnt region instead of the edit alone.
        seed: chooses the chance: of fills of uncovered ground, and of methods that take noise.
    """

    mask_mode: str = "limit"
    grow: int | None = None
    feather: float = 3.0
    blend: str = "none"
    whole: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Applied:
    """A result: unblended pixels of an area of the whole picture, and where they count.

    Attributes:
        bounds: the area, in pixels of the whole picture.
        picture: its pixels, at the depth of the picture that was learnt.
        mask: (height, width) float32, 0 outside the edit.
        device: what really ran the model.
        notes: sentences for the user.
        confidence: (height, width) float32 in [0, 1], how sure each pixel is; None where the method cannot tell.
    """

    bounds: Bounds
    picture: Picture
    mask: np.ndarray
    device: str
    seconds: float
    notes: tuple[str, ...]
    confidence: np.ndarray | None = None


class Model:
    """A trained model as the renderer holds it: its manifest, its own primitive, its picture when it is needed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.manifest = folder, Manifest.load(folder)
        palette = Palette.from_json(list(self.manifest.palette)) if self.manifest.palette else None
        drawn = bool(self.manifest.planes)
        self.drawn = read_primitive(folder / "primitive.png", palette) if drawn else None
        self.own_version: np.ndarray | None = None  # what an analogy's graph makes of the learnt layout

    @property
    def primitive(self) -> Primitive:
        """The underdrawing that was learnt.

        Raises:
            EngineError: it was learnt without one.
        """
        if self.drawn is None:
            text = f"The model {self.manifest.name!r} was learnt without an underdrawing."
            can = ", ".join(self.manifest.plan.tasks)
            raise EngineError("wrong_task", text, f"It can: {can}." if can else "Learn the picture with one.")
        return self.drawn

    @cached_property
    def picture(self) -> Picture:
        """The learnt region at its own depth."""
        return read_picture(self.folder / self.manifest.picture.file)

    @property
    def small_size(self) -> tuple[int, int]:
        """Width and height of what the network saw."""
        scale, info = self.manifest.plan.scale, self.manifest.picture
        width, height = info.width, info.height
        return max(1, round(width * scale)), max(1, round(height * scale))

    @cached_property
    def small_primitive(self) -> Primitive:
        """The primitive that was learnt, at the size of `small_picture`."""
        same = self.small_size == self.primitive.size
        return self.primitive if same else self.primitive.resized(self.small_size)

    @cached_property
    def small_picture(self) -> np.ndarray:
        """The picture as the network saw it, (h, w, 3) float32 in [0, 1]."""
        rgb = self.picture.to_float(self.manifest.picture.white)
        same = self.small_size == self.picture.size
        return rgb if same else np.asarray(cv2.resize(rgb, self.small_size, interpolation=cv2.INTER_AREA))

    @cached_property
    def class_colours(self) -> np.ndarray | None:
        """The mean colour of every class, (256, 3) float32 in [0, 1]; None without classes."""
        return class_colours(self.small_picture, self.small_primitive)


def apply(
    model: Model,
    edited: Primitive,
    sessions: SessionStore,
    options: Options,
    given: np.ndarray | None = None,
    current: Picture | None = None,
) -> Applied:
    """The picture that follows from an edited underdrawing.

    Args:
        model: what was learnt.
        edited: the edited primitive, of the whole picture or of the learnt region, in the model's palette.
        sessions: where loaded graphs are kept.
        options: see there.
        given: a mask (H, W) of the same size as `edited`, float32 in [0, 1]: what is above 0 belongs to it, and counts
            so much where the mask limits the edit or takes its place.
        current: the picture as it is now, of the whole picture or of the learnt region; None: as it was learnt.

    Raises:
        EngineError: sizes that do not fit, or nothing was edited.
    """
    start = time.perf_counter()
    info, plan = model.manifest.picture, model.manifest.plan
    if plan.composite is Composite.WHOLE:
        options = replace(options, whole=True)
    area = Bounds(*plan.region)
    inside = inside_of(edited.size, area, (info.full_width, info.full_height), "underdrawing")
    if given is not None:
        given = given[inside_of((given.shape[1], given.shape[0]), area, edited.size, "mask").slices()]
    edited = edited.crop(inside)
    for name in (p.name for p in model.manifest.planes):
        if getattr(edited, name) is None:
            text = f"The model was learnt with {name}, which this underdrawing lacks."
            raise EngineError("plane_missing", text, f"Give the {name} too, edited or as they were.")
    small = edited if edited.size == model.small_size else edited.resized(model.small_size)
    found = None
    if plan.procedure is not Procedure.NONE:
        found = draft(model.small_picture, model.small_primitive, small, options.seed)
    mask, wanted = _mask(model.primitive, edited, None if given is None else given > 0, options, found)
    made, notes = _render(model, edited.size, small, wanted, sessions, options, found)
    result = made.picture
    original = (
        model.picture
        if current is None
        else current.crop(inside_of(current.size, area, (info.full_width, info.full_height), "picture"))
    )
    if options.blend == "poisson":
        surrounds = wanted.expand(8, Bounds(0, 0, *edited.size))
        base = original.crop(surrounds).to_float(info.white)
        inner = wanted.translate(-surrounds.x, -surrounds.y).slices()
        patch = base.copy()
        patch[inner] = result
        result = poisson(base, patch, mask[surrounds.slices()])[inner]
    soft = mask[wanted.slices()] if options.whole else feather(mask, options.feather, wanted)
    if given is not None and not options.whole and options.mask_mode != "add":
        soft = soft * given[wanted.slices()]
    picture = Picture.from_float(result, original.crop(wanted), info.white)
    bounds = wanted.translate(area.x, area.y)
    if made.confidence is not None:
        notes += doubts(made.confidence, soft > 0, model.primitive, edited)
    seconds = time.perf_counter() - start
    return Applied(bounds, picture, soft.astype(np.float32), made.device, seconds, tuple(notes), made.confidence)


def _mask(
    before: Primitive, after: Primitive, given: np.ndarray | None, options: Options, found: Draft | None
) -> tuple[np.ndarray, Bounds]:
    """What is edited, as a bool mask of the learnt region, and its bounds.

    Where no width was asked for, ground that was filled belongs to it: the shadow goes with what is removed.
    """
    if options.whole:
        mask = np.ones((after.size[1], after.size[0]), bool)
        return mask, Bounds(0, 0, *after.size)
    grown = {} if options.grow is None else {"grow": options.grow}
    difference = edit_mask(before, after, **grown)
    if found is not None and options.grow is None:
        difference |= _filled(found, difference)
    mask = difference if given is None else combine(difference, given, options.mask_mode)
    bounds = Bounds.of_mask(mask)
    if bounds.is_empty:
        raise EngineError(
            "nothing_edited",
            "Nothing is edited: the underdrawing is as it was learnt"
            + ("." if given is None else ", or the mask leaves nothing of the edit."),
            "Paint on the underdrawing first, or ask for the whole picture.",
        )
    return mask, bounds


def _filled(found: Draft, difference: np.ndarray) -> np.ndarray:
    """(H, W) bool: ground that a draft filled, as far as it hangs together with the edit."""
    height, width = difference.shape
    filled = (found.origin == Origin.FILLED).view(np.uint8)
    filled = cv2.dilate(np.asarray(cv2.resize(filled, (width, height), interpolation=cv2.INTER_NEAREST)), _AROUND)
    _, pieces = cv2.connectedComponents(filled, connectivity=8)
    touched = np.zeros(int(pieces.max()) + 1, bool)
    touched[np.unique(pieces[difference])] = True
    touched[0] = False
    return np.asarray(touched[pieces])


def _render(
    model: Model,
    size: tuple[int, int],
    small: Primitive,
    wanted: Bounds,
    sessions: SessionStore,
    options: Options,
    found: Draft | None,
) -> tuple[Made, list[str]]:
    """What is made of `wanted`, at the picture's own resolution, and what is to be said about it.

    Args:
        size: width and height of the learnt region, of which `wanted` is a part.
        small: the edited primitive at the size that was learnt.
        found: its draft, where the method drafts.
    """
    plan = model.manifest.plan
    ratio = (small.size[0] / size[0], small.size[1] / size[1])
    everything = Bounds(0, 0, *small.size)
    if ratio == (1.0, 1.0):
        return _run(model, small, wanted, sessions, options.seed, found), []
    # What the network makes is coarser than the picture: bring back the picture's own fine detail.
    margin = max(DETAIL_MARGIN, round(DETAIL_MARGIN / ratio[0]))
    around = wanted.expand(margin, Bounds(0, 0, *size))
    coarse = scaled(around, ratio, everything)
    around = unscaled(coarse, ratio, size)
    made = _run(model, small, coarse, sessions, options.seed, found)
    generated = made.picture
    target = scaled(wanted, ratio, everything).translate(-coarse.x, -coarse.y)
    changed = np.zeros(generated.shape[:2], bool)
    changed[target.slices()] = True
    full = model.picture.crop(around).to_float(model.manifest.picture.white)
    detailed = restore_detail(full, model.small_picture[coarse.slices()], generated, changed)
    cut = wanted.translate(-around.x, -around.y).slices()
    sure = made.confidence
    if sure is not None:
        sure = cv2.resize(sure, (around.width, around.height), interpolation=cv2.INTER_LINEAR)[cut]
    return Made(detailed[cut], made.device, sure), [reduced_note(plan.scale)]


def reduced_note(scale: float) -> str:
    """What a person should know about a model of a reduced picture."""
    return f"The model was learnt at {scale:.0%} of the picture's size; fine detail comes from the picture itself."


def window(wanted: Bounds, size: tuple[int, int], plan: ApplyPlan) -> Bounds:
    """The part of the learnt picture that must be run to get `wanted` exactly as a run of the whole gives it.

    Its corner lies on the stride's grid, so that every halving falls on the same pixels.
    """
    if plan.halo is None:
        return Bounds(0, 0, *size)
    around = wanted.expand(plan.halo, Bounds(0, 0, *size))
    x, y = around.x // plan.stride * plan.stride, around.y // plan.stride * plan.stride
    right = min(size[0], -(-(around.x + around.width) // plan.stride) * plan.stride)
    bottom = min(size[1], -(-(around.y + around.height) // plan.stride) * plan.stride)
    return Bounds(x, y, right - x, bottom - y)


@dataclass(frozen=True, eq=False)
class Made:
    """Generated pixels: (h, w, 3) float32 in [0, 1], what ran the model, and (h, w) confidence where it is known."""

    picture: np.ndarray
    device: str
    confidence: np.ndarray | None = None


def _run(
    model: Model, primitive: Primitive, wanted: Bounds, sessions: SessionStore, seed: int, found: Draft | None
) -> Made:
    """Run the model on the window around `wanted`, on what is unsure about its draft, or to judge the draft by it."""
    plan = model.manifest.plan
    if found is not None and plan.procedure is Procedure.ANALOGY:
        return _analogous(model, primitive, wanted, sessions, seed, found)
    if found is not None:
        made = Made(found.picture, "CPU", found.confidence)
        if plan.procedure is Procedure.REFINE:
            made = _refined(model, found, primitive, wanted, sessions)
        inner = wanted.slices()
        return Made(made.picture[inner], made.device, found.confidence[inner])
    part = window(wanted, primitive.size, plan)
    rgb, device = _generated(model, primitive, part, sessions, seed)
    return Made(rgb[wanted.translate(-part.x, -part.y).slices()], device)


def _generated(
    model: Model, primitive: Primitive, part: Bounds, sessions: SessionStore, seed: int
) -> tuple[np.ndarray, str]:
    """A part as the graphs make it, (h, w, 3) in [0, 1], and what ran them."""
    plan = model.manifest.plan
    height, width = _padded(part, plan)
    graphs = plan.graphs
    if plan.half and sessions.get(model.folder / plan.half[0].file).on_gpu:
        graphs = plan.half
    output, provider = np.zeros(0, np.float32), ""
    results: dict[str, np.ndarray] = {}
    for graph in graphs:
        session = sessions.get(model.folder / graph.file)
        inputs = _graph_inputs(model, graph, primitive, part, (height, width), results, seed)
        output = results[graph.output] = session.run(inputs)
        provider = session.provider
    rgb = pixels_of(output[..., : part.height, : part.width])
    return rgb, "GPU" if provider.startswith("CUDA") else "CPU"


def _analogous(
    model: Model, primitive: Primitive, wanted: Bounds, sessions: SessionStore, seed: int, found: Draft
) -> Made:
    """As the graph's version of the learnt layout is to the picture, so its version of the edited one to the result."""
    everything = Bounds(0, 0, *primitive.size)
    if model.own_version is None:
        model.own_version = _generated(model, model.small_primitive, everything, sessions, seed)[0]
    version, device = _generated(model, primitive, everything, sessions, seed)
    made = counterpart(model.small_picture, model.small_primitive, primitive, model.own_version, version, found, seed)
    inner = wanted.slices()
    return Made(made.picture[inner], device, made.confidence[inner])


def _padded(part: Bounds, plan: ApplyPlan) -> tuple[int, int]:
    """Height and width that a graph takes for this part."""
    height, width = (max(plan.minimum, side) for side in (part.height, part.width))
    return -(-height // plan.stride) * plan.stride, -(-width // plan.stride) * plan.stride


def pixels_of(output: np.ndarray) -> np.ndarray:
    """A graph's output (1, 3, H, W) in [-1, 1] as pixels, (H, W, 3) in [0, 1].

    Raises:
        EngineError: it is none.
    """
    rgb = output[0].transpose(1, 2, 0) / 2 + 0.5
    if not np.isfinite(rgb).all():
        text = "The model's result is not a picture (it holds infinite values)."
        raise EngineError("bad_result", text, "Learn the picture again; if it stays so, try another recipe.")
    return np.asarray(rgb.clip(0, 1))


def single_graph(model: Model, sessions: SessionStore) -> Session:
    """The graph of a model that has one, in float16 where a graphics card runs it."""
    plan = model.manifest.plan
    session = sessions.get(model.folder / plan.graphs[0].file)
    return sessions.get(model.folder / plan.half[0].file) if plan.half and session.on_gpu else session


def _refined(model: Model, found: Draft, primitive: Primitive, wanted: Bounds, sessions: SessionStore) -> Made:
    """The draft with its unsure pixels repaired; whatever it is sure of stays as it is, to the bit."""
    plan = model.manifest.plan
    told = hints(found, primitive, model.class_colours)
    open_ = told[GATE] > 0
    unsure = np.zeros(open_.shape, bool)
    unsure[wanted.slices()] = open_[wanted.slices()]
    if not unsure.any():
        return Made(found.picture, "CPU", found.confidence)
    part = window(Bounds.of_mask(unsure), primitive.size, plan)
    height, width = _padded(part, plan)
    rows, columns = part.slices()
    extra = ((0, 0), (0, height - part.height), (0, width - part.width))
    session = single_graph(model, sessions)
    output = session.run({"hints": np.pad(told[:, rows, columns], extra, mode="edge")[None]})
    picture = found.picture.copy()
    here = unsure[rows, columns]
    picture[rows, columns][here] = pixels_of(output[..., : part.height, : part.width])[here]
    return Made(picture, "GPU" if session.on_gpu else "CPU", found.confidence)


def _graph_inputs(
    model: Model,
    graph: GraphSpec,
    primitive: Primitive,
    part: Bounds,
    padded: tuple[int, int],
    results: Mapping[str, np.ndarray],
    seed: int,
) -> dict[str, np.ndarray]:
    """Tensors (1, C, H, W) of a graph's inputs, by name."""
    inputs = {}
    for entry in graph.inputs:
        if entry.plane in results:
            inputs[entry.name] = results[entry.plane]
        elif entry.plane == SOURCE:
            inputs[entry.name] = _source(model, part, padded)
        elif entry.encoding is Encoding.PLACES:
            inputs[entry.name] = _places(part, padded, model.small_size, model.manifest.plan)
        elif entry.encoding is Encoding.NOISE:
            noise = np.random.default_rng(seed).standard_normal((1, entry.channels, *padded))
            inputs[entry.name] = noise.astype(np.float32)
        else:
            name = entry.plane.removeprefix("source:")
            source = model.small_primitive if entry.plane.startswith("source:") else primitive
            inputs[entry.name] = _encode(source.crop(part), name, entry, padded)
    return inputs


def _source(model: Model, part: Bounds, padded: tuple[int, int]) -> np.ndarray:
    """The picture as the network saw it, (1, 3, H, W) in [-1, 1], mirrored as the planes are."""
    rows, columns = part.slices()
    extra = ((0, padded[0] - part.height), (0, padded[1] - part.width), (0, 0))
    values = np.pad(model.small_picture[rows, columns], extra, mode="symmetric")
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None] * 2 - 1, np.float32)


def _encode(primitive: Primitive, name: str, entry: GraphInput, padded: tuple[int, int]) -> np.ndarray:
    """A plane as a tensor, mirrored on where it ends before the padded size."""
    values = np.asarray(getattr(primitive, name))
    extra = [(0, padded[0] - values.shape[0]), (0, padded[1] - values.shape[1])] + [(0, 0)] * (values.ndim - 2)
    values = np.pad(values, extra, mode="symmetric")
    if entry.encoding is Encoding.ONE_HOT:
        return np.eye(entry.channels, dtype=np.float32)[values].transpose(2, 0, 1)[None]
    if values.ndim == 2 and entry.encoding is Encoding.COLOURS and primitive.palette is not None:
        values = primitive.palette.colours[values]
    signed = values.astype(np.float32) / 127.5 - 1
    return signed[None, None] if signed.ndim == 2 else signed.transpose(2, 0, 1)[None]


def _places(part: Bounds, padded: tuple[int, int], size: tuple[int, int], plan: ApplyPlan) -> np.ndarray:
    """Where each pixel lies in the learnt picture, (1, 2, H, W) in [-1, 1], measured as in training."""
    full = [max(plan.minimum, -(-side // plan.stride) * plan.stride) for side in size]
    x = (np.arange(padded[1], dtype=np.float32) + 0.5 + part.x) / full[0] * 2 - 1
    y = (np.arange(padded[0], dtype=np.float32) + 0.5 + part.y) / full[1] * 2 - 1
    return np.stack(np.meshgrid(x, y))[None].astype(np.float32)
