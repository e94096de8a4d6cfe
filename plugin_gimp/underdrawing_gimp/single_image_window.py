"""The window while a model is trained without an underdrawing: progress, a sample, pause and cancel."""

from __future__ import annotations

from typing import Any, Callable

from . import widgets
from .client.call import Reply
from .client.engine import FOREVER
from .client.ensure_model import Follow
from .client.frames import Frame
from .client.job_status import JobStatus
from .client.messages import EngineError
from .gi import GLib, breathe, gtk
from .plugin import Call, CancelledError
from .record import need_open
from .service import Background

SIDE = 320  # pixels of the sample on the screen
NEXT = "The result follows when training is done."
STAYS = "Training goes on when this window or GIMP is closed. Choose “%s” again to see the progress."


class Window:
    """Follows one training. All of it happens in this thread; the engine is looked at from a timer."""

    def __init__(self, call: Call, asked: Follow, small: Frame) -> None:
        Gtk = gtk()[0]
        self.image, self.status, self.text = call.image, asked.status, asked.title
        self.background = Background()
        self.loop = GLib.MainLoop()
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
        self._headline(self.text)
        self.window.show_all()
        self.note.hide()

    def run(self) -> JobStatus:
        """Show it until the training is over: how it ended.

        Raises:
            EngineError: it cannot be followed, or the picture was closed meanwhile.
            CancelledError: the window was closed, or the training cancelled.
        """
        self._follow()
        self.loop.run()
        self.background.close()
        self.window.destroy()
        breathe()
        if self.error is not None:
            raise self.error
        if self.status.state not in ("done", "failed"):
            raise CancelledError
        need_open(self.image)
        return self.status

    def _headline(self, text: str) -> None:
        self.headline.set_markup("<b>%s</b>" % GLib.markup_escape_text(text))

    # --- answers of the engine

    def _follow(self) -> None:
        body = {"job": self.status.job}
        self.background.ask("watch", body, self._watched, deadline=FOREVER, on_event=self._event)

    def _watched(self, reply: Reply | None, error: EngineError | None) -> None:
        self.error = error
        if reply is not None:
            self.status = JobStatus.of(reply.body)
        if self.status.state == "paused" and error is None:
            self.paused = True
            self._headline("Paused")
            self.bar.set_text(self.status.text)
            self.pause.set_label("_Keep Training")
            self.pause.set_sensitive(True)
            return
        self.loop.quit()

    def _event(self, event: dict[str, Any]) -> None:
        before, self.status = self.status, self.status.after(event)
        self.bar.set_fraction(self.status.fraction)
        self.bar.set_text(self.status.text)
        if self.status.sample != before.sample:
            self.background.fetch(self.status.sample, self._sampled)
        if self.status.notes:
            self.note.set_text(self.status.notes[-1])
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
            self.bar.set_text("Resuming…")
            self.pause.set_label("_Pause")
            self.background.ask("resume", {"job": self.status.job}, self._then(self._follow))
            return
        self.pause.set_sensitive(False)
        self.bar.set_text("Pausing…")
        self.background.ask("pause", {"job": self.status.job}, self._then(lambda: None))

    def _cancel(self) -> None:
        more = "The model is deleted."
        if widgets.ask(self.window, "Cancel training?", more, "_Cancel Training", "_Keep Training"):
            self.cancel.set_sensitive(False)
            waits = not self.paused  # for the end of the training, which then tells of it
            done = self._then(lambda: None if waits else self.loop.quit())
            self.background.ask("cancel", {"job": self.status.job}, done)

    def _then(self, go_on: Callable[[], None]) -> Callable[[Reply | None, EngineError | None], None]:
        def done(_: Reply | None, error: EngineError | None) -> None:
            if error is not None and error.code != "job_ended":
                self.error = error
                self.loop.quit()
            else:
                go_on()

        return done
