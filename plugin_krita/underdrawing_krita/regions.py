"""Region tools and layouts: the underdrawing is changed by the engine instead of by the brush."""

from __future__ import annotations

from dataclasses import replace

from . import read_layers
from .client.labels import AREAS
from .client.messages import EngineError
from .document_model import Workspace
from .external_image import Elsewhere
from .make_primitive import image_frame, lay, palette_of, planes_of
from .qt import Qt, QtGui
from .tasks import Steps
from .ui_state import Other, Part, RegionOptions


def change(ws: Workspace, options: RegionOptions) -> Steps:
    """Move, scale, mirror or copy the selected area on all planes; what is uncovered is filled."""
    mask = read_layers.selection(ws)
    if mask is None:
        text = "Nothing is selected."
        raise EngineError("no_selection", text, "Select the area first, with any of Krita's selection tools.")
    planes = yield from read_layers.planes(ws)
    ws.doing_now("Changing the underdrawing…")
    body = {
        "planes": read_layers.references(planes),
        "region": {"mask": {"hash": mask.hash}},
        "order": "BGRA",
        **options.body(),
    }
    if ws.record.palette:
        body["palette"] = [colour.as_dict() for colour in ws.record.palette]
    reply = yield ws.service.ask("region", body, [*planes.values(), mask], 120.0)
    yield from lay(ws, planes_of(reply), ws.record.palette or palette_of(reply))
    ws.document.setSelection(None)  # it is where the area was, and would keep Apply from painting elsewhere
    notes = [str(note) for note in reply.body.get("notes") or ()]
    ws.tell(" ".join([_done(options.operation), *notes]))


def _done(operation: str) -> str:
    """What became of the selected area, and what comes next."""
    texts = {
        "move": "Moved in the underdrawing. Press Apply to paint it.",
        "copy": "Copied in the underdrawing. Press Apply to paint it.",
        "scale": "Scaled in the underdrawing. Press Apply to paint it.",
        "mirror": "Mirrored in the underdrawing. Press Apply to paint it.",
    }
    return texts[operation]


def layout(ws: Workspace, other: Elsewhere) -> Steps:
    """Another picture's layout, in this model's palette, as the underdrawing.

    Args:
        other: of any size; it is enlarged or reduced to cover the canvas, and cut.
    """
    image, name = (yield from other.image()), other.name
    width, height = ws.size
    modes = Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
    fitted = image.convertToFormat(QtGui.QImage.Format.Format_RGBA8888).scaled(width, height, *modes)
    yield None
    cut = fitted.copy((fitted.width() - width) // 2, (fitted.height() - height) // 2, width, height)
    ws.doing_now("Looking for this model's areas in “%s”…" % name)
    yield from lay_out(ws, Other(name, ws.record.model, image_frame(cut)))
    ws.tell("The underdrawing is now that of “%s”. Paint on, or press Apply." % name)


def match(ws: Workspace, part: int, name: str) -> Steps:
    """Another area for a part of the picture whose layout was taken last; "" is the one that was found."""
    other = ws.other
    if other is None or not 0 <= part < len(other.parts):
        raise EngineError("no_picture", "There is no layout of another picture yet.")
    yield from lay_out(ws, other.matched(part, name))
    told = "“%s” of the other picture is “%s” here now."
    ws.tell(told % (other.parts[part].name, name or other.parts[part].found))


def lay_out(ws: Workspace, other: Other) -> Steps:
    """Ask for the layout of a picture, and make it the underdrawing."""
    body = {"model": other.model, "picture": {"hash": other.frame.hash}, "order": "BGRA", "areas": AREAS}
    body["match"] = {str(number): name for number, name in other.match.items()}
    reply = yield ws.service.ask("layout", body, [other.frame], 300.0)
    yield from lay(ws, planes_of(reply), ws.record.palette or palette_of(reply))
    parts = tuple(Part.from_dict(entry) for entry in reply.body["areas"])
    classes = tuple((colour.name, colour.rgb) for colour in palette_of(reply))
    ws.other = replace(other, parts=parts, classes=classes)
    ws.touch()
