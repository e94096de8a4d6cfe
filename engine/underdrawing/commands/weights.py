"""`underdrawing weights …`: pretrained networks, what there is and getting it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from underdrawing.commands import output
from underdrawing.commands.output import Json, reports_errors

if TYPE_CHECKING:
    from underdrawing.weights import DownloadProgress

app = typer.Typer(no_args_is_help=True, help="Pretrained networks for areas, picks, fills and training.")
Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Default: what an installation has.")]


@app.command("list")
@reports_errors
def list_weights(json: Json = False) -> None:
    """List the weights: what is there, what for, and what is missing without them."""
    from underdrawing import weights

    found = []
    for entry in weights.CATALOGUE.values():
        place = weights.path(entry.name)
        found.append(
            {
                "name": entry.name,
                "path": None if place is None else str(place),
                "download": entry.source.size,
                "source": entry.source.requirement or entry.source.url,
                "sha256": entry.source.sha256,
                "licence": entry.licence,
                "use": entry.use,
                "without": entry.without,
                "default": entry.default,
            }
        )

    def text() -> str:
        lines = []
        for item in found:
            there = "there" if item["path"] else f"missing: {item['without']}"
            size = output.megabytes(float(str(item["download"])))
            lines.append(f"{item['name']}: {item['use']}\n  {there}\n  {item['source']}, {size}, {item['licence']}")
        return "\n".join(lines)

    output.answer({"folder": str(weights.folder()), "weights": found}, text)


@app.command()
@reports_errors
def fetch(
    names: Names = None,
    mirror: Annotated[str | None, typer.Option(metavar="URL", help="A place that has the files by name.")] = None,
    offline: Annotated[Path | None, typer.Option(metavar="DIR", help="A folder that has the files.")] = None,
    json: Json = False,
) -> None:
    """Get weights: downloaded (resumed, checked) or out of a folder, and converted."""
    from underdrawing import weights

    with _bar() as progress:
        found = weights.fetch(names or weights.DEFAULT, mirror=mirror, offline=offline, progress=progress)
    output.answer(
        {"files": {name: str(file) for name, file in found.items()}}, "\n".join(str(f) for f in found.values())
    )


@app.command()
@reports_errors
def download(
    folder: Annotated[Path, typer.Argument(help="Where the files go.")], names: Names = None, json: Json = False
) -> None:
    """Put the archives into a folder, for a machine without a network (`fetch --offline`)."""
    from underdrawing.weights import DEFAULT
    from underdrawing.weights.obtain import prepare_offline

    written = [str(file) for file in prepare_offline(names or DEFAULT, folder)]
    output.answer({"files": written}, "\n".join(written))


@app.command()
@reports_errors
def remove(names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Which.")], json: Json = False) -> None:
    """Delete weights."""
    from underdrawing.weights.obtain import remove

    remove(names)
    output.answer({"removed": names}, f"deleted: {', '.join(names)}")


@contextmanager
def _bar() -> Iterator[Callable[[DownloadProgress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    live = console.is_terminal and not output.as_json()
    columns = (BarColumn(28), DownloadColumn(), TextColumn("{task.description}"))
    with Bars(*columns, console=console, transient=True, disable=not live) as bars:
        task = bars.add_task("", total=None)

        def on_progress(progress: DownloadProgress) -> None:
            label = f"{progress.name}: {progress.phase}"
            bars.update(task, completed=progress.done, total=progress.total, description=label)

        yield on_progress
