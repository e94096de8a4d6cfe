"""PyQt5 (Krita 5) and PyQt6 (Krita 6) under one name. Enums are written with their full names, which both know."""

from __future__ import annotations

try:
    from PyQt6 import QtCore, QtGui, QtWidgets
    from PyQt6.QtGui import QAction

    QT = 6
except ImportError:
    from PyQt5 import QtCore, QtGui, QtWidgets
    from PyQt5.QtWidgets import QAction

    QT = 5

Qt = QtCore.Qt

__all__ = ["QT", "QAction", "Qt", "QtCore", "QtGui", "QtWidgets"]
