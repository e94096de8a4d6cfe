"""The docker's last line: the engine, and what can be done with it."""

from __future__ import annotations

import json
import platform
from typing import Any, Callable

from .client.labels import device
from .client.messages import EngineError
from .qt import QT, QtCore, QtGui, QtWidgets
from .service import Service
from .tasks import Steps
from .widgets import gone, label, named, row

LOG = 60  # lines of the log in the diagnostics


class EngineLine(QtWidgets.QWidget):
    """State, device and memory, and a menu."""

    def __init__(self, service: Service, told: Callable[[str, bool], Any], krita: Any) -> None:
        super().__init__()
        self.service, self._told, self._krita = service, told, krita
        self.status: dict[str, Any] | None = None
        self.text = label("", "engine", faint=True)
        self.menu_button = named(QtWidgets.QToolButton(), "engine_menu", "The engine: start, stop, memory, log")
        self.menu_button.setText("⋯")
        self.menu_button.setAutoRaise(True)
        self.menu_button.setPopupMode(QtWidgets.QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = QtWidgets.QMenu(self)
        self.actions_by_name: dict[str, Any] = {}
        for name, text, do in (
            ("start", "Start the engine", self.start),
            ("stop", "Stop the engine", self.stop),
            ("free", "Free memory", self.free),
            ("log", "Open the log", self.open_log),
            ("diagnostics", "Copy diagnostics", self.copy_diagnostics),
        ):
            action = self.menu.addAction(text)
            named(action, "engine_" + name) if hasattr(action, "setObjectName") else None
            action.triggered.connect(lambda *_, do=do: do())
            self.actions_by_name[name] = action
        self.menu_button.setMenu(self.menu)
        line = row(self.text, self.menu_button, stretch=0)
        line.setContentsMargins(0, 0, 0, 0)
        self.setLayout(line)
        self.show_status()

    def ask(self) -> Steps:
        """How the engine is; only one that runs is asked."""
        if not self.service.connected:
            self.status = None
        else:
            reply = yield self.service.ask("status", {}, (), 20.0)
            self.status = dict(reply.body)
        self.show_status()

    def show_status(self) -> None:
        """Show what is known."""
        if gone(self):
            return
        self.text.setText(line_of(self.status))
        running = self.status is not None
        self.actions_by_name["start"].setEnabled(not running)
        self.actions_by_name["stop"].setEnabled(running)
        self.actions_by_name["free"].setEnabled(running)

    def start(self) -> None:
        """Start the engine, or find the running one."""
        self.text.setText("Starting the engine…")
        self.service.start(self._started(), "start", self._ended)

    def _started(self) -> Steps:
        yield self.service.ask("hello", {}, (), 60.0)
        yield from self.ask()

    def stop(self) -> None:
        """End it; a training continues at its next start."""
        self.service.start(self._stopped(), "stop", self._ended)

    def _stopped(self) -> Steps:
        try:
            yield self.service.ask("shutdown", {}, (), 30.0)
        except EngineError as error:
            if error.code != "engine_gone":  # gone before its answer arrived: that is what was asked for
                raise
        self.status = None
        self._told("The engine was stopped. It starts by itself when it is needed.", False)

    def free(self) -> None:
        """Give the memory of loaded models back."""
        self.service.start(self._freed(), "free", self._ended)

    def _freed(self) -> Steps:
        reply = yield self.service.ask("unload", {}, (), 30.0)
        self._told("%s of memory were freed." % size(float(reply.body["freed"])), False)
        yield from self.ask()

    def open_log(self) -> None:
        """Open the engine's log in the system's own program."""
        path = self.service.folder / "logs" / "engine.log"
        if not path.is_file():
            self._told("There is no log yet: the engine never ran.", True)
        elif not QtGui.QDesktopServices.openUrl(QtCore.QUrl.fromLocalFile(str(path))):
            self._told("The log is at %s" % path, False)

    def copy_diagnostics(self) -> None:
        """Put what helps to find a fault on the clipboard; no keys and no pictures are in it."""
        QtWidgets.QApplication.clipboard().setText(self.diagnostics())
        self._told("Copied. Paste it into your report; no keys and no pictures are in it.", False)

    def diagnostics(self) -> str:
        """Versions, state, and the end of the log; the user's own folder is written as ~."""
        lines = [
            "Krita %s, Python %s, Qt %d" % (self._krita.version(), platform.python_version(), QT),
            "%s, %s" % (platform.system(), platform.machine()),
            "engine: " + (json.dumps(self.status, indent=1) if self.status else "not running"),
        ]
        try:
            log = self.service.folder / "logs" / "engine.log"
            lines += log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG:]
        except OSError:
            lines.append("no log")
        return "\n".join(lines).replace(QtCore.QDir.homePath(), "~")

    def _ended(self, task: Any) -> None:
        if task.error is not None and task.error.code != "cancelled" and not gone(self):
            self._told((task.error.message + " " + task.error.hint).strip(), True)
        self.show_status()


def line_of(status: dict[str, Any] | None) -> str:
    """One line about the engine."""
    if status is None:
        return "Engine: starts when it is needed"
    renderer, worker = status.get("renderer") or {}, status.get("worker") or {}
    used = sum(float(part.get("memory") or 0) for part in (status, renderer, worker))
    parts = ["Engine: training" if worker else "Engine: ready"]
    if renderer.get("device"):
        parts.append(device(str(renderer["device"])))
    parts.append(size(used))
    count = int(status.get("models") or 0)
    parts.append("1 model" if count == 1 else "%d models" % count)
    return " · ".join(parts)


def size(count: float) -> str:
    """A number of bytes as people say it."""
    for unit in ("B", "KB", "MB"):
        if count < 1000:
            return "%.0f %s" % (count, unit)
        count /= 1000
    return "%.1f GB" % count
