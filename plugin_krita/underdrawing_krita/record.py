"""What a document remembers of its underdrawing: a note kept in the document itself and saved with it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from .colour_space import Space
from .qt import QtCore

KEY = "underdrawing/document"
ABOUT = "Underdrawing: which layers, which model"
PLANES = ("segments", "edges", "paint")
NOW = "now"
MOST_LAYERS = 64  # places of one kind that are remembered: undo brings earlier layers back


@dataclass(frozen=True)
class Colour:
    """A class of the palette: red, green, blue from 0 to 255, and its name."""

    rgb: tuple[int, int, int]
    name: str

    def as_dict(self) -> dict[str, Any]:
        """As the engine says it."""
        return {"colour": list(self.rgb), "name": self.name}

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Colour:
        """From what the engine says."""
        red, green, blue = (int(v) for v in raw["colour"][:3])
        return cls((red, green, blue), str(raw.get("name", "")))


@dataclass(frozen=True)
class ModelNote:
    """A model of this document's picture."""

    id: str
    name: str
    method: str = ""


@dataclass(frozen=True)
class Lifted:
    """A thing that was taken out of the picture.

    Attributes:
        mask: the number under which the document keeps where it was.
        layer: the id of its layer; "" for one that was removed without becoming a layer.
        state: of its layer: "" it is there; "removed" the person deleted it; "undone" lifting it was undone.
        result: of one without a layer, the id of the result that first lacked it; "" until there is one.
        back: of one without a layer that was taken back, the id of the result that first shows it again; NOW until it
            is there.
    """

    mask: int
    layer: str = ""
    state: str = ""
    result: str = ""
    back: str = ""


@dataclass(frozen=True)
class Record:
    """The note. Layers are named by their unique ids; of several, the newest that is in the document counts, so that
    undo and redo of a replacement need no further care.

    Attributes:
        picture: the layer that holds the picture.
        picture_hash: hash of its pixels as they were trained, or "".
        space: the picture's colour space, in which results are made.
        planes: by name, layers that hold the planes, the newest first.
        groups: groups that hold the planes, the newest first; none where the user's own layers are used.
        palette: classes of the segments.
        models: models of this picture, the newest last.
        model: the id of the one in use, or "".
        job: the training that goes on, or "".
        results: layers made by Apply, the newest first.
        made: layers made without an underdrawing, the newest first.
        covers: by the layer that was pasted, edited or painted: the layers that were made of it, the newest first.
        hidden: of these, the ones that were hidden when something was made of them.
        alone: the model that was used last without an underdrawing, or "".
        alone_job: its training while that goes on, or "".
        maker: the folder's model that was chosen last in its place, or "".
        lifted: things that were lifted or removed, in their order.
        things: groups that hold their layers, the newest first.
        at_once: the model by it that was used last for something pasted, edited or painted, or "".
    """

    picture: str = ""
    picture_hash: str = ""
    space: Space | None = None
    planes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    palette: tuple[Colour, ...] = ()
    models: tuple[ModelNote, ...] = ()
    model: str = ""
    job: str = ""
    results: tuple[str, ...] = ()
    preview: str = ""
    made: tuple[str, ...] = ()
    covers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    alone: str = ""
    alone_job: str = ""
    maker: str = ""
    at_once: str = ""
    lifted: tuple[Lifted, ...] = ()
    things: tuple[str, ...] = ()

    def with_planes(self, group: str, planes: dict[str, str]) -> Record:
        """With a new set of planes; the earlier ones stay known for undo."""
        known = {
            name: ((planes[name],) if name in planes else ()) + self.planes.get(name, ())
            for name in PLANES
            if name in planes or name in self.planes
        }
        groups = ((group,) if group else ()) + self.groups
        return replace(
            self, planes={name: ids[:MOST_LAYERS] for name, ids in known.items()}, groups=groups[:MOST_LAYERS]
        )

    def with_model(self, model: ModelNote) -> Record:
        """With a model, which is the one in use from now on."""
        others = tuple(known for known in self.models if known.id != model.id)
        return replace(self, models=(*others, model), model=model.id)

    def without_model(self, identity: str) -> Record:
        """Without a model that is no more."""
        models = tuple(known for known in self.models if known.id != identity)
        used = self.model if self.model != identity else (models[-1].id if models else "")
        return replace(self, models=models, model=used)

    def with_made(self, layer: str, over: str = "") -> Record:
        """With a layer that was made without an underdrawing, of the layer `over` where there is one."""
        covers = dict(self.covers)
        if over:
            covers[over] = (layer, *covers.pop(over, ()))[:MOST_LAYERS]
            covers = dict(list(covers.items())[-MOST_LAYERS:])
        return replace(self, made=(layer, *self.made)[:MOST_LAYERS], covers=covers)

    def to_json(self) -> str:
        """The note's text."""
        raw: dict[str, Any] = dict(self.__dict__, version=1)
        raw["space"] = None if self.space is None else self.space.as_dict()
        raw["palette"] = [colour.as_dict() for colour in self.palette]
        raw["lifted"] = [lifted.__dict__ for lifted in self.lifted]
        raw["models"] = [model.__dict__ for model in self.models]
        return json.dumps(raw)

    @classmethod
    def from_json(cls, text: str) -> Record:
        """From the note's text; an empty record where it is damaged or of a later kind."""
        try:
            raw = json.loads(text)
            if raw["version"] != 1:
                return cls()
            return cls(
                picture=str(raw["picture"]),
                picture_hash=str(raw["picture_hash"]),
                space=Space.from_dict(raw["space"]) if raw["space"] else None,
                planes={str(k): _texts(v) for k, v in raw["planes"].items() if k in PLANES},
                groups=_texts(raw["groups"]),
                palette=tuple(Colour.from_dict(entry) for entry in raw["palette"]),
                models=tuple(ModelNote(str(m["id"]), str(m["name"]), str(m["method"])) for m in raw["models"]),
                model=str(raw["model"]),
                job=str(raw["job"]),
                results=_texts(raw["results"]),
                preview=str(raw["preview"]),
                made=_texts(raw.get("made", [])),
                covers={str(k): _texts(v) for k, v in raw.get("covers", {}).items()},
                hidden=_texts(raw.get("hidden", [])),
                alone=str(raw.get("alone", "")),
                alone_job=str(raw.get("alone_job", "")),
                maker=str(raw.get("maker", "")),
                at_once=str(raw.get("at_once", "")),
                lifted=tuple(Lifted(**one) for one in raw.get("lifted", [])),
                things=_texts(raw.get("things", [])),
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            return cls()


def _texts(raw: list[Any]) -> tuple[str, ...]:
    return tuple(str(value) for value in raw)[:MOST_LAYERS]


def load(document: Any) -> Record:
    """The note of a document."""
    if KEY not in document.annotationTypes():
        return Record()
    return Record.from_json(bytes(document.annotation(KEY)).decode("utf-8", "replace"))


def save(document: Any, record: Record) -> None:
    """Keep the note with the document."""
    document.setAnnotation(KEY, ABOUT, QtCore.QByteArray(record.to_json().encode("utf-8")))
