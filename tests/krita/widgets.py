"""Exercises the docker's widgets without Krita, under whichever PyQt this Python has. Run as a program, offscreen.

    python widgets.py FOLDER_WITH_THE_PLUG_IN FOLDER_FOR_SHOTS

A plain stand-in answers for Krita's document; nothing of the engine is asked. Prints JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path


class Id:
    def __init__(self, text):
        self.text = text

    def toString(self):
        return self.text


class Layer:
    """A layer as far as the docker's pages ask of it."""

    def __init__(self, name, kind="paintlayer", children=()):
        self._name, self._kind, self.children, self._opacity = name, kind, list(children), 255

    def uniqueId(self):
        return Id("{%s}" % self._name)

    def name(self):
        return self._name

    def type(self):
        return self._kind

    def childNodes(self):
        return self.children

    def opacity(self):
        return self._opacity

    def parentNode(self):
        return None

    def __eq__(self, other):
        return isinstance(other, Layer) and other._name == self._name

    __hash__ = None


class Document:
    """A document as far as the docker's pages ask of it."""

    def __init__(self, root):
        self.root, self.notes = root, {}

    def rootNode(self):
        return self.root

    def annotationTypes(self):
        return list(self.notes)

    def annotation(self, key):
        return self.notes[key]

    def setAnnotation(self, key, about, data):
        self.notes[key] = data

    def activeNode(self):
        return self.root.children[0]

    def fileName(self):
        return "/a/Bild.kra"

    def name(self):
        return "Bild"

    def width(self):
        return 64

    def height(self):
        return 48

    def fullClipRangeStartTime(self):
        return 0

    def fullClipRangeEndTime(self):
        return 10


class Krita:
    def __init__(self, documents):
        self._documents = documents

    def documents(self):
        return self._documents

    def version(self):
        return "none"

    def activeDocument(self):
        return self._documents[0]

    def action(self, name):
        return None


def main():
    sys.path.insert(0, sys.argv[1])
    shots = Path(sys.argv[2])
    from underdrawing_krita.qt import QT, QtCore, QtGui, QtWidgets

    application = QtWidgets.QApplication([])
    from underdrawing_krita.client.job_status import JobStatus

    from underdrawing_krita.edits import ListedEdit
    from underdrawing_krita.generate_tasks import Going, Use
    from underdrawing_krita.meta_models import Maker
    from underdrawing_krita.panel import Panel
    from underdrawing_krita.plugin import Plugin
    from underdrawing_krita.record import Colour, ModelNote
    from underdrawing_krita.ui_state import Live, Split, Stage

    found = {"qt": QT, "stages": [], "tips": [], "errors": []}
    sys.excepthook = lambda kind, value, trace: found["errors"].append(repr(value))

    group = Layer("Underdrawing", "grouplayer", [Layer("Areas"), Layer("Outlines")])
    document = Document(Layer("root", "grouplayer", [Layer("Background")]))
    plugin = Plugin(Krita([document]))
    panel = Panel(plugin)
    panel.make_page.wanted_preview.disconnect()  # an engine would be asked
    panel.resize(300, 900)
    panel.show()

    def settle():
        for _ in range(12):
            application.processEvents()
            QtCore.QThread.msleep(10)

    def shot(name):
        settle()
        panel.grab().save(str(shots / ("%s.png" % name)))
        found["stages"].append([name, panel.header.text()])

    shot("1-nothing")
    ws = plugin.workspace(document)
    panel.set_document(document)
    panel._late.stop()
    panel.refresh()
    assert ws.stage is Stage.EMPTY
    picture = QtGui.QImage(64, 48, QtGui.QImage.Format.Format_RGB888)
    picture.fill(QtGui.QColor(180, 60, 40))
    panel.make_page.preview.set_image(picture)
    for index in range(panel.make_page.kind.count()):
        panel.make_page.kind.setCurrentIndex(index)
        settle()
    panel.make_page.kind.setCurrentIndex(0)
    panel.make_page.regions.slider.setValue(7)
    found["make"] = panel.make_page.options.__dict__
    found["layers"] = [panel.make_page.layer.itemText(i) for i in range(panel.make_page.layer.count())]
    shot("2-make")

    document.root.children.append(group)
    planes = {"segments": "{Areas}", "edges": "{Outlines}"}
    ws.record = ws.record.with_planes("{Underdrawing}", planes)
    ws.keep(picture="{Background}")
    ws.look()
    assert ws.stage is Stage.DRAWN
    shot("3-train")
    found["train"] = panel.train_page.options.body()
    going = {"phase": "training", "fraction": 0.4, "left": 65.0, "rate": 11.2, "device": "cpu"}
    ws.job = JobStatus("j", "m", "Bild", "", "running", **going)
    ws.sample = picture
    ws.touch()
    shot("4-training")
    found["state"] = panel.train_page.state.text()
    ws.job = replace(ws.job, state="paused")
    ws.touch()
    shot("5-paused")

    jobs = [
        {"job": "a", "model": "m", "name": "Bild", "state": "running", "progress": going},
        {"job": "b", "model": "n", "name": "Haus am See", "state": "queued"},
    ]
    panel.trainings.show_jobs(jobs)
    panel.trainings.fold.unfold()
    shot("5-trainings")
    found["trainings"] = [[row.text.text(), row.bar.value()] for row in panel.trainings._rows.values()]
    panel.trainings.show_jobs(jobs[1:])
    found["trainings_left"] = list(panel.trainings._rows)
    panel.trainings.show_jobs([])
    assert panel.trainings.isHidden()

    ws.job = None
    palette = tuple(Colour((20 * n, 255 - 20 * n, 128), "area %d" % n) for n in range(12))
    ws.record = ws.record.with_model(ModelNote("m", "Bild", "draft"))
    ws.keep(palette=palette)
    ws.look()
    assert ws.stage is Stage.READY
    ws.live, ws.split = Live.WATCHING, Split(0.05, 0.01, 0.02, 0.3, 0.01)
    ws.tell("The colour pink is not in the palette.", True)
    edits = panel.edit_page.tools.edits
    edits.fold.opened.disconnect()  # an engine would be asked
    ws.edits = (
        ListedEdit("“area 3” painted (top left)", "24 × 18 pixels at 3, 4", "m"),
        ListedEdit("Thing 2 removed", thing=2),
    )
    for fold in (panel.edit_page.options_fold, *panel.edit_page.tools.folds):
        fold.unfold()
    shot("6-edit")
    buttons = [edits.button.isEnabled()]
    edits.list.setCurrentRow(1)
    buttons.append(edits.button.isEnabled())
    found["edits"] = [edits.list.count(), edits.chosen().title, buttons]
    found["apply"] = panel.edit_page.options.body()
    found["swatches"] = len(panel.edit_page.palette_bar.swatches)
    found["speed"] = panel.edit_page.speed.text()
    found["speed_parts"] = panel.edit_page.speed.toolTip()
    found["regions"] = panel.edit_page.tools.regions.options("flip").body()

    panel.ask_makers = lambda: None  # an engine would be asked
    panel.show_alone(True)
    ws.tell("")
    page = panel.alone_page
    page.between.wanted.disconnect()
    page.choose(Use.BETWEEN)
    page.show_makers(())
    shot("7-no-folder")
    found["missing"] = [page.between.missing.text(), page.start.isHidden(), page.start_from.isHidden()]
    page.show_makers((Maker("f", "lakes in the north", ("vary", "harmonize", "blend")),))
    found["uses"] = []
    for index in range(page.use.count()):
        page.use.setCurrentIndex(index)
        settle()
        panel.grab().save(str(shots / ("7-%s.png" % page.chosen.value)))
        found["uses"].append([page.chosen.value, page.start.text(), page.wish.body((64, 48))])
    page.start_from.setCurrentIndex(0)
    page.choose(Use.BETWEEN)
    page.between.take_file("/a/gestern am See.jpg")
    settle()
    seen, which = page.seen
    page.between.take(seen, which, "both", (picture.mirrored(), picture, picture.mirrored()))
    found["between"] = []
    for index in range(page.between.way.count()):
        page.between.way.setCurrentIndex(index)
        settle()
        panel.grab().save(str(shots / ("7-between-%d.png" % index)))
        row = [page.start.text(), page.wish.between.count, page.between.other.currentText(), page.wish.maker]
        found["between"].append(row)
    found["way"] = page.wish.body((64, 48))
    page.network_picture.setChecked(True)
    found["as_made"] = [page.wish.body((64, 48))["network_picture"]]
    found["told"] = page.between.told.text()
    page.choose(Use.HARMONIZE)
    found["as_made"].append(page.wish.body((64, 48))["network_picture"])
    page.network_picture.setChecked(False)
    page.fine_tune.setChecked(True)
    page.start_from.setCurrentIndex(1)
    settle()
    panel.grab().save(str(shots / "7-at-once.png"))
    times = [page.time.itemText(i) for i in range(page.time.count())]
    found["devices"] = [[page.device.count(), page.device.isEnabled()]]
    found["at_once"] = [page.wish.maker, times, page.wish.fine_tune, page.wish.model("").budget, page.note.text()]
    page.time.setCurrentIndex(1)
    found["refined"] = page.wish.model("").budget
    for kinds in (("cpu", "cuda"), ("cpu",)):
        page.show_devices([{"kind": kind} for kind in kinds])
        if "cuda" in kinds:
            page.device.setCurrentIndex(2)
        texts = [page.device.itemText(i) for i in range(page.device.count())]
        found["devices"].append([texts, page.device.isEnabled(), page.wish.device, page.wish.model("").device])
    page.choose(Use.ENLARGE)
    found["enlarged"] = [page.wish.maker, page.wish.seconds]
    page.choose(Use.HARMONIZE)
    page.show_makers(())
    found["gone"] = [page.start_from.isHidden(), page.wish.maker, page.wish.fine_tune]
    page.choose(Use.HARMONIZE)
    found["originals"] = [page.original.itemText(i) for i in range(page.original.count())]
    page.use.setCurrentIndex(0)
    shot("7-alone")
    job = JobStatus("j", "m", "Bild", "", "running", **going)
    ws.going = Going(job=job)
    ws.running = lambda name: name == "alone"
    ws.touch()
    shot("8-alone-training")
    found["going"] = [page.state.text(), page.bar.value(), page.pause.text()]
    meanwhile = panel.findChild(QtWidgets.QWidget, "underdrawing_alone_meanwhile")
    found["meanwhile"] = [meanwhile.text()]
    ws.going = Going(text="Painting…")
    page.show_workspace(ws)
    found["meanwhile"].append(meanwhile.text())
    ws.going = Going(job=job)
    page.show_workspace(ws)
    panel.show_alone(False)
    settle()
    found["line"] = panel.alone.text()
    panel.show_alone(True)
    settle()

    for button in panel.findChildren(QtWidgets.QAbstractButton):
        ours = button.objectName().startswith("underdrawing_")
        if ours and not button.toolTip():
            found["tips"].append(button.objectName())
    panel.resize(240, 500)
    settle()
    found["narrow"] = panel.width()
    found["again"] = type(ws.record).from_json(ws.record.to_json()) == ws.record
    plugin.close()
    print(json.dumps(found))


main()
