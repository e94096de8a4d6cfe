"""What goes to a model and comes from it, where the picture was turned, cropped or scaled since training."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from . import recognition
from .client.engine import Engine
from .client.frames import CHANNELS, Frame
from .client.messages import EngineError
from .pixels import Rect
from .record import Record
from .transform import FINE, HARD, SOFT, Way

if TYPE_CHECKING:
    from .apply import Result


@dataclass(frozen=True)
class Bridge:
    """Between a picture and its model.

    Attributes:
        way: what became of the picture; None lets everything pass as it is.
        ground: the planes as the model was trained on them, `RGBA`; nothing without a way.
    """

    way: Way | None = None
    ground: dict[str, Frame] = field(default_factory=dict)

    @classmethod
    def of(cls, engine: Engine, known: Record) -> Bridge:
        """For a record whose way was looked for.

        Raises:
            EngineError: the model's own underdrawing cannot be read.
        """
        if known.way is None:
            return cls()
        return cls(known.way, recognition.trained_planes(engine, known.model))

    def planes(self, drawn: dict[str, Frame]) -> dict[str, Frame]:
        """The underdrawing as the model knows it, with what was painted since."""
        if self.way is None:
            return drawn
        # What the model was not trained on, it does not look at.
        return {
            kind: self.way.plane(frame, self.ground[kind], HARD if kind == "segments" else SOFT)
            for kind, frame in drawn.items()
            if kind in self.ground
        }

    def mask(self, mask: Frame | None) -> Frame | None:
        """A selection where the model's underdrawing has it."""
        if self.way is None or mask is None:
            return mask
        width, height = self.way.trained
        return self.way.back(mask, SOFT, Frame(width, height, "L", "u8", bytes(width * height)))

    def photograph(self, frame: Frame) -> Frame:
        """A photograph of today's size at the size of the training, on white where the picture was cropped."""
        if self.way is None:
            return frame
        width, height = self.way.trained
        white = b"\xff" * (width * height * CHANNELS[frame.order])
        return self.way.back(frame, FINE, replace(frame, width=width, height=height, data=white, stride=0))

    def drawn(self, planes: dict[str, Frame]) -> dict[str, Frame]:
        """Whole planes of the model's size as they lie in the picture now."""
        if self.way is None:
            return planes
        whole = Rect(0, 0, *self.way.trained)
        moved = {k: self.way.forth(f, HARD if k == "segments" else SOFT, whole) for k, f in planes.items()}
        return {kind: found[0] for kind, found in moved.items() if found is not None}

    def result(self, result: Result) -> Result:
        """A result as it lies in the picture now.

        Raises:
            EngineError: it lies where the picture was cropped.
        """
        if self.way is None:
            return result
        picture = self.way.forth(result.picture, FINE, result.at)
        mask = self.way.forth(result.mask, SOFT, result.at)
        if picture is None or mask is None:
            text = "What was painted lies in a part that was cropped away."
            raise EngineError("nothing_edited", text, "Paint on what is left of the underdrawing.")
        merged = self.way.forth(result.merged, FINE, result.at) if result.merged is not None else None
        return replace(result, picture=picture[0], mask=mask[0], merged=merged and merged[0], at=picture[1])
