"""`underdrawing apply` and `animate`: from edited underdrawings to pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from underdrawing.client import labels
from underdrawing.client.ensure_model import APPLY, ModelWish
from underdrawing.client.requests import MOST_FRAMES
from underdrawing.commands import edits as listing
from underdrawing.commands import files, generate, lift, output, task_model
from underdrawing.commands.output import Json, Strip, reports_errors
from underdrawing.commands.primitive import Out

if TYPE_CHECKING:
    import numpy as np

    from underdrawing.client.engine import Engine, LiftedThing
    from underdrawing.picture.image import Picture
    from underdrawing.picture.primitive import Primitive

ModelName = Annotated[str, typer.Argument(metavar="MODEL", help="The model, by name or id.")]
MOST_NOTES = 8  # about colours that the palette lacks, in a clip


class MaskMode(StrEnum):
    """How a given mask and the difference of the underdrawings go together."""

    LIMIT = "limit"
    ONLY = "only"
    ADD = "add"


class Blend(StrEnum):
    """How the edit's border is blended."""

    NONE = "none"
    POISSON = "poisson"


@reports_errors
def apply(
    model: Annotated[
        str, typer.Argument(metavar="PICTURE|MODEL", help="The original picture, or a model's name or id.")
    ],
    out: Out,
    edited: Annotated[Path | None, typer.Argument(help="The edited underdrawing.")] = None,
    lifted: lift.Lifted = None,
    edits: listing.Folder = None,
    image: Annotated[
        Path | None,
        typer.Option(help="The whole picture (default: PICTURE, or the one that the model was trained on)."),
    ] = None,
    mask: Annotated[
        Path | None, typer.Option(help="Where the picture may change: what is not black; grey in part.")
    ] = None,
    mask_mode: Annotated[
        MaskMode, typer.Option(help="limit: the edit, inside the mask; only: the mask alone; add: both.")
    ] = MaskMode.LIMIT,
    save_mask: Annotated[Path | None, typer.Option(help="Also write the mask, feather included.")] = None,
    save_confidence: Annotated[
        Path | None, typer.Option(help="Also write how sure each pixel is: white sure, black guessed.")
    ] = None,
    save_layer: Annotated[Path | None, typer.Option(help="Also write the edit alone, transparent around it.")] = None,
    grow: Annotated[
        int | None, typer.Option(help="Widen the difference by this many pixels, without dependent changes.")
    ] = None,
    feather: Annotated[
        float | None, typer.Option(help="Width of the soft inner border, in pixels.", callback=output.finite)
    ] = None,
    blend: Annotated[
        Blend, typer.Option(help="poisson: gradients of the result, colours of the picture.")
    ] = Blend.NONE,
    whole: Annotated[bool, typer.Option(help="Paint everything anew, not the edit alone.")] = False,
    fill: lift.Fill = lift.FillChoice.DRAFT,
    seed: Annotated[int, typer.Option(help="Chooses among fills of uncovered ground that are about as good.")] = 0,
    quality: Annotated[int, typer.Option(min=1, max=100, help="Of JPEG and WebP.")] = 95,
    strip: Strip = False,
    json: Json = False,
) -> None:
    """Write the picture that follows from an edited underdrawing, from lifted layers, or from both.

    Outside of its mask no bit changes. With PICTURE, the newest model of that picture serves; where there is none, a
    draft is made first. Lifted layers alone need no model.
    """
    photo = Path(model) if Path(model).is_file() else None
    image = image or photo
    files.check_targets(out, save_mask, save_confidence, save_layer, inputs=(edited, mask, photo))
    files.check_targets(save_mask, save_confidence, save_layer, inputs=(image,))
    if edited is None and (photo is None or not (lifted or edits)):
        raise output.wrong(
            "Give the edited underdrawing, or a PICTURE and what was lifted off it (--lifted layers, or --edits)."
        )
    options: dict[str, Any] = {"seed": seed, "fill": fill.value}
    unseen: list[str] = []
    with output.engine() as engine:
        if edited is None and photo is not None:
            original, corner = files.picture(photo), (0, 0)
            reply = engine.apply(None, {}, files.frame(original), lifted=_things(lifted, edits, original), **options)
            made, alpha = files.composed(engine, reply, original, corner)
        elif edited is not None:
            options |= {"blend": blend.value, "whole": whole}
            options |= {} if grow is None else {"grow": grow}
            options |= {} if feather is None else {"feather": feather}
            if mask is not None:
                options |= {"mask": files.frame(files.picture(mask)), "mask_mode": mask_mode.value}
            if photo is not None:
                drawn = files.drawn(edited, takes=("segments", "edges"))[0]
                model = task_model.model_for(engine, APPLY, files.picture(photo), photo, ModelWish(APPLY), drawn).model
            known = Known(engine, model)
            primitive, unseen = files.drawn(edited, known.palette, known.planes)
            primitive = known.settled(primitive)
            original, corner = known.original(image)
            options["lifted"] = _things(lifted, edits, original)
            current = None if image is None else files.frame(known.trained_part(original))
            reply = engine.apply(known.id, files.frames(primitive), current, **options)
            made, alpha = files.composed(engine, reply, original, corner)
            made = known.with_edited_opacity(made, primitive, alpha)
        sure = None if save_confidence is None else _confidence(engine, reply, alpha.shape, corner)
        layer = None if save_layer is None else _layer(engine, reply)
    if save_confidence is not None and sure is None:
        raise output.wrong("This model's method cannot tell how sure it is; leave out --save-confidence.")
    also = (save_mask, files.mask_picture(alpha)), (save_confidence, sure), (save_layer, layer)
    files.finish(reply.body, made, out, quality, *also, model=reply.body.get("model"), unseen=unseen)


def _things(lifted: list[str] | None, edits: Path | None, original: Picture) -> list[LiftedThing]:
    """Edits that a folder keeps, and layers that are named, the lowest first."""
    found = [*([] if edits is None else listing.kept(edits, original)), *lift.things(lifted or [], original)]
    if edits is not None and not found:
        raise output.wrong(f"The folder {edits} keeps no edits: the picture is as it was.")
    return found


class Known:
    """A model as the library describes it."""

    def __init__(self, engine: Engine, model: str) -> None:
        self.details = engine.model(model)
        self.id = str(self.details["id"])
        self.manifest: dict[str, Any] = self.details["manifest"]
        self.palette = files.palette_of(self.manifest)
        self.planes = [str(plane["name"]) for plane in self.manifest["planes"]]
        output.note_same_name(engine, model, self.details)
        x, y, width, height = self.manifest["plan"]["region"]
        info = self.manifest["picture"]
        if not width or not height:
            x, y, width, height = 0, 0, info["full_width"], info["full_height"]
        self.region = (int(x), int(y), int(width), int(height))
        self.full = (int(info["full_width"]), int(info["full_height"]))

    def original(self, image: Path | None) -> tuple[Picture, tuple[int, int]]:
        """The picture to lay the result over, and where its corner lies in the whole picture."""
        if image is None:
            stored = Path(self.details["folder"]) / self.manifest["picture"]["file"]
            if self.region[2:] != self.full:
                output.note(
                    "The model was trained on part of its picture, which the result shows. Give --image for the whole."
                )
            return files.picture(stored), self.region[:2]
        given = files.picture(image)
        if given.size == self.full:
            return given, (0, 0)
        if given.size == self.region[2:]:
            return given, self.region[:2]
        raise output.wrong(
            f"{image.name} has {given.size[0]} x {given.size[1]} pixels; the training picture has "
            f"{self.full[0]} x {self.full[1]}."
        )

    @cached_property
    def primitive(self) -> Primitive:
        """The underdrawing of the trained region."""
        from underdrawing.picture.primitive import read_primitive

        return read_primitive(Path(self.details["folder"]) / "primitive.png", self.palette)

    def settled(self, edited: Primitive) -> Primitive:
        """An edit without the noise of a lossy file."""
        from underdrawing.picture.geometry import Bounds
        from underdrawing.picture.lossy_edit import settled

        if not edited.lossy or self.palette is None:
            return edited
        if edited.size == self.full != self.region[2:]:
            edited = edited.crop(Bounds(*self.region))
        return settled(self.primitive, edited)

    def with_edited_opacity(self, made: Picture, edited: Primitive, mask: np.ndarray) -> Picture:
        """An edited picture whose transparency follows the edit of its areas, where the model has any."""
        from underdrawing.picture.geometry import Bounds
        from underdrawing.picture.opacity import edited_opacity

        if made.alpha is None or edited.segments is None or self.palette is None:
            return made
        before, region = self.primitive, Bounds(*self.region)
        after = edited if edited.size == before.size else edited.crop(region)
        part = made.bounds if made.size == before.size else region
        if before.segments is None or after.segments is None:
            return made
        changed = edited_opacity(made.crop(part), before.segments, after.segments, mask[part.slices()])
        if changed.alpha is None:
            return made
        alpha = made.alpha.copy()
        alpha[part.slices()] = changed.alpha
        return replace(made, alpha=alpha)

    def trained_part(self, picture: Picture) -> Picture:
        """Of a whole picture the part trained on: more need not travel."""
        from underdrawing.picture.geometry import Bounds

        return picture if picture.size == self.region[2:] else picture.crop(Bounds(*self.region))


def _confidence(engine: Engine, reply: Any, size: tuple[int, ...], corner: tuple[int, int]) -> Picture | None:
    """How sure each pixel of the whole picture is, of 255; what is not edited is sure. None: nobody knows."""
    import numpy as np

    from underdrawing.picture.image import Picture

    if not reply.body.get("confidence"):
        return None
    values = files.received(engine, reply, reply.body["confidence"]).pixels[..., 0]
    whole = np.full(size, 255, np.uint8)
    x, y = int(reply.body["x"]) - corner[0], int(reply.body["y"]) - corner[1]
    whole[y : y + values.shape[0], x : x + values.shape[1]] = values
    return Picture(whole[..., None])


def _layer(engine: Engine, reply: Any) -> Picture:
    """The unblended pixels of the edit, its mask as their transparency."""
    import numpy as np

    mask = files.received(engine, reply, reply.body["mask"]).pixels[..., 0]
    alpha = mask.astype(np.float32) / np.iinfo(mask.dtype).max
    return files.received(engine, reply, reply.body["picture"]).with_opacity(alpha)


@reports_errors
@task_model.with_training_options()
def animate(
    wish: ModelWish,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model, by name or id; with --walk a picture.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="An .mp4, a .gif, or a folder.")],
    frames: Annotated[Path | None, typer.Argument(help="A folder of pictures, or a film (not with --walk).")] = None,
    photos: Annotated[
        bool, typer.Option(help="The frames are photographs: make each one's underdrawing first.")
    ] = False,
    fps: Annotated[float, typer.Option(min=0.5, max=240, help="Frames a second.")] = 24.0,
    seed: Annotated[int, typer.Option(help="As of apply; the same for all frames.")] = 0,
    walk: Annotated[
        bool, typer.Option("--walk", help="Without an underdrawing: a clip out of the picture alone, which loops.")
    ] = False,
    length: Annotated[int, typer.Option(min=2, max=MOST_FRAMES, help="With --walk: how many frames.")] = labels.FRAMES,
    freedom: generate.Freedom = labels.FREEDOM,
    network_picture: generate.NetworkPicture = False,
    json: Json = False,
) -> None:
    """Paint a clip: an underdrawing in, a picture out, for each frame; or animate a picture (--walk)."""
    if walk == (frames is not None):
        raise output.wrong("Give FRAMES to paint them, or --walk for a clip out of the picture alone.")
    if walk:
        asked = {"freedom": freedom, "seed": seed, "network_picture": network_picture}
        generate.walk(Path(model), out, fps, length, asked, wish)
    elif frames is not None:
        _paint(model, frames, out, photos, fps, seed)


def _paint(model: str, frames: Path, out: Path, photos: bool, fps: float, seed: int) -> None:
    """A clip by its underdrawings."""
    from underdrawing.commands.film import Film

    if out.resolve() == frames.resolve():
        raise output.wrong(f"{out} holds the frames that are read and would be overwritten; choose another name.")
    with output.engine() as engine:
        known = Known(engine, model)
        count = 0
        with Film(out, fps) as film:
            for primitive in _primitives(engine, known, frames, photos):
                fitting = (
                    primitive if primitive.size in (known.full, known.region[2:]) else primitive.resized(known.full)
                )
                reply = engine.apply(known.id, files.frames(fitting), whole=True, seed=seed)
                film.add(files.received(engine, reply, reply.body["picture"]).to_bytes())
                count += 1
    output.answer({"files": [str(out)], "frames": count}, f"{out}: {count} frames")


def _primitives(engine: Engine, known: Known, source: Path, photos: bool) -> Iterator[Primitive]:
    """Each frame's underdrawing, in the model's palette."""
    from underdrawing.commands.film import drawings_of, pictures_of

    planes = [plane["name"] for plane in known.manifest["planes"]]
    if not photos:
        told: set[str] = set()
        for primitive, unseen in drawings_of(source, known.palette):
            # Compressed films shift every colour a little in every frame: each is told of once, and not endlessly.
            for colour in {str(colour) for colour in unseen} - told:
                if len(told) < MOST_NOTES:
                    output.note(colour)
                told.add(colour)
            yield primitive
        return
    for shot in pictures_of(source):
        if "segments" in planes:
            yield files.received_primitive(engine, engine.layout(known.id, files.frame(shot)))
        else:
            kind = "edges" if "edges" in planes else "paint"
            yield files.received_primitive(engine, engine.make_primitive(files.frame(shot), kind))
