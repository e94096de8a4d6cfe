"""`underdrawing meta train|between`: one model for a whole folder, and what lies between two pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from underdrawing.client.key_values import options_of
from underdrawing.commands import files, generate, output, task_model
from underdrawing.commands.film import Film
from underdrawing.commands.output import Json, reports_errors
from underdrawing.commands.train import bar, follow

app = typer.Typer(no_args_is_help=True, help="Train a folder model: a model that makes models of pictures.")
KINDS = (".mp4", ".gif")


@app.command()
@reports_errors
def train(
    folder: Annotated[Path, typer.Argument(help="A folder of pictures, two at least: the more alike, the better.")],
    name: Annotated[str | None, typer.Option(help="What the model is called (default: the folder's name).")] = None,
    budget: Annotated[str | None, typer.Option(metavar="TIME", help="Training time: 30m, 2h …")] = None,
    iterations: Annotated[int | None, typer.Option(min=1, help="… or for so many iterations.")] = None,
    recipe: Annotated[str, typer.Option(help="The settings: meta, paper-meta or paper-meta-batch.")] = "meta",
    option: task_model.Figure = None,
    seed: Annotated[int | None, typer.Option(help="For reproducible runs, with --iterations.")] = None,
    device: task_model.Where = "auto",
    threads: task_model.Threads = None,
    detach: Annotated[
        bool, typer.Option(help="Return immediately; `underdrawing watch` follows the training.")
    ] = False,
    json: Json = False,
) -> None:
    """Train a model on a folder of pictures. Ctrl-C pauses it; `underdrawing resume` goes on."""
    from underdrawing.picture.folder import pictures_in, reduced, sheet_of

    if budget is not None and iterations is not None:
        raise output.wrong("Give --budget or --iterations, not both.")
    how: dict[str, Any] = {
        "name": name or folder.resolve().name,
        "method": "meta",
        "recipe": recipe,
        "budget": output.seconds(budget),
        "iterations": iterations,
        "options": options_of(option or []),
        "seed": seed,
        "device": device,
        "threads": threads,
    }
    pictures = [reduced(files.picture(path)) for path in pictures_in(folder)]
    with output.engine() as engine:
        sheet = files.frame(sheet_of(pictures))
        started = engine.train(sheet, {}, pictures=[files.frame(picture) for picture in pictures], **how)
        if detach:
            output.answer(started, f"job {started['job']}, model {started['model']}")
            return
        follow(engine, str(started["job"]))


@app.command()
@reports_errors
def between(
    model: Annotated[str, typer.Argument(help="A folder's model: its id or name.")],
    first: Annotated[Path, typer.Argument(metavar="A", help="The picture to begin with.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="The picture to end with.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="A folder, a file (P.png: P.1.png …), .mp4 or .gif.")],
    count: Annotated[int, typer.Option("--count", "-n", min=2, max=240, help="How many pictures.")] = 5,
    scales: Annotated[str, typer.Option(help="What changes: all, coarse, middle or fine.")] = "all",
    freedom: Annotated[
        float, typer.Option(min=0, max=1, help="0: the pictures themselves; 1: others like them.")
    ] = 0.0,
    fps: Annotated[float, typer.Option(min=0.1, max=120, help="Pictures a second, of a clip.")] = 12.0,
    seed: generate.Seed = 0,
    network_picture: generate.NetworkPicture = False,
    quality: generate.Quality = 95,
    json: Json = False,
) -> None:
    """What lies between two pictures, as pictures or a clip: the weights of their models, mixed."""
    one, two = (files.frame(files.picture(path)) for path in (first, second))
    written: list[str] = []
    with output.engine() as engine, bar() as on_event:
        asked: dict[str, Any] = {"count": count, "scales": scales, "freedom": freedom, "seed": seed}
        asked["network_picture"] = network_picture
        reply = engine.between(model, one, two, on_event=on_event, **asked)
        keys = reply.body["pictures"]
        if out.suffix.lower() in KINDS:
            with Film(out, fps) as film:
                for key in keys:
                    film.add(files.received(engine, reply, key).to_bytes())
            written.append(str(out))
        else:
            files.make_folder(out)
            for number, key in enumerate(keys, 1):
                file = generate.numbered(out, number)
                files.save(file, files.received(engine, reply, key), quality)
                written.append(str(file))
    task_model.answer(reply, written, str(reply.body["model"]), False)
