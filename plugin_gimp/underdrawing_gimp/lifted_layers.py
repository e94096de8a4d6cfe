"""Things that were lifted off a picture: their layers as they are now, and where each was taken from."""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode

from . import flatten_view, pixels, record
from .client.engine import LiftedThing
from .client.frames import Frame
from .client.messages import EngineError
from .gi import Gimp
from .pixels import Rect

CHANGED = "The picture was cropped, scaled or rotated since something was lifted off it."
UNDO = "Undo that, then apply again."
FAST = 1  # zlib's level: masks are nearly flat


def remember(source: Gimp.Layer, identity: str, mask: Frame) -> None:
    """Keep where a thing was taken from with the picture's layer. Call within `one_step`.

    Args:
        mask: grey, 8 bits, of the layer's size.
    """
    body = b64encode(zlib.compress(bytes(mask.data), FAST))  # bytes above 127 are not possible from Python
    data = b"%d %d\n" % (mask.width, mask.height) + body
    flags = record.KEPT | record.WITH_UNDO
    source.attach_parasite(Gimp.Parasite.new("%s-%s" % (record.TAKEN, identity), flags, data))


def forget(image: Gimp.Image, source: Gimp.Layer, identity: str) -> None:
    """Let a thing be where it was: its layers go, and the note of where it was. Call within `one_step`."""
    for layer in layers_of(image, source):
        if record.marked(layer, record.LIFTED) == identity:
            image.remove_layer(layer)
    source.detach_parasite("%s-%s" % (record.TAKEN, identity))


def taken(source: Gimp.Layer) -> dict[str, Frame]:
    """Where things were taken from, by their ids.

    Raises:
        EngineError: the picture was cropped or scaled since.
    """
    found = {}
    for identity in record.things(source):
        note = source.get_parasite("%s-%s" % (record.TAKEN, identity))
        head, _, body = bytes(note.get_data()).partition(b"\n")
        width, height = map(int, head.split())
        if (width, height) != (source.get_width(), source.get_height()):
            raise EngineError("bad_request", CHANGED, UNDO)
        found[identity] = Frame(width, height, "L", "u8", zlib.decompress(b64decode(body)))
    return found


def layers_of(image: Gimp.Image, source: Gimp.Layer) -> list[Gimp.Layer]:
    """The layers with what was lifted off a layer, copies included, from the top."""
    known = record.things(source)
    return [one for one in record.all_layers(image.get_layers()) if record.marked(one, record.LIFTED) in known]


def gather(image: Gimp.Image, source: Gimp.Layer, area: Rect, without: str = "") -> list[LiftedThing]:
    """What was lifted, the lowest first, and what was taken away.

    Args:
        area: of the layer, that is sent as the picture.
        without: id of a thing that is left out.

    Raises:
        EngineError: see `taken`.
    """
    places = {identity: pixels.cropped(mask, area) for identity, mask in taken(source).items() if identity != without}
    _, left, top = source.get_offsets()
    found = []
    for layer in reversed(layers_of(image, source)):
        if record.marked(layer, record.LIFTED) == without:
            continue
        frame, x, y = flatten_view.as_seen(image, layer)
        # The first layer is what was lifted; others with its note are copies, which uncover nothing.
        was = places.pop(record.marked(layer, record.LIFTED), None)
        found.append(LiftedThing(frame, x - left - area.x, y - top - area.y, was))
    return [*(LiftedThing(None, 0, 0, was) for was in places.values()), *found]
