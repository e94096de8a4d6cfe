"""Between files on the disk and frames for the engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from underdrawing.commands import output

if TYPE_CHECKING:
    import numpy as np

    from underdrawing.client.engine import Engine, Reply
    from underdrawing.client.frames import Frame
    from underdrawing.picture.image import Picture
    from underdrawing.picture.palette import Palette
    from underdrawing.picture.primitive import Primitive


def picture(path: Path) -> Picture:
    """Read a picture."""
    from underdrawing.picture.files import read_picture

    return read_picture(path)


def save(path: Path, made: Picture, quality: int = 95) -> list[str]:
    """Write a picture, and say aloud what its format could not hold."""
    from underdrawing.picture.files import write_picture

    path.parent.mkdir(parents=True, exist_ok=True)
    losses = write_picture(path, made, quality)
    for loss in losses:
        output.note(loss)
    return losses


def drawn(path: Path, palette: Palette | None = None) -> tuple[Primitive, list[str]]:
    """Read a primitive, and say which of its colours the palette lacks."""
    from underdrawing.picture.primitive import read_drawn

    primitive, unseen = read_drawn(path, palette)
    for colour in unseen:
        output.note(str(colour))
    return primitive, [str(colour) for colour in unseen]


def save_primitive(path: Path, primitive: Primitive) -> list[str]:
    """Write a primitive; the files that were written."""
    from underdrawing.picture.primitive import write_primitive

    path.parent.mkdir(parents=True, exist_ok=True)
    return [str(file) for file in write_primitive(path, primitive)]


def frame(made: Picture) -> Frame:
    """A picture for the engine."""
    from underdrawing.store.frame_codec import frame_of

    return frame_of(made)


def frames(primitive: Primitive) -> dict[str, Frame]:
    """A primitive's planes for the engine, by name."""
    from underdrawing.picture.image import Picture

    return {name: frame(Picture(values)) for name, values in primitive.planes().items()}


def palette_json(primitive: Primitive) -> list[dict[str, Any]] | None:
    """A primitive's palette for the engine."""
    return None if primitive.palette is None else primitive.palette.to_json()


def palette_of(manifest: Mapping[str, Any]) -> Palette | None:
    """The palette that a model was learnt with."""
    from underdrawing.picture.palette import Palette

    return Palette.from_json(list(manifest["palette"])) if manifest.get("palette") else None


def received(engine: Engine, reply: Reply, key: str) -> Picture:
    """A picture out of a reply."""
    from underdrawing.store.frame_codec import picture_of

    return picture_of(engine.result(reply, key))


def received_primitive(engine: Engine, reply: Reply) -> Primitive:
    """The primitive out of a reply; the engine's notes are shown."""
    from underdrawing.picture.palette import Palette
    from underdrawing.picture.primitive import Primitive

    body = reply.body
    for text in body.get("notes") or []:
        output.note(str(text))
    planes = {plane["name"]: received(engine, reply, plane["hash"]).to_bytes() for plane in body["planes"]}
    palette = Palette.from_json(body["palette"]) if body.get("palette") else None
    return Primitive.from_planes(planes, palette)[0]


def composed(engine: Engine, reply: Any, original: Picture, corner: tuple[int, int]) -> tuple[Picture, np.ndarray]:
    """The result laid over the picture, and its mask, (H, W) float32 of the picture's size."""
    import numpy as np

    from underdrawing.picture.composite import composite

    result = received(engine, reply, reply.body["picture"])
    stored = received(engine, reply, reply.body["mask"]).pixels[..., 0]
    alpha = stored.astype(np.float32) / np.iinfo(stored.dtype).max
    x, y = int(reply.body["x"]) - corner[0], int(reply.body["y"]) - corner[1]
    whole = np.zeros((original.size[1], original.size[0]), np.float32)
    whole[y : y + alpha.shape[0], x : x + alpha.shape[1]] = alpha
    return composite(original, result, (x, y), alpha), whole


def mask_picture(alpha: np.ndarray) -> Picture:
    """A mask (H, W) of values from 0 to 1 as 8 bits."""
    import numpy as np

    from underdrawing.picture.image import Picture

    return Picture(np.rint(alpha * 255).astype(np.uint8)[..., None])
