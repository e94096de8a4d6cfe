"""The docker's second page: learn the picture, and see how that goes."""

from __future__ import annotations

from typing import Any, Callable

from .qt import QtWidgets
from .state import Job, LearnOptions
from .texts import duration, tr
from .widgets import ImageView, button, choice, column, form, label, named, refill, row
from .workspace import Workspace

DRAFT = "draft"
MINUTE = 60.0


class LearnPage(QtWidgets.QWidget):
    """Time or quality, device; then progress, time left, a growing sample, pause, cancel."""

    def __init__(self, perform: Callable[[str], Any]) -> None:
        super().__init__()
        self._devices: list[dict[str, Any]] | None = None
        self.about = label("", faint=True)
        self.time = choice("time", tr("How long the picture is learnt: longer gives finer textures"), self._times())
        self.time.setCurrentIndex(1)
        self.device = choice("device", tr("What the picture is learnt on"), [(tr("Automatic"), "auto")])
        self.learn = button(
            "learn", tr("Learn this picture"), tr("Krita can be used meanwhile"), lambda: perform("learn"), main=True
        )
        self.draft = button(
            "draft",
            tr("Start at once with a draft"),
            tr("Works in seconds, without learning: moves and bends what the picture shows. Learn later for more."),
            lambda: perform("draft"),
        )
        self.other = button(
            "make_other",
            tr("Make another underdrawing…"),
            tr("Back to the first page"),
            lambda: perform("make_other"),
        )
        self._start = QtWidgets.QWidget()
        settings = form((tr("Learn for"), self.time), (tr("On"), self.device))
        column(self._start, self.about, settings, self.learn, self.draft, self.other)
        self.bar = named(QtWidgets.QProgressBar(), "progress", tr("How much of the learning is done"))
        self.bar.setRange(0, 1000)
        self.state = label("", "learn_state")
        self.sample = ImageView(
            "sample",
            tr("What the model makes of the underdrawing at this moment"),
            280,
            tr("The first sample comes in a moment."),
        )
        self.pause = button(
            "pause", tr("Pause"), tr("Keeps what was learnt, and frees the computer"), lambda: perform("pause")
        )
        self.cancel = button("cancel", tr("Cancel"), tr("Forgets what was learnt"), lambda: perform("cancel"))
        self._going = QtWidgets.QWidget()
        note = label(tr("You can go on painting, or close Krita: the learning goes on."), faint=True)
        column(self._going, self.bar, self.state, self.sample, row(self.pause, self.cancel), note)
        column(self, self._start, self._going).addStretch(1)

    @staticmethod
    def _times() -> list[Any]:
        minutes = [(tr("1 minute"), 1), (tr("2 minutes"), 2), (tr("5 minutes"), 5), (tr("20 minutes"), 20)]
        entries = [(text, ("", "", count * MINUTE)) for text, count in minutes]
        return [
            *entries,
            (tr("1 hour"), ("", "", 60 * MINUTE)),
            (tr("Full quality (hours)"), ("deepsim", "paper", 0.0)),
        ]

    @property
    def options(self) -> LearnOptions:
        """What is set."""
        method, recipe, seconds = self.time.currentData()
        return LearnOptions(method, recipe, seconds, str(self.device.currentData()))

    def show_devices(self, found: list[dict[str, Any]]) -> None:
        """What the engine can learn on."""
        names = {"cpu": tr("Processor"), "cuda": tr("Graphics card")}
        kinds = list(dict.fromkeys(str(entry.get("kind")) for entry in found))
        entries = [(tr("Automatic"), "auto"), *((names[kind], kind) for kind in kinds if kind in names)]
        refill(self.device, entries)
        tips = ", ".join(str(entry.get("name")) for entry in found)
        if tips:
            self.device.setToolTip(tr("What the picture is learnt on. There is: %s") % tips)

    def show_workspace(self, ws: Workspace) -> None:
        """Show how far this document's learning is."""
        job = ws.job if ws.job is not None and ws.job.alive else None
        self._start.setVisible(job is None)
        self._going.setVisible(job is not None)
        if job is None:
            if ws.record.models:
                self.about.setText(tr("Learn it again, longer or as it is drawn now."))
            else:
                self.about.setText(tr("The underdrawing is there. Now the picture is learnt, from itself alone."))
            self.learn.setEnabled(not ws.busy)
            self.draft.setEnabled(not ws.busy)
            return
        self.bar.setValue(round(job.fraction * 1000))
        self.state.setText(_state(job))
        self.sample.set_image(ws.sample)
        paused = job.state == "paused"
        self.pause.setText(tr("Go on") if paused else tr("Pause"))
        self.pause.setEnabled(not job.stopping)
        self.cancel.setEnabled(job.stopping != "cancel")


def _state(job: Job) -> str:
    """One line that says what goes on."""
    if job.stopping:
        return tr("Pausing…") if job.stopping == "pause" else tr("Cancelling…")
    if job.state == "queued":
        return tr("Waiting for another picture that is being learnt.")
    if job.state == "paused":
        return tr("Paused. What was learnt is kept.")
    if job.phase == "preparing":
        return tr("Preparing…")
    if job.phase == "exporting":
        return tr("Finishing…")
    parts = [tr("Learning")]
    if job.device:
        parts.append(tr("on the graphics card") if "cuda" in job.device.lower() else tr("on the processor"))
    if job.left is not None:
        parts.append(tr("%s left") % duration(float(job.left)))
    if job.rate:
        parts.append(tr("%.1f steps a second") % float(job.rate))
    return " · ".join(parts)
