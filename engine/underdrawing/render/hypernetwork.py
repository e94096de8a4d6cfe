"""Models made in a moment: a folder's model looks at a picture and writes the weights of its generator.

Runs in the renderer: onnxruntime and onnx alone, no torch. What comes out is a model like those that were trained.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from safetensors.numpy import save_file

from underdrawing import __version__
from underdrawing.client.messages import EngineError
from underdrawing.picture.image import Picture, white_of
from underdrawing.picture.resize import signed, small_copy
from underdrawing.render.generate import GraphRun
from underdrawing.render.model import Model
from underdrawing.render.onnx_sessions import SessionStore
from underdrawing.store import model_writer
from underdrawing.store.frame_codec import Inputs
from underdrawing.store.manifest import (
    CHECKPOINT_FILE,
    ApplyPlan,
    Encoding,
    GraphInput,
    GraphSpec,
    Manifest,
    Procedure,
    Task,
)
from underdrawing.store.worker_pipe import Context

FREE = (Task.VARY, Task.RESIZE, Task.ANIMATE)  # made from noise, through all scales
PAINTED = (Task.HARMONIZE, Task.BLEND, Task.REPAINT)  # made from a changed picture, from the middle scale on
LEAST = 12  # pixels of a side of the smallest scale, as in `train/methods/consingan/scales.py`
RECIPE = "instant"
GRAPH = "generator.onnx"
Size = tuple[int, int]  # width and height


@dataclass(frozen=True, eq=False)
class Writing:
    """What a folder's model makes of a picture.

    Attributes:
        small: (h, w, 3) float32 in [0, 1], the picture at the size of such pictures in training.
        scale: of that size to the picture's own.
        row: (1, numbers, 1, 1) float32, the weights of all scales of its generator.
    """

    small: np.ndarray
    scale: float
    row: np.ndarray


def check_writer(model: Model) -> tuple[GraphSpec, GraphSpec, GraphSpec]:
    """The graphs of a folder's model: writer, generator, painter.

    Raises:
        EngineError: it is another kind of model.
    """
    plan = model.manifest.plan
    if plan.procedure is not Procedure.WRITE:
        text = f"The model {model.manifest.name!r} knows one picture, and makes no models of others."
        raise EngineError("wrong_task", text, "Train a folder model: underdrawing meta train FOLDER")
    writer, generator, painter = plan.graphs
    return writer, generator, painter


def write(model: Model, rgb: np.ndarray, sessions: SessionStore) -> Writing:
    """The weights of a picture's generator.

    Args:
        rgb: (H, W, 3) float32 in [0, 1].

    Raises:
        EngineError: it is no folder's model, or what it writes is not finite.
    """
    writer, generator, _ = check_writer(model)
    height, width = rgb.shape[:2]
    scale = min(1.0, max(_last(generator)) / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if min(size) < LEAST:
        text = f"The picture is {width} x {height} pixels, which is too narrow for this model."
        raise EngineError("wrong_size", text, "Choose a picture whose sides differ less.")
    small = np.nan_to_num(small_copy(rgb, *size))
    look = signed(small_copy(small, *writer.inputs[0].size))
    row = sessions.get(model.folder / writer.file).run({writer.inputs[0].name: look})
    if row.shape != (1, generator.inputs[-1].channels, 1, 1) or not np.isfinite(row).all():
        raise EngineError("bad_result", "The folder model produced an invalid model.", "Train the folder model again.")
    return Writing(small, scale, row)


def _last(generator: GraphSpec) -> Size:
    """The size of the last scale as in training."""
    return max((i.size for i in generator.inputs if i.encoding is not Encoding.WEIGHTS), key=max)


def inputs_of(spec: GraphSpec, last: Size, size: Size) -> tuple[GraphInput, ...]:
    """A graph's inputs without the weights, with the sizes of scales that lead to `size`."""
    found = []
    for entry in spec.inputs:
        if entry.encoding is not Encoding.WEIGHTS:
            part = max(entry.size) / max(last)
            sized = (max(LEAST, round(size[0] * part)), max(LEAST, round(size[1] * part)))
            found.append(replace(entry, size=sized))
    return tuple(found)


def bake(source: Path, row: np.ndarray, target: Path) -> None:
    """Put weights into a generator: its input for them becomes a constant."""
    made = onnx.load(source)
    entry = next(i for i in made.graph.input if i.name == "weights")
    made.graph.input.remove(entry)
    made.graph.initializer.append(numpy_helper.from_array(row, "weights"))
    onnx.save(made, target)


def instant(model: Model, args: Mapping[str, Any], sessions: SessionStore, context: Context) -> dict[str, Any]:
    """A model of a picture, complete in `args["folder"]`.

    Args:
        args: `picture`, `task`, `name`, `identity` and the folder, as `instantrequests` checked them.

    Raises:
        EngineError: it is no folder's model, or the picture does not fit it.
    """
    begun = time.perf_counter()
    inputs, folder, task = Inputs(Path(args["spool"])), Path(args["folder"]), Task(args["task"])
    picture = inputs.picture(args["picture"])
    white = white_of(picture)
    written = write(model, picture.to_float(white), sessions)
    _, generator, painter = check_writer(model)
    free = task in FREE
    spec, last = (generator if free else painter), _last(generator)
    size = (written.small.shape[1], written.small.shape[0])
    folder.mkdir(parents=True, exist_ok=True)
    bake(model.folder / spec.file, written.row, folder / GRAPH)
    plan = ApplyPlan(
        graphs=(GraphSpec(GRAPH, inputs_of(spec, last, size)),),
        procedure=Procedure.GENERATE,
        minimum=model.manifest.plan.minimum,
        scale=written.scale,
        region=(0, 0, *picture.size),
        tasks=FREE if free else PAINTED,
        network_picture=model.manifest.plan.network_picture,
    )
    model_writer.keep_picture(folder, picture)
    made = model.manifest
    manifest = Manifest(
        id=str(args["identity"]),
        name=str(args["name"]),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        method=made.method,
        recipe=RECIPE,
        planes=(),
        plan=plan,
        picture=model_writer.picture_info(picture, picture.size, white),
        hyperparameters=made.hyperparameters,
        versions={"underdrawing": __version__, "onnx": version("onnx"), "onnxruntime": _runtime()},
    )
    preview = model_writer.keep_preview(folder, _preview(folder, manifest, sessions, written.small))
    seconds = round(time.perf_counter() - begun, 3)
    figures = {"base": made.id, "seconds": seconds, "device": "CPU", "export_difference": {}}
    # What it may continue training from: all scales, of which a painter uses the last ones.
    start = 0 if free else len(generator.inputs) - len(painter.inputs) + 1
    save_file({"weights": written.row, "start": np.array(start)}, folder / CHECKPOINT_FILE)
    names = [model_writer.picture_file(picture), preview, GRAPH, CHECKPOINT_FILE]
    model_writer.keep_manifest(folder, replace(manifest, figures=figures), names)
    return {"seconds": seconds}


def _preview(folder: Path, manifest: Manifest, sessions: SessionStore, small: np.ndarray) -> Picture:
    """What the new model makes of the picture itself: that it runs is seen before it is kept."""
    model_writer.keep_manifest(folder, manifest, [GRAPH])
    run = GraphRun(Model(folder), sessions)
    sizes = run.sizes(small.shape[1], small.shape[0])
    first = run.anchor(*sizes[0])
    made, _ = run(first, sizes, lambda shape: np.zeros(shape, np.float32))
    return Picture((made.clip(0, 1) * 255 + 0.5).astype(np.uint8))


def _runtime() -> str:
    import onnxruntime

    return str(onnxruntime.__version__)
