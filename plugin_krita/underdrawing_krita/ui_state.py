"""In which state a document is, and what is going on with it: values without Qt and without Krita."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from .client.job_status import JobStatus


class Stage(Enum):
    """How far a document is."""

    NO_DOCUMENT = "no document"
    EMPTY = "empty"  # a picture without an underdrawing
    DRAWN = "drawn"  # with an underdrawing that nothing has trained yet
    TRAINING = "training"
    READY = "ready"  # to be painted on


class Live(Enum):
    """What the live preview does."""

    OFF = "off"
    WATCHING = "watching"
    ASKING = "asking"
    STOPPED = "stopped"  # by an error; the message says why


@dataclass(frozen=True)
class Split:
    """Where the time of one live refresh went, in seconds.

    Attributes:
        poll: since the underdrawing was looked at last; the stroke may have ended at any moment of it.
        read: reading what was painted.
        send: to the engine and back, without the model's own time.
        infer: the model's own time.
        write: writing the preview layer.
    """

    poll: float = 0.0
    read: float = 0.0
    send: float = 0.0
    infer: float = 0.0
    write: float = 0.0

    @property
    def total(self) -> float:
        """All of it."""
        return self.poll + self.read + self.send + self.infer + self.write


@dataclass(frozen=True)
class MakeOptions:
    """How an underdrawing is made: kind is "super", "segments", "edges" or "paint"."""

    kind: str = "super"
    regions: int = 12
    sigma: float = 0.0  # 0: the kind's own
    colours: int = 8

    def body(self) -> dict[str, float]:
        """The options that this kind has."""
        options: dict[str, float] = {}
        if self.kind in ("super", "segments"):
            options["regions"] = self.regions
        if self.kind in ("super", "edges") and self.sigma > 0:
            options["sigma"] = self.sigma
        if self.kind == "paint":
            options["colours"] = self.colours
        return options


@dataclass(frozen=True)
class TrainOptions:
    """How a picture is trained: by seconds, or by a recipe's own length where `seconds` is 0."""

    method: str = ""
    recipe: str = ""
    seconds: float = 120.0
    device: str = "auto"
    figures: tuple[tuple[str, Any], ...] = ()

    def body(self) -> dict[str, Any]:
        """Fields of the request `train`."""
        made: dict[str, Any] = {"device": self.device, "on_disconnect": "continue"}
        if self.method:
            made["method"] = self.method
        if self.recipe:
            made["recipe"] = self.recipe
        if self.seconds and self.method != "draft":
            made["budget"] = self.seconds
        if self.figures:
            made["options"] = dict(self.figures)
        return made


@dataclass(frozen=True)
class ApplyOptions:
    """How an edit becomes a result; see the verb `apply`. grow below 0 means what fits the picture."""

    grow: int = -1
    feather: float = 3.0
    blend: str = "none"
    whole: bool = False
    mask_mode: str = "limit"
    fill: str = "draft"

    def body(self) -> dict[str, Any]:
        """Fields of the request `apply`."""
        made: dict[str, Any] = {"feather": self.feather, "blend": self.blend, "whole": self.whole, "fill": self.fill}
        if self.grow >= 0:
            made["grow"] = self.grow
        return made


@dataclass(frozen=True)
class RegionOptions:
    """What a region tool does with the selected area."""

    operation: str
    dx: int = 0
    dy: int = 0
    factor: float = 1.0
    axis: str = "horizontal"

    def body(self) -> dict[str, Any]:
        """Fields of the request `region` that this operation has."""
        made: dict[str, Any] = {"operation": self.operation}
        if self.operation in ("move", "copy"):
            made.update(dx=self.dx, dy=self.dy)
        elif self.operation == "scale":
            made["factor"] = self.factor
        elif self.operation == "mirror":
            made["axis"] = self.axis
        return made


@dataclass
class Message:
    """What the docker tells: one paragraph, and whether it is bad news."""

    text: str = ""
    bad: bool = False
    details: tuple[str, ...] = field(default_factory=tuple)


def stage_of(has_document: bool, has_planes: bool, has_model: bool, job: JobStatus | None) -> Stage:
    """The one state of a document."""
    if not has_document:
        return Stage.NO_DOCUMENT
    if job is not None and job.under_way:
        return Stage.TRAINING
    if not has_planes:
        return Stage.EMPTY
    return Stage.READY if has_model else Stage.DRAWN


@dataclass(frozen=True)
class Part:
    """A part of another picture.

    Attributes:
        colour: what it looks like there, red, green and blue from 0 to 255.
        share: of that picture, 0 to 1.
        found: the name of the area that it was given.
    """

    colour: tuple[int, int, int]
    name: str
    share: float
    found: str

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Part:
        """From what the engine says."""
        red, green, blue = (int(v) for v in raw["colour"][:3])
        return cls((red, green, blue), str(raw["name"]), float(raw["share"]), str(raw["class"]))


@dataclass(frozen=True)
class Other:
    """The picture whose layout was taken last.

    Attributes:
        model: the id of the model whose areas were looked for.
        frame: the picture, as large as the canvas.
        classes: names and colours of the areas that this picture's model has.
        match: names of areas by numbers of parts, where the person chose them.
    """

    name: str
    model: str
    frame: Any
    parts: tuple[Part, ...] = ()
    classes: tuple[tuple[str, tuple[int, int, int]], ...] = ()
    match: dict[int, str] = field(default_factory=dict)

    def matched(self, part: int, name: str) -> Other:
        """The same with another area for a part; "" is the one that was found."""
        match = {number: own for number, own in self.match.items() if number != part}
        return replace(self, match={**match, part: name} if name else match)
