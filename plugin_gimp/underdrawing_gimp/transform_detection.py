"""A picture that was cropped, scaled, mirrored or turned since training: the way back to what the model knows."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import pixels, record, transform
from .client.engine import Engine
from .client.frames import BYTES, CHANNELS, Frame
from .client.messages import EngineError
from .gi import Gimp, Gio
from .pixels import Rect
from .record import Record
from .transform import Way

ROWS = 64  # of a picture, among which the one is chosen that is looked for first
TRIES = 4096  # places that may look right at first: more have only pictures that are alike everywhere


@dataclass(frozen=True)
class Found:
    """What is known of a picture's model today.

    Attributes:
        known: the record with the region as it is now, and with the way where there is one.
        certain: the way is exact, or none is needed. Else the user must say what to do.
        model: what the library says of the model; None where it is not (yet) there.
        same: the pixels are those of the training.
    """

    known: Record
    certain: bool
    model: dict[str, Any] | None = None
    same: bool = False


def look(engine: Engine, image: Gimp.Image, known: Record) -> Found:
    """Compare the picture with what the model was trained on, and keep with the picture what was found.

    Raises:
        EngineError: the picture's layers are gone, or the engine cannot be asked.
    """
    source = record.layer_of(image, known)
    fits = (source.get_width(), source.get_height()) == known.size
    regions = [known.region] if fits else []
    covered = record.covered(image, known, source)
    if covered not in regions:
        regions.append(covered)
    seen = [(area, pixels.pixel_hash(source, area)) for area in regions]
    models = engine.request("models.list").body["models"]
    model = next((one for one in models if one["id"] == known.model), None)
    size = (source.get_width(), source.get_height())
    for area, now in seen:
        fresh = replace(known, region=area, size=size, checked=now)
        if model is not None and model["picture_hash"] == now:
            return _kept(image, known, Found(replace(fresh, way=None), True, model, True))
        if known.model and known.checked == now and (area.width, area.height) == _today(known):
            return _kept(image, known, Found(fresh, True, model, known.way is not None))
    if model is not None:
        with _trained_picture(engine, known.model) as trained:
            for area, now in seen:
                way = search(trained, source, area)
                if way is not None:
                    fresh = replace(known, region=area, size=size, checked=now, way=way)
                    return _kept(image, known, Found(fresh, True, model, True))
    area, now = seen[0]
    fresh = replace(known, region=area, size=size)
    if not known.model or known.shape in ((0, 0), (area.width, area.height)):
        # Retouched: the engine takes such a picture as it is now.
        return _kept(image, known, Found(replace(fresh, checked=now, way=None), True, model))
    return Found(fresh, False, model)


def agree(image: Gimp.Image, known: Record) -> Record | None:
    """Use the model all the same, scaled to the picture as it is now; None where its proportions are others."""
    way = Way.scaled(known.shape, (known.region.width, known.region.height))
    if way is None:
        return None
    now = pixels.pixel_hash(record.source(image, known), known.region)
    agreed = replace(known, way=way, checked=now)
    record.write(image, agreed, undoable=False)
    return agreed


def changed(known: Record) -> EngineError:
    """What to tell where the way is not found."""
    size = (known.region.width, known.region.height)
    text = "The picture was cropped, scaled or rotated since training: it had %d x %d pixels, and has %d x %d now." % (
        *known.shape,
        *size,
    )
    hint = "Undo that, or train on the picture as it is now"
    if Way.scaled(known.shape, size) is not None:
        hint += "; scripts can use the model all the same with changed=use"
    return EngineError("wrong_size", text, hint + ".")


def _today(known: Record) -> tuple[int, int]:
    """Width and height that a region must have for the record's way to lead back from it."""
    return known.way.now if known.way is not None else known.shape


def _kept(image: Gimp.Image, before: Record, found: Found) -> Found:
    if found.known != before:
        record.write(image, found.known, undoable=False)
    return found


@contextmanager
def _trained_picture(engine: Engine, model: str) -> Iterator[Gimp.Image]:
    """The picture that a model was trained on, opened by GIMP for as long as it is needed.

    Raises:
        EngineError: it cannot be read.
    """
    name = str(engine.request("models.show", {"model": model}).body["manifest"]["picture"]["file"])
    with tempfile.TemporaryDirectory(prefix="underdrawing-") as folder:
        path = engine.model_file(model, name, Path(folder) / name)
        opened = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(str(path)))
    opened.undo_disable()
    try:
        yield opened
    finally:
        opened.delete()


def search(trained: Gimp.Image, source: Gimp.Layer, area: Rect) -> Way | None:
    """How an area of a layer came out of what the model was trained on: exactly, to the last bit, or not at all.

    Args:
        trained: the picture of the training; it is as it was afterwards.
    """
    now = pixels.read(source, area, alpha=False)
    size = (trained.get_width(), trained.get_height())
    found = None
    for mirrored in (False, True):
        transform.turn(trained, mirrored, 0)
        for turns in range(4):
            if found is None:
                cut = _within(now, trained)
                found = Way(size, (area.width, area.height), cut, mirrored, turns) if cut is not None else None
            transform.turn(trained, False, 1)
    transform.turn(trained, True, 0)
    return found or _scaled(trained, now, size)


def _within(now: Frame, trained: Gimp.Image) -> Rect | None:
    """Where a picture lies in another one, pixel for pixel; None where it does not."""
    width, height = trained.get_width(), trained.get_height()
    if now.width > width or now.height > height:
        return None
    whole = _pixels(trained)
    if (whole.order, whole.depth, whole.linear) != (now.order, now.depth, now.linear):
        return None
    large, small = bytes(whole.data), bytes(now.data)
    wide = CHANNELS[now.order] * BYTES[now.depth]
    row, stride = now.width * wide, width * wide
    first = max(
        range(0, now.height, max(1, now.height // ROWS)), key=lambda y: len(set(small[y * row : y * row + row]))
    )
    key, start = small[first * row : first * row + row], 0
    for _ in range(TRIES):
        start = large.find(key, start)
        if start < 0:
            return None
        y, x = divmod(start, stride)
        top = y - first
        if x % wide == 0 and x + row <= stride and 0 <= top <= height - now.height:
            begin = top * stride + x
            if all(
                large[begin + n * stride : begin + n * stride + row] == small[n * row : n * row + row]
                for n in range(now.height)
            ):
                return Rect(x // wide, top, now.width, now.height)
        start += 1
    return None


def _scaled(trained: Gimp.Image, now: Frame, size: tuple[int, int]) -> Way | None:
    """The way of a picture that GIMP scaled as a whole, found by doing so again in each of the usual manners."""
    way = Way.scaled(size, (now.width, now.height))
    if way is None or size == (now.width, now.height):
        return None
    for how in dict.fromkeys((Gimp.context_get_interpolation(), transform.FINE, transform.SOFT, transform.HARD)):
        copy = trained.duplicate()
        try:
            copy.undo_disable()
            transform.scale(copy, (now.width, now.height), how)
            again = _pixels(copy)
        finally:
            copy.delete()
        if (again.order, again.depth, bytes(again.data)) == (now.order, now.depth, bytes(now.data)):
            return replace(way, manner=int(how))
    return None


def _pixels(image: Gimp.Image) -> Frame:
    layer = image.get_layers()[0]
    return pixels.read(layer, Rect(0, 0, layer.get_width(), layer.get_height()), alpha=False)
