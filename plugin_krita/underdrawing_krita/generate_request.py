"""What the engine is asked to make without an underdrawing."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from . import generate_results
from .client.messages import EngineError
from .document_model import Workspace
from .generate_tasks import Use, Wish
from .generate_training import going
from .meta_models import HOW_TO_TRAIN, of_maker
from .task_inputs import Material

LONGEST = 3600.0  # seconds that making pictures may take


def generated(ws: Workspace, wish: Wish, found: Material, model: str) -> Generator[Any, Any, Any]:
    """The answer to `generate`."""
    text = "Making the frames…" if wish.use is Use.ANIMATE else "Making the picture…"
    size = ws.size if found.trained is None else (found.trained.width, found.trained.height)
    body = {"model": model, **wish.body(size), "order": found.space.order, "baked": not generate_results.masked()}
    frames = []
    for name, frame in (("picture", found.given), ("mask", found.mask)):
        if frame is not None:
            body[name] = {"hash": frame.hash}
            frames.append(frame)
    return (yield ws.service.ask("generate", body, frames, LONGEST, _hear(ws, text)))


def on_the_way(ws: Workspace, wish: Wish, found: Material) -> Generator[Any, Any, Any]:
    """The answer to `between`.

    Raises:
        EngineError: there is no folder's model, or it cannot do this.
    """
    if not wish.maker:
        raise EngineError("no_model", HOW_TO_TRAIN)
    if found.trained is None or found.other is None:
        raise EngineError("no_picture", "There is no other picture.", "Choose one under “Other”.")
    body = {"model": wish.maker, **wish.body(ws.size), "order": found.space.order}
    body.update(picture={"hash": found.trained.hash}, other={"hash": found.other.hash})
    frames = [found.trained, found.other]
    hear = _hear(ws, "Making the pictures on the way…")
    try:
        return (yield ws.service.ask("between", body, frames, LONGEST, hear))
    except EngineError as error:
        raise of_maker(error) from None


def _hear(ws: Workspace, text: str) -> Callable[[dict[str, Any]], None]:
    """Say how far it is, from now on."""
    going(ws, text)

    def hear(event: dict[str, Any]) -> None:
        if event.get("event") == "progress":
            going(ws, text, float(event.get("fraction") or 0.0))

    return hear
