"""`underdrawing train` and what can be done with a training that runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from underdrawing.client import labels
from underdrawing.client.job_status import JobStatus
from underdrawing.client.key_values import options_of
from underdrawing.commands import files, output
from underdrawing.commands.output import Json, Strip, reports_errors
from underdrawing.commands.primitive import KindChoice

if TYPE_CHECKING:
    from underdrawing.client.engine import Engine
    from underdrawing.picture.image import Picture

SECONDS_BETWEEN_LINES = 15.0
STOPPING = 130.0  # seconds: what the engine gives the biggest checkpoints, and a little more
JobName = Annotated[str, typer.Argument(metavar="JOB", help="The training: its id, its model's id, or its name.")]


@reports_errors
def train(
    image: Annotated[Path, typer.Argument(help="The picture to train on.")],
    primitive: Annotated[
        Path | None, typer.Argument(help="Its underdrawing (default: made from the picture where one is needed).")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What the model is called (default: the picture's name).")] = None,
    kind: Annotated[
        KindChoice | None,
        typer.Option(help="Make this underdrawing (default: the one made of the picture before, else super)."),
    ] = None,
    method: Annotated[str | None, typer.Option(help="The training method; `underdrawing methods` lists them.")] = None,
    recipe: Annotated[str | None, typer.Option(help="The method's settings.")] = None,
    budget: Annotated[str | None, typer.Option(metavar="TIME", help="Training time: 90s, 2m, 1h …")] = None,
    iterations: Annotated[int | None, typer.Option(min=1, help="… or for so many iterations.")] = None,
    seed: Annotated[int | None, typer.Option(help="For reproducible runs, with --iterations.")] = None,
    region: Annotated[
        str | None, typer.Option(metavar="X,Y,W,H", help="Train on this part of the picture only.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="Processor threads (default: all).")] = None,
    option: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Change a hyperparameter of the recipe.")
    ] = None,
    detach: Annotated[
        bool, typer.Option(help="Return immediately; `underdrawing watch` follows the training.")
    ] = False,
    strip: Strip = False,
    json: Json = False,
) -> None:
    """Train a model on a picture. Ctrl-C pauses training without losing progress."""
    if budget is not None and iterations is not None:
        raise output.wrong("Give --budget or --iterations, not both.")
    asked: dict[str, Any] = {
        "name": name or image.stem,
        "method": method,
        "recipe": recipe,
        "budget": output.seconds(budget),
        "iterations": iterations,
        "seed": seed,
        "region": output.numbers(region, 4, "an area: write X,Y,W,H"),
        "device": device,
        "threads": threads,
        "options": options_of(option or []),
    }
    picture = files.picture(image)
    for loss in picture.metadata.lost:
        output.note(loss)
    if output.strips():
        picture = replace(picture, metadata=picture.metadata.stripped())
    with output.engine() as engine:
        output.note_name_taken(engine, asked["name"])
        frame = files.frame(picture)
        if primitive is not None:
            drawn, _ = files.drawn(primitive)
            started = engine.train(frame, files.frames(drawn), palette=files.palette_json(drawn), **asked)
        elif _needs_none(engine, method, recipe):
            started = engine.train(frame, {}, **asked)
        else:
            started = _train_as_made(engine, picture, kind, asked)
        if detach:
            output.answer(started, f"job {started['job']}, model {started['model']}")
            return
        follow(engine, str(started["job"]))


@reports_errors
def watch(job: JobName, json: Json = False) -> None:
    """Follow a training until it ends. Ctrl-C stops following; the training goes on."""
    with output.engine() as engine:
        follow(engine, job, pause=False)


@reports_errors
def jobs(json: Json = False) -> None:
    """List trainings: those that wait, run, are paused, or have ended."""
    with output.engine() as engine:
        found = engine.jobs()

    def text() -> str:
        rows = []
        for job in found:
            share = float((job.get("progress") or {}).get("fraction") or 0)
            rows.append([job["job"], job["name"], str(job.get("method") or ""), job["state"], f"{share:.0%}"])
        return output.table(rows, ["job", "name", "method", "state", "done"]) if rows else "There are no trainings."

    output.answer({"jobs": found}, text)


@reports_errors
def pause(job: JobName, json: Json = False) -> None:
    """Pause a training; `resume` goes on where it was."""
    with output.engine() as engine:
        output.answer(engine.watch(engine.pause(job)["job"], deadline=STOPPING), "paused")


@reports_errors
def resume(
    job: JobName, detach: Annotated[bool, typer.Option(help="Return immediately.")] = False, json: Json = False
) -> None:
    """Go on with a paused or interrupted training."""
    with output.engine() as engine:
        body = engine.resume(job)
        if detach:
            output.answer(body, "resumed")
        else:
            follow(engine, job)


@reports_errors
def cancel(job: JobName, json: Json = False) -> None:
    """End a training and forget it."""
    with output.engine() as engine:
        output.answer(engine.watch(engine.cancel(job)["job"], deadline=STOPPING), "cancelled")


@reports_errors
def methods(json: Json = False) -> None:
    """List the methods, their recipes, and the devices to train on."""
    with output.engine() as engine:
        body = engine.methods()

    def text() -> str:
        lines = []
        for method in body.get("methods", []):
            planes = ", ".join(p if isinstance(p, str) else str(p.get("name")) for p in method.get("planes", []))
            lines.append(f"{method['name']}: {method.get('title', '')}\n  planes: {planes}")
            recipes = method.get("recipes") or []
            lines.append(f"  recipes: {', '.join(r if isinstance(r, str) else str(r.get('name')) for r in recipes)}")
        devices = body.get("devices") or []
        lines.append("devices: " + ", ".join(d if isinstance(d, str) else str(d.get("name")) for d in devices))
        return "\n".join(lines)

    output.answer(body, text)


class Background(StrEnum):
    """Whether training goes on in the background after a draft."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


@reports_errors
def background(
    training: Annotated[
        Background | None, typer.Argument(help="on, off, or auto: where a graphics card trains (default: show).")
    ] = None,
    json: Json = False,
) -> None:
    """Choose whether training goes on in the background after a draft. It pauses on battery."""
    with output.engine() as engine:
        body = engine.background(training.value if training else "")
    held = "; it waits while this machine runs on its battery" if body["held"] else ""
    output.answer(body, f"Training in the background: {body['training']}{held}.")


def _train_as_made(engine: Engine, picture: Picture, kind: KindChoice | None, asked: dict[str, Any]) -> dict[str, Any]:
    """Begin a training from the underdrawing that was made of the picture before, else from a new one."""
    from underdrawing.client.messages import EngineError

    frame = files.frame(picture)
    if kind is None:
        try:
            return engine.train(frame, {}, as_made=picture.hash, **asked)
        except EngineError as error:
            if error.code != "unknown_underdrawing":
                raise
    drawn = files.received_primitive(engine, engine.make_primitive(frame, (kind or KindChoice.SUPER).value))
    return engine.train(frame, files.frames(drawn), palette=files.palette_json(drawn), **asked)


def _needs_none(engine: Engine, method: str | None, recipe: str | None) -> bool:
    """Whether the named training method follows no underdrawing."""
    if method is None and recipe is None:
        return False
    for known in engine.methods().get("methods", []):
        names = [r["name"] for r in known["recipes"]]
        if known["name"] == method or (method is None and recipe in names):
            return not known["planes"]
    return False


def follow(engine: Engine, job: str, pause: bool = True) -> None:
    """Show a training's progress until it ends, and how it ended.

    pause: whether Ctrl-C pauses the training, or only stops following it.
    """
    last = _watched(engine, job, pause)
    JobStatus.of(last).check()
    figures = last.get("figures") or {}
    took = f", {figures['iterations']} iterations in {figures['seconds']} s" if "iterations" in figures else ""
    device = f" on {figures['device']}" if figures.get("device") else ""
    lines = [f"{last.get('state')}: model {last.get('name')} ({last.get('model')}){took}{device}"]
    if figures.get("export_difference"):
        apart = max(figures["export_difference"].values())
        lines.append(f"Exported to ONNX and compared with torch: the results differ by at most {apart:.1g} (of 2).")
    lines += [text for text in [labels.measured(figures)] if text]
    output.answer(last, "\n".join(lines))


def followed(engine: Engine, job: str, pause: bool = True) -> JobStatus:
    """Show a training's progress until it ends; how it ended.

    Raises:
        EngineError: it failed.
    """
    return JobStatus.of(_watched(engine, job, pause)).check()


def _watched(engine: Engine, job: str, pause: bool) -> dict[str, Any]:
    try:
        with bar() as on_event:
            return engine.watch(job, on_event)
    except KeyboardInterrupt:
        if pause:
            engine.pause(job)
            output.note(f"Paused. Go on with: underdrawing resume {job}")
        raise


@contextmanager
def bar() -> Iterator[Callable[[dict[str, Any]], None]]:
    """A progress bar on stderr, fed with the engine's events."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(stderr=True)
    columns = (BarColumn(28), TextColumn("{task.percentage:>3.0f}%"), TextColumn("{task.description}"))
    live = console.is_terminal and not output.as_json() and not output.is_quiet()
    said = time.monotonic()
    status = JobStatus("", "", state="running")
    with Progress(*columns, console=console, transient=True, disable=not live) as progress:
        task = progress.add_task("waiting", total=1.0)

        def on_event(event: dict[str, Any]) -> None:
            nonlocal said, status
            status = status.after(event)
            if event.get("event") == "note":
                output.note(str(event.get("text", "")))
            if event.get("event") == "progress":
                progress.update(task, completed=status.fraction, description=status.details)
                # Where no bar can be drawn (a log, a pipe), a line now and then shows that it goes on.
                if not live and not output.as_json() and time.monotonic() - said > SECONDS_BETWEEN_LINES:
                    said = time.monotonic()
                    output.note(f"{status.fraction:.0%}, {status.details}")

        yield on_event
