"""The underdrawing as it was made. Models are trained on it, whatever was painted on its layers since."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode

from . import pixels, record
from .client.frames import Frame
from .gi import Gimp
from .pixels import Rect
from .record import Record
from .transform import HARD, SOFT, Way

NOTE = "underdrawing-made"  # on the image, one for each underdrawing: NOTE-ID
FAST = 1  # zlib's level: planes are flat, and 24 megapixels of them take less than a second


def keep(image: Gimp.Image, identity: str, planes: dict[str, Frame], undoable: bool) -> None:
    """Keep planes with the picture, in its XCF file too.

    Args:
        identity: of the underdrawing.
        planes: by kind, 8 bits, rows without gaps.
        undoable: as a step of the undo history (inside of a group).
    """
    head = [[kind, frame.width, frame.height, frame.order, len(frame.data)] for kind, frame in planes.items()]
    body = zlib.compress(b"".join(bytes(frame.data) for frame in planes.values()), FAST)
    flags = record.KEPT | (record.WITH_UNDO if undoable else 0)
    data = json.dumps(head).encode("ascii") + b"\n" + b64encode(body)  # bytes above 127 are not possible from Python
    image.attach_parasite(Gimp.Parasite.new("%s-%s" % (NOTE, identity), flags, data))


def kept(image: Gimp.Image, identity: str) -> dict[str, Frame]:
    """The planes that were kept, by kind; nothing where there are none, or where they cannot be read."""
    note = image.get_parasite("%s-%s" % (NOTE, identity))
    if note is None:
        return {}
    head, _, body = bytes(note.get_data()).partition(b"\n")
    found, start = {}, 0
    try:
        data = zlib.decompress(b64decode(body))
        for kind, width, height, order, length in json.loads(head):
            found[kind] = Frame(width, height, order, "u8", data[start : start + length])
            start += length
    except (ValueError, TypeError, zlib.error):
        return {}
    return found


def as_made(image: Gimp.Image, known: Record, now: dict[str, Frame]) -> dict[str, Frame]:
    """The planes to train on, as the picture lies now: those that were kept, turned and scaled like the picture.

    Where the picture was cropped or scaled before there was a model, what became of it is not known: then the layers
    count as they are.

    Args:
        known: with the region as it is now.
        now: the planes as they are painted now.

    Raises:
        EngineError: the picture's layer is gone.
    """
    drawn = kept(image, known.id)
    if not drawn.keys() >= now.keys():
        return now
    drawn = {kind: drawn[kind] for kind in now}
    first = next(iter(drawn.values()))
    size = (first.width, first.height)
    way = known.way if known.way is not None else _turned(image, known, size)
    if way is not None:
        return _forth(way, drawn) if way.trained == size and (way.manner >= 0 or not way.resized) else now
    return drawn if size == (known.region.width, known.region.height) else now


def _forth(way: Way, drawn: dict[str, Frame]) -> dict[str, Frame]:
    """Planes as GIMP has turned, cropped and scaled them together with the picture."""
    moved = {}
    for kind, frame in drawn.items():
        how = Gimp.InterpolationType(way.manner) if way.manner >= 0 else (HARD if kind == "segments" else SOFT)
        found = way.forth(frame, how, Rect(0, 0, frame.width, frame.height))
        if found is not None:
            moved[kind] = found[0]
    return moved


def _turned(image: Gimp.Image, known: Record, size: tuple[int, int]) -> Way | None:
    """How the picture was mirrored or turned since its underdrawing was made; None where it was not."""
    area, whole = known.region, (known.region.width, known.region.height)
    now = pixels.read(record.source(image, known), area, alpha=False)
    if not known.picture or pixels.frame_hash(now) == known.picture:
        return None
    for turns in range(4):
        for mirrored in (False, True):
            way = Way(size, whole, Rect(0, 0, *whole), mirrored, turns)
            if way.turned == way.now and pixels.frame_hash(way.back(now, HARD)) == known.picture:
                return way
    return None
