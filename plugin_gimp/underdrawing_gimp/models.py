"""Engine and models, and trainings, for scripts: one procedure each, answers as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from . import models_window
from .client import endpoint
from .client.messages import EngineError
from .diagnostics import diagnostics
from .plugin import Call
from .service import Service, connected


def run(call: Call) -> tuple[Any, ...]:
    """The procedure `underdrawing-engine`: the answer as JSON."""
    if call.interactive:
        models_window.Window().run()
        return ("{}",)
    values = call.values
    action = values["action"]
    if action == "stop" and endpoint.known(endpoint.home()) is None:
        return ("{}",)
    with connected("Asking the engine", start=action != "stop") as service:
        return (json.dumps(_do(service, action, values), ensure_ascii=False),)


def _do(service: Service, action: str, values: dict[str, Any]) -> Any:
    engine, model = service, values["model"]
    if action == "status":
        return engine.status()
    if action == "models":
        return engine.models()
    if action == "free":
        return engine.unload()
    if action == "stop":
        answer = engine.shutdown()
        engine.wait_for_end()
        return answer
    if action == "diagnostics":
        return {"text": diagnostics(engine.status())}
    if action == "import":
        return engine.import_model(Path(_file(values)))
    if not model:
        raise EngineError("unknown_model", "No model was given.", "Give its id or its name.")
    if action == "export":
        return engine.export_model(model, Path(_file(values)))
    if action == "rename":
        return engine.rename(model, values["new_name"])
    return engine.delete(model)


def _file(values: dict[str, Any]) -> str:
    if not values["file"]:
        raise EngineError("file", "No file was given.", "Give one that ends in .underdrawing.")
    return str(values["file"])


def run_training(call: Call) -> tuple[Any, ...]:
    """The procedure `underdrawing-training`: the training's state as JSON."""
    job, action = call.values["job"], call.values["action"]
    with connected("Asking the engine") as service:
        if action == "list":
            return (json.dumps(service.jobs(), ensure_ascii=False),)
        if not job:
            raise EngineError("unknown_job", "No training was given.", "Give its id, or its model's.")
        if action == "state":
            found = [one for one in service.jobs() if job in (one["job"], one["model"], one["name"])]
            if not found:
                raise EngineError("unknown_job", "There is no training “%s”." % job, "The action list tells of all.")
            return (json.dumps(found[-1], ensure_ascii=False),)
        if action == "wait":
            return (json.dumps(service.watch(job), ensure_ascii=False),)
        return (json.dumps(service.request(action, {"job": job}).body, ensure_ascii=False),)
