"""The docker's second page: learn the picture, and see how that goes."""

from __future__ import annotations

from typing import Any, Callable

from .devices import device_choice, offer
from .document_model import Workspace
from .i18n import duration, tr
from .qt import QtWidgets
from .ui_state import Job, LearnOptions
from .widgets import ImageView, button, choice, column, form, label, named, refill, row

REFINE, DEEPSIM, ANALOGY = "refine", "deepsim", "sia"
MINUTE = 60.0


class LearnPage(QtWidgets.QWidget):
    """How, for what time, on which device; then progress, time left, a growing sample, pause, cancel."""

    def __init__(self, perform: Callable[[str], Any]) -> None:
        super().__init__()
        self._methods: list[dict[str, Any]] | None = None
        self._fitted = ""
        self.about = label("", faint=True)
        self.method = choice("method", tr("What is learnt"), [(text, name) for name, text in _titles().items()])
        self.method.currentIndexChanged.connect(lambda *_: self._fit())
        self.explained = label("", faint=True)
        self.time = choice("time", tr("How long the picture is learnt: longer gives better results"), [])
        self.device = device_choice("device")
        self.devices = label("", "devices", faint=True)
        self.devices.setVisible(False)
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
        settings = form((tr("Learn"), self.method), (tr("For"), self.time), (tr("On"), self.device))
        column(self._start, self.about, settings, self.explained, self.devices, self.learn, self.draft, self.other)
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
        self.meanwhile = button(
            "meanwhile",
            tr("Paint meanwhile"),
            tr("What is learnt so far is used at once, and results get better by themselves"),
            lambda: perform("meanwhile"),
            main=True,
        )
        self._going = QtWidgets.QWidget()
        note = label(tr("You can use Krita, or close it: the learning goes on."), faint=True)
        column(self._going, self.bar, self.state, self.sample, self.meanwhile, row(self.pause, self.cancel), note)
        column(self, self._start, self._going).addStretch(1)
        self._fit()
        self.time.setCurrentIndex(1)

    def _fit(self) -> None:
        """Times that the chosen way of learning has, and a word about it."""
        name = str(self.method.currentData())
        if name == self._fitted:
            return
        self._fitted = name
        counts = ((tr("1 minute"), 1), (tr("2 minutes"), 2), (tr("5 minutes"), 5), (tr("20 minutes"), 20))
        entries = [*((text, ("", count * MINUTE)) for text, count in counts), (tr("1 hour"), ("", 60 * MINUTE))]
        if name in (DEEPSIM, ANALOGY):
            entries.append((tr("Full quality (hours)"), ("paper", 0.0)))
        refill(self.time, entries)
        about = {
            REFINE: tr("The picture's own pixels are carried along. Their light and colours are learnt."),
            DEEPSIM: tr("A network learns to paint everything anew: wants time, and a graphics card best."),
            ANALOGY: tr("A network learns what belongs where: for other pictures' layouts, and areas that grow."),
        }
        self.explained.setText(about.get(name, ""))
        self.explained.setVisible(name in about)

    @property
    def options(self) -> LearnOptions:
        """What is set."""
        recipe, seconds = self.time.currentData()
        return LearnOptions(str(self.method.currentData()), recipe, seconds, str(self.device.currentData()))

    def show_methods(self, methods: list[dict[str, Any]], devices: list[dict[str, Any]]) -> None:
        """What the engine can learn, and on what. `methods` and `devices` are those of the verb `methods`."""
        self._methods = methods
        offer(self.device, devices)
        cards = [str(entry.get("name")) for entry in devices if entry.get("kind") == "cuda"]
        told = tr("Graphics card: %s") % ", ".join(cards)
        self.devices.setText(told if cards else tr("No graphics card can be used here: the processor learns."))
        self.devices.setVisible(True)

    @property
    def asked(self) -> bool:
        """Whether it is known what the engine can learn."""
        return self._methods is not None

    def _offer(self, planes: Any) -> None:
        """Offer the ways of learning that can do something with these planes."""
        entries = []
        for method in self._methods or ():
            name, title = str(method["name"]), str(method["title"])
            if method["needs_training"] and set(planes) & {str(plane["name"]) for plane in method["planes"]}:
                entries.append((_titles().get(name, title), name))
        known = list(_titles())
        entries.sort(key=lambda entry: known.index(entry[1]) if entry[1] in known else len(known))
        if entries:
            refill(self.method, entries)
            self._fit()

    def show_workspace(self, ws: Workspace) -> None:
        """Show how far this document's learning is."""
        job = ws.job if ws.job is not None and ws.job.alive else None
        self._start.setVisible(job is None)
        self._going.setVisible(job is not None)
        if job is None:
            if self._methods is not None:
                self._offer(ws.planes)
            if ws.record.models:
                self.about.setText(tr("Learn it again, longer or as it is drawn now."))
            else:
                self.about.setText(tr("The underdrawing is there. Now the picture is learnt, from itself alone."))
            self.learn.setEnabled(not ws.busy)
            self.draft.setEnabled(not ws.busy)
            return
        self.bar.setValue(round(job.fraction * 1000))
        self.state.setText(state_of(job))
        self.meanwhile.setVisible(job.early)
        self.sample.set_image(ws.sample)
        paused = job.state == "paused"
        self.pause.setText(tr("Go on") if paused else tr("Pause"))
        self.pause.setEnabled(not job.stopping)
        self.cancel.setEnabled(job.stopping != "cancel")


def _titles() -> dict[str, str]:
    """Ways of learning by their names, the usual one first."""
    return {
        REFINE: tr("Light and colours"),
        DEEPSIM: tr("To paint anew (DeepSIM)"),
        ANALOGY: tr("Other layouts (semantic analogy)"),
    }


def state_of(job: Job) -> str:
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
