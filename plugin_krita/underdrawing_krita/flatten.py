"""The document as it would look without some of its layers: read from a copy that nobody sees."""

from __future__ import annotations

from collections.abc import Collection, Generator
from typing import Any

from . import layers, read_layers
from .client.frames import Frame
from .client.messages import EngineError
from .colour_space import DRAWN, Space
from .document_model import Workspace
from .tiles import read

ANY_ALPHA = bytes([0] + [255] * 255)  # what is there at all


def outermost(node: Any) -> Any:
    """The layer of the document's root that a layer is, or lies in."""
    while node.parentNode() is not None and node.parentNode().parentNode() is not None:
        node = node.parentNode()
    return node


def picture(
    ws: Workspace, space: Space, without: Collection[str] = (), up_to: str = "", shown: str = ""
) -> Generator[Any, Any, Frame]:
    """All that is seen, as a frame of the whole canvas.

    Args:
        space: what it is converted to; one that is plain.
        without: ids of layers that are left out.
        up_to: id of a layer of the root: what lies above it is left out; "": nothing is.
        shown: id of a layer that is seen although it is hidden, and so are the groups around it.

    Raises:
        EngineError: nothing is left that is seen.
    """
    copy = ws.document.clone()
    try:
        yield None
        originals, copies = layers.walk(ws.document.rootNode()), layers.walk(copy.rootNode())
        nodes = {layers.identity(original): twin for original, twin in zip(originals, copies)}
        if shown in nodes:
            _show(nodes[shown])
        root = [layers.identity(child) for child in ws.document.rootNode().childNodes()]
        if up_to in root:
            without = {*without, *root[root.index(up_to) + 1 :]}
        for key in without:
            if key in nodes:
                nodes[key].setVisible(False)
        if not any(nodes[key].visible() for key in root):
            raise EngineError("nothing_below", "Nothing of the picture is left to be seen.", "Show its layers.")
        yield from layers.idle(copy)
        if not Space.of(copy).serves_for(space):
            # First merged, as its own space says, then converted.
            copy.flatten()
            yield from layers.idle(copy)
            copy.setColorSpace(space.model, space.depth, space.profile)
            yield from layers.idle(copy)
        copy.refreshProjection()
        yield from layers.idle(copy)
        return (yield from read(copy.pixelData, space, *ws.size))
    finally:
        copy.setModified(False)
        copy.close()


def _show(node: Any) -> None:
    while node is not None and node.parentNode() is not None:
        node.setVisible(True)
        node = node.parentNode()


def cover(ws: Workspace, node: Any) -> Generator[Any, Any, bytes]:
    """Where a layer has any pixels: 255 there and 0 elsewhere, a byte for each pixel of the canvas.

    Raises:
        EngineError: it is hidden, so that Krita has no picture of it.
    """
    space, (width, height) = Space.of(node), ws.size
    if space.plain and space.depth in ("U8", "U16"):
        frame = yield from read(layers.reader(node), space, width, height)
    else:
        frame, space = (yield from read_layers.converted(ws, node, DRAWN)), DRAWN
    data = bytes(frame.data)
    alpha = data[space.pixel - 1 :: space.pixel].translate(ANY_ALPHA)
    if space.depth == "U16":
        low = data[space.pixel - 2 :: space.pixel].translate(ANY_ALPHA)
        alpha = (int.from_bytes(alpha, "little") | int.from_bytes(low, "little")).to_bytes(len(alpha), "little")
    return alpha


def both(one: bytes, other: bytes) -> bytes:
    """Where both of two masks are not 0: 255 there and 0 elsewhere."""
    first, second = (int.from_bytes(mask.translate(ANY_ALPHA), "little") for mask in (one, other))
    return (first & second).to_bytes(len(one), "little")
