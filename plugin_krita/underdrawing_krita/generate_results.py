"""What was made without an underdrawing becomes layers, a new picture, or an animation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import flatten, frames_to_animation, layers
from .apply import Result, eight_bits, masked, put, settle
from .client.frames import Frame
from .client.messages import EngineError
from .colour_space import Space
from .document_model import Workspace
from .generate_tasks import Use, Wish
from .interpolate_options import Way
from .make_primitive import LABEL
from .service import frames_of
from .tasks import Steps
from .tiles import write

if TYPE_CHECKING:
    from .task_inputs import Material

__all__ = ["masked", "on_canvas", "place"]
RESOLUTION = 72.0  # pixels per inch of a new document, where the picture's own cannot be had


def place(ws: Workspace, wish: Wish, found: Material, reply: Any) -> Steps:
    """Put the answer where it belongs; what is to be told of it."""
    if wish.use.on_picture:
        return (yield from _over(ws, wish, found, reply))
    if wish.use is Use.VARY:
        return (yield from _variations(ws, found, reply))
    way = wish.between.way if wish.use is Use.BETWEEN else None
    if way is Way.PLACE:
        return (yield from _place_between(ws, wish, found, reply))
    if way is Way.LAYERS:
        return (yield from _way_between(ws, wish, found, reply))
    if wish.use is Use.ANIMATE or way is Way.CLIP:
        return (yield from _animation(ws, found, reply))
    (frame,) = frames_of(reply, [str(reply.body["picture"])])
    yield from _document(ws, frame, found.space)
    return "The new picture of %d x %d pixels is a document of its own." % (frame.width, frame.height)


def on_canvas(mask: Frame, reply: Any, size: tuple[int, int]) -> Frame:
    """A mask of 8 bits of a part of the canvas as one of the whole canvas."""
    (width, height), x, y = size, int(reply.body["x"]), int(reply.body["y"])
    data, pixels = bytearray(width * height), memoryview(mask.data).cast("B")
    for row in range(mask.height):
        start = (y + row) * width + x
        data[start : start + mask.width] = pixels[row * mask.stride : row * mask.stride + mask.width]
    return Frame(width, height, "L", "u8", bytes(data))


def _over(ws: Workspace, wish: Wish, found: Material, reply: Any) -> Steps:
    """A layer over the one that was pasted, edited or painted; of a pasted one it takes the place."""
    node = found.layer
    key = layers.identity(node)
    if key not in ws.layers:
        text = "The layer that this was made of is not in the document any more."
        raise EngineError("no_layer", text, "Undo its deletion, and press the button again.")
    picture, soft = frames_of(reply, [str(reply.body["picture"]), str(reply.body["mask"])])
    at = int(reply.body["x"]), int(reply.body["y"])
    result = Result(picture, eight_bits(soft) if masked() else None, *at, found.space, str(reply.body["model"]))
    names = {Use.HARMONIZE: "Harmonized", Use.BLEND: "Blended", Use.REPAINT: "Repainted"}
    last = ws.newest(ws.record.covers.get(key, ()))
    outer = flatten.outermost(node)
    made = yield from put(ws, result, names[wish.use], outer.parentNode(), last if last is not None else outer)
    hidden = ws.record.hidden
    if found.hide:
        node.setVisible(False)
        hidden = (*(other for other in hidden if other != key), key)
    ws.record = ws.record.with_made(layers.identity(made), key)
    ws.keep(hidden=hidden)
    yield from settle(ws, made, last)
    told = "Done in %.1f s. The layer “%s” lies over “%s”."
    told %= (float(reply.body["seconds"]), made.name(), node.name())
    return told + (" " + "The original layer is hidden and unchanged." if found.hide else "")


def _variations(ws: Workspace, found: Material, reply: Any) -> Steps:
    """A group of layers on top, of which the uppermost is seen."""
    frames = frames_of(reply, [str(key) for key in reply.body["pictures"]])
    named = [("Variation %d" % number, frame) for number, frame in enumerate(frames, 1)]
    yield from _group(ws, found, "Variations", named[::-1])
    return "%d variations are the layers of a group on top. Show them one after the other." % len(frames)


def _place_between(ws: Workspace, wish: Wish, found: Material, reply: Any) -> Steps:
    """One place on the way as a layer on top."""
    (frame,) = frames_of(reply, [str(key) for key in reply.body["pictures"]])
    result = Result(frame, None, 0, 0, found.space, str(reply.body["model"]))
    name, root = _named(wish.between.place), ws.document.rootNode()
    made = yield from put(ws, result, name, root, (root.childNodes() or [None])[-1])
    ws.record = ws.record.with_made(layers.identity(made))
    ws.save()
    yield from settle(ws, made)
    return "Done in %.1f s. The layer “%s” lies on top." % (float(reply.body["seconds"]), name)


def _way_between(ws: Workspace, wish: Wish, found: Material, reply: Any) -> Steps:
    """The whole way as a group of layers on top, from the picture below to the other one above."""
    frames = frames_of(reply, [str(key) for key in reply.body["pictures"]])
    named = [(_named(place), frame) for place, frame in zip(wish.between.places(), frames)]
    yield from _group(ws, found, "Between two pictures", named)
    return "%d pictures are the layers of a group on top, the last one above. Show them one after the other." % len(
        frames
    )


def _named(place: float) -> str:
    return "Between, %d %%" % round(place * 100)


def _group(ws: Workspace, found: Material, name: str, pictures: list[tuple[str, Frame]]) -> Steps:
    """A group on top with a layer for each picture, the lowest one first, of which the uppermost is seen."""
    root = ws.document.rootNode()
    with layers.Maker(ws.krita, ws.document, found.space, nested=True) as maker:
        group = maker.layer(name, "grouplayer")
        group.setColorLabel(LABEL)
        made = [maker.layer(title) for title, _ in pictures]
        for node in made:
            group.addChildNode(node, None)
            node.setVisible(node is made[-1])
        yield from layers.put_in(ws.document, group, root, (root.childNodes() or [None])[-1])
    for node, (_, frame) in zip(made, pictures):
        yield from write(node, frame)
    ws.record = ws.record.with_made(layers.identity(group))
    ws.save()
    yield from settle(ws, group)


def _document(ws: Workspace, frame: Frame, space: Space) -> Steps:
    """A picture as a new document."""
    document = _new(ws, frame.width, frame.height, space)
    ground = document.rootNode().childNodes()[0]
    yield from write(ground, frame)
    document.refreshProjection()
    yield from layers.idle(document)
    _show(ws, document)


def _animation(ws: Workspace, found: Material, reply: Any) -> Steps:
    """Frames as an animated layer of a new document."""
    frames = frames_of(reply, [str(key) for key in reply.body["pictures"]])
    rate = int(reply.body["rate"])
    document = _new(ws, frames[0].width, frames[0].height, found.space)
    root = document.rootNode()
    ground = root.childNodes()[0]
    document.setFramesPerSecond(rate)
    document.setFullClipRangeEndTime(len(frames) - 1)
    with layers.Maker(ws.krita, document, found.space) as maker:
        results = [Result(frame, None, 0, 0, found.space) for frame in frames]
        group = yield from frames_to_animation.stack(maker, "Frames", results)
    root.addChildNode(group, None)
    yield from layers.idle(document)
    _show(ws, document)
    done = yield from frames_to_animation.convert(ws.krita, document, group)
    if done:
        ground.remove()
    yield from layers.idle(document)
    document.refreshProjection()
    text = "%d frames, %d a second, are a layer of a new document. File ▸ Render Animation makes a GIF of it."
    if not done:
        text = (
            "%d frames, %d a second, are the layers of a group in a new document. Click on the group, then "
            "Layer ▸ Convert ▸ Convert Group to Animated Layer; File ▸ Render Animation makes a GIF of it."
        )
    return text % (len(frames), rate)


def _new(ws: Workspace, width: int, height: int, space: Space) -> Any:
    resolution = float(ws.document.resolution() or RESOLUTION)
    made = ws.krita.createDocument(width, height, ws.name, space.model, space.depth, space.profile, resolution)
    if made is None:
        text = "Krita has no colour space %s, %s bit, “%s”." % (space.model, space.depth, space.profile)
        raise EngineError("colour_space", text, "Convert the picture to RGB: Image ▸ Convert Image Colour Space.")
    return made


def _show(ws: Workspace, document: Any) -> None:
    """In a window of Krita's, and not saved yet."""
    ws.krita.activeWindow().addView(document)
    document.setModified(True)
