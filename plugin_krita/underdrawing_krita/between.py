"""What lies on the way between two pictures, made small: a look at it before it is made."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from .link.messages import EngineError
from .making import frame_image
from .material import Material, ends
from .service import frames_of, hint
from .tasks import Pause, Steps
from .uses import Wish
from .widgets import gone
from .workspace import Workspace

NAME = "way"
SIDE = 220  # pixels of the longer side of what is sent
PLACES = 11  # of the way: dragging shows the nearest


def look(ws: Workspace, wish: Wish, known: Material | None) -> Generator[Any, Any, tuple[Material, tuple[Any, ...]]]:
    """Both pictures, made small, and what lies between them as QImages at places evenly from 0 to 1.

    Args:
        known: both pictures, where they were read before.
    """
    while ws.busy:
        yield Pause(0.1)
    found = known if known is not None else (yield from ends(ws, wish, SIDE))
    first, second = (frame for frame in (found.learnt, found.other) if frame is not None)
    places = [number / (PLACES - 1) for number in range(PLACES)]
    body = {"model": wish.maker, **wish.body(ws.size), "at": places, "order": "BGRA"}
    body.update(picture={"hash": first.hash}, other={"hash": second.hash})
    reply = yield ws.service.ask("between", body, [first, second], 600.0)
    frames = frames_of(reply, [str(key) for key in reply.body["pictures"]])
    return found, tuple(frame_image(frame) for frame in frames)


def shown(page: Any, steps: Steps, seen: tuple[Any, ...], which: tuple[Any, ...]) -> Steps:
    """Show what `look` finds, or what is wrong, on the page that asked."""
    try:
        found, images = yield from steps
    except EngineError as error:
        if not gone(page):
            page.between.tell(hint(error))
        return
    if not gone(page):
        page.between.take(seen, which, found, images)
