"""Pictures with a model: recognised by their pixels, their underdrawing put back without training again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from . import read_layers, training
from .client.messages import EngineError
from .client.pixel_hash import pixel_hash_steps
from .colour_space import Space
from .document_model import Workspace
from .make_primitive import image_frame, lay
from .qt import QtGui
from .record import Colour
from .tasks import Steps

NAME = "recognise"


@dataclass(frozen=True)
class Known:
    """A model in the library of exactly the picture of a layer.

    Attributes:
        layer: the layer's id.
        created: ISO 8601.
        planes: their names.
    """

    layer: str
    id: str
    name: str
    method: str
    created: str
    planes: tuple[str, ...]


def look(ws: Workspace, layer: str) -> Steps:
    """See whether the library has models of exactly this layer's picture; they are in `ws.known` then."""
    node = ws.layers.get(layer)
    if node is None:
        return
    width, height = ws.size
    reply = yield ws.service.ask("models.list", {}, (), 60.0)
    fitting = [
        model
        for model in reply.body["models"]
        if (model["width"], model["height"]) == (width, height) and list(model["region"]) == [0, 0, width, height]
    ]
    found: tuple[Known, ...] = ()
    if fitting:
        try:
            mine = yield from pixel_hash_steps((yield from read_layers.layer(ws, node)))
        except EngineError as error:
            if error.code != "hidden":
                raise
            return
        found = tuple(
            Known(layer, str(m["id"]), str(m["name"]), str(m["method"]), str(m["created"]), tuple(m["planes"]))
            for m in reversed(fitting)
            if m["picture_hash"] == mine
        )
    if found != ws.known:
        ws.known = found
        ws.touch()


def use(ws: Workspace, known: Known) -> Steps:
    """Put the underdrawing of a model into the document, and use the model.

    Raises:
        EngineError: the layer's picture is another one by now.
    """
    ws.keep(picture=known.layer)
    frame = yield from read_layers.picture(ws)
    reply = yield ws.service.ask("models.show", {"model": known.id}, (), 30.0)
    manifest = reply.body["manifest"]
    if (yield from pixel_hash_steps(frame)) != manifest["picture"]["hash"]:
        ws.known = ()
        text = "The picture has changed since the training."
        raise EngineError("changed", text, "Make an underdrawing of it as it is now.")
    ws.doing_now("Fetching the model's underdrawing…")
    planes = {}
    for name in known.planes:
        # A plane that is alone has the file for itself.
        file = "primitive.%s.png" % name if len(known.planes) > 1 else "primitive.png"
        planes[name] = yield from _plane(ws, known.id, file)
    space = Space.of(ws.need_picture()).converted
    ws.record = replace(ws.record, picture_hash=frame.hash, space=space, models=(), model="", job="")
    palette = tuple(Colour.from_dict(entry) for entry in manifest.get("palette") or ())
    yield from lay(ws, planes, palette)
    yield from training.take(ws, known.id)
    ws.train_again = False
    ws.tell("This is the model's underdrawing. Paint on it, and press Apply.")


def _plane(ws: Workspace, model: str, file: str) -> Steps:
    """A plane of the model, out of one of its files."""
    reply = yield ws.service.ask("models.file", {"model": model, "file": file}, (), 60.0)
    data = bytearray(int(reply.body["size"]))
    yield ws.service.fetch_file(str(reply.body["hash"]), data)
    image = QtGui.QImage.fromData(bytes(data))
    if (image.width(), image.height()) != ws.size:
        raise EngineError("bad_picture", "The model's underdrawing cannot be read.", "Train the picture again.")
    # Krita's own order of bytes: the plane is written into its layer as it is.
    return image_frame(image, "BGRA")
