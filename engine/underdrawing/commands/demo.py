"""`underdrawing demo`: two real photographs are edited, with the commands that a user would type."""

from __future__ import annotations

import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import numpy as np

ASSETS = Path(__file__).parents[1] / "_demo"


@dataclass(frozen=True)
class Edit:
    """An edited underdrawing of the assets: what is shown above it, and further options of `apply`."""

    name: str
    title: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shown:
    """A picture of the assets with the underdrawing that was drawn of it by hand."""

    name: str
    drawn: str
    edits: tuple[Edit, ...]


PICTURES = (
    Shown(
        "coffee",
        "drawn",
        (
            Edit("no_spoon", "the spoon is painted away"),
            Edit(
                "full_cup",
                "the cup is painted full",
                ("--mask", str(ASSETS / "full_cup_mask.png"), "--mask-mode", "add"),
            ),
        ),
    ),
    Shown("rocket", "rocket_drawn", (Edit("lift_off", "it takes off, and a smaller one waits"),)),
)


def run(*words: str) -> None:
    """Show a command and run it; the first that fails ends the demonstration."""
    print(f"\n$ underdrawing {shlex.join(words)}", flush=True)
    done = subprocess.run([sys.executable, "-P", "-m", "underdrawing", *words], check=False)
    if done.returncode:
        raise SystemExit(done.returncode)


# Both plug-ins know a picture with a model by its pixels, so that the first edit needs no waiting.
TRY = """
Try an edit yourself, on {picture}:

In GIMP
  1. Open the picture, then Filters > Underdrawing > 1. Make Underdrawing…, and there Make.
  2. Choose the pencil, pick the purple of the saucer with Ctrl and a click, and paint over the blue spoon.
  3. Filters > Underdrawing > 3. Apply Edit: the spoon is gone, in a layer of its own.

In Krita
  1. Open the picture, then Settings > Dockers > Underdrawing.
  2. Click “Use what was trained on”, then the docker's purple button (the saucer), and paint over the blue spoon.
  3. Click “Apply”: the spoon is gone, in a layer of its own.
"""


def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the pictures go.")] = Path("demo"),
) -> None:
    """Edit two bundled photographs, write all pictures to a folder, and show where to click in GIMP and Krita."""
    out.mkdir(parents=True, exist_ok=True)
    for shown in PICTURES:
        picture, drawn = out / f"{shown.name}.png", out / f"{shown.name}.primitive.png"
        for source, target in ((shown.name, picture), (shown.drawn, drawn)):
            target.write_bytes((ASSETS / f"{source}.png").read_bytes())
        print(f"\n{picture} and {drawn}: a picture, and its underdrawing, drawn by hand.")
        if shown is PICTURES[0]:
            print("An underdrawing can also be made automatically:")
            run("primitive", str(picture), "--kind", "segments", "-o", str(out / "automatic.png"))
        run("train", str(picture), str(drawn), "--name", f"demo {shown.name}")
        for edit in shown.edits:
            edited = out / f"{edit.name}.primitive.png"
            edited.write_bytes((ASSETS / f"{edit.name}.png").read_bytes())
            files = ["-o", str(out / f"{edit.name}.png"), "--save-mask", str(out / f"{edit.name}.mask.png")]
            run("apply", f"demo {shown.name}", str(edited), *edit.options, *files)
    sheets = write_sheets(out)
    print(f"\nDone. Look at {', '.join(str(sheet) for sheet in sheets)}.")
    print(TRY.format(picture=out.absolute() / "coffee.png"))


def write_sheets(out: Path) -> list[Path]:
    """One side-by-side sheet for each edit."""
    from underdrawing.picture.contact_sheet import sheet
    from underdrawing.picture.files import read_picture, write_picture
    from underdrawing.picture.image import Picture

    def pixels(name: str) -> np.ndarray:
        return read_picture(out / f"{name}.png").to_bytes()

    written = []
    for shown in PICTURES:
        for edit in shown.edits:
            above = [("the picture", pixels(shown.name)), ("its underdrawing", pixels(f"{shown.name}.primitive"))]
            above.append(("painted on: " + edit.title, pixels(f"{edit.name}.primitive")))
            below = [("what may change", pixels(f"{edit.name}.mask")), ("the picture follows", pixels(edit.name))]
            written.append(out / f"{edit.name}.sheet.png")
            write_picture(written[-1], Picture(sheet([above, below])))
    return written
