"""What a case of the tests gets: Krita with the docker, to look at, to press, to measure."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import krita

try:
    from PyQt6 import QtCore, QtWidgets, sip
except ImportError:
    from PyQt5 import QtCore, QtWidgets, sip

PATIENCE = 150.0  # seconds for a condition, unless the case says otherwise
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
        self.found = None, None  # a window, and the docker's panel in it
        self.api, self.QByteArray, self.QWidget = krita, QtCore.QByteArray, QtWidgets.QWidget

    # --- looking

    @property
    def window(self):
        return self.krita.activeWindow().qwindow()

    @property
    def panel(self):
        window, panel = self.found
        # Looking through all of Krita's widgets takes 40 ms: only where the last find does not hold any more.
        if window is not self.window or panel is None or sip.isdeleted(panel):
            window = self.window
            panel = window.findChild(QtWidgets.QWidget, PREFIX + "panel")
            self.found = window, panel
        return panel

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

    def history(self):
        """Entries of Krita's history of what can be undone, the oldest first."""
        dock = next(d for d in self.krita.dockers() if d.objectName() == "History")
        model = dock.findChild(QtWidgets.QAbstractItemView).model()
        return [model.data(model.index(row, 0)) for row in range(1, model.rowCount())]

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
        return Until(lambda: self.ws is not None and not self.ws.busy, "the work in hand to end", 300.0)

    def until(self, holds, what, patience=PATIENCE):
        return Until(holds, what, patience)

    def drafted(self):
        """An underdrawing of four areas, and the draft that is painted on."""
        self.choose("kind", "segments")
        self.find("regions").setValue(4)
        self.press("make")
        yield self.idle()
        self.press("draft")
        yield self.until(lambda: self.stage == "READY", "the draft", 120)

    def train_little(self, iterations):
        """Without an underdrawing, train with so many steps and the test's figures, in place of minutes."""
        train = (("iterations", iterations), ("options", self.given["figures"]))
        alone, page, commands = self.modules["generate"], self.panel.alone_page, self.panel.commands

        def start(ws):
            ws.beside(alone.use(ws, dataclasses.replace(page.wish, train=train)), alone.NAME)

        commands._known["alone"] = (commands._known["alone"][0], start)

    def paint(self, node, bounds, colour):
        """Fill a rectangle of a layer of 8 bits; the colour is red, green, blue."""
        x, y, w, h = bounds
        red, green, blue = colour
        node.setPixelData(QtCore.QByteArray(bytes((blue, green, red, 255)) * (w * h)), x, y, w, h)
        self.document.refreshProjection()

    def edit(self, node, bounds):
        """Fill a rectangle of the areas, of 8 bits, with the area's colour that it has least of: that is a change."""
        data = bytes(node.pixelData(*bounds))
        there = [data[start : start + 3] for start in range(0, len(data), 4)]
        colours = [colour.rgb for colour in self.ws.record.palette]
        self.paint(node, bounds, min(colours, key=lambda rgb: there.count(bytes(rgb)[::-1])))

    def action(self, name):
        self.krita.action(name).trigger()

    def engine_pid(self):
        file = Path(os.environ["UNDERDRAWING_HOME"]) / "run" / "engine.json"
        return json.loads(file.read_text(encoding="utf-8"))["pid"]

    def trains_on(self):
        """What the training without an underdrawing is to run on, as the engine has written it down."""
        file = Path(os.environ["UNDERDRAWING_HOME"]) / "training" / self.ws.going.job.model / "job.json"
        return json.loads(file.read_text(encoding="utf-8"))["args"]["device"]

    def models(self):
        """Folders of the models that the engine has."""
        return sorted(path.name for path in (Path(os.environ["UNDERDRAWING_HOME"]) / "models").iterdir())

    def shot(self, name):
        """Photograph the whole screen."""
        shots = self.folder / "shots"
        shots.mkdir(exist_ok=True)
        subprocess.run(["import", "-window", "root", str(shots / (name + ".png"))], check=False, timeout=60)

    def xdo(self, *words):
        subprocess.run(["xdotool", *[str(word) for word in words]], check=True, timeout=30)

    def screen(self, x, y):
        """Where a pixel of the picture is on the screen: the canvas shows the whole picture, in its middle."""
        widgets = self.window.findChildren(QtWidgets.QWidget)
        canvas = next(w for w in widgets if w.metaObject().className() == "KisOpenGLCanvas2")
        zoom = self.krita.activeWindow().activeView().canvas().zoomLevel() * 72 / self.document.xRes()
        middle = canvas.mapToGlobal(canvas.rect().center())
        width, height = self.document.width(), self.document.height()
        return round(middle.x() + (x - width / 2) * zoom), round(middle.y() + (y - height / 2) * zoom)

    def click(self, x, y):
        """Click on a pixel of the picture."""
        self.xdo("mousemove", *self.screen(x, y), "click", 1)

    def scroll_to(self, name):
        """Scroll the docker until a widget is seen."""
        widget = self.find(name)
        scroll = self.panel.findChild(QtWidgets.QScrollArea)
        scroll.ensureWidgetVisible(widget, 0, 20)

    def click_on(self, name, place=None):
        """Click with the pointer on a widget of the docker, in its middle or at a place of its own."""
        widget = self.find(name)
        widget = widget.viewport() if isinstance(widget, QtWidgets.QAbstractScrollArea) else widget
        at = widget.mapToGlobal(widget.rect().center() if place is None else place)
        self.xdo("mousemove", at.x(), at.y(), "click", 1)

    def drag(self, x, y, to_x, to_y):
        """Draw a line with the pointer."""
        self.xdo("mousemove", *self.screen(x, y), "mousedown", 1)
        yield 0.1
        for step in range(1, 6):
            self.xdo("mousemove", *self.screen(x + (to_x - x) * step / 5, y + (to_y - y) * step / 5))
            yield 0.03
        self.xdo("mouseup", 1)

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
        timed(modules["engine"].Engine, "process", lambda *_: "engine")
        timed(modules["document_model"].Workspace, "look", lambda *_: "look")
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
