"""The demonstration: a real photograph is edited twice, with the commands that a user would type.

`python -m underdrawing.demo [--out DIR]`
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

ASSETS = Path(__file__).parent / "_demo"
MODEL = "demo coffee"

# Name, what is shown above its picture, further options of `apply`.
EDITS = (
    ("no_spoon", "the spoon is painted away", ()),
    ("full_cup", "the cup is painted full", ("--mask", str(ASSETS / "full_cup_mask.png"), "--mask-mode", "add")),
)


def run(*words: str) -> None:
    """Show a command and run it; the first that fails ends the demonstration."""
    print(f"\n$ underdrawing {shlex.join(words)}", flush=True)
    done = subprocess.run([sys.executable, "-m", "underdrawing.cli", *words], check=False)
    if done.returncode:
        raise SystemExit(done.returncode)


def main() -> int:
    """Make the folder with all pictures and a sheet for each edit."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path, default=Path("demo"))
    given = options.parse_args()
    out: Path = given.out
    out.mkdir(parents=True, exist_ok=True)
    picture, drawn = out / "picture.png", out / "primitive.png"
    for source, target in (("coffee.png", picture), ("drawn.png", drawn)):
        target.write_bytes((ASSETS / source).read_bytes())
    print("The picture and its underdrawing, drawn by hand in seven colours, are in", out)
    print("An underdrawing can also be made automatically:")
    run("primitive", str(picture), "--kind", "segments", "-o", str(out / "automatic.png"))
    run("train", str(picture), str(drawn), "--name", MODEL)
    for name, _, more in EDITS:
        edited = out / f"{name}.primitive.png"
        edited.write_bytes((ASSETS / f"{name}.png").read_bytes())
        files = ["-o", str(out / f"{name}.png"), "--save-mask", str(out / f"{name}.mask.png")]
        run("apply", MODEL, str(edited), *more, *files)
    write_sheets(out)
    print(f"\nDone. Look at {out / 'no_spoon.sheet.png'} and {out / 'full_cup.sheet.png'}.")
    return 0


def write_sheets(out: Path) -> None:
    """One side-by-side sheet for each edit."""
    from underdrawing.measure.sheet import sheet
    from underdrawing.picture.files import read_picture, write_picture
    from underdrawing.picture.image import Picture

    def pixels(name: str):  # type: ignore[no-untyped-def]
        return read_picture(out / name).to_bytes()

    for name, title, _ in EDITS:
        above = [("the picture", pixels("picture.png")), ("its underdrawing", pixels("primitive.png"))]
        above.append(("painted on: " + title, pixels(f"{name}.primitive.png")))
        below = [("what may change", pixels(f"{name}.mask.png")), ("the picture follows", pixels(f"{name}.png"))]
        write_picture(out / f"{name}.sheet.png", Picture(sheet([above, below])))


if __name__ == "__main__":
    sys.exit(main())
