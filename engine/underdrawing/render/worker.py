"""The renderer process: makes primitives and applies models. The only door to onnxruntime."""

from __future__ import annotations

import hashlib
import math
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from underdrawing.client.labels import ONNXRUNTIME_ABSENT
from underdrawing.client.messages import EngineError
from underdrawing.picture.extract import make_primitive
from underdrawing.picture.image import Picture, PictureError
from underdrawing.picture.layout_matching import Area, areas_of, matched
from underdrawing.picture.layout_transfer import segment_like
from underdrawing.picture.matting import lift
from underdrawing.picture.primitive import Primitive
from underdrawing.picture.underdrawing_agreement import agreement
from underdrawing.render import apply as applying
from underdrawing.render.apply import Applied, Options
from underdrawing.render.edits_task import painted_edits
from underdrawing.render.generate_task import generate
from underdrawing.render.hypernetwork import instant
from underdrawing.render.interpolate import between
from underdrawing.render.lifted import Lifted, put_back
from underdrawing.render.model import Model
from underdrawing.render.model_check import check_contents
from underdrawing.render.onnx_guard import check_graph, check_plan
from underdrawing.render.onnx_sessions import SessionStore, installed, probe
from underdrawing.render.pick_task import Picker
from underdrawing.render.pretrained import fill_network, helper_networks
from underdrawing.render.region_task import AREA_EDITS, edited_region
from underdrawing.render.results import answer_of, corner_of, grey
from underdrawing.store import made_underdrawings
from underdrawing.store.frame_codec import Inputs, kept_planes
from underdrawing.store.made_underdrawings import MadeUnderdrawing
from underdrawing.store.manifest import MANIFEST_FILE, Manifest
from underdrawing.store.worker_pipe import Context, serve

MODELS_KEPT = 4
PRIMITIVE_OPTIONS: dict[str, Callable[[float], float]] = {
    "sigma": float,
    "low": float,
    "high": float,
    "regions": int,
    "strength": float,
    "colours": int,
}


class Renderer:
    """Loaded models and the tasks on them."""

    def __init__(self) -> None:
        self.sessions = SessionStore()
        self.picker = Picker(self.sessions)
        self.areas: OrderedDict[str, Primitive] = OrderedDict()
        self.models: OrderedDict[tuple[str, int], Model] = OrderedDict()
        self.device = ""

    def _on_model(self, args: Mapping[str, Any], work: Callable[[Model], dict[str, Any]]) -> dict[str, Any]:
        """Work with the model that is meant; anew where it was finished, and so moved, before that or in the middle.

        One that changed on disk is read anew. Its picture and its graphs are read when they are needed.
        """
        folder, later = Path(args["model_folder"]), args.get("finished_folder")
        try:
            return work(self._model(str(folder)))
        except Exception:
            moved = later is not None and not (folder / MANIFEST_FILE).is_file()
            if not moved or not (Path(str(later)) / MANIFEST_FILE).is_file():
                raise
        return work(self._model(str(later)))

    def _model(self, folder: str) -> Model:
        key = (folder, (Path(folder) / MANIFEST_FILE).stat().st_mtime_ns)
        if key not in self.models:
            self.models[key] = Model(Path(folder))
            while len(self.models) > MODELS_KEPT:
                self.models.popitem(last=False)
        self.models.move_to_end(key)
        return self.models[key]

    def primitive(self, args: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """A primitive of a picture."""
        inputs = Inputs(Path(args["spool"]))
        picture = inputs.picture(args["picture"])
        options = dict(args.get("options") or {})
        networks, notes = helper_networks(_weights(args), args["kind"], options, self.sessions)
        if not installed():
            notes = [" ".join(ONNXRUNTIME_ABSENT)]
        numbers = _checked(options)
        made = make_primitive(picture, args["kind"], **numbers, **networks)
        answer = inputs.put_primitive(made, args.get("order") or "")
        notes += _kept(Path(args["home"]), picture, made, answer)
        return {**answer, "notes": notes, "picture_hash": picture.hash}

    def pick(self, args: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """The things that a person may mean, the most likely first."""
        return self.picker.pick({**args, "weights": _weights(args)})

    def lift(self, args: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """The thing under a mask as a layer of its own."""
        inputs = Inputs(Path(args["spool"]))
        layer = lift(inputs.picture(args["picture"]), inputs.weights(args["mask"]))
        key = inputs.put(layer.picture, args.get("order") or "")
        return {"layer": key, "x": layer.bounds.x, "y": layer.bounds.y, "mask": inputs.put(grey(layer.mask))}

    def region(self, args: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """A region tool on all planes together. A merged or split underdrawing of a picture is one as made."""
        inputs = Inputs(Path(args["spool"]))
        edit, notes = edited_region(inputs, args, lambda: self.picker.tree(inputs, args["picture"], _weights(args)))
        mask = inputs.put(Picture(edit.mask.astype(np.uint8) * 255))
        answer = inputs.put_primitive(edit.primitive, args.get("order") or "")
        if args["operation"] in AREA_EDITS and args.get("picture"):
            notes += _kept(Path(args["home"]), inputs.picture(args["picture"]), edit.primitive, answer)
        return {**answer, "mask": mask, "notes": notes}

    def layout(self, args: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """Another picture segmented in a model's palette."""
        return self._on_model(args, lambda model: self._layout(model, args))

    def _layout(self, model: Model, args: Mapping[str, Any]) -> dict[str, Any]:
        inputs = Inputs(Path(args["spool"]))
        if model.primitive.segments is None or model.primitive.palette is None:
            text = "This model was trained without segments, so it doesn't support layouts."
            raise EngineError("plane_missing", text, "Train on the picture with segments, or with both planes.")
        other = inputs.picture(args["picture"])
        palette = model.primitive.palette
        segments = segment_like(other, model.picture, model.primitive.segments, palette)
        known: list[Area] = []
        if args.get("areas"):
            labels, segments, known = areas_of(other, segments, palette, int(args["areas"]))
            match = {int(area): str(name) for area, name in args["match"].items()}
            segments = matched(labels, segments, known, palette, match)
        edges = None
        if model.primitive.edges is not None:
            edges = make_primitive(other, "super").edges
        made = Primitive(segments, palette, edges, None)
        areas = [area.to_json(palette) for area in known]
        return {**inputs.put_primitive(made, args.get("order") or ""), "notes": [], "areas": areas}

    def agreement(self, args: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """How much of each model's underdrawing these planes show, and at most of one that was made of a picture."""
        inputs = Inputs(Path(args["spool"]))
        planes = {name: inputs.plane(reference) for name, reference in args["planes"].items()}
        found = {}
        for name, folders in args["folders"].items():
            found[name] = self._on_model(folders, lambda model: {"agreement": model.agreement(planes)})["agreement"]
        best = 0.0
        for folder in made_underdrawings.of_picture(Path(args["home"]), args["picture_hash"] or ""):
            kept = made_underdrawings.read(folder)
            if kept is not None:
                best = max(best, agreement(kept_planes(*kept), planes))
        return {"agreement": found, "made": best}

    def edits(self, args: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """What was painted on a model's underdrawing, one by one."""
        return self._on_model(args, lambda model: painted_edits(model, args))

    def apply(self, args: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """The picture that follows from an edited underdrawing."""
        start = time.perf_counter()
        if args.get("model_folder"):
            done = self._on_model(args, lambda model: self._apply(model, args))
        else:
            inputs = Inputs(Path(args["spool"]))
            picture = inputs.picture(args["picture"])
            things = [Lifted.read(inputs, named) for named in args["lifted"]]
            filler = fill_network(_weights(args), args["fill"], self.sessions)
            seed = int(args.get("seed") or 0)
            result = put_back(picture, things, self._areas(picture, args), seed, filler=filler)
            done = answer_of(inputs, result, picture, (0, 0), args)
        return {"unseen": [], **done, "seconds": round(time.perf_counter() - start, 4)}

    def _areas(self, picture: Picture, args: Mapping[str, Any]) -> Primitive:
        """The areas of a picture, as `primitive` makes them."""
        key = picture.hash
        if key not in self.areas:
            networks, _ = helper_networks(_weights(args), "segments", {}, self.sessions)
            self.areas[key] = make_primitive(picture, "segments", **networks)
            while len(self.areas) > MODELS_KEPT:
                self.areas.popitem(last=False)
        self.areas.move_to_end(key)
        return self.areas[key]

    def _apply(self, model: Model, args: Mapping[str, Any]) -> dict[str, Any]:
        inputs = Inputs(Path(args["spool"]))
        palette = None if model.primitive.palette is None else model.primitive.palette.to_json()
        edited, unseen = model.primitive, list[str]()
        if args["planes"]:
            edited, unseen = inputs.primitive(args["planes"], palette)
            edited = _completed(edited, model.primitive)
        given = inputs.weights(args["mask"]) if args.get("mask") else None
        current = inputs.picture(args["picture"]) if args.get("picture") else None
        options = Options(
            mask_mode=str(args["mask_mode"]),
            grow=None if args.get("grow") is None else int(args["grow"]),
            feather=float(args.get("feather", Options.feather)),
            blend=str(args["blend"]),
            whole=bool(args.get("whole")),
            seed=int(args.get("seed") or 0),
            filler=fill_network(_weights(args), args["fill"], self.sessions),
        )
        below = model.picture if current is None else current
        corner = corner_of(model, below)
        result: Applied | None = None
        if args["planes"]:
            try:
                result = applying.apply(model, edited, self.sessions, options, given, current)
            except EngineError as error:
                if error.code != "nothing_edited" or not args["lifted"]:
                    raise
        if args["lifted"]:
            full = model.manifest.picture.full_width, model.manifest.picture.full_height
            part = below.bounds.translate(*corner)
            things = [Lifted.read(inputs, named).within(part, full) for named in args["lifted"]]
            areas = edited if edited.size == below.size and edited.segments is not None else self._areas(below, args)
            inner = None if result is None else result.moved(-corner[0], -corner[1])
            result = put_back(below, things, areas, options.seed, inner, options.filler).moved(*corner)
        if result is None:
            raise EngineError("nothing_edited", "Nothing is edited: there are neither planes nor lifted things.", "")
        self.device = result.device
        return {**answer_of(inputs, result, below, corner, args), "unseen": unseen}

    def generate(self, args: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """Pictures without an underdrawing."""
        done = self._on_model(args, lambda model: generate(model, args, self.sessions, context))
        self.device = str(done["device"])
        return done

    def instant(self, args: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """A model of a picture at once, by a folder's model."""
        return self._on_model(args, lambda model: instant(model, args, self.sessions, context))

    def between(self, args: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """Pictures between two, by a folder's model."""
        return self._on_model(args, lambda model: between(model, args, self.sessions, context))

    def unload(self, args: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """Forget all models and give their memory back."""
        self.models.clear()
        return {"unloaded": self.sessions.drop()}

    def status(self, args: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """What is loaded and what really runs models here."""
        found: dict[str, Any] = {
            "loaded": self.sessions.describe(),
            "memory": psutil.Process().memory_info().rss,
            "device": self.device,
        }
        if args.get("probe"):
            found["providers"] = probe()
        return found

    def check_model(self, args: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """Look into a model from elsewhere before it enters the library."""
        folder = Path(args["model_folder"])
        manifest = Manifest.load(folder)
        plan = manifest.plan
        check_plan(manifest)
        check_contents(folder, manifest)
        for graph in (*plan.graphs, *plan.half):
            check_graph(folder / graph.file, graph)
        return {"id": manifest.id}


def _checked(options: dict[str, Any]) -> dict[str, Any]:
    """Options of a primitive as numbers of their own types.

    Raises:
        EngineError: one that does not exist, or is no number.
    """
    checked: dict[str, Any] = {}
    for name, value in options.items():
        kind = PRIMITIVE_OPTIONS.get(name)
        if kind is None:
            known = ", ".join(PRIMITIVE_OPTIONS)
            raise EngineError("bad_request", f"There is no option {name!r} for primitives.", f"There are: {known}.")
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise EngineError("bad_request", f"The option {name!r} must be a number.")
        checked[name] = kind(value)
    return checked


def _kept(home: Path, picture: Picture, made: Primitive, answer: Mapping[str, Any]) -> list[str]:
    """Keep an underdrawing as it was made of a picture; a note where that fails.

    Args:
        answer: its planes and palette as they are sent.
    """
    kept = MadeUnderdrawing(*made.size, made.names, answer["palette"])
    identity = hashlib.sha256(repr(answer["planes"]).encode()).hexdigest()[:12]
    planes = {name: np.ascontiguousarray(plane) for name, plane in made.planes().items()}
    try:
        made_underdrawings.keep(home, picture.hash, identity, kept, planes)
    except OSError as fault:
        text = "The underdrawing could not be kept for later trainings"
        return [f"{text}: {fault.strerror or fault}. Train before you paint."]
    return []


def _weights(args: Mapping[str, Any]) -> Path:
    """Where pretrained networks are; an empty place where nothing can run them."""
    return Path(args["weights"]) if installed() else Path(os.devnull)


def _completed(edited: Primitive, own: Primitive) -> Primitive:
    """Planes that the user did not send are as in training."""
    if edited.size != own.size:
        return edited
    palette = edited.palette or own.palette
    segments = own.segments if edited.segments is None else edited.segments
    edges = own.edges if edited.edges is None else edited.edges
    paint = own.paint if edited.paint is None else edited.paint
    return Primitive(segments, palette, edges, paint)


def _clear(task: Any) -> Any:
    """Faults of pictures as errors of the protocol."""

    def run(args: Mapping[str, Any], context: Context) -> dict[str, Any]:
        try:
            done: dict[str, Any] = task(args, context)
        except PictureError as error:
            raise EngineError("bad_picture", str(error), "") from None
        return done

    return run


if __name__ == "__main__":
    renderer = Renderer()
    tasks = "primitive pick lift region layout agreement edits apply generate instant between".split()
    tasks += ["unload", "status", "check_model"]
    serve({name: _clear(getattr(renderer, name)) for name in tasks})
