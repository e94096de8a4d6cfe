"""One training job from its inputs to a finished model folder. Runs in the worker process."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from underdrawing import __version__
from underdrawing.client.ensure_model import AGREES, composite_key
from underdrawing.client.labels import ONNXRUNTIME_ABSENT
from underdrawing.client.messages import EngineError
from underdrawing.picture.image import Picture
from underdrawing.picture.primitive import Primitive, write_primitive
from underdrawing.store import model_writer
from underdrawing.store.frame_codec import Inputs
from underdrawing.store.manifest import CHECKPOINT_FILE, MANIFEST_FILE, ApplyPlan, Manifest, PlaneSpec
from underdrawing.store.model_library import LIVE
from underdrawing.store.worker_pipe import Listener
from underdrawing.train import export, loop
from underdrawing.train.continue_from import Base
from underdrawing.train.device import Device, choose
from underdrawing.train.distributed import Team
from underdrawing.train.loop import Limits, Outcome, Report
from underdrawing.train.method import Method, Recipe, Run, TrainingError
from underdrawing.train.methods import everything, find
from underdrawing.train.methods.meta.dataset import prepare_folder
from underdrawing.train.prepare import Prepared, prepare
from underdrawing.train.unedited_underdrawing import underdrawing_as_made

FEATURE_FILES = {"vgg16": "vgg16.safetensors", "vgg19": "vgg19.safetensors"}


class _Relay:
    """Passes what the loop reports to the daemon."""

    def __init__(self, context: Listener, inputs: Inputs, prepared: Prepared, device: Device, live: _Live) -> None:
        self.context, self.inputs, self.prepared, self.device = context, inputs, prepared, device
        self.live = live

    def progress(self, report: Report) -> None:
        self.context.event("progress", phase="training", device=self.device.name, **asdict(report))

    def sample(self, picture: Tensor) -> None:
        self.context.event("sample", hash=self.inputs.put(_shown(picture, self.prepared)))

    def usable(self, iteration: int) -> None:
        self.live.update(iteration)
        self.context.event("usable", iteration=iteration)

    def note(self, text: str) -> None:
        self.context.event("note", text=text)

    def wanted(self) -> str | None:
        return self.context.wanted()


class _Live:
    """What can be used already while training goes on: a model folder of its own, made better from time to time."""

    def __init__(
        self,
        args: Mapping[str, Any],
        folder: Path,
        method: Method,
        recipe: Recipe,
        prepared: Prepared,
        picture: Picture,
        run: Run,
        device: Device,
    ) -> None:
        self.folder, self.run, self.device = folder, run, device
        self._given = (args, folder, method, recipe, prepared, picture, run)

    def begin(self) -> None:
        """Before the training, where the method can do without."""
        plan = self.run.first()
        if plan is not None:
            self.folder.mkdir(exist_ok=True)
            self._leave(plan, 0)

    def update(self, iteration: int) -> None:
        """With the training so far; graphs are used as soon as they are there."""
        plan = self.run.plan()
        for graph in self.run.graphs():
            path = self.folder / graph.file
            if not path.is_file() or not export.update(graph, path):
                export.export([graph], self.folder)
        self._leave(plan, iteration)

    def _leave(self, plan: ApplyPlan, iteration: int) -> None:
        _leave(*self._given, plan, {"iterations": iteration, "device": self.device.name}, unfinished=True)


def _shown(picture: Tensor, prepared: Prepared) -> Picture:
    """A sample as a picture, without the padding."""
    height, width = prepared.data.pairs[0].inside
    rgb = picture[0, :, :height, :width].permute(1, 2, 0).cpu().numpy() / 2 + 0.5
    return Picture((rgb.clip(0, 1) * 255 + 0.5).astype(np.uint8))


def signature(method: Method, recipe: Recipe, seed: int, prepared: Prepared) -> str:
    """A fingerprint of what is trained; a checkpoint of something else must not be resumed."""
    figures = {f.name: getattr(recipe.figures, f.name) for f in fields(recipe.figures)}
    text = json.dumps([method.name, recipe.name, figures, seed, prepared.data.region], sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode())
    for pair in prepared.data.pairs:
        digest.update(pair.picture.numpy().tobytes())
        for name in sorted(pair.planes):
            digest.update(pair.planes[name].values.numpy().tobytes())
    if prepared.data.composite is not None:
        digest.update(prepared.data.composite.numpy().tobytes())
    return digest.hexdigest()


def train(args: Mapping[str, Any], context: Listener) -> dict[str, Any]:
    """Train, export, compare, and leave a complete model folder whose manifest is written last.

    Args:
        args: as docs/protocol.md describes the job.
        context: where events go and wishes to pause or cancel come from.

    Returns:
        The state in which it ended, and the measured figures.

    Raises:
        EngineError: with a sentence for the user.
    """
    folder, home = Path(args["folder"]), Path(args["home"])
    try:
        context.event("progress", phase="preparing", fraction=0.0)
        base = Base.read(folder) if args.get("base") else None
        inputs = Inputs(Path(args["spool"]), folder / "inputs")
        picture = inputs.picture(args["picture"])
        primitive = _underdrawing(args, inputs, picture, context)
        method = find(base.manifest.method if base else str(args.get("method") or _usual(args, primitive)))
        recipe = base.recipe(method, args) if base else _recipe(method, args)
        device, team = _device(args, home), Team.present()
        device = replace(device, bfloat16=team.agreed(device.bfloat16))
        region = base.region if base else _region(args)
        if args.get("pictures"):
            pictures = [inputs.picture(reference) for reference in args["pictures"]]
            prepared = prepare_folder(pictures, picture, method, recipe, device)
        else:
            prepared = prepare(picture, primitive, region, method, recipe, device, _features(Path(args["weights"])))
        if base is not None:
            if args.get("composite"):
                prepared = base.further(prepared, inputs.picture(args["composite"]), inputs.weights(args["mask"]))
            else:
                prepared = base.again(prepared)
        seed = int(args.get("seed") or 0)
        run = method.begin(prepared.data, recipe, device, seed)
        for note in [*prepared.notes, *run.notes]:
            context.event("note", text=note)
        limits = _limits(args, recipe, run)
        if not method.needs_training:
            if args.get("budget") or args.get("iterations"):
                context.event("note", text=f"The method {method.name} needs no training; the budget is ignored.")
            figures = {"iterations": 0, "seconds": 0.0, "device": device.name, "export_difference": {}}
            _leave(args, folder, method, recipe, prepared, picture, run, run.plan(), figures)
            return {"state": "done", "figures": figures}
        if importlib.util.find_spec("onnxruntime") is None:  # it runs the exported graphs, in another process
            raise EngineError("no_onnxruntime", *ONNXRUNTIME_ABSENT)
        live = _Live(args, folder / LIVE, method, recipe, prepared, picture, run, device)
        live.begin()
        relay = _Relay(context, inputs, prepared, device, live)
        result = loop.train(run, limits, folder, relay, signature(method, recipe, seed, prepared), team.leads)
        figures = {
            "iterations": result.standing.iteration,
            "seconds": round(result.standing.elapsed, 2),
            "budget": limits.budget,
            "seed": seed,
            "device": device.name,
            "losses": result.losses,
            "saving_share": round(result.saving, 4),
            "calmed": result.standing.calmed,
        }
        if result.outcome is not Outcome.DONE or not team.leads:
            return {"state": str(result.outcome), "figures": figures}
        context.event("progress", phase="exporting", fraction=1.0, device=device.name)
        plan, differences = _export(run, folder, device)
        figures["export_difference"] = differences
        if args.get("pictures"):
            figures["pictures"] = len(args["pictures"])
        elif base is None:
            figures["pixel_difference"] = _own_difference(run, prepared)
        else:
            figures["base"] = base.manifest.id
            if args.get("composite"):
                figures["composite"] = composite_key(args["composite"], args["mask"])
        _leave(args, folder, method, recipe, prepared, picture, run, plan, figures)
    except TrainingError as error:
        raise EngineError(error.code, str(error), error.hint) from None
    return {"state": "done", "figures": figures}


def _underdrawing(args: Mapping[str, Any], inputs: Inputs, picture: Picture, context: Listener) -> Primitive | None:
    """The underdrawing to train with: as it was made of the picture where that is asked for, else as given."""
    if args.get("as_made"):
        planes = args["planes"] or args.get("edited") or {}
        given = {name: inputs.plane(reference) for name, reference in planes.items()}
        # Planes that agree with nothing that was made are a drawing of their own.
        least = AGREES if args["planes"] else 0.0
        made = underdrawing_as_made(Path(args["home"]), Path(args["folder"]), picture.hash, given, least)
        if made is not None:
            return made
    if not args["planes"]:
        return None
    primitive, unseen = inputs.primitive(args["planes"], args.get("palette"))
    for colour in unseen:
        context.event("note", text=colour)
    return primitive


def _usual(args: Mapping[str, Any], primitive: Primitive | None) -> str:
    """The method where none was named: the one that has the named recipe, else the draft.

    The draft cannot follow a paint plane; DeepSIM can.
    """
    recipe = args.get("recipe")
    for name, method in everything().items():
        if recipe in method.recipes:
            return name
    if args.get("pictures"):
        return "meta"
    planes = set() if primitive is None else set(primitive.names)
    return "draft" if {"segments", "edges"} & planes else "deepsim"


def _recipe(method: Method, args: Mapping[str, Any]) -> Recipe:
    name = str(args.get("recipe") or method.default_recipe)
    if name not in method.recipes:
        text = f"The method {method.name!r} has no recipe called {name!r}."
        raise TrainingError("unknown_recipe", text, f"Choose one of: {', '.join(method.recipes)}.")
    return method.recipes[name].with_options(args.get("options") or {})


def _device(args: Mapping[str, Any], home: Path) -> Device:
    try:
        return choose(str(args.get("device") or "auto"), args.get("threads"), home / "run" / "precision.json")
    except ValueError as error:
        text = f"The graphics card cannot be used: {error}."
        raise TrainingError("no_gpu", text, "Choose the processor (on the command line: --device cpu).") from None


def _region(args: Mapping[str, Any]) -> tuple[int, int, int, int] | None:
    region = args.get("region")
    if region is None:
        return None
    x, y, width, height = (int(v) for v in region)
    return x, y, width, height


def _features(weights: Path) -> dict[str, str]:
    found = {name: weights / file for name, file in FEATURE_FILES.items()}
    return {name: str(path) for name, path in found.items() if path.is_file()}


def _limits(args: Mapping[str, Any], recipe: Recipe, run: Run) -> Limits:
    """Iterations or seconds, as asked for; else the recipe's own, or those of its paper for these data."""
    iterations, budget = args.get("iterations"), args.get("budget")
    if iterations is None and budget is None:
        iterations, budget = recipe.iterations, recipe.budget
        if budget is None and run.length is not None:
            iterations = run.length
    if iterations is not None:
        return Limits(max(1, int(iterations)), None)
    return Limits(None, max(1.0, float(budget or 0)))


def _export(run: Run, folder: Path, device: Device) -> tuple[ApplyPlan, dict[str, float]]:
    """Graphs in the folder, compared with torch where they will be applied.

    Raises:
        TrainingError: a float32 graph differs by more than the bound.
    """
    graphs, plan = run.graphs(), run.plan()
    export.export(graphs, folder)
    half = export.export_half(graphs, plan, folder) if device.is_cuda else ()
    check = export.write_check(graphs, plan, folder)
    try:
        differences = verify_elsewhere(folder, [g.file for g in plan.graphs], [g.file for g in half])
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


def verify_elsewhere(folder: Path, graphs: list[str], half: list[str]) -> dict[str, float]:
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


def _own_difference(run: Run, prepared: Prepared) -> float:
    """Mean absolute difference, in [0, 1], between the picture and what the model makes of its own primitive."""
    pair = prepared.data.pairs[0]
    height, width = pair.inside
    made = run.sample().cpu()[..., :height, :width]
    return round(float((made - pair.picture[..., :height, :width]).abs().mean()) / 2, 5)


def _leave(
    args: Mapping[str, Any],
    folder: Path,
    method: Method,
    recipe: Recipe,
    prepared: Prepared,
    whole: Picture,
    run: Run,
    plan: ApplyPlan,
    figures: dict[str, Any],
    unfinished: bool = False,
) -> None:
    """Write everything that belongs to the model; the manifest last, as it makes the folder a model."""
    picture, primitive = prepared.picture, prepared.primitive
    if not (folder / MANIFEST_FILE).is_file():
        model_writer.keep_picture(folder, picture)
        if primitive is not None:
            write_primitive(folder / "primitive.png", primitive)
    primitive_files = sorted(folder.glob("primitive*.png"))
    preview = model_writer.keep_preview(folder, _shown(run.sample(), prepared))
    names = [model_writer.picture_file(picture), preview, *(p.name for p in primitive_files)]
    names += [g.file for g in (*plan.graphs, *plan.half)]
    if method.needs_training and not unfinished:
        names.append(CHECKPOINT_FILE)
    used = set() if primitive is None else set(primitive.planes())
    manifest = Manifest(
        id=str(args["model"]),
        name=str(args.get("name") or args["model"]),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        method=method.name,
        recipe=recipe.name,
        planes=tuple(PlaneSpec(p.name, p.kind, True) for p in method.planes if p.name in used),
        plan=plan,
        picture=model_writer.picture_info(picture, whole.size, prepared.white),
        palette=() if primitive is None or primitive.palette is None else tuple(primitive.palette.to_json()),
        hyperparameters={
            f.name: {"value": getattr(recipe.figures, f.name), "source": recipe.sources[f.name]}
            for f in fields(recipe.figures)
        },
        figures=figures,
        versions=_versions(),
    )
    model_writer.keep_manifest(folder, manifest, names)


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {
        "underdrawing": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "onnx": version("onnx"),
    }
