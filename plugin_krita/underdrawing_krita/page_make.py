"""The docker's first page: make an underdrawing, or use layers that the user drew."""

from __future__ import annotations

from typing import Any, Callable

from . import layers
from .document_model import Workspace
from .qt import QtCore, QtWidgets
from .ui_state import MakeOptions
from .widgets import Fold, ImageView, Slider, button, choice, column, form, label, refill

SETTLE = 400  # milliseconds without a change before a preview is made
FINEST, COARSEST = 3, 60  # of outlines: tenths of a pixel of blur


class MakePage(QtWidgets.QWidget):
    """Kind, number of areas, strength of outlines, preview."""

    wanted_preview = QtCore.pyqtSignal()

    def __init__(self, perform: Callable[[str], Any]) -> None:
        super().__init__()
        self.layer = choice("picture", "The layer that holds the picture", [])
        self.kind = choice(
            "kind",
            "What the underdrawing shows",
            [
                ("Areas and outlines", "super"),
                ("Areas", "segments"),
                ("Outlines", "edges"),
                ("Flat paint", "paint"),
            ],
        )
        self.regions = Slider("regions", "Into how many areas the picture is divided", 2, 40, 12)
        self.sigma = Slider(
            "sigma",
            "How fine outlines are: fine ones show every edge, coarse ones the large shapes",
            FINEST,
            COARSEST,
            5,
            lambda v: "%.1f" % (v / 10),
        )
        self.colours = Slider("colours", "In how many colours the picture is painted", 2, 32, 8)
        self._form = form(
            ("Picture", self.layer),
            ("Show", self.kind),
            ("Areas", self.regions),
            ("Outlines", self.sigma),
            ("Colours", self.colours),
        )
        self.preview = ImageView("preview", "What the underdrawing will look like", 240, "Preview")
        self.start = button(
            "start",
            "Start editing",
            "Makes the underdrawing and a draft model, in seconds",
            lambda: perform("start"),
            main=True,
        )
        self.make = button(
            "make",
            "Underdrawing only",
            "Puts the underdrawing on top of the layers, without a model",
            lambda: perform("make"),
        )
        self.known_text = label("", "known_text")
        self.known = choice("known", "Which model of this picture is used", [])
        use_known = button(
            "use_known",
            "Use this model",
            "Restores the model's underdrawing, ready to be painted on, without training again",
            lambda: perform("use_known"),
            main=True,
        )
        self._before = QtWidgets.QWidget()
        column(self._before, self.known_text, self.known, use_known)
        self._before.setVisible(False)
        self.chosen: dict[str, Any] = {
            "segments": choice("use_segments", "Your layer with flat areas", []),
            "edges": choice("use_edges", "Your layer with dark outlines on white or on nothing", []),
            "paint": choice("use_paint", "Your layer with free colour", []),
        }
        use = button(
            "use_layers",
            "Use these layers",
            "Takes layers that you drew yourself as the underdrawing; they stay as they are",
            lambda: perform("use_layers"),
        )
        fold = Fold(
            "use_fold",
            "Use layers of my own",
            "For underdrawings that you drew yourself",
            form(
                ("Areas", self.chosen["segments"]),
                ("Outlines", self.chosen["edges"]),
                ("Paint", self.chosen["paint"]),
            ),
            use,
        )
        about = label(
            "An underdrawing is the drawing under a painting. Make one of your picture, and paint on it later.",
            faint=True,
        )
        column(self, about, self._before, self._form, self.preview, self.start, self.make, fold).addStretch(1)
        self._settle = QtCore.QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE)
        self._settle.timeout.connect(self.wanted_preview.emit)
        for signal in (self.layer.currentIndexChanged, self.kind.currentIndexChanged):
            signal.connect(lambda *_: self._changed())
        for slider in (self.regions, self.sigma, self.colours):
            slider.changed.connect(self._changed)
        self._fit()

    @property
    def options(self) -> MakeOptions:
        """What is set."""
        return MakeOptions(str(self.kind.currentData()), self.regions.value, self.sigma.value / 10, self.colours.value)

    @property
    def picture(self) -> str:
        """The id of the chosen layer, or ""."""
        return str(self.layer.currentData() or "")

    @property
    def own_layers(self) -> dict[str, str]:
        """By plane, the id of the layer that was chosen for it, or ""."""
        return {name: str(box.currentData() or "") for name, box in self.chosen.items()}

    def show_workspace(self, ws: Workspace) -> None:
        """Show the layers of this document."""
        found = layers.choices(ws.document, ws.own)
        active = ws.document.activeNode()
        wanted = self.picture
        known = {entry.id for entry in found}
        if wanted not in known:
            first = layers.identity(active) if active is not None else ""
            wanted = ws.record.picture if ws.record.picture in known else first
        refill(self.layer, [(entry.name, entry.id) for entry in found], wanted)
        for box in self.chosen.values():
            refill(box, [("none", ""), *((entry.name, entry.id) for entry in found)])
        self.start.setEnabled(not ws.busy)
        self.make.setEnabled(not ws.busy)
        before = [model for model in ws.known if model.layer == self.picture]
        self._before.setVisible(bool(before))
        if before:
            refill(self.known, [("%s · %s" % (m.name, _day(m.created)), m.id) for m in before])
            self.known.setVisible(len(before) > 1)
            newest = before[0]
            text = "There is a model of this picture: “%s”, %s." % (newest.name, _day(newest.created))
            several = "There are models of this picture:"
            self.known_text.setText(text if len(before) == 1 else several)

    def ask_preview(self) -> None:
        """A preview is wanted soon."""
        self._settle.start()

    def _changed(self) -> None:
        self._fit()
        if self.isVisible():
            self._settle.start()

    def _fit(self) -> None:
        kind = self.kind.currentData()
        for widget, kinds in (
            (self.regions, ("super", "segments")),
            (self.sigma, ("super", "edges")),
            (self.colours, ("paint",)),
        ):
            widget.setVisible(kind in kinds)
            self._form.labelForField(widget).setVisible(kind in kinds)


def _day(created: str) -> str:
    """A moment of ISO 8601 as people here write days."""
    moment = QtCore.QDateTime.fromString(created, QtCore.Qt.DateFormat.ISODate).toLocalTime()
    return str(QtCore.QLocale().toString(moment, QtCore.QLocale.FormatType.ShortFormat))
