"""Frames become an animated layer: as layers of a group first, the lowest one first, which Krita then converts.

Krita's own call for frames, `importAnimation`, opens a file for each of them and crashed 5.1 and 5.2 in trials; its
command for groups only copies what is in the document already.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import Any

from . import layers
from .apply import Result
from .client.messages import EngineError
from .make_primitive import LABEL
from .tasks import Pause, Steps
from .tiles import write

COMMAND = "convert_group_to_animated"
TRIES = 100  # looks at whether Krita has done what it was told to
TURN = 0.03  # seconds from one look to the next


def stack(maker: layers.Maker, name: str, frames: Iterable[Result | None]) -> Steps:
    """A group that is in no document yet, with a layer a frame; None is a frame with nothing on it.

    The layers are hidden, as Krita would compose them all again and again otherwise.
    """
    group = maker.layer(name, "grouplayer")
    group.setColorLabel(LABEL)
    for number, frame in enumerate(frames, 1):
        node = maker.layer("Frame %d" % number)
        node.setVisible(False)
        group.addChildNode(node, None)
        yield None
        if frame is not None:
            yield from write(node, frame.frame, frame.x, frame.y)
    return group


def convert(krita: Any, document: Any, group: Any) -> Generator[Any, Any, bool]:
    """Make an animated layer of a group whose layers are its frames; whether Krita did.

    Krita does that for the layer that is active in the window that is used. Where the person has turned to another
    document meanwhile, the group stays what it is.
    """
    key = layers.identity(group)
    action = krita.action(COMMAND)
    if action is None:
        return False
    yield from layers.idle(document)
    for _ in range(TRIES):
        document.setActiveNode(group)
        yield Pause(TURN)
        active = document.activeNode()
        if active is not None and layers.identity(active) == key and krita.activeDocument() == document:
            break
    else:
        return False
    yield from layers.idle(document)
    action.trigger()
    for _ in range(TRIES):
        yield Pause(TURN)
        if key not in layers.all_layers(document):
            yield from layers.idle(document)
            return True
    return False


def put_in(ws: Any, maker: layers.Maker, frames: Iterable[Result | None], parent: Any, above: Any) -> Steps:
    """Frames as an animated layer of a document: the layer, or None where its group has to be converted by hand."""
    name = "Result frames"
    known = set(ws.layers)
    active = ws.document.activeNode()
    group = yield from stack(maker, name, frames)
    yield from layers.put_in(ws.document, group, parent, above)
    done = yield from convert(ws.krita, ws.document, group)
    ws.look()
    if not done:
        return None
    made = [node for key, node in ws.layers.items() if key not in known]
    if not made:
        raise EngineError("layer", "Krita did not take the frames.")
    made[0].setName(name)
    made[0].setColorLabel(LABEL)
    if active is not None:
        ws.document.setActiveNode(active)
    return made[0]
