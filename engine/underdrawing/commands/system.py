"""`underdrawing engine …` and `install`: the engine itself and the machine it runs on."""

from __future__ import annotations

import subprocess
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from underdrawing.commands import output, remote
from underdrawing.commands.output import Json, reports_errors

app = typer.Typer(no_args_is_help=True, help="The engine that runs in the background.")
remote.register(app)
NOT_RUNNING = 3
ANSWERS = 2.5  # seconds that an engine which is to end has to answer
ENDS = 15.0  # seconds that one which answered has to put trainings in order


@app.command()
@reports_errors
def start(json: Json = False) -> None:
    """Start the engine (every command does so when it needs it)."""
    with output.engine() as engine:
        body = engine.hello()
    output.answer(body, f"The engine runs (version {body['version']}, process {body['pid']}).")


@app.command()
@reports_errors
def stop(json: Json = False) -> None:
    """End the engine, whatever state it is in. Training resumes at the next start."""
    from underdrawing.client import engine_lock
    from underdrawing.client.endpoint import home, remote
    from underdrawing.client.messages import EngineError

    elsewhere = remote(home()) is not None
    try:
        engine = output.running(ANSWERS)
        if engine is not None:
            with engine:
                engine.shutdown()
                if engine.wait_for_end(ENDS) or elsewhere:
                    output.answer({"running": False}, "The engine has ended.")
                    return
    except EngineError:
        if elsewhere:
            raise
    ended = not elsewhere and engine_lock.end(home())
    text = "The engine did not answer and was ended; trainings go on from their checkpoints."
    output.answer({"running": False}, text if ended else "The engine is not running.")


@app.command()
@reports_errors
def status(json: Json = False) -> None:
    """What the engine is doing. Exit code 3 when it is not running."""
    engine = output.running()
    if engine is None:
        output.answer({"running": False}, "The engine is not running.")
        raise typer.Exit(NOT_RUNNING)
    with engine:
        body = {"running": True, **engine.status()}

    def text() -> str:
        lines = [
            f"The engine runs: version {body['version']}, process {body['pid']}, {output.megabytes(body['memory'])}."
        ]
        lines.append(f"  {body['models']} models in {body['home']}, {output.megabytes(body['free'])} free on the disk")
        for job in body["jobs"]:
            share = float((job.get("progress") or {}).get("fraction") or 0)
            lines.append(f"  training {job['name']}: {job['state']}, {share:.0%}")
        renderer = body.get("renderer") or {}
        for loaded in renderer.get("loaded") or []:
            lines.append(f"  loaded: {loaded}")
        return "\n".join(lines)

    output.answer(body, text)


@app.command()
@reports_errors
def unload(json: Json = False) -> None:
    """Give back the memory of models that are kept ready."""
    with output.engine() as engine:
        output.answer(engine.unload(), "Nothing is loaded any more.")


@app.command()
@reports_errors
def clear(json: Json = False) -> None:
    """Delete cached pictures to free disk space. Models, trainings and settings stay."""
    with output.engine() as engine:
        body = engine.clear()
    output.answer(body, f"{output.megabytes(body['freed'])} were freed.")


@app.command()
@reports_errors
def logs(
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many.")] = 40,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
) -> None:
    """Show the end of the engine's log."""
    from underdrawing.client.endpoint import home

    found = sorted((home() / "logs").glob("*.log"), key=lambda file: file.stat().st_mtime)
    if not found:
        print(f"There is no log yet in {home() / 'logs'}.")
        return
    for file in found[-3:]:
        print(f"== {file}")
        with file.open(encoding="utf-8", errors="replace") as stream:
            print("".join(stream.readlines()[-lines:]), end="")
    if follow:
        with found[-1].open(encoding="utf-8", errors="replace") as stream:
            stream.seek(0, 2)
            while True:
                line = stream.readline()
                if line:
                    print(line, end="", flush=True)
                else:
                    time.sleep(0.3)


@app.command()
def run(
    listen: Annotated[
        str, typer.Option(metavar="ADDRESS:PORT", help="Let other machines in, too; those that were allowed.")
    ] = "",
) -> None:
    """Run the engine in this terminal until Ctrl-C."""
    more = ["--listen", listen] if listen else []
    try:
        code = subprocess.run([sys.executable, "-P", "-m", "underdrawing.daemon", *more], check=False).returncode
    except KeyboardInterrupt:
        code = output.INTERRUPTED
    raise typer.Exit(code)


class Host(StrEnum):
    """Whose plug-in."""

    GIMP = "gimp"
    KRITA = "krita"


@reports_errors
def install(
    host: Annotated[Host | None, typer.Argument(help="Put this program's plug-in in its place, too.")] = None,
    to: Annotated[Path | None, typer.Option(metavar="DIR", help="Its folder of plug-ins, else found.")] = None,
    program: Annotated[
        Path | None, typer.Option(metavar="FILE", help="gimp-console or kritarunner, else found.")
    ] = None,
    mirror: Annotated[str | None, typer.Option(metavar="URL", help="A place that has the weights.")] = None,
    offline: Annotated[Path | None, typer.Option(metavar="DIR", help="A folder that has the weights.")] = None,
    json: Json = False,
) -> None:
    """Register this engine for the plug-ins, get the default weights, and put a plug-in in its place."""
    import json as text

    from underdrawing import __version__, weights
    from underdrawing.client.endpoint import home, make_home, write_private
    from underdrawing.commands import plugins

    told = {"python": sys.executable, "version": __version__}
    place = make_home(home()) / "install.json"
    write_private(place, text.dumps(told, indent=1))
    found = weights.fetch(mirror=mirror, offline=offline)
    body = {"install": str(place), "weights": {name: str(file) for name, file in found.items()}}
    output.answer(body, f"Registered in {place}; {len(found)} weights are in {weights.folder()}.")
    if host is not None and plugins.put(host.value, to, program, offline):
        raise typer.Exit(output.FAILED)
