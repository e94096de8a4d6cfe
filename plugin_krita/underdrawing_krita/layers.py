"""Layers of a document: found by their ids, made in any colour space, put in with one undo step each."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

from .client.messages import EngineError
from .colour_space import Space
from .qt import QtCore
from .tasks import Pause

PIXELS = ("paintlayer", "grouplayer", "vectorlayer", "filelayer", "clonelayer", "filllayer", "generatorlayer")
MASKS = ("transparencymask", "filtermask", "transformmask", "colorizemask")
SETTLED = 0.06  # seconds
PATIENT = 400  # looks at whether Krita is busy with the picture, before it is not waited for any longer


def identity(node: Any) -> str:
    """A layer's unique id as text."""
    return str(node.uniqueId().toString())


def walk(node: Any) -> Iterator[Any]:
    """All layers below a node, parents first."""
    for child in node.childNodes():
        yield child
        yield from walk(child)


def all_layers(document: Any) -> dict[str, Any]:
    """All layers of a document by their ids."""
    root = document.rootNode()
    return {} if root is None else {identity(node): node for node in walk(root)}


@dataclass(frozen=True)
class Choice:
    """A layer that a person can choose: its id, and its name with the groups it lies in."""

    id: str
    name: str
    type: str


def choices(document: Any, own: set[str]) -> list[Choice]:
    """Layers with pixels that are not ours, from the top of the stack down."""
    found: list[Choice] = []

    def look(node: Any, path: str) -> None:
        for child in reversed(node.childNodes()):
            key = identity(child)
            if child.type() in PIXELS and key not in own:
                found.append(Choice(key, path + child.name(), child.type()))
                look(child, path + child.name() + " ▸ ")

    root = document.rootNode()
    if root is not None:
        look(root, "")
    return found


def reader(node: Any) -> Any:
    """What reads a layer's pixels as they are seen: with its masks, and whatever makes the layer up."""
    plain = node.type() == "paintlayer" and not any(child.type() in MASKS for child in node.childNodes())
    if not plain and not node.visible():
        text = "The layer “%s” is hidden, so Krita has no picture of it." % node.name()
        raise EngineError("hidden", text, "Show it, and try again.")
    return node.pixelData if plain else node.projectionPixelData


def at_rest(document: Any) -> bool:
    """Whether Krita has done what it does with the picture."""
    free = bool(document.tryBarrierLock())
    if free:
        document.unlock()
    return free


def idle(document: Any) -> Generator[Pause, None, None]:
    """Wait until Krita is at rest: what changes layers would wait for it otherwise."""
    for _ in range(PATIENT):
        if at_rest(document):
            return
        yield Pause(0.02)


class Maker:
    """Makes layers of a colour space that can be put into a document later, without traces in its undo history.

    Where the document has this very space, it makes them itself. Where it has another, or where layers are put into
    each other before they are put into the document (each a step of its history), a document of one pixel that nobody
    sees does, which Krita needs a tenth of a second for.
    """

    def __init__(self, krita: Any, document: Any, space: Space, nested: bool = False) -> None:
        own = Space.of(document).serves_for(space) and not nested
        self.scratch = None if own else Scratch(krita, space)
        self._source = document if self.scratch is None else self.scratch.document

    def layer(self, name: str, kind: str = "paintlayer") -> Any:
        """A new layer that is in no document yet."""
        return self._source.createNode(name, kind)

    def mask(self, name: str) -> Any:
        """A new transparency mask."""
        return self._source.createTransparencyMask(name)

    def __enter__(self) -> Maker:
        return self

    def __exit__(self, *_: Any) -> None:
        if self.scratch is not None:
            self.scratch.close()


class Scratch:
    """A document of one pixel that nobody sees."""

    def __init__(self, krita: Any, space: Space) -> None:
        made = krita.createDocument(1, 1, "Underdrawing", space.model, space.depth, space.profile, 96.0)
        if made is None:
            text = "Krita has no colour space %s, %s bit, “%s”." % (space.model, space.depth, space.profile)
            raise EngineError("colour_space", text, "Convert the picture to RGB: Image ▸ Convert Image Colour Space.")
        self.document = made

    def close(self) -> None:
        """Forget it."""
        self.document.setModified(False)
        self.document.close()

    def __enter__(self) -> Scratch:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


def put_in(document: Any, node: Any, parent: Any, above: Any) -> Generator[Pause, None, None]:
    """Add a layer (a group with what is in it): one undo step. Layers that are still empty take no time."""
    active = document.activeNode()
    yield Pause(0)  # adding a layer is Krita's longest call: nothing of ours shares its step
    yield from idle(document)
    if not parent.addChildNode(node, above):
        raise EngineError("layer", "Krita did not take the new layer.", "Is its group locked?")
    if active is not None:
        # Krita makes what is new the layer that is painted on, a moment later: painting goes on where it was.
        document.setActiveNode(active)
        yield Pause(SETTLED)
        document.setActiveNode(active)


def locked_below(parent: Any) -> str | None:
    """The name of a locked group that nothing can be put into, or None."""
    node = parent
    while node is not None and node.type() == "grouplayer" and node.parentNode() is not None:
        if node.locked():
            return str(node.name())
        node = node.parentNode()
    return None


def has_masks() -> bool:
    """Whether this Krita can fill a transparency mask (5.2 and later)."""
    import krita

    return hasattr(krita.TransparencyMask, "setSelection") if hasattr(krita, "TransparencyMask") else False


def selection_bytes(document: Any) -> Any:
    """The selection as bytes of the whole picture, 0 to 255 a pixel; None where nothing is selected."""
    selection = document.selection()
    if selection is None:
        return None
    data = selection.pixelData(0, 0, document.width(), document.height())
    return data if isinstance(data, QtCore.QByteArray) and data.count(b"\0") < data.size() else None
