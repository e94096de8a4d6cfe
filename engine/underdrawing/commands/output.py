"""How commands speak: text for people, one JSON object for scripts, errors as a sentence and an exit code."""

from __future__ import annotations

import functools
import json
import math
import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec, TextIO, TypeVar

import typer

if TYPE_CHECKING:
    from underdrawing.client.engine import Engine

P = ParamSpec("P")
R = TypeVar("R")

FAILED, INTERRUPTED = 1, 130
_as_json: ContextVar[bool] = ContextVar("as_json", default=False)
_on_stderr: ContextVar[bool] = ContextVar("on_stderr", default=False)
_quiet: ContextVar[bool] = ContextVar("quiet", default=False)
_strip: ContextVar[bool] = ContextVar("strip", default=False)


def _remember(value: bool) -> bool:
    _as_json.set(value)
    return value


Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON object.", callback=_remember, is_eager=True)]


def _remember_strip(value: bool) -> bool:
    _strip.set(value)
    return value


Strip = Annotated[
    bool,
    typer.Option(
        "--strip",
        help="Leave out EXIF (place and time, too), XMP, IPTC, texts and resolution.",
        callback=_remember_strip,
        is_eager=True,
    ),
]


def strips() -> bool:
    """Whether results are to be written without metadata."""
    return _strip.get()


def answer_on_stderr() -> None:
    """Keep standard output free for a picture."""
    _on_stderr.set(True)


def be_quiet(value: bool) -> None:
    """Leave out notes, progress and answers for people; errors and JSON stay."""
    _quiet.set(value)


def is_quiet() -> bool:
    """Whether the running command only tells of errors."""
    return _quiet.get()


def as_json() -> bool:
    """Whether the running command was asked for JSON."""
    return _as_json.get()


def answer(body: Mapping[str, Any], text: str | Callable[[], str] = "") -> None:
    """The command's answer: the body as JSON, or the text for a person."""
    if as_json():
        print(json.dumps(body, ensure_ascii=False, default=str), file=_stream())
    elif not is_quiet():
        said = text if isinstance(text, str) else text()
        if said:
            print(said, file=_stream())


def _stream() -> TextIO:
    """Where answers go."""
    return sys.stderr if _on_stderr.get() else sys.stdout


def note(text: str) -> None:
    """Something worth knowing; it goes to stderr, so that it is in nobody's way."""
    if not is_quiet():
        print(f"• {text}", file=sys.stderr)


def reports_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Turn errors of a command into one sentence, what to do, and an exit code."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except KeyboardInterrupt:
            _failed("interrupted", "Stopped.", "")
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            raise typer.Exit(FAILED) from None
        except Exception as error:  # Unknown ones go on as they are.
            known = _known(error)
            if known is None:
                raise
            _failed(*known)
            raise typer.Exit(FAILED) from None

    return run


def _known(error: Exception) -> tuple[str, str, str] | None:
    """Code, sentence and advice of an error that we expect; None for a fault of ours.

    Looked up among the modules that are loaded: an error cannot come from one that is not.
    """

    def kind(module: str, name: str) -> tuple[type[Exception], ...]:
        loaded = sys.modules.get(f"underdrawing.{module}")
        return (getattr(loaded, name),) if loaded is not None else ()

    if isinstance(error, kind("client.messages", "EngineError")):
        return error.code, error.message, error.hint  # type: ignore[attr-defined]
    if isinstance(error, kind("picture.image", "PictureError")):
        return "bad_picture", str(error), ""
    if isinstance(error, kind("weights.store", "WeightsError")):
        return "weights", str(error), ""
    if isinstance(error, kind("store.manifest", "ManifestError")):
        return "bad_model", str(error), ""
    if isinstance(error, kind("train.method", "TrainingError")):
        return error.code, str(error), error.hint  # type: ignore[attr-defined]
    if isinstance(error, OSError):
        place = f" ({error.filename})" if error.filename else ""
        return "system", f"{error.strerror or error}{place}.", ""
    return None


def _failed(code: str, message: str, hint: str) -> None:
    if as_json():
        error = {"error": {"code": code, "message": message, "hint": hint}}
        print(json.dumps(error, ensure_ascii=False), file=_stream())
    else:
        print(f"✗ {message}", file=sys.stderr)
        if hint:
            print(f"  {hint}", file=sys.stderr)


def wrong(message: str) -> typer.BadParameter:
    """The error for an option whose value cannot be used."""
    return typer.BadParameter(message)


def finite(value: float | None) -> float | None:
    """An option's number, unless it is none ("nan") or endless."""
    if value is not None and not math.isfinite(value):
        raise wrong(f"{value} is no number that can be used here.")
    return value


def note_same_name(engine: Engine, wanted: str, found: Mapping[str, Any]) -> None:
    """Say which model is meant where several have the name that was given."""
    if wanted == found["id"]:
        return
    same = [model for model in engine.models() if model["name"] == wanted and model["id"] != found["id"]]
    if same:
        others = ", ".join(str(model["id"]) for model in same)
        note(f"{len(same) + 1} models are called {wanted!r}; the latest, {found['id']}, is used. Others: {others}.")


def note_name_taken(engine: Engine, name: str) -> None:
    """Say what becomes of a name that a model has already."""
    same = [str(model["id"]) for model in engine.models() if model["name"] == name]
    if same:
        text = f"A model called {name!r} is there already; the name will mean the new one, and the id the older: "
        note(f"{text}{', '.join(same)}. Give another name with --name.")


def engine(start: bool = True, timeout: float = 30.0) -> Engine:
    """The connection to the user's engine, started if need be."""
    from underdrawing.client.engine import Engine

    found = Engine.connect(start=start, timeout=timeout)
    if found.session.note:
        note(found.session.note)
    return found


def table(rows: list[list[str]], head: list[str]) -> str:
    """Plain columns, as wide as their contents."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in [head, *rows]
    ]
    return "\n".join(lines)


def megabytes(size: float) -> str:
    """A size for people."""
    return f"{size / 1e6:.1f} MB" if size < 1e9 else f"{size / 1e9:.2f} GB"


def seconds(text: str | None) -> float | None:
    """`90`, `90s`, `2m`, `1.5h` in seconds; None for nothing."""
    if text is None:
        return None
    units = {"s": 1.0, "m": 60.0, "h": 3600.0}
    number, unit = (text[:-1], units[text[-1]]) if text and text[-1] in units else (text, 1.0)
    try:
        value = float(number) * unit
    except ValueError:
        raise wrong(f"'{text}' is no time: write 90s, 2m or 1h.") from None
    if not 0 < value < 1e7:
        raise wrong(f"'{text}' is no sensible time: write 90s, 2m or 1h.")
    return value


def all_seconds(text: str) -> list[float]:
    """`0,60,2m` as seconds."""
    return [0.0 if part.strip() == "0" else seconds(part.strip()) or 0.0 for part in text.split(",")]


def numbers(text: str | None, count: int, what: str) -> list[int] | None:
    """`10,20,300,200` as whole numbers; None for nothing."""
    if text is None:
        return None
    parts = text.replace(" ", "").split(",")
    try:
        found = [int(part) for part in parts]
    except ValueError:
        found = []
    if len(found) != count:
        raise wrong(f"'{text}' is not {what}.")
    return found


def running(timeout: float = 30.0) -> Engine | None:
    """The engine if it runs, else None."""
    from underdrawing.client.messages import EngineError

    try:
        return engine(start=False, timeout=timeout)
    except EngineError as error:
        if error.code == "not_running":
            return None
        raise
