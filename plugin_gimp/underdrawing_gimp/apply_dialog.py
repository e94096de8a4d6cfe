"""Apply Edit, with and without options: the procedures, and what a person is asked on the way."""

from __future__ import annotations

from typing import Any

from . import apply, record, widgets
from .apply import Options, Result
from .dialogs import fill_in
from .gi import Gimp, gtk
from .plugin import Call, CancelledError
from .service import connected
from .transform_dialog import followed

MOST = 8  # colours that are listed; a soft brush makes hundreds


def run(call: Call) -> tuple[Any, ...]:
    """The procedure `underdrawing-apply`: layer, count, unseen colours, notes."""
    return _apply(call, Options())


def run_options(call: Call) -> tuple[Any, ...]:
    """The procedure `underdrawing-apply-options`: the same, with a say."""
    record.need(call.image, call.drawables)
    values = call.values
    shown = [argument.name for argument in call.entry.arguments if argument.name != "changed"]
    if call.interactive:
        values = fill_in(call, "Apply Edit with Options", "_Apply", shown)
    return _apply(call, Options(**{name.replace("-", "_"): values[name.replace("-", "_")] for name in shown}))


def _apply(call: Call, options: Options) -> tuple[Any, ...]:
    known = followed(call)
    with connected("The picture follows the underdrawing") as service:
        found = apply.ask(service, call.image, known, options)
    if call.interactive and found[0].unseen:
        _ask_about(found[0].unseen)
    made = apply.place(call.image, known, found, options)
    if call.interactive:
        for note in _notes(found):
            Gimp.message(note)
    return made[0], len(made), "\n".join(found[0].unseen), "\n".join(_notes(found))


def _ask_about(unseen: list[str]) -> None:
    """Colours that the model never saw: go on with the nearest ones, or not.

    Raises:
        CancelledError: rather not.
    """
    gtk()
    listed = unseen[:MOST] + (["… and %d more." % (len(unseen) - MOST)] if len(unseen) > MOST else [])
    text = "The model never saw some of these colours."
    if not widgets.ask(None, text, "\n".join(listed), "_Use the Nearest Colours"):
        raise CancelledError


def _notes(found: list[Result]) -> list[str]:
    """Sentences of all results, each once."""
    return list(dict.fromkeys(note for result in found for note in result.notes))
