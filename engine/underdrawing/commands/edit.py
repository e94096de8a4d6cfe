"""`underdrawing edit`: the thing that is pointed at in a photograph is moved, scaled, mirrored, copied or removed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from underdrawing.commands import files, output
from underdrawing.commands import pick as picking
from underdrawing.commands.output import Json, reports_errors
from underdrawing.commands.primitive import AxisChoice, OperationChoice

if TYPE_CHECKING:
    from underdrawing.client.engine import Engine
    from underdrawing.picture.image import Picture
    from underdrawing.picture.primitive import Primitive


@reports_errors
def edit(
    image: Annotated[Path, typer.Argument(help="The photograph.")],
    operation: Annotated[OperationChoice, typer.Argument(help="What to do with the thing.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The picture to write.")],
    at: Annotated[list[str] | None, typer.Option(metavar="X,Y", help="A pixel of the thing; may be repeated.")] = None,
    outside: Annotated[
        list[str] | None, typer.Option("--not", metavar="X,Y", help="A pixel that does not belong to it.")
    ] = None,
    box: Annotated[str | None, typer.Option(metavar="X,Y,WIDTH,HEIGHT", help="A box around the thing.")] = None,
    mask: Annotated[Path | None, typer.Option(help="A rough mask of the thing.")] = None,
    bigger: Annotated[int, typer.Option(min=0, help="So many steps bigger than the most likely thing.")] = 0,
    smaller: Annotated[int, typer.Option(min=0, help="So many steps smaller.")] = 0,
    dx: Annotated[int, typer.Option(help="Move, copy: pixels to the right.")] = 0,
    dy: Annotated[int, typer.Option(help="Move, copy: pixels down.")] = 0,
    factor: Annotated[float | None, typer.Option(min=0.05, max=20, help="Scale: by how much.")] = None,
    axis: Annotated[
        AxisChoice, typer.Option(help="Mirror: left and right, or top and bottom.")
    ] = AxisChoice.HORIZONTAL,
    yes: Annotated[bool, typer.Option("--yes", help="Also if the thing is more than a third of the picture.")] = False,
    save_mask: Annotated[Path | None, typer.Option(help="Also write the mask of what changed.")] = None,
    quality: Annotated[int, typer.Option(min=1, max=100, help="Of JPEG and WebP.")] = 95,
    json: Json = False,
) -> None:
    """Move, scale, mirror, copy or remove the thing at a point. Outside of the edit's mask no pixel changes."""
    from underdrawing.picture.regions import change
    from underdrawing.picture.thing_area import widened, with_area, with_remains

    files.check_targets(out, save_mask, inputs=(image, mask))
    picture = files.picture(image)
    with output.engine() as engine:
        reply = picking.asked(engine, picture, at or [], outside or [], box, mask)
        chosen = picking.step(reply.body["candidates"], bigger - smaller)
        output.note(f"Picked {picking.described(chosen)}.")
        if float(chosen["share"]) > picking.LARGE and not yes:
            raise output.wrong("That is more than a third of the picture. Add --yes, or point at something smaller.")
        soft = files.received(engine, reply, str(chosen["mask"])).to_float()[..., 0]
        region = widened(soft)
        areas = engine.make_primitive(files.frame(picture), "segments")
        found = files.received_primitive(engine, areas)
        if found.segments is not None:
            region = with_remains(region, found.segments)
        before = with_area(found, region)
        values = {"dx": dx, "dy": dy, "factor": factor, "axis": axis.value}
        after = change(before, operation.value, region, values).primitive
        made, alpha, body = _drafted(engine, picture, before, after, f"{image.stem}, {operation.value}")
    for text in body.get("notes") or []:
        output.note(str(text))
    losses = files.save(out, made, quality)
    written = [str(out)]
    if save_mask is not None:
        files.save(save_mask, files.mask_picture(alpha))
        written.append(str(save_mask))
    place = [body["x"], body["y"], body["width"], body["height"]]
    answer = {"files": written, "share": chosen["share"], "changed": place, "seconds": body.get("seconds")}
    where = f"changed {place[2]} x {place[3]} pixels at {place[0]},{place[1]}"
    output.answer({**answer, "losses": losses}, f"{', '.join(written)}: {where}, {body.get('seconds')} s")


def _drafted(
    engine: Engine, picture: Picture, before: Primitive, after: Primitive, name: str
) -> tuple[Picture, Any, dict[str, Any]]:
    """The picture that follows from two underdrawings, by a draft that nobody needs afterwards."""
    frame = files.frame(picture)
    palette = files.palette_json(before)
    started = engine.train(frame, files.frames(before), palette=palette, method="draft", name=name)
    try:
        engine.watch(str(started["job"]))
        reply = engine.apply(str(started["model"]), files.frames(after), frame)
        made, alpha = files.composed(engine, reply, picture, (0, 0))
    finally:
        engine.delete(str(started["model"]))
    return made, alpha, reply.body
