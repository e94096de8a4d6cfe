"""The docker's page for what needs no underdrawing: choose a use, set it, press its button, see how far it is."""

from __future__ import annotations

from typing import Any, Callable

from . import layers
from .client.job_status import JobStatus
from .client.labels import COUNT, FRAMES, FREEDOM, LIGHT, duration
from .devices import device_choice, offer
from .document_model import Workspace
from .generate import NAME
from .generate_labels import ABOUT, BUTTONS, TITLES, WAYS
from .generate_tasks import ORIGINAL_BELOW, ORIGINAL_TRAINED, Use, Wish
from .interpolate_options import Way
from .meta_models import Maker
from .page_interpolate import BetweenPart
from .qt import Qt, QtWidgets
from .widgets import button, choice, column, form, label, named, percent, refill, row, spin

MINUTE = 60.0
MOST_SIDE = 16384  # pixels


class AlonePage(QtWidgets.QWidget):
    """The uses; each shows only what belongs to it."""

    def __init__(self, perform: Callable[..., Any]) -> None:
        super().__init__()
        self._sized = ""
        self._makers: tuple[Maker, ...] | None = None
        self._times_of_refining = False
        self._of_maker = ""  # the folder's model that this document used last
        back = fold_button("alone_back", "Back", "Back to the underdrawing", Qt.ArrowType.LeftArrow)
        back.clicked.connect(lambda *_: perform("alone_back"))
        self.use = choice("alone_use", "What is to be done", [(text, use.value) for use, text in TITLES.items()])
        self.about = label("", "alone_about", faint=True)
        self.layer = choice("alone_layer", "The layer that was pasted, edited or painted", [])
        self.original = choice("alone_original", "Where the picture is without this layer; the training uses it", [])
        self.picture = choice("alone_picture", "The picture that is used", [])
        self.count = spin("alone_count", "How many variations are made", 1, 16, COUNT)
        self.freedom = percent("alone_freedom", "Left: faithful to the picture. Right: free", FREEDOM)
        self.hints = percent("alone_hints", "Left: the painting's forms are kept. Right: they are hints", FREEDOM)
        self.light = percent("alone_light", "How much of the surrounding light and colour it takes on", LIGHT)
        self.width_ = spin("alone_width", "Width of the new picture", 16, MOST_SIDE, 800, " px")
        self.height_ = spin("alone_height", "Height of the new picture", 16, MOST_SIDE, 600, " px")
        self.times = choice(
            "alone_times",
            "How much larger the new picture is",
            [("2 times", 2), ("3 times", 3), ("4 times", 4)],
        )
        self.frames = spin("alone_frames", "How many frames; 12 of them make a second", 2, 240, FRAMES)
        self.start_from = choice(
            "alone_from",
            "Train on this picture, or use what a folder model makes of it immediately",
            [],
        )
        self.time = choice("alone_time", "How long to train, once: longer gives better results", [])
        self.device = device_choice("alone_device")
        self.seed = spin("alone_seed", "Another number gives another result", 0, 99999, 0)
        self.between = BetweenPart(self, perform)
        self.between.wanted.connect(lambda: perform("between_look"))
        self.between.changed.connect(self._changed)
        way = self.between
        some = (Use.HARMONIZE, Use.BLEND, Use.REPAINT)
        rows = (
            ("Layer", self.layer, some),
            ("Original", self.original, some),
            ("Picture", self.picture, (Use.VARY, Use.RESIZE, Use.ANIMATE, Use.ENLARGE, Use.BETWEEN)),
            ("Other", way.other, (Use.BETWEEN,)),
            ("Model", way.model, (Use.BETWEEN,)),
            ("Changes", way.scales, (Use.BETWEEN,)),
            ("Make", way.way, (Use.BETWEEN,)),
            ("How many", way.count, (Use.BETWEEN,)),
            ("Frames", way.frames, (Use.BETWEEN,)),
            ("Freedom", way.freedom, (Use.BETWEEN,)),
            ("How many", self.count, (Use.VARY,)),
            ("Freedom", self.freedom, (Use.VARY, Use.ANIMATE)),
            ("Freedom", self.hints, (Use.REPAINT,)),
            ("Light", self.light, (Use.HARMONIZE,)),
            ("Width", self.width_, (Use.RESIZE,)),
            ("Height", self.height_, (Use.RESIZE,)),
            ("Size", self.times, (Use.ENLARGE,)),
            ("Frames", self.frames, (Use.ANIMATE,)),
            ("Start from", self.start_from, tuple(use for use in Use if use.at_once)),
            ("Train for", self.time, tuple(use for use in Use if use is not Use.BETWEEN)),
            ("On", self.device, tuple(use for use in Use if use is not Use.BETWEEN)),
            ("Seed", self.seed, (*some, Use.VARY, Use.RESIZE, Use.ANIMATE, Use.BETWEEN)),
        )
        self._rows = [(label(text, wrap=False), widget, uses) for text, widget, uses in rows]
        self._form = form()
        self.fine_tune = named(
            QtWidgets.QCheckBox("Fine-tune on this composite"),
            "alone_fine_tune",
            "Trains further on this very picture: about a minute more each time, for a closer fit",
        )
        self.network_picture = named(
            QtWidgets.QCheckBox("Network's own picture"),
            "alone_network_picture",
            "Shows what the network makes, without the picture's brushwork; published recipes always do",
        )
        self.start = button("alone", "", "", lambda: perform("alone"), main=True)
        self.note = label("", "alone_note", faint=True)
        self._settings = QtWidgets.QWidget()
        boxes = (self.fine_tune, self.network_picture)
        column(
            self._settings, self.use, self.about, way.missing, self._form, *boxes, way.look_at, self.start, self.note
        )
        for name, widget, _ in self._rows:
            # Rows that are not shown have their place as well: without one they would be windows.
            name.setParent(self._settings)
            widget.setParent(self._settings)
        self.bar = named(QtWidgets.QProgressBar(), "alone_progress", "How much of it is done")
        self.bar.setRange(0, 1000)
        self.state = label("", "alone_state")
        self.pause = button(
            "alone_pause",
            "Pause",
            "Keeps the training so far, and frees the computer",
            lambda: perform("alone_control", "pause"),
        )
        self.cancel = button(
            "alone_cancel", "Cancel", "Ends it; nothing is changed", lambda: perform("alone_control", "cancel")
        )
        self._meanwhile = label("", "alone_meanwhile", faint=True)
        self._going = QtWidgets.QWidget()
        self._doing = label("")
        for text in (self.state, self._meanwhile):
            # Room for two lines, whatever is said: else what changes from one to two is cut for a moment.
            text.setMinimumHeight(2 * text.fontMetrics().lineSpacing() + 2)
            text.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        column(self._going, self._doing, self.bar, self.state, row(self.pause, self.cancel), self._meanwhile)
        column(self, back, self._settings, self._going).addStretch(1)
        self.use.currentIndexChanged.connect(lambda *_: self._use_chosen())
        self.start_from.currentIndexChanged.connect(lambda *_: self._start_chosen())
        self.time.currentIndexChanged.connect(lambda *_: self._fit_start())
        self.picture.currentIndexChanged.connect(lambda *_: self._changed())
        self.seed.valueChanged.connect(lambda *_: self._changed())
        self._fit()

    @property
    def chosen(self) -> Use:
        """The use that is set."""
        return Use(str(self.use.currentData()))

    @property
    def maker(self) -> str:
        """The id of the folder's model that is set, or ""."""
        box = self.between.model if self.chosen is Use.BETWEEN else self.start_from
        return str(box.currentData() or "") if self.chosen is not Use.ENLARGE else ""

    @property
    def seen(self) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """What the preview of a way depends on; and of it what says which pictures these are."""
        ends = (self._sized, self.picture.currentData(), self.between.other.currentData())
        return (*ends, self.maker, self.between.wish.scales, self.between.freedom.value, int(self.seed.value())), ends

    @property
    def wish(self) -> Wish:
        """What is set."""
        use, maker = self.chosen, self.maker
        freedom = {Use.BETWEEN: self.between.freedom, Use.REPAINT: self.hints}.get(use, self.freedom)
        return Wish(
            use,
            str((self.layer if use.on_picture else self.picture).currentData() or ""),
            str(self.original.currentData() or ORIGINAL_BELOW),
            bool(self.fine_tune.isChecked()) and use in (Use.HARMONIZE, Use.BLEND) and not maker,
            int(self.count.value()),
            freedom.value / 100,
            (int(self.width_.value()), int(self.height_.value())),
            int(self.times.currentData()),
            int(self.frames.value()),
            float(self.time.currentData() or 0.0),
            int(self.seed.value()),
            self.light.value / 100,
            maker=maker,
            device=str(self.device.currentData()),
            between=self.between.wish,
            network_picture=bool(self.network_picture.isChecked()),
        )

    def choose(self, use: Use) -> None:
        """Set a use."""
        self.use.setCurrentIndex(list(TITLES).index(use))

    def show_makers(self, makers: tuple[Maker, ...] | None, error: str = "") -> None:
        """The folders' models that the engine has; None where it did not say, and maybe why."""
        if makers is not None or self._makers is None:
            self._makers = makers
            self.between.show_makers(makers, error)
            self._fit()

    def show_devices(self, devices: list[dict[str, Any]]) -> None:
        """What the engine can train on: `devices` of the verb `methods`."""
        offer(self.device, devices)

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
        refill(self.layer, [("The active layer", ""), *found])
        refill(self.picture, [("All that is seen", ""), *found])
        before = [("What lies below", ORIGINAL_BELOW), ("As in the training", ORIGINAL_TRAINED)]
        trained = ws.record.at_once if self.maker else ws.record.alone
        refill(self.original, [*(before if trained else before[:1]), *found])
        if self._sized != ws.key:
            self._sized, self._of_maker = ws.key, ws.record.maker
            self._fit()
            width, height = ws.size
            self.width_.setValue(min(MOST_SIDE, width + width // 2))
            self.height_.setValue(min(MOST_SIDE, height))
        self.between.show_workspace(ws, found, str(self.picture.currentData() or ""))
        self._changed()

    def _show_going(self, job: JobStatus | None, ws: Workspace) -> None:
        going = ws.going
        self._doing.setText(TITLES[ws.wished] if ws.wished is not None else "Training")
        done, training = going.done if going is not None else 0.0, job is not None and job.under_way
        self.bar.setRange(0, 1000 if training or done else 0)
        self.bar.setValue(round(done * 1000))
        self.state.setText(job.text if job is not None and training else going.text if going is not None else "")
        closed = "You can use Krita meanwhile, or close it: training continues."
        self._meanwhile.setText(closed if training else "You can use Krita meanwhile.")
        self.pause.setVisible(training)
        self.pause.setText("Go on" if job is not None and job.state == "paused" else "Pause")
        self.pause.setEnabled(job is None or not job.stopping)
        self.cancel.setEnabled(going is not None and (job is None or job.stopping != "cancel"))

    def _use_chosen(self) -> None:
        self.between.forget()
        self._fit()
        self._changed()

    def _start_chosen(self) -> None:
        self._of_maker = str(self.start_from.currentData() or "")
        self._fit_start()

    def _changed(self) -> None:
        """Something of the way between two pictures may be set differently."""
        if self.chosen is not Use.BETWEEN:
            return
        way = self.between.wish.way
        for widget, ways_ in ((self.between.count, (Way.LAYERS,)), (self.between.frames, (Way.CLIP,))):
            self._show_row(widget, way in ways_ and bool(self._makers))
        self._say_button(*WAYS[way])
        if self._makers and not self.isHidden():
            self.between.look(*self.seen)

    def _fit(self) -> None:
        """Only what belongs to the use."""
        use = self.chosen
        missing = use is Use.BETWEEN and not self._makers
        fitting = [maker for maker in self._makers or () if maker.serves(use)]
        entries = [("At once, by “%s”" % maker.name, maker.id) for maker in fitting]
        blocked = self.start_from.blockSignals(True)
        refill(self.start_from, [("Train this picture", ""), *entries])
        self.start_from.setCurrentIndex(max(0, self.start_from.findData(self._of_maker)))
        self.start_from.blockSignals(blocked)
        # Rows that are merely hidden would leave their gaps.
        while self._form.rowCount():
            self._form.takeRow(0)
        for name, widget, uses in self._rows:
            wanted = use in uses and not missing and (widget is not self.start_from or bool(fitting))
            if wanted:
                self._form.addRow(name, widget)
            name.setVisible(wanted)
            widget.setVisible(wanted)
        self.about.setText(ABOUT[use])
        self.between.missing.setVisible(missing)
        self.between.look_at.setVisible(use is Use.BETWEEN and not missing)
        self.start.setVisible(not missing)
        self._say_button(*BUTTONS[use])
        self._fit_start()
        self._changed()

    def _fit_start(self) -> None:
        """What depends on whether the model is trained, or made by a folder model."""
        use, at_once = self.chosen, bool(self.maker)
        minutes = (("1 minute", MINUTE), ("10 minutes", 10 * MINUTE), ("1 hour", 60 * MINUTE))
        usual = ("%s (usual)" % duration(use.seconds), 0.0)
        before = ("Not at all", 0.0)
        times = [before, *minutes] if at_once else [minutes[0], usual, *minutes[1:]]
        if use is not Use.BETWEEN:
            # A time that was meant for training is none for refining, and the other way round.
            same = at_once == self._times_of_refining
            self._times_of_refining = at_once
            refill(self.time, times, (self.time.currentData() or 0.0) if same else 0.0)
        self.device.setEnabled(bool(self.time.currentData()) or not at_once)  # else nothing is trained
        tip = "How long to train, once: longer gives better results"
        refined = "How long the new model is refined on this picture before it is used, once"
        self.time.setToolTip(refined if at_once else tip)
        name = next(name for name, widget, _ in self._rows if widget is self.time)
        name.setText("Refine for" if at_once else "Train for")
        tuned = use in (Use.HARMONIZE, Use.BLEND)
        self.fine_tune.setVisible(tuned and not at_once)
        note = "The training is done once; after that a result takes seconds."
        if use is Use.BETWEEN:
            note = "No training: the folder model makes it."
        elif at_once:
            note = "The model is made immediately. It is a starting point: a trained one does better."
            note += " " + "Fine-tuning on the composite needs a trained one." if tuned else ""
        self.note.setText(note)
        self.note.setVisible(self.between.missing.isHidden())

    def _show_row(self, widget: Any, wanted: bool) -> None:
        """Show a row, or take it out."""
        name = next(name for name, other, _ in self._rows if other is widget)
        there = self._form.indexOf(widget) >= 0
        if wanted and not there:
            self._form.insertRow(self._form.getWidgetPosition(self.between.way)[0] + 1, name, widget)
        elif there and not wanted:
            self._form.takeRow(widget)
        name.setVisible(wanted)
        widget.setVisible(wanted)

    def _say_button(self, text: str, tip: str) -> None:
        self.start.setText(text)
        self.start.setToolTip(tip)
        self.start.setAccessibleName(tip)


def fold_button(name: str, text: str, tip: str, arrow: Any) -> Any:
    """A line to press, with an arrow; it looks like the heading of a fold."""
    made = named(QtWidgets.QToolButton(), name, tip)
    made.setText(text)
    made.setAutoRaise(True)
    made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    made.setArrowType(arrow)
    made.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Fixed)
    return made
