"""Apply Edit, with and without options: the procedures, and what a person is asked on the way."""

from __future__ import annotations

from typing import Any

from . import apply, record, widgets
from .apply import Options
from .dialogs import fill_in
from .gi import gtk
from .notices import say
from .plugin import Call, CancelledError
from .record import Record
from .service import connected
from .transform_dialog import followed

MOST = 8  # colours that are listed; a soft brush makes hundreds


def run(call: Call) -> tuple[Any, ...]:
    """The procedure `underdrawing-apply`: layer, count, unseen colours, notes."""
    return apply_edit(call, *_with_model(call), Options())


def run_options(call: Call) -> tuple[Any, ...]:
    """The procedure `underdrawing-apply-options`: the same, with options."""
    record.need(call.image, call.drawables)
    values = call.values
    shown = [argument.name for argument in call.entry.arguments if argument.name != "changed"]
    if call.interactive:
        values = fill_in(call, "Apply Edit with Options", "_Apply", shown)
    options = Options(**{name.replace("-", "_"): values[name.replace("-", "_")] for name in shown})
    return apply_edit(call, *_with_model(call), options)


def _with_model(call: Call) -> tuple[Record, list[str]]:
    """The record with a model, and what there is to say of that."""
    before = record.need(call.image, call.drawables).model
    known = followed(call)
    return known, [] if known.model == before else [apply.DRAFTED]


def apply_edit(call: Call, known: Record, notes: list[str], options: Options) -> tuple[Any, ...]:
    """Put the results of an edit into the picture: layer, count, unseen colours, notes."""
    with connected("The picture follows the underdrawing") as service:
        found = apply.ask(service, call.image, known, options)
    if call.interactive and found[0].unseen:
        _ask_about(found[0].unseen)
    made = apply.place(call.image, known, found, options)
    notes = list(dict.fromkeys([*notes, *(note for result in found for note in result.notes)]))
    if call.interactive and notes:
        say(notes)
    return made[0], len(made), "\n".join(found[0].unseen), "\n".join(notes)


def _ask_about(unseen: list[str]) -> None:
    """Colours that the model was not trained on: go on with the nearest ones, or not.

    Raises:
        CancelledError: rather not.
    """
    gtk()
    listed = unseen[:MOST] + (["… and %d more." % (len(unseen) - MOST)] if len(unseen) > MOST else [])
    text = "The model was not trained on some of these colours."
    if not widgets.ask(None, text, "\n".join(listed), "_Use the Nearest Colours"):
        raise CancelledError
