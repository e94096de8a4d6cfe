"""What the engine answers to `instant` and `between`: what a folder's model makes of pictures that it never saw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from underdrawing.client.messages import EngineError, need
from underdrawing.daemon.clients import Ask
from underdrawing.daemon.context import EngineContext
from underdrawing.daemon.handlers_generate import MOST_FRAMES
from underdrawing.daemon.model_import import Incoming
from underdrawing.daemon.validation import MOST_SEED, between, hashes, one_of, order, reference
from underdrawing.store.manifest import AT_ONCE, Manifest, Procedure
from underdrawing.store.model_library import checked_name

USUAL_COUNT = 5  # pictures on the way from one to another
SCALES = ("all", "coarse", "middle", "fine")


class InstantVerbs:
    """The verbs `instant` and `between`."""

    daemon: EngineContext
    _folders: Callable[[Manifest], dict[str, Any]]

    def _writer(self, body: dict[str, Any]) -> Manifest:
        """A model that makes models.

        Raises:
            EngineError: there is none, or it knows one picture only.
        """
        model = self.daemon.library.find(need(body, "model", str))
        if model.plan.procedure is not Procedure.WRITE:
            text = f"The model {model.name!r} knows one picture, and makes no models of others."
            raise EngineError("wrong_task", text, "Learn a folder: underdrawing meta train FOLDER")
        return model

    def instant(self, ask: Ask) -> None:
        """Make a model of a picture at once, and take it into the library."""
        daemon, body = self.daemon, ask.body
        maker = self._writer(body)
        refused = EngineError("not_published", "The model could not be stored.", "Try again.")
        incoming = Incoming(daemon, ask, "The model could not be made.", refused)
        args = {
            **self._folders(maker),
            "task": one_of(body, "task", tuple(map(str, AT_ONCE))),
            "picture": reference(daemon.spool, need(body, "picture", dict)),
            "name": checked_name(body.get("name") or f"picture {incoming.identity[:4]}"),
            "identity": incoming.identity,
            "folder": str(incoming.folder),
        }
        pins = hashes(args["picture"])
        daemon.rendering.submit(daemon.task("instant", args, ask.event, incoming.ready), ask, pins)
        incoming.discard_with_request()

    def between(self, ask: Ask) -> None:
        """Pictures on the way from one picture to another."""
        daemon, body = self.daemon, ask.body
        model = self._writer(body)
        args = {
            **self._folders(model),
            "picture": reference(daemon.spool, need(body, "picture", dict)),
            "other": reference(daemon.spool, need(body, "other", dict)),
            "at": _places(body),
            "scales": one_of(body, "scales", SCALES),
            "freedom": between(body, "freedom", 0, 1) or 0.0,
            "seed": between(body, "seed", 0, MOST_SEED, whole=True) or 0,
            "network_picture": bool(body.get("network_picture")),
            "order": order(body),
        }

        def answer(found: dict[str, Any] | None, error: EngineError | None) -> None:
            if found is None:
                ask.fail(error or EngineError("internal", "The renderer gave no answer."))
            else:
                ask.reply({**found, "model": model.id}, tuple(found["pictures"]))

        pins = hashes(args["picture"], args["other"])
        daemon.rendering.submit(daemon.task("between", args, ask.event, answer), ask, pins)


def _places(body: dict[str, Any]) -> list[float]:
    """Where on the way pictures are made: the named places, or as many as are wanted, both ends included.

    Raises:
        EngineError: there are none or too many, or one is off the way.
    """
    count = between(body, "count", 2, MOST_FRAMES, whole=True) or USUAL_COUNT
    named = need(body, "at", list, [])
    if not named:
        return [number / (count - 1) for number in range(int(count))]
    fits = all(isinstance(part, int | float) and not isinstance(part, bool) and 0 <= part <= 1 for part in named)
    if not fits or len(named) > MOST_FRAMES:
        raise EngineError("bad_request", f"at must be up to {MOST_FRAMES} numbers from 0 to 1.")
    return [float(part) for part in named]
