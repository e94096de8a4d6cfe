"""The folder of a trained model: graphs compared with torch, picture, underdrawing, preview; the manifest last."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from underdrawing import __version__
from underdrawing.picture.image import Picture
from underdrawing.picture.primitive import write_primitive
from underdrawing.store import model_writer
from underdrawing.store.manifest import CHECKPOINT_FILE, MANIFEST_FILE, ApplyPlan, Manifest, PlaneSpec
from underdrawing.train import export
from underdrawing.train.device import Device
from underdrawing.train.method import MeasuringRun, Method, Recipe, Run, TrainingError
from underdrawing.train.prepare import Prepared


@dataclass(frozen=True)
class TrainedModel:
    """What is written of a model, during its training (`unfinished`) and after it.

    Attributes:
        whole: width and height of the user's picture, of which a region may have been trained.
        draft: the model whose draft this training follows in the background, or "".
    """

    id: str
    name: str
    method: Method
    recipe: Recipe
    prepared: Prepared
    whole: tuple[int, int]
    run: Run
    draft: str = ""

    def shown(self, sample: Tensor) -> Picture:
        """A sample as a picture, without the padding."""
        height, width = self.prepared.data.pairs[0].inside
        rgb = sample[0, :, :height, :width].permute(1, 2, 0).cpu().numpy() / 2 + 0.5
        return Picture((rgb.clip(0, 1) * 255 + 0.5).astype(np.uint8))

    def own_difference(self) -> float:
        """Mean absolute difference, in [0, 1], between the picture and what the model makes of its own primitive."""
        pair = self.prepared.data.pairs[0]
        height, width = pair.inside
        made = self.run.sample().cpu()[..., :height, :width]
        return round(float((made - pair.picture[..., :height, :width]).abs().mean()) / 2, 5)

    def write(self, folder: Path, plan: ApplyPlan, figures: dict[str, Any], unfinished: bool = False) -> None:
        """Write everything but the graphs, which are in the folder; the manifest last, as it makes it a model."""
        picture, primitive = self.prepared.picture, self.prepared.primitive
        if not (folder / MANIFEST_FILE).is_file():
            model_writer.keep_picture(folder, picture)
            if primitive is not None:
                write_primitive(folder / "primitive.png", primitive)
        preview = model_writer.keep_preview(folder, self.shown(self.run.sample()))
        names = [model_writer.picture_file(picture), preview, *sorted(p.name for p in folder.glob("primitive*.png"))]
        names += [g.file for g in (*plan.graphs, *plan.half)]
        if self.method.needs_training and not unfinished:
            names.append(CHECKPOINT_FILE)
        used = set() if primitive is None else set(primitive.planes())
        values, sources = self.recipe.figures, self.recipe.sources
        manifest = Manifest(
            id=self.id,
            name=self.name,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            method=self.method.name,
            recipe=self.recipe.name,
            planes=tuple(PlaneSpec(p.name, p.kind, True) for p in self.method.planes if p.name in used),
            plan=plan,
            picture=model_writer.picture_info(picture, self.whole, self.prepared.white),
            palette=() if primitive is None or primitive.palette is None else tuple(primitive.palette.to_json()),
            hyperparameters={
                f.name: {"value": getattr(values, f.name), "source": sources[f.name]} for f in fields(values)
            },
            figures={**figures, "draft": self.draft} if self.draft else figures,
            versions={
                "underdrawing": __version__,
                "python": platform.python_version(),
                "torch": torch.__version__,
                "onnx": version("onnx"),
            },
        )
        model_writer.keep_manifest(folder, manifest, names)


class LiveModel:
    """What can be used already during the training: a model folder of its own, improved from time to time."""

    def __init__(self, model: TrainedModel, folder: Path, device: Device) -> None:
        self.model, self.folder, self.device = model, folder, device

    def begin(self) -> None:
        """Before the training, where the method can do without."""
        plan = self.model.run.first()
        if plan is not None:
            self.folder.mkdir(exist_ok=True)
            self._write(plan, 0)

    def update(self, iteration: int) -> None:
        """With the training so far; graphs are used as soon as they are there."""
        plan = self.model.run.plan()
        for graph in self.model.run.graphs():
            path = self.folder / graph.file
            if not path.is_file() or not export.update(graph, path):
                export.export([graph], self.folder)
        self._write(plan, iteration)

    def _write(self, plan: ApplyPlan, iteration: int) -> None:
        figures: dict[str, Any] = {"iterations": iteration, "device": self.device.name}
        if plan.graphs and isinstance(self.model.run, MeasuringRun):
            figures["measured"] = self.model.run.measured()
        self.model.write(self.folder, plan, figures, unfinished=True)


def export_checked(run: Run, folder: Path, device: Device) -> tuple[ApplyPlan, dict[str, float]]:
    """Graphs in the folder, compared with torch where they will be applied.

    Raises:
        TrainingError: a float32 graph differs by more than the bound.
    """
    graphs, plan = run.graphs(), run.plan()
    export.export(graphs, folder)
    half = export.export_half(graphs, plan, folder) if device.is_cuda else ()
    check = export.write_check(graphs, plan, folder)
    try:
        differences = _differences(folder, [g.file for g in plan.graphs], [g.file for g in half])
    finally:
        check.unlink(missing_ok=True)
    for graph in plan.graphs:
        if not differences[graph.file] <= export.FLOAT32_BOUND:
            raise TrainingError(
                "export_differs",
                f"The exported model differs from the trained one by {differences[graph.file]:.2g}"
                f" (at most {export.FLOAT32_BOUND:g} is allowed), so it was not kept.",
                "torch and onnxruntime disagree on this machine; `underdrawing doctor` lists their versions.",
            )
    good = tuple(g for g in half if differences.get(g.file, float("inf")) <= export.FLOAT16_BOUND)
    for graph in half:
        if graph not in good:
            (folder / graph.file).unlink(missing_ok=True)
    return export.with_half(plan, good if len(good) == len(half) else ()), differences


def _differences(folder: Path, graphs: list[str], half: list[str]) -> dict[str, float]:
    """Largest differences by graph, found by the process that applies models (the only one with onnxruntime)."""
    command = [sys.executable, "-P", "-m", "underdrawing.render.verify_export", str(folder), *graphs, *half]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise TrainingError(
            "export_unchecked",
            f"The exported model could not be compared with the trained one: {last}",
            "`underdrawing doctor` checks whether onnxruntime works here.",
        )
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found
