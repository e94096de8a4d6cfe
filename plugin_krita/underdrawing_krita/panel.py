"""All of the docker's contents, for the document of one window: pages, message, engine line."""

from __future__ import annotations

from typing import Any

from .canvas_clicks import CanvasClicks, possible
from .commands import Commands
from .document_model import Workspace
from .engine_line import EngineLine
from .generate import NAME as ALONE
from .meta_models import makers_of
from .page_edit import EditPage
from .page_generate import AlonePage, fold_button
from .page_make import MakePage
from .page_things import ThingsPart
from .page_train import TrainPage
from .plugin import Plugin
from .qt import Qt, QtCore, QtWidgets
from .service import hint
from .tasks import Steps, Task
from .training_list import TrainingList, cancel
from .ui_state import Stage
from .widgets import MessageBar, Scroll, column, gone, label, named

STATUS = 3000  # milliseconds between looks at the engine
REFRESH = 30  # milliseconds at least between two redrawings


class Panel(QtWidgets.QWidget):
    """What the docker shows. It does nothing itself: its buttons perform `Commands`."""

    def __init__(self, plugin: Plugin) -> None:
        super().__init__()
        named(self, "panel")
        self.plugin = plugin
        self.ws: Workspace | None = None
        self._make_other = self._asking = self._alone = False
        self._count: int | None = None  # models that the engine had when it was looked at last
        self.commands = Commands(plugin, self)
        perform = self.commands.perform
        self.header = label("", "header")
        font = self.header.font()
        font.setBold(True)
        self.header.setFont(font)
        self.message = MessageBar()
        self.message.closed.connect(self._close_message)
        self.make_page, self.train_page, self.edit_page = MakePage(perform), TrainPage(perform), EditPage(perform)
        self.make_page.wanted_preview.connect(lambda: perform("preview"))
        self.alone_page = AlonePage(perform)
        self.alone = fold_button(
            "alone_open",
            "More: harmonize, variations…",
            "Harmonize what was pasted, blend a rough edit, variations, other sizes, animation",
            Qt.ArrowType.RightArrow,
        )
        self.alone.clicked.connect(lambda *_: self.show_alone(True))
        self.empty_page = label("Open a picture, and paint on its underdrawing.", faint=True)
        self.work = named(QtWidgets.QProgressBar(), "work", "Something is being done")
        self.work.setRange(0, 0)
        self.work.setTextVisible(False)
        self.work.setMaximumHeight(6)
        self.doing = label("", "doing", faint=True)
        inside = QtWidgets.QWidget()
        self.canvas = CanvasClicks(plugin.krita, lambda *at: perform("picked", *at), lambda: self.picking(False))
        self.things = ThingsPart(perform)
        pages = self.empty_page, self.things, self.make_page, self.train_page, self.edit_page, self.alone
        self.trainings = TrainingList(self._cancel_training)
        column(inside, *pages, self.alone_page, self.trainings, margin=2).addStretch(1)
        scroll = Scroll(inside)
        self.engine = EngineLine(plugin.service, self.tell, plugin.krita)
        # What comes and goes is below: buttons do not move under the pointer.
        column(self, self.header, scroll, self.work, self.doing, self.message, self.engine, margin=6)
        self.setMinimumWidth(230)
        self._late = QtCore.QTimer(self)
        self._late.setSingleShot(True)
        self._late.setInterval(REFRESH)
        self._late.timeout.connect(self.refresh)
        self._status = QtCore.QTimer(self)
        self._status.setInterval(STATUS)
        self._status.timeout.connect(self._ask_status)
        self._status.start()
        plugin.add_panel(self)
        self.refresh()

    def look(self) -> None:
        """See which document is in front; the docker puts its own way of looking in this place."""

    def set_document(self, document: Any | None) -> None:
        """Show another document, or none."""
        ws = None if document is None else self.plugin.workspace(document)
        if ws is self.ws:
            return
        if self.ws is not None:
            self.ws.changed.disconnect(self.refresh_soon)
        self.ws, self._make_other, self._asking, self._alone = ws, False, False, False
        self.picking(False)
        self.make_page.preview.set_image(None)  # it is of another document
        if ws is not None:
            ws.changed.connect(self.refresh_soon)
            self.make_page.ask_preview()
        self.refresh_soon()

    def tell(self, text: str, bad: bool = False) -> None:
        """Show a paragraph."""
        if self.ws is not None:
            self.ws.tell(text, bad)
        else:
            self.message.tell(text, bad)

    def make_other(self, on: bool) -> None:
        """Show the first page although there is an underdrawing."""
        self._make_other = on
        self.make_page.ask_preview()
        self.refresh_soon()

    def picking(self, on: bool) -> None:
        """Whether clicks on the canvas point at things."""
        if on and not possible(self.plugin.krita):
            self.tell("Pick needs Krita 5.2. Select the thing with any of Krita's selection tools.", True)
        elif on:
            self.tell("Click on a thing in the picture. Shift adds, Ctrl takes away, Esc ends.")
        self.canvas.switch(on and possible(self.plugin.krita))
        self.refresh_soon()

    def show_alone(self, on: bool) -> None:
        """Show the page for what needs no underdrawing, or the others again."""
        self._alone = on
        if self.ws is not None and not self.ws.busy:
            self.ws.tell("")
        if on:
            self.alone_page.between.forget()  # the pictures may have been painted on
            self.ask_makers()
        self.refresh_soon()

    def refresh_soon(self) -> None:
        """Redraw in a moment: many changes at once are one redrawing."""
        if not self._late.isActive():
            self._late.start()

    def catch_up(self) -> None:
        """Redraw now, if that is to be done in a moment: what is done next depends on what is set."""
        if self._late.isActive():
            self._late.stop()
            self.refresh()

    def refresh(self) -> None:
        """Show everything as it is."""
        ws: Workspace | None = self.ws if self.ws is not None and self.ws.open else None
        stage = Stage.NO_DOCUMENT if ws is None else ws.stage
        if stage in (Stage.EMPTY, Stage.TRAINING):
            self._make_other = False
        shown = Stage.EMPTY if self._make_other and ws is not None else stage
        self.empty_page.setVisible(shown is Stage.NO_DOCUMENT)
        alone = self._alone and ws is not None
        self.things.setVisible(ws is not None and not alone)
        self.make_page.setVisible(shown is Stage.EMPTY and not alone)
        self.train_page.setVisible(shown in (Stage.DRAWN, Stage.TRAINING) and not alone)
        self.edit_page.setVisible(shown is Stage.READY and not alone)
        self.alone_page.setVisible(alone)
        self.alone.setVisible(ws is not None and not alone)
        self.header.setText("More" if alone else _heading(shown, ws))
        # What goes on without an underdrawing is shown by its own page.
        busy = ws is not None and ws.busy and not (alone and ws.running(ALONE))
        self.work.setVisible(busy)
        self.doing.setVisible(busy and bool(ws is not None and ws.doing))
        if ws is None:
            return
        self.doing.setText(ws.doing)
        self.message.tell(ws.message.text, ws.message.bad)
        self.alone.setText(_alone_text(ws))
        self.things.show_workspace(ws, self.canvas.on)
        for page in (self.make_page, self.train_page, self.edit_page, self.alone_page):
            # The page that is seen, and no other: `isVisible` is false as long as the docker itself is hidden.
            if not page.isHidden():
                page.show_workspace(ws)
        trains = alone or shown is Stage.DRAWN
        if trains and self.isVisible() and not self.train_page.asked and not self._asking:
            self._asking = True
            self.plugin.service.start(self._ask_methods(), "methods", self._asked)

    def _ask_methods(self) -> Steps:
        """What the engine can train, and on what; once, when that is first chosen from."""
        reply = yield self.plugin.service.ask("methods", {}, (), 120.0)
        methods, devices = list(reply.body["methods"]), list(reply.body["devices"])
        for panel in self.plugin.panels:
            panel.train_page.show_methods(methods, devices)
            panel.alone_page.show_devices(devices)

    def ask_makers(self) -> None:
        """Ask beside the work which folders' models the engine has."""
        self.plugin.service.start(self._ask_makers(), "makers", self._makers_asked)

    def _ask_makers(self) -> Steps:
        reply = yield self.plugin.service.ask("models.list", {}, (), 60.0)
        makers = makers_of(reply.body["models"])
        for panel in self.plugin.panels:
            panel.alone_page.show_makers(makers)

    def _makers_asked(self, task: Task) -> None:
        if gone(self):
            return
        if task.error is not None and task.error.code != "cancelled":
            self.alone_page.show_makers(None, hint(task.error))
        self.refresh_soon()

    def _asked(self, task: Task) -> None:
        # An engine that cannot answer says so when it is to train; it is asked again with the next document.
        if task.error is None and not gone(self):
            self.refresh_soon()

    def _close_message(self) -> None:
        self.message.tell("", False)
        if self.ws is not None:
            self.ws.tell("")

    def _ask_status(self) -> None:
        if self.isVisible() and not self.plugin.service.closed:
            self.plugin.service.start(self.engine.ask(), "status", self._status_asked)

    def _status_asked(self, _: Task) -> None:
        """An engine came, or its models are others: maybe folders' models among them."""
        if gone(self):
            return
        status = self.engine.status
        self.trainings.show_jobs([] if status is None else list(status["jobs"]))
        count = None if status is None else int(status.get("models") or 0)
        if count != self._count and count is not None:
            self._asking = False  # what could not be asked before is asked now
            self.refresh_soon()
            if self._alone:
                self.ask_makers()
        self._count = count

    def _cancel_training(self, job: str) -> None:
        def ended(task: Task) -> None:
            if task.error is not None and task.error.code != "cancelled" and not gone(self):
                self.tell(hint(task.error), True)

        self.plugin.service.start(cancel(self.plugin, job), "cancel", ended)


def _alone_text(ws: Workspace) -> str:
    """The line that leads to the page without an underdrawing; how far it is there."""
    if not ws.running(ALONE) or ws.going is None:
        return "More: harmonize, variations…"
    return "More" + " · %d %%" % round(ws.going.done * 100)


def _heading(stage: Stage, ws: Workspace | None) -> str:
    """The state of the document in a few words."""
    texts = {
        Stage.NO_DOCUMENT: "No picture is open",
        Stage.EMPTY: "Make an underdrawing",
        Stage.DRAWN: "Train this picture",
        Stage.TRAINING: "Training",
        Stage.READY: "Paint on the underdrawing",
    }
    if stage is Stage.TRAINING and ws is not None and ws.job is not None and ws.job.state == "paused":
        return "Training is paused"
    return texts[stage]
