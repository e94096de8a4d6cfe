"""Between files on the disk and frames for the engine."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
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
    """Read a picture; damage that leaves its pixels whole is reported."""
    from underdrawing.picture.files import read_picture

    return read_picture(path, lambda text: output.note(f"{path.name}: {text}"))


def save(path: Path, made: Picture, quality: int = 95, text: dict[str, str] | None = None) -> list[str]:
    """Write a picture, and say aloud what its format could not hold."""
    from underdrawing.picture.files import write_picture

    if output.strips():
        made = replace(made, metadata=made.metadata.stripped())
    losses = write_picture(path, made, quality, text)
    for loss in losses:
        output.note(loss)
    return losses


def save_generated(path: Path, made: Picture, source: Picture, same_shape: bool, quality: int = 95) -> list[str]:
    """Write a picture generated from another, with that one's transparency where it has the same shape.

    Returns:
        one sentence for everything that was lost.
    """
    from underdrawing.picture.opacity import generated_opacity

    made = replace(made, metadata=source.metadata.for_size(made.size))
    if same_shape:
        return save(path, generated_opacity(made, source), quality)
    losses = save(path, made, quality)
    if source.alpha is not None:
        losses.append("The transparency was left out: a picture in another shape is opaque.")
        output.note(losses[-1])
    return losses


def make_folder(out: Path) -> None:
    """Make the folder for several results; a file's name needs one that is there.

    Raises:
        PictureError: the folder that it belongs into is missing.
    """
    from underdrawing.picture.image import PictureError

    if out.suffix:
        return
    if not out.absolute().parent.is_dir():
        raise PictureError(f"There is no folder {out.absolute().parent}; make it first.")
    out.mkdir(exist_ok=True)


def check_targets(*targets: Path | None, inputs: Sequence[Path | None] = ()) -> None:
    """Refuse results before anything is made: names that cannot be written to, and those of files that are read.

    Args:
        targets: the files to write; None where none is asked for.
        inputs: the files that must stay as they are.

    Raises:
        PictureError: with the reason.
    """
    from underdrawing.picture.atomic_write import check_target
    from underdrawing.picture.files import check_ending
    from underdrawing.picture.image import PictureError

    kept = {file.resolve(): file for given in inputs if given is not None for file in _files_of(given)}
    same = {(known.st_dev, known.st_ino) for file in kept if (known := _status(file)) is not None}
    seen: set[Path] = set()
    for target in targets:
        if target is None:
            continue
        check_ending(target)
        check_target(target)
        place, known = target.resolve(), _status(target)
        if place in kept or (known is not None and (known.st_dev, known.st_ino) in same):
            raise PictureError(f"{target.name} is read by this command and would be overwritten; choose another name.")
        if place in seen:
            raise PictureError(f"Two results would be written to {target.name}; give each a name of its own.")
        seen.add(place)


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _files_of(path: Path) -> list[Path]:
    """A picture, or all files of a primitive."""
    from underdrawing.picture.primitive import Plane

    base = path.with_suffix("")
    if base.suffix.removeprefix(".") in set(Plane):
        base = base.with_suffix("")
    return [path, *(base.with_name(f"{base.name}.{name}.png") for name in Plane)]


def drawn(
    path: Path, palette: Palette | None = None, takes: Collection[str] | None = None
) -> tuple[Primitive, list[str]]:
    """Read a primitive of the planes that can be used, and say which of its colours the palette lacks."""
    from underdrawing.picture.primitive import read_drawn

    primitive, unseen = read_drawn(path, palette, takes)
    for colour in unseen:
        output.note(str(colour))
    return primitive, [str(colour) for colour in unseen]


def save_primitive(path: Path, primitive: Primitive) -> list[str]:
    """Write a primitive; the files that were written."""
    from underdrawing.picture.primitive import write_primitive

    return [str(file) for file in write_primitive(path, primitive)]


def primitive_targets(path: Path, names: Sequence[str]) -> list[Path]:
    """The files that a primitive with these planes is written to; of an unknown plane, or of one alone: one."""
    from underdrawing.picture.primitive import file_of

    return [file_of(path, name, len(names)) for name in names] or [file_of(path, "", 1)]


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
    """The palette that a model was trained with."""
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
    planes = {plane["name"]: received(engine, reply, plane["hash"]).pixels for plane in body["planes"]}
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
    return composite(original, result, (x, y), alpha, opacity=True), whole


def finish(
    body: Mapping[str, Any],
    made: Picture,
    out: Path,
    quality: int,
    *also: tuple[Path | None, Picture | None],
    **more: Any,
) -> None:
    """Write the result of an edit, and the command's answer.

    Args:
        body: of the engine's reply.
        also: other pictures to write, where they are wanted.
        more: further fields of the answer.
    """
    for text in body.get("notes") or []:
        output.note(str(text))
    losses, written = save(out, made, quality), [str(out)]
    for path, picture in also:
        if path is not None and picture is not None:
            losses += save(path, picture)
            written.append(str(path))
    place = [body["x"], body["y"], body["width"], body["height"]]
    facts = {"files": written, "changed": place, "device": body.get("device"), "seconds": body.get("seconds")}
    where = f"changed {place[2]} x {place[3]} pixels at {place[0]},{place[1]}"
    text = f"{', '.join(written)}: {where}, {body.get('seconds')} s on {body.get('device')}"
    output.answer({**facts, "notes": body.get("notes", []), "losses": losses, **more}, text)


def mask_picture(alpha: np.ndarray) -> Picture:
    """A mask (H, W) of values from 0 to 1 as 8 bits."""
    import numpy as np

    from underdrawing.picture.image import Picture

    return Picture(np.rint(alpha * 255).astype(np.uint8)[..., None])
