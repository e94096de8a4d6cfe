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
import subprocess
import sys
import time
import traceback
from pathlib import Path

import krita

try:
    from PyQt6 import QtCore, QtWidgets
except ImportError:
    from PyQt5 import QtCore, QtWidgets

faulthandler.enable()  # a crash says where, too
PATIENCE = 60.0  # seconds for a condition, unless the case says otherwise
HANGS = 45.0  # seconds in which nothing moves
PREFIX = "underdrawing_"


class Until:
    """A condition with a patience of its own."""

    def __init__(self, holds, what, patience=PATIENCE):
        self.holds, self.what, self.patience = holds, what, patience


class Test:
    """What a case gets."""

    prepared = False  # the window, once a Krita
    measured = None  # the functions whose time is taken, once a Krita

    def __init__(self, folder, given):
        self.krita = krita.Krita.instance()
        self.folder, self.given = folder, given
        self.seen = {}
        self.longest = {}
        self.api, self.QByteArray, self.QWidget = krita, QtCore.QByteArray, QtWidgets.QWidget

    # --- looking

    @property
    def window(self):
        return self.krita.activeWindow().qwindow()

    @property
    def panel(self):
        return self.window.findChild(QtWidgets.QWidget, PREFIX + "panel")

    @property
    def ws(self):
        return self.panel.ws

    @property
    def document(self):
        return self.krita.activeDocument()

    def find(self, name):
        self.panel.catch_up()  # what is to be shown in a moment is shown now
        found = self.panel.findChild(QtWidgets.QWidget, PREFIX + name)
        assert found is not None, "the docker has no %r" % name
        return found

    @property
    def stage(self):
        return self.ws.stage.name if self.ws is not None else "NO_DOCUMENT"

    @property
    def message(self):
        return self.ws.message.text if self.ws is not None else self.find("message").text()

    def layers(self):
        """Names of all layers from the bottom up; children in brackets behind their group."""

        def names(node):
            return [(c.name(), names(c)) if c.childNodes() else c.name() for c in node.childNodes()]

        return names(self.document.rootNode())

    def layer(self, name):
        def look(node):
            for child in node.childNodes():
                if child.name() == name:
                    return child
                found = look(child)
                if found is not None:
                    return found
            return None

        return look(self.document.rootNode())

    def pixels(self, node, bounds=None):
        x, y, w, h = bounds or (0, 0, self.document.width(), self.document.height())
        return bytes(node.pixelData(x, y, w, h))

    def merged(self):
        self.document.refreshProjection()
        self.document.waitForDone()
        return bytes(self.document.pixelData(0, 0, self.document.width(), self.document.height()))

    # --- doing

    def press(self, name):
        """Press a button of the docker as a person does: only one that is seen and can be pressed."""
        widget = self.find(name)
        assert widget.isEnabled(), "%s cannot be pressed: %s" % (name, self.message)
        assert not widget.isHidden(), "%s is not shown" % name
        widget.click()

    def choose(self, name, data):
        box = self.find(name)
        index = next(i for i in range(box.count()) if box.itemData(i) == data)
        box.setCurrentIndex(index)
        box.activated.emit(index)

    def open(self, path):
        document = self.krita.openDocument(str(path))
        assert document is not None, "Krita did not open %s" % path
        self.krita.activeWindow().addView(document)
        return document

    def idle(self):
        return Until(lambda: self.ws is not None and not self.ws.busy, "the work in hand to end", 120.0)

    def until(self, holds, what, patience=PATIENCE):
        return Until(holds, what, patience)

    def paint(self, node, bounds, colour):
        """Fill a rectangle of a layer of 8 bits; the colour is red, green, blue."""
        x, y, w, h = bounds
        red, green, blue = colour
        node.setPixelData(QtCore.QByteArray(bytes((blue, green, red, 255)) * (w * h)), x, y, w, h)
        self.document.refreshProjection()

    def action(self, name):
        self.krita.action(name).trigger()

    def shot(self, name):
        """Photograph the whole screen."""
        shots = self.folder / "shots"
        shots.mkdir(exist_ok=True)
        subprocess.run(["import", "-window", "root", str(shots / (name + ".png"))], check=False, timeout=60)

    def xdo(self, *words):
        subprocess.run(["xdotool", *[str(word) for word in words]], check=True, timeout=30)

    def prepare(self):
        """Window, dockers; before any picture is open: Krita can lock up when they change while one is drawn."""
        if Test.prepared:
            return
        Test.prepared = True
        blank = None
        if not self.krita.version().startswith("5.1"):
            # From Krita 5.2 on, the first picture brings back all dockers.
            blank = self.krita.createDocument(8, 8, "", "RGBA", "U8", "", 96.0)
            self.krita.activeWindow().addView(blank)
            yield 1.0
        self.alone()
        yield 0.5
        self.dock()
        yield 0.5
        if blank is not None:
            blank.setModified(False)
            blank.close()
            yield Until(lambda: not self.krita.documents(), "the blank picture to be closed")

    def dock(self, width=330):
        """Show the docker at a width, and in front of the others."""
        dock = next(d for d in self.krita.dockers() if d.objectName() == "underdrawing_docker")
        dock.setVisible(True)
        dock.setFloating(False)
        dock.raise_()
        others = [d for d in self.krita.dockers() if d.objectName() == "KisLayerBox"]
        self.window.resizeDocks([dock], [width], QtCore.Qt.Orientation.Horizontal)
        self.window.resizeDocks([dock, *others], [700, 200], QtCore.Qt.Orientation.Vertical)
        return dock

    def alone(self):
        """Hide all dockers but ours and the layers, and make the window as large as the screen."""
        self.window.showMaximized()
        for dock in self.krita.dockers():
            if dock.objectName() not in ("underdrawing_docker", "KisLayerBox"):
                dock.setVisible(False)

    # --- measuring

    def measure(self):
        """From now on, note how long the plug-in holds Krita's interface thread, the longest of each kind: milliseconds
        on the clock, and of these the ones in which the thread really worked (a busy machine makes the rest)."""
        first, Test.measured = Test.measured is None, self.longest
        if not first:
            return

        def timed(owner, name, called):
            plain = getattr(owner, name)

            def run(*args):
                key = called(*args)
                start, worked = time.perf_counter(), time.thread_time()
                try:
                    return plain(*args)
                finally:
                    spent = (time.perf_counter() - start) * 1000, (time.thread_time() - worked) * 1000
                    Test.measured[key] = max(Test.measured.get(key, (0.0, 0.0)), spent)

            setattr(owner, name, run)

        modules = self.modules
        timed(modules["tasks"].Task, "step", lambda task: "%s: from %s" % (task.name, where(task._steps)))
        timed(modules["client"].Engine, "process", lambda *_: "engine")
        timed(modules["workspace"].Workspace, "look", lambda *_: "look")
        timed(modules["panel"].Panel, "refresh", lambda *_: "refresh")
        timed(modules["commands"].Commands, "perform", lambda _, name, *__: "button " + name)

    @property
    def modules(self):
        """The plug-in's modules by their last names."""
        return {name.rsplit(".", 1)[-1]: m for name, m in sys.modules.items() if name.startswith("underdrawing_")}


def where(steps):
    """The line that a row of steps waits at, whatever it has called."""
    while getattr(steps, "gi_yieldfrom", None) is not None:
        steps = steps.gi_yieldfrom
    frame = getattr(steps, "gi_frame", None)
    return "its start" if frame is None else "%s:%d" % (Path(frame.f_code.co_filename).name, frame.f_lineno)


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
        page = panel.learn_page
        self.times = [page.time.itemData(i) for i in range(page.time.count())]
        self.known = dict(panel.commands._known)

    def restore(self):
        for widget, put, value in self.kept:
            getattr(widget, put)(value)
        for index, data in enumerate(self.times):
            self.panel.learn_page.time.setItemData(index, data)
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
