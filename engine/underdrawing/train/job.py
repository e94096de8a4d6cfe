"""One training job from its inputs to a finished model folder. Runs in the worker process."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from underdrawing.client import labels
from underdrawing.client.ensure_model import AGREES, composite_key
from underdrawing.client.labels import ONNXRUNTIME_ABSENT
from underdrawing.client.messages import EngineError
from underdrawing.picture.image import Picture
from underdrawing.picture.primitive import Primitive
from underdrawing.store.frame_codec import Inputs
from underdrawing.store.model_library import LIVE
from underdrawing.store.worker_pipe import Listener
from underdrawing.train import loop
from underdrawing.train.continue_from import Base
from underdrawing.train.device import Device, choose
from underdrawing.train.distributed import Team
from underdrawing.train.loop import Limits, Outcome, Report
from underdrawing.train.method import MeasuringRun, Method, Recipe, Run, TrainingError
from underdrawing.train.methods import everything, find
from underdrawing.train.methods.meta.dataset import prepare_folder
from underdrawing.train.prepare import Prepared, prepare
from underdrawing.train.trained_model import LiveModel, TrainedModel, export_checked
from underdrawing.train.unedited_underdrawing import underdrawing_as_made

FEATURE_FILES = {"vgg16": "vgg16.safetensors", "vgg19": "vgg19.safetensors"}


class _Relay:
    """Passes what the loop reports to the daemon."""

    def __init__(self, context: Listener, inputs: Inputs, live: LiveModel) -> None:
        self.context, self.inputs, self.live = context, inputs, live

    def progress(self, report: Report) -> None:
        self.context.event("progress", phase="training", device=self.live.device.name, **asdict(report))

    def sample(self, picture: Tensor) -> None:
        self.context.event("sample", hash=self.inputs.put(self.live.model.shown(picture)))

    def usable(self, iteration: int) -> None:
        self.live.update(iteration)
        self.context.event("usable", iteration=iteration)

    def note(self, text: str) -> None:
        self.context.event("note", text=text)

    def wanted(self) -> str | None:
        return self.context.wanted()


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
        device, team = _device(args, home, method), Team.present()
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
        identity, limits = str(args["model"]), _limits(args, recipe, run)
        name, draft = str(args.get("name") or identity), str(args.get("draft") or "")
        model = TrainedModel(identity, name, method, recipe, prepared, picture.size, run, draft)
        if not method.needs_training:
            if args.get("budget") or args.get("iterations"):
                context.event("note", text=f"The method {method.name} needs no training; the budget is ignored.")
            figures = {"iterations": 0, "seconds": 0.0, "device": device.name, "export_difference": {}}
            model.write(folder, run.plan(), figures)
            return {"state": "done", "figures": figures}
        if importlib.util.find_spec("onnxruntime") is None:  # it runs the exported graphs, in another process
            raise EngineError("no_onnxruntime", *ONNXRUNTIME_ABSENT)
        live = LiveModel(model, folder / LIVE, device)
        live.begin()
        relay = _Relay(context, inputs, live)
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
        plan, figures["export_difference"] = export_checked(run, folder, device)
        if isinstance(run, MeasuringRun):
            figures["measured"] = measured = run.measured()
            if draft and not measured["used"]:
                context.event("note", text=labels.measured(figures))
                return {"state": "unused", "figures": figures}
        if args.get("pictures"):
            figures["pictures"] = len(args["pictures"])
        elif base is None:
            figures["pixel_difference"] = model.own_difference()
        else:
            figures["base"] = base.manifest.id
            if args.get("composite"):
                figures["composite"] = composite_key(args["composite"], args["mask"])
        model.write(folder, plan, figures)
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


def _device(args: Mapping[str, Any], home: Path, method: Method) -> Device:
    wanted, memory = str(args.get("device") or "auto"), home / "run" / "precision.json"
    try:
        return choose(wanted, args.get("threads"), memory, method.needs_training)
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
