"""Colour spaces of Krita's layers, and how their bytes are called on the wire."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

DEPTHS = {"U8": "u8", "U16": "u16", "F16": "f16", "F32": "f32"}
BYTES = {"U8": 1, "U16": 2, "F16": 2, "F32": 4}
LINEAR = re.compile(r"g10|linear", re.IGNORECASE)
SRGBS = re.compile(r"sRGB(?!.*(g10|linear))", re.IGNORECASE)
SRGB = "sRGB-elle-V2-srgbtrc.icc"


@dataclass(frozen=True)
class Space:
    """A layer's colour space.

    Attributes:
        model: "RGBA", "GRAYA", "CMYKA", "LABA", … as Krita says.
        depth: "U8", "U16", "F16" or "F32".
        profile: the name of the ICC profile.
    """

    model: str
    depth: str
    profile: str

    @classmethod
    def of(cls, node: Any) -> Space:
        """That of a layer or a document."""
        return cls(node.colorModel(), node.colorDepth(), node.colorProfile())

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Space:
        """From the document's notes."""
        return cls(str(raw["model"]), str(raw["depth"]), str(raw["profile"]))

    def as_dict(self) -> dict[str, str]:
        """For the document's notes."""
        return asdict(self)

    @property
    def plain(self) -> bool:
        """Whether the engine reads its bytes as they are. CMYK, Lab and others have to be converted first."""
        return self.model in ("RGBA", "GRAYA") and self.depth in DEPTHS

    @property
    def order(self) -> str:
        """The order of a pixel's values: Krita keeps integers as BGRA, floats as RGBA."""
        if self.model == "GRAYA":
            return "LA"
        return "BGRA" if self.depth in ("U8", "U16") else "RGBA"

    @property
    def wire_depth(self) -> str:
        """The depth as the engine calls it."""
        return DEPTHS[self.depth]

    @property
    def pixel(self) -> int:
        """Bytes of one pixel."""
        return (2 if self.model == "GRAYA" else 4) * BYTES[self.depth]

    @property
    def linear(self) -> bool:
        """Whether float values are in linear light."""
        return self.depth in ("F16", "F32") and bool(LINEAR.search(self.profile))

    @property
    def is_srgb(self) -> bool:
        """Whether it is 8-bit sRGB, by whichever of Krita's profiles of this meaning."""
        return self.model == "RGBA" and self.depth == "U8" and bool(SRGBS.match(self.profile))

    def serves_for(self, wanted: Space) -> bool:
        """Whether layers of this space can hold what is meant for another."""
        return self == wanted or (self.is_srgb and wanted.is_srgb)

    @property
    def converted(self) -> Space:
        """The space that a picture of a space which is not plain is converted to: sRGB of no smaller depth."""
        return self if self.plain else Space("RGBA", "U8" if self.depth == "U8" else "U16", SRGB)


DRAWN = Space("RGBA", "U8", SRGB)  # of the underdrawing's own layers, whatever the document has
