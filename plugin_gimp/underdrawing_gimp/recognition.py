"""Models that know a picture already: found by its pixels, their underdrawing put back without training again."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from . import make_primitive, pixels, record, training
from .client.engine import Engine
from .client.frames import Frame
from .gi import Gimp, Gio
from .make_primitive import Made
from .service import Service


def underdrawing(service: Service, image: Gimp.Image, layer: Gimp.Layer, colour: bool) -> Made | None:
    """The underdrawing of the newest model that saw exactly these pixels, put above the layer; None without one.

    Args:
        colour: the picture becomes one in RGB, see `making.make`.

    Raises:
        EngineError: the engine cannot be asked, or the model's files cannot be read.
    """
    area = make_primitive.region_of(image, layer)
    found = training.models_of(layer, area, service.models(), colour)
    if not found:
        return None
    model = str(found[0]["id"])
    manifest = service.model(model)["manifest"]
    drawn = trained_planes(service, model, alpha=False)
    made = make_primitive.put(image, layer, area, drawn, list(manifest["palette"]), [], colour)
    known = made.record.trained(model, "")
    record.write(image, known, undoable=False)
    return replace(made, record=known)


def trained_planes(engine: Engine, model: str, alpha: bool = True) -> dict[str, Frame]:
    """The planes that a model was trained on, read by GIMP from the model's own pictures.

    Args:
        alpha: in colour and with alpha, as drawn layers are read; else as they are.

    Raises:
        EngineError: the model's files cannot be read.
    """
    drawn: dict[str, Frame] = {}
    with tempfile.TemporaryDirectory(prefix="underdrawing-") as folder:
        planes = engine.model(model)["planes"]
        for kind in planes:
            name = "primitive.%s.png" % kind if len(planes) > 1 else "primitive.png"
            path = engine.model_file(model, name, Path(folder) / name)
            opened = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(str(path)))
            try:
                drawn[kind] = _whole(opened, alpha)
            finally:
                opened.delete()
    return drawn


def _whole(opened: Gimp.Image, alpha: bool) -> Frame:
    kind = opened.get_base_type()
    if kind == Gimp.ImageBaseType.INDEXED or (alpha and kind == Gimp.ImageBaseType.GRAY):
        opened.convert_rgb()
    sheet = opened.get_layers()[0]
    return pixels.read(sheet, pixels.Rect(0, 0, sheet.get_width(), sheet.get_height()), alpha=alpha)
