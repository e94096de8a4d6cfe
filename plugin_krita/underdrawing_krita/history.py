"""Applied results, kept in the document: thumbnails to look at, pixels to bring back. Limited in number and size."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from .client.frames import Frame
from .client.messages import EngineError
from .colour_space import Space
from .document_model import Workspace
from .make_primitive import frame_image
from .packing import pack, unpack
from .qt import QtCore, QtGui
from .tasks import Steps

if TYPE_CHECKING:
    from .apply import Result

INDEX = "underdrawing/history"
MOST = 12  # entries
MOST_BYTES = 24 << 20  # of all entries together, as they are stored
THUMB = 96  # pixels
MOST_SCALED = 1 << 20  # pixels of a picture that is made small at one go


@dataclass(frozen=True)
class Entry:
    """One applied result.

    Attributes:
        id: number within the document.
        size: bytes of the stored pixels.
        thumbnail: a PNG, base64.
        header, mask: headers of the stored frames; mask is None where it is the alpha of the pixels.
    """

    id: int
    x: int
    y: int
    space: Any
    model: str
    size: int
    thumbnail: str
    header: Any
    mask: Any
    when: str = ""

    def image(self) -> Any:
        """The thumbnail as a QImage."""
        return QtGui.QImage.fromData(base64.b64decode(self.thumbnail))


def load(ws: Workspace) -> list[Entry]:
    """What the document holds; nothing where its notes are damaged."""
    if INDEX not in ws.document.annotationTypes():
        return []
    try:
        raw = json.loads(bytes(ws.document.annotation(INDEX)).decode("utf-8"))
        return [Entry(**entry) for entry in raw]
    except (ValueError, TypeError):
        return []


def add(ws: Workspace, result: Result, node: Any) -> Steps:
    """Keep a result that was just put into the document as `node`."""
    image = _thumbnail(result.frame, node)
    stored = QtCore.QByteArray()
    buffer = QtCore.QBuffer(stored)
    buffer.open(QtCore.QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    packed = yield from pack(frame for frame in (result.frame, result.mask) if frame is not None)
    number = 1 + max((entry.id for entry in ws.history), default=0)
    header, mask = result.frame.header(), None if result.mask is None else result.mask.header()
    thumbnail = base64.b64encode(bytes(stored)).decode("ascii")
    when = QtCore.QDateTime.currentDateTime().toString(QtCore.Qt.DateFormat.ISODate)
    space = asdict(result.space)
    entry = Entry(number, result.x, result.y, space, result.model, len(packed), thumbnail, header, mask, when)
    if len(packed) <= MOST_BYTES:
        ws.document.setAnnotation(_key(number), "A result", QtCore.QByteArray(packed))
        ws.history = [*ws.history, entry]
        while len(ws.history) > MOST or sum(e.size for e in ws.history) > MOST_BYTES:
            ws.document.removeAnnotation(_key(ws.history[0].id))
            ws.history = ws.history[1:]
        _store(ws)
    ws.touch()


def _thumbnail(frame: Frame, node: Any) -> Any:
    """A result as a small QImage. Krita's own view of a layer adds margins, so it is taken only where it must be."""
    if frame.depth != "u8" or frame.order not in ("BGRA", "RGBA") or frame.width * frame.height > MOST_SCALED:
        return node.thumbnail(THUMB, THUMB)
    modes = QtCore.Qt.AspectRatioMode.KeepAspectRatio, QtCore.Qt.TransformationMode.SmoothTransformation
    return frame_image(frame).scaled(THUMB, THUMB, *modes)


def bring_back(ws: Workspace, number: int) -> Steps:
    """A stored result as a new layer over the picture."""
    from .apply import Result, masked, show

    entry = next((e for e in ws.history if e.id == number), None)
    if entry is None or _key(number) not in ws.document.annotationTypes():
        raise EngineError("no_entry", "This result is not kept in the document any more.")
    data = yield from unpack(ws.document.annotation(_key(number)))
    header = entry.header
    pixels = int(header["stride"]) * int(header["height"])
    frame = Frame.parse(dict(header, profile_size=0), bytes(data[:pixels]))
    mask = None if entry.mask is None else Frame.parse(entry.mask, bytes(data[pixels:]))
    if mask is not None and not masked():
        frame, mask = bake(frame, mask), None
    made = Result(frame, mask, entry.x, entry.y, Space.from_dict(entry.space), entry.model)
    yield from show(ws, made, "Result, brought back")


def bake(frame: Frame, mask: Frame) -> Frame:
    """A mask of 8 bits as the alpha of a frame that has one: for a document that comes from a Krita with masks."""
    import struct

    count = {"u8": 1, "u16": 2, "f16": 2, "f32": 4}[frame.depth]
    if frame.depth in ("u8", "u16"):
        values = [bytes([level] * count) for level in range(256)]
    else:
        values = [struct.pack("<e" if count == 2 else "<f", level / 255) for level in range(256)]
    step = count * (2 if frame.order == "LA" else 4)
    data, levels = bytearray(frame.data), bytes(mask.data)
    for place in range(count):
        table = bytes(value[place] for value in values)
        data[step - count + place :: step] = levels.translate(table)
    return Frame(frame.width, frame.height, frame.order, frame.depth, data, 0, frame.linear)


def forget(ws: Workspace) -> None:
    """Take all stored results out of the document; layers stay."""
    for entry in ws.history:
        ws.document.removeAnnotation(_key(entry.id))
    ws.history = []
    _store(ws)
    ws.touch()


def _store(ws: Workspace) -> None:
    text = json.dumps([asdict(entry) for entry in ws.history])
    ws.document.setAnnotation(INDEX, "Results of Underdrawing", QtCore.QByteArray(text.encode("utf-8")))


def _key(number: int) -> str:
    return "%s/%d" % (INDEX, number)
