"""Run a model's graphs on a part of an edited underdrawing, as its apply plan says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from underdrawing.client.messages import EngineError
from underdrawing.draft.draft import Draft
from underdrawing.draft.patch_analogy import counterpart
from underdrawing.draft.refiner_input import GATE, hints
from underdrawing.picture.geometry import Bounds
from underdrawing.picture.primitive import Primitive
from underdrawing.render.model import Model
from underdrawing.render.onnx_sessions import OnnxSession, SessionStore
from underdrawing.store.manifest import ApplyPlan, Encoding, GraphInput, GraphSpec, Procedure

SOURCE = "source:picture"  # the plane of a graph's input that takes the training picture


def window(wanted: Bounds, size: tuple[int, int], plan: ApplyPlan) -> Bounds:
    """The part of the training picture that must be run to get `wanted` exactly as a run of the whole gives it.

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


def run(
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
    if rgb.shape != (part.height, part.width, 3):
        text = f"The model's result is {rgb.shape[1]} x {rgb.shape[0]} pixels, not {part.width} x {part.height}."
        raise EngineError("bad_result", text, "Train on the picture again; if the problem stays, try another recipe.")
    return rgb, "GPU" if provider.startswith("CUDA") else "CPU"


def _analogous(
    model: Model, primitive: Primitive, wanted: Bounds, sessions: SessionStore, seed: int, found: Draft
) -> Made:
    """As the graph's version of the layout is to the picture, so its version of the edited one to the result."""
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
        raise EngineError("bad_result", text, "Train on the picture again; if the problem stays, try another recipe.")
    return np.asarray(rgb.clip(0, 1))


def single_graph(model: Model, sessions: SessionStore) -> OnnxSession:
    """The graph of a model that has one, in float16 where a graphics card runs it."""
    plan = model.manifest.plan
    session = sessions.get(model.folder / plan.graphs[0].file)
    return sessions.get(model.folder / plan.half[0].file) if plan.half and session.on_gpu else session


def _refined(model: Model, found: Draft, primitive: Primitive, wanted: Bounds, sessions: SessionStore) -> Made:
    """The draft with its unsure pixels repaired; whatever it is sure of stays as it is, to the bit."""
    plan = model.manifest.plan
    told = hints(found, primitive, model.class_colours)
    open_ = told[GATE] > 0
    if plan.areas is not None:
        open_ &= np.isin(primitive.segments, plan.areas) if primitive.segments is not None else False
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
    """Where each pixel lies in the training picture, (1, 2, H, W) in [-1, 1], measured as in training."""
    full = [max(plan.minimum, -(-side // plan.stride) * plan.stride) for side in size]
    x = (np.arange(padded[1], dtype=np.float32) + 0.5 + part.x) / full[0] * 2 - 1
    y = (np.arange(padded[0], dtype=np.float32) + 0.5 + part.y) / full[1] * 2 - 1
    return np.stack(np.meshgrid(x, y))[None].astype(np.float32)
