"""The window while a model is trained without an underdrawing: progress, a sample, pause and cancel."""

from __future__ import annotations

from typing import Any, Callable

from . import single_image, training, widgets
from .client.engine import Reply
from .client.frames import Frame
from .client.messages import EngineError
from .gi import GLib, breathe, gtk
from .plugin import Call, CancelledError
from .service import Background
from .single_image import Standing

SIDE = 320  # pixels of the sample on the screen
NEXT = "The result follows when training is done."
STAYS = "Training goes on when this window or GIMP is closed. Choose “%s” again to see the progress."


class Window:
    """Follows one training. All of it happens in this thread; the engine is looked at from a timer."""

    def __init__(self, call: Call, found: Standing, small: Frame, text: str) -> None:
        Gtk = gtk()[0]
        self.found, self.text = found, text
        self.background = Background()
        self.loop = GLib.MainLoop()
        self.last: dict[str, Any] | None = None
        self.error: EngineError | None = None
        self.paused = False
        entry = call.entry.label.replace("_", "").rstrip("…")
        sample, self.sample = widgets.picture_box("The picture", SIDE)
        self.caption = sample.get_children()[0]
        self.headline = widgets.label()
        self.bar = Gtk.ProgressBar(show_text=True)
        self.bar.set_text("Looking for the engine…")
        self.note = widgets.label()
        self.pause = widgets.button("_Pause", self._pause)
        self.cancel = widgets.button("_Cancel Training", self._cancel)
        self.close = widgets.button("Cl_ose", self._close)
        more = widgets.label(NEXT + "\n\n" + STAYS % entry)
        right = widgets.column(self.headline, self.bar, self.note, more, spacing=widgets.GAP)
        right.set_size_request(340, -1)
        content = Gtk.Box(orientation=Gtk.Orientation.HORIZONTAL, spacing=widgets.GAP * 2)
        content.pack_start(sample, False, False, 0)
        content.pack_start(right, True, True, 0)
        buttons = [self.cancel, self.pause, self.close]
        self.window = widgets.window(entry, "underdrawing-single", content, buttons, self.loop.quit)
        self.window.set_resizable(False)
        self.sample.set_from_pixbuf(widgets.pixbuf(small, SIDE))
        self._headline(text)
        self.window.show_all()
        self.note.hide()

    def run(self) -> None:
        """Show it until the training is over.

        Raises:
            EngineError: the training failed, and why.
            CancelledError: the window was closed, or the training cancelled.
        """
        self._follow()
        self.loop.run()
        self.background.close()
        self.window.destroy()
        breathe()
        if self.error is not None:
            raise self.error
        if self.last is None or self.last["state"] in ("cancelled", "paused"):
            raise CancelledError
        single_image.ended(self.last)

    def _headline(self, text: str) -> None:
        self.headline.set_markup("<b>%s</b>" % GLib.markup_escape_text(text))

    # --- answers of the engine

    def _follow(self) -> None:
        body = {"job": self.found.job}
        self.background.ask("watch", body, self._watched, deadline=training.FOREVER, on_event=self._event)

    def _watched(self, reply: Reply | None, error: EngineError | None) -> None:
        self.last, self.error = (reply.body if reply is not None else None), error
        if self.last is not None and self.last["state"] == "paused":
            self.paused = True
            self._headline("Paused")
            self.bar.set_text("Nothing is lost.")
            self.pause.set_label("_Keep Training")
            self.pause.set_sensitive(True)
            return
        self.loop.quit()

    def _event(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if kind == "progress":
            self.bar.set_fraction(min(1.0, max(0.0, float(event.get("fraction") or 0))))
            self.bar.set_text(training.progress_text(event))
        elif kind == "state" and event.get("state") == "queued":
            self.bar.set_text("Waiting for another training to end")
        elif kind == "state" and event.get("sample"):
            self.background.fetch(str(event["sample"]), self._sampled)
        elif kind == "sample":
            self.background.fetch(str(event["hash"]), self._sampled)
        elif kind == "note":
            self.note.set_text(str(event["text"]))
            self.note.show()

    def _sampled(self, reply: Reply | None, error: EngineError | None) -> None:
        if reply is not None and reply.frames and reply.frames[0].depth == "u8":
            self.sample.set_from_pixbuf(widgets.pixbuf(reply.frames[0], SIDE))
            self.caption.set_text("What the model makes so far")

    # --- what a person does

    def _close(self) -> None:
        self.window.close()

    def _pause(self) -> None:
        if self.paused:
            self.paused = False
            self._headline(self.text)
            self.bar.set_text("Going on…")
            self.pause.set_label("_Pause")
            self.background.ask("resume", {"job": self.found.job}, self._then(self._follow))
            return
        self.pause.set_sensitive(False)
        self.bar.set_text("Pausing…")
        self.background.ask("pause", {"job": self.found.job}, self._then(lambda: None))

    def _cancel(self) -> None:
        more = "The model is deleted."
        if widgets.ask(self.window, "Cancel training?", more, "_Cancel Training", "_Keep Training"):
            self.cancel.set_sensitive(False)
            waits = not self.paused  # for the end of the training, which then tells of it
            self.background.ask(
                "cancel", {"job": self.found.job}, self._then(lambda: None if waits else self.loop.quit())
            )

    def _then(self, go_on: Callable[[], None]) -> Callable[[Reply | None, EngineError | None], None]:
        def done(_: Reply | None, error: EngineError | None) -> None:
            if error is not None and error.code != "job_ended":
                self.error = error
                self.loop.quit()
            else:
                go_on()

        return done
