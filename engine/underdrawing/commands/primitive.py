"""`underdrawing primitive`, `region` and `layout`: making underdrawings and changing them without a brush."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from underdrawing.client.labels import AREAS
from underdrawing.commands import files, output
from underdrawing.commands import pick as picking
from underdrawing.commands.output import Json, reports_errors

if TYPE_CHECKING:
    from underdrawing.client.engine import Engine
    from underdrawing.client.frames import Frame

Out = Annotated[Path, typer.Option("--out", "-o", help="The file to write.")]


class KindChoice(StrEnum):
    """What an underdrawing shows."""

    EDGES = "edges"
    SEGMENTS = "segments"
    SUPER = "super"
    PAINT = "paint"


class OperationChoice(StrEnum):
    """What can be done with a region."""

    MOVE = "move"
    SCALE = "scale"
    MIRROR = "mirror"
    COPY = "copy"
    REMOVE = "remove"
    MERGE = "merge"
    SPLIT = "split"


class AxisChoice(StrEnum):
    """What a mirrored region exchanges."""

    HORIZONTAL = "horizontal"
    VERTICAL = "vertical"


@reports_errors
def primitive(
    image: Annotated[Path, typer.Argument(help="The picture.")],
    out: Out,
    kind: Annotated[
        KindChoice, typer.Option(help="Outlines, flat areas, both, or a few flat colours.")
    ] = KindChoice.SUPER,
    sigma: Annotated[float | None, typer.Option(help="Outlines: blur before they are looked for, in pixels.")] = None,
    regions: Annotated[int | None, typer.Option(help="Areas: how many.")] = None,
    colours: Annotated[int | None, typer.Option(help="Paint: how many colours.")] = None,
    soft: Annotated[bool, typer.Option(help="Soft outlines by the network HED (its weights must be there).")] = False,
    subject: Annotated[
        bool | None, typer.Option(help="Split the subject from the background (default: when U2-Net is there).")
    ] = None,
    legend: Annotated[
        Path | None, typer.Option(help="Also write the picture with the areas' outlines, numbers and names.")
    ] = None,
    json: Json = False,
) -> None:
    """Make the underdrawing of a picture. With two planes, P.png becomes P.segments.png and P.edges.png."""
    given: dict[str, Any] = {"sigma": sigma, "regions": regions, "colours": colours, "subject": subject}
    options = {name: value for name, value in given.items() if value is not None}
    planes = (KindChoice.SEGMENTS, KindChoice.EDGES) if kind is KindChoice.SUPER else ()
    files.check_targets(*files.primitive_targets(out, [plane.value for plane in planes]), legend, inputs=(image,))
    if soft:
        options["soft"] = True
    picture = files.picture(image)
    rgb = picture.to_bytes() if legend is not None else None
    with output.engine() as engine:
        reply = engine.make_primitive(files.frame(picture), kind.value, **options)
        made, notes = files.received_primitive(engine, reply), reply.body.get("notes", [])
    del picture, reply  # a large picture's pixels take hundreds of megabytes
    written = files.save_primitive(out, made)
    if legend is not None and rgb is not None:
        from underdrawing.picture.image import Picture
        from underdrawing.picture.legend import legend as drawn

        files.save(legend, Picture(drawn(rgb, made)))
        written.append(str(legend))
    classes = [] if made.palette is None else [str(entry["name"]) for entry in made.palette.to_json()]
    text = f"{', '.join(written)}" + (f"\nareas: {'; '.join(classes)}" if classes else "")
    output.answer({"files": written, "kind": kind.value, "classes": classes, "notes": notes}, text)


@reports_errors
def region(
    primitive: Annotated[Path, typer.Argument(help="The underdrawing.")],
    operation: Annotated[OperationChoice, typer.Argument(help="What to do with the area.")],
    out: Out,
    at: Annotated[str | None, typer.Option(metavar="X,Y", help="The area at this pixel.")] = None,
    mask: Annotated[Path | None, typer.Option(help="The area that is not black in this picture.")] = None,
    named: Annotated[str | None, typer.Option("--class", metavar="NAME", help="The whole class of this name.")] = None,
    dx: Annotated[int, typer.Option(help="Move, copy: pixels to the right.")] = 0,
    dy: Annotated[int, typer.Option(help="Move, copy: pixels down.")] = 0,
    factor: Annotated[str | None, typer.Option(metavar="F|FX,FY", help="Scale: by how much.")] = None,
    axis: Annotated[
        AxisChoice, typer.Option(help="Mirror: left and right, or top and bottom.")
    ] = AxisChoice.HORIZONTAL,
    into: Annotated[
        str | None, typer.Option(metavar="X,Y", help="Merge: the area at this pixel takes the other in.")
    ] = None,
    picture: Annotated[
        Path | None,
        typer.Option(
            help="The photograph: --at picks the thing in it, not the area of the underdrawing. Merge and split: whose "
            "underdrawing it is."
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Also when the thing is more than a third of the picture.")
    ] = False,
    save_mask: Annotated[Path | None, typer.Option(help="Also write the mask of what changed.")] = None,
    json: Json = False,
) -> None:
    """Change an area on all planes at once; what is uncovered is filled from around it.

    Merge makes an area part of another, and split parts it along the picture's edges. Neither changes what the picture
    shows: apply starts from the underdrawing as it is then.
    """
    parts = operation in (OperationChoice.MERGE, OperationChoice.SPLIT)
    if parts and (picture is None or (operation is OperationChoice.MERGE) != (into is not None)):
        raise output.wrong(f"To {operation.value}, give --picture PHOTO" + (" and --into X,Y." if not into else "."))
    if sum(value is not None for value in (at, mask, named)) != 1:
        raise output.wrong("Name the area in one way: --at X,Y or --mask FILE or --class NAME.")
    if picture is not None and at is None and not parts:
        raise output.wrong("--picture goes with --at.")
    where: dict[str, Any] = {}
    if at is not None and (picture is None or parts):
        where["point"] = output.numbers(at, 2, "a pixel: write X,Y")
    elif mask is not None and at is None:
        where["mask"] = files.frame(files.picture(mask))
    elif at is None:
        where["class"] = named
    more: dict[str, Any] = {"dx": dx, "dy": dy, "axis": axis.value}
    if parts and picture is not None:
        more = {"picture": files.frame(files.picture(picture))}
        more |= {"into": {"point": output.numbers(into, 2, "a pixel: write X,Y")}} if into else {}
    if factor is not None:
        try:
            values = [float(part) for part in factor.split(",")]
        except ValueError:
            raise output.wrong(f"'{factor}' is no factor: write 1.5 or 1.5,0.8.") from None
        more["factor"] = values[0] if len(values) == 1 else values
    drawn, _ = files.drawn(primitive, takes=(KindChoice.SEGMENTS.value, KindChoice.EDGES.value))
    targets = files.primitive_targets(out, list(drawn.names))
    files.check_targets(*targets, save_mask, inputs=(primitive, mask))
    with output.engine() as engine:
        planes, palette = files.frames(drawn), files.palette_json(drawn)
        if picture is not None and at is not None and not parts:
            where["mask"] = _thing(engine, picture, at, yes)
        reply = engine.region(planes, palette, operation.value, where, **more)
        written = files.save_primitive(out, files.received_primitive(engine, reply))
        if save_mask is not None:
            files.save(save_mask, files.received(engine, reply, reply.body["mask"]))
            written.append(str(save_mask))
    output.answer({"files": written, "notes": reply.body.get("notes", [])}, ", ".join(written))


def _thing(engine: Engine, picture: Path, at: str, yes: bool) -> Frame:
    """The mask of the thing at a pixel of a photograph, which the command names."""
    return picking.picked(engine, files.picture(picture), [at], [], None, None, 0, asks=not yes)[1]


@reports_errors
def layout(
    model: Annotated[str, typer.Argument(help="The model, by name or id.")],
    image: Annotated[Path, typer.Argument(help="Another picture, or a map of its areas.")],
    out: Out,
    areas: Annotated[
        int | None, typer.Option(min=1, max=64, help="Tell which parts the picture has, at most so many.")
    ] = None,
    match: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PART=CLASS", help="Give a part, by its number, this class of the model. Can be repeated."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Segment another picture in a model's palette, so that the model can paint its layout."""
    files.check_targets(*files.primitive_targets(out, []), inputs=(image,))
    by_hand = dict(_matched(entry) for entry in match or [])
    if by_hand and areas is None:
        areas = AREAS
    with output.engine() as engine:
        reply = engine.layout(model, files.frame(files.picture(image)), areas, by_hand)
        written = files.save_primitive(out, files.received_primitive(engine, reply))
    parts = reply.body["areas"]
    lines = [
        f"{number:3}  {part['share']:4.0%}  {part['name']}: {by_hand.get(number, part['class'])}"
        for number, part in enumerate(parts)
    ]
    text = "\n".join([", ".join(written), *lines])
    output.answer({"files": written, "areas": parts, "notes": reply.body.get("notes", [])}, text)


def _matched(entry: str) -> tuple[int, str]:
    """A part's number and the class that it is to have."""
    number, equals, name = entry.partition("=")
    if not (equals and name.strip() and number.strip().isdecimal()):
        raise output.wrong(f"'{entry}' matches nothing: write the number of a part, =, and a class, such as 2=sky.")
    return int(number), name.strip()
