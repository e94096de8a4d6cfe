"""The docker itself, and the same commands under Tools ▸ Scripts, where they can be given shortcuts."""

from __future__ import annotations

from typing import Any

import krita

from .panel import Panel
from .plugin import Plugin
from .qt import Qt, QtCore, QtWidgets

ID = "underdrawing_docker"
MENU = "tools/scripts"
LAYERS = "KisLayerBox"  # Krita's own docker
GROUP, PLACED = "underdrawing", "placed"  # in Krita's settings
SETTLED = (500, 1500, 3000)  # milliseconds after which Krita has arranged its dockers for the first picture
TALL = 720  # pixels, of Qt's


class Docker(krita.DockWidget):
    """Krita's frame around the panel."""

    def __init__(self, plugin: Plugin) -> None:
        super().__init__()
        self.setWindowTitle("Underdrawing")
        self._seen = False  # whether there was a picture in this window
        self.panel = Panel(plugin)
        self.panel.look = self.look  # type: ignore[method-assign]
        self.setWidget(self.panel)

    def canvasChanged(self, canvas: Any | None) -> None:
        """Krita's call: another document is in front, or none."""
        self.look()

    def _first_picture(self) -> None:
        """Once for each Krita; it remembers that in its settings."""
        self._seen = True
        application = krita.Krita.instance()
        if not application.readSetting(GROUP, PLACED, ""):
            application.writeSetting(GROUP, PLACED, "yes")
            for late in SETTLED:
                QtCore.QTimer.singleShot(late, self._place)

    def _place(self) -> None:
        """At the first start: a tab beside the layers, in front, and tall enough."""
        window = self.window()
        others = {dock.objectName(): dock for dock in window.findChildren(QtWidgets.QDockWidget)}
        beside = others.get(LAYERS)
        if beside is None or self.isFloating():
            return
        window.tabifyDockWidget(beside, self)
        self.setVisible(True)
        self.raise_()
        window.resizeDocks([self], [TALL], Qt.Orientation.Vertical)

    def look(self) -> None:
        """Show the document that is in front in this window."""
        canvas = self.canvas()
        view = canvas.view() if canvas is not None else None
        document = view.document() if view is not None else None
        known = document is not None and document.rootNode() is not None
        self.panel.set_document(document if known else None)
        if known and not self._seen:
            self._first_picture()


class Scripts(krita.Extension):
    """The menu entries. They do what the docker's buttons do, with what is set there."""

    def __init__(self, parent: Any, plugin: Plugin) -> None:
        super().__init__(parent)
        self.plugin = plugin

    def setup(self) -> None:
        """Krita's call, once at its start."""
        notifier = krita.Krita.instance().notifier()
        notifier.setActive(True)
        notifier.applicationClosing.connect(self.plugin.close)

    def createActions(self, window: Any) -> None:
        """Krita's call, for each window."""
        # Krita 5.1 forgets its own `window` after this call; Qt's window lives as long as its actions do.
        main = window.qwindow()
        for name, text in (
            ("pick", "Underdrawing: Pick a Thing"),
            ("bigger", "Underdrawing: Select a Bigger Thing"),
            ("smaller", "Underdrawing: Select a Smaller Thing"),
            ("lift", "Underdrawing: Lift the Selected Thing"),
            ("remove", "Underdrawing: Remove the Selected Thing"),
            ("start", "Underdrawing: Start Editing"),
            ("make", "Underdrawing: Make"),
            ("train", "Underdrawing: Train This Picture"),
            ("use_known", "Underdrawing: Use the Trained Model"),
            ("draft", "Underdrawing: Make the Draft"),
            ("meanwhile", "Underdrawing: Paint While Training"),
            ("pause", "Underdrawing: Pause or Resume Training"),
            ("cancel", "Underdrawing: Cancel Training"),
            ("live", "Underdrawing: Live"),
            ("apply", "Underdrawing: Apply"),
            ("others", "Underdrawing: Find Other Results"),
            ("paint_on segments", "Underdrawing: Paint on Areas"),
            ("paint_on edges", "Underdrawing: Paint on Outlines"),
            ("view underdrawing", "Underdrawing: See the Underdrawing"),
            ("view both", "Underdrawing: See Both"),
            ("view picture", "Underdrawing: See the Picture"),
            ("region move", "Underdrawing: Move the Selected Area"),
            ("region copy", "Underdrawing: Copy the Selected Area"),
            ("region scale", "Underdrawing: Scale the Selected Area"),
            ("region mirror", "Underdrawing: Mirror the Selected Area"),
            ("region flip", "Underdrawing: Flip the Selected Area"),
            ("layout_file", "Underdrawing: Layout of Another Picture"),
            ("frames", "Underdrawing: Paint Frames"),
            ("alone_show harmonize", "Underdrawing: Harmonize a Pasted Layer…"),
            ("alone_show blend", "Underdrawing: Blend a Rough Edit…"),
            ("alone_show repaint", "Underdrawing: Repaint a Rough Painting…"),
            ("alone_show vary", "Underdrawing: Variations…"),
            ("alone_show resize", "Underdrawing: Any Size…"),
            ("alone_show animate", "Underdrawing: Animate the Picture…"),
            ("alone_show enlarge", "Underdrawing: Enlarge…"),
            ("alone_show between", "Underdrawing: Between Two Pictures…"),
        ):
            action = window.createAction("underdrawing_" + name.replace(" ", "_"), text, MENU)
            action.triggered.connect(lambda *_, name=name: self._perform(main, name))

    def _perform(self, main: Any, name: str) -> None:
        command, *more = name.split()
        panel = next((panel for panel in self.plugin.panels if panel.window() is main or _inside(panel, main)), None)
        if panel is None:
            return
        dock = panel.parentWidget()
        if dock is not None:
            dock.setVisible(True)
            dock.raise_()
        panel.look()
        panel.commands.perform(command, *more)


def _inside(panel: Any, window: Any) -> bool:
    """Whether a docker belongs to a window, also where it floats outside of it."""
    widget = panel
    while widget is not None:
        if widget is window:
            return True
        widget = widget.parentWidget()
    return False
