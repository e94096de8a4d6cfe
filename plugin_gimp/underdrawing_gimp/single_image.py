"""Models of a picture that need no underdrawing: found, trained, asked. What the picture's file knows of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any

from . import record, training
from .client.engine import RECIPES, Reply
from .client.frames import Frame
from .client.messages import EngineError, new_id
from .flatten_view import View
from .gi import Gimp
from .service import Service

NOTE = "single-picture"  # on the image: which models were trained on it
MOST = 32  # of them that are remembered, the newest
UNDER_WAY = ("queued", "running", "paused")
LARGE = "-large"  # behind a recipe's name: the same at more pixels
FINE = "fine-tuned"  # in place of a recipe: models that were trained further for one composite
LONGEST = 1800.0  # seconds for what is made: clips of large pictures take minutes without a graphics card


class State(Enum):
    """What there is for a task."""

    TRAINED = "a model of exactly this picture"
    CHANGED = "a model of the picture as it was before"
    TRAINING = "a training that is under way or paused"
    NEW = "nothing yet"


@dataclass(frozen=True)
class Standing:
    """What there is for a task, and its model or training.

    Attributes:
        fraction: of a training, 0 to 1.
    """

    state: State
    model: str = ""
    name: str = ""
    job: str = ""
    paused: bool = False
    fraction: float = 0.0


@dataclass(frozen=True)
class Trained:
    """What the picture's file remembers of one training.

    Attributes:
        picture: `View.key` of what the model was trained on; of a fine-tuned model, see `fine_key`.
        width, height: its pixels.
        recipe: or `FINE`.
        model, job: ids.
    """

    picture: str
    width: int
    height: int
    recipe: str
    model: str
    job: str


@dataclass(frozen=True)
class Wish:
    """What is to be made, and how to train for it.

    Attributes:
        task: one of `link.client.RECIPES`.
        time: seconds to train; 0 for what the recipe needs.
        iterations: to train instead; 0 for none.
        again: train again, whatever is known of it.
        exact: a model of the picture as it was before will not do.
        large: train at more pixels than usual; only a model that did so will do.
        maker: a folder's model, by id or name, that makes the model at once; "" to train. The time is then
            that for which the model is trained further before it is used, 0 for not at all.
        device: what trains: "auto", "cpu" or "cuda".
    """

    task: str
    time: float = 0.0
    iterations: int = 0
    again: bool = False
    exact: bool = False
    large: bool = False
    maker: str = ""
    device: str = "auto"

    @classmethod
    def of(cls, task: str, values: dict[str, Any]) -> Wish:
        """From a procedure's arguments."""
        time = 0.0 if values["time"] == "auto" else float(values["time"])
        exact, large = bool(values.get("fine_tune")), bool(values.get("large"))
        maker = str(values.get("maker") or "").strip()
        return cls(task, time, values["iterations"], values["again"], exact, large, maker, values["device"])

    @property
    def recipe(self) -> str:
        """What is trained for it."""
        return RECIPES[self.task] + LARGE * self.large

    @property
    def length(self) -> dict[str, Any]:
        """For how long to train, as `train` is asked; nothing for what the recipe needs."""
        if self.iterations:
            return {"iterations": self.iterations}
        return {"budget": self.time} if self.time else {}

    @property
    def refines(self) -> bool:
        """A model that is made at once shall be trained further."""
        return bool(self.maker and self.length)


def remembered(image: Gimp.Image) -> list[Trained]:
    """What the picture's file knows, the oldest first."""
    note = image.get_parasite(NOTE)
    if note is None:
        return []
    try:
        return [Trained(**entry) for entry in json.loads(bytes(note.get_data()).decode("utf-8"))]
    except (ValueError, TypeError):
        return []


def remember(image: Gimp.Image, trained: Trained) -> None:
    """Keep a training with the picture; the undo history does not know of it."""
    kept = [entry for entry in remembered(image) if entry.model != trained.model]
    text = json.dumps([asdict(entry) for entry in [*kept, trained][-MOST:]])
    image.attach_parasite(Gimp.Parasite.new(NOTE, record.KEPT, text.encode("utf-8")))


def remember_found(image: Gimp.Image, view: View, wish: Wish, found: Standing) -> None:
    """Keep with the picture which model knows it, so that it is found when the picture has changed."""
    if all(entry.model != found.model for entry in remembered(image)):
        remember(image, Trained(view.key, view.frame.width, view.frame.height, wish.recipe, found.model, ""))


def standing(
    view: View,
    wish: Wish,
    notes: Sequence[Trained],
    models: Sequence[dict[str, Any]],
    jobs: Sequence[dict[str, Any]],
) -> Standing:
    """What there is for a task.

    Args:
        notes: what the picture's file knows.
        models, jobs: what the engine says, the oldest first.
    """
    mine = [note for note in notes if note.picture == view.key and note.recipe == wish.recipe]
    for job in reversed(jobs):
        if job["state"] in UNDER_WAY and any(note.job == job["job"] for note in mine):
            return _under_way(job)
    able = [model for model in models if wish.task in (model.get("tasks") or []) and not model.get("base")]
    same = [model for model in able if model["picture_hash"] == view.key]
    found = [model for model in same if model["recipe"] == wish.recipe] or ([] if wish.large else same)
    if found and not wish.again:
        return Standing(State.TRAINED, found[-1]["id"], found[-1]["name"])
    size = (view.frame.width, view.frame.height)
    known = {note.model for note in notes if note.recipe != FINE and (note.width, note.height) == size}
    before = [model for model in able if model["id"] in known]
    before = [model for model in before if model["recipe"] == wish.recipe] or ([] if wish.large else before)
    if before and not wish.again and not wish.exact:
        return Standing(State.CHANGED, before[-1]["id"], before[-1]["name"])
    return Standing(State.NEW)


def known_models(service: Service) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The engine's models and trainings."""
    return list(service.ask("models.list").body["models"]), list(service.ask("jobs").body["jobs"])


def begin(service: Service, image: Gimp.Image, view: View, wish: Wish) -> Standing:
    """Begin to train on a picture; its file remembers the model at once.

    Raises:
        EngineError: why it cannot begin.
    """
    title = training.model_name(image, "")[:100]
    body: dict[str, Any] = {"recipe": wish.recipe, "name": "%s, %s" % (title, wish.recipe)}
    body |= {"picture": {"hash": view.frame.hash}, "device": wish.device, **wish.length}
    trained = Trained(view.key, view.frame.width, view.frame.height, wish.recipe, "", "")
    return begun(service, image, trained, body, [view.frame])


def fine_key(base: str, given: Frame, mask: Frame) -> str:
    """What a fine-tuned model is remembered by."""
    return hashlib.sha256(" ".join((base, given.hash, mask.hash)).encode()).hexdigest()


def fine_tuned(service: Service, image: Gimp.Image, base: str, given: Frame, mask: Frame) -> Standing:
    """What there is of a model that was trained further for one composite: `TRAINED`, `TRAINING` or `NEW`."""
    return noted(remembered(image), fine_key(base, given, mask), *known_models(service))


def noted(
    notes: Sequence[Trained], key: str, models: Sequence[dict[str, Any]], jobs: Sequence[dict[str, Any]]
) -> Standing:
    """What there is of a model that the picture's file remembers by a key: `TRAINED`, `TRAINING` or `NEW`."""
    for note in reversed(notes):
        if note.picture != key:
            continue
        for model in models:
            if model["id"] == note.model:
                return Standing(State.TRAINED, note.model, model["name"])
        for job in jobs:
            if job["job"] == note.job and job["state"] in UNDER_WAY:
                return _under_way(job)
    return Standing(State.NEW)


def _under_way(job: dict[str, Any]) -> Standing:
    """A training that is under way or paused."""
    share = float((job.get("progress") or {}).get("fraction") or 0)
    return Standing(State.TRAINING, job["model"], job["name"], job["job"], job["state"] == "paused", share)


def begin_fine_tuning(
    service: Service, image: Gimp.Image, base: Standing, view: View, given: Frame, mask: Frame, wish: Wish
) -> Standing:
    """Train a model further for one composite.

    Args:
        view: the picture that the base was trained on.
        given: the same with what was pasted.
        mask: where that is.

    Raises:
        EngineError: why it cannot begin.
    """
    body: dict[str, Any] = {"base": base.model, "name": "%s, %s" % (base.name[:100], FINE), "device": wish.device}
    for name, frame in (("picture", view.frame), ("composite", given), ("mask", mask)):
        body[name] = {"hash": frame.hash}
    if wish.iterations:
        body["iterations"] = wish.iterations
    trained = Trained(fine_key(base.model, given, mask), view.frame.width, view.frame.height, FINE, "", "")
    return begun(service, image, trained, body, [view.frame, given, mask])


def begun(
    service: Service, image: Gimp.Image, trained: Trained, body: dict[str, Any], frames: Sequence[Frame]
) -> Standing:
    """Begin a training; the picture's file remembers it at once.

    Args:
        trained: without model and job.
        body: of `train`.

    Raises:
        EngineError: why it cannot begin.
    """
    reply = service.ask("train", {**body, "key": new_id()}, frames).body
    remember(image, replace(trained, model=str(reply["model"]), job=str(reply["job"])))
    return Standing(State.TRAINING, str(reply["model"]), str(reply["name"]), str(reply["job"]))


def ended(last: dict[str, Any]) -> None:
    """Look at how a training ended.

    Raises:
        EngineError: it was paused or cancelled, or failed, and what to do.
    """
    if last["state"] == "done":
        return
    if last["state"] == "failed":
        raise EngineError.from_dict(last.get("error"))
    text = "Training “%s” was %s, so nothing could be made." % (last["name"], last["state"])
    raise EngineError("cancelled", text, "Choose the same again to go on.")


def generate(
    service: Service,
    model: str,
    task: str,
    asked: dict[str, Any],
    given: Frame | None = None,
    mask: Frame | None = None,
) -> Reply:
    """Let a model make something; GIMP's progress bar shows how far it is.

    Raises:
        EngineError: what the engine says.
    """
    return made(service, "generate", {"model": model, "task": task, **asked}, {"picture": given, "mask": mask})


def made(service: Service, verb: str, asked: dict[str, Any], pictures: Mapping[str, Frame | None]) -> Reply:
    """Ask for pictures, which may take long.

    Args:
        pictures: those that go along, by their names in the request.

    Raises:
        EngineError: what the engine says.
    """
    frames = {name: frame for name, frame in pictures.items() if frame is not None}
    body = {**asked, **{name: {"hash": frame.hash} for name, frame in frames.items()}}

    def on_event(event: dict[str, Any]) -> None:
        if event["event"] == "progress" and event.get("of"):
            Gimp.progress_set_text("%d of %d" % (event["done"], event["of"]))
            Gimp.progress_update(float(event.get("fraction") or 0))

    return service.ask(verb, body, list(frames.values()), LONGEST, on_event)
