"""`underdrawing lift`: the thing that is pointed at as a layer of its own, which `apply --lifted` puts back."""

from __future__ import annotations

import base64
import json as codec
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from underdrawing.commands import files, output
from underdrawing.commands import pick as picking
from underdrawing.commands.output import Json, reports_errors

if TYPE_CHECKING:
    from underdrawing.client.engine import Engine, LiftedThing
    from underdrawing.client.frames import Frame
    from underdrawing.picture.image import Picture

KEY = "underdrawing-lifted"  # of the PNG text that says where a layer was taken from
REMOVED = "removed"

Lifted = Annotated[
    list[str] | None,
    typer.Option(
        metavar=f"LAYER[@X,Y|@{REMOVED}]",
        help="A lifted layer, and where its upper left corner is now (default: where it was). A layer that is named "
        "again is a copy. May be repeated, the lowest first.",
    ),
]


class FillChoice(StrEnum):
    """What fills uncovered ground."""

    DRAFT = "draft"
    LAMA = "lama"


Fill = Annotated[FillChoice, typer.Option(help="What fills uncovered ground; lama needs its weights.")]


@reports_errors
def lift(
    image: Annotated[Path, typer.Argument(help="The photograph.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The layer to write, a PNG file.")],
    at: picking.At = None,
    outside: picking.Outside = None,
    box: picking.Box = None,
    mask: picking.Rough = None,
    bigger: picking.Bigger = 0,
    smaller: picking.Smaller = 0,
    json: Json = False,
) -> None:
    """Write the thing at a point as a layer of its own, with a soft border. Change it in any program, then apply it."""
    if out.suffix.lower() != ".png":
        raise output.wrong(f"A layer is a PNG file, which remembers where it was lifted from; {out.name} is none.")
    files.check_targets(out, inputs=(image, mask))
    picture = files.picture(image)
    with output.engine() as engine:
        chosen, found = picking.picked(engine, picture, at, outside, box, mask, bigger - smaller)
        layer, place, was = lifted(engine, picture, found)
    losses = files.save(out, layer, text={KEY: memory(picture, place, was)})
    answer = {"files": [str(out)], "x": place[0], "y": place[1], "size": layer.size, "share": chosen["share"]}
    where = f"{layer.size[0]} x {layer.size[1]} pixels at {place[0]},{place[1]}"
    output.answer({**answer, "losses": losses}, f"{out}: {picking.described(chosen)}, {where}")


def lifted(engine: Engine, picture: Picture, mask: Frame) -> tuple[Picture, tuple[int, int], Frame]:
    """A thing's layer, its place, and the mask of where it was."""
    reply = engine.lift(files.frame(picture), mask)
    layer = files.received(engine, reply, str(reply.body["layer"]))
    return layer, (int(reply.body["x"]), int(reply.body["y"])), engine.result(reply, str(reply.body["mask"]))


def things(texts: Sequence[str], picture: Picture) -> list[LiftedThing]:
    """What the options `--lifted` of a command say.

    Raises:
        BadParameter: a place that is none, or a layer of another picture.
    """
    from underdrawing.client.engine import LiftedThing
    from underdrawing.picture.files import read_text

    found: list[LiftedThing] = []
    seen: set[Path] = set()
    for text in texts:
        name, mark, where = text.rpartition("@")
        path = Path(name if mark and not Path(text).is_file() else text)
        where = where if path != Path(text) else ""
        layer = files.picture(path)
        memory = _remembered(read_text(path).get(KEY, ""))
        if memory and memory["size"] != list(picture.size):
            raise output.wrong(
                f"{path.name} was lifted from another picture, of {' x '.join(map(str, memory['size']))}."
            )
        if not memory and (not where or where == REMOVED):
            raise output.wrong(f"{path.name} does not say where it was lifted from: add its place, {path.name}@X,Y.")
        first = path.resolve() not in seen
        seen.add(path.resolve())
        was = _mask_frame(memory, picture) if memory and first else None
        if where == REMOVED:
            if was is not None:
                found.append(LiftedThing(None, was=was))
            continue
        x, y = (memory["x"], memory["y"]) if not where else _place(where)
        found.append(LiftedThing(files.frame(layer), x, y, was))
    return found


def place_of(path: Path, picture: Picture) -> Frame | None:
    """The mask of where a layer's file was lifted from; None where it does not say so, as of copies."""
    from underdrawing.picture.files import read_text

    found = _remembered(read_text(path).get(KEY, ""))
    return _mask_frame(found, picture) if found else None


def _place(text: str) -> tuple[int, int]:
    x, y = output.numbers(text, 2, f"a place: write X,Y or {REMOVED}") or (0, 0)
    return x, y


def memory(picture: Picture, place: tuple[int, int], was: Frame) -> str:
    """What a layer's file remembers: its place, and where it was as a PNG file of its bounds."""
    from underdrawing.picture.geometry import Bounds
    from underdrawing.picture.pillow import encode_png
    from underdrawing.store.frame_codec import picture_of

    mask = picture_of(was).pixels
    bounds = Bounds.of_mask(mask[..., 0])
    packed = base64.b64encode(encode_png(mask[bounds.slices()])).decode("ascii")
    facts = {"x": place[0], "y": place[1], "size": picture.size, "was": [bounds.x, bounds.y, packed]}
    return codec.dumps(facts, separators=(",", ":"))


def _remembered(text: str) -> dict[str, Any]:
    """The facts of `memory`; empty where a file has none, or damaged ones."""
    try:
        facts = dict(codec.loads(text))
        x, y, packed = facts["was"]
        facts["was"] = int(x), int(y), base64.b64decode(packed, validate=True)
        return {"x": int(facts["x"]), "y": int(facts["y"]), "size": list(facts["size"]), "was": facts["was"]}
    except (ValueError, KeyError, TypeError):
        return {}


def _mask_frame(memory: dict[str, Any], picture: Picture) -> Frame:
    import numpy as np

    from underdrawing.picture.geometry import Bounds
    from underdrawing.picture.image import Picture as Mask
    from underdrawing.picture.pillow import decode

    x, y, packed = memory["was"]
    part = decode(packed, ("PNG",), output.note)
    whole = np.zeros((picture.size[1], picture.size[0], 1), np.uint8)
    inside = part.bounds.translate(x, y).intersect(picture.bounds)
    whole[inside.slices()] = part.crop(inside.translate(-x, -y)).pixels[..., :1]
    if Bounds.of_mask(whole[..., 0]).is_empty:
        raise output.wrong("The layer's memory of where it was is damaged; lift it again.")
    return files.frame(Mask(whole))
