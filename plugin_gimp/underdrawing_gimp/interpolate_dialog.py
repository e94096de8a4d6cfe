"""The dialog of Between Two Pictures: the other picture, the folder's model, and a slider that shows the way."""

from __future__ import annotations

from typing import Any

from . import interpolate, meta_models, other_picture, widgets
from .client.call import Reply
from .client.frames import Frame
from .client.labels import FOLDER_MODEL_HINT, NO_FOLDER_MODEL
from .client.messages import EngineError
from .dialogs import fill_in, line_up
from .flatten_view import SIDE, View
from .gi import Gimp, GObject, gtk
from .interpolate import USUAL, Form
from .interpolate_preview import Preview
from .pixels import Rect
from .plugin import Call
from .service import Background, sentence

SHOWN = ("at", "scales", "as", "count", "freedom", "seed", "network-picture")
SLIDERS = ("at", "freedom")
LOOKING = "Looking for folders' models…"
WAIT = "Looking at the way…"
READY = "At both ends are the pictures as the model makes them."
NARROW = "This picture is too narrow for this model. Choose one whose sides differ less, or select a part of it."
NO_FILE = "Choose the file with the other picture."
MODEL_TIP = "A model that was trained on a folder of pictures. It knows pictures of their kind best."
WRAP = 84  # characters of a line


def chosen(call: Call, view: View) -> tuple[dict[str, Any], Gimp.Image | None, str | None]:
    """The arguments, and the other picture: an open one, or the path of a file.

    Raises:
        CancelledError: the dialog was closed.
    """
    made: list[_Head] = []

    def prepare(dialog: Any) -> Any:
        made.append(_Head(call, dialog, view))
        return made[0].close

    if not call.config.get_property("count"):
        call.config.set_property("count", usual(call.config))
    values = fill_in(call, "Between Two Pictures", "_Make", SHOWN, prepare, SLIDERS)
    return (values, *made[0].other)


def usual(config: Gimp.ProcedureConfig) -> int:
    """How many pictures the whole way has, where nobody says it; 0 says so to scripts alone."""
    form = Form(config.get_property("as"))
    return USUAL[Form.LAYERS if form is Form.LAYER else form]


class _Head:
    """The upper part of the dialog, and what its choices lead to in the rest."""

    def __init__(self, call: Call, dialog: Any, view: View) -> None:
        Gtk = gtk()[0]
        self.call, self.dialog = call, dialog
        self.this = view.small
        self.background = Background()
        self.preview = Preview(self.background, self._came)
        self.makers: list[dict[str, Any]] | None = None
        self.wrong = ""  # about the engine
        self.unread = ""  # about the other picture
        self.target: Frame | None = None
        self.other: tuple[Gimp.Image | None, str | None] = (None, None)  # what was chosen, when the dialog is over
        self.chooser = other_picture.Chooser(call.image, self._other_chosen)
        self.model = widgets.choice([("", "")])
        self.model.remove_all()
        self.model.set_tooltip_text(MODEL_TIP)
        self.model.connect("changed", lambda one: self._model_chosen(one.get_active_id() or ""))
        boxes = [widgets.picture_box(caption, SIDE) for caption in ("This picture", "On the way", "The other picture")]
        (_, self.first), (middle, self.middle), (_, self.last) = boxes
        self.place = middle.get_children()[0]
        self.first.set_from_pixbuf(widgets.pixbuf(view.small, SIDE))
        self.note = widgets.label("", wrap=WRAP)
        self.command = widgets.label("", wrap=WRAP)
        self.command.set_selectable(True)
        self.command.set_no_show_all(True)
        rows = [("_Other picture", self.chooser.opened), ("F_ile", self.chooser.file), ("Folder's mod_el", self.model)]
        form = widgets.form(rows)
        line_up(dialog, form, SHOWN)
        head = widgets.column(
            widgets.row(*(box for box, _ in boxes), spacing=widgets.GAP),
            form,
            widgets.column(self.note, self.command),
            spacing=widgets.GAP,
        )
        head.set_margin_bottom(widgets.GAP // 2)
        head.show_all()
        area = dialog.get_content_area()
        area.pack_start(head, False, False, 0)
        area.reorder_child(head, 0)
        self.ok = Gtk.ResponseType.OK
        self.handler = call.config.connect("notify", lambda _, spec: self._changed(spec.name))
        self.background.ask("models.list", {}, self._models)
        self._form_changed()
        self._other_chosen()

    # --- what a person does

    def _other_chosen(self) -> None:
        """Read the other picture, small."""
        self.target, self.unread = None, ""
        self.last.clear()
        if self.chooser.complete:
            try:
                with other_picture.opened(*self.chooser.chosen) as opened:
                    self.target = other_picture.fitted(opened, Rect(0, 0, self.this.width, self.this.height))
                self.last.set_from_pixbuf(widgets.pixbuf(self.target, SIDE))
            except EngineError as error:
                self.unread = sentence(error).replace("\n\n", " ")
        self._ask()

    def _model_chosen(self, identity: str) -> None:
        if identity and self.call.config.get_property("model") != identity:
            self.call.config.set_property("model", identity)

    def _changed(self, name: str) -> None:
        config = self.call.config
        if name == "as":
            self._form_changed()
        elif name == "count" and not config.get_property("count"):  # the dialog's own Reset
            config.set_property("count", usual(config))
        elif name == "at":
            self._show()
        elif name == "model" and self.makers:
            known = [str(maker["id"]) for maker in self.makers]
            wanted = config.get_property("model") or known[0]  # Reset empties it
            if wanted in known and wanted != self.model.get_active_id():
                self.model.set_active_id(wanted)
            self._ask()
        elif name in ("scales", "freedom", "seed", "network-picture"):
            self._ask()

    def _form_changed(self) -> None:
        """A count that nobody has chosen is the usual one."""
        config = self.call.config
        form = Form(config.get_property("as"))
        if form is not Form.LAYER and config.get_property("count") in (0, *USUAL.values()):
            config.set_property("count", usual(config))
        self.dialog.get_widget("count", GObject.TYPE_NONE).set_sensitive(form is not Form.LAYER)

    # --- what the engine says

    def _models(self, reply: Reply | None, error: EngineError | None) -> None:
        if reply is None:
            self.wrong = sentence(error).replace("\n\n", " ") if error is not None else ""
            self._tell()
            return
        self.makers = meta_models.makers(reply.body["models"])
        for maker in self.makers:
            self.model.append(str(maker["id"]), str(maker["name"]))
        known = [str(maker["id"]) for maker in self.makers]
        wanted = self.call.config.get_property("model")
        if known:
            self.model.set_active_id(wanted if wanted in known else known[0])
        self._ask()

    def _ask(self) -> None:
        """Let the preview look at the way as it is wished now."""
        model = self.model.get_active_id() or ""
        if model and self.target is not None:
            options = interpolate.options(self.call.current())
            self.preview.want(model, self.this, self.target, options, self.call.config.get_property("at") / 100)
        else:
            self.preview.stop()
        self._show()

    def _came(self) -> None:
        self._show()

    # --- what is shown

    def _show(self) -> None:
        found = self.preview.nearest(self.call.config.get_property("at") / 100)
        if found is not None:
            shown = widgets.pixbuf(found[1], SIDE)
            if self.call.image.get_base_type() == Gimp.ImageBaseType.GRAY:  # as the layers will be
                shown.saturate_and_pixelate(shown, 0.0, False)
            self.middle.set_from_pixbuf(shown)
            self.place.set_text("On the way: %s" % interpolate.percent(found[0]))
        else:
            self.middle.clear()
            self.place.set_text("On the way")
        self._tell()

    def _tell(self) -> None:
        """The one sentence that matters most."""
        none = self.makers is not None and not self.makers
        self.command.set_text(FOLDER_MODEL_HINT)
        self.command.set_visible(none)
        if self.wrong or none:
            text = self.wrong or NO_FOLDER_MODEL
        elif self.makers is None:
            text = LOOKING
        elif self.target is None:
            text = self.unread or NO_FILE
        elif self.preview.wrong is not None:
            wrong = self.preview.wrong  # of the small copies, whose size means nothing to a person
            text = NARROW if wrong.code == "wrong_size" else sentence(wrong).replace("\n\n", " ")
        else:
            text = READY if self.preview.whole else WAIT
        self.note.set_text(text)
        self.dialog.set_response_sensitive(self.ok, bool(self.makers) and self.target is not None)

    def close(self) -> None:
        """End it with the dialog, whose lists are still there."""
        self.other = self.chooser.chosen
        self.call.config.disconnect(self.handler)
        self.preview.stop()
        self.background.close()
