"""Folder models: trained on a folder of pictures, they make a model of any picture at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .client.labels import CHOOSE_ANOTHER, FOLDER_MODEL_GONE, FOLDER_MODEL_HINT, NO_FOLDER_MODEL
from .client.messages import EngineError
from .service import Service


def makers(models: Sequence[dict[str, Any]], task: str = "") -> list[dict[str, Any]]:
    """The folder models whose models can do a task, the newest first.

    Args:
        models: what the engine says, the oldest first.
        task: one of the engine's; "" for any.
    """
    said = [(model, model.get("makes") or []) for model in reversed(models)]
    return [model for model, makes in said if makes and (not task or task in makes)]


def maker_of(service: Service, wanted: str) -> str:
    """The id of a folder model.

    Args:
        wanted: its id or name; "" for the newest one.

    Raises:
        EngineError: it is not there, and what to do.
    """
    if not wanted:
        found = makers(service.models())
        if not found:
            raise EngineError("no_folder_model", NO_FOLDER_MODEL, FOLDER_MODEL_HINT)
        return str(found[0]["id"])
    try:
        return str(service.model(wanted)["id"])
    except EngineError as error:
        if error.code != "unknown_model":
            raise
        raise EngineError("no_folder_model", FOLDER_MODEL_GONE, CHOOSE_ANOTHER) from None


def refining(picture_hash: str, models: Sequence[dict[str, Any]], jobs: Sequence[dict[str, Any]]) -> str:
    """The folder model whose model of a picture is being refined; "" without one.

    Args:
        models, jobs: what the engine says.
    """
    made = {model["id"]: str(model["base"]) for model in models if model["picture_hash"] == picture_hash}
    running = [job for job in jobs if job["state"] in ("queued", "running", "paused")]
    return next((made[job["base"]] for job in reversed(running) if job.get("base") in made), "")
