"""`underdrawing harmonize|blend|repaint|vary|resize|enlarge`: pictures without an underdrawing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from underdrawing.client import labels
from underdrawing.client.ensure_model import ModelWish
from underdrawing.client.requests import MOST_COUNT
from underdrawing.commands import files, output, task_model
from underdrawing.commands.output import Json, Strip, reports_errors
from underdrawing.commands.primitive import Out

SIZE = re.compile(r"(\d{1,5})x(\d{1,5})\Z")
TIMES = re.compile(r"(\d{1,2}(?:\.\d+)?)x\Z")

Pictured = Annotated[
    Path, typer.Argument(metavar="PICTURE", help="The picture, as it was before anything was changed.")
]
Seed = Annotated[int, typer.Option(min=0, help="Another one gives another result.")]
Masked = Annotated[
    Path | None, typer.Option(help="Where it was changed: what is not black (default: where the two differ).")
]
FineTune = Annotated[bool, typer.Option(help="Fine-tune the model for this picture; takes about another minute.")]
Grow = Annotated[int | None, typer.Option(min=0, help="Widen the mask by so many pixels, so that edges can settle.")]
Feather = Annotated[
    float | None, typer.Option(min=0, help="Width of the soft border, in pixels.", callback=output.finite)
]
SaveMask = Annotated[Path | None, typer.Option(help="Also write the mask, feather included.")]
Freedom = Annotated[
    float,
    typer.Option(min=0, max=1, help="0: faithful to the picture; 1: as free as the model can.", callback=output.finite),
]
NetworkPicture = Annotated[
    bool,
    typer.Option("--network-picture", help="Show the network's own picture, without the picture's brushwork over it."),
]
Quality = Annotated[int, typer.Option(min=1, max=100, help="Of JPEG and WebP.")]


@reports_errors
@task_model.with_training_options()
def harmonize(
    wish: ModelWish,
    picture: Pictured,
    composite: Annotated[Path, typer.Argument(help="The same with something pasted (or that alone, transparent).")],
    out: Out,
    mask: Masked = None,
    fine_tune: FineTune = False,
    light: Annotated[
        float, typer.Option(min=0, max=1, help="Light-matching strength (0–1).", callback=output.finite)
    ] = labels.LIGHT,
    grow: Grow = None,
    feather: Feather = None,
    save_mask: SaveMask = None,
    seed: Seed = 0,
    network_picture: NetworkPicture = False,
    quality: Quality = 95,
    strip: Strip = False,
    json: Json = False,
) -> None:
    """Something pasted takes on the picture's light, colours and brushwork. Outside its mask nothing changes."""
    asked = {"seed": seed, "grow": grow, "feather": feather, "light": light, "network_picture": network_picture}
    _on_picture("harmonize", picture, composite, out, mask, fine_tune, save_mask, quality, asked, wish)


@reports_errors
@task_model.with_training_options()
def blend(
    wish: ModelWish,
    picture: Pictured,
    edited: Annotated[Path, typer.Argument(help="The same after a rough edit: moved, cloned, stretched by hand.")],
    out: Out,
    mask: Masked = None,
    fine_tune: FineTune = False,
    grow: Grow = None,
    feather: Feather = None,
    save_mask: SaveMask = None,
    seed: Seed = 0,
    network_picture: NetworkPicture = False,
    quality: Quality = 95,
    strip: Strip = False,
    json: Json = False,
) -> None:
    """The seams and textures of a rough edit become natural. Outside its mask nothing changes."""
    asked = {"seed": seed, "grow": grow, "feather": feather, "network_picture": network_picture}
    _on_picture("blend", picture, edited, out, mask, fine_tune, save_mask, quality, asked, wish)


@reports_errors
@task_model.with_training_options()
def repaint(
    wish: ModelWish,
    picture: Pictured,
    painting: Annotated[Path, typer.Argument(help="A rough painting of the same size.")],
    out: Out,
    mask: Annotated[Path | None, typer.Option(help="Only what is not black here (default: everything).")] = None,
    freedom: Annotated[
        float,
        typer.Option(min=0, max=1, help="0: the painting's forms are kept; 1: they are hints.", callback=output.finite),
    ] = labels.FREEDOM,
    seed: Seed = 0,
    network_picture: NetworkPicture = False,
    quality: Quality = 95,
    strip: Strip = False,
    json: Json = False,
) -> None:
    """A rough painting becomes a picture of the same world as the one that was trained on."""
    asked = {"seed": seed, "freedom": freedom, "network_picture": network_picture}
    _on_picture("repaint", picture, painting, out, mask, False, None, quality, asked, wish)


@reports_errors
@task_model.with_training_options()
def vary(
    wish: ModelWish,
    picture: Pictured,
    out: Annotated[Path, typer.Option("--out", "-o", help="A file (P.png becomes P.1.png …) or a folder.")],
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=256, help="How many.")] = labels.COUNT,
    freedom: Freedom = labels.FREEDOM,
    seed: Seed = 0,
    network_picture: NetworkPicture = False,
    quality: Quality = 95,
    strip: Strip = False,
    json: Json = False,
) -> None:
    """Other pictures of the same kind, from faithful to free."""
    written: list[str] = []
    losses: list[str] = []
    files.make_folder(out)
    files.check_targets(*(numbered(out, number + 1) for number in range(count)), inputs=(picture,))
    source = files.picture(picture)
    with output.engine() as engine:
        ready = task_model.model_for(engine, "vary", source, picture, wish)
        while len(written) < count:
            number = min(MOST_COUNT, count - len(written))
            asked = {"count": number, "freedom": freedom, "seed": seed + len(written)}
            reply = task_model.generated(engine, ready.model, "vary", network_picture=network_picture, **asked)
            for key in reply.body["pictures"]:
                file = numbered(out, len(written) + 1)
                losses += files.save_generated(file, files.received(engine, reply, key), source, True, quality)
                written.append(str(file))
    task_model.answer(reply, written, ready.model, ready.trained, losses=list(dict.fromkeys(losses)))


@reports_errors
@task_model.with_training_options()
def resize(
    wish: ModelWish,
    picture: Pictured,
    size: Annotated[str, typer.Argument(metavar="WxH", help="The new size in pixels, for example 900x400.")],
    out: Out,
    seed: Seed = 0,
    network_picture: NetworkPicture = False,
    quality: Quality = 95,
    strip: Strip = False,
    json: Json = False,
) -> None:
    """The same scene in another size or shape: generated, not scaled, so that things keep their own shape."""
    found = SIZE.match(size)
    if found is None:
        raise output.wrong(f"'{size}' is no size: write WxH, for example 900x400.")
    goal = int(found[1]), int(found[2])
    _one("resize", picture, goal, out, {"seed": seed, "network_picture": network_picture}, quality, wish)


@reports_errors
@task_model.with_training_options("maker", "refine")
def enlarge(
    wish: ModelWish,
    picture: Pictured,
    times: Annotated[str, typer.Argument(metavar="2x", help="How much larger, for example 2x or 1.5x; or WxH.")],
    out: Out,
    seed: Seed = 0,
    network_picture: NetworkPicture = False,
    quality: Quality = 95,
    strip: Strip = False,
    json: Json = False,
) -> None:
    """The picture with more pixels, whose fine detail is made after its own."""
    factor, exact = TIMES.match(times), SIZE.match(times)
    if factor is None and exact is None:
        raise output.wrong(f"'{times}' is no size: write 2x, or WxH.")
    width, height = files.picture(picture).size
    if exact is not None:
        goal = int(exact[1]), int(exact[2])
    else:
        scale = float(factor[1]) if factor is not None else 1.0
        goal = round(width * scale), round(height * scale)
    if goal[0] < width or goal[1] < height:
        raise output.wrong(f"{goal[0]} x {goal[1]} is smaller than the picture, which has {width} x {height} pixels.")
    _one("enlarge", picture, goal, out, {"seed": seed, "network_picture": network_picture}, quality, wish)


def walk(picture: Path, out: Path, fps: float, frames: int, asked: dict[str, Any], wish: ModelWish) -> None:
    """`animate --walk`: a clip that ends where it begins."""
    from underdrawing.commands.film import Film

    if out.resolve() in (picture.resolve(), picture.resolve().parent):
        raise output.wrong(f"{out} is read by this command, or holds the picture; choose another name.")
    source = files.picture(picture)
    losses = [] if source.alpha is None else ["The transparency was left out: clips are opaque."]
    for loss in losses:
        output.note(loss)
    with output.engine() as engine:
        ready = task_model.model_for(engine, "animate", source, picture, wish)
        with Film(out, fps) as film:
            reply = task_model.generated(engine, ready.model, "animate", frames=frames, **asked)
            for key in reply.body["pictures"]:
                film.add(files.received(engine, reply, key).to_bytes())
    task_model.answer(reply, [str(out)], ready.model, ready.trained, frames=frames, losses=losses)


def _on_picture(
    task: str,
    before: Path,
    after: Path,
    out: Path,
    mask: Path | None,
    fine_tune: bool,
    save_mask: Path | None,
    quality: int,
    asked: dict[str, Any],
    wish: ModelWish,
) -> None:
    """Harmonize, blend or repaint, and lay the result over the changed picture."""
    from underdrawing.picture.composite import flattened

    files.check_targets(out, save_mask, inputs=(before, after, mask))
    trained, given = files.picture(before), files.picture(after)
    if given.size != trained.size:
        sizes = f"{given.size[0]} x {given.size[1]} pixels, {before.name} has {trained.size[0]} x {trained.size[1]}"
        raise output.wrong(f"{after.name} has {sizes}; they must be of one size.")
    given = flattened(trained, given)
    with output.engine() as engine:
        marked = files.frame(files.picture(mask) if mask is not None else task_model.difference(trained, given, task))
        if fine_tune:
            ready = task_model.fine_tuned(engine, task, trained, before, wish, given, marked)
        else:
            ready = task_model.model_for(engine, task, trained, before, wish)
        options = {key: value for key, value in asked.items() if value is not None}
        reply = engine.generate(ready.model, task, files.frame(given), marked, **options)
        made, alpha = files.composed(engine, reply, given, (0, 0))
    for text in reply.body.get("notes") or []:
        output.note(str(text))
    losses = files.save(out, made, quality)
    written = [str(out)]
    if save_mask is not None:
        files.save(save_mask, files.mask_picture(alpha))
        written.append(str(save_mask))
    place = [reply.body[key] for key in ("x", "y", "width", "height")]
    task_model.answer(reply, written, ready.model, ready.trained, changed=place, losses=losses)


def _one(
    task: str,
    path: Path,
    size: tuple[int, int],
    out: Path,
    asked: dict[str, Any],
    quality: int,
    wish: ModelWish,
) -> None:
    """Resize or enlarge."""
    files.check_targets(out, inputs=(path,))
    source = files.picture(path)
    with output.engine() as engine:
        ready = task_model.model_for(engine, task, source, path, wish)
        reply = task_model.generated(engine, ready.model, task, width=size[0], height=size[1], **asked)
        made = files.received(engine, reply, reply.body["picture"])
    losses = files.save_generated(out, made, source, task == "enlarge", quality)
    task_model.answer(reply, [str(out)], ready.model, ready.trained, losses=losses)


def numbered(out: Path, number: int) -> Path:
    """`P.png` with its number, or a file of the folder."""
    return out.with_name(f"{out.stem}.{number}{out.suffix}") if out.suffix else out / f"{number}.png"
