"""Train on This Picture: the procedure, for a script and for a person."""

from __future__ import annotations

from typing import Any

from . import record, training, transform_detection
from .gi import Gimp
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
            found = transform_detection.look(service.engine, call.image, known)
            known = found.known
            if found.same and found.model is not None:
                return known.model, "", "done", ALREADY % found.model["name"]
        known = training.begin(service, call.image, known, options)
        if not values["wait"]:
            return known.model, known.job, "running", ""

        def on_event(event: dict[str, Any]) -> None:
            if event["event"] == "progress":
                Gimp.progress_update(float(event.get("fraction") or 0))
                Gimp.progress_set_text(training.progress_text(event))

        last = training.follow(service, known.job, on_event)
    return known.model, known.job, str(last["state"]), "\n".join(last["notes"])
