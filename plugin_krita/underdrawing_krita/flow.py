"""A layout that breaks its line where the docker is narrow."""

from __future__ import annotations

from typing import Any

from .qt import QtCore, QtWidgets


class Flow(QtWidgets.QLayout):
    """Widgets beside each other in as many lines as the width needs."""

    def __init__(self, spacing: int = 3) -> None:
        super().__init__()
        self._items: list[Any] = []
        self.setSpacing(spacing)
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: Any) -> None:
        """Qt's call."""
        self._items.append(item)

    def count(self) -> int:
        """Qt's question."""
        return len(self._items)

    def itemAt(self, index: int) -> Any:
        """Qt's question."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> Any:
        """Qt's call."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def hasHeightForWidth(self) -> bool:
        """Qt's question."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Qt's question."""
        return self._place(QtCore.QRect(0, 0, width, 0), False)

    def setGeometry(self, rectangle: Any) -> None:
        """Qt's call."""
        super().setGeometry(rectangle)
        self._place(rectangle, True)

    def sizeHint(self) -> Any:
        """Qt's question."""
        return self.minimumSize()

    def minimumSize(self) -> Any:
        """Qt's question."""
        size = QtCore.QSize(0, 0)
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        return size

    def _place(self, area: Any, really: bool) -> int:
        x, y, height = area.x(), area.y(), 0
        for item in self._items:
            size = item.sizeHint()
            if x > area.x() and x + size.width() > area.x() + area.width():
                x, y, height = area.x(), y + height + self.spacing(), 0
            if really:
                item.setGeometry(QtCore.QRect(QtCore.QPoint(x, y), size))
            x, height = x + size.width() + self.spacing(), max(height, size.height())
        return y + height - area.y()
