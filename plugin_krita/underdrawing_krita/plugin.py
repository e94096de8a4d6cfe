"""The plug-in as a whole: one engine connection, one workspace a document, and a look around some times a second."""

from __future__ import annotations

from typing import Any

from . import generate, history, layers, live, things, training
from .client.endpoint import known
from .document_model import Workspace
from .qt import QtCore
from .service import Service

LOOK = 200  # milliseconds between looks at the documents
UNDONE = 40  # milliseconds after which Krita has undone something


class Plugin(QtCore.QObject):
    """What all dockers and windows share."""

    def __init__(self, krita: Any) -> None:
        super().__init__()
        self.krita = krita
        self.service = Service(self)
        # Krita ends when a layer is put into a document that is closed: looking now and then is not enough.
        self.service.before_steps = self.let_go
        self.workspaces: dict[str, Workspace] = {}
        self.panels: list[Any] = []
        self._heard: set[Any] = set()  # Krita's undo and redo, of each window
        self._timer = QtCore.QTimer(self)
        self._timer.setInterval(LOOK)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def add_panel(self, panel: Any) -> None:
        """A docker was made."""
        self.panels.append(panel)
        panel.destroyed.connect(lambda *_: self.panels.remove(panel) if panel in self.panels else None)

    def workspace(self, document: Any) -> Workspace:
        """The workspace of a document."""
        key = layers.identity(document.rootNode())
        if key not in self.workspaces:
            ws = Workspace(self.service, self.krita, document)
            ws.history = history.load(ws)
            self.workspaces[key] = ws
            live.tidy(ws)
            running = known(self.service.folder) is not None
            # A training goes on while Krita is closed; models can be deleted meanwhile.
            if ws.record.job or (ws.record.models and running):
                ws.beside(training.find_again(ws), "find")
            if ws.record.alone_job:
                ws.beside(generate.find_again(ws), generate.NAME)
        return self.workspaces[key]

    def let_go(self) -> None:
        """Let go of closed documents."""
        open_ = {layers.identity(d.rootNode()) for d in self.krita.documents() if d.rootNode() is not None}
        for key in [key for key in self.workspaces if key not in open_]:
            self.workspaces.pop(key).close()

    def _hear_undo(self) -> None:
        for name in ("edit_undo", "edit_redo"):
            action = self.krita.action(name)
            if action is not None and action not in self._heard:
                self._heard.add(action)
                action.triggered.connect(lambda *_: QtCore.QTimer.singleShot(UNDONE, self._undone))

    def _undone(self) -> None:
        """Something was undone or done again: what was told before holds no more."""
        document = self.krita.activeDocument()
        for ws in self.workspaces.values():
            if ws.document == document and not ws.busy:
                ws.tell("")
        self.look()

    def look(self) -> None:
        """Let go of closed documents, and see what was done to the others."""
        self.let_go()
        self._hear_undo()
        for panel in self.panels:
            panel.look()
        for ws in self.workspaces.values():
            ws.look()
            if ws.open and not ws.hold and self.krita.activeDocument() == ws.document:
                things.follow(ws)

    def close(self) -> None:
        """Krita closes: nothing of ours holds it up, and a training continues."""
        self._timer.stop()
        for ws in self.workspaces.values():
            ws.open = False
        self.service.close()
