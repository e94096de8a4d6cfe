"""The window of Train on This Picture: options, then progress, while GIMP stays usable."""

from __future__ import annotations

from enum import Enum
from typing import Any, Callable

from . import device_choice, pixels, record, training, transform_detection, widgets
from .client.call import Call as Request
from .client.call import Reply
from .client.engine import FOREVER
from .client.frames import Frame
from .client.job_status import JobStatus
from .client.labels import model_name
from .client.messages import EngineError
from .gi import Gimp, GLib, gtk
from .notices import say
from .service import Background
from .training import Material, TrainingOptions

LONGEST = 54  # characters of a method in the list
SIDE = 320  # pixels of the sample on the screen
TIMES = (
    ("0", "The method’s own time"),
    ("30", "30 seconds"),
    ("120", "2 minutes"),
    ("300", "5 minutes"),
    ("900", "15 minutes"),
    ("3600", "1 hour"),
    ("14400", "4 hours"),
)
USABLE = "The model can already be used. Results get better until training is done."
STAYS = "Training goes on when this window or GIMP is closed. Open it again to see the progress."


class State(Enum):
    """What the window shows."""

    ASKING = "asking"  # there is no trained model: which options?
    WAITING = "waiting"  # for the engine's answer
    TRAINING = "training"
    PAUSED = "paused"
    TRAINED = "trained"


class Window:
    """The window. All of it happens in this thread; the engine is looked at from a timer."""

    def __init__(self, image: Gimp.Image, known: record.Record) -> None:
        Gtk = gtk()[0]
        self.image, self.known = image, record.as_now(image, known)
        known = self.known
        self.background = Background()
        self.loop = GLib.MainLoop()
        self.state, self.job, self.last = State.WAITING, known.job, ""
        self.status = JobStatus(known.job, known.model)
        self.recipes: list[tuple[str, str]] = [("", "")]
        self.watch: Request | None = None
        sample, self.sample = widgets.picture_box("The picture", SIDE)
        self.caption = sample.get_children()[0]
        self.headline = widgets.label()
        self.more = widgets.label()
        self.wrong = widgets.label()
        self.bar = Gtk.ProgressBar(show_text=True)
        self.name = Gtk.Entry(text=model_name(record.title(self.image)), max_length=120, activates_default=True)
        self.method = widgets.choice([("0", "Automatic")])
        for cell in self.method.get_cells():
            # The window must not grow when the methods arrive: what is under the pointer stays there.
            for name, value in (("ellipsize", 3), ("width-chars", 36), ("max-width-chars", 36)):
                cell.set_property(name, value)
        self.time = widgets.choice(TIMES)
        self.device = widgets.choice(device_choice.DEVICE.choices)
        self.form = widgets.form(
            [("_Name", self.name), ("_Method", self.method), ("T_ime", self.time), ("_Device", self.device)]
        )
        self.go = widgets.button("_Train", self._begin)
        self.pause = widgets.button("_Pause", self._pause)
        self.cancel = widgets.button("_Cancel Training", self._cancel)
        right = widgets.column(self.headline, self.form, self.bar, self.more, self.wrong, spacing=widgets.GAP)
        right.set_size_request(340, -1)
        content = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=widgets.GAP * 2)
        content.pack_start(sample, False, False, 0)
        content.pack_start(right, True, True, 0)
        title = "Train on “%s”" % record.title(self.image)
        close = widgets.button("Cl_ose", self._close)
        self.window = widgets.window(
            title, "underdrawing-train", content, [self.cancel, self.pause, close, self.go], self.loop.quit
        )
        self.window.set_resizable(False)
        self.go.set_can_default(True)
        self.window.set_default(self.go)
        self.window.show_all()
        self._picture(pixels.small_frame(record.source(self.image, known), known.region, SIDE))
        self.method.connect("changed", lambda _: self._method_changed())
        self._show(State.WAITING, "Looking for the engine…")

    def run(self) -> tuple[Any, ...]:
        """Show it until it is closed: model, job, state, notes."""
        GLib.timeout_add(widgets.LOOK, self._look)
        self.background.ask("jobs", {}, self._found_jobs)
        self.background.ask("methods", {}, self._found_methods, deadline=120.0)
        self.loop.run()
        self.background.close()
        self.window.destroy()
        return self.known.model, self.job, self.last or self.state.value, ""

    def _look(self) -> bool:
        """Close the window after the picture."""
        if self.image.is_valid():
            return True
        if self.state is State.TRAINING:
            say(["The picture was closed. Training goes on."])
        self.loop.quit()
        return False

    def _close(self) -> None:
        self.window.close()

    # --- what is shown

    def _show(self, state: State, headline: str, more: str = "") -> None:
        self.state = state
        asking = state in (State.ASKING, State.TRAINED)
        self.headline.set_markup("<b>%s</b>" % GLib.markup_escape_text(headline))
        self.more.set_text(more)
        self.more.set_visible(bool(more))
        self.form.set_visible(asking)
        self.bar.set_visible(state in (State.TRAINING, State.PAUSED))
        self.go.set_visible(asking or state is State.PAUSED)
        self.go.set_label({State.TRAINED: "_Train Again", State.PAUSED: "_Resume"}.get(state, "_Train"))
        self.go.set_use_underline(True)
        self.pause.set_visible(state is State.TRAINING)
        self.pause.set_sensitive(True)
        self.cancel.set_visible(state in (State.TRAINING, State.PAUSED))
        self.cancel.set_sensitive(True)
        if state is not State.ASKING:
            widgets.show_error(self.wrong, None)

    def _explain(self) -> None:
        """What there is to know while it trains."""
        if self.state is State.TRAINING:
            usable = USABLE if self.status.usable >= 0 else ""
            self.more.set_text("\n\n".join(filter(None, (usable, *self.status.notes[-1:], STAYS))))

    def _asking(self, error: EngineError | None = None) -> None:
        self._show(State.ASKING, "No model is trained on this picture yet.", STAYS)
        widgets.show_error(self.wrong, error)

    def _trained(self, text: str) -> None:
        self._show(State.TRAINED, text, "Paint on the underdrawing, then choose Filters > Underdrawing > Apply Edit.")

    # --- answers of the engine

    def _found_methods(self, reply: Reply | None, error: EngineError | None) -> None:
        if reply is None:
            return
        drawn = set(record.planes(self.image, self.known))
        entries = [("0", "Automatic")]
        for method in reply.body["methods"]:
            taken = {plane["name"] for plane in method["planes"]}
            if not taken & drawn:
                continue
            for recipe in method["recipes"]:
                self.recipes.append((method["name"], recipe["name"]))
                text = "%s, %s: %s" % (method["name"], recipe["name"], recipe["title"])
                entries.append(
                    (str(len(self.recipes) - 1), text if len(text) <= LONGEST else text[: LONGEST - 1] + "…")
                )
        active = self.method.get_active_id()
        self.method.remove_all()
        for identity, text in entries:
            self.method.append(identity, text)
        self.method.set_active_id(active)
        device_choice.offer(self.device, reply.body)

    def _method_changed(self) -> None:
        method, _ = self.recipes[int(self.method.get_active_id() or 0)]
        self.time.set_sensitive(method != training.DRAFT)

    def _found_jobs(self, reply: Reply | None, error: EngineError | None) -> None:
        if reply is None:
            self._asking(error)
            return
        mine = [JobStatus.of(job) for job in reply.body["jobs"] if job["job"] == self.known.job]
        if mine and mine[0].under_way:
            self.status = mine[0]
            if mine[0].state == "paused":
                self._ended_or_not()
            else:
                self._follow()
        else:
            self._compare()

    def _compare(self) -> None:
        """Whether a model knows the picture as it is now."""
        if not self.known.model:
            self._asking()
            return
        try:
            found = transform_detection.look(self.background.engine, self.image, self.known)
        except EngineError as error:
            self._asking(error)
            return
        self.known = found.known
        name = found.model["name"] if found.model is not None else ""
        if found.model is not None and found.model["method"] == training.DRAFT:
            self._show(State.ASKING, "Edits use an instant draft. Training makes them better.", STAYS)
        elif found.model is not None and found.same:
            text = "The model “%s” is trained on this picture."
            if self.known.way is not None:
                text = "The model “%s” is used. The picture was cropped, scaled or turned since its training."
            self._trained(text % name)
            self.last = "done"
        elif found.model is not None and found.certain:
            self._trained("The model “%s” is used. The picture was retouched since its training." % name)
            self.last = "done"
        elif found.model is not None:
            self._show(State.ASKING, "The picture changed since “%s” was trained." % name, STAYS)
        else:
            self._asking()

    def _event(self, event: dict[str, Any]) -> None:
        before, self.status = self.status, self.status.after(event)
        if self.state is not State.TRAINING or event["event"] == "state":
            self._ended_or_not()
        self.bar.set_fraction(self.status.fraction)
        self.bar.set_text(self.status.text)
        if self.status.sample and self.status.sample != before.sample:
            self.background.fetch(self.status.sample, self._sampled)
        self._explain()

    def _sampled(self, reply: Reply | None, error: EngineError | None) -> None:
        if reply is not None and reply.frames and reply.frames[0].depth == "u8":
            self._picture(reply.frames[0])
            self.caption.set_text("What the model makes of the underdrawing so far")

    def _picture(self, frame: Frame) -> None:
        self.sample.set_from_pixbuf(widgets.pixbuf(frame, SIDE))

    def _ended_or_not(self) -> None:
        """Show how far the training is."""
        status = self.status
        self.last = status.state
        if status.state in ("queued", "running"):
            self._show(State.TRAINING, "Training “%s”" % (status.name or self.name.get_text()), STAYS)
        elif status.state == "paused":
            self._show(State.PAUSED, "Paused", status.text)
            self.bar.set_text("Paused")
        elif status.state == "done":
            self._trained("The model “%s” is trained." % status.name)
        else:
            self._asking(status.error)

    # --- what a person does

    def _follow(self) -> None:
        self.watch = self.background.ask(
            "watch", {"job": self.job}, self._watched, deadline=FOREVER, on_event=self._event
        )

    def _watched(self, reply: Reply | None, error: EngineError | None) -> None:
        self.watch = None
        if reply is not None:
            self.status = JobStatus.of(reply.body)
            self._ended_or_not()
        else:
            self._asking(error)

    def _begin(self) -> None:
        if self.state is State.PAUSED:
            self._show(State.TRAINING, "Training “%s”" % self.name.get_text(), STAYS)
            self.bar.set_text("Resuming…")
            self.background.ask("resume", {"job": self.job}, self._then(self._follow))
            return
        method, recipe = self.recipes[int(self.method.get_active_id() or 0)]
        budget = 0.0 if method == training.DRAFT else float(self.time.get_active_id())
        options = TrainingOptions(method, recipe, budget, self.device.get_active_id(), self.name.get_text())
        self._show(State.WAITING, "Sending the picture…")
        self.background.ask("models.list", {}, lambda reply, error: self._send(options, reply, error))

    def _send(self, options: TrainingOptions, reply: Reply | None, error: EngineError | None) -> None:
        if reply is None:
            self._asking(error)
            return
        try:
            given = training.material(self.image, self.known)
        except EngineError as fault:
            self._asking(fault)
            return
        models = reply.body["models"]
        frames = [given.picture, *given.planes.values()]
        wanted = training.request(self.image, options, given, [model["name"] for model in models])

        def train(meanwhile: str) -> None:
            self.background.begin(wanted, lambda reply, error: self._begun(given, meanwhile, reply, error), frames)

        def drafted(reply: Reply | None, error: EngineError | None) -> None:
            if reply is None:
                self._asking(error)
            else:
                train(str(reply.body["model"]))

        meanwhile = training.stopgap(given, models)
        if meanwhile or options.method == training.DRAFT or not training.can_draft(given):
            train("" if options.method == training.DRAFT else meanwhile)
        else:
            first = training.request(self.image, training.draft_options(self.image), given, ())
            self.background.begin(first, drafted, frames)

    def _begun(self, given: Material, meanwhile: str, reply: Reply | None, error: EngineError | None) -> None:
        if reply is None:
            self._asking(error)
            return
        if self.image.is_valid():
            self.known = training.remember(self.image, given, reply.body, meanwhile)
        self.job = str(reply.body["job"])
        self._follow()

    def _pause(self) -> None:
        self.pause.set_sensitive(False)
        self.bar.set_text("Pausing…")
        self.background.ask("pause", {"job": self.job}, self._then(lambda: None))

    def _cancel(self) -> None:
        more = "The model is deleted."
        if widgets.ask(self.window, "Cancel training?", more, "_Cancel Training", "_Keep Training"):
            self.cancel.set_sensitive(False)
            self.background.ask("cancel", {"job": self.job}, self._then(self._cancelled))

    def _cancelled(self) -> None:
        if self.watch is None:  # it was paused: nobody else tells of it
            self._asking()

    def _then(self, go_on: Callable[[], None]) -> Callable[[Reply | None, EngineError | None], None]:
        def done(reply: Reply | None, error: EngineError | None) -> None:
            if error is not None:
                self._asking(error)
            else:
                go_on()

        return done
