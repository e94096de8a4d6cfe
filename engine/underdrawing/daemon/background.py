"""Training in the background: begun after a draft, held back on battery and while a person's own trainings run.

The choice is the person's: `on`, `off`, or `auto`: where a graphics card trains. What is trained serves the draft's
model as soon as it is better by measurement (`Library.improved`); what is not better is thrown away, with a note.
"""

from __future__ import annotations

import json
import logging
import uuid
from pathlib import Path
from typing import Any

import psutil

from underdrawing.client.labels import model_name
from underdrawing.client.messages import EngineError
from underdrawing.client.service_requests import BackgroundRequest
from underdrawing.daemon.clients import Ask
from underdrawing.daemon.context import EngineContext, Handler
from underdrawing.daemon.handlers_train import new_job
from underdrawing.daemon.job_queue import Job
from underdrawing.store.model_library import write_text

log = logging.getLogger("underdrawing.background")

FILE = "background.json"
EVERY = 10.0  # seconds between looks at the battery
AUTO, ON, OFF = "auto", "on", "off"
FRESH: dict[str, Any] = {"method": "refine", "recipe": None, "options": {}, "iterations": None, "budget": None}


def choice(home: Path) -> str:
    """What the person chose; `auto` where there is no choice or it cannot be read."""
    try:
        found = json.loads((home / FILE).read_text(encoding="utf-8"))["training"]
    except (OSError, ValueError, KeyError, TypeError):
        return AUTO
    return found if found in (ON, OFF) else AUTO


def choose(home: Path, training: str) -> None:
    """Keep a choice."""
    write_text(home / FILE, json.dumps({"training": training}))


def on_battery() -> bool:
    """Whether this machine runs on its battery; not all systems tell."""
    sensors = getattr(psutil, "sensors_battery", None)
    battery = sensors() if sensors is not None else None
    return battery is not None and battery.power_plugged is False


def follow_up(context: EngineContext, done: Job) -> None:
    """Queue the training that follows a finished draft, where it is wanted."""
    trains = str(done.figures.get("device", "CPU"))
    chosen = choice(context.home)
    if chosen == OFF or (chosen == AUTO and trains.startswith("CPU")):
        return
    try:
        model = context.library.find(done.model)
        if model.method == "draft":
            args = {**done.args, **FRESH, "draft": model.id}
            new_job(context, model_name(model.name, "trained"), args, uuid.uuid4().hex, keep=True)
    except EngineError as error:  # its pictures have made way, or the disk is full: the draft serves on
        log.info("no training follows the draft %s: %s", done.model, error.code)


def background(context: EngineContext, ask: Ask, wanted: BackgroundRequest) -> None:
    """What is chosen, after a choice where one comes along."""
    if wanted.training:
        choose(context.home, wanted.training)
    ask.reply({"training": choice(context.home), "held": context.jobs.held})


HANDLERS: dict[str, Handler] = {"background": background}
