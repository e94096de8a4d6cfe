"""`underdrawing models …`: the library of trained models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from underdrawing.commands import output
from underdrawing.commands.apply import ModelName
from underdrawing.commands.output import Json, reports_errors

app = typer.Typer(no_args_is_help=True, help="The library of trained models.")


@app.command("list")
@reports_errors
def list_models(json: Json = False) -> None:
    """List the models."""
    with output.engine() as engine:
        found = engine.models()

    def text() -> str:
        rows = [
            [
                m["id"],
                m["name"],
                m["method"],
                f"{m['width']} x {m['height']}",
                output.megabytes(m["bytes"]),
                m["created"][:16],
            ]
            for m in found
        ]
        head = ["id", "name", "method", "picture", "size", "made"]
        return (
            output.table(rows, head)
            if rows
            else "There are no models yet. Train on a picture: underdrawing train IMAGE"
        )

    output.answer({"models": found}, text)


@app.command("show")
@reports_errors
def show_model(model: ModelName, json: Json = False) -> None:
    """Everything about one model: method, recipe, planes, palette, figures, versions."""
    with output.engine() as engine:
        found = engine.model(model)

    def text() -> str:
        manifest = found["manifest"]
        lines = [f"{found['name']} ({found['id']})", f"  made {found['created']}, {output.megabytes(found['bytes'])}"]
        lines.append(f"  method {found['method']}, recipe {found['recipe']}, planes {', '.join(found['planes'])}")
        lines.append(f"  picture {found['width']} x {found['height']}, trained region {found['region']}")
        classes = [str(entry["name"]) for entry in manifest.get("palette") or []]
        if classes:
            lines.append(f"  areas: {'; '.join(classes)}")
        lines += [f"  {name}: {value}" for name, value in (manifest.get("figures") or {}).items()]
        lines.append(f"  in {found['folder']}")
        return "\n".join(lines)

    output.answer(found, text)


@app.command()
@reports_errors
def rename(model: ModelName, name: Annotated[str, typer.Argument(help="The new name.")], json: Json = False) -> None:
    """Give a model another name."""
    with output.engine() as engine:
        output.answer(engine.rename(model, name), f"now called {name}")


@app.command()
@reports_errors
def delete(
    model: ModelName, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False, json: Json = False
) -> None:
    """Delete a model for good."""
    with output.engine() as engine:
        found = engine.model(model)
        if not yes:
            typer.confirm(
                f"Delete {found['name']} ({found['id']}, {output.megabytes(found['bytes'])}) for good?", abort=True
            )
        output.answer(engine.delete(found["id"]), f"{found['name']} is deleted")


@app.command()
@reports_errors
def export(
    model: ModelName,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The file (default: NAME.underdrawing).")] = None,
    json: Json = False,
) -> None:
    """Write a model into one file that can be given to somebody else."""
    with output.engine() as engine:
        found = engine.model(model)
        plain = "".join(c if c.isalnum() or c in " ._-" else "_" for c in found["name"]).strip(" .") or found["id"]
        target = out or Path(f"{plain}.underdrawing")
        engine.export_model(found["id"], target)
    output.note("The file contains the picture.")
    output.answer({"files": [str(target)]}, f"{target}: {output.megabytes(target.stat().st_size)}")


@app.command("import")
@reports_errors
def import_model(file: Annotated[Path, typer.Argument(help="An .underdrawing file.")], json: Json = False) -> None:
    """Take a model from somebody else into the library."""
    with output.engine() as engine:
        body = engine.import_model(file)
    output.answer(body, f"{body.get('name')} ({body.get('id') or body.get('model')})")
