"""The network's own picture is shown as the network makes it: one that answers pure magenta gives pure magenta."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from skimage import data

from underdrawing.picture.files import write_picture
from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import Picture
from underdrawing.picture.primitive import Primitive, write_primitive
from underdrawing.render.apply import Options, apply
from underdrawing.render.composite_tasks import on_picture
from underdrawing.render.generate import GenerateOptions, GraphRun, freely
from underdrawing.render.model import Model
from underdrawing.render.onnx_sessions import SessionStore
from underdrawing.store.manifest import (
    ApplyPlan,
    Encoding,
    GraphInput,
    GraphSpec,
    Manifest,
    PictureInfo,
    PlaneKind,
    PlaneSpec,
    Procedure,
    Task,
)

WIDTH, HEIGHT = 96, 64
MAGENTA = (255, 0, 255)
ON_PICTURE = (Task.HARMONIZE, Task.BLEND, Task.REPAINT)
FREE = (Task.VARY, Task.RESIZE, Task.ANIMATE, Task.ENLARGE)


def magenta(names: tuple[str, ...]) -> bytes:
    """A generator of these inputs (1, C, H, W): magenta at the size of the last one."""
    colour = numpy_helper.from_array(np.array([1, -1, 1], np.float32).reshape(1, 3, 1, 1), "colour")
    nothing = numpy_helper.from_array(np.zeros(1, np.float32), "nothing")
    axis = numpy_helper.from_array(np.array([1], np.int64), "axis")
    nodes = [
        helper.make_node("ReduceMean", [names[-1], "axis"], ["grey"], keepdims=1),
        helper.make_node("Mul", ["grey", "nothing"], ["black"]),
        helper.make_node("Add", ["black", "colour"], ["picture"]),
    ]
    shape = [1, None, None, None]
    made = helper.make_graph(
        nodes,
        "magenta",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in names],
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, None, None])],
        [colour, nothing, axis],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9).SerializeToString()


def coffee() -> np.ndarray:
    return cv2.resize(data.coffee(), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)


def keep(folder: Path, plan: ApplyPlan, planes: tuple[PlaneSpec, ...] = ()) -> Model:
    """A model whose network makes magenta of everything."""
    write_picture(folder / "picture.png", Picture(coffee()))
    (folder / "generator.onnx").write_bytes(magenta(tuple(i.name for i in plan.graphs[0].inputs)))
    info = PictureInfo(WIDTH, HEIGHT, WIDTH, HEIGHT, "u8", 3, "0" * 64, "picture.png")
    manifest = Manifest("0123456789ab", "cup", "2026-01-01T00:00:00+00:00", "none", "own", planes, plan, info)
    (folder / "manifest.json").write_text(manifest.to_json(), encoding="utf-8")
    return Model(folder)


def generator(folder: Path, scale: float, start: Encoding, network_picture: bool) -> Model:
    small = round(WIDTH * scale), round(HEIGHT * scale)
    inputs = (
        GraphInput("start", "start", start, 3, (24, 16)),
        GraphInput("noise1", "noise", Encoding.NOISE, 4, small),
    )
    plan = ApplyPlan(
        graphs=(GraphSpec("generator.onnx", inputs),),
        procedure=Procedure.GENERATE,
        scale=scale,
        region=(0, 0, WIDTH, HEIGHT),
        tasks=tuple(Task),
        network_picture=network_picture,
    )
    return keep(folder, plan)


def made_of(model: Model, task: Task, sessions: SessionStore, asked: bool) -> list[np.ndarray]:
    """What comes of a task, pixels that count alone: (n, 3) of each picture."""
    if task in ON_PICTURE:
        changed = coffee()
        changed[20:40, 30:60] = (20, 200, 40)
        mask = np.zeros((HEIGHT, WIDTH), np.float32)
        mask[20:40, 30:60] = 1
        result, _ = on_picture(model, GenerateOptions(task, network_picture=asked), Picture(changed), mask, sessions)
        return [result.picture.pixels[result.mask > 0]]
    size = {Task.RESIZE: (130, 70), Task.ENLARGE: (150, 100)}.get(task)
    wishes = GenerateOptions(task, count=2, frames=3, size=size, network_picture=asked)
    pictures = [one.picture for one in freely(model, wishes, sessions)]
    assert all(picture.size == (size or (WIDTH, HEIGHT)) for picture in pictures)
    return [picture.pixels.reshape(-1, 3) for picture in pictures]


@pytest.mark.parametrize("said", ["plan", "request"])
@pytest.mark.parametrize("scale", [1.0, 0.5])
@pytest.mark.parametrize("start", [Encoding.PICTURE, Encoding.NOISE])
def test_a_network_that_makes_magenta_gives_magenta(tmp_path: Path, start: Encoding, scale: float, said: str) -> None:
    model, sessions = generator(tmp_path, scale, start, said == "plan"), SessionStore()
    for task in (*FREE, *ON_PICTURE) if start is Encoding.PICTURE else (Task.VARY, Task.RESIZE, Task.ANIMATE):
        for pixels in made_of(model, task, sessions, said == "request"):
            assert (pixels == MAGENTA).all(), task


@pytest.mark.parametrize("whole", [False, True])
def test_a_change_is_worked_on_where_it_lies_in_the_whole_picture(tmp_path: Path, whole: bool) -> None:
    """Of which the model knows a part. A mask counts wherever it is above 0."""
    plain = generator(tmp_path, 0.5, Encoding.PICTURE, True).manifest
    picture = replace(plain.picture, full_width=WIDTH + 20, full_height=HEIGHT + 9)
    manifest = replace(plain, plan=replace(plain.plan, region=(9, 4, WIDTH, HEIGHT)), picture=picture)
    (tmp_path / "manifest.json").write_text(manifest.to_json(), encoding="utf-8")
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[20:40, 30:60] = 0.3
    given = coffee()
    if whole:
        around = ((4, 5), (9, 11))
        given, mask = np.pad(given, (*around, (0, 0))), np.pad(mask, around)
    wishes = GenerateOptions(Task.BLEND, grow=2, feather=0.0)
    result, shown = on_picture(Model(tmp_path), wishes, Picture(given), mask, SessionStore())
    assert result.bounds == Bounds(37, 22, 34, 24)
    assert np.array_equal(shown.pixels, coffee())
    assert result.mask[2:-2, 2:-2].all()
    assert (result.picture.pixels[result.mask > 0] == MAGENTA).all()


def test_else_the_pictures_own_brushwork_goes_over_it(tmp_path: Path) -> None:
    model, sessions = generator(tmp_path, 0.5, Encoding.PICTURE, False), SessionStore()
    for task in (Task.VARY, Task.HARMONIZE):
        assert not any((pixels == MAGENTA).all() for pixels in made_of(model, task, sessions, False))


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_an_edited_underdrawing_gives_the_networks_picture(tmp_path: Path, scale: float) -> None:
    paint = coffee()
    write_primitive(tmp_path / "primitive.png", Primitive(None, None, None, paint))
    plan = ApplyPlan(
        graphs=(GraphSpec("generator.onnx", (GraphInput("paint", "paint", Encoding.COLOURS, 3),)),),
        scale=scale,
        region=(0, 0, WIDTH, HEIGHT),
        network_picture=True,
    )
    model, sessions = keep(tmp_path, plan, (PlaneSpec("paint", PlaneKind.COLOUR),)), SessionStore()
    edited = paint.copy()
    edited[20:40, 30:60] = 255
    result = apply(model, Primitive(None, None, None, edited), sessions, Options())
    assert (result.picture.pixels[result.mask > 0] == MAGENTA).all()
    assert bool(result.notes) == (scale < 1)


def test_every_stage_keeps_its_share_of_a_picture_of_another_shape(tmp_path: Path) -> None:
    """Trained at 24 by 16 and 48 by 32 pixels; widths follow the width and heights the height."""
    run = GraphRun(generator(tmp_path, 0.5, Encoding.PICTURE, True), SessionStore())
    assert run.sizes(48, 32) == [(24, 16), (48, 32)]
    assert run.sizes(96, 16) == [(48, 8), (96, 16)]
    assert run.sizes(1, 1) == [(1, 1), (1, 1)]


def test_a_picture_that_shall_become_smaller_is_reduced(tmp_path: Path) -> None:
    model = generator(tmp_path, 0.5, Encoding.PICTURE, False)
    (one,) = freely(model, GenerateOptions(Task.ENLARGE, size=(48, 32)), SessionStore())
    reduced = cv2.resize(coffee(), (48, 32), interpolation=cv2.INTER_AREA)
    assert np.abs(one.picture.pixels.astype(int) - reduced).max() <= 1


def test_a_model_of_an_earlier_version_opens_and_keeps_its_brushwork(tmp_path: Path) -> None:
    model = generator(tmp_path, 0.5, Encoding.PICTURE, True)
    stored = json.loads(model.manifest.to_json())
    del stored["plan"]["network_picture"]
    assert Manifest.from_json(json.dumps(stored)).plan == replace(model.manifest.plan, network_picture=False)
