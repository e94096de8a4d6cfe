"""Look into a model from elsewhere: its pictures are what its manifest says, and its plan can be followed."""

from __future__ import annotations

from pathlib import Path

from underdrawing.client.messages import EngineError
from underdrawing.picture.files import read_picture, size_of
from underdrawing.picture.image import PictureError
from underdrawing.picture.palette import Palette
from underdrawing.picture.primitive import Plane, read_primitive
from underdrawing.store.manifest import ApplyPlan, Manifest, Procedure
from underdrawing.store.model_writer import PREVIEW_FILE

MOST_MINIMUM, MOST_STRIDE = 512, 256  # pixels: what a small edit is padded to at most
MOST_PREVIEW = 1024  # pixels of a side


def check_contents(folder: Path, manifest: Manifest) -> None:
    """Refuse a model whose manifest is not true, before anything is made with it.

    Headers are read and compared before any pixel is unpacked.

    Raises:
        EngineError: with what is wrong.
    """
    _check_plan(manifest)
    info = manifest.picture
    size = (info.width, info.height)
    try:
        _same(info.file, size_of(folder / info.file), size)
        picture = read_picture(folder / info.file)
        found = (picture.depth, picture.channels, picture.linear, picture.hash)
        if found != (info.depth, info.channels, info.linear, info.hash):
            raise _refused("its picture is not the one that its manifest describes")
        drawn = [name for name in manifest.files if name.startswith("primitive")]
        for name in drawn:
            _same(name, size_of(folder / name), size)
        if manifest.planes:
            palette = Palette.from_json(list(manifest.palette)) if manifest.palette else None
            primitive = read_primitive(folder / "primitive.png", palette)
            if not {plane.name for plane in manifest.planes} <= set(primitive.names):
                raise _refused("its underdrawing lacks a plane that its manifest names")
        if PREVIEW_FILE in manifest.files:
            if max(size_of(folder / PREVIEW_FILE)) > MOST_PREVIEW:
                raise _refused("its preview is larger than previews are")
            read_picture(folder / PREVIEW_FILE)
    except PictureError as error:
        raise _refused(f"a picture in it cannot be used: {error}".rstrip(".")) from None


def _check_plan(manifest: Manifest) -> None:
    plan, info = manifest.plan, manifest.picture
    x, y, width, height = plan.region
    if (width, height) != (info.width, info.height):
        whole = (info.width, info.height) == (info.full_width, info.full_height)
        if (width, height) != (0, 0) or not whole:
            raise _refused("the region of its plan does not have the size of its picture")
    if x + width > info.full_width or y + height > info.full_height:
        raise _refused("the region of its plan lies outside of its picture")
    if plan.scale > 1:
        raise _refused(f"its plan enlarges the picture by {plan.scale:g}")
    if plan.minimum > MOST_MINIMUM or plan.stride > MOST_STRIDE:
        raise _refused("its plan makes small edits larger than any method does")
    names = [plane.name for plane in manifest.planes]
    if len(set(names)) != len(names) or not set(names) <= set(Plane):
        raise _refused("it names planes that no underdrawing has")
    _check_stages(plan)


def _check_stages(plan: ApplyPlan) -> None:
    """Refuse stages of a generator that are larger than the picture that they lead to."""
    if plan.procedure is not Procedure.GENERATE:
        return
    for graph in plan.graphs:
        last = graph.inputs[-1].size if graph.inputs else (0, 0)
        if any(entry.size[0] > last[0] or entry.size[1] > last[1] for entry in graph.inputs):
            raise _refused("a stage of its plan is larger than the picture")


def _same(name: str, found: tuple[int, int], said: tuple[int, int]) -> None:
    if found != said:
        text = f"{name} has {found[0]} x {found[1]} pixels, its manifest says {said[0]} x {said[1]}"
        raise _refused(text)


def _refused(text: str) -> EngineError:
    return EngineError("bad_model", f"This model file is refused: {text}.", "Ask for the file again.")
