"""Live Underdrawing: a window that follows the painting, and a layer that shows what becomes of it."""

from __future__ import annotations

import time
from typing import Any

from . import apply, apply_dialog, layers, pixels, record, widgets
from .apply import Options, Result
from .client.call import Call as Request
from .client.call import Reply
from .client.engine import FOREVER
from .client.frames import Frame
from .client.job_status import JobStatus
from .client.messages import EngineError
from .gi import Gimp, GLib, gtk
from .picture_view import PictureView
from .pixels import Rect
from .plugin import Call
from .service import Background
from .transform_bridge import Bridge
from .transform_dialog import followed

SIDE = 420, 280  # pixels of the preview on the screen, at least
SHOWN = 840  # pixels of its longer side that are kept for the screen
LOOK = 150  # milliseconds between looks at the layers, at least
SHARE = 4  # looking may take one part of so many of the time: large pictures are looked at less often
NAME = "Live result"


def run(call: Call) -> tuple[Any, ...]:
    """The procedure `underdrawing-live`: how many times the result was refreshed, and the last milliseconds.

    Without a person: refreshes once and ends.
    """
    known = followed(call)
    canvas = Canvas(call.image, known)
    follower = Follower(call.image, known, canvas)
    if call.interactive:
        if Window(call.image, known, follower).run():
            apply_dialog.apply_edit(call, record.need(call.image, call.drawables), [], Options())
    else:
        follower.run_once()
    return follower.count, follower.milliseconds


class Canvas:
    """The layer with the live result. Its pixels change without steps in the undo history: its place never does."""

    def __init__(self, image: Gimp.Image, known: record.Record) -> None:
        self.image, self.known = image, known
        self.shown = Rect(0, 0, 0, 0)
        self.layer = self._find() or self._make()

    def _find(self) -> Gimp.Layer | None:
        size = (self.known.region.width, self.known.region.height)
        for layer in record.all_layers(self.image.get_layers()):
            fits = (layer.get_width(), layer.get_height()) == size and layer.get_mask() is not None
            if record.marked(layer, record.LIVE) == self.known.id and fits:
                self.shown = Rect(0, 0, *size)
                return layer
        return None

    def _make(self) -> Gimp.Layer:
        source = record.source(self.image, self.known)
        below = layers.top(self.image, self.known)
        area, at = self.known.region, record.place(self.image, self.known)
        picture = pixels.read(source, area)
        mask = Frame(area.width, area.height, "L", "u8", bytes(area.width * area.height))
        inside = Rect(0, 0, area.width, area.height)
        layer = layers.result_layer(self.image, self.known, NAME, picture, mask, at, inside)
        record.mark(layer, record.LIVE, self.known.id)
        with layers.no_step(self.image):
            layers.insert_beside(self.image, layer, below)
        return layer

    def remove(self) -> None:
        """Take the layer away again, without a step in the undo history."""
        if self.image.is_valid() and self.layer.is_valid():
            with layers.no_step(self.image):
                self.image.remove_layer(self.layer)

    def show(self, result: Result | None) -> None:
        """Put a result there; None for none."""
        if not any(layer.get_id() == self.layer.get_id() for layer in record.all_layers(self.image.get_layers())):
            self.shown = Rect(0, 0, 0, 0)
            self.layer = self._make()
        mask = self.layer.get_mask()
        if not self.shown.empty:
            black = Frame(self.shown.width, self.shown.height, "L", "u8", bytes(self.shown.width * self.shown.height))
            pixels.write_mask(mask, black, self.shown.x, self.shown.y)
        self.shown = Rect(0, 0, 0, 0)
        if result is not None:
            source, region = record.source(self.image, self.known), self.known.region
            picture = result.picture
            if source.has_alpha():
                picture = pixels.with_alpha_of(picture, pixels.read(source, result.at.moved(region.x, region.y)))
            pixels.write(self.layer, picture, result.at.x, result.at.y)
            pixels.write_mask(mask, result.mask, result.at.x, result.at.y)
            self.shown = result.at
        Gimp.displays_flush()


class Follower:
    """Looks at the layers, asks the engine when they or the model have changed, and shows the newest answer."""

    def __init__(self, image: Gimp.Image, known: record.Record, canvas: Canvas) -> None:
        self.image, self.known, self.canvas = image, known, canvas
        self.background = Background()
        self.bridge = Bridge.of(self.background.engine, known)
        self.request: Request | None = None
        self.progress = ""  # of the training, as long as it goes on
        self.watched = self.waiting = False  # its training is followed; there is nothing to apply of it yet
        self.error: EngineError | None = None
        self.nothing = False
        self.count = self.milliseconds = 0
        self.seen: Any = None
        self.asked = 0.0
        self.changed: Any = None  # called after every answer

    def follow(self) -> None:
        """Refresh whenever the model is better, too: the event `usable`, and the end of the training."""

        def on_event(event: dict[str, Any]) -> None:
            if event["event"] == "progress":
                status = JobStatus("", "", state="running").after(event)
                self.progress = status.text
                if self.waiting and status.phase == "training":
                    self.seen = None  # the first model is there before training begins
            elif event["event"] == "usable":
                self.seen = None

        def done(reply: Reply | None, _: EngineError | None) -> None:
            # Without an answer the training is one of long ago; there is nothing to wait for.
            self.progress, self.watched = "", False
            if reply is not None and reply.body["state"] == "done":
                self.seen = None

        if self.known.job:
            self.watched = True
            body = {"job": self.known.job}
            self.background.ask("watch", body, done, deadline=FOREVER, on_event=on_event)

    def _newest_model(self) -> None:
        """Go over to another model where a new one was trained meanwhile."""
        now = record.read_by_id(self.image, self.known.id)
        if now is not None and now.model and (now.model, now.job) != (self.known.model, self.known.job):
            self.known = self.canvas.known = now
            self.bridge, self.seen = Bridge.of(self.background.engine, now), None
            self.follow()

    def look(self) -> float:
        """Ask the engine where anything has changed since it was asked last; how many seconds looking took."""
        began = time.monotonic()
        if self.request is not None:
            return 0.0
        self._newest_model()
        try:
            edit = apply.gather(self.image, self.known, self.bridge)
            wanted, frames = apply.request(edit, Options(), 0)
            took = time.monotonic() - began
            if wanted != self.seen:
                self.seen, self.asked = wanted, began
                self.request = self.background.begin(wanted, self._answered, frames)
            return took
        except EngineError as error:
            self._over(None, error)
            return time.monotonic() - began

    def _answered(self, reply: Reply | None, error: EngineError | None) -> None:
        self.request = None
        if not self.image.is_valid():
            return  # the window closes itself
        if reply is not None:
            try:
                self._over(self.bridge.result(apply.result_of(reply, self.background.picture)), None)
                return
            except EngineError as fault:
                error = fault
        self._over(None, error)

    def _over(self, result: Result | None, error: EngineError | None) -> None:
        self.nothing = error is not None and error.code == "nothing_edited"
        self.waiting = self.watched and error is not None and error.code in ("unknown_model", "still_learning")
        self.error = None if error is None or self.nothing or self.waiting else apply.explained(error)
        if result is not None or self.nothing:
            self.canvas.show(result)
            self.count += 1
            self.milliseconds = round(1000 * (time.monotonic() - self.asked))
        if self.changed is not None:
            self.changed()

    def run_once(self) -> None:
        """One refresh, for scripts.

        Raises:
            EngineError: why there is none.
        """
        self.look()
        while self.request is not None:
            self.background.engine.process(0.05)
            GLib.MainContext.default().iteration(False)
        self.background.close()
        if self.error is not None:
            raise self.error


class Window:
    """The window: the picture as it becomes, how long it took, and a pause."""

    def __init__(self, image: Gimp.Image, known: record.Record, follower: Follower) -> None:
        Gtk = gtk()[0]
        self.image, self.known, self.follower = image, known, follower
        self.loop = GLib.MainLoop()
        self.paused, self.open, self.applying = False, True, False
        self.preview = PictureView("Paint on the underdrawing: the picture follows.", *SIDE)
        self.state = widgets.label("", wrap=52)
        self.progress = widgets.label("", wrap=52)
        self.wrong = widgets.label("", wrap=52)
        self.pause = Gtk.ToggleButton.new_with_mnemonic("_Pause")
        self.pause.connect("toggled", lambda one: setattr(self, "paused", one.get_active()))
        keep = widgets.button("_Apply", self._apply)
        keep.set_tooltip_text("Close this window, and keep the result on a layer.")
        close = widgets.button("_Close", self._close)
        content = widgets.column(spacing=widgets.GAP)
        content.pack_start(self.preview.box, True, True, 0)
        for text in (self.state, self.progress, self.wrong):
            content.pack_start(text, False, False, 0)
        self.window = widgets.window(
            "Live Underdrawing of “%s”" % record.title(image),
            "underdrawing-live",
            content,
            [self.pause, close, keep],
            self._closed,
        )
        self.window.show_all()
        self.wrong.hide()
        self.progress.hide()
        source = record.source(image, known)
        self.base = pixels.small_frame(source, known.region, SHOWN)
        self.preview.set_from_pixbuf(widgets.pixbuf(self.base))
        follower.changed = self._changed
        self.state.set_text("Looking for the engine…")

    def run(self) -> bool:
        """Follow until the window is closed; whether the edit is to be applied then."""
        self.follower.follow()
        GLib.timeout_add(LOOK, self._look)
        self.loop.run()
        self.follower.background.close()
        self.follower.canvas.remove()
        self.window.destroy()
        return self.applying and self.image.is_valid()

    def _look(self) -> bool:
        if not self.open:
            return False
        if not self.image.is_valid():
            self.window.close()
            return False
        took = 0.0 if self.paused else self.follower.look()
        self._show_progress()
        GLib.timeout_add(max(LOOK, round(1000 * took * SHARE)), self._look)
        return False

    def _changed(self) -> None:
        widgets.show_error(self.wrong, self.follower.error)
        if self.follower.error is not None:
            return
        if self.follower.waiting:
            self.state.set_text("Training has begun. The result appears as soon as there is a model.")
        elif self.follower.nothing:
            self.state.set_text("Nothing is painted yet.")
        else:
            self.state.set_text("The result is up to date.")
        self._show_progress()
        made = widgets.pixbuf(self.base)
        layer = self.follower.canvas.layer
        whole = Rect(0, 0, layer.get_width(), layer.get_height())
        over = pixels.small_frame(layer, whole, SHOWN)
        mask = pixels.small_mask(layer.get_mask(), whole, SHOWN)
        if (over.width, over.height) == (self.base.width, self.base.height):
            shown = widgets.pixbuf(over, 0, mask)
            size = (made.get_width(), made.get_height())
            shown.composite(made, 0, 0, *size, 0.0, 0.0, 1.0, 1.0, gtk()[2].InterpType.NEAREST, 255)
        self.preview.set_from_pixbuf(made)

    def _show_progress(self) -> None:
        """That the result gets better, as long as training goes on."""
        text = self.follower.progress
        self.progress.set_text(text and text + ". The result gets better meanwhile.")
        self.progress.set_visible(bool(text))

    def _apply(self) -> None:
        self.applying = True
        self.window.close()

    def _close(self) -> None:
        self.window.close()

    def _closed(self) -> None:
        self.open = False
        self.loop.quit()
