"""What the dialogs of pictures without an underdrawing show beside their arguments: the picture, and what is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable

from . import device_choice, meta_models, single_image, widgets
from .base_model_choice import Start
from .client.call import Reply
from .client.ensure_model import Follow, ModelWish, Ready
from .client.frames import Frame
from .client.labels import USUAL_SECONDS, duration
from .client.messages import EngineError
from .dialogs import drop_downs, fill_in, line_up
from .flatten_view import SIDE, View
from .gi import Gimp, GObject
from .plugin import Call
from .service import Background

HIDDEN = ("iterations", "grow", "feather", "original", "maker")  # arguments for scripts
KNOWN = "Known as “%s”: this takes some seconds."
BEFORE = "The picture was changed since “%s” was trained. That model is used; train again where the change is large."
UNDER_WAY = "Training is under way (%d %%)."
NEW = "A model is trained first%s, once for all further uses."
AT_ONCE = "“%s” makes a model of this picture at once, without training."
REFINED = "“%s” makes a model of this picture, which is then trained further%s."

SLIDERS = ("freedom", "light")
WRAP = 64  # characters of a line


def chosen(
    call: Call,
    title: str,
    yes: str,
    task: str,
    view: View | None,
    pictures: Sequence[tuple[str, Frame]],
    choices: Sequence[tuple[str, str]] = (),
    choose: Callable[[str], View | None] | None = None,
    exact: bool = False,
) -> dict[str, Any]:
    """Let a person choose the arguments; their values.

    Args:
        yes: text of the button that goes on.
        view: the picture to train on, where it is known.
        pictures: what is shown, with a line above each; the first is the one to train on.
        choices: other pictures to train on, (id, text) each; the first is `view`.
        choose: gives the picture for one of them.
        exact: see `single_image.wish_of`.

    Raises:
        CancelledError: the dialog was closed.
    """
    shown = [argument.name for argument in call.entry.arguments if argument.name not in HIDDEN]
    scales = [name for name in shown if name in SLIDERS]
    return fill_in(
        call,
        title,
        yes,
        shown,
        lambda dialog: _Head(call, dialog, task, view, pictures, choices, choose, exact).close,
        scales,
    )


class _Head:
    """The upper part of the dialog: pictures, and what is known of them."""

    def __init__(
        self,
        call: Call,
        dialog: Any,
        task: str,
        view: View | None,
        pictures: Sequence[tuple[str, Frame]],
        choices: Sequence[tuple[str, str]],
        choose: Callable[[str], View | None] | None,
        exact: bool,
    ) -> None:
        self.call, self.dialog, self.task, self.view, self.choose = call, dialog, task, view, choose
        self.exact = exact
        self.background = Background()
        self.models: list[dict[str, Any]] | None = None
        self.jobs: list[dict[str, Any]] | None = None
        self.wished: tuple[ModelWish, str] | None = None  # what the note is about
        self.wrong = ""
        boxes = []
        for caption, frame in pictures:
            box, image = widgets.picture_box(caption, SIDE)
            image.set_from_pixbuf(widgets.pixbuf(frame, SIDE))
            boxes.append((box, image))
        self.first = boxes[0][1]
        self.note = widgets.label("", wrap=WRAP)
        head = widgets.column(widgets.row(*(box for box, _ in boxes), spacing=widgets.GAP), spacing=widgets.GAP)
        self.start = Start(call, dialog, task)
        rows = [("Start w_ith", self.start.list)]
        if len(choices) > 1:
            original = widgets.choice(choices, choices[0][0])
            original.connect("changed", lambda one: self._chosen(one.get_active_id()))
            rows.insert(0, ("_Original", original))
        form = widgets.form(rows)
        line_up(dialog, form, [argument.name for argument in call.entry.arguments if argument.name not in HIDDEN])
        self.start_rows = [form.get_child_at(0, len(rows) - 1), self.start.list]
        if len(rows) == 1:
            self.start_rows.append(form)
        for widget in self.start_rows:
            widget.set_no_show_all(True)
        head.pack_start(form, False, False, 0)
        head.pack_start(self.note, False, False, 0)
        head.set_margin_bottom(widgets.GAP // 2)
        head.show_all()
        place = dialog.get_content_area()
        place.pack_start(head, False, False, 0)
        place.reorder_child(head, 0)
        self.handler = call.config.connect("notify", lambda *_: self._tell())
        self.note.set_text("Looking for a model of this picture…")
        self.background.ask("models.list", {}, self._models)
        self.background.ask("jobs", {}, self._jobs)
        self.background.ask("methods", {}, self._methods, deadline=120.0)

    def _models(self, reply: Reply | None, error: EngineError | None) -> None:
        if reply is not None:
            self.models = list(reply.body["models"])
            if self.start.offer(self.models):
                for widget in self.start_rows:
                    widget.show()
                self._take_up()
        elif error is not None:
            self.wrong = error.message + " " + error.hint
        self._tell()

    def _jobs(self, reply: Reply | None, error: EngineError | None) -> None:
        if reply is not None:
            self.jobs, self.wished = list(reply.body["jobs"]), None
            self._take_up()
            self._tell()

    def _take_up(self) -> None:
        """What is under way for this picture is chosen again."""
        if self.view is not None and self.models is not None and self.jobs is not None:
            maker = meta_models.refining(self.view.key, self.models, self.jobs)
            if maker:
                self.start.choose(maker)

    def _methods(self, reply: Reply | None, error: EngineError | None) -> None:
        if reply is not None:
            for box in drop_downs(self.dialog.get_widget("device", GObject.TYPE_NONE)):
                device_choice.offer(box, reply.body)

    def _tell(self) -> None:
        """What will happen, as far as it is known."""
        if self.wrong or self.models is None:
            self.note.set_text(self.wrong or "Looking for a model of this picture…")
            return
        self.start.follow()
        self.start.refresh()
        if self.view is None:
            self.note.set_text("The picture is compared with the one its model was trained on.")
            return
        wish = single_image.wish_of(self.call.image, self.task, self.call.current(), self.view.frame, self.exact)
        if self.wished != (wish, self.view.key):  # comparing takes a moment
            self.wished = wish, self.view.key
            self.note.set_text(self._outlook(wish, self.view))

    def _outlook(self, wish: ModelWish, view: View) -> str:
        try:
            found = single_image.outlook(wish, view.frame, self.models or (), self.jobs or ())
        except EngineError as error:
            return error.message + " " + error.hint
        if isinstance(found, Ready):
            return (BEFORE if found.older else KNOWN) % found.name
        if isinstance(found, Follow):
            return UNDER_WAY % round(100 * found.status.fraction)
        seconds = wish.budget or (None if wish.maker else USUAL_SECONDS.get(wish.usual_recipe))
        about = " (about %s)" % duration(seconds) if seconds else ""
        if wish.maker:
            refines = wish.budget is not None or wish.iterations is not None
            return REFINED % (self.start.name, about) if refines else AT_ONCE % self.start.name
        return NEW % about

    def _chosen(self, identity: str) -> None:
        layer = Gimp.Layer.get_by_id(int(identity)) if identity.isdigit() else None
        self.call.config.set_property("original", layer)
        self.view = self.choose(identity) if self.choose is not None else None
        if self.view is not None:
            self.first.set_from_pixbuf(widgets.pixbuf(self.view.small, SIDE))
        self._tell()

    def close(self) -> None:
        """End it with the dialog."""
        self.call.config.disconnect(self.handler)
        self.background.close()
