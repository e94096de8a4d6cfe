"""What a use without an underdrawing needs of the document: the picture before, now, and where they differ."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from . import external_image, flatten, layers, read_layers
from .client.frames import Frame
from .client.messages import EngineError
from .colour_space import DRAWN, Space
from .document_model import Workspace
from .generate_tasks import ORIGINAL_BELOW, ORIGINAL_TRAINED, Use, Wish
from .interpolate_options import Kind
from .make_primitive import frame_image, image_frame
from .tiles import hashed


@dataclass(frozen=True)
class Material:
    """What a use needs of the document.

    Attributes:
        trained: the picture as it is trained; None: as the model that the document remembers has it.
        space: the colour space of it and of what is made.
        given: the picture as it was changed.
        mask: (height, width) of 8 bits, not 0 where it was changed; None: wherever the two differ.
        layer: the layer that was pasted, edited or painted.
        hide: whether what is made of it takes its whole place.
        other: the picture that a way leads to.
    """

    trained: Frame | None
    space: Space
    given: Frame | None = None
    mask: Frame | None = None
    layer: Any = None
    hide: bool = False
    other: Frame | None = None


def material(ws: Workspace, wish: Wish) -> Generator[Any, Any, Material]:
    """What the use needs, as it is in the document now.

    Raises:
        EngineError: the layers do not fit, or nothing was pasted.
    """
    if wish.use.on_picture:
        return (yield from _changed(ws, wish))
    space = Space.of(ws.document).converted
    if wish.use is Use.BETWEEN:
        return (yield from ends(ws, wish))
    if wish.use is Use.ANIMATE:
        space = DRAWN  # frames go through files of this kind
    if not wish.layer:
        return Material((yield from flatten.picture(ws, space, ws.own)), space)
    if wish.use is Use.ANIMATE:
        return Material((yield from _drawn(ws, wish.layer)), DRAWN)
    node = _chosen(ws, wish.layer)
    return Material((yield from read_layers.layer(ws, node)), Space.of(node).converted)


def ends(ws: Workspace, wish: Wish, longest: int = 0) -> Generator[Any, Any, Material]:
    """Both ends of a way, in 8-bit sRGB as what lies between them; not larger than `longest` (0: as they are).

    Raises:
        EngineError: there is no other picture, or one of them cannot be read.
    """
    other = wish.between.other
    if other is None:
        raise EngineError("no_picture", "There is no other picture.", "Choose one under “Other”.")
    here = (yield from _drawn(ws, wish.layer)) if wish.layer else (yield from flatten.picture(ws, DRAWN, ws.own))
    if other.kind is Kind.LAYER:
        there = yield from _drawn(ws, other.key)
    else:
        of_document = other.kind is Kind.DOCUMENT
        source = (
            external_image.in_document(ws.krita, other.key) if of_document else external_image.Elsewhere(path=other.key)
        )
        there = yield from hashed(image_frame((yield from source.image(longest)), "BGRA"))
    here, there = (yield from _reduced(here, longest)), (yield from _reduced(there, longest))
    return Material(here, DRAWN, other=there)


def _reduced(frame: Frame, longest: int) -> Generator[Any, Any, Frame]:
    if not longest or max(frame.width, frame.height) <= longest:
        return frame
    pixels, stride = memoryview(frame.data).cast("B"), frame.stride

    def band(y: int, rows: int) -> Any:
        piece = pixels[y * stride : (y + rows) * stride]
        return frame_image(Frame(frame.width, rows, frame.order, frame.depth, piece, stride))

    image = yield from external_image.put_together(frame.width, frame.height, band, longest)
    return image_frame(image, "BGRA")


def _drawn(ws: Workspace, key: str) -> Generator[Any, Any, Frame]:
    """A layer as a frame of the whole canvas in 8-bit sRGB."""
    node = _chosen(ws, key)
    if not Space.of(node).is_srgb:
        return (yield from read_layers.converted(ws, node, DRAWN))
    return (yield from read_layers.layer(ws, node))


def _chosen(ws: Workspace, key: str) -> Any:
    """A layer that was chosen in a list.

    Raises:
        EngineError: it is gone.
    """
    node = ws.layers.get(key)
    if node is None:
        raise EngineError("no_picture", "The chosen layer is not in the document any more.", "Choose another.")
    return node


def _changed(ws: Workspace, wish: Wish) -> Generator[Any, Any, Material]:
    node = _layer(ws, wish)
    key, top = layers.identity(node), layers.identity(flatten.outermost(node))
    space = Space.of(ws.document).converted
    mine = ws.record.covers.get(key, ())
    group = ws.record.groups + tuple(id for ids in ws.record.planes.values() for id in ids) + (ws.record.preview,)
    original = _original(ws, wish, top, key)
    if wish.use is Use.BLEND and wish.layer == "" and original is None:
        top = ""  # all that is seen was edited
    given = yield from flatten.picture(ws, space, {*mine, *group} - {key}, top, key)
    trained: Frame | None = None
    if original == ORIGINAL_BELOW:
        trained = yield from flatten.picture(ws, space, (ws.own - {top}) | {key}, top)
    elif original is not None:
        trained = yield from _converted(ws, ws.layers[original], space)
    mask, hide = None, False
    selected = layers.selection_bytes(ws.document)
    if wish.use is Use.BLEND:
        if selected is not None:
            mask = bytes(selected)
    else:
        there = yield from _cover(ws, node)
        if not any(there):
            text = "The layer “%s” has nothing inside the picture." % node.name()
            raise EngineError("nothing_pasted", text, "Make the layer active that was pasted or painted.")
        whole = 0 not in there
        if selected is not None:
            mask = flatten.both(there, bytes(selected))
            if not any(mask):
                text = "Nothing of the layer “%s” is selected." % node.name()
                raise EngineError("nothing_pasted", text, "Select what was pasted, or nothing at all.")
        elif not whole:
            mask, hide = there, True
    width, height = ws.size
    frame = Frame(width, height, "L", "u8", mask) if mask is not None else None
    return Material(trained, space, given, frame, node, hide)


def _cover(ws: Workspace, node: Any) -> Generator[Any, Any, bytes]:
    """Where a layer has pixels, also of one that was hidden when something was made of it."""
    again = not node.visible() and layers.identity(node) in ws.record.hidden
    if again:
        node.setVisible(True)
        yield from layers.idle(ws.document)
    try:
        return (yield from flatten.cover(ws, node))
    finally:
        if again:
            node.setVisible(False)


def _converted(ws: Workspace, node: Any, space: Space) -> Generator[Any, Any, Frame]:
    if Space.of(node) == space:
        return (yield from read_layers.layer(ws, node))
    return (yield from read_layers.converted(ws, node, space))


def _layer(ws: Workspace, wish: Wish) -> Any:
    """The layer that was pasted, edited or painted.

    Raises:
        EngineError: it is none that a person made.
    """
    node = ws.layers.get(wish.layer) if wish.layer else ws.document.activeNode()
    if node is not None and node.type() in layers.MASKS:
        node = node.parentNode()
    if node is None or layers.identity(node) not in ws.layers:
        raise EngineError("no_layer", "No layer is active.", "Click on the layer that was pasted or painted.")
    if layers.identity(node) in ws.own:
        text = "The layer “%s” was made by Underdrawing." % node.name()
        raise EngineError("own_layer", text, "Click on the layer that was pasted, edited or painted.")
    return node


def _original(ws: Workspace, wish: Wish, top: str, key: str) -> str | None:
    """Which layer is the original: ORIGINAL_BELOW, a layer's id, or None where it is what was trained.

    Raises:
        EngineError: it cannot be told.
    """
    if wish.original not in (ORIGINAL_BELOW, ORIGINAL_TRAINED):
        if wish.original not in ws.layers or wish.original == key:
            text = "The original and what was changed must be two layers."
            raise EngineError("no_original", text, "Choose another layer as the original.")
        return wish.original
    if wish.original == ORIGINAL_BELOW:
        for child in ws.document.rootNode().childNodes():
            identity = layers.identity(child)
            if identity == top:
                # In a group, what lies beside the layer is below it.
                if identity != key and any(_others(child, key)):
                    return ORIGINAL_BELOW
                break
            if child.visible() and identity not in ws.own and child.type() in layers.PIXELS:
                return ORIGINAL_BELOW
    if ws.record.at_once if wish.maker else ws.record.alone:
        return None
    name = ws.layers[key].name()
    text = "The original picture is not known: nothing is visible below the layer “%s”." % name
    raise EngineError("no_original", text, "Select the changed layer, or choose the original layer.")


def _others(group: Any, key: str) -> Generator[bool, None, None]:
    for node in layers.walk(group):
        if layers.identity(node) != key and node.type() == "paintlayer" and node.visible():
            yield True
