"""What the engine answers to `generate`: pictures out of what a model learnt, without an underdrawing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from underdrawing.client.messages import EngineError, need
from underdrawing.daemon.child_process import End
from underdrawing.daemon.clients import Ask
from underdrawing.daemon.context import EngineContext
from underdrawing.daemon.validation import MOST_SEED, between, one_of, order, reference
from underdrawing.store.manifest import Manifest, Procedure, Task

TASKS = tuple(str(task) for task in Task)
ON_A_PICTURE = (Task.HARMONIZE, Task.BLEND, Task.REPAINT)  # they are given a picture, and answer as `apply` does
MOST_COUNT = 16  # variations of one request
MOST_FRAMES = 240  # of one animation
MOST_SIDE = 16_384  # pixels of a side of what is generated
MOST_PIXELS = 32 << 20  # of one generated picture


class GenerateVerbs:
    """The verb `generate`."""

    daemon: EngineContext
    _folders: Callable[[Manifest], dict[str, Any]]
    _render: Callable[[str, dict[str, Any], Ask, End], None]

    def generate(self, ask: Ask) -> None:
        """Make pictures with a model of a picture."""
        daemon = self.daemon
        model = daemon.library.find(need(ask.body, "model", str))
        task = Task(_task(ask.body, model))
        args = {**options(ask.body, task), "task": str(task), "order": order(ask.body)}
        args |= self._folders(model)
        for name in ("picture", "mask"):
            args[name] = reference(daemon.spool, ask.body[name]) if ask.body.get(name) else None
        if task in ON_A_PICTURE and args["picture"] is None:
            text = f"To {task}, the picture as it was changed is needed."
            raise EngineError("bad_request", text, "Send it as `picture`.")

        def answer(found: dict[str, Any] | None, error: EngineError | None) -> None:
            if found is None:
                ask.fail(error or EngineError("internal", "The renderer gave no answer."))
                return
            keys = [found[name] for name in ("picture", "mask", "merged") if found.get(name)]
            ask.reply({**found, "model": model.id}, (*keys, *found.get("pictures", [])))

        self._render("generate", args, ask, answer)


def _task(body: dict[str, Any], model: Manifest) -> str:
    """What is to be made, and whether this model can.

    Raises:
        EngineError: there is no such task, or the model was not learnt for it.
    """
    task = need(body, "task", str)
    if task not in TASKS:
        raise EngineError("bad_request", f"There is no task {task[:40]!r}.", f"Choose one of: {', '.join(TASKS)}.")
    known = [str(t) for t in model.plan.tasks]
    if task not in known:
        what = f"It can: {', '.join(known)}." if known else "It follows an underdrawing: use apply."
        if model.plan.procedure is Procedure.WRITE:
            what = "It makes models of pictures: use instant, then that model."
        raise EngineError("wrong_task", f"The model {model.name!r} was not learnt to {task}.", what)
    return task


def options(body: dict[str, Any], task: Task) -> dict[str, Any]:
    """Numbers and choices of a request, checked.

    Raises:
        EngineError: one of them is of the wrong kind or beyond its limit.
    """
    width, height = (between(body, side, 16, MOST_SIDE, whole=True) for side in ("width", "height"))
    if task in (Task.RESIZE, Task.ENLARGE) and (width is None or height is None):
        raise EngineError("bad_request", f"To {task}, width and height are needed.", "Send both, in pixels.")
    if (width is None) != (height is None):
        raise EngineError("bad_request", "Width and height go together.", "Send both, in pixels.")
    if width is not None and height is not None and width * height > MOST_PIXELS:
        text = f"{width} x {height} pixels are too many; {MOST_PIXELS >> 20} million can be made at a time."
        raise EngineError("bad_request", text, "Choose a smaller size.")
    return {
        "count": between(body, "count", 1, MOST_COUNT, whole=True),
        "frames": between(body, "frames", 2, MOST_FRAMES, whole=True),
        "freedom": between(body, "freedom", 0, 1),
        "light": between(body, "light", 0, 1),
        "width": width,
        "height": height,
        "seed": between(body, "seed", 0, MOST_SEED, whole=True),
        "grow": between(body, "grow", 0, 10_000, whole=True),
        "feather": between(body, "feather", 0, 1000),
        "blend": one_of(body, "blend", ("none", "poisson")),
        "network_picture": bool(body.get("network_picture")),
        "baked": bool(body.get("baked")),
        "merged": bool(body.get("merged")),
    }
