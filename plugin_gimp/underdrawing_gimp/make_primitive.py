"""Make Underdrawing, and Use These Layers: from a picture to something that can be painted on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from . import layers, original_planes, pixels, record
from .client.frames import Frame
from .client.messages import EngineError
from .client.requests import PrimitiveRequest
from .gi import Gimp
from .pixels import Rect
from .record import PLANE, Record
from .service import Service

# What the entries of the menu "Kind" ask the engine for.
KINDS = {"both": "super", "edges": "edges", "segments": "segments", "paint": "paint"}
LEAST = 16  # pixels of a side: less cannot be trained on


@dataclass(frozen=True)
class Wish:
    """What kind of underdrawing.

    Attributes:
        kind: one of `KINDS`.
        regions: classes of segments, 2 to 64; 0 lets the engine choose.
        detail: how many outlines, 0 (few) to 100 (many).
        colours: of flat paint, 2 to 64.
        soft: outlines found by the network HED, where it is installed.
        convert: a picture that cannot hold it otherwise becomes one in RGB, see `why_rgb`.
    """

    kind: str = "both"
    regions: int = 0
    detail: float = 50.0
    colours: int = 12
    soft: bool = False
    convert: bool = False

    def options(self) -> dict[str, Any]:
        """As the protocol has them."""
        options: dict[str, Any] = {}
        if self.kind in ("both", "segments") and self.regions:
            options["regions"] = self.regions
        if self.kind in ("both", "edges"):
            # The engine's own thresholds lie in the middle; each end is a factor of four away.
            factor = 4.0 ** ((50.0 - self.detail) / 50.0)
            options["low"], options["high"] = min(0.9, 0.1 * factor), min(1.0, 0.2 * factor)
            if self.detail == 50.0:
                options = {key: value for key, value in options.items() if key not in ("low", "high")}
            if self.soft:
                options["soft"] = True
        if self.kind == "paint":
            options["colours"] = self.colours
        return options

    def request(self, picture: Frame) -> PrimitiveRequest:
        """What the engine is asked."""
        return PrimitiveRequest({"hash": picture.hash}, KINDS[self.kind], self.options())


@dataclass(frozen=True)
class Drawn:
    """What the engine has drawn, and of which pixels: `picture` is their hash."""

    wish: Wish
    picture: str
    planes: dict[str, Frame]
    palette: list[dict[str, Any]]
    notes: list[str]


@dataclass(frozen=True)
class Made:
    """An underdrawing in the picture, and sentences for the user."""

    group: Gimp.Layer
    record: Record
    palette: Gimp.Palette | None
    notes: list[str]


def region_of(image: Gimp.Image, layer: Gimp.Layer) -> Rect:
    """What an underdrawing of this layer covers, in the layer's own pixels: its selected part, or all of it.

    Raises:
        EngineError: the selection lies outside, or too little is left.
    """
    whole = Rect(0, 0, layer.get_width(), layer.get_height())
    area = whole
    if not Gimp.Selection.is_empty(image):
        found = Gimp.Selection.bounds(image)
        _, x, y = layer.get_offsets()
        chosen = Rect(found.x1 - x, found.y1 - y, found.x2 - found.x1, found.y2 - found.y1)
        area = whole.intersect(chosen)
        if area.empty:
            text = "The selection lies outside of the layer “%s”." % layer.get_name()
            raise EngineError("bad_request", text, "Select a part of it, or nothing (Select > None).")
    if min(area.width, area.height) < LEAST:
        text = "%d x %d pixels are too few to make an underdrawing of." % (area.width, area.height)
        raise EngineError("bad_picture", text, "Select at least %d x %d pixels." % (LEAST, LEAST))
    return area


def why_rgb(image: Gimp.Image, kind: str) -> str:
    """Why a picture must become one in RGB for this kind of underdrawing; "" where it need not."""
    base = image.get_base_type()
    if base == Gimp.ImageBaseType.INDEXED:
        return "This picture is indexed: it has a fixed palette, and new colours have no place in it."
    if base == Gimp.ImageBaseType.GRAY and kind != "edges":
        return "This picture is grey, and the areas of an underdrawing differ by their colours."
    return ""


def make(service: Service, image: Gimp.Image, layer: Gimp.Layer, wish: Wish, drawn: Drawn | None = None) -> Made:
    """Make an underdrawing of a layer and put it above. One undo step, with the conversion to RGB where it needs one.

    Args:
        drawn: of a preview; used where it is of the same pixels and the same wish.

    Raises:
        EngineError: why it cannot be made.
    """
    area = region_of(image, layer)
    colour = may_convert(image, wish)
    picture = pixels.read(layer, area, colour=colour)
    if drawn is None or (drawn.picture, drawn.wish) != (picture.hash, replace(wish, convert=drawn.wish.convert)):
        reply = service.ask(wish.request(picture), [picture])
        planes = {plane["name"]: service.result(reply, plane["hash"]) for plane in reply.body["planes"]}
        drawn = Drawn(wish, picture.hash, planes, reply.body["palette"], list(reply.body["notes"]))
    return put(image, layer, area, drawn.planes, drawn.palette, drawn.notes, colour)


def may_convert(image: Gimp.Image, wish: Wish) -> bool:
    """Whether the picture is to become one in RGB.

    Raises:
        EngineError: it would have to, and that was not asked for.
    """
    why = why_rgb(image, wish.kind)
    if why and not wish.convert:
        hint = "Choose Image > Mode > RGB first (scripts: convert=true)"
        if image.get_base_type() == Gimp.ImageBaseType.GRAY:
            hint += ", or make an underdrawing of edges"
        raise EngineError("bad_picture", why, hint + ".")
    return bool(why)


def put(
    image: Gimp.Image,
    layer: Gimp.Layer,
    area: Rect,
    drawn: dict[str, Frame],
    palette: list[dict[str, Any]],
    notes: list[str],
    colour: bool = False,
) -> Made:
    """Put planes above the layer they belong to; one undo step, and a palette among GIMP's own.

    Args:
        area: what they cover of the layer.
        colour: the picture becomes one in RGB on the way.
    """
    known = Record.fresh(layer, area, palette, pixels.pixel_hash(layer, area, colour))
    _, x, y = layer.get_offsets()
    record.need_open(image)
    earlier = earlier_groups(image, layer)
    group = layers.add_underdrawing(image, known, drawn, area.moved(x, y), layer, colour, earlier)
    return Made(group, known, layers.palette_resource(image, palette), notes)


def earlier_groups(image: Gimp.Image, layer: Gimp.Layer) -> list[tuple[Gimp.Layer, bool]]:
    """Groups of underdrawings that were made of this layer, and whether they were painted on."""
    found = []
    for identity in record.marked(layer, record.SOURCE).split():
        known = record.read_by_id(image, identity)
        try:
            group = layers.underdrawing_group(image, known) if known is not None else None
            if known is not None and group is not None:
                found.append((group, drawn_planes(image, known) != original_planes.kept(image, identity)))
        except EngineError:
            continue  # its layers are gone, or do not fit any more
    return found


def use_layers(image: Gimp.Image, given: dict[str, Gimp.Layer], source: Gimp.Layer) -> tuple[Record, list[str]]:
    """Take layers that were drawn by hand as the underdrawing of another layer. Nothing in them is changed.

    Args:
        given: layers by kind: segments, edges, paint.
        source: the layer that holds the picture.

    Raises:
        EngineError: a layer stands for two things, or the picture is among them.
    """
    if not given:
        raise EngineError("plane_missing", "No layer was chosen.", "Choose a layer for segments, edges or paint.")
    identities = [layer.get_id() for layer in given.values()]
    if len(set(identities)) != len(identities):
        raise EngineError("bad_request", "One layer cannot stand for two things.", "Choose different layers.")
    if source.get_id() in identities:
        text = "The layer “%s” cannot be both the picture and its underdrawing." % source.get_name()
        raise EngineError("bad_request", text, "Choose another layer for one of them.")
    area = region_of(image, source)
    known = Record.fresh(source, area, [], pixels.pixel_hash(source, area))
    with layers.one_step(image):
        for kind, layer in given.items():
            text = "%s %s" % (known.id, kind)
            note = Gimp.Parasite.new(PLANE, record.KEPT | record.WITH_UNDO, text.encode("utf-8"))
            layer.attach_parasite(note)
        record.mark_source(source, known)
        record.write(image, known, undoable=True)
        original_planes.keep(image, known.id, drawn_planes(image, known), True)
    return known, []


def drawn_planes(image: Gimp.Image, known: Record) -> dict[str, Frame]:
    """The underdrawing as it is painted now, by kind, of the record's region."""
    at = record.place(image, known)
    found: dict[str, Frame] = {}
    for kind, layer in record.planes(image, known).items():
        _, x, y = layer.get_offsets()
        found[kind] = pixels.read_plane(layer, at.moved(-x, -y))
    return found
