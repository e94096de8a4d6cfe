"""The docker's page for what needs no underdrawing: choose a use, set it, press its button, see how far it is."""

from __future__ import annotations

from typing import Any, Callable

from . import layers
from .alone import NAME
from .page_learn import state_of
from .qt import Qt, QtWidgets
from .state import Job
from .texts import duration, tr
from .uses import ORIGINAL_BELOW, ORIGINAL_LEARNT, Use, Wish
from .widgets import Slider, button, choice, column, form, label, named, refill, row, spin
from .workspace import Workspace

MINUTE = 60.0
MOST_SIDE = 16384  # pixels


class AlonePage(QtWidgets.QWidget):
    """Seven uses; each shows only what belongs to it."""

    def __init__(self, perform: Callable[..., Any]) -> None:
        super().__init__()
        self._sized = ""
        back = fold_button("alone_back", tr("Back"), tr("Back to the underdrawing"), Qt.ArrowType.LeftArrow)
        back.clicked.connect(lambda *_: perform("alone_back"))
        self.use = choice("alone_use", tr("What is to be done"), [(text, use.value) for use, text in titles().items()])
        self.about = label("", "alone_about", faint=True)
        self.layer = choice("alone_layer", tr("The layer that was pasted, edited or painted"), [])
        self.original = choice(
            "alone_original", tr("Where the picture is without this layer; it is what is learnt"), []
        )
        self.picture = choice("alone_picture", tr("What is learnt"), [])
        self.count = spin("alone_count", tr("How many variations are made"), 1, 16, 4)
        self.freedom = Slider(
            "alone_freedom",
            tr("Left: faithful to the picture. Right: as free as the model can"),
            0,
            100,
            30,
            lambda v: "%d %%" % v,
        )
        self.light = Slider(
            "alone_light",
            tr("How much of its surroundings' light and colour it takes on: left none, right all of it"),
            0,
            100,
            80,
            lambda v: "%d %%" % v,
        )
        self.width_ = spin("alone_width", tr("Width of the new picture"), 16, MOST_SIDE, 800, tr(" px"))
        self.height_ = spin("alone_height", tr("Height of the new picture"), 16, MOST_SIDE, 600, tr(" px"))
        self.times = choice(
            "alone_times",
            tr("How much larger the new picture is"),
            [(tr("2 times"), 2), (tr("3 times"), 3), (tr("4 times"), 4)],
        )
        self.frames = spin("alone_frames", tr("How many frames; 12 of them make a second"), 2, 240, 32)
        self.time = choice("alone_time", tr("How long the picture is learnt, once: longer gives better results"), [])
        self.seed = spin("alone_seed", tr("Another number gives another result"), 0, 99999, 0)
        some = (Use.HARMONIZE, Use.BLEND, Use.REPAINT)
        rows = (
            (tr("Layer"), self.layer, some),
            (tr("Original"), self.original, some),
            (tr("Picture"), self.picture, (Use.VARY, Use.RESIZE, Use.ANIMATE, Use.ENLARGE)),
            (tr("How many"), self.count, (Use.VARY,)),
            (tr("Freedom"), self.freedom, (Use.VARY, Use.ANIMATE)),
            (tr("Light"), self.light, (Use.HARMONIZE,)),
            (tr("Width"), self.width_, (Use.RESIZE,)),
            (tr("Height"), self.height_, (Use.RESIZE,)),
            (tr("Size"), self.times, (Use.ENLARGE,)),
            (tr("Frames"), self.frames, (Use.ANIMATE,)),
            (tr("Learn for"), self.time, tuple(Use)),
            (tr("Chance"), self.seed, (*some, Use.VARY, Use.RESIZE, Use.ANIMATE)),
        )
        self._rows = [(label(text, wrap=False), widget, uses) for text, widget, uses in rows]
        self._form = form()
        self.fine_tune = named(
            QtWidgets.QCheckBox(tr("Fine-tune on this composite")),
            "alone_fine_tune",
            tr("Goes on learning for this very picture: takes about a minute more each time, and fits better"),
        )
        self.start = button("alone", "", "", lambda: perform("alone"), main=True)
        self.note = label(tr("The picture is learnt once; after that it takes seconds."), faint=True)
        self._settings = QtWidgets.QWidget()
        column(self._settings, self.use, self.about, self._form, self.fine_tune, self.start, self.note)
        self.bar = named(QtWidgets.QProgressBar(), "alone_progress", tr("How much of it is done"))
        self.bar.setRange(0, 1000)
        self.state = label("", "alone_state")
        self.pause = button(
            "alone_pause",
            tr("Pause"),
            tr("Keeps what was learnt, and frees the computer"),
            lambda: perform("alone_control", "pause"),
        )
        self.cancel = button(
            "alone_cancel", tr("Cancel"), tr("Ends it; nothing is changed"), lambda: perform("alone_control", "cancel")
        )
        going = label(tr("You can use Krita meanwhile, or close it: the learning goes on."), faint=True)
        self._going = QtWidgets.QWidget()
        self._doing = label("")
        for text in (self.state, going):
            # Room for two lines, whatever is said: else what changes from one to two is cut for a moment.
            text.setMinimumHeight(2 * text.fontMetrics().lineSpacing() + 2)
            text.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        column(self._going, self._doing, self.bar, self.state, row(self.pause, self.cancel), going)
        column(self, back, self._settings, self._going).addStretch(1)
        self.use.currentIndexChanged.connect(lambda *_: self._fit())
        self._fit()

    @property
    def chosen(self) -> Use:
        """The use that is set."""
        return Use(str(self.use.currentData()))

    @property
    def wish(self) -> Wish:
        """What is set."""
        use = self.chosen
        return Wish(
            use,
            str((self.layer if use.on_picture else self.picture).currentData() or ""),
            str(self.original.currentData() or ORIGINAL_BELOW),
            bool(self.fine_tune.isChecked()) and use in (Use.HARMONIZE, Use.BLEND),
            int(self.count.value()),
            self.freedom.value / 100,
            (int(self.width_.value()), int(self.height_.value())),
            int(self.times.currentData()),
            int(self.frames.value()),
            float(self.time.currentData() or 0.0),
            int(self.seed.value()),
            self.light.value / 100,
        )

    def choose(self, use: Use) -> None:
        """Set a use."""
        self.use.setCurrentIndex(list(titles()).index(use))

    def show_workspace(self, ws: Workspace) -> None:
        """Show the layers of this document, or how far it is."""
        going = ws.going if ws.running(NAME) else None
        self._settings.setVisible(not ws.running(NAME))
        self._going.setVisible(ws.running(NAME))
        if ws.running(NAME):
            self._show_going(going.job if going is not None else None, ws)
            return
        mine = {*ws.record.groups, ws.record.preview}
        for ids in ws.record.planes.values():
            mine.update(ids)
        found = [(entry.name, entry.id) for entry in layers.choices(ws.document, mine)]
        refill(self.layer, [(tr("The active layer"), ""), *found])
        refill(self.picture, [(tr("All that is seen"), ""), *found])
        before = [(tr("What lies below"), ORIGINAL_BELOW), (tr("As it was learnt"), ORIGINAL_LEARNT)]
        refill(self.original, [*(before if ws.record.alone else before[:1]), *found])
        if self._sized != ws.key:
            self._sized = ws.key
            width, height = ws.size
            self.width_.setValue(min(MOST_SIDE, width + width // 2))
            self.height_.setValue(min(MOST_SIDE, height))

    def _show_going(self, job: Job | None, ws: Workspace) -> None:
        going = ws.going
        self._doing.setText(titles()[ws.wished] if ws.wished is not None else tr("Learning this picture"))
        done, learning = going.done if going is not None else 0.0, job is not None and job.alive
        self.bar.setRange(0, 1000 if learning or done else 0)
        self.bar.setValue(round(done * 1000))
        self.state.setText(state_of(job) if job is not None and learning else going.text if going is not None else "")
        self.pause.setVisible(learning)
        self.pause.setText(tr("Go on") if job is not None and job.state == "paused" else tr("Pause"))
        self.pause.setEnabled(job is None or not job.stopping)
        self.cancel.setEnabled(going is not None and (job is None or job.stopping != "cancel"))

    def _fit(self) -> None:
        """Only what belongs to the use."""
        use = self.chosen
        # Rows that are merely hidden would leave their gaps.
        while self._form.rowCount():
            self._form.takeRow(0)
        for name, widget, uses in self._rows:
            if use in uses:
                self._form.addRow(name, widget)
            name.setVisible(use in uses)
            widget.setVisible(use in uses)
        self.fine_tune.setVisible(use in (Use.HARMONIZE, Use.BLEND))
        self.about.setText(_about()[use])
        text, tip = _buttons()[use]
        self.start.setText(text)
        self.start.setToolTip(tip)
        self.start.setAccessibleName(tip)
        usual = tr("%s (usual)") % duration(use.seconds)
        times = ((tr("1 minute"), MINUTE), (usual, 0.0), (tr("10 minutes"), 10 * MINUTE), (tr("1 hour"), 60 * MINUTE))
        refill(self.time, list(times), self.time.currentData() or 0.0)


def fold_button(name: str, text: str, tip: str, arrow: Any) -> Any:
    """A line to press, with an arrow; it looks like the heading of a fold."""
    made = named(QtWidgets.QToolButton(), name, tip)
    made.setText(text)
    made.setAutoRaise(True)
    made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    made.setArrowType(arrow)
    made.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Fixed)
    return made


def titles() -> dict[Use, str]:
    """The uses in the order in which they are offered."""
    return {
        Use.HARMONIZE: tr("Harmonize a pasted layer"),
        Use.BLEND: tr("Blend a rough edit"),
        Use.REPAINT: tr("Repaint a rough painting"),
        Use.VARY: tr("Variations"),
        Use.RESIZE: tr("Any size"),
        Use.ANIMATE: tr("Animate"),
        Use.ENLARGE: tr("Enlarge"),
    }


def _about() -> dict[Use, str]:
    return {
        Use.HARMONIZE: tr("What was pasted takes on the picture's light, colours and brushwork."),
        Use.BLEND: tr("The seams of a part that was moved, cloned or stretched by hand become natural."),
        Use.REPAINT: tr("A few rough strokes become a part of the picture's world."),
        Use.VARY: tr("Other pictures of the same kind, as layers."),
        Use.RESIZE: tr("The scene in another size or shape: painted anew, not stretched."),
        Use.ANIMATE: tr("The picture moves a little, in a loop."),
        Use.ENLARGE: tr("More pixels, with fine detail after the picture's own."),
    }


def _buttons() -> dict[Use, tuple[str, str]]:
    over = tr("A new layer over this one. Outside of it nothing changes")
    return {
        Use.HARMONIZE: (tr("Harmonize"), over),
        Use.BLEND: (tr("Blend"), over),
        Use.REPAINT: (tr("Repaint"), over),
        Use.VARY: (tr("Make variations"), tr("They become the layers of a group on top")),
        Use.RESIZE: (tr("Make the new size"), tr("It becomes a document of its own")),
        Use.ANIMATE: (tr("Animate"), tr("Its frames become the layers of a document of its own")),
        Use.ENLARGE: (tr("Enlarge"), tr("It becomes a document of its own")),
    }
