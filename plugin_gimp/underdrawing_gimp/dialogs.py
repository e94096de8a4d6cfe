"""Dialogs that GIMP makes of a procedure's arguments, with its own way to remember and reset them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

from . import record
from .gi import GObject, breathe, gtk
from .plugin import Call, CancelledError


def fill_in(
    call: Call,
    title: str,
    yes: str,
    names: Sequence[str] | None = None,
    prepare: Callable[[Any], Callable[[], None]] | None = None,
    scales: Sequence[str] = (),
) -> dict[str, Any]:
    """Let a person choose the arguments; their values.

    Args:
        yes: text of the button that goes on.
        names: which arguments, in their order; None for all.
        scales: which of them are chosen with a slider.
        prepare: called with the dialog before it is shown; what it returns is called when the dialog is over.

    Raises:
        CancelledError: the dialog was closed otherwise.
    """
    GimpUi = gtk()[3]
    dialog = GimpUi.ProcedureDialog.new(call.procedure, call.config, title)
    dialog.set_ok_label(yes)
    for name in scales:
        dialog.get_scale_entry(name, 1.0)
    dialog.fill(list(names) if names is not None else None)
    over = prepare(dialog) if prepare is not None else (lambda: None)
    try:
        agreed = dialog.run()
    finally:
        over()
        dialog.destroy()
        breathe()
    if not agreed:
        raise CancelledError
    if call.image is not None:
        record.need_open(call.image)
    return call.current()


def line_up(dialog: Any, form: Any, names: Sequence[str]) -> None:
    """Give the captions of a form the width that the captions of GIMP's own rows have.

    Args:
        form: of `widgets.form`.
        names: the arguments that the dialog shows.
    """
    Gtk = gtk()[0]
    group = Gtk.SizeGroup(mode=Gtk.SizeGroupMode.HORIZONTAL)
    form.set_column_spacing(6)  # as in those rows
    for widget in form.get_children():
        if isinstance(widget, Gtk.Label):
            group.add_widget(widget)
    for name in names:
        row = dialog.get_widget(name, GObject.TYPE_NONE)
        if hasattr(row, "get_label") and isinstance(row.get_label(), Gtk.Label):
            group.add_widget(row.get_label())


def drop_downs(widget: Any) -> list[Any]:
    """The drop-down lists in a widget, a row that GIMP made for a choice."""
    if hasattr(widget, "get_active_iter"):
        return [widget]
    inside = widget.get_children() if hasattr(widget, "get_children") else []
    return [found for one in inside for found in drop_downs(one)]
