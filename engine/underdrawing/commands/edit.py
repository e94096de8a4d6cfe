"""`underdrawing edit`: the thing that is pointed at in a photograph is lifted, changed and put back in one step."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from underdrawing.commands import edits as listing
from underdrawing.commands import files, lift, output
from underdrawing.commands import pick as picking
from underdrawing.commands.output import Json, reports_errors
from underdrawing.commands.primitive import AxisChoice


class EditChoice(StrEnum):
    """What can be done with a thing."""

    MOVE = "move"
    SCALE = "scale"
    ROTATE = "rotate"
    MIRROR = "mirror"
    COPY = "copy"
    REMOVE = "remove"


DONE = {
    EditChoice.MOVE: "moved",
    EditChoice.SCALE: "scaled",
    EditChoice.ROTATE: "rotated",
    EditChoice.MIRROR: "mirrored",
    EditChoice.COPY: "copied",
    EditChoice.REMOVE: "removed",
}


@reports_errors
def edit(
    image: Annotated[Path, typer.Argument(help="The photograph.")],
    operation: Annotated[EditChoice, typer.Argument(help="What to do with the thing.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The picture to write.")],
    at: picking.At = None,
    outside: picking.Outside = None,
    box: picking.Box = None,
    mask: picking.Rough = None,
    bigger: picking.Bigger = 0,
    smaller: picking.Smaller = 0,
    dx: Annotated[int, typer.Option(help="Pixels to the right.")] = 0,
    dy: Annotated[int, typer.Option(help="Pixels down.")] = 0,
    factor: Annotated[float, typer.Option(min=0.05, max=20, help="Scale: by how much.")] = 1.0,
    angle: Annotated[float, typer.Option(help="Rotate: degrees, counter-clockwise.", callback=output.finite)] = 0.0,
    foot: Annotated[
        bool, typer.Option("--foot", help="Scale and rotate about the thing's foot, not its middle.")
    ] = False,
    axis: Annotated[
        AxisChoice, typer.Option(help="Mirror: left and right, or top and bottom.")
    ] = AxisChoice.HORIZONTAL,
    yes: Annotated[bool, typer.Option("--yes", help="Also if the thing is more than a third of the picture.")] = False,
    save_mask: Annotated[Path | None, typer.Option(help="Also write the mask of what changed.")] = None,
    edits: listing.Folder = None,
    fill: lift.Fill = lift.FillChoice.DRAFT,
    quality: Annotated[int, typer.Option(min=1, max=100, help="Of JPEG and WebP.")] = 95,
    json: Json = False,
) -> None:
    """Move, scale, rotate, mirror, copy or remove the thing at a point. Outside of the edit's mask no pixel changes."""
    from underdrawing.client.engine import LiftedThing
    from underdrawing.picture.layer_transform import LayerTransform

    files.check_targets(out, save_mask, inputs=(image, mask))
    picture = files.picture(image)
    mirror = axis.value if operation is EditChoice.MIRROR else ""
    transform = LayerTransform(mirror, (factor, factor), angle, foot)
    if operation is not EditChoice.REMOVE and transform == LayerTransform(foot=foot) and not (dx or dy):
        raise output.wrong(
            f"Nothing would change: say how to {operation.value} it, with --dx, --dy, --factor or --angle."
        )
    with output.engine() as engine:
        chosen, found = picking.picked(engine, picture, at, outside, box, mask, bigger - smaller, asks=not yes)
        layer, place, was = lift.lifted(engine, picture, found)
        if operation is EditChoice.REMOVE:
            thing = LiftedThing(None, was=was)
        else:
            layer, (x, y) = transform.of(layer, place)
            copied = operation is EditChoice.COPY
            thing = LiftedThing(files.frame(layer), x + dx, y + dy, None if copied else was)
        earlier = [] if edits is None else listing.kept(edits, picture)
        reply = engine.apply(None, {}, files.frame(picture), lifted=[*earlier, thing], fill=fill.value)
        made, alpha = files.composed(engine, reply, picture, (0, 0))
    if edits is not None:
        point = "" if not at else f" at {at[0]}"
        listing.keep(edits, picture, f"{DONE[operation]}{point}", layer, thing)
    files.finish(reply.body, made, out, quality, (save_mask, files.mask_picture(alpha)), share=chosen["share"])
