"""What the page without an underdrawing shows of the way between two pictures: where it leads, and what lies there."""

from __future__ import annotations

from typing import Any, Callable

from . import external_image
from .document_model import Workspace
from .interpolate_options import MOST_FRAMES, MOST_LAYERS, BetweenWish, Kind, Other, Way
from .meta_models import HOW_TO_TRAIN, Maker
from .qt import QtCore, QtWidgets
from .widgets import ImageView, choice, column, label, percent, refill, row, spin

SETTLE = 400  # milliseconds without a change before what lies on the way is asked for
MOST_SHOWN = 180  # pixels of the preview's height, of Qt's: the button below it is to be seen as well
ASK = "ask"  # the entry that asks for a file
CHOOSE, A_FILE = ("Choose a picture…", ""), ("A file…", ASK)  # before and behind the pictures that can be chosen
Seen = tuple[Any, ...]  # what a preview depends on


class BetweenPart(QtCore.QObject):
    """The rows of this use. Emits `wanted` when a look at the way is to be asked for, `changed` when rows are set."""

    wanted = QtCore.pyqtSignal()
    changed = QtCore.pyqtSignal()

    def __init__(self, parent: Any, perform: Callable[..., Any]) -> None:
        super().__init__(parent)
        self.file = ""  # the file that was chosen last
        self._kept = ""  # what was chosen last, while a file is asked for
        self._perform = perform
        self.other = choice("between_other", "The picture that the way leads to", [CHOOSE, A_FILE])
        self.other.activated.connect(lambda *_: self._other_chosen())
        self.model = choice("between_model", "The model of a folder that knows such pictures", [])
        self.scales = choice(
            "between_scales",
            "What changes on the way; the rest stays as in this picture",
            [
                ("Everything", "all"),
                ("Large forms", "coarse"),
                ("Middle forms", "middle"),
                ("Fine texture", "fine"),
            ],
        )
        self.place = percent("between_place", "How far on the way: left this picture, right the other one", 0.5)
        self.way = choice(
            "between_way",
            "What is made of the way",
            [
                ("This place: a layer", Way.PLACE.value),
                ("The whole way: layers", Way.LAYERS.value),
                ("The whole way: a clip", Way.CLIP.value),
            ],
        )
        self.count = spin("between_count", "How many pictures, both ends included", 2, MOST_LAYERS, 7)
        self.frames = spin("between_frames", "How many frames; 12 of them make a second", 2, MOST_FRAMES, 24)
        self.freedom = percent("between_freedom", "Left: the pictures themselves. Right: others like them", 0)
        tip, empty = "What lies at this place of the way, made small", "The way is seen here."
        self.view = ImageView("between_view", tip, MOST_SHOWN, empty)
        self.told = label("", "between_told", faint=True)
        self.look_at = QtWidgets.QWidget()
        column(self.look_at, self.view, row(label("Way", wrap=False), self.place, stretch=1), self.told)
        self.missing = label("", "between_missing")
        self.asking: Seen | None = None  # what the whole way is being asked for
        self._rough: dict[Seen, tuple[Any, ...]] = {}
        self._sharp: dict[tuple[Seen, int], Any] = {}
        self._ends: tuple[Seen, Any] | None = None
        self._shown: Seen = ()
        self._settle = QtCore.QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE)
        self._settle.timeout.connect(self.wanted.emit)
        for box in (self.other, self.model, self.scales, self.way):
            box.currentIndexChanged.connect(lambda *_: self.changed.emit())
        self.freedom.changed.connect(self.changed.emit)
        self.place.changed.connect(self._show_place)

    @property
    def wish(self) -> BetweenWish:
        """What is set."""
        way = Way(str(self.way.currentData()))
        count = int((self.frames if way is Way.CLIP else self.count).value())
        other = Other.of(str(self.other.currentData() or ""))
        return BetweenWish(other, str(self.scales.currentData()), way, self.place.value / 100, count)

    def show_makers(self, makers: tuple[Maker, ...] | None, error: str) -> None:
        """Show the folders' models, or that there is none; None where the engine has not said it (yet)."""
        refill(self.model, [(maker.name, maker.id) for maker in makers or ()])
        if self.model.count() and self.model.currentIndex() < 0:
            self.model.setCurrentIndex(0)
        asking = "Asking the engine for folders' models…"
        self.missing.setText(HOW_TO_TRAIN if makers is not None else error or asking)

    def show_workspace(self, ws: Workspace, found: list[tuple[str, str]], picture: str) -> None:
        """Show what the way can lead to.

        Args:
            found: names and ids of this document's layers.
            picture: the id of the one that the way begins with, or "".
        """
        entries = [CHOOSE]
        entries += [(name, Other(Kind.LAYER, key).text) for name, key in found if key != picture]
        for name, key in external_image.others(ws.krita, ws.document):
            entries.append(("%s (document)" % name, Other(Kind.DOCUMENT, key).text))
        if self.file:
            name = external_image.Elsewhere(path=self.file).name
            entries.append(("%s (file)" % name, Other(Kind.FILE, self.file).text))
        entries.append(A_FILE)
        before = self.other.currentData()
        refill(self.other, entries)
        if self.other.currentData() != before:
            self.changed.emit()

    def take_file(self, path: str) -> None:
        """The way leads to this file from now on."""
        self.file = path
        text = Other(Kind.FILE, path).text
        if self.other.findData(text) < 0:
            name = external_image.Elsewhere(path=path).name
            self.other.insertItem(self.other.count() - 1, "%s (file)" % name, text)
        self.other.setCurrentIndex(self.other.findData(text))
        self._kept = text
        self.changed.emit()

    def _other_chosen(self) -> None:
        """Another picture was chosen; the last entry asks for a file first."""
        chosen = str(self.other.currentData() or "")
        if chosen == ASK:
            self.other.setCurrentIndex(max(0, self.other.findData(self._kept)))
            self._perform("between_file")
        else:
            self._kept = chosen

    # --- what lies there

    def look(self, seen: Seen, ends: Seen) -> None:
        """What is set may be something else: show what is known of it, and ask for the rest in a moment.

        Args:
            seen: all that a preview depends on.
            ends: of it, what says which pictures these are.
        """
        if seen == self._shown:
            return
        if self._ends is not None and self._ends[0] != ends:
            self.forget()
        self._shown = seen
        self._show_place()
        if Other.of(str(self.other.currentData() or "")) is None:
            self.tell("Choose the other picture: a layer, another open document, or a file.")
        elif not self.knows(seen):
            self.tell("Looking at the way…")
            self._settle.start()

    def forget(self) -> None:
        """The pictures are others by now, or may have been painted on."""
        self._rough.clear()
        self._sharp.clear()
        self._ends, self._shown = None, ()
        self.view.set_image(None)

    def again(self) -> None:
        """What was being looked for was given up; it is asked for anew when the page is seen again."""
        self._settle.stop()
        self._shown = ()

    def begin(self, seen: Seen | None) -> None:
        """The whole way is being asked for; None: nothing is."""
        self.asking = seen

    def ends(self, which: Seen) -> Any:
        """The two pictures, made small, where they were read before; else None."""
        return self._ends[1] if self._ends is not None and self._ends[0] == which else None

    def knows(self, seen: Seen) -> bool:
        """Whether the whole way is known roughly."""
        return seen in self._rough

    def sharp(self, seen: Seen, percent: int) -> bool:
        """Whether a place itself is known."""
        return (seen, percent) in self._sharp

    def take(self, seen: Seen, which: Seen, ends: Any, images: tuple[Any, ...]) -> None:
        """What lies on the way roughly, at places evenly from 0 to 1."""
        if self._ends is None or self._ends[0] != which:
            self._rough.clear()
            self._sharp.clear()
            self._ends = which, ends
        self._rough[seen] = images
        self._show_place()

    def take_sharp(self, seen: Seen, percent: int, image: Any) -> None:
        """A place itself."""
        self._sharp[seen, percent] = image
        self._show_place()

    def tell(self, text: str) -> None:
        """A sentence below the preview."""
        self.told.setText(text)

    def _show_place(self) -> None:
        seen, percent = self._shown, self.place.value
        images = self._rough.get(seen)
        if not images:
            return  # what was seen before stays until there is something else: only other pictures take it away
        nearest = images[round(percent / 100 * (len(images) - 1))]
        self.view.set_image(self._sharp.get((seen, percent), nearest))
        self.tell("0 % is this picture, 100 % the other one, as the model makes them.")
        if not self.sharp(seen, percent):
            self._settle.start()
