"""The model of a picture for a command: what the options say, following its training, and the command's answer."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from underdrawing.client.ensure_model import ModelWish, Ready, ensure_model, run
from underdrawing.client.key_values import options_of
from underdrawing.commands import files, output, train

if TYPE_CHECKING:
    from underdrawing.client.engine import Engine, Reply
    from underdrawing.client.frames import Frame
    from underdrawing.picture.image import Picture
    from underdrawing.picture.primitive import Primitive


Named = Annotated[str | None, typer.Option(help="What the model is called (default: picture and task).")]
Budget = Annotated[
    str | None, typer.Option(metavar="TIME", help="Training time if a model must be trained: 90s, 2m, 1h …")
]
Iterations = Annotated[int | None, typer.Option(min=1, help="… or for so many iterations.")]
Recipe = Annotated[str | None, typer.Option(help="The training settings, for example paper-harmonize.")]
Figure = Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="Change a hyperparameter of the recipe.")]
Where = Annotated[str, typer.Option(help="Where to train: auto, cpu or cuda.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Processor threads (default: all).")]
Anew = Annotated[bool, typer.Option(help="Train a new model even if an existing one can do this.")]
Maker = Annotated[
    str | None, typer.Option("--from", metavar="MODEL", help="Make the model with this folder model, without training.")
]
Refine = Annotated[
    str | None, typer.Option(metavar="TIME", help="With --from: then train on this picture for 60s, 2m …")
]


def wish_of(
    name: Named = None,
    budget: Budget = None,
    iterations: Iterations = None,
    recipe: Recipe = None,
    option: Figure = None,
    device: Where = "auto",
    threads: Threads = None,
    anew: Anew = False,
    maker: Maker = None,
    refine: Refine = None,
) -> ModelWish:
    """What the options of a command say of the model; the task is filled in later."""
    if budget is not None and iterations is not None:
        raise output.wrong("Give --budget or --iterations, not both.")
    if refine is not None and maker is None:
        raise output.wrong("--refine goes with --from, which names a folder model.")
    if maker is not None and (budget or iterations or recipe or option):
        raise output.wrong("With --from, leave --budget, --iterations, --recipe and --option out.")
    return ModelWish(
        "",
        name=name or "",
        budget=output.seconds(refine if maker else budget),
        iterations=iterations,
        recipe=recipe or "",
        options=options_of(option or []),
        device=device,
        threads=threads,
        anew=anew,
        maker=maker or "",
    )


def with_training_options(*without: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """For commands that take a `wish`: on the command line they have the options of `wish_of` in its place."""
    options = [p for p in inspect.signature(wish_of, eval_str=True).parameters.values() if p.name not in without]

    def decorated(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def run(**given: Any) -> None:
            wish = wish_of(**{option.name: given.pop(option.name) for option in options})
            command(wish=wish, **given)

        own = inspect.signature(command, eval_str=True)
        parameters = [*(p for p in own.parameters.values() if p.name != "wish"), *options]
        run.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        return run

    return decorated


def model_for(
    engine: Engine, task: str, picture: Picture, path: Path, wish: ModelWish, edited: Primitive | None = None
) -> Ready:
    """The model of a picture that serves a task, made if need be."""
    planes = {} if edited is None else files.frames(edited)
    return _ensured(engine, replace(wish, task=task, title=path.stem, planes=planes), files.frame(picture))


def fine_tuned(
    engine: Engine, task: str, picture: Picture, path: Path, wish: ModelWish, given: Picture, mask: Frame
) -> Ready:
    """The same, fine-tuned for the picture as it was changed."""
    changed = replace(wish, task=task, title=path.stem, composite=files.frame(given), mask=mask)
    return _ensured(engine, changed, files.frame(picture))


def _ensured(engine: Engine, wish: ModelWish, picture: Frame) -> Ready:
    def follow(training: Any) -> Any:
        return train.followed(engine, training.status.job)

    ready = run(engine, ensure_model(wish, picture), follow)
    if not ready.created:
        output.note(f"The model {ready.name!r} of this picture is used again (--anew makes a new one).")
    return ready


def difference(before: Picture, after: Picture, task: str) -> Picture:
    """Where two pictures differ, as a mask; everything for a painting that is repainted."""
    import numpy as np

    from underdrawing.picture.image import Picture
    from underdrawing.picture.mask import differing

    if task == "repaint":
        return Picture(np.full((before.size[1], before.size[0]), 255, np.uint8))
    return Picture(differing(before.to_float(), after.to_float()).astype(np.uint8) * 255)


def generated(engine: Engine, model: str, task: str, **asked: Any) -> Reply:
    """Ask, with a bar where there is something to wait for; the engine's notes are shown."""
    with train.bar() as on_event:
        reply = engine.generate(model, task, on_event=on_event, **asked)
    for text in reply.body.get("notes") or []:
        output.note(str(text))
    return reply


def answer(reply: Reply, written: list[str], model: str, trained: bool, **more: Any) -> None:
    """The command's answer."""
    body = reply.body
    answered = {"files": written, "model": model, "trained": trained, **more}
    answered |= {key: body.get(key) for key in ("device", "seconds", "notes")}
    output.answer(answered, f"{', '.join(written)}: {body.get('seconds')} s on {body.get('device')}")
