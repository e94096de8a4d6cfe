"""The list “Start with” in dialogs of pictures without an underdrawing: train on the picture, or take a folder's model.

It is shown only where the engine has a folder's model that makes such models.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import meta_models, widgets
from .dialogs import drop_downs
from .gi import GObject
from .plugin import Call

TRAIN = "Train on this picture"
BY = "At once, by “%s”"
NOT_AT_ALL = "Not at all"
SOME = "60"  # of the times, where the one that was chosen is not known; what is under way is joined all the same
TIP = (
    "A folder's model makes a model of this picture in about a second. It knows pictures of its kind; the picture "
    "itself is known better after training."
)
REFINE = "How long the model that was made at once is trained further on this picture before it is used."
ALONE = ("fine-tune", "large")  # what goes with training alone


class Start:
    """The list, and what follows from it in the rest of the dialog."""

    def __init__(self, call: Call, dialog: Any, task: str) -> None:
        self.call, self.dialog, self.task = call, dialog, task
        self.possible = "maker" in {argument.name for argument in call.entry.arguments}
        self.names: dict[str, str] = {}
        self.list = widgets.choice([("", TRAIN)])
        self.list.set_tooltip_text(TIP)
        self.list.connect("changed", lambda one: self._chosen(one.get_active_id() or ""))
        self.times = dict(next(a for a in call.entry.arguments if a.name == "time").choices)
        self.tips: dict[str, str] = {}

    @property
    def name(self) -> str:
        """The chosen folder's model's name; "" where a model is to be trained."""
        return self.names.get(self.call.config.get_property("maker") or "", "") if self.possible else ""

    def offer(self, models: Sequence[dict[str, Any]]) -> bool:
        """Fill the list with the folders' models; whether there are any."""
        if not self.possible:
            return False
        makers = meta_models.makers(models, self.task)
        self.names = {str(maker["id"]): str(maker["name"]) for maker in makers}
        before = str(self.call.config.get_property("maker") or "")
        for identity, name in self.names.items():
            self.list.append(identity, BY % name)
        self.list.set_active_id(before if before in self.names else "")
        self._chosen(self.list.get_active_id())
        return bool(makers)

    def choose(self, maker: str) -> None:
        """Choose what is being refined: GIMP does not remember the arguments of what was not finished."""
        if maker in self.names:
            self.list.set_active_id(maker)
            if self.call.config.get_property("time") == "auto":
                self.call.config.set_property("time", SOME)

    def follow(self) -> None:
        """After the dialog's own Reset, say."""
        wanted = str(self.call.config.get_property("maker") or "") if self.possible else ""
        if self.names and wanted in ("", *self.names) and wanted != self.list.get_active_id():
            self.list.set_active_id(wanted)

    def _chosen(self, identity: str) -> None:
        config = self.call.config
        if config.get_property("maker") != identity:
            config.set_property("maker", identity)
        for name in ALONE:
            if any(argument.name == name for argument in self.call.entry.arguments):
                if identity:
                    config.set_property(name, False)
                self._row(name).set_sensitive(not identity)
        time = self._row("time")
        self.tips.setdefault("time", time.get_tooltip_text() or "")
        time.set_tooltip_text(REFINE if identity else self.tips["time"])
        _reword(time, "auto", NOT_AT_ALL if identity else self.times["auto"])
        self.refresh()

    def refresh(self) -> None:
        """“Anew” and the device say nothing where nothing is trained."""
        if self.possible:
            at_once = bool(self.name) and self.call.config.get_property("time") == "auto"
            for name in ("again", "device"):
                self._row(name).set_sensitive(not at_once)

    def _row(self, name: str) -> Any:
        return self.dialog.get_widget(name, GObject.TYPE_NONE)


def _reword(row: Any, identity: str, text: str) -> None:
    """Give one entry of a choice that GIMP made another text; its value stays."""
    for box in drop_downs(row):
        model = box.get_model()
        for line in model:
            if line[0] == identity:
                model.set_value(line.iter, 1, text)
