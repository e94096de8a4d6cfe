"""From a picture to its underdrawing: made by the engine, or taken from layers that the user drew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from . import layers, read_layers
from .brush import take_colour
from .client.frames import Frame
from .client.messages import EngineError
from .colour_space import DRAWN, Space
from .document_model import Swap, Workspace
from .qt import Qt, QtGui
from .record import Colour
from .service import frames_of
from .tasks import Steps
from .tiles import write
from .ui_state import MakeOptions

ORDER = ("segments", "paint", "edges")  # from the bottom of the group to its top
BOTH = 153  # opacity of an underdrawing through which the picture is seen
FAINT = 128  # opacity of outlines over areas
LABEL = 5  # of Krita's colour labels, for layers of ours
TILE = 64  # pixels of a side of Krita's tiles
PREVIEW = 400  # pixels of the longer side of the picture that a preview is made of
NAMES = {"segments": "Areas", "edges": "Outlines", "paint": "Flat paint"}  # of the planes' layers


def make(ws: Workspace, picture: str, options: MakeOptions) -> Steps:
    """Make an underdrawing of a layer, and put it on top of the document."""
    ws.keep(picture=picture)
    frame = yield from read_layers.picture(ws)
    ws.doing_now("Making the underdrawing…")
    body = {"picture": {"hash": frame.hash}, "kind": options.kind, "options": options.body(), "order": "BGRA"}
    reply = yield ws.service.ask("primitive", body, [frame], 300.0)
    space = Space.of(ws.need_picture()).converted
    ws.record = replace(ws.record, picture_hash=frame.hash, space=space, models=(), model="", job="")
    yield from lay(ws, planes_of(reply), palette_of(reply))
    ws.train_again = False
    if ws.record.palette and "segments" in ws.planes and ws.krita.activeDocument() == ws.document:
        take_colour(ws, ws.record.palette[0])  # else the first stroke would be in no area's colour
    notes = [str(note) for note in reply.body.get("notes") or ()]
    ws.tell("The underdrawing lies on top of the layers. Press “Start editing” next." + "".join(" " + n for n in notes))


def planes_of(reply: Any) -> dict[str, Frame]:
    """The planes of a reply by their names."""
    entries = reply.body["planes"]
    frames = frames_of(reply, [str(entry["hash"]) for entry in entries])
    return {str(entry["name"]): frame for entry, frame in zip(entries, frames)}


def palette_of(reply: Any) -> tuple[Colour, ...]:
    """The palette of a reply."""
    return tuple(Colour.from_dict(entry) for entry in reply.body.get("palette") or ())


def lay(ws: Workspace, planes: dict[str, Frame], palette: Sequence[Colour]) -> Steps:
    """Put planes into the document as a group, in the place of the group that is there: one step back for the user."""
    old, root = ws.group, ws.document.rootNode()
    above = old if old is not None else (root.childNodes() or [None])[-1]
    parent = old.parentNode() if old is not None else root
    with layers.Maker(ws.krita, ws.document, DRAWN, nested=True) as maker:
        group = maker.layer("Underdrawing", "grouplayer")
        group.setColorLabel(LABEL)
        made: dict[str, Any] = {}
        for name in ORDER:
            if name in planes:
                made[name] = maker.layer(NAMES[name])
                made[name].setColorLabel(LABEL)
                group.addChildNode(made[name], None)
        if "edges" in made and len(made) > 1:
            made["edges"].setBlendingMode("multiply")
            made["edges"].setOpacity(FAINT)
        group.setOpacity(BOTH if old is None else old.opacity())
        yield from layers.put_in(ws.document, group, parent, above)
    for name, node in made.items():
        yield from write(node, planes[name])
    ws.record = ws.record.with_planes(
        layers.identity(group), {name: layers.identity(node) for name, node in made.items()}
    )
    if old is not None:
        yield from layers.idle(ws.document)
        old.remove()
        ws.swaps.append(Swap(layers.identity(old), layers.identity(group)))
    yield None  # a step of its own: Krita composes the whole picture
    ws.document.refreshProjection()
    ws.document.setActiveNode(made.get("segments") or made.get("paint") or made["edges"])
    ws.look()
    ws.keep(palette=tuple(palette))


def use_layers(ws: Workspace, picture: str, chosen: dict[str, str]) -> Steps:
    """Take the user's own layers as underdrawing; they stay where and what they are.

    Args:
        chosen: by plane, the layer's id.
    """
    planes = {name: key for name, key in chosen.items() if key}
    if not planes:
        raise EngineError("no_planes", "No layer was chosen.", "Choose at least one: areas, outlines or paint.")
    if picture in planes.values() or len(set(planes.values())) < len(planes):
        text = "One layer was chosen twice."
        raise EngineError("twice", text, "The picture and each part of the underdrawing need a layer of their own.")
    ws.keep(picture=picture)
    frame = yield from read_layers.picture(ws)
    space = Space.of(ws.need_picture()).converted
    ws.record = replace(ws.record, picture_hash=frame.hash, space=space, models=(), model="", job="", groups=())
    ws.record = replace(ws.record, planes={name: (key,) for name, key in planes.items()}, palette=())
    ws.save()
    ws.look()
    ws.tell("These layers are the underdrawing now. Press “Start editing” next.")


def preview(ws: Workspace, picture: str, options: MakeOptions) -> Steps:
    """What an underdrawing with these options would look like, as a small QImage."""
    node = ws.layers.get(picture)
    if node is None:
        return None
    width, height = ws.size
    scale = min(1.0, PREVIEW / max(width, height))
    small = yield from _small(ws, node, max(1, round(width * scale)), max(1, round(height * scale)))
    frame = image_frame(small)
    figures = options.body()
    if "sigma" in figures:
        figures["sigma"] = max(0.3, figures["sigma"] * scale)
    body = {"picture": {"hash": frame.hash}, "kind": options.kind, "options": figures, "order": "BGRA"}
    reply = yield ws.service.ask("primitive", body, [frame], 120.0)
    shown = QtGui.QImage(frame.width, frame.height, QtGui.QImage.Format.Format_ARGB32)
    shown.fill(QtGui.QColor("white"))
    painter = QtGui.QPainter(shown)
    planes = planes_of(reply)
    for name in ORDER:
        if name in planes:
            if name == "edges":
                painter.setCompositionMode(QtGui.QPainter.CompositionMode.CompositionMode_Multiply)
            painter.drawImage(0, 0, frame_image(planes[name]))
    painter.end()
    return shown


def _small(ws: Workspace, node: Any, width: int, height: int) -> Steps:
    """A layer as a small QImage of the whole canvas."""
    if Space.of(node).is_srgb:
        image = frame_image((yield from read_layers.layer(ws, node)))
        yield None
        return image.scaled(
            width, height, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
    # Krita's own small view of a layer shows whole tiles: what lies beyond the canvas is cut away.
    full_width, full_height = ws.size
    wide, high = -(-full_width // TILE) * TILE, -(-full_height // TILE) * TILE
    image = node.thumbnail(round(width * wide / full_width), round(height * high / full_height))
    return image.copy(0, 0, width, height)


def image_frame(image: Any, order: str = "RGBA") -> Frame:
    """A QImage as a frame of 8 bits, RGBA or BGRA."""
    formats = {"RGBA": QtGui.QImage.Format.Format_RGBA8888, "BGRA": QtGui.QImage.Format.Format_ARGB32}
    ready = image.convertToFormat(formats[order])
    bits = ready.constBits()
    bits.setsize(ready.bytesPerLine() * ready.height())
    return Frame(ready.width(), ready.height(), order, "u8", bytes(bits), ready.bytesPerLine())


def frame_image(frame: Frame) -> Any:
    """A frame of 8 bits as a QImage of its own memory."""
    formats = QtGui.QImage.Format
    kinds = {
        "BGRA": formats.Format_ARGB32,
        "RGBA": formats.Format_RGBA8888,
        "RGB": formats.Format_RGB888,
        "L": formats.Format_Grayscale8,
    }
    data = bytes(frame.data)
    return QtGui.QImage(data, frame.width, frame.height, frame.stride, kinds[frame.order]).copy()
