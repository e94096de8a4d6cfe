"""What lies on the way between two pictures, made small: a look at it before it is made."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from .client.frames import Frame
from .client.messages import EngineError
from .document_model import Workspace
from .external_image import reduced
from .generate_tasks import Wish
from .make_primitive import frame_image, image_frame
from .meta_models import of_maker
from .service import frames_of, hint
from .task_inputs import ends
from .tasks import Pause, Steps
from .widgets import gone

NAME = "way"
SIDE = 220  # pixels of the longer side of what is sent
ROUGH = 110  # the same for many places at a time: about what networks make, so that no brushwork takes its time
PLACES = 11  # of the whole way: dragging shows the nearest


def look(ws: Workspace, page: Any, wish: Wish, seen: tuple[Any, ...], which: tuple[Any, ...]) -> Steps:
    """Show the whole way roughly, where that is not known yet, and then the place itself that the slider is at.

    Args:
        page: the page without an underdrawing.
        seen: what its preview depends on.
        which: of it, what says which pictures these are.
    """
    part = page.between
    try:
        while ws.busy:
            yield Pause(0.1)
        pair = part.ends(which)
        if pair is None:
            found = yield from ends(ws, wish, SIDE)
            pair = found.trained, found.other
        if not part.knows(seen):
            part.begin(seen)
            small = [image_frame(reduced(frame_image(frame), ROUGH), "BGRA") for frame in pair]
            places = [number / (PLACES - 1) for number in range(PLACES)]
            images = yield from _asked(ws, wish, small, places)
            part.take(seen, which, pair, tuple(image.scaled(pair[0].width, pair[0].height) for image in images))
        percent = part.place.value
        if not part.sharp(seen, percent):
            images = yield from _asked(ws, wish, pair, [percent / 100])
            part.take_sharp(seen, percent, images[0])
    except EngineError as error:
        if not gone(page):
            part.tell(hint(of_maker(error)))
    finally:
        if not gone(page):
            part.begin(None)


def _asked(ws: Workspace, wish: Wish, pair: Any, places: list[float]) -> Generator[Any, Any, list[Any]]:
    """QImages of places on the way between two frames."""
    first, second = pair
    body = {"model": wish.maker, **wish.body(ws.size), "at": places, "order": "BGRA"}
    body.update(picture={"hash": first.hash}, other={"hash": second.hash})
    reply = yield ws.service.ask("between", body, [first, second], 600.0)
    frames: list[Frame] = frames_of(reply, [str(key) for key in reply.body["pictures"]])
    return [frame_image(frame) for frame in frames]
