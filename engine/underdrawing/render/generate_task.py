"""The renderer's task `generate`: from a request's arguments to its answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from underdrawing.client.messages import EngineError
from underdrawing.render.apply import network_note, reduced_note
from underdrawing.render.composite_tasks import REACH, on_picture
from underdrawing.render.generate import RATE, GenerateOptions, freely
from underdrawing.render.model import Model
from underdrawing.render.onnx_sessions import SessionStore
from underdrawing.render.results import answer_of, corner_of
from underdrawing.store.frame_codec import Inputs
from underdrawing.store.manifest import Task
from underdrawing.store.worker_pipe import Context


def generate(model: Model, args: Mapping[str, Any], sessions: SessionStore, context: Context) -> dict[str, Any]:
    """Make what is asked for.

    Args:
        args: as `generaterequests` checked them.
        context: told how many pictures are done; its wish to cancel is looked at between them.

    Raises:
        EngineError: sizes that do not fit, nothing that was changed, a model that cannot do this.
    """
    start = time.perf_counter()
    wishes, inputs = wishes_of(args), Inputs(Path(args["spool"]))
    if wishes.task not in model.manifest.plan.tasks:
        raise EngineError("wrong_task", f"The model {model.manifest.name!r} doesn't support {wishes.task}.")
    if wishes.task in REACH:
        mask = inputs.weights(args["mask"]) if args.get("mask") else None
        result, given = on_picture(model, wishes, inputs.picture(args["picture"]), mask, sessions)
        answer = answer_of(inputs, result, given, corner_of(model, given), args)
        return {**answer, "seconds": round(time.perf_counter() - start, 4)}
    total = {Task.VARY: wishes.count, Task.ANIMATE: wishes.frames}.get(wishes.task, 1)
    made: list[str] = []
    device, size = "", (0, 0)
    for one in freely(model, wishes, sessions):
        made.append(inputs.put(one.picture, args.get("order") or ""))
        device, size = one.device, one.picture.size
        context.event("progress", phase="generating", fraction=len(made) / total, done=len(made), of=total)
        if context.wanted() == "cancel":
            raise EngineError("cancelled", "Cancelled.")
    answer = {"width": size[0], "height": size[1], "device": device, "notes": _notes(model, wishes)}
    answer |= {"pictures": made} if wishes.task in (Task.VARY, Task.ANIMATE) else {"picture": made[0]}
    answer |= {"rate": RATE} if wishes.task is Task.ANIMATE else {}
    return {**answer, "seconds": round(time.perf_counter() - start, 4)}


def wishes_of(args: Mapping[str, Any]) -> GenerateOptions:
    """Arguments that were checked; what is not said is as `GenerateOptions` has it."""
    said = {
        name: args[name]
        for name in ("count", "frames", "freedom", "light", "seed", "grow", "feather", "blend", "network_picture")
        if args.get(name) is not None
    }
    size = (int(args["width"]), int(args["height"])) if args.get("width") else None
    return GenerateOptions(task=Task(args["task"]), size=size, **said)


def _notes(model: Model, wishes: GenerateOptions) -> list[str]:
    if model.manifest.plan.scale == 1 or wishes.task is Task.ENLARGE:
        return []
    scale = model.manifest.plan.scale
    return [network_note(scale) if wishes.as_made(model) else reduced_note(scale)]
