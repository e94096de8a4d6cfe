"""`underdrawing bench`: measurements of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from underdrawing.commands import show
from underdrawing.commands.show import Json, told

app = typer.Typer(no_args_is_help=True, help="Measure this machine.")


@app.command()
@told
def engine(
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Also write the table to this Markdown file.")] = None,
    json: Json = False,
) -> None:
    """Measure the engine: messages, memory, learning, applying, exactness of exports (a minute or two)."""
    from underdrawing.measure.engine import as_markdown, bench

    found = bench(show.note)
    if out is not None:
        out.write_text(as_markdown(found), encoding="utf-8")
    show.answer(found, lambda: as_markdown(found))
