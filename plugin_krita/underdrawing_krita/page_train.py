"""The docker's second page: train the picture, and see how that goes."""

from __future__ import annotations

from typing import Any, Callable

from .devices import device_choice, offer
from .document_model import Workspace
from .qt import QtWidgets
from .ui_state import TrainOptions
from .widgets import ImageView, button, choice, column, form, label, named, refill, row

REFINE, DEEPSIM, ANALOGY = "refine", "deepsim", "sia"
MINUTE = 60.0
# Methods by their names, the usual one first.
TITLES = {
    REFINE: "Match light and colours",
    DEEPSIM: "Repaint freely (slow)",
    ANALOGY: "For new layouts (slow)",
}


class TrainPage(QtWidgets.QWidget):
    """How, for what time, on which device; then progress, time left, a growing sample, pause, cancel."""

    def __init__(self, perform: Callable[[str], Any]) -> None:
        super().__init__()
        self._methods: list[dict[str, Any]] | None = None
        self._fitted = ""
        self.about = label("", faint=True)
        self.method = choice("method", "What the training is for", [(text, name) for name, text in TITLES.items()])
        self.method.currentIndexChanged.connect(lambda *_: self._fit())
        self.explained = label("", faint=True)
        self.time = choice("time", "How long to train: longer gives better results", [])
        self.device = device_choice("device")
        self.devices = label("", "devices", faint=True)
        self.devices.setVisible(False)
        self.train = button("train", "Train this picture", "Krita stays usable meanwhile", lambda: perform("train"))
        self.draft = button(
            "draft",
            "Start editing",
            "Ready in seconds, without training; train later for better results",
            lambda: perform("draft"),
            main=True,
        )
        self.other = button(
            "make_other",
            "Make another underdrawing…",
            "Back to the first page",
            lambda: perform("make_other"),
        )
        self._start = QtWidgets.QWidget()
        settings = form(("Method", self.method), ("For", self.time), ("On", self.device))
        column(self._start, self.about, self.draft, settings, self.explained, self.devices, self.train, self.other)
        self.bar = named(QtWidgets.QProgressBar(), "progress", "Progress of the training")
        self.bar.setRange(0, 1000)
        self.state = label("", "train_state")
        self.sample = ImageView(
            "sample",
            "What the model makes of the underdrawing at this moment",
            280,
            "The first sample comes in a moment.",
        )
        self.pause = button(
            "pause", "Pause", "Keeps the training so far, and frees the computer", lambda: perform("pause")
        )
        self.cancel = button("cancel", "Cancel", "Discards the training", lambda: perform("cancel"))
        self.meanwhile = button(
            "meanwhile",
            "Paint meanwhile",
            "Uses the model as it is so far; results improve as training continues",
            lambda: perform("meanwhile"),
            main=True,
        )
        self._going = QtWidgets.QWidget()
        note = label("You can use Krita, or close it: training continues.", faint=True)
        column(self._going, self.bar, self.state, self.sample, self.meanwhile, row(self.pause, self.cancel), note)
        column(self, self._start, self._going).addStretch(1)
        self._fit()
        self.time.setCurrentIndex(1)

    def _fit(self) -> None:
        """Times that the chosen method offers, and a sentence about it."""
        name = str(self.method.currentData())
        if name == self._fitted:
            return
        self._fitted = name
        counts = (("1 minute", 1), ("2 minutes", 2), ("5 minutes", 5), ("20 minutes", 20))
        entries = [*((text, ("", count * MINUTE)) for text, count in counts), ("1 hour", ("", 60 * MINUTE))]
        if name in (DEEPSIM, ANALOGY):
            entries.append(("Full quality (hours)", ("paper", 0.0)))
        refill(self.time, entries)
        about = {
            REFINE: "Keeps the picture's own pixels, and matches their light and colours.",
            DEEPSIM: "A network repaints everything: it needs time, and preferably a graphics card.",
            ANALOGY: "For other pictures' layouts, and for areas that grow.",
        }
        self.explained.setText(about.get(name, ""))
        self.explained.setVisible(name in about)

    @property
    def options(self) -> TrainOptions:
        """What is set."""
        recipe, seconds = self.time.currentData()
        return TrainOptions(str(self.method.currentData()), recipe, seconds, str(self.device.currentData()))

    def show_methods(self, methods: list[dict[str, Any]], devices: list[dict[str, Any]]) -> None:
        """What the engine can train, and on what. `methods` and `devices` are those of the verb `methods`."""
        self._methods = methods
        offer(self.device, devices)
        cards = [str(entry.get("name")) for entry in devices if entry.get("kind") == "cuda"]
        told = "Graphics card: %s" % ", ".join(cards)
        self.devices.setText(told if cards else "No graphics card can be used here: training runs on the processor.")
        self.devices.setVisible(True)

    @property
    def asked(self) -> bool:
        """Whether it is known what the engine can train."""
        return self._methods is not None

    def _offer(self, planes: Any) -> None:
        """Offer the methods that can do something with these planes."""
        entries = []
        for method in self._methods or ():
            name, title = str(method["name"]), str(method["title"])
            if method["needs_training"] and set(planes) & {str(plane["name"]) for plane in method["planes"]}:
                entries.append((TITLES.get(name, title), name))
        known = list(TITLES)
        entries.sort(key=lambda entry: known.index(entry[1]) if entry[1] in known else len(known))
        if entries:
            refill(self.method, entries)
            self._fit()

    def show_workspace(self, ws: Workspace) -> None:
        """Show how far this document's training is."""
        job = ws.job if ws.job is not None and ws.job.under_way else None
        self._start.setVisible(job is None)
        self._going.setVisible(job is not None)
        if job is None:
            if self._methods is not None:
                self._offer(ws.planes)
            if ws.record.models:
                self.about.setText("Train again, longer or with another method.")
            else:
                self.about.setText("The underdrawing is there. Start editing; training gives better results later.")
            self.train.setEnabled(not ws.busy)
            self.draft.setEnabled(not ws.busy)
            return
        self.bar.setValue(round(job.fraction * 1000))
        self.state.setText(job.text)
        self.meanwhile.setVisible(job.usable_early)
        self.sample.set_image(ws.sample)
        paused = job.state == "paused"
        self.pause.setText("Go on" if paused else "Pause")
        self.pause.setEnabled(not job.stopping)
        self.cancel.setEnabled(job.stopping != "cancel")
