"""The parts of another picture, each with what it becomes in this one: a table that can be changed by hand."""

from __future__ import annotations

from typing import Any, Callable

from .qt import QtGui, QtWidgets
from .ui_state import Other
from .widgets import choice, label

SIDE = 14  # pixels of a square of colour, of Qt's


class Parts(QtWidgets.QWidget):
    """A row a part: its colour and name there, and the area of this picture that it was given."""

    def __init__(self, changed: Callable[[int, str], Any]) -> None:
        super().__init__()
        self._changed = changed
        self._shown: Any = None
        self._boxes: list[Any] = []
        self._grid = QtWidgets.QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setColumnStretch(2, 1)
        self.hide()

    def show_parts(self, other: Other | None, busy: bool) -> None:
        """Show the parts of the picture whose layout was taken last; nothing where there is none."""
        self.setVisible(other is not None)
        key = None if other is None else (other.name, other.parts, other.classes)
        if key != self._shown:
            self._shown = key
            self._fill(other)
        for number, box in enumerate(self._boxes):
            # What was chosen is shown while it is being done, and is taken back where it was not.
            if other is not None and not busy and not box.view().isVisible():
                box.setCurrentIndex(max(0, box.findData(other.match.get(number, ""))))

    def _fill(self, other: Other | None) -> None:
        self._boxes = []
        while self._grid.count():
            self._grid.takeAt(0).widget().deleteLater()
        if other is None:
            return
        head = label("What its parts become here:", faint=True)
        self._grid.addWidget(head, 0, 0, 1, 3)
        colours = dict(other.classes)
        for number, part in enumerate(other.parts):
            swatch = QtWidgets.QLabel()
            swatch.setPixmap(self._square(part.colour))
            name = label("%s (%.0f %%)" % (part.name, 100 * part.share))
            tip = "What “%s” becomes in this picture" % part.name
            entries = [("%s (as found)" % part.found, ""), *((own, own) for own in colours if own != part.found)]
            box = choice("part_%d" % number, tip, entries)
            for index in range(box.count()):
                box.setItemIcon(index, QtGui.QIcon(self._square(colours[box.itemData(index) or part.found])))
            self._boxes.append(box)
            box.activated.connect(lambda _, box=box, number=number: self._changed(number, str(box.currentData())))
            for place, widget in enumerate((swatch, name, box)):
                self._grid.addWidget(widget, number + 1, place)

    def _square(self, colour: tuple[int, int, int]) -> Any:
        ratio = self.devicePixelRatioF()
        made = QtGui.QPixmap(round(SIDE * ratio), round(SIDE * ratio))
        made.setDevicePixelRatio(ratio)
        made.fill(QtGui.QColor(*colour))
        return made
