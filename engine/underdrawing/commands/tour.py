"""A first picture to try things on: a bundled photograph whose underdrawing, drawn by hand, is learnt already.

Both plug-ins know a picture that was learnt by its pixels, and put its underdrawing back: nobody has to wait.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from underdrawing.client.messages import EngineError

if TYPE_CHECKING:
    from underdrawing.client.engine import Engine

ASSETS = Path(__file__).parents[1] / "_demo"
NAME, FILE, NOTE = "First picture: a cup of coffee", "Cup of coffee.png", "tour.json"
PATIENCE = 300.0  # seconds; the draft of this picture takes about one

STEPS = {
    "gimp": (
        "Open {picture}.",
        "Filters > Underdrawing > 1. Make Underdrawing…, and there Make: the picture is known, as is its underdrawing.",
        "Choose the pencil, take the purple of the saucer with Ctrl and a click, and paint over the blue spoon.",
        "Filters > Underdrawing > 3. Apply Edit: the spoon is gone, in a layer of its own.",
    ),
    "krita": (
        "Open {picture}, and Settings > Dockers > Underdrawing.",
        "In the docker, “Use what was learnt”: the picture is known, its underdrawing comes back.",
        "Click the docker's purple button, which is the saucer, and paint over the blue spoon.",
        "“Apply”: the spoon is gone, in a layer of its own.",
    ),
}


@dataclass(frozen=True)
class Tour:
    """What was made.

    Attributes:
        picture: where the picture is; `digest` is its sha256.
        model: the model's id in the library.
        made: folders that were made for the picture, the outermost first.
    """

    picture: str
    digest: str
    model: str
    made: tuple[str, ...] = ()


def read(home: Path) -> Tour | None:
    """The tour of an engine's home; None where there is none."""
    try:
        told = json.loads((home / NOTE).read_text(encoding="utf-8"))
        return Tour(str(told["picture"]), str(told["digest"]), str(told["model"]), tuple(map(str, told["made"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def usual_folder() -> Path:
    """A folder of its own among the person's pictures."""
    return platformdirs.user_pictures_path() / "Underdrawing"


def begin(engine: Engine, home: Path, folder: Path | None = None) -> Tour:
    """Put the picture into a folder and its model into the library; what is there already stays as it is.

    Args:
        engine: any connection to the engine of this home.
        folder: for the picture; as a rule `usual_folder`.

    Raises:
        EngineError: the picture cannot be learnt.
        OSError: the folder cannot be written.
    """
    folder = folder or usual_folder()
    former = read(home)
    picture = folder / FILE
    content = (ASSETS / "coffee.png").read_bytes()
    made = [] if former is None else list(former.made)
    made += [str(path) for path in reversed([folder, *folder.parents]) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    if picture.exists() and picture.read_bytes() != content:
        text = f"{picture} is there already, and is another picture."
        raise EngineError("tour", text, "Move it away, or name another folder: underdrawing tour --out DIR")
    if former is not None and Path(former.picture) != picture:
        _unmake(former, engine=None)
    known = {str(model["id"]) for model in engine.models()}
    model = former.model if former is not None and former.model in known else _learn(engine)
    if not picture.exists():
        picture.write_bytes(content)
    tour = Tour(str(picture), hashlib.sha256(content).hexdigest(), model, tuple(dict.fromkeys(made)))
    (home / NOTE).write_text(json.dumps(asdict(tour), indent=1), encoding="utf-8")
    return tour


def _learn(engine: Engine) -> str:
    """Make the model: a draft, which carries the picture's own pixels along and learns nothing. Its id."""
    from underdrawing.commands import files

    picture = files.picture(ASSETS / "coffee.png")
    drawn, _ = files.drawn(ASSETS / "drawn.png")
    palette = files.palette_json(drawn)
    options: dict[str, Any] = {"palette": palette} if palette is not None else {}
    begun = engine.train(files.frame(picture), files.frames(drawn), name=NAME, method="draft", **options)
    ended = engine.watch(str(begun["job"]), deadline=PATIENCE)
    if ended["state"] != "done":
        error = ended.get("error") or {}
        raise EngineError("tour", str(error.get("message") or "The picture could not be learnt."), "See the log.")
    return str(begun["model"])


def end(engine: Engine, home: Path) -> Tour | None:
    """Take picture and model away again; a picture that was painted on stays. What was there, or None.

    Raises:
        OSError: the picture cannot be deleted.
    """
    tour = read(home)
    if tour is not None:
        _unmake(tour, engine)
        (home / NOTE).unlink()
    return tour


def _unmake(tour: Tour, engine: Engine | None) -> None:
    picture = Path(tour.picture)
    if picture.is_file() and hashlib.sha256(picture.read_bytes()).hexdigest() == tour.digest:
        picture.unlink()
    for folder in reversed(tour.made):
        with suppress(OSError):  # something else is in it, or it is gone
            Path(folder).rmdir()
    if engine is not None:
        with suppress(EngineError):  # it was deleted by hand
            engine.delete(tour.model)
