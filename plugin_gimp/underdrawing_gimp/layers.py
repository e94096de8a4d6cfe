"""Layers of an underdrawing and of its results: made, replaced, found a place for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from . import lifted_layers, original_planes, pixels, record
from .client.frames import Frame
from .client.messages import EngineError
from .gi import Babl, Gegl, Gimp, GLib
from .pixels import Rect
from .record import PLANE, RESULT, SOURCE, Record

TITLES = {"segments": "Segments", "edges": "Edges", "paint": "Paint"}
GROUP = "Underdrawing"


@contextmanager
def one_step(image: Gimp.Image) -> Iterator[None]:
    """What is done inside is one step of the undo history. Never wait for anything in here.

    Raises:
        EngineError: the picture was closed.
    """
    record.need_open(image)
    image.undo_group_start()
    try:
        yield
    finally:
        image.undo_group_end()
        Gimp.displays_flush()


@contextmanager
def no_step(image: Gimp.Image) -> Iterator[None]:
    """What is done inside leaves no trace in the undo history."""
    image.undo_freeze()
    try:
        yield
    finally:
        image.undo_thaw()
        Gimp.displays_flush()


def layer_for(image: Gimp.Image, name: str, frame: Frame, like: Gimp.Drawable | None = None) -> Gimp.Layer:
    """A layer of a frame's size with its pixels, not in the picture yet.

    Args:
        like: take alpha where this drawable has it, whatever the frame has.
    """
    grey = image.get_base_type() == Gimp.ImageBaseType.GRAY
    alpha = frame.order.endswith("A") or (like is not None and like.has_alpha())
    kinds = {
        (False, False): Gimp.ImageType.RGB_IMAGE,
        (False, True): Gimp.ImageType.RGBA_IMAGE,
        (True, False): Gimp.ImageType.GRAY_IMAGE,
        (True, True): Gimp.ImageType.GRAYA_IMAGE,
    }
    kind = kinds[grey, alpha]
    layer = Gimp.Layer.new(image, name, frame.width, frame.height, kind, 100.0, Gimp.LayerMode.NORMAL)
    pixels.write(layer, frame)
    return layer


def add_underdrawing(
    image: Gimp.Image,
    made: Record,
    drawn: dict[str, Frame],
    at: Rect,
    above: Gimp.Layer,
    colour: bool = False,
    earlier: Sequence[tuple[Gimp.Layer, bool]] = (),
) -> Gimp.GroupLayer:
    """Put a group with the planes above a layer and its results, ready to be painted on, with the record.

    One undo step.

    Args:
        drawn: planes by kind.
        at: their place in the image.
        colour: make the picture one in RGB first.
        earlier: groups of earlier underdrawings of that layer, and whether they were painted on: those are hidden, the
            others removed.
    """
    with one_step(image):
        if colour:
            image.convert_rgb()
        new = {kind: layer_for(image, TITLES[kind], frame) for kind, frame in drawn.items()}
        for kind, layer in new.items():
            record.mark(layer, PLANE, "%s %s" % (made.id, kind))
            if kind == "edges" and len(new) > 1:
                layer.set_mode(Gimp.LayerMode.MULTIPLY)  # white paper lets the areas be seen
            layer.set_offsets(at.x, at.y)
        group = Gimp.GroupLayer.new(image, GROUP)
        parent = above.get_parent()
        under = [above, *record.results(image, *record.marked(above, SOURCE).split()), *(old for old, _ in earlier)]
        places = [image.get_item_position(one) for one in under if record.same(one.get_parent(), parent)]
        image.insert_layer(group, parent, min(places))
        for position, kind in enumerate(k for k in ("edges", "paint", "segments") if k in new):
            image.insert_layer(new[kind], group, position)
        for layer in new.values():
            layer.set_lock_position(True)  # moved by a stray drag, every area would be in the wrong place
        record.mark_source(above, made)
        record.write(image, made, undoable=True)
        # Read back: a layer of another depth or curve holds slightly other values.
        sheet = Rect(0, 0, at.width, at.height)
        original_planes.keep(image, made.id, {k: pixels.read_plane(one, sheet) for k, one in new.items()}, True)
        for old, painted in earlier:
            if painted:
                old.set_visible(False)
            else:
                image.remove_layer(old)
        first = new.get("segments") or next(iter(new.values()))
        image.set_selected_layers([first])
    return group


def replace_planes(image: Gimp.Image, known: Record, drawn: dict[str, Frame], deselect: bool = False) -> None:
    """Give the layers of the underdrawing other pixels, and show them. One undo step; the layers stay the same ones.

    Args:
        drawn: planes of the underdrawing's size, by kind; kinds that have no layer are left out.
        deselect: drop the selection; else it stays.
    """
    old = record.planes(image, known)
    at = record.place(image, known)
    with one_step(image):
        selected = None
        if not Gimp.Selection.is_empty(image):
            selected = Gimp.Selection.save(image)
            Gimp.Selection.none(image)  # it would limit what is written
        for kind, layer in old.items():
            if kind in drawn:
                _, x, y = layer.get_offsets()
                pixels.overwrite(layer, drawn[kind], at.x - x, at.y - y)
            reveal(layer)
        if selected is not None:
            if not deselect:
                image.select_item(Gimp.ChannelOps.REPLACE, selected)
            image.remove_channel(selected)


def reveal(layer: Gimp.Item) -> bool:
    """Make a layer visible, with the groups that it is in; whether it was not."""
    hidden, item = False, layer
    while item is not None:
        if not item.get_visible():
            item.set_visible(True)
            hidden = True
        item = item.get_parent()
    return hidden


def result_layer(
    image: Gimp.Image, known: Record, name: str, frame: Frame, mask: Frame, origin: Rect, at: Rect
) -> Gimp.Layer:
    """A layer with unblended pixels and a mask that holds the feather, not in the picture yet.

    Args:
        origin: place of the underdrawing in the image.
        at: place of the result within the underdrawing.
    """
    source = record.source(image, known)
    if source.has_alpha():
        frame = pixels.with_alpha_of(frame, pixels.read(source, at.moved(known.region.x, known.region.y)))
    layer = masked_layer(image, name, frame, mask, origin.x + at.x, origin.y + at.y)
    record.mark(layer, RESULT, known.id)
    return layer


def masked_layer(image: Gimp.Image, name: str, frame: Frame, mask: Frame, x: int, y: int) -> Gimp.Layer:
    """A layer with a frame's pixels and a mask of the same size, at its place in the image, not in the picture yet."""
    layer = layer_for(image, name, frame)
    layer.set_offsets(x, y)
    space = pixels.mixing_space(layer)
    layer.set_blend_space(space)
    layer.set_composite_space(space)
    fresh = layer.create_mask(Gimp.AddMaskType.BLACK)
    layer.add_mask(fresh)
    layer.set_edit_mask(False)  # the next stroke is meant for the layer
    pixels.write_mask(fresh, mask, 0, 0)
    return layer


def put_results(image: Gimp.Image, known: Record, made: list[Gimp.Layer], keep: bool) -> None:
    """Put results above the layer that the underdrawing was made of, the first on top. Call within `one_step`.

    Args:
        keep: leave earlier results where they are, hidden; else they are replaced.
    """
    for old in earlier_results(image, known):
        if keep:
            old.set_visible(False)
        else:
            image.remove_layer(old)
    below = top(image, known)
    for layer in reversed(made):
        insert_beside(image, layer, below)
        below = layer


def earlier_results(image: Gimp.Image, known: Record) -> list[Gimp.Layer]:
    """Results that a new one takes the place of: its own, and those of things alone where it covers the whole layer."""
    source = record.source(image, known)
    identities = [known.id]
    if known.region == Rect(0, 0, source.get_width(), source.get_height()):
        others = (record.read_by_id(image, one) for one in record.marked(source, SOURCE).split())
        identities += [one.id for one in others if one is not None and not one.drawn]
    return record.results(image, *identities)


def top(image: Gimp.Image, known: Record) -> Gimp.Layer:
    """The topmost layer of what there is of a picture: its own, or that of a result of any of its underdrawings."""
    source = record.source(image, known)
    results = record.results(image, known.id, *record.marked(source, SOURCE).split())
    beside = [one for one in results if record.same(one.get_parent(), source.get_parent())]
    return beside[0] if beside else source


def topmost_place(image: Gimp.Image, source: Gimp.Layer) -> int:
    """The place, among the layers beside a picture's own, above all that was made of it and lifted off it."""
    parts, parent = record.marked(source, SOURCE).split(), source.get_parent()
    beside = parent.get_children() if parent is not None else image.get_layers()
    lifted = record.things(source)
    for place, one in enumerate(beside):
        if record.same(one, source) or record.identity(one) in parts or record.marked(one, record.LIFTED) in lifted:
            return place
    return 0


def insert_beside(image: Gimp.Image, layer: Gimp.Layer, below: Gimp.Layer) -> None:
    """Insert a layer directly above another one; whatever is painted on stays selected, unlike with GIMP's own way."""
    selected = [one for one in image.get_selected_layers() if one.is_valid()]
    image.insert_layer(layer, below.get_parent(), image.get_item_position(below))
    if selected:
        image.set_selected_layers(selected)


def painted_on(image: Gimp.Image, known: Record) -> list[Gimp.Layer]:
    """What is hidden when the result is looked at: the underdrawing, or its group, and what was lifted."""
    group = underdrawing_group(image, known)
    drawn = [group] if group is not None else list(record.planes(image, known).values())
    return [*lifted_layers.layers_of(image, record.layer_of(image, known)), *drawn]


def underdrawing_group(image: Gimp.Image, known: Record) -> Gimp.Layer | None:
    """The group that holds the planes, where they are in one of their own."""
    parents = [layer.get_parent() for layer in record.planes(image, known).values()]
    if not parents or any(parent is None or not parent.get_name().startswith(GROUP) for parent in parents):
        return None
    return parents[0] if len({parent.get_id() for parent in parents}) == 1 else None


def chosen_layer(image: Gimp.Image, drawables: list[Any]) -> Gimp.Layer:
    """The layer that holds the picture: the selected one, the one whose underdrawing is selected, or the only one.

    Raises:
        EngineError: it is not clear which, or it is no layer.
    """
    found = [record.lifted_off(image, item) or item for item in drawables if isinstance(item, Gimp.Layer)]
    if not found and len(image.get_layers()) == 1:
        found = list(image.get_layers())
    known = [record.read_by_id(image, one) for one in {record.identity(layer) for layer in found}]
    if len(known) == 1 and known[0] is not None:
        return record.layer_of(image, known[0])
    if len(found) != 1:
        text = "Several layers are selected." if found else "No layer is selected."
        raise EngineError("bad_request", text, "Select the one layer that holds the picture.")
    return found[0]


def palette_resource(image: Gimp.Image, classes: list[dict[str, Any]]) -> Gimp.Palette | None:
    """The classes as the palette “Underdrawing”, of which there is one for all pictures; None where there are none."""
    if not classes:
        return None
    # The values are those of the picture's own colour space: painted with, they come out as they are.
    space = Babl.format_get_space(image.get_layers()[0].get_format())
    form = Babl.format_with_space("R'G'B' u8", space)
    palette = Gimp.Palette.get_by_name(GROUP) or Gimp.Palette.new(GROUP)
    while palette.get_color_count():
        palette.delete_entry(0)
    for entry in classes:
        colour = Gegl.Color.new("black")
        colour.set_bytes(form, GLib.Bytes.new(bytes(entry["colour"])))
        palette.add_entry(str(entry["name"]), colour)
    return palette
