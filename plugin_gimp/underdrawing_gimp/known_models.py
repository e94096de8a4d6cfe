"""Models that know a picture already: found by its pixels, their underdrawing put back without learning again."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import learning, making, pixels, record
from .gi_modules import Gimp, Gio
from .link.pixels import Frame
from .making import Made
from .record import Record
from .service import Service


def underdrawing(service: Service, image: Gimp.Image, layer: Gimp.Layer) -> Made | None:
    """The underdrawing of the newest model that saw exactly these pixels, put above the layer; None without one.

    Raises:
        EngineError: the engine cannot be asked, or the model's files cannot be read.
    """
    area = making.region_of(image, layer)
    found = learning.models_of(layer, area, list(service.ask("models.list").body["models"]))
    if not found:
        return None
    model = found[0]
    manifest = service.ask("models.show", {"model": model["id"]}).body["manifest"]
    drawn = _planes(service, model, manifest)
    made = making.put(image, layer, area, drawn, list(manifest["palette"]), [])
    known = replace(made.record, model=str(model["id"]))
    record.write(image, known, undoable=False)
    return replace(made, record=known)


def _planes(service: Service, model: dict[str, Any], manifest: dict[str, Any]) -> dict[str, Frame]:
    """The planes as they were learnt, read by GIMP from the model's own pictures."""
    drawn: dict[str, Frame] = {}
    with tempfile.TemporaryDirectory(prefix="underdrawing-") as folder:
        for kind in model["planes"]:
            name = "primitive.%s.png" % kind
            path = service.engine.model_file(str(model["id"]), name, Path(folder) / name)
            opened = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(str(path)))
            try:
                drawn[kind] = _whole(opened)
            finally:
                opened.delete()
    return drawn


def _whole(opened: Gimp.Image) -> Frame:
    if opened.get_base_type() == Gimp.ImageBaseType.INDEXED:
        opened.convert_rgb()
    sheet = opened.get_layers()[0]
    return pixels.read(sheet, pixels.Rect(0, 0, sheet.get_width(), sheet.get_height()), alpha=False)


def current(service: Service, image: Gimp.Image, known: Record) -> dict[str, Any] | None:
    """The model that this picture remembers, where the library has it and it saw these very pixels."""
    return learning.learnt_before(image, known, list(service.ask("models.list").body["models"]))
