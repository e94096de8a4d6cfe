"""Runs cases in a real Krita, by the docker's own buttons, and writes reports. Part of the tests, not the plug-in.

What is to be run is told by a file, one case after the other: Krita starts once for many of them. A case is a generator
function `case(t)` in a file. It yields conditions (functions that become true), or seconds. Its report is JSON: `done`
is true when the case came to its end, `failed` says where it did not, `seen` is what it saw. After each, documents are
closed and the docker's settings are what they were at the start; a case with `leave` ends Krita.
"""

from __future__ import annotations

import faulthandler
import json
import os
import runpy
import sys
import time
import traceback
from pathlib import Path

import krita

try:
    from PyQt6 import QtCore, QtWidgets
except ImportError:
    from PyQt5 import QtCore, QtWidgets

from .tested import PREFIX, Test, Until

faulthandler.enable()  # a crash says where, too
HANGS = 45.0  # seconds in which nothing moves


class Settings:
    """What can be set in the docker, as it was at the start."""

    def __init__(self, panel):
        self.panel = panel
        kinds = {
            QtWidgets.QCheckBox: ("isChecked", "setChecked"),
            QtWidgets.QAbstractSpinBox: ("value", "setValue"),
            QtWidgets.QAbstractSlider: ("value", "setValue"),
            QtWidgets.QComboBox: ("currentIndex", "setCurrentIndex"),
        }
        found = [(w, *calls) for kind, calls in kinds.items() for w in panel.findChildren(kind)]
        self.kept = [(w, put, getattr(w, get)()) for w, get, put in found if w.objectName().startswith(PREFIX)]
        page = panel.train_page
        self.times = [page.time.itemData(i) for i in range(page.time.count())]
        self.known = dict(panel.commands._known)

    def restore(self):
        for widget, put, value in self.kept:
            # A list that was empty at the start begins with its first entry.
            getattr(widget, put)(max(0, value) if isinstance(widget, QtWidgets.QComboBox) else value)
        for index, data in enumerate(self.times):
            self.panel.train_page.time.setItemData(index, data)
        self.panel.commands._known.update(self.known)
        tools = self.panel.edit_page
        for fold in (tools.options_fold, *tools.tools.folds):
            fold.unfold(False)


class Runner(QtCore.QObject):
    """Takes cases, moves them on, and reports."""

    def __init__(self, folder):
        super().__init__()
        self.orders = folder / "next.json"
        self.test = self.case = self.settings = None
        self.waits, self.until, self.calm = None, 0.0, 0
        self.timer = QtCore.QTimer(self)
        self.timer.setInterval(20)
        self.timer.timeout.connect(self.step)
        self.timer.start()
        (folder / "ready").write_text("")

    def take(self):
        """The next case, where there is one and Krita is at rest."""
        if krita.Krita.instance().documents() or not self.orders.exists():
            self.calm = 0
            return
        self.calm += 1
        if self.calm < 5:
            return  # a closed document's view goes a moment later
        orders = json.loads(self.orders.read_text(encoding="utf-8"))
        self.orders.unlink()
        if "case" not in orders:
            self.quit()
            return
        self.file, self.leave = orders["report"], orders["leave"]
        self.test = Test(Path(self.file).parent, orders["given"])
        self.report = {"done": False, "failed": "", "seen": self.test.seen, "longest": self.test.longest}
        if self.settings is None:
            self.settings = Settings(self.test.panel)
        self.settings.restore()
        self.waits, self.until = None, 0.0
        self.case = runpy.run_path(orders["case"])["case"](self.test)

    def step(self):
        # A Krita that hangs says where: its log is part of the test's failure.
        faulthandler.dump_traceback_later(HANGS, exit=True)
        if self.case is None:
            self.take()
            return
        now = time.monotonic()
        if self.waits is not None:
            try:
                holds = self.waits.holds()
            except Exception:  # noqa: BLE001 - whatever it is, it belongs into the report
                self.end(traceback.format_exc())
                return
            if not holds:
                if now > self.until:
                    told = self.test.message if self.test.panel is not None else ""
                    self.test.shot("failed")
                    self.end("waited %d s for %s; the docker says: %s" % (self.waits.patience, self.waits.what, told))
                return
            self.waits = None
        elif now < self.until:
            return
        try:
            waits = next(self.case)
        except StopIteration:
            self.report["done"] = True
            self.end("")
        except BaseException:  # noqa: BLE001 - whatever it is, it belongs into the report
            self.test.shot("failed")
            self.end(traceback.format_exc())
        else:
            if isinstance(waits, Until):
                self.waits, self.until = waits, now + waits.patience
            else:
                self.until = now + float(waits)

    def end(self, failed):
        self.case = None
        self.report["failed"] = failed
        self.timer.stop()
        # Krita 5.2 crashes when a picture is closed in the very moment in which a layer of it was hidden.
        QtCore.QTimer.singleShot(400, self.finish)

    def finish(self):
        clear()
        partial = Path(self.file + ".partial")
        partial.write_text(json.dumps(self.report), encoding="utf-8")
        partial.replace(self.file)
        if self.leave or self.report["failed"]:
            self.quit()
        else:
            self.timer.start()

    def quit(self):
        self.timer.stop()
        faulthandler.dump_traceback_later(HANGS / 2, exit=True)  # from here on it is Krita that has to close
        clear()
        QtCore.QTimer.singleShot(300, krita.Krita.instance().action("file_quit").trigger)


def clear():
    """Close all documents."""
    for document in krita.Krita.instance().documents():
        document.setModified(False)
        document.close()


class Driver(krita.Extension):
    """Begins when the window is there."""

    def setup(self):
        if "UD_FOLDER" in os.environ:
            notifier = krita.Krita.instance().notifier()
            notifier.setActive(True)
            notifier.windowCreated.connect(self.begin)

    def createActions(self, window):
        pass

    def begin(self):
        # A fault in a slot is a line of the log, and so the test's failure; Krita's own window would wait for ever.
        sys.excepthook = traceback.print_exception
        if not hasattr(self, "begun"):
            self.begun = True
            QtCore.QTimer.singleShot(1500, self.start)

    def start(self):
        self.runner = Runner(Path(os.environ["UD_FOLDER"]))


application = krita.Krita.instance()
application.addExtension(Driver(application))
