"""Engine and Models: what runs, which models there are, and what can be done with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

from . import widgets
from .client import endpoint
from .client.call import Reply
from .client.labels import duration
from .client.messages import EngineError
from .diagnostics import diagnostics
from .gi import GLib, gtk
from .service import Background

AGAIN = 2000  # milliseconds between looks at the engine
COLUMNS = ("Name", "Method", "Size", "Trained for", "On the disk", "Date")
ENDING = ".underdrawing"


class Window:
    """The window; not modal."""

    def __init__(self) -> None:
        Gtk = gtk()[0]
        self.background = Background()
        self.loop = GLib.MainLoop()
        self.status: dict[str, Any] = {}
        self.listed: list[dict[str, Any]] = []
        self.state = widgets.label("Looking for the engine…", wrap=90)
        self.wrong = widgets.label("", wrap=90)
        self.store = Gtk.ListStore(str, *[str for _ in COLUMNS])
        self.view = Gtk.TreeView(model=self.store)
        for number, title in enumerate(COLUMNS):
            column = Gtk.TreeViewColumn(title, Gtk.CellRendererText(), text=number + 1)
            column.set_resizable(True)
            column.set_expand(number == 0)
            self.view.append_column(column)
        scrolled = Gtk.ScrolledWindow(min_content_width=640, min_content_height=220)
        scrolled.set_shadow_type(Gtk.ShadowType.IN)
        scrolled.add(self.view)
        self.for_one = [
            widgets.button("_Rename…", self._rename),
            widgets.button("_Delete…", self._delete),
            widgets.button("_Export…", self._export),
        ]
        library = widgets.row(*self.for_one, widgets.button("_Import…", self._import))
        engine = widgets.row(
            widgets.button("_Free Memory", lambda: self._do("unload", {})),
            widgets.button("S_top Engine", self._stop),
            widgets.button("Copy Dia_gnostics", self._copy),
            widgets.button("Open _Log", self._log),
        )
        content = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=widgets.GAP)
        for widget, grows in ((self.state, False), (self.wrong, False), (scrolled, True), (library, False)):
            content.pack_start(widget, grows, grows, 0)
        content.pack_start(engine, False, False, 0)
        close = widgets.button("_Close", self._close)
        self.window = widgets.window("Engine and Models", "underdrawing-engine", content, [close], self.loop.quit)
        self.window.show_all()
        self.wrong.hide()
        self.view.get_selection().connect("changed", lambda _: self._chosen_changed())
        self._chosen_changed()

    def run(self) -> None:
        """Show it until it is closed."""
        self._look()
        timer = GLib.timeout_add(AGAIN, self._look)
        self.loop.run()
        GLib.source_remove(timer)
        self.background.close()
        self.window.destroy()

    def _close(self) -> None:
        self.window.close()

    # --- what is shown

    def _look(self) -> bool:
        if not self.background.engine.session.calls:
            self.background.ask("status", {}, self._status)
            self.background.ask("models.list", {}, self._models)
        return True

    def _status(self, reply: Reply | None, error: EngineError | None) -> None:
        if reply is None:
            self.state.set_text("The engine does not run.")
            widgets.show_error(self.wrong, error)
            return
        self.status = reply.body
        self.state.set_text("\n".join(status_lines(reply.body)))

    def _models(self, reply: Reply | None, error: EngineError | None) -> None:
        if reply is None or reply.body["models"] == self.listed:
            return
        chosen = self._chosen()
        self.listed = list(reply.body["models"])
        self.store.clear()
        for model in reversed(self.listed):
            row = self.store.append(model_row(model))
            if chosen and model["id"] == chosen["id"]:
                self.view.get_selection().select_iter(row)

    def _chosen(self) -> dict[str, Any] | None:
        store, row = self.view.get_selection().get_selected()
        identity = store[row][0] if row is not None else ""
        return next((model for model in self.listed if model["id"] == identity), None)

    def _chosen_changed(self) -> None:
        for entry in self.for_one:
            entry.set_sensitive(self._chosen() is not None)

    # --- what a person does

    def _do(self, verb: str, body: dict[str, Any]) -> None:
        self.background.ask(verb, body, self._done)

    def _done(self, reply: Reply | None, error: EngineError | None) -> None:
        widgets.show_error(self.wrong, error)
        self._look()

    def _rename(self) -> None:
        Gtk = gtk()[0]
        model = self._chosen()
        if model is None:
            return
        dialog = Gtk.Dialog(title="Rename Model", transient_for=self.window, modal=True)
        dialog.add_button("_Cancel", Gtk.ResponseType.CANCEL)
        dialog.add_button("_Rename", Gtk.ResponseType.OK)
        dialog.set_default_response(Gtk.ResponseType.OK)
        entry = Gtk.Entry(text=model["name"], max_length=120, activates_default=True)
        content = widgets.form([("_Name", entry)])
        content.set_border_width(widgets.GAP)
        dialog.get_content_area().add(content)
        dialog.show_all()
        answer, name = dialog.run(), entry.get_text()
        dialog.destroy()
        if answer == Gtk.ResponseType.OK:
            self._do("models.rename", {"model": model["id"], "name": name})

    def _delete(self) -> None:
        model = self._chosen()
        if model is None:
            return
        more = "The model is deleted for good. The picture itself is not touched."
        if widgets.ask(self.window, "Delete the model “%s”?" % model["name"], more, "_Delete"):
            self._do("models.delete", {"model": model["id"]})

    def _export(self) -> None:
        model = self._chosen()
        if model is None:
            return
        path = self._file("Export Model", True, model["name"].replace("/", "-") + ENDING)
        if path is not None:
            self._now(lambda: self.background.engine.export_model(model["id"], path))

    def _import(self) -> None:
        path = self._file("Import Model", False, "")
        if path is not None:
            self._now(lambda: self.background.engine.import_model(path))

    def _file(self, title: str, save: bool, name: str) -> Path | None:
        Gtk = gtk()[0]
        action = Gtk.FileChooserAction.SAVE if save else Gtk.FileChooserAction.OPEN
        dialog = Gtk.FileChooserDialog(title=title, transient_for=self.window, action=action, modal=True)
        dialog.add_button("_Cancel", Gtk.ResponseType.CANCEL)
        dialog.add_button("_Export" if save else "_Import", Gtk.ResponseType.OK)
        if save:
            dialog.set_current_name(name)
            dialog.set_do_overwrite_confirmation(True)
        answer, chosen = dialog.run(), dialog.get_filename()
        dialog.destroy()
        return Path(chosen) if answer == Gtk.ResponseType.OK and chosen else None

    def _now(self, work: Callable[[], dict[str, Any]]) -> None:
        """Files of models are some megabytes from this very machine: waiting for them is short."""
        error = None
        try:
            told = work().get("note")
            if told:
                self.wrong.set_text(str(told))
                self.wrong.show()
                return
        except EngineError as fault:
            error = fault
        widgets.show_error(self.wrong, error)

    def _stop(self) -> None:
        more = "Training goes on when the engine is started again."
        if widgets.ask(self.window, "Stop the engine?", more, "_Stop"):
            self._do("shutdown", {})
            self.window.close()

    def _copy(self) -> None:
        Gtk, Gdk = gtk()[:2]
        clipboard = Gtk.Clipboard.get(Gdk.SELECTION_CLIPBOARD)
        clipboard.set_text(diagnostics(self.status), -1)
        clipboard.store()
        self.wrong.set_text("Copied.")
        self.wrong.show()

    def _log(self) -> None:
        path = endpoint.home() / "logs" / "engine.log"
        try:
            gtk()[0].show_uri_on_window(self.window, path.as_uri(), 0)
        except GLib.Error as error:
            hint = "No program opens it: %s." % error.message
            widgets.show_error(self.wrong, EngineError("file", "The log is %s." % path, hint))


def status_lines(status: dict[str, Any]) -> tuple[str, ...]:
    """The engine's state as a person reads it."""
    renderer = status.get("renderer") or {}
    memory = status["memory"] + renderer.get("memory", 0) + (status.get("worker") or {}).get("memory", 0)
    first = "The engine %s runs since %s, with %s of memory; %s are free on the disk." % (
        status["version"],
        duration(status["uptime"]),
        size_text(memory),
        size_text(status["free"]),
    )
    loaded = [entry["model"] for entry in renderer.get("loaded") or []]
    second = "Loaded models: %d. " % len(set(loaded)) if loaded else "No model is loaded. "
    second += "Results come from: %s." % renderer["device"] if renderer.get("device") else ""
    running = ["“%s” (%s)" % (job["name"], job["state"]) for job in status["jobs"]]
    third = "In training: %s." % ", ".join(running) if running else "No training is under way."
    return first, second, third


def model_row(model: dict[str, Any]) -> list[str]:
    """One line of the list."""
    seconds = model.get("seconds")
    return [
        model["id"],
        model["name"],
        model["method"],
        "%d × %d" % (model["width"], model["height"]),
        duration(seconds) if seconds else "at once",
        size_text(model["bytes"]),
        str(model["created"])[:16].replace("T", " "),
    ]


def size_text(count: float) -> str:
    """Bytes as a person says them."""
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return "%.1f %s" % (count / size, unit)
    return "%d kB" % max(1, round(count / 1e3))
