"""What the dialogs of pictures without an underdrawing show beside their arguments: the picture, and what is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Callable

from . import learning, single, widgets
from .dialogs import fill_in
from .gi_modules import Gimp
from .link.client import Reply
from .link.messages import EngineError
from .link.pixels import Frame
from .plugin import Call
from .seeing import SIDE, View
from .service import Background
from .single import State, Wish

HIDDEN = ("iterations", "grow", "feather", "original")  # arguments for scripts
KNOWN = "Known as “%s”: this takes some seconds."
BEFORE = "The picture was changed since “%s” learnt it. That model is used; learn anew where the change is large."
UNDER_WAY = "The picture is being learnt (%d %%)."
NEW = "The picture is learnt first%s, once for all further uses."

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
        view: the picture that is learnt, where it is known.
        pictures: what is shown, with a line above each; the first is the one that is learnt.
        choices: other pictures to learn, (id, text) each; the first is `view`.
        choose: gives the picture for one of them.
        exact: see `Wish`.

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
        self.call, self.task, self.view, self.choose = call, task, view, choose
        self.exact = exact
        self.background = Background()
        self.models: list[dict[str, Any]] | None = None
        self.jobs: list[dict[str, Any]] = []
        self.seconds: dict[str, float] = {}  # what recipes need
        self.wrong = ""
        boxes = []
        for caption, frame in pictures:
            box, image = widgets.picture_box(caption, SIDE)
            image.set_from_pixbuf(widgets.pixbuf(frame, SIDE))
            boxes.append((box, image))
        self.first = boxes[0][1]
        self.note = widgets.label("", wrap=WRAP)
        head = widgets.column(widgets.row(*(box for box, _ in boxes), spacing=widgets.GAP), spacing=widgets.GAP)
        if len(choices) > 1:
            original = widgets.choice(choices, choices[0][0])
            original.connect("changed", lambda one: self._chosen(one.get_active_id()))
            head.pack_start(widgets.form([("_Original", original)]), False, False, 0)
        head.pack_start(self.note, False, False, 0)
        head.set_margin_bottom(widgets.GAP // 2)
        head.show_all()
        place = dialog.get_content_area()
        place.pack_start(head, False, False, 0)
        place.reorder_child(head, 0)
        self.handler = call.config.connect("notify", lambda *_: self._tell())
        self.note.set_text("Looking for what was learnt of this picture…")
        self.background.ask("models.list", {}, self._models)
        self.background.ask("jobs", {}, self._jobs)
        self.background.ask("methods", {}, self._methods, deadline=120.0)

    def _models(self, reply: Reply | None, error: EngineError | None) -> None:
        if reply is not None:
            self.models = list(reply.body["models"])
        elif error is not None:
            self.wrong = error.message + " " + error.hint
        self._tell()

    def _jobs(self, reply: Reply | None, error: EngineError | None) -> None:
        if reply is not None:
            self.jobs = list(reply.body["jobs"])
            self._tell()

    def _methods(self, reply: Reply | None, error: EngineError | None) -> None:
        recipes = [one for method in reply.body["methods"] for one in method["recipes"]] if reply is not None else []
        for one in recipes:
            if one.get("budget"):
                self.seconds[one["name"]] = float(one["budget"])
        self._tell()

    def _tell(self) -> None:
        """What will happen, as far as it is known."""
        if self.wrong or self.models is None:
            self.note.set_text(self.wrong or "Looking for what was learnt of this picture…")
            return
        values = self.call.current()
        wish = Wish.of(self.task, values)
        wish = replace(wish, exact=wish.exact or self.exact)
        if self.view is None:
            self.note.set_text("The picture is compared with what was learnt of it before.")
            return
        found = single.standing(self.view, wish, single.remembered(self.call.image), self.models, self.jobs)
        seconds = wish.time or self.seconds.get(wish.recipe)
        if found.state is State.LEARNT:
            text = KNOWN % found.name
        elif found.state is State.CHANGED:
            text = BEFORE % found.name
        elif found.state is State.LEARNING:
            text = UNDER_WAY % round(100 * found.fraction)
        else:
            text = NEW % (" (about %s)" % learning.duration(seconds) if seconds else "")
        self.note.set_text(text)

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
