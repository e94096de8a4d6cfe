"""`underdrawing edits`: what was done to a picture, one by one, and the same without some of it.

Painted edits are read from the underdrawing. Edits of things are kept in a folder (`--edits`): a layer each, a PNG file
that remembers what was done, where it was lifted from and where it is now. Without a file its edit is taken back.
"""

from __future__ import annotations

import contextlib
import json as codec
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from underdrawing.client.ensure_model import APPLY, ModelWish
from underdrawing.commands import files, lift, output, task_model
from underdrawing.commands.output import Json, reports_errors

if TYPE_CHECKING:
    from underdrawing.client.engine import LiftedThing
    from underdrawing.picture.image import Picture

KEY = "underdrawing-edit"  # of the PNG text that says what was done with a layer

Folder = Annotated[
    Path | None,
    typer.Option(
        "--edits",
        metavar="FOLDER",
        help="Add up edits of PICTURE, the original: this folder keeps each as a layer. `underdrawing edits FOLDER` "
        "lists them and takes them back.",
    ),
]


@reports_errors
def edits(
    source: Annotated[
        Path,
        typer.Argument(metavar="PICTURE|MODEL|FOLDER", help="The original picture, its model, or a folder of edits."),
    ],
    edited: Annotated[Path | None, typer.Argument(help="The edited underdrawing; none with a FOLDER.")] = None,
    take_back: Annotated[
        list[int] | None, typer.Option(metavar="NUMBER", min=1, help="An edit to take back; may be repeated.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The underdrawing to write, without what was taken back.")
    ] = None,
    json: Json = False,
) -> None:
    """List what was edited, or take some of it back. Then apply again."""
    if edited is None and not source.is_dir():
        raise output.wrong(f"There is no folder of edits {source}. After a picture or model, give the underdrawing.")
    if edited is not None and source.is_dir():
        raise output.wrong("A folder of edits stands alone; it needs no underdrawing.")
    if edited is None:
        _list_folder(source, take_back or [])
        return
    if (out is None) != (not take_back):
        raise output.wrong("--take-back and --out go together.")
    drawn, _ = files.drawn(edited, takes=("segments", "edges"))
    if out is not None:
        files.check_targets(*files.primitive_targets(out, list(drawn.names)), inputs=(edited, source))
    with output.engine() as engine:
        model = str(source)
        if source.is_file():
            wish = ModelWish(APPLY)
            model = task_model.model_for(engine, APPLY, files.picture(source), source, wish, drawn).model
        reply = engine.edits(model, files.frames(drawn), [number - 1 for number in take_back or []])
        written = [] if out is None else files.save_primitive(out, files.received_primitive(engine, reply))
    names = ("title", "x", "y", "width", "height")
    found = [{name: edit[name] for name in names} for edit in reply.body["edits"]]
    _answer(found, take_back or [], written)


def _list_folder(folder: Path, take_back: list[int]) -> None:
    kept = _layers(folder)
    if take_back and max(take_back) > len(kept):
        raise output.wrong(f"There is no edit {max(take_back)}: the folder has {len(kept)}.")
    for number in set(take_back):
        kept[number - 1].path.unlink()
    _answer([{"title": layer.title, "file": str(layer.path)} for layer in kept], take_back, [])


def _answer(found: list[dict[str, Any]], take_back: list[int], written: list[str]) -> None:
    lines = []
    for number, edit in enumerate(found, 1):
        place = f"{edit['width']} x {edit['height']} pixels at {edit['x']},{edit['y']}" if "x" in edit else edit["file"]
        mark = "taken back: " if number in take_back else ""
        lines.append(f"{number:3}  {mark}{edit['title']}, {place}")
    text = "\n".join([*lines, *([", ".join(written)] if written else [])]) or "Nothing is edited."
    output.answer({"edits": found, "taken_back": sorted(set(take_back)), "files": written}, text)


def keep(folder: Path, picture: Picture, title: str, layer: Picture, thing: LiftedThing) -> None:
    """Keep an edit of a thing as the last one of a folder, which is made if need be.

    Args:
        picture: the original.
        layer: the thing's pixels, as they are now.
    """
    folder.mkdir(exist_ok=True)
    number = 1 + max((other.number for other in _layers(folder)), default=0)
    facts = {"title": title, "picture": picture.hash, "x": thing.x, "y": thing.y, "removed": thing.pixels is None}
    text = {KEY: codec.dumps(facts)}
    if thing.was is not None:
        text[lift.KEY] = lift.memory(picture, (thing.x, thing.y), thing.was)
    files.save(folder / f"{number:03} {title}.png", layer, text=text)


def kept(folder: Path, picture: Picture) -> list[LiftedThing]:
    """The edits that a folder keeps, the first one first; none where it is not there yet.

    Raises:
        BadParameter: they are of another picture, or it can be no folder.
    """
    from underdrawing.client.engine import LiftedThing

    if folder.is_file() or not folder.absolute().parent.is_dir():
        raise output.wrong(f"{folder} can be no folder of edits: it is a file, or the folder around it is missing.")
    found = []
    for layer in _layers(folder):
        if layer.hash != picture.hash:
            raise output.wrong(f"{layer.path} is an edit of another picture. Give the original, or another folder.")
        was = lift.place_of(layer.path, picture)
        pixels = None if layer.removed else files.frame(files.picture(layer.path))
        found.append(LiftedThing(pixels, layer.x, layer.y, was))
    return found


@dataclass(frozen=True)
class _Layer:
    """A file of a folder of edits, and what it remembers: `hash` of the picture, x and y of its corner now."""

    path: Path
    title: str
    hash: str
    x: int
    y: int
    removed: bool

    @property
    def number(self) -> int:
        """Its place among the edits of the folder, as its name says."""
        return int(self.path.stem.partition(" ")[0])


def _layers(folder: Path) -> list[_Layer]:
    """The edits of a folder, the first one first; other files are left out."""
    from underdrawing.picture.files import read_text

    found = []
    for path in folder.glob("*.png"):
        with contextlib.suppress(ValueError, KeyError, TypeError):
            facts = codec.loads(read_text(path)[KEY])
            place = int(facts["x"]), int(facts["y"])
            layer = _Layer(path, str(facts["title"]), str(facts["picture"]), *place, bool(facts["removed"]))
            found.append((layer.number, layer))
    return [layer for _, layer in sorted(found, key=lambda pair: pair[0])]
