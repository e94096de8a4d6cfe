"""`underdrawing pick`: a mask of the thing that is pointed at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from underdrawing.commands import files, output
from underdrawing.commands.output import Json, reports_errors

if TYPE_CHECKING:
    from underdrawing.client.engine import Engine, Reply
    from underdrawing.client.frames import Frame
    from underdrawing.picture.image import Picture

LARGE = 1 / 3  # share of the picture from which a thing is asked about

At = Annotated[list[str] | None, typer.Option(metavar="X,Y", help="A pixel of the thing; may be repeated.")]
Outside = Annotated[
    list[str] | None, typer.Option("--not", metavar="X,Y", help="A pixel that does not belong to it; may be repeated.")
]
Box = Annotated[str | None, typer.Option(metavar="X,Y,WIDTH,HEIGHT", help="A box around the thing.")]
Rough = Annotated[Path | None, typer.Option(help="A rough mask of the thing.")]
Bigger = Annotated[int, typer.Option(min=0, help="So many steps bigger than the most likely thing.")]
Smaller = Annotated[int, typer.Option(min=0, help="So many steps smaller.")]


@reports_errors
def pick(
    image: Annotated[Path, typer.Argument(help="The picture.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The mask to write; white is the thing.")],
    at: At = None,
    outside: Outside = None,
    box: Box = None,
    mask: Rough = None,
    bigger: Bigger = 0,
    smaller: Smaller = 0,
    json: Json = False,
) -> None:
    """Write the mask of the thing at a point, in a box, or under a rough mask."""
    if bigger and smaller:
        raise output.wrong("Give --bigger or --smaller, not both.")
    files.check_targets(out, inputs=(image, mask))
    picture = files.picture(image)
    with output.engine() as engine:
        reply = asked(engine, picture, at or [], outside or [], box, mask)
        chosen = step(reply.body["candidates"], bigger - smaller)
        files.save(out, files.received(engine, reply, str(chosen["mask"])))
    for text in reply.body["notes"]:
        output.note(str(text))
    answer = {"file": str(out), "share": chosen["share"], "score": chosen["score"], "notes": reply.body["notes"]}
    answer["candidates"] = [{key: one[key] for key in ("share", "score", "source")} for one in reply.body["candidates"]]
    output.answer(answer, f"{out}: {described(chosen)}")


def picked(
    engine: Engine,
    picture: Picture,
    at: list[str] | None,
    outside: list[str] | None,
    box: str | None,
    mask: Path | None,
    steps: int,
    asks: bool = False,
) -> tuple[dict[str, Any], Frame]:
    """The thing that a command line points at, which is named aloud: its candidate and its mask.

    Args:
        asks: whether one of more than a third of the picture is refused.
    """
    reply = asked(engine, picture, at or [], outside or [], box, mask)
    chosen = step(reply.body["candidates"], steps)
    output.note(f"Picked {described(chosen)}.")
    if asks and float(chosen["share"]) > LARGE:
        raise output.wrong("That is more than a third of the picture. Add --yes, or point at something smaller.")
    return chosen, engine.result(reply, str(chosen["mask"]))


def asked(
    engine: Engine, picture: Picture, at: list[str], outside: list[str], box: str | None, mask: Path | None
) -> Reply:
    """The candidates for what a command line points at."""
    if not at and box is None and mask is None:
        raise output.wrong("Point at the thing: --at X,Y or --box X,Y,WIDTH,HEIGHT or --mask FILE.")
    rough = None
    if box is not None:
        rough = files.frame(_box(picture, _numbers(box, 4, "a box: write X,Y,WIDTH,HEIGHT")))
    elif mask is not None:
        rough = files.frame(files.picture(mask))
    inside, apart = ([_numbers(text, 2, "a pixel: write X,Y") for text in texts] for texts in (at, outside))
    return engine.pick(files.frame(picture), inside, apart, rough)


def step(candidates: list[dict[str, Any]], steps: int) -> dict[str, Any]:
    """The most likely candidate, or one that is so many steps bigger (or smaller, where negative)."""
    order = sorted(candidates, key=lambda one: float(one["share"]))
    place = order.index(candidates[0]) + steps
    return order[max(0, min(len(order) - 1, place))]


def described(candidate: dict[str, Any]) -> str:
    """What was taken, in words."""
    return f"a thing of {100 * float(candidate['share']):.1f} % of the picture"


def _numbers(text: str, count: int, what: str) -> list[int]:
    return output.numbers(text, count, what) or []


def _box(picture: Picture, box: list[int]) -> Picture:
    import numpy as np

    from underdrawing.picture.image import Picture as Mask

    width, height = picture.size
    x, y, wide, tall = box
    made = np.zeros((height, width, 1), np.uint8)
    made[max(0, y) : max(0, y + tall), max(0, x) : max(0, x + wide)] = 255
    if not made.any():
        raise output.wrong(f"The box {x},{y},{wide},{tall} lies outside the picture of {width} x {height} pixels.")
    return Mask(made)
