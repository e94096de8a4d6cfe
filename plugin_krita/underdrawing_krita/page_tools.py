"""What is folded away on the page of editing: region tools, history, another picture's layout, frames."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable

from . import external_image
from .document_model import Workspace
from .flow import Flow
from .history import MOST, Entry
from .page_edits import EditList
from .page_parts import Parts
from .qt import Qt, QtCore, QtGui, QtWidgets
from .ui_state import RegionOptions
from .widgets import Fold, ImageView, button, choice, column, form, label, named, refill, row, spin

ICON = 56  # pixels of a thumbnail's side
FAR = 8192  # pixels that an area can be moved by


class Tools:
    """The folds, in their order."""

    def __init__(self, perform: Callable[..., Any]) -> None:
        self.edits = EditList(perform)
        self.regions = RegionTools(perform)
        self.history = History(perform)
        self.other = OtherPicture(perform)
        self.frames = Frames(perform)
        self.folds = (
            self.edits.fold,
            Fold("region_fold", "Change the selected area", "Without a brush", self.regions),
            Fold("history_fold", "Results so far", "What Apply has made in this document", self.history),
            Fold("layout_fold", "Layout of another picture", "Paint it in this picture's look", self.other),
            Fold("frames_fold", "Animation", "Frames in, painted frames out", self.frames),
        )

    def show_workspace(self, ws: Workspace) -> None:
        """Show what belongs to this document."""
        self.edits.show_workspace(ws)
        self.history.show_entries(ws)
        self.other.show_workspace(ws)
        self.frames.show_workspace(ws)


class RegionTools(QtWidgets.QWidget):
    """Move, copy, scale, mirror what is selected, on all planes together."""

    def __init__(self, perform: Callable[..., Any]) -> None:
        super().__init__()
        self.dx = spin("dx", "Pixels to the right; below 0 to the left", -FAR, FAR, 20, " px")
        self.dy = spin("dy", "Pixels down; below 0 up", -FAR, FAR, 0, " px")
        self.factor = spin("factor", "How many times as large", 0.1, 10, 1.5, " ×", 2)
        buttons = Flow()
        for name, text, tip in (
            ("move", "Move", "Moves the selected area"),
            ("copy", "Copy", "Copies the selected area"),
            ("scale", "Scale", "Makes the selected area larger or smaller"),
            ("mirror", "Mirror", "Turns the selected area over, left and right"),
            ("flip", "Flip", "Turns the selected area over, top and bottom"),
        ):
            buttons.addWidget(button("region_" + name, text, tip, partial(perform, "region", name)))
        about = label("Select an area first. Areas, outlines and the edit's mask change together.", faint=True)
        settings = form(("Move by x", self.dx), ("Move by y", self.dy), ("Scale", self.factor))
        column(self, about, settings, buttons)

    def options(self, operation: str) -> RegionOptions:
        """What is set, for a tool ("flip" is a mirror of the other direction)."""
        axis = "vertical" if operation == "flip" else "horizontal"
        operation = "mirror" if operation == "flip" else operation
        return RegionOptions(operation, int(self.dx.value()), int(self.dy.value()), float(self.factor.value()), axis)


class History(QtWidgets.QWidget):
    """Thumbnails of applied results, kept in the document."""

    def __init__(self, perform: Callable[..., Any]) -> None:
        super().__init__()
        self.list = named(
            QtWidgets.QListWidget(), "history", "Click to see it larger, double-click to bring it back as a layer"
        )
        self.list.setViewMode(QtWidgets.QListView.ViewMode.IconMode)
        self.list.setResizeMode(QtWidgets.QListView.ResizeMode.Adjust)
        self.list.setMovement(QtWidgets.QListView.Movement.Static)
        self.list.setUniformItemSizes(True)
        self.list.setIconSize(QtCore.QSize(ICON, ICON))
        self.list.setGridSize(QtCore.QSize(ICON + 8, ICON + 8))
        self.list.setMinimumHeight(76)
        self.list.setMaximumHeight(160)
        self.list.currentRowChanged.connect(lambda *_: self._show_large())
        self.list.itemDoubleClicked.connect(lambda item: perform("bring_back", item.data(Qt.ItemDataRole.UserRole)))
        self.large = ImageView("history_large", "The chosen result", 200)
        self.large.setVisible(False)
        self.empty = label("What you apply is kept here, in the document itself: the last %d." % MOST, faint=True)
        back = button("history_back", "Bring back", "Puts the chosen result into the document", lambda: perform("back"))
        forget = button(
            "history_forget", "Forget all", "Makes the document smaller; layers stay", lambda: perform("forget")
        )
        others = button(
            "others",
            "Find others",
            "Makes other versions of the edit, with this picture's other models and other seeds, to choose from",
            lambda: perform("others"),
        )
        column(self, self.empty, self.list, self.large, row(back, others), forget)
        self._shown: list[Entry] = []

    def chosen(self) -> int:
        """The number of the chosen result, or 0."""
        item = self.list.currentItem()
        return int(item.data(Qt.ItemDataRole.UserRole)) if item is not None else 0

    def show_entries(self, ws: Workspace) -> None:
        """Show what the document keeps, the newest first."""
        if ws.history == self._shown:
            return
        self._shown = list(ws.history)
        self.list.clear()
        for entry in reversed(ws.history):
            item = QtWidgets.QListWidgetItem(_icon(entry.image(), self.devicePixelRatioF()), "")
            item.setData(Qt.ItemDataRole.UserRole, entry.id)
            names = {model.id: number for number, model in enumerate(ws.record.models, 1)}
            by = "model %d" % names[entry.model] if entry.model in names else "a model of before"
            item.setToolTip("%s · %s" % (entry.when.replace("T", " "), by))
            self.list.addItem(item)
        self._show_large()

    def _show_large(self) -> None:
        number = self.chosen()
        entry = next((e for e in self._shown if e.id == number), None)
        self.large.setVisible(entry is not None)
        self.large.set_image(None if entry is None else entry.image())


def _icon(image: Any, density: float) -> Any:
    """A thumbnail as large as its place, however small the result was."""
    side = round(ICON * density)
    modes = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    return QtGui.QIcon(QtGui.QPixmap.fromImage(image.scaled(side, side, *modes)))


class OtherPicture(QtWidgets.QWidget):
    """The layout of another open document, or of a file."""

    def __init__(self, perform: Callable[..., Any]) -> None:
        super().__init__()
        self.document = choice("layout_document", "Another open document", [])
        self.open = button(
            "layout_open",
            "Use its layout",
            "Looks for this model's areas in that picture, and makes them the underdrawing",
            lambda: perform("layout"),
        )
        file = button("layout_file", "From a file…", "A picture on the disk", lambda: perform("layout_file"))
        about = label("The other picture is painted in this one's look.", faint=True)
        self.parts = Parts(lambda part, name: perform("match", part, name))
        column(self, about, row(self.document, self.open, stretch=0), file, self.parts)

    def show_workspace(self, ws: Workspace) -> None:
        """Show the other open documents."""
        found = external_image.others(ws.krita, ws.document)
        refill(self.document, found or [("no other document is open", "")])
        self.open.setEnabled(bool(found))
        other = ws.other
        self.parts.show_parts(other if other is not None and other.model == ws.record.model else None, ws.busy)


class Frames(QtWidgets.QWidget):
    """Animated layers."""

    def __init__(self, perform: Callable[..., Any]) -> None:
        super().__init__()
        self.first = spin("first_frame", "The first frame that is painted", 0, 100000, 0)
        self.last = spin("last_frame", "The last frame that is painted", 0, 100000, 0)
        self.source = choice(
            "frames_of",
            "What is animated",
            [("The underdrawing", False), ("The picture: photographs", True)],
        )
        start = button(
            "frames",
            "Paint the frames",
            "The results become a new animated layer",
            lambda: perform("frames"),
        )
        self._set_for = ""
        settings = form(("Animated is", self.source), ("From", self.first), ("To", self.last))
        column(self, settings, start)

    def show_workspace(self, ws: Workspace) -> None:
        """Begin with the clip's own range."""
        if self._set_for != ws.key:
            self._set_for = ws.key
            self.first.setValue(int(ws.document.fullClipRangeStartTime()))
            self.last.setValue(int(ws.document.fullClipRangeEndTime()))
