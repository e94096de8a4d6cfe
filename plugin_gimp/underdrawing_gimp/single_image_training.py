"""A model for a task: used where there is one, else trained, with a window where a person waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import meta_models, single_image, training
from .client.frames import Frame
from .client.messages import EngineError
from .flatten_view import Changed, View
from .gi import Gimp
from .plugin import Call
from .service import connected
from .single_image import Standing, State, Wish

OLDER = "The picture was changed since “%s” was trained. That model was used; train again where the change is large."


@dataclass(frozen=True)
class Ready:
    """A model for a task.

    Attributes:
        model: its id.
        new: a person has just waited for it.
        notes: sentences for the user.
    """

    model: str
    new: bool
    notes: list[str]

    def tell(self, call: Call, notes: list[str]) -> str:
        """All sentences, these of the engine among them, one a line; a person sees the engine's own once a model."""
        if call.interactive:
            for note in [*self.notes, *(notes if self.new else [])]:
                Gimp.message(note)
        return "\n".join([*self.notes, *notes])


def model_for(call: Call, view: View, wish: Wish, changed: Changed | None = None) -> Ready:
    """A model that can do a task: one that is there, or a new one.

    Args:
        view: the picture to train on.
        changed: with it, a model that was trained further for this one composite.

    Raises:
        EngineError: training is not possible, and why.
        CancelledError: the person who waited does not want to any more. The engine keeps the model.
    """
    if wish.maker:
        return _by_folder(call, view, wish)
    with connected("Looking for a model of the picture") as service:
        found = single_image.standing(
            view, wish, single_image.remembered(call.image), *single_image.known_models(service)
        )
        if found.state is State.NEW:
            found = single_image.begin(service, call.image, view, wish)
        elif found.paused:
            service.ask("resume", {"job": found.job})
        elif found.state is State.TRAINED:
            single_image.remember_found(call.image, view, wish, found)
    _follow(call, found, view.small, "Training on the picture")
    notes = [OLDER % found.name] if found.state is State.CHANGED else []
    new = found.state is State.TRAINING
    if changed is None:
        return Ready(found.model, new, notes)
    with connected("Looking for a model of the picture") as service:
        base, given = found, changed.given.frame
        found = single_image.fine_tuned(service, call.image, base.model, given, changed.mask)
        if found.state is State.NEW:
            found = single_image.begin_fine_tuning(service, call.image, base, view, given, changed.mask, wish)
        elif found.paused:
            service.ask("resume", {"job": found.job})
    _follow(call, found, changed.given.small, "Fine-tuning on this composite")
    return Ready(found.model, new or found.state is State.TRAINING, notes)


def _by_folder(call: Call, view: View, wish: Wish) -> Ready:
    """A model by a folder's model, refined on the picture where that is wished."""
    with connected("Making a model of the picture") as service:
        found = meta_models.begin(service, call.image, view, wish)
        if found.paused:
            service.ask("resume", {"job": found.job})
    _follow(call, found, view.small, "Refining on this picture")
    return Ready(found.model, found.state is State.TRAINING, [])


def _follow(call: Call, found: Standing, small: Frame, text: str) -> None:
    """Wait for the end of a training, if there is one.

    Raises:
        EngineError: it failed, or the picture was closed meanwhile.
    """
    if found.state is not State.TRAINING:
        return
    if call.interactive:
        from .single_image_window import Window  # where there is a screen

        Window(call, found, small, text).run()
        if not call.image.is_valid():
            hint = "The model is kept: open the picture, and choose the same again."
            raise EngineError("wrong_size", "The picture was closed meanwhile.", hint)
        return

    def on_event(event: dict[str, Any]) -> None:
        if event["event"] == "progress":
            Gimp.progress_update(float(event.get("fraction") or 0))
            Gimp.progress_set_text(training.progress_text(event))

    with connected(text) as service:
        single_image.ended(training.follow(service, found.job, on_event))
