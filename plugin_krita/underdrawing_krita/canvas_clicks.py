"""Clicks on the canvas that point at a thing, instead of painting."""

from __future__ import annotations

from typing import Any, Callable

from .qt import Qt, QtCore, QtWidgets

CANVASES = ("KisOpenGLCanvas2", "KisQPainterCanvas")
TOOL = "KoToolBoxButton"
Clicked = Callable[[float, float, str], Any]


class CanvasClicks(QtCore.QObject):
    """While it is on, takes the clicks that Krita's canvas would get.

    Args:
        clicked: called with x and y in pixels of the picture, and what the click means: "new", "in" with Shift, "out"
            with Ctrl.
        ended: called when Escape is pressed.
    """

    def __init__(self, krita: Any, clicked: Clicked, ended: Callable[[], Any]) -> None:
        super().__init__()
        self.on = False
        self._krita, self._clicked, self._ended = krita, clicked, ended

    def switch(self, on: bool) -> None:
        """Begin or end."""
        if on == self.on:
            return
        self.on = on
        application = QtWidgets.QApplication.instance()
        if on:
            application.installEventFilter(self)
        else:
            application.removeEventFilter(self)

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Qt's call: whether an event goes no further."""
        kinds, kind = QtCore.QEvent.Type, event.type()
        if kind == kinds.KeyPress and event.key() == Qt.Key.Key_Escape:
            self._ended()
            return True
        if kind == kinds.MouseButtonPress and watched.metaObject().className() == TOOL:
            self._ended()  # one of Krita's tools is wanted
            return False
        presses, rest = (kinds.MouseButtonPress, kinds.TabletPress), (kinds.MouseButtonRelease, kinds.TabletRelease)
        if kind not in (*presses, *rest, kinds.MouseButtonDblClick) or watched.metaObject().className() not in CANVASES:
            return False
        if event.button() != Qt.MouseButton.LeftButton:
            return False  # the canvas can be moved meanwhile
        if kind in presses:
            self._press(event)
        event.accept()
        return True

    def _press(self, event: Any) -> None:
        view = self._krita.activeWindow().activeView()
        at = event.position() if hasattr(event, "position") else QtCore.QPointF(event.pos())
        to_flake, usable = view.flakeToCanvasTransform().inverted()
        place = view.flakeToImageTransform().map(to_flake.map(at)) if usable else None
        document = view.document()
        if place is None or not QtCore.QRectF(0, 0, document.width(), document.height()).contains(place):
            return
        keys = event.modifiers()
        shift, control = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
        self._clicked(place.x(), place.y(), "in" if keys & shift else "out" if keys & control else "new")


def possible(krita: Any) -> bool:
    """Whether this Krita says where its canvas shows what (5.2 and later)."""
    window = krita.activeWindow()
    return window is not None and hasattr(window.activeView(), "flakeToImageTransform")
