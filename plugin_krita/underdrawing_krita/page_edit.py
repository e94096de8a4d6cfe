"""The docker's third page: paint on the underdrawing, watch, apply."""

from __future__ import annotations

from typing import Any, Callable

from .document_model import Workspace
from .flow import Flow
from .make_primitive import BOTH, NAMES
from .page_tools import Tools
from .palette_bar import PaletteBar
from .qt import QtWidgets
from .record import PLANES
from .ui_state import ApplyOptions, Live
from .widgets import Fold, button, choice, column, form, label, named, refill, row, spin, toggle

VIEWS = ((255, "underdrawing"), (BOTH, "both"), (0, "picture"))  # opacity of the underdrawing


class EditPage(QtWidgets.QWidget):
    """What to paint on and with, Live, Apply, and what is folded away."""

    def __init__(self, perform: Callable[..., Any]) -> None:
        super().__init__()
        self._perform = perform
        self.model = choice("model", "Which of this picture's models paints", [])
        self.model.activated.connect(lambda *_: perform("choose_model"))
        self.more = button("train_more", "Train…", "Train again, or longer", lambda: perform("train_more"))
        self.training = label("", "training", faint=True)
        self._planes: dict[str, Any] = {}
        paint = Flow()
        tips = {
            "segments": "Paint on the flat areas, with the colours below",
            "edges": "Paint on the outlines: dark lines on white, white to erase",
            "paint": "Paint on the flat picture, with any colour",
        }
        for name in PLANES:
            made = toggle("paint_" + name, NAMES[name], tips[name])
            made.clicked.connect(lambda *_, name=name: perform("paint_on", name))
            self._planes[name] = made
            paint.addWidget(made)
        self.palette_bar = PaletteBar(lambda colour: perform("take_colour", colour))
        titles = {
            "underdrawing": ("Underdrawing", "See the underdrawing alone"),
            "both": ("Both", "See the picture through the underdrawing"),
            "picture": ("Picture", "See the picture; you still paint on the underdrawing"),
        }
        self._views: dict[str, Any] = {}
        view = row()
        for _, name in VIEWS:
            made = toggle("view_" + name, *titles[name])
            made.clicked.connect(lambda *_, name=name: perform("view", name))
            self._views[name] = made
            view.addWidget(made)
        self.live = toggle("live", "Live", "The picture follows the brush: each stroke is painted as soon as it ends")
        self.live.setMinimumHeight(int(self.live.fontMetrics().height() * 2.1))
        self.live.clicked.connect(lambda *_: perform("live"))
        self.apply = button(
            "apply",
            "Apply",
            "Makes a layer of what follows from the underdrawing. The picture itself is not touched",
            lambda: perform("apply"),
            main=True,
        )
        self.speed = label("", "live_state", faint=True)
        self.keep = named(
            QtWidgets.QCheckBox("Keep the last result"),
            "keep",
            "Applying again adds a layer; otherwise it takes the place of the last one",
        )
        self.options_fold = self._options()
        self.tools = Tools(perform)
        column(
            self,
            row(self.model, self.more, stretch=0),
            self.training,
            _heading("Paint on"),
            paint,
            self.palette_bar,
            _heading("See"),
            view,
            row(self.live, self.apply, stretch=1),
            self.speed,
            self.keep,
            self.options_fold,
            *self.tools.folds,
        ).addStretch(1)

    def _options(self) -> Fold:
        self.grow = spin("grow", "Widens the edit by so many pixels, and takes nothing else along", -1, 500, -1, " px")
        self.grow.setSpecialValueText("automatic")
        self.feather = spin("feather", "Width of the soft border inside the edit", 0, 200, 3, " px")
        self.blend = choice(
            "blend",
            "How the border of the edit meets the picture",
            [("Soft border", "none"), ("Match colours (Poisson)", "poisson")],
        )
        self.mask_mode = choice(
            "mask_mode",
            "What a selection does",
            [
                ("Limits the edit", "limit"),
                ("Repaint the selection only", "only"),
                ("Selection plus edit", "add"),
            ],
        )
        self.fill = choice(
            "fill",
            "What fills the ground that an edit uncovers",
            [("From the picture", "draft"), ("LaMa, where installed", "lama")],
        )
        self.whole = named(
            QtWidgets.QCheckBox("Repaint the whole picture"), "whole", "Not the edit alone, but everything"
        )
        settings = form(
            ("Grow", self.grow),
            ("Feather", self.feather),
            ("Blend", self.blend),
            ("Selection", self.mask_mode),
            ("Uncovered ground", self.fill),
        )
        return Fold("options_fold", "Options", "Grow, feather, blend, selection, fill", settings, self.whole)

    @property
    def options(self) -> ApplyOptions:
        """What is set."""
        return ApplyOptions(
            int(self.grow.value()),
            float(self.feather.value()),
            str(self.blend.currentData()),
            bool(self.whole.isChecked()),
            str(self.mask_mode.currentData()),
            str(self.fill.currentData()),
        )

    def show_workspace(self, ws: Workspace) -> None:
        """Show what there is to paint on and with."""
        refill(self.model, _models(ws), ws.record.model)
        job = ws.job if ws.job is not None and ws.job.under_way else None
        self.training.setVisible(job is not None)
        self.training.setText("" if job is None else job.text)
        self.more.setText("Train…" if job is None else "Show")
        planes, active = ws.planes, ws.document.activeNode()
        for name, made in self._planes.items():
            made.setVisible(name in planes)
            made.setChecked(active is not None and name in planes and planes[name] == active)
        self.palette_bar.show_palette(ws.record.palette if "segments" in planes else ())
        group = ws.group
        for opacity, name in VIEWS:
            self._views[name].setVisible(group is not None)
            self._views[name].setChecked(group is not None and group.opacity() == opacity)
        on = ws.live in (Live.WATCHING, Live.ASKING)
        self.live.setChecked(on)
        self.apply.setEnabled(not ws.busy)
        self.apply.setText("Applying…" if ws.busy else "Apply")
        self.speed.setText(_speed(ws))
        self.speed.setToolTip(_parts_of_time(ws))
        self.speed.setVisible(on)
        self.tools.show_workspace(ws)


def _heading(text: str) -> Any:
    return label(text, faint=True, wrap=False)


def _models(ws: Workspace) -> list[Any]:
    """This picture's models, the newest first."""
    entries = []
    known = {
        "draft": "draft",
        "refine": "light and colours",
        "deepsim": "repaint freely",
        "sia": "new layouts",
    }
    for number, model in reversed(list(enumerate(ws.record.models, 1))):
        kind = known.get(model.method, model.method or model.name)
        entries.append(("%d · %s" % (number, kind), model.id))
    return entries


def _speed(ws: Workspace) -> str:
    """How Live keeps up."""
    split = ws.split
    if ws.live is Live.ASKING and not split.total:
        return "Painting…"
    if not split.total:
        return "Live: paint, and lift the brush."
    return "Updated in %.1f s" % split.total


def _parts_of_time(ws: Workspace) -> str:
    """What Live's last update spent its time on."""
    split = ws.split
    if not split.total:
        return ""
    text = "Milliseconds: look %d, read %d, send %d, model %d, write %d"
    parts = (split.poll, split.read, split.send, split.infer, split.write)
    return text % tuple(round(part * 1000) for part in parts)
