"""The region colours as buttons: a click puts the colour on the brush."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

from .flow import Flow
from .qt import QtCore, QtGui, QtWidgets
from .record import Colour
from .widgets import named


class Swatch(QtWidgets.QAbstractButton):
    """One colour."""

    def __init__(self, colour: Colour, number: int) -> None:
        super().__init__()
        self.colour = colour
        tip = "%s: paint with this area's colour" % (colour.name or "Area %d" % (number + 1))
        named(self, "colour_%d" % number, tip)
        self.setCheckable(True)
        self.setAutoExclusive(True)

    def sizeHint(self) -> Any:
        """Qt's question."""
        side = int(self.fontMetrics().height() * 1.7)
        return QtCore.QSize(side, side)

    def paintEvent(self, _: Any) -> None:
        """Qt's call: a filled square; a ring in the theme's own colour where it is the brush's."""
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        roles = QtGui.QPalette.ColorRole
        area = QtCore.QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5)
        chosen = self.isChecked()
        ring = self.palette().color(roles.Highlight if chosen or self.underMouse() else roles.Mid)
        painter.setPen(QtGui.QPen(ring, 3.0 if chosen else 1.0))
        painter.setBrush(QtGui.QColor(*self.colour.rgb))
        painter.drawRoundedRect(area, 3, 3)


class PaletteBar(QtWidgets.QWidget):
    """All colours of the underdrawing's areas."""

    def __init__(self, take: Callable[[Colour], Any]) -> None:
        super().__init__()
        self._take = take
        self._palette: tuple[Colour, ...] = ()
        self.swatches: dict[int, Swatch] = {}
        self._flow = Flow(2)
        self.setLayout(self._flow)
        policy = QtWidgets.QSizePolicy(QtWidgets.QSizePolicy.Policy.Preferred, QtWidgets.QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_palette(self, palette: Sequence[Colour]) -> None:
        """Show these colours."""
        self.setVisible(bool(palette))
        if tuple(palette) == self._palette:
            return
        self._palette = tuple(palette)
        while self._flow.count():
            self._flow.takeAt(0).widget().deleteLater()
        self.swatches = {}
        for number, colour in enumerate(palette):
            swatch = Swatch(colour, number)
            swatch.clicked.connect(lambda *_, colour=colour: self._take(colour))
            self._flow.addWidget(swatch)
            self.swatches[number] = swatch
        self.updateGeometry()
