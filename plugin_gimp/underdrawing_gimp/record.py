"""What a picture's file remembers of its underdrawing: notes that GIMP keeps in the XCF (parasites)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from .client.messages import EngineError, new_id
from .gi import Gimp
from .pixels import Rect
from .transform import Way

NOTE = "underdrawing"  # on the image
PLANE = "underdrawing-plane"  # on a layer of the underdrawing
RESULT = "underdrawing-result"  # on a layer that holds a result
LIVE = "underdrawing-live"  # on the layer of Live Underdrawing
SOURCE = "underdrawing-source"  # on the layer that an underdrawing was made of: ids of its underdrawings
LIFTED = "underdrawing-lifted"  # on a layer with what was lifted off the picture: which thing it is
TAKEN = "underdrawing-taken"  # on the layer that it was lifted off, for each thing: where it was
KEPT, WITH_UNDO = 1, 2  # Gimp.Parasite: written into the XCF; a step of the undo history
KINDS = ("segments", "edges", "paint")
AGAIN = "Choose Filters > Underdrawing > Make Underdrawing first."


@dataclass(frozen=True)
class Record:
    """One underdrawing of a picture, and the model that was trained on it; or what is lifted off a picture.

    Attributes:
        id: of this underdrawing; its layers bear it too.
        source: tattoo of the layer that it was made of.
        region: the part of that layer which it covers, in the layer's own pixels.
        size: width and height of that layer.
        palette: the classes of segments, as the protocol has them.
        picture: `pixel_hash` of the region when it was made.
        model: id of the model that was trained on it, or "".
        job: id of the training, or "".
        shape: width and height of what that model was trained on; (0, 0) without a model.
        way: how that became what is there now; None where it is as it was.
        checked: `pixel_hash` of the region for which this way was found, or "".
        draft: id of a model that is used while that model is being trained, or "".
        drawn: it has layers to be painted on; else things were only lifted off the picture.
    """

    id: str
    source: int
    region: Rect
    size: tuple[int, int]
    palette: list[dict[str, Any]] = field(default_factory=list)
    picture: str = ""
    model: str = ""
    job: str = ""
    shape: tuple[int, int] = (0, 0)
    way: Way | None = None
    checked: str = ""
    draft: str = ""
    drawn: bool = True

    @classmethod
    def fresh(cls, source: Gimp.Layer, region: Rect, palette: list[dict[str, Any]], picture: str) -> Record:
        """For an underdrawing that was just made."""
        size = (source.get_width(), source.get_height())
        return cls(new_id()[:12], source.get_tattoo(), region, size, palette, picture)

    def trained(self, model: str, job: str) -> Record:
        """The same underdrawing with a model that is trained on it."""
        shape = (self.region.width, self.region.height)
        return replace(self, model=model, job=job, shape=shape, way=None, checked="", draft="")


def read(image: Gimp.Image, drawables: Sequence[Any] = ()) -> Record | None:
    """The record of the underdrawing that is meant; None where there is none, or one that cannot be read.

    Args:
        drawables: layers of the underdrawing that is meant, or the one it was made of; where there are none, the
            selected layers say it. Where these say nothing, the underdrawing is meant that was used last and still has
            layers.
    """
    items = [lifted_off(image, item) or item for item in drawables or image.get_selected_layers()]
    for item in items:
        found = read_by_id(image, identity(item))
        if found is not None:
            return found
    last = _read(image, NOTE)
    made_of = [one for item in items for one in marked(item, SOURCE).split()]
    others = [name[len(NOTE) + 1 :] for name in image.get_parasite_list() if name.startswith(NOTE + "-")]
    names = [last.id] if last is not None and (not made_of or last.id in made_of) else []
    there = set()
    for layer in all_layers(image.get_layers()):
        there.update([identity(layer), *(marked(layer, SOURCE).split() if things(layer) else ())])
    for one in [*names, *reversed(made_of), *others]:
        found = read_by_id(image, one) if one in there else None
        if found is not None:
            return found
    return last


def read_by_id(image: Gimp.Image, identity: str) -> Record | None:
    """The record of one underdrawing; None where the picture has none of that id."""
    return _read(image, "%s-%s" % (NOTE, identity))


def identity(item: Gimp.Item) -> str:
    """The id of the underdrawing that a layer belongs to, or a group of its layers; "" for other layers."""
    family = [item, *(all_layers(item.get_children()) if item.is_group() else ())]
    found = [marked(one, note).partition(" ")[0] for one in family for note in (PLANE, RESULT)]
    return next((one for one in found if one), "")


def things(layer: Gimp.Item) -> list[str]:
    """Ids of what was lifted off a layer, or taken away from it."""
    return [name[len(TAKEN) + 1 :] for name in layer.get_parasite_list() if name.startswith(TAKEN + "-")]


def lifted_off(image: Gimp.Image, item: Gimp.Item) -> Gimp.Layer | None:
    """The layer that a lifted layer was lifted off; None for other layers."""
    thing = marked(item, LIFTED)
    return next((one for one in all_layers(image.get_layers()) if thing and thing in things(one)), None)


def _read(image: Gimp.Image, name: str) -> Record | None:
    note = image.get_parasite(name)
    if note is None:
        return None
    try:
        raw = json.loads(bytes(note.get_data()).decode("utf-8"))
        raw["region"], raw["size"] = Rect(**raw["region"]), tuple(raw["size"])
        raw["shape"] = tuple(raw.get("shape") or (0, 0))
        raw["way"] = Way.parse(raw["way"]) if raw.get("way") else None
        return Record(**raw)
    except (ValueError, TypeError, KeyError):
        return None


def need(image: Gimp.Image, drawables: Sequence[Any] = ()) -> Record:
    """The record of the underdrawing that is meant; see `read`.

    Raises:
        EngineError: there is none.
    """
    found = read(image, drawables)
    if found is None:
        raise EngineError("plane_missing", "This picture has no underdrawing yet.", AGAIN)
    return found


def need_open(image: Gimp.Image) -> None:
    """A picture may be closed while anything is waited for.

    Raises:
        EngineError: it was.
    """
    if not image.is_valid():
        raise EngineError("closed", "The picture was closed meanwhile.", "Nothing was changed.")


def write(image: Gimp.Image, record: Record, undoable: bool) -> None:
    """Keep a record with the picture.

    Args:
        undoable: as a step of the undo history (inside of a group); else the history does not know of it.

    Raises:
        EngineError: the picture was closed.
    """
    need_open(image)
    flags = KEPT | (WITH_UNDO if undoable else 0)
    for name in (NOTE, "%s-%s" % (NOTE, record.id)):  # the last one, and each
        image.attach_parasite(Gimp.Parasite.new(name, flags, json.dumps(asdict(record)).encode("utf-8")))


def mark_source(layer: Gimp.Layer, record: Record) -> None:
    """Write on a layer that an underdrawing was made of it, as a step of the undo history."""
    text = " ".join([*marked(layer, SOURCE).split(), record.id])
    layer.attach_parasite(Gimp.Parasite.new(SOURCE, KEPT | WITH_UNDO, text.encode("utf-8")))


def title(image: Gimp.Image) -> str:
    """What the picture is called: its file's name without the ending, or what GIMP calls it."""
    for file in (image.get_xcf_file(), image.get_imported_file(), image.get_exported_file()):
        if file is not None:
            name = str(file.get_basename())
            return name[: name.rindex(".")] if "." in name[1:] else name
    return str(image.get_name()).strip("[]")


def mark(layer: Gimp.Item, note: str, text: str) -> None:
    """Write a note on a layer that is not in a picture yet."""
    layer.attach_parasite(Gimp.Parasite.new(note, KEPT, text.encode("utf-8")))


def marked(layer: Gimp.Item, note: str) -> str:
    """A layer's note, or ""."""
    found = layer.get_parasite(note)
    return bytes(found.get_data()).decode("utf-8", "replace") if found is not None else ""


def all_layers(layers: list[Gimp.Layer]) -> Iterator[Gimp.Layer]:
    """These layers and all within them, from the top."""
    for layer in layers:
        yield layer
        if layer.is_group():
            yield from all_layers(layer.get_children())


def planes(image: Gimp.Image, record: Record) -> dict[str, Gimp.Layer]:
    """The layers of the underdrawing by kind; none where things were only lifted.

    Of copies, those beside the selected layer count, else the topmost.

    Raises:
        EngineError: there is none any more.
    """
    near = [layer.get_parent() for layer in image.get_selected_layers()]
    found: dict[str, Gimp.Layer] = {}
    for favoured in (True, False):
        for layer in all_layers(image.get_layers()):
            identity, _, kind = marked(layer, PLANE).partition(" ")
            beside = any(parent and same(layer.get_parent(), parent) for parent in near)
            if identity == record.id and kind in KINDS and kind not in found and beside is favoured:
                found[kind] = layer
    if not found and record.drawn:
        raise EngineError("plane_missing", "The layers of the underdrawing are no longer in this picture.", AGAIN)
    return {kind: found[kind] for kind in KINDS if kind in found}


def layer_of(image: Gimp.Image, record: Record) -> Gimp.Layer:
    """The layer that the underdrawing was made of, whatever became of it since.

    Raises:
        EngineError: it is gone.
    """
    marks = [one for one in all_layers(image.get_layers()) if record.id in marked(one, SOURCE).split()]
    layer = image.get_layer_by_tattoo(record.source)
    if marks and (layer is None or record.id not in marked(layer, SOURCE).split()):
        layer = marks[-1]  # Image > Duplicate gives layers new tattoos
    if layer is None:
        raise EngineError(
            "wrong_size", "The layer that the underdrawing was made of is no longer in this picture.", AGAIN
        )
    return layer


def covered(image: Gimp.Image, record: Record, layer: Gimp.Layer) -> Rect:
    """What the underdrawing covers of its picture's layer as both lie now, in that layer's own pixels.

    Raises:
        EngineError: its layers are gone, or lie beside the picture.
    """
    _, x, y = layer.get_offsets()
    sheet = next(iter(planes(image, record).values()))
    _, left, top = sheet.get_offsets()
    there = Rect(left - x, top - y, sheet.get_width(), sheet.get_height())
    area = there.intersect(Rect(0, 0, layer.get_width(), layer.get_height()))
    if area.empty:
        raise EngineError("wrong_size", "The layers of the underdrawing lie beside the picture.", AGAIN)
    return area


def as_now(image: Gimp.Image, record: Record) -> Record:
    """The same record with its region as it is now, where the picture was cropped, scaled or turned since."""
    layer = layer_of(image, record)
    size = (layer.get_width(), layer.get_height())
    return record if size == record.size else replace(record, size=size, region=covered(image, record, layer))


def source(image: Gimp.Image, record: Record) -> Gimp.Layer:
    """The layer that the underdrawing was made of.

    Raises:
        EngineError: it is gone, or it was cropped, scaled or rotated since.
    """
    layer = layer_of(image, record)
    size = (layer.get_width(), layer.get_height())
    if size != record.size:
        raise EngineError(
            "wrong_size",
            "The picture has %d x %d pixels, and had %d x %d when its underdrawing was made: it was cropped, scaled or "
            "rotated since." % (*size, *record.size),
            "Undo that, or make an underdrawing of the picture as it is now.",
        )
    return layer


def place(image: Gimp.Image, record: Record) -> Rect:
    """Where the underdrawing lies in the image.

    Raises:
        EngineError: see `source`.
    """
    _, x, y = source(image, record).get_offsets()
    return record.region.moved(x, y)


def results(image: Gimp.Image, *identities: str) -> list[Gimp.Layer]:
    """Layers that hold results of these underdrawings, from the top; not the one of Live Underdrawing."""
    found = [layer for layer in all_layers(image.get_layers()) if marked(layer, RESULT) in identities]
    return [layer for layer in found if not marked(layer, LIVE)]


def same(one: Gimp.Item | None, other: Gimp.Item | None) -> bool:
    """Whether two are one item, or both are None."""
    return (one and one.get_id()) == (other and other.get_id())
