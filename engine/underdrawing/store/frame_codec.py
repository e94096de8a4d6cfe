"""Pictures in and out of the spool: bytes on the wire to arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from underdrawing.client.frames import CHANNELS, Frame
from underdrawing.client.messages import EngineError
from underdrawing.client.request_fields import checked_hash
from underdrawing.picture.image import DEPTHS, Picture, PictureError
from underdrawing.picture.metadata import Metadata
from underdrawing.picture.palette import Palette
from underdrawing.picture.primitive import Primitive
from underdrawing.store.blob_store import Spool
from underdrawing.store.made_underdrawings import MadeUnderdrawing


def picture_of(frame: Frame) -> Picture:
    """The picture that a frame holds."""
    native: np.dtype[Any] = DEPTHS[frame.depth]  # type: ignore[assignment]
    dtype = native.newbyteorder("<")
    channels = CHANNELS[frame.order]
    rows = np.frombuffer(frame.data, np.uint8).reshape(frame.height, frame.stride)
    used = frame.width * channels * dtype.itemsize
    pixels = np.ascontiguousarray(rows[:, :used]).view(dtype).reshape(frame.height, frame.width, channels)
    pixels = pixels.astype(native, copy=False)
    alpha = None
    if frame.order in ("LA", "RGBA", "BGRA"):
        pixels, alpha = pixels[..., :-1], np.ascontiguousarray(pixels[..., -1])
    if frame.order == "BGRA":
        pixels = pixels[..., ::-1]
    about = Metadata.from_bytes(frame.metadata)
    return Picture(np.ascontiguousarray(pixels), alpha, frame.profile, frame.linear, about)


def frame_of(picture: Picture, order: str = "") -> Frame:
    """A picture as it is sent; alpha goes along.

    Args:
        order: what the client's program wants ("LA", "RGBA" or "BGRA": grey is repeated, alpha that is not there is
            full); empty for what the picture has. Colour is never made grey: it comes as "RGBA" then.
    """
    pixels, alpha = picture.pixels, picture.alpha
    if order:
        if order == "LA" and picture.channels == 3:
            order = "RGBA"
        if alpha is None:
            full = 1.0 if pixels.dtype.kind == "f" else np.iinfo(pixels.dtype).max
            alpha = np.full(pixels.shape[:2], full, pixels.dtype)
        if order != "LA" and picture.channels == 1:
            pixels = np.repeat(pixels, 3, axis=2)
        if order == "BGRA":
            pixels = pixels[..., ::-1]
    else:
        order = ("L" if picture.channels == 1 else "RGB") + ("" if alpha is None else "A")
    if alpha is not None:
        pixels = np.dstack([pixels, alpha])
    little = np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("<"), copy=False))
    width, height = picture.size
    data = memoryview(little.view(np.uint8).data).cast("B")
    about = picture.metadata.to_bytes()
    return Frame(width, height, order, picture.depth, data, 0, picture.linear, picture.profile or None, about)


class Inputs:
    """Pictures by reference, as a task's arguments name them.

    Args:
        spool: the spool's folder.
        kept: a folder that is asked first: where a training keeps its inputs.
    """

    def __init__(self, spool: Path, kept: Path | None = None) -> None:
        self.spool = Spool(spool)
        self.kept = Spool(kept) if kept is not None and kept.is_dir() else None

    def frame(self, key: str) -> Frame:
        """A stored frame."""
        place = self.kept if self.kept is not None and self.kept.has(key) else self.spool
        return Frame.parse(place.header(key), place.open(key))

    def picture(self, reference: Mapping[str, Any]) -> Picture:
        """The picture of a reference: a hash, or a base and the patches that changed since."""
        if "base" not in reference:
            return picture_of(self.frame(checked_hash(reference.get("hash"))))
        base = picture_of(self.frame(checked_hash(reference["base"])))
        pixels = base.pixels.copy()
        alpha = None if base.alpha is None else base.alpha.copy()
        for entry in reference.get("patches") or []:
            patch = picture_of(self.frame(checked_hash(entry.get("hash"))))
            x, y, (width, height) = int(entry["x"]), int(entry["y"]), patch.size
            fits = 0 <= x <= base.size[0] - width and 0 <= y <= base.size[1] - height
            if not fits or patch.depth != base.depth or patch.channels != base.channels:
                raise EngineError("bad_request", "A changed region does not fit the picture that it belongs to.")
            pixels[y : y + height, x : x + width] = patch.pixels
            if alpha is not None and patch.alpha is not None:
                alpha[y : y + height, x : x + width] = patch.alpha
        return replace(base, pixels=pixels, alpha=alpha)

    def mask(self, reference: Mapping[str, Any]) -> np.ndarray:
        """A mask as (H, W) bool: everything that is not black; of pictures with alpha, what is not transparent."""
        return self.weights(reference) > 0

    def weights(self, reference: Mapping[str, Any]) -> np.ndarray:
        """A mask as (H, W) float32 in [0, 1]: how light it is; of pictures with alpha and one colour, how opaque."""
        picture = self.picture(reference)
        flat = picture.alpha is not None and np.ptp(picture.pixels) == 0
        values = picture.alpha if picture.alpha is not None and flat else picture.pixels.max(axis=2)
        full = 1.0 if values.dtype.kind == "f" else float(np.iinfo(values.dtype).max)
        return np.nan_to_num(values / full).clip(0, 1).astype(np.float32)

    def plane(self, reference: Mapping[str, Any]) -> np.ndarray:
        """A drawing, (H, W, 3) uint8, transparent pixels white."""
        try:
            return self.picture(reference).on_paper()
        except PictureError as error:
            raise EngineError("bad_picture", str(error), "") from None

    def primitive(self, planes: Mapping[str, Any], palette: list[dict[str, Any]] | None) -> tuple[Primitive, list[str]]:
        """A primitive from its planes, in a palette if one is given; and sentences about colours it lacks.

        Transparent pixels of a plane count as paper: white, which for segments is the colour of the nearest class.
        """
        if not planes:
            raise EngineError("plane_missing", "The underdrawing has no plane.", "Send segments, edges or paint.")
        kinds = {name: str(ref["kind"]) for name, ref in planes.items() if ref.get("kind")}
        drawn = {name: self.plane(reference) for name, reference in planes.items()}
        try:
            known = Palette.from_json(palette) if palette else None
            primitive, unseen = Primitive.from_planes(drawn, known, kinds)
        except PictureError as error:
            raise EngineError("bad_picture", str(error), "") from None
        return primitive, [str(colour) for colour in unseen]

    def put(self, picture: Picture, order: str = "") -> str:
        """Store a result for the client, in the order that it wants; its hash."""
        frame = frame_of(picture, order)
        return self.spool.put(frame.header(), frame.blob())

    def put_primitive(self, primitive: Primitive, order: str = "") -> dict[str, Any]:
        """Store a primitive's planes: `planes` as {name, hash}, and its `palette`."""
        shown = primitive.planes().items()
        planes = [{"name": name, "hash": self.put(Picture(values), order)} for name, values in shown]
        return {"planes": planes, "palette": [] if primitive.palette is None else primitive.palette.to_json()}


def kept_planes(made: MadeUnderdrawing, planes: Mapping[str, bytes]) -> dict[str, np.ndarray]:
    """The planes of a kept underdrawing, (H, W, 1 or 3) uint8 each."""
    shape = made.height, made.width, -1
    return {name: np.frombuffer(plane, np.uint8).reshape(shape) for name, plane in planes.items()}
