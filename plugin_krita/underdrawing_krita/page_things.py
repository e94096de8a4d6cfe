"""The docker's part for things: pick one, lift it, remove it. It is there on every page."""

from __future__ import annotations

from typing import Any, Callable

from . import things
from .document_model import Workspace
from .qt import QtWidgets
from .ui_state import Stage
from .widgets import button, column, label, row, toggle


class ThingsPart(QtWidgets.QWidget):
    """Buttons; the selection is Krita's own, and so are the tools that move what was lifted."""

    def __init__(self, perform: Callable[..., Any]) -> None:
        super().__init__()
        self.pick = toggle("pick", "Pick", "Click on a thing: Shift adds, Ctrl takes away")
        self.pick.clicked.connect(lambda *_: perform("pick"))
        smaller = button("smaller", "Smaller", "Selects less of it", lambda: perform("smaller"))
        bigger = button("bigger", "Bigger", "Selects more of it", lambda: perform("bigger"))
        lift = button(
            "lift",
            "Lift",
            "Makes the selected thing a layer, to be moved, transformed, copied or deleted",
            lambda: perform("lift"),
        )
        remove = button("remove", "Remove", "Removes the selected thing and fills its place", lambda: perform("remove"))
        self.apply = button(
            "apply_things", "Apply", "Makes a layer of the result, over the picture", lambda: perform("apply")
        )
        self._steps = smaller, bigger, lift, remove
        column(self, label("Things", faint=True), row(self.pick, smaller, bigger), row(lift, remove), self.apply)

    def show_workspace(self, ws: Workspace, picking: bool) -> None:
        """Show what can be done now."""
        self.pick.setChecked(picking)
        for made in (self.pick, *self._steps):
            made.setEnabled(not ws.busy)
        self.apply.setEnabled(not ws.busy and things.present(ws))
        self.apply.setVisible(ws.stage is not Stage.READY)
