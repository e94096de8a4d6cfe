"""Pictures that are not in this document: other open documents, and files."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from . import layers
from .client.messages import EngineError
from .qt import Qt, QtCore, QtGui, QtWidgets
from .tasks import Pause
from .tiles import MOST


@dataclass(frozen=True)
class Elsewhere:
    """A picture that is not in this document: of another one where `document` is given, else of a file."""

    document: Any = None
    path: str = ""

    @property
    def name(self) -> str:
        """What people call it."""
        return name_of(self.document) if self.document is not None else QtCore.QFileInfo(self.path).fileName()

    def image(self, longest: int = 0) -> Generator[Any, Any, Any]:
        """The picture as a QImage in sRGB, not larger than `longest` pixels of a side (0: as large as it is).

        Raises:
            EngineError: it cannot be read.
        """
        image = (
            (yield from self._of_document(longest))
            if self.document is not None
            else (yield from self._of_file(longest))
        )
        if image is None or image.isNull():
            text = "The picture “%s” cannot be read." % self.name
            raise EngineError("no_picture", text, "Open it in Krita, and choose it in the list.")
        return image if not longest else reduced(image, longest)

    def _of_document(self, longest: int) -> Generator[Any, Any, Any]:
        width, height = int(self.document.width()), int(self.document.height())

        def band(y: int, rows: int) -> Any:
            if self.document.rootNode() is None:
                raise EngineError("gone", "That document is not open any more.", "Choose another picture.")
            return self.document.projection(0, y, width, rows)

        return (yield from put_together(width, height, band, longest))

    def _of_file(self, longest: int) -> Generator[Any, Any, Any]:
        """Read beside Krita's interface: a large photograph takes longer than a person should wait for a brush."""
        found: list[Any] = []
        thread = threading.Thread(target=lambda: found.append(_read(self.path, longest)), daemon=True)
        thread.start()
        while thread.is_alive():
            yield Pause(0.02)
        return found[0] if found else None


def _read(path: str, longest: int) -> Any:
    reader = QtGui.QImageReader(path)
    reader.setAutoTransform(True)
    size = reader.size()
    if longest and size.isValid() and max(size.width(), size.height()) > 4 * longest:
        # Some kinds of files can be read smaller than they are, which is quicker. The rest is done with care.
        reader.setScaledSize(size.scaled(2 * longest, 2 * longest, Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    if image.colorSpace().isValid():
        image.convertToColorSpace(QtGui.QColorSpace(QtGui.QColorSpace.NamedColorSpace.SRgb))
    return image


def put_together(
    width: int, height: int, band: Callable[[int, int], Any], longest: int = 0
) -> Generator[None, None, Any]:
    """A picture as a QImage, some rows at a time, so that a large one holds nothing up.

    Args:
        band: called with the first row and the number of rows; their QImage.
        longest: pixels that its longer side has at most; 0: as large as it is.
    """
    step = min(max(width, height) // (2 * longest), width, height) if longest else 1
    step = max(1, step)
    rows = max(1, MOST // width // step) * step
    image = QtGui.QImage(width // step, height // step, QtGui.QImage.Format.Format_ARGB32)
    modes = Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    painter = QtGui.QPainter(image)
    painter.setCompositionMode(QtGui.QPainter.CompositionMode.CompositionMode_Source)
    try:
        # Rows at the lower edge that are fewer than one of the small picture's do not count.
        whole = height // step * step
        for y in range(0, whole, rows):
            count = min(rows, whole - y)
            piece = band(y, count)
            small = piece if step == 1 else piece.scaled(width // step, count // step, *modes)
            painter.drawImage(0, y // step, small)
            yield None
    finally:
        painter.end()
    return image if not longest else reduced(image, longest)


def reduced(image: Any, longest: int) -> Any:
    """A QImage whose longer side has at most so many pixels."""
    if max(image.width(), image.height()) <= longest:
        return image
    modes = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    return image.scaled(longest, longest, *modes)


def documents(krita: Any) -> list[tuple[str, Any]]:
    """All open documents by the ids of their roots."""
    found = ((document.rootNode(), document) for document in krita.documents())
    return [(layers.identity(root), document) for root, document in found if root is not None]


def name_of(document: Any) -> str:
    """A document's name for lists: its file's, or Krita's word for a new one."""
    return QtCore.QFileInfo(document.fileName()).fileName() or str(document.name()) or "picture"


def others(krita: Any, document: Any) -> list[tuple[str, str]]:
    """Names and ids of the open documents but one."""
    return [(name_of(other), key) for key, other in documents(krita) if other != document]


def in_document(krita: Any, key: str) -> Elsewhere:
    """The picture of an open document.

    Raises:
        EngineError: it was closed.
    """
    found = dict(documents(krita)).get(key)
    if found is None:
        raise EngineError("gone", "That document is not open any more.", "Choose another picture.")
    return Elsewhere(found)


def ask_file(parent: Any, title: str) -> str:
    """The path of a picture that the person chooses, or ""."""
    patterns = " ".join("*." + bytes(kind).decode() for kind in QtGui.QImageReader.supportedImageFormats())
    path, _ = QtWidgets.QFileDialog.getOpenFileName(parent, title, "", "Pictures" + " (" + patterns + ")")
    return str(path)
