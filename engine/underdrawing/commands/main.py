"""`underdrawing`: whatever a menu can do, from the command line. Heavy modules are imported inside the commands."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from underdrawing import __version__
from underdrawing.commands import (
    apply,
    demo,
    doctor,
    edit,
    edits,
    generate,
    lift,
    meta,
    models,
    output,
    pick,
    primitive,
    system,
    train,
    weights,
)
from underdrawing.commands.standard_streams import with_files

QUIET = "--quiet"

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Paint on the outlines and flat areas of a picture, and the picture follows.",
)

_PANELS: dict[str, tuple[Callable[..., None], ...]] = {
    "Underdrawings": (
        edit.edit,
        edits.edits,
        lift.lift,
        pick.pick,
        primitive.primitive,
        primitive.region,
        primitive.layout,
    ),
    "Training": (
        train.train,
        train.watch,
        train.jobs,
        train.pause,
        train.resume,
        train.cancel,
        train.background,
        train.methods,
    ),
    "Pictures": (apply.apply, apply.animate),
    "Pictures without an underdrawing": (
        generate.harmonize,
        generate.blend,
        generate.repaint,
        generate.vary,
        generate.resize,
        generate.enlarge,
    ),
    "The engine and the machine": (demo.demo, doctor.doctor, system.install),
}
for panel, commands in _PANELS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)
app.add_typer(meta.app, name="meta", rich_help_panel="Pictures without an underdrawing")
app.add_typer(models.app, name="models", rich_help_panel="Pictures")
app.add_typer(system.app, name="engine", rich_help_panel="The engine and the machine")
app.add_typer(weights.app, name="weights", rich_help_panel="The engine and the machine")


def _version(asked: bool) -> None:
    if asked:
        print(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option(QUIET, help="With any command: only errors, no notes, progress or answer.")
    ] = False,
) -> None:
    output.be_quiet(quiet)


def main() -> None:
    """The program. `--quiet` may stand anywhere: it belongs to every command."""
    with with_files(sys.argv[1:]) as words:
        app([QUIET, *(word for word in words if word != QUIET)] if QUIET in words else words)
