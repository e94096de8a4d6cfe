"""A model for a task: used where there is one, else trained, with a window where a person waits for it."""

from __future__ import annotations

from . import single_image, training
from .client.ensure_model import Follow, ModelWish, Ready, ensure_model, run
from .client.frames import Frame
from .client.job_status import JobStatus
from .flatten_view import View
from .gi import Gimp
from .notices import say
from .plugin import Call
from .record import need_open
from .service import connected

OLDER = "The picture was changed since “%s” was trained. That model was used; train again where the change is large."


def model_for(call: Call, view: View | None, wish: ModelWish, shown: Frame) -> Ready:
    """A model that can do a task: one that is there, or a new one.

    Args:
        view: the picture to train on; None where nobody knows it.
        shown: a small picture of what is made.

    Raises:
        EngineError: training is not possible, and why.
        CancelledError: the person who waited does not want to any more. The engine keeps the model.
    """
    picture = view.frame if view is not None else None

    def remember(model: str) -> None:
        need_open(call.image)
        if picture is not None:
            single_image.remember(call.image, model, (picture.width, picture.height))

    with connected("Looking for a model of the picture") as service:

        def follow(asked: Follow) -> JobStatus:
            remember(asked.status.model)
            if not call.interactive:
                return training.follow(service, asked.status.job)
            from .single_image_window import Window  # where there is a screen

            Gimp.progress_end()  # the window shows it, and has a Cancel of its own
            return Window(call, asked, shown).run()

        ready = run(service, ensure_model(wish, picture), follow)
    remember(ready.model)
    return ready


def notes_of(call: Call, ready: Ready, notes: list[str]) -> str:
    """All sentences, the engine's among them, one a line; a person sees the engine's own once a model."""
    mine = [OLDER % ready.name] if ready.older else []
    if call.interactive:
        say([*mine, *(notes if ready.trained else [])])
    return "\n".join([*mine, *notes])
