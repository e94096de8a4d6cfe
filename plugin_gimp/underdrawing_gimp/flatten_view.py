"""What is seen of a picture, as frames: all of it, what lies below a layer, and where that layer is.

GIMP lays the layers over each other itself, in a copy of the picture that nobody sees.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Callable

from . import pixels, record
from .client.frames import Frame
from .client.messages import EngineError
from .gi import Gegl, Gimp
from .pixels import Rect

RESULT = "underdrawing.result"  # on a layer that was made without an underdrawing: the tattoo of the one it is for
FREE = "free"  # in place of that tattoo: pictures that are for no layer
SIDE = 220  # pixels of the small copies, which are shown
LEAST = 24  # pixels of a side: less cannot be trained on


@dataclass(frozen=True)
class View:
    """A picture as it is seen.

    Attributes:
        frame: its pixels, with alpha only where something is transparent.
        key: what a model that was trained on it says as its `picture_hash`.
        small: 8 bits, for the screen.
        at: its place in the image.
    """

    frame: Frame
    key: str
    small: Frame
    at: Rect


@dataclass(frozen=True)
class Changed:
    """A picture on which a layer lies.

    Attributes:
        below: what lies below the layer, without results of this plug-in; None where nothing is visible there.
        given: the same with the layer on it.
        mask: 255 where the layer (and the selection, if there is one) covers the picture fully, `L`.
        everywhere: the layer covers all of it, and nothing is selected.
        selected: the selection limits the mask.
    """

    below: View | None
    given: View
    mask: Frame
    everywhere: bool
    selected: bool


def whole(image: Gimp.Image) -> View:
    """The picture as it is seen, without underdrawings and without pictures that were made freely: its selected
    part's bounding box, or all of it.

    Raises:
        EngineError: nothing is visible, or the selection is too small.
    """
    area = _selected(image)
    with _copy(image) as copy:
        _remove(copy, lambda layer: bool(record.marked(layer, record.PLANE)) or record.marked(layer, RESULT) == FREE)
        found = _view(copy, area)
    if found is None:
        raise EngineError("bad_picture", "No layer of the picture is visible.", "Make one visible, then try again.")
    return found


def layer_alone(image: Gimp.Image, layer: Gimp.Layer) -> View:
    """One layer as it would be seen without the others.

    Raises:
        EngineError: it is empty.
    """
    with _copy(image) as copy:
        one = _counterpart(copy, _path(image, layer))
        _only(copy, one)
        found = _view(copy, _canvas(copy))
    if found is None:
        raise EngineError("bad_picture", "The layer “%s” is empty." % layer.get_name(), "Choose another one.")
    return found


def as_seen(image: Gimp.Image, layer: Gimp.Layer) -> tuple[Frame, int, int]:
    """A layer with its mask, opacity and filters, and the place of its pixels in the image."""
    _, x, y = layer.get_offsets()
    whole = Rect(0, 0, layer.get_width(), layer.get_height())
    if _plain(layer, whole.moved(x, y)):
        return pixels.read(layer, whole, alpha=True), x, y
    view = layer_alone(image, layer)
    return view.frame, view.at.x, view.at.y


def changed_by(image: Gimp.Image, layer: Gimp.Layer) -> Changed:
    """What a layer does to the picture below it. What lies above it does not count.

    Raises:
        EngineError: the layer is empty, outside of the picture or of the selection.
    """
    if image.get_floating_sel() is not None:
        text = "What was pasted still floats: it is not a layer yet."
        raise EngineError("bad_request", text, "Choose Layer > To New Layer, then try again.")
    with _copy(image) as copy:
        path, tattoo = _path(image, layer), str(layer.get_tattoo())
        one = _counterpart(copy, path)
        _remove_above(copy, one)
        _remove(copy, lambda other: bool(record.marked(other, record.PLANE)) or record.marked(other, RESULT) == tattoo)
        _show(one)
        selected = not Gimp.Selection.is_empty(copy)
        mask = _mask(copy, one, selected)
        given = _view(copy, _canvas(copy))
        one.set_visible(False)
        for other in list(record.all_layers(copy.get_layers())):
            if record.marked(other, RESULT) not in ("", FREE) or record.marked(other, record.RESULT):
                other.set_visible(False)
        below = _view(copy, _canvas(copy))
    if given is None:
        raise _empty(layer)
    return Changed(below, given, mask, not selected and 0 not in bytes(mask.data), selected)


def chosen(image: Gimp.Image, drawables: list[Gimp.Item]) -> Gimp.Layer:
    """The layer that is meant: the selected one; of a result, the layer that it was made for.

    Raises:
        EngineError: it is not clear which, or it belongs to an underdrawing.
    """
    found = [item for item in drawables if isinstance(item, Gimp.Layer)]
    if len(found) != 1:
        text = "Several layers are selected." if found else "No layer is selected."
        raise EngineError("bad_request", text, "Select the one layer that was pasted, edited or painted.")
    layer = found[0]
    if record.marked(layer, record.PLANE) or record.marked(layer, record.RESULT):
        text = "The selected layer “%s” belongs to an underdrawing." % layer.get_name()
        raise EngineError("bad_request", text, "Select the layer that was pasted, edited or painted.")
    made_for = record.marked(layer, RESULT)
    if made_for.isdigit():
        before = image.get_layer_by_tattoo(int(made_for))
        if before is not None:
            return before
    return layer


# --- in the copy


@contextmanager
def _copy(image: Gimp.Image) -> Iterator[Gimp.Image]:
    copy = image.duplicate()
    copy.undo_disable()
    try:
        yield copy
    finally:
        copy.delete()


def _path(image: Gimp.Image, layer: Gimp.Layer) -> list[int]:
    """Positions of the groups that a layer lies in, from the outermost, and its own."""
    path: list[int] = []
    item: Gimp.Item | None = layer
    while item is not None:
        path.insert(0, image.get_item_position(item))
        item = item.get_parent()
    return path


def _counterpart(copy: Gimp.Image, path: list[int]) -> Gimp.Layer:
    siblings = copy.get_layers()
    for position in path[:-1]:
        siblings = siblings[position].get_children()
    return siblings[path[-1]]


def _family(layer: Gimp.Layer) -> Iterator[Gimp.Layer]:
    """A layer and the groups that it lies in, from the inside."""
    one: Gimp.Item | None = layer
    while one is not None:
        yield one
        one = one.get_parent()


def _show(layer: Gimp.Layer) -> None:
    for one in _family(layer):
        one.set_visible(True)


def _siblings(copy: Gimp.Image, layer: Gimp.Layer) -> list[Gimp.Layer]:
    parent = layer.get_parent()
    return list(parent.get_children() if parent is not None else copy.get_layers())


def _remove_above(copy: Gimp.Image, layer: Gimp.Layer) -> None:
    for one in _family(layer):
        for other in _siblings(copy, one)[: copy.get_item_position(one)]:
            copy.remove_layer(other)


def _only(copy: Gimp.Image, layer: Gimp.Layer) -> None:
    for one in _family(layer):
        for other in _siblings(copy, one):
            if other.get_id() != one.get_id():
                copy.remove_layer(other)
    _show(layer)


def _remove(copy: Gimp.Image, wrong: Callable[[Gimp.Layer], bool]) -> None:
    for layer in [one for one in record.all_layers(copy.get_layers()) if wrong(one)]:
        if layer.is_valid():
            copy.remove_layer(layer)


def _canvas(image: Gimp.Image) -> Rect:
    return Rect(0, 0, image.get_width(), image.get_height())


def _selected(image: Gimp.Image) -> Rect:
    area = _canvas(image)
    if not Gimp.Selection.is_empty(image):
        found = Gimp.Selection.bounds(image)
        area = area.intersect(Rect(found.x1, found.y1, found.x2 - found.x1, found.y2 - found.y1))
    if min(area.width, area.height) < LEAST:
        text = "%d x %d pixels are too few to train on." % (area.width, area.height)
        hint = "Select at least %d x %d pixels, or nothing." % (LEAST, LEAST)
        if Gimp.Selection.is_empty(image):
            hint = "A picture needs at least %d x %d. Choose a larger one, or Image > Scale Image." % (LEAST, LEAST)
        raise EngineError("bad_picture", text, hint)
    return area


def _mask(copy: Gimp.Image, layer: Gimp.Layer, selected: bool) -> Frame:
    """Where a layer covers the picture, inside of the selection: GIMP's own "Alpha to Selection"."""
    Gimp.context_set_feather(False)
    how = Gimp.ChannelOps.INTERSECT if selected else Gimp.ChannelOps.REPLACE
    copy.select_item(how, layer)
    mask = layer.get_mask()
    if mask is not None and layer.get_apply_mask():
        copy.select_item(Gimp.ChannelOps.INTERSECT, mask)
    if Gimp.Selection.is_empty(copy):
        if selected:
            text = "Nothing of the layer “%s” is selected." % layer.get_name()
            raise EngineError("nothing_edited", text, "Select a part of it, or nothing (Select > None).")
        raise _empty(layer)
    area = _canvas(copy)
    data = copy.get_selection().get_buffer().get(area.gegl(), 1.0, "Y u8", Gegl.AbyssPolicy.NONE)
    return Frame(area.width, area.height, "L", "u8", data)


def _empty(layer: Gimp.Layer) -> EngineError:
    text = "The layer “%s” is empty, or lies outside of the picture." % layer.get_name()
    return EngineError("nothing_edited", text, "Select the layer that was pasted, edited or painted.")


def _view(copy: Gimp.Image, area: Rect) -> View | None:
    """What is visible in an area; None where nothing is."""
    shown = [layer for layer in copy.get_layers() if layer.get_visible()]
    if not shown:
        return None
    drawable, there = shown[0], area
    own = len(shown) == 1 and _plain(shown[0], area)
    if own:
        _, x, y = shown[0].get_offsets()
        there = area.moved(-x, -y)
    else:
        drawable = Gimp.Layer.new_from_visible(copy, copy, "seen")
        copy.insert_layer(drawable, None, 0)
    alpha = _alpha(drawable, there)
    try:
        if not any(alpha):
            return None
        opaque = min(alpha) == 255
        bare = pixels.read(drawable, there, alpha=False)
        frame = bare if opaque else pixels.read(drawable, there, alpha=True)
        return View(frame, pixels.frame_hash(bare), pixels.small_frame(drawable, there, SIDE), area)
    finally:
        if not own:
            copy.remove_layer(drawable)


def _plain(layer: Gimp.Layer, area: Rect) -> bool:
    """Whether what is seen of a layer is its very pixels: they need no compositor, which may round."""
    _, x, y = layer.get_offsets()
    there = Rect(x, y, layer.get_width(), layer.get_height())
    normal = layer.get_mode() in (Gimp.LayerMode.NORMAL, Gimp.LayerMode.NORMAL_LEGACY)
    simple = layer.get_opacity() == 100.0 and layer.get_mask() is None and not layer.get_filters()
    return normal and simple and not layer.is_group() and there.intersect(area) == area


def _alpha(drawable: Gimp.Drawable, area: Rect) -> bytes:
    """Alpha in 8 bits; one full value where the drawable has none."""
    pixels.form_of(drawable)  # refuses indexed ones
    if not drawable.has_alpha():
        return b"\xff"
    frame = pixels.read_plane(drawable, area)
    wide = len(frame.data) // (area.width * area.height)
    return bytes(frame.data)[wide - 1 :: wide]
