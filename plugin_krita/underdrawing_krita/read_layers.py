"""What the engine gets to see of a document: the picture, the planes, the selection."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from . import layers
from .client.frames import Frame
from .colour_space import Space
from .document_model import Workspace
from .tiles import read


def picture(ws: Workspace) -> Generator[Any, Any, Frame]:
    """The picture's layer as a frame of the whole canvas; what is no RGB and no grey is converted on a copy.

    Raises:
        EngineError: the layer is gone, hidden, or of a colour space that Krita cannot convert.
    """
    node = ws.need_picture()
    return (yield from layer(ws, node))


def layer(ws: Workspace, node: Any) -> Generator[Any, Any, Frame]:
    """Any layer as a frame of the whole canvas."""
    width, height = ws.size
    space = Space.of(node)
    if space.plain:
        return (yield from read(layers.reader(node), space, width, height))
    return (yield from converted(ws, node, space.converted))


def converted(ws: Workspace, node: Any, space: Space) -> Generator[Any, Any, Frame]:
    """A layer as Krita converts it to another space, on a copy of it that nobody sees."""
    width, height = ws.size
    layers.reader(node)  # says so where it is hidden
    with layers.Scratch(ws.krita, space) as scratch:
        copy = scratch.document
        copy.resizeImage(0, 0, width, height)
        for ground in copy.rootNode().childNodes():
            ground.setVisible(False)
        yield None
        copy.rootNode().addChildNode(node.duplicate(), None)
        copy.refreshProjection()
        yield from layers.idle(copy)
        return (yield from read(copy.pixelData, space, width, height))


def planes(ws: Workspace) -> Generator[Any, Any, dict[str, Frame]]:
    """The planes as frames of the whole canvas, by name.

    Raises:
        EngineError: there is none, or one is hidden and cannot be read.
    """
    found: dict[str, Frame] = {}
    for name, node in ws.need_planes().items():
        found[name] = yield from layer(ws, node)
    return found


def selection(ws: Workspace) -> Frame | None:
    """The selection as a frame of the whole canvas, or None where nothing is selected."""
    data = layers.selection_bytes(ws.document)
    if data is None:
        return None
    width, height = ws.size
    return Frame(width, height, "L", "u8", bytes(data))


def references(frames: dict[str, Frame]) -> dict[str, Any]:
    """Planes as a request names them; each says what it is, whatever its layer is called."""
    return {name: {"hash": frame.hash, "kind": name} for name, frame in frames.items()}
