"""Frames: an animated underdrawing, or animated photographs, become an animated layer of results."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

from . import reading
from .link.messages import EngineError
from .link.pixels import Frame
from .making import planes_of
from .qt import QtCore, QtGui
from .service import frames_of
from .space import Space
from .state import ApplyOptions
from .tasks import Steps
from .texts import tr
from .tiles import read
from .workspace import Workspace

MOST_FRAMES = 2000


def times(document: Any) -> tuple[int, int]:
    """First and last frame that have anything to show: the clip's range, cut where nothing is animated any more."""
    first = int(document.fullClipRangeStartTime())
    last = int(document.fullClipRangeEndTime())
    return first, max(first, min(last, first + MOST_FRAMES - 1))


def animate(ws: Workspace, photographs: bool, first: int, last: int, options: ApplyOptions) -> Steps:
    """Paint frames first…last.

    Args:
        photographs: the picture's layer is animated, and each frame gets an underdrawing first; else the underdrawing
            is animated, and its edits are painted.
    """
    sources = {"picture": ws.need_picture()} if photographs else ws.need_planes()
    moving = [node for node in sources.values() if node.animated()]
    if not moving:
        what = tr("The picture's layer") if photographs else tr("No layer of the underdrawing")
        text = (tr("%s is not animated.") if photographs else tr("%s is animated.")) % what
        raise EngineError("not_animated", text, tr("Give it frames with the timeline, and try again."))
    if not 0 <= first <= last or last - first >= MOST_FRAMES:
        raise EngineError("bad_range", tr("These frames cannot be painted: %d to %d.") % (first, last))
    with tempfile.TemporaryDirectory(prefix="underdrawing-") as folder:
        files: list[str] = []
        for time in range(first, last + 1):
            ws.doing_now(tr("Frame %d of %d…") % (time - first + 1, last - first + 1))
            # A frame that is held is painted once.
            if files and not any(node.hasKeyframeAtTime(time) for node in moving):
                files.append(files[-1])
                continue
            planes = yield from _planes_at(ws, sources, photographs, time)
            image = yield from _result(ws, planes, photographs, options)
            file = Path(folder) / ("%06d.png" % time)
            if not image.save(str(file), "PNG"):
                text = tr("A frame could not be written into %s.") % folder
                raise EngineError("file", text, tr("Is there room on the disk?"))
            files.append(str(file))
            yield None
        ws.doing_now(tr("Putting the frames into the document…"))
        yield None
        before = set(ws.layers)
        if not ws.document.importAnimation(files, first, 1):
            raise EngineError("layer", tr("Krita did not take the frames."))
        ws.look()
        for key, node in ws.layers.items():
            if key not in before:
                node.setName(tr("Result frames"))
    ws.tell(tr("%d frames lie in a new animated layer.") % len(files))


def _planes_at(ws: Workspace, sources: dict[str, Any], photographs: bool, time: int) -> Steps:
    """The underdrawing of one frame as frames by name; as hashes too large to keep they go to the engine at once."""
    width, height = ws.size
    found: dict[str, Frame] = {}
    for name, node in sources.items():
        if node.animated():
            space = Space.of(node)
            if not space.plain:
                raise EngineError("colour_space", tr("Frames must be in RGB or grey."))
            found[name] = yield from read(_at(node, time), space, width, height)
        else:
            found[name] = yield from reading.layer(ws, node)
    if not photographs:
        return found
    photo = found["picture"]
    body: dict[str, Any] = {"picture": {"hash": photo.hash}, "order": "BGRA"}
    known = set(ws.planes)
    if "segments" in known:
        body["model"] = ws.record.model
        reply = yield ws.service.ask("layout", body, [photo], 300.0)
    else:
        body["kind"] = "edges" if "edges" in known else "paint"
        reply = yield ws.service.ask("primitive", body, [photo], 300.0)
    return planes_of(reply)


def _at(node: Any, time: int) -> Any:
    def source(x: int, y: int, width: int, height: int) -> Any:
        return node.pixelDataAtTime(x, y, width, height, time)

    return source


def _result(
    ws: Workspace, planes: dict[str, Frame], whole: bool, options: ApplyOptions
) -> Generator[Any, Any, QtGui.QImage]:
    """What follows from one frame's underdrawing, on a transparent canvas."""
    width, height = ws.size
    canvas = QtGui.QImage(width, height, QtGui.QImage.Format.Format_ARGB32)
    canvas.fill(QtCore.Qt.GlobalColor.transparent)
    body = {
        "model": ws.record.model,
        "planes": reading.references(planes),
        **options.body(),
        "order": "RGBA",
        "baked": True,
    }
    if whole:
        body["whole"] = True
    reply = yield from _asked(ws, body, list(planes.values()))
    if reply is None:
        return canvas
    (frame,) = frames_of(reply, [str(reply.body["picture"])])
    formats = QtGui.QImage.Format
    kind = {"u8": formats.Format_RGBA8888, "u16": formats.Format_RGBA64}.get(frame.depth)
    if kind is None:
        text = tr("Frames can be painted for pictures of 8 and 16 bit integers.")
        raise EngineError("depth", text, tr("Convert the picture: Image ▸ Convert Image Colour Space."))
    data = bytes(frame.data)
    painted = QtGui.QImage(data, frame.width, frame.height, frame.stride, kind)
    if kind == formats.Format_RGBA64:
        canvas = canvas.convertToFormat(formats.Format_RGBA64)
    painter = QtGui.QPainter(canvas)
    painter.setCompositionMode(QtGui.QPainter.CompositionMode.CompositionMode_Source)
    painter.drawImage(int(reply.body["x"]), int(reply.body["y"]), painted)
    painter.end()
    return canvas


def _asked(ws: Workspace, body: dict[str, Any], frames: list[Frame]) -> Generator[Any, Any, Any | None]:
    """The engine's answer; None where this frame is not edited."""
    try:
        return (yield ws.service.ask("apply", body, frames, 600.0))
    except EngineError as error:
        if error.code != "nothing_edited":
            raise
        return None
