"""Train on This Picture: the procedure, for a script and for a person."""

from __future__ import annotations

from typing import Any

from . import record, training, transform_detection
from .plugin import Call
from .service import connected
from .training import TrainingOptions

ALREADY = "The model “%s” is trained on this picture already."


def run(call: Call) -> tuple[Any, ...]:
    """The procedure `underdrawing-train`: model, job, state, notes."""
    known = record.need(call.image, call.drawables)
    record.layer_of(call.image, known)
    if call.interactive:
        from .training_window import Window  # where there is a screen

        return Window(call.image, known).run()
    values = call.values
    names = ("method", "recipe", "budget", "device", "model_name")
    options = TrainingOptions(*(values[name] for name in names))
    with connected("Training on the picture") as service:
        if not values["again"] and known.model:
            found = transform_detection.look(service, call.image, known)
            known = found.known
            if found.same and found.model is not None:
                return known.model, "", "done", ALREADY % found.model["name"]
        known = training.begin(service, call.image, known, options)
        if not values["wait"]:
            return known.model, known.job, "running", ""
        ended = training.follow(service, known.job).check()
    return known.model, known.job, ended.state, "\n".join(ended.notes)
