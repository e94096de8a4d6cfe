"""The list of edits on the page of editing; each can be taken back."""

from __future__ import annotations

from typing import Any, Callable

from .document_model import EDITS, Workspace
from .edits import ListedEdit
from .qt import QtWidgets
from .widgets import Fold, button, column, label, named

ROWS = 5  # lines that are seen at a time


class EditList(QtWidgets.QWidget):
    """Titles of edits, painted ones first, and a button for the chosen one."""

    def __init__(self, perform: Callable[..., Any]) -> None:
        super().__init__()
        self._perform = perform
        self._shown: tuple[ListedEdit, ...] = ()
        self.list = named(QtWidgets.QListWidget(), "edits", "What was changed; choose what to take back")
        self.list.setFixedHeight(self.list.fontMetrics().height() * ROWS + 2 * ROWS)
        self.list.currentRowChanged.connect(lambda *_: self._enable())
        self.empty = label("Nothing is edited yet.", faint=True)
        self.button = button(
            "take_back",
            "Take back",
            "Removes the chosen edit from the underdrawing and from the result; the others stay",
            lambda: perform("take_back"),
        )
        column(self, self.empty, self.list, self.button)
        self.fold = Fold("edits_fold", "Edits", "Take back one edit and keep the others", self)
        self.fold.opened.connect(lambda: perform("edits"))
        self._free = False
        self._show(())

    def chosen(self) -> ListedEdit | None:
        """The chosen edit."""
        row = self.list.currentRow()
        return self._shown[row] if 0 <= row < len(self._shown) else None

    def show_workspace(self, ws: Workspace) -> None:
        """Show the list while it is unfolded; have it made where there is none yet."""
        self._free = not ws.busy
        if self.fold.is_open and ws.edits is None and not ws.busy and not ws.running(EDITS):
            self._perform("edits")
        if ws.edits is not None and tuple(ws.edits) != self._shown:
            self._show(tuple(ws.edits))
        self._enable()

    def _show(self, edits: tuple[ListedEdit, ...]) -> None:
        before = self.chosen()
        self._shown = edits
        self.list.clear()
        for edit in edits:
            item = QtWidgets.QListWidgetItem(edit.title)
            item.setToolTip("\n".join(text for text in (edit.title, edit.place) if text))
            self.list.addItem(item)
        if before in edits:
            self.list.setCurrentRow(edits.index(before))
        for shown in (self.list, self.button):
            shown.setVisible(bool(edits))
        self.empty.setVisible(not edits)

    def _enable(self) -> None:
        self.button.setEnabled(self._free and self.chosen() is not None)
