"""One document with its underdrawing: what it is, what goes on with it, and what its docker shows."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

from . import layers, record
from .client.job_status import JobStatus
from .client.messages import EngineError
from .generate_tasks import Going, Use
from .qt import QtCore, QtGui
from .record import PLANES, Record
from .service import Service, hint
from .tasks import Pause, Steps, Task
from .ui_state import Live, Message, Other, Split, Stage, stage_of

EDITS = "edits"  # the name of listing them, beside the work
UNDONE = 1.5  # seconds after Krita has undone something in which it is Krita that chooses the active layer


@dataclass
class Swap:
    """A layer that took another's place: two entries of Krita's history, as Krita's scripts cannot make one of them.

    When the user undoes (or does again) one of the two, the other follows at once, so that it is one step to the user.

    Attributes:
        whole: the state that was seen last in which exactly one of the two was there: "old" or "new".
    """

    old: str
    new: str
    whole: str = "new"

    def look(self, known: dict[str, Any]) -> str:
        """What has to follow: "undo", "redo" or nothing."""
        old, new = self.old in known, self.new in known
        if old and new:
            return "undo" if self.whole == "new" else "redo"
        if old or new:
            self.whole = "new" if new else "old"
        return ""


class Workspace(QtCore.QObject):
    """A document. Emits `changed` when the docker has something new to show."""

    changed = QtCore.pyqtSignal()

    def __init__(self, service: Service, krita: Any, document: Any) -> None:
        super().__init__()
        self.service, self.krita, self.document = service, krita, document
        self.key = layers.identity(document.rootNode())
        self.record: Record = record.load(document)
        self.layers: dict[str, Any] = layers.all_layers(document)
        self.swaps: list[Swap] = []
        self.job: JobStatus | None = None
        self.sample: QtGui.QImage | None = None
        self.message = Message()
        self.doing = ""  # what the work in hand is called
        self.live, self.split = Live.OFF, Split()
        self.hold = False  # Live leaves the layers alone while something else is being done
        self.train_again = False  # the user wants to train although there is a model
        self.meanwhile = False  # the user paints with it
        self.known: tuple[Any, ...] = ()  # models of this very picture
        self.recognised = ""  # the layer whose picture was looked for among them
        self.history: list[Any] = []
        self.edits: Any = None  # the list of them, see `edits`; None where it has to be made anew
        self.going: Going | None = None  # what goes on without an underdrawing
        self.other: Other | None = None  # the picture whose layout was taken last
        self.wished: Use | None = None  # what it is
        self.picked: Any = None  # what was pointed at last, see `things`
        self.no_redo = ""  # the text of Krita's redo where nothing can be done again, once that was seen
        self.thing_masks: dict[int, Any] = {}  # where things were, by their numbers
        self.thing_pixels: dict[str, Any] = {}  # their layers as they were read last
        self.undone = -UNDONE  # when something was undone or done again last
        self._active = ""  # the layer that is painted on
        self._covered: dict[str, bool] = {}
        self.open = True
        self._work: Task | None = None
        self._others: dict[str, Task] = {}
        self._seen: Any = None

    # --- what it is

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return int(self.document.width()), int(self.document.height())

    @property
    def name(self) -> str:
        """What the document is called: the file's name, or Krita's word for a new one."""
        file = str(self.document.fileName() or "")
        return QtCore.QFileInfo(file).completeBaseName() if file else str(self.document.name() or "picture")

    def newest(self, ids: Any) -> Any:
        """Of these layers the first that is in the document, or None."""
        return next((self.layers[key] for key in ids if key in self.layers), None)

    @property
    def picture(self) -> Any:
        """The layer that holds the picture, or None."""
        return self.layers.get(self.record.picture)

    @property
    def group(self) -> Any:
        """The group that holds the planes, or None."""
        return self.newest(self.record.groups)

    @property
    def planes(self) -> dict[str, Any]:
        """The layers of the planes that are in the document."""
        group = self.group
        found: dict[str, Any] = {}
        for name in PLANES:
            ids = self.record.planes.get(name, ())
            inside = None
            if group is not None:
                children = {layers.identity(child) for child in group.childNodes()}
                inside = self.newest([key for key in ids if key in children])
            node = inside if inside is not None else self.newest(ids) if group is None else None
            if node is not None:
                found[name] = node
        return found

    @property
    def own(self) -> set[str]:
        """Ids of layers that are ours and can be no picture."""
        mine = {*self.record.results, *self.record.made, *self.record.groups, self.record.preview, *self.record.things}
        for ids in self.record.planes.values():
            mine.update(ids)
        return mine - {""}

    @property
    def usable(self) -> int:
        """With how many steps the model that is being trained can be used by now; -1: it cannot."""
        return -1 if self.job is None else self.job.usable

    @property
    def stage(self) -> Stage:
        """How far it is."""
        if not self.open:
            return Stage.NO_DOCUMENT
        training = None if self.meanwhile and self.record.model else self.job
        stage = stage_of(True, bool(self.planes), bool(self.record.model), training)
        return Stage.DRAWN if stage is Stage.READY and self.train_again else stage

    def keep(self, **changes: Any) -> None:
        """Change the note, and keep it with the document."""
        self.record = replace(self.record, **changes)
        self.save()

    def save(self) -> None:
        """Keep the note with the document."""
        if self.open:
            record.save(self.document, self.record)
            self.touch()

    # --- what goes on

    @property
    def busy(self) -> bool:
        """Whether there is work in hand that another would get in the way of."""
        return self._work is not None and not self._work.done

    def begin(self, steps: Steps, doing: str) -> bool:
        """Start work, one at a time; False where something else is in hand."""
        if self.busy:
            return False
        self.doing, self.message, self.hold = doing, Message(), True
        self._work = self.service.start(steps, doing, self._work_ended)
        self.touch()
        return True

    def in_turn(self, steps: Steps, doing: str) -> Steps:
        """Start work as soon as there is no other in hand, and wait for its end; what it returned.

        Raises:
            EngineError: it failed, or was ended.
        """
        while not self.begin(steps, doing):
            yield Pause(0.1)
        work = self._work
        try:
            while work is not None and not work.done:
                yield Pause(0.02)
        finally:
            self.service.stop(work)
        if work is None:
            return None
        if work.error is not None:
            raise work.error
        return work.result

    def beside(self, steps: Steps, name: str) -> Task:
        """Start something that goes on beside the work (a training, Live); one of each name."""
        self.service.stop(self._others.get(name))
        self._others[name] = self.service.start(steps, name, self._other_ended)
        return self._others[name]

    def running(self, name: str) -> bool:
        """Whether something that was started with `beside` goes on."""
        return name in self._others and not self._others[name].done

    def stop(self, name: str = "") -> None:
        """End the work in hand, or what was started with `beside`."""
        self.service.stop(self._others.get(name) if name else self._work)

    def close(self) -> None:
        """The document is closed: nothing touches it any more."""
        self.open = False
        for task in [self._work, *self._others.values()]:
            self.service.stop(task)

    def tell(self, text: str, bad: bool = False, details: Any = ()) -> None:
        """Show a paragraph."""
        self.message = Message(text, bad, tuple(details))
        self.touch()

    def doing_now(self, text: str) -> None:
        """What the work in hand does at this moment."""
        self.doing = text
        self.touch()

    def touch(self) -> None:
        """There is something new to show."""
        self.changed.emit()

    def _work_ended(self, task: Task) -> None:
        self.doing, self.hold = "", False
        if task.error is not None and task.error.code != "cancelled":
            self.tell(hint(task.error), True)
        self.look()
        self.touch()

    def _other_ended(self, task: Task) -> None:
        if task.error is not None and task.error.code != "cancelled":
            self.tell(hint(task.error), True)
        self.touch()

    # --- looking

    def look(self) -> None:
        """See what the user did to the layers. Called some times a second; takes about a millisecond."""
        if not self.open:
            return
        before, self.layers = self.layers, layers.all_layers(self.document)
        if time.monotonic() < self.undone + UNDONE and not layers.at_rest(self.document):
            self.undone = time.monotonic()  # on a busy machine Krita chooses later
        if not self.hold:
            self._follow_history()
            self._follow_covers()
            self._follow_active(before)
        seen = (self.stage, tuple(self.layers), tuple(node.name() for node in self.layers.values()), self.size)
        if seen != self._seen:
            self._seen = seen
            self.stop(EDITS)
            self.edits = None
            self.touch()

    def _follow_history(self) -> None:
        for swap in reversed(self.swaps):
            follow = swap.look(self.layers)
            if follow and self.krita.activeDocument() == self.document:
                action = self.krita.action("edit_" + follow)
                if action is not None and action.isEnabled():
                    action.trigger()
                    # The other half of the pair is on its way; looked at again at the next tick.
                    return

    def _follow_active(self, before: dict[str, Any]) -> None:
        """What is painted on stays what it is where undo or redo brings a layer of ours back, which Krita makes active.

        On a busy machine it may also leave none active, which nobody would choose.

        Args:
            before: the layers at the last look.
        """
        node = self.document.activeNode()
        key = "" if node is None else layers.identity(node)
        parent = None if node is None else node.parentNode()
        ours = key in self.own or (parent is not None and layers.identity(parent) in self.own)  # a result, or its mask
        recent = key not in before or time.monotonic() < self.undone + UNDONE
        if (node is None or (ours and recent)) and self._active != key:
            plane = next((name for name, ids in self.record.planes.items() if self._active in ids), "")
            wanted = self.layers.get(self._active, self.planes.get(plane))
            if wanted is not None:
                self.document.setActiveNode(wanted)
                return
        self._active = key

    def _follow_covers(self) -> None:
        """A layer is seen again where what was made of it was undone, and hidden again where that is done again.

        Krita's scripts make no step of the history of hiding a layer.
        """
        for key, made in self.record.covers.items():
            node, covered = self.layers.get(key), self.newest(made) is not None
            before = self._covered.get(key)
            self._covered[key] = covered
            if node is not None and before is not None and before != covered and key in self.record.hidden:
                node.setVisible(not covered)
                self.document.refreshProjection()

    def need_planes(self) -> dict[str, Any]:
        """The planes.

        Raises:
            EngineError: there is none (any more).
        """
        found = self.planes
        if not found:
            text = "This document has no underdrawing (any more)."
            raise EngineError("no_planes", text, "Make one, or choose layers of your own.")
        return found

    def need_picture(self) -> Any:
        """The layer with the picture.

        Raises:
            EngineError: it is gone.
        """
        if self.picture is None:
            text = "The layer with the picture is not in the document any more."
            raise EngineError("no_picture", text, "Undo its deletion, or make a new underdrawing.")
        return self.picture
