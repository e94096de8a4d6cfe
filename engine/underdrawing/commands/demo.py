"""`underdrawing demo`: the whole way on bundled pictures, with the commands that a user would type.

Drafts of three edits; a model that is trained, exported, checked and applied to the same edits; and something pasted
onto a drawing, harmonized by a network that is trained on the drawing. At most four minutes on two processor cores.
"""

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


TRAINED = "demo coffee, trained"
BALL = (0.8, 0.3, 0.17)  # its centre as shares of width and height, its radius as one of the height

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
    budget: Annotated[str, typer.Option(metavar="TIME", help="Training time of each of the two networks.")] = "60s",
) -> None:
    """Edit bundled pictures, train on them, write everything to a folder, and show where to click in GIMP and Krita.

    Takes three to four minutes on two processor cores; most of it is training.
    """
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
            apply(f"demo {shown.name}", out, edit)
    first = PICTURES[0]
    print("\nThose were drafts. Now a network is trained on the coffee, exported to ONNX, and used for the same edits")
    print("where it is closer to the picture than the draft:")
    pair = [str(out / f"{first.name}{end}.png") for end in ("", ".primitive")]
    run("train", *pair, "--method", "refine", "--budget", budget, "--name", TRAINED)
    for edit in first.edits:
        apply(TRAINED, out, edit, ".trained")
    print("\nSomething is pasted onto a drawing. A network that is trained on the drawing draws it, too:")
    paste_ball(out)
    files = [str(out / f"{name}.png") for name in ("drawing", "drawing_pasted", "drawing_mask", "drawing_harmonized")]
    run("harmonize", *files[:2], "--mask", files[2], "--budget", budget, "-o", files[3], "--name", "demo drawing")
    sheets = write_sheets(out)
    print(f"\nDone. Look at {', '.join(str(sheet) for sheet in sheets)}.")
    print(TRY.format(picture=out.absolute() / "coffee.png"))


def apply(model: str, out: Path, edit: Edit, ending: str = "") -> None:
    """The picture that follows from an edit, by a model."""
    made = out / f"{edit.name}{ending}"
    files = ["-o", f"{made}.png", "--save-mask", f"{made}.mask.png"]
    run("apply", model, str(out / f"{edit.name}.primitive.png"), *edit.options, *files)


def paste_ball(out: Path) -> None:
    """The coffee as a pencil drawing, the same with a coloured ball pasted onto it, and where."""
    import cv2
    import numpy as np

    from underdrawing.picture.files import read_picture, write_picture
    from underdrawing.picture.image import Picture

    sketch = cv2.pencilSketch(read_picture(out / "coffee.png").to_bytes(), sigma_s=60, sigma_r=0.07, shade_factor=0.05)
    drawing = np.repeat(sketch[0][..., None], 3, 2)
    height, width = drawing.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    u, v = (x - BALL[0] * width) / (BALL[2] * height), (y - BALL[1] * height) / (BALL[2] * height)
    inside = u**2 + v**2 < 1
    facing = np.sqrt(np.clip(1 - u**2 - v**2, 0, 1))
    light = 0.25 + 0.75 * np.clip(0.6 * facing - 0.5 * u - 0.6 * v, 0, 1)
    stripes = np.where((np.sin(4 * (u - v)) > 0)[..., None], (240, 200, 60), (200, 60, 40))
    pasted = np.where(inside[..., None], stripes * light[..., None], drawing).astype(np.uint8)
    for name, pixels in (("", drawing), ("_pasted", pasted), ("_mask", inside.astype(np.uint8) * 255)):
        write_picture(out / f"drawing{name}.png", Picture(pixels))


def write_sheets(out: Path) -> list[Path]:
    """One side-by-side sheet for each edit, and one of what was pasted."""
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
            below = [("what may change", pixels(f"{edit.name}.mask")), ("the draft", pixels(edit.name))]
            if shown is PICTURES[0]:
                below.append(("trained, through ONNX", pixels(f"{edit.name}.trained")))
            written.append(out / f"{edit.name}.sheet.png")
            write_picture(written[-1], Picture(sheet([above, below])))
    names = {"drawing": "a drawing", "drawing_pasted": "something is pasted", "drawing_harmonized": "harmonized"}
    written.append(out / "drawing.sheet.png")
    write_picture(written[-1], Picture(sheet([[(title, pixels(name)) for name, title in names.items()]])))
    return written
