"""Raw pixels on the wire: a header that says everything, and bytes. No encodings, no pickles."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Dict, Optional

from .messages import EngineError

CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "BGRA": 4}
BYTES = {"u8": 1, "u16": 2, "f16": 2, "f32": 4}  # little endian
MOST_SIDE = 1 << 17
MOST_DATA = 4 << 30
MOST_PROFILE = 16 << 20
MOST_METADATA = 64 << 20


@dataclass(frozen=True)
class Frame:
    """A picture as bytes.

    Attributes:
        width, height: pixels.
        order: "L", "LA", "RGB", "RGBA" or "BGRA"; alpha is not premultiplied.
        depth: "u8", "u16", "f16" or "f32", little endian.
        data: rows from the top, `stride` bytes each.
        stride: bytes from one row to the next; 0 means that rows follow each other without gaps.
        linear: float pixels in linear light.
        profile: an ICC profile, or None for sRGB.
        metadata: what the picture's file says beside the pixels, as the engine packs it; it goes with the picture.
    """

    width: int
    height: int
    order: str
    depth: str
    data: Any
    stride: int = 0
    linear: bool = False
    profile: Optional[bytes] = None
    metadata: bytes = b""

    def __post_init__(self) -> None:
        row = self.width * CHANNELS.get(self.order, 0) * BYTES.get(self.depth, 0)
        if not row or not 0 < self.width <= MOST_SIDE or not 0 < self.height <= MOST_SIDE:
            raise EngineError(
                "bad_frame",
                "A picture of %s x %s pixels, order %r and depth %r cannot be sent."
                % (self.width, self.height, self.order, self.depth),
            )
        if not self.stride:
            object.__setattr__(self, "stride", row)
        if self.stride < row or self.stride * self.height > MOST_DATA:
            raise EngineError("bad_frame", "The rows of the picture do not fit its width, or it is above 4 GiB.")
        if memoryview(self.data).nbytes != self.stride * self.height:
            raise EngineError(
                "bad_frame",
                "The picture has %d bytes, its header promises %d."
                % (memoryview(self.data).nbytes, self.stride * self.height),
            )
        if self.profile is not None and not 0 < len(self.profile) <= MOST_PROFILE:
            raise EngineError("bad_frame", "The colour profile is empty or above 16 MiB.")
        if len(self.metadata) > MOST_METADATA:
            raise EngineError("bad_frame", "The metadata are above 64 MiB.")

    @property
    def size(self) -> int:
        """Bytes of pixels, profile and metadata together."""
        return self.stride * self.height + len(self.profile or b"") + len(self.metadata)

    def description(self) -> Dict[str, Any]:
        """Everything but the bytes and their hash."""
        about: Dict[str, Any] = {
            "width": self.width,
            "height": self.height,
            "order": self.order,
            "depth": self.depth,
            "stride": self.stride,
            "linear": self.linear,
            "profile_size": len(self.profile or b""),
        }
        if self.metadata:
            about["metadata_size"] = len(self.metadata)
        return about

    @property
    def hash(self) -> str:
        """sha256 of the description and the bytes; pictures that are alike have the same."""
        known = self.__dict__.get("_hash")
        if known is None:
            digest = start_hash(self.description())
            digest.update(memoryview(self.data).cast("B"))
            digest.update(self.profile or b"")
            digest.update(self.metadata)
            known = digest.hexdigest()
            object.__setattr__(self, "_hash", known)
        return str(known)

    def header(self) -> Dict[str, Any]:
        """The description and the hash, as JSON."""
        return {**self.description(), "hash": self.hash}

    def blob(self) -> Any:
        """Pixels and, after them, the profile and the metadata: what is sent and stored, bytes or a view of them."""
        pixels, about = memoryview(self.data).cast("B"), (self.profile or b"") + self.metadata
        return bytes(pixels) + about if about else pixels

    @classmethod
    def parse(cls, header: Dict[str, Any], blob: Any) -> Frame:
        """A frame from its header and bytes; everything is checked but the hash.

        Raises:
            EngineError: the two do not fit together.
        """
        about = check_header(header)
        view = memoryview(blob).cast("B")
        pixels = about["stride"] * about["height"]
        if view.nbytes != blob_size(about):
            raise EngineError("bad_frame", "A picture does not have as many bytes as its header promises.")
        metadata = pixels + about["profile_size"]
        return cls(
            about["width"],
            about["height"],
            about["order"],
            about["depth"],
            view[:pixels],
            about["stride"],
            about["linear"],
            bytes(view[pixels:metadata]) or None,
            bytes(view[metadata:]),
        )


def start_hash(description: Dict[str, Any]) -> Any:
    """A sha256 that has read the description and waits for the bytes."""
    return hashlib.sha256((json.dumps(description, sort_keys=True, separators=(",", ":")) + "\n").encode())


def check_header(header: Dict[str, Any]) -> Dict[str, Any]:
    """The description within a header from anybody.

    Raises:
        EngineError: a field is missing, of the wrong type, or out of range.
    """
    about: Dict[str, Any] = {}
    for key, low, high in (
        ("width", 1, MOST_SIDE),
        ("height", 1, MOST_SIDE),
        ("stride", 1, MOST_DATA),
        ("profile_size", 0, MOST_PROFILE),
        ("metadata_size", 1, MOST_METADATA),
    ):
        if key == "metadata_size" and key not in header:
            continue
        value = header.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise EngineError("bad_frame", "The field %r of a picture's header is missing or out of range." % key)
        about[key] = value
    order, depth, linear = header.get("order"), header.get("depth"), header.get("linear", False)
    if order not in list(CHANNELS) or depth not in list(BYTES) or not isinstance(linear, bool):
        raise EngineError("bad_frame", "A picture's header has an unknown order or depth.")
    if (
        about["stride"] < about["width"] * CHANNELS[order] * BYTES[depth]
        or about["stride"] * about["height"] > MOST_DATA
    ):
        raise EngineError("bad_frame", "The rows of a picture do not fit its width, or it is above 4 GiB.")
    about.update(order=order, depth=depth, linear=linear)
    return about


def blob_size(about: Dict[str, Any]) -> int:
    """Bytes of pixels, profile and metadata that a checked header promises."""
    return int(about["stride"] * about["height"] + about["profile_size"] + about.get("metadata_size", 0))
