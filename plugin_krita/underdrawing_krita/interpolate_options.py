"""What is wanted of the way between two pictures: values without Qt and without Krita."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

MOST_LAYERS, MOST_FRAMES = 48, 240


class Way(Enum):
    """What is made of the way."""

    PLACE = "place"  # one place of it, as a layer
    LAYERS = "layers"  # the whole of it, as layers
    CLIP = "clip"  # the whole of it, as a clip


class Kind(Enum):
    """Where the other picture is."""

    LAYER = "layer"
    DOCUMENT = "document"
    FILE = "file"


@dataclass(frozen=True)
class Other:
    """The picture that the way leads to.

    Attributes:
        key: the layer's id, the id of the document's root, or the file's path.
    """

    kind: Kind
    key: str

    @property
    def text(self) -> str:
        """As the data of a list's entry."""
        return "%s:%s" % (self.kind.value, self.key)

    @classmethod
    def of(cls, text: str) -> Other | None:
        """From a list's entry; None where nothing is chosen."""
        kind, found, key = text.partition(":")
        return cls(Kind(kind), key) if found else None


@dataclass(frozen=True)
class BetweenWish:
    """What a person wants of the way.

    Attributes:
        scales: what changes: "all", "coarse", "middle" or "fine".
        place: 0 this picture, 1 the other one; for PLACE.
        count: of layers or frames, both ends included.
    """

    other: Other | None = None
    scales: str = "all"
    way: Way = Way.PLACE
    place: float = 0.5
    count: int = 7

    def places(self) -> list[float]:
        """Where on the way pictures are made, 0 to 1."""
        if self.way is Way.PLACE:
            return [self.place]
        return [number / (self.count - 1) for number in range(self.count)]

    def body(self) -> dict[str, Any]:
        """Fields of the request `between` that say where and what."""
        return {"scales": self.scales, "at": self.places()}
