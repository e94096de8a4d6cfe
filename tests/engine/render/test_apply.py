"""An edited underdrawing becomes a result: its place in the whole picture, its mask, and what is laid over what."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.engine.handmade_model import IDENTITY, graph
from underdrawing.client.messages import EngineError
from underdrawing.picture.files import write_picture
from underdrawing.picture.geometry import Bounds
from underdrawing.picture.image import Picture
from underdrawing.picture.primitive import Primitive, write_primitive
from underdrawing.render.apply import Applied, Options, apply
from underdrawing.render.graph_runner import window
from underdrawing.render.model import Model
from underdrawing.render.onnx_sessions import SessionStore
from underdrawing.render.results import answer_of, corner_of
from underdrawing.store.frame_codec import Inputs
from underdrawing.store.manifest import (
    ApplyPlan,
    Encoding,
    GraphInput,
    GraphSpec,
    Manifest,
    PictureInfo,
    PlaneKind,
    PlaneSpec,
)

WHOLE = (40, 36)  # width and height of the picture
AREA = Bounds(9, 4, 24, 16)  # the part that was trained


def noise(size: tuple[int, int], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3)).astype(np.uint8)


PAINT = GraphInput("segments", "paint", Encoding.COLOURS, 3)


def keep(folder: Path, generator: bytes, *inputs: GraphInput, **plan: object) -> Model:
    """A model of a part of a picture."""
    folder.mkdir()
    write_picture(folder / "picture.png", Picture(noise(AREA.size, 0)))
    write_primitive(folder / "primitive.png", Primitive(paint=np.full((AREA.height, AREA.width, 3), 90, np.uint8)))
    (folder / "generator.onnx").write_bytes(generator)
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    region = (AREA.x, AREA.y, AREA.width, AREA.height)
    how = ApplyPlan(graphs=(GraphSpec("generator.onnx", inputs),), region=region, **plan)  # type: ignore[arg-type]
    picture = PictureInfo(AREA.width, AREA.height, *WHOLE, "u8", 3, "0" * 64, "picture.png")
    planes = (PlaneSpec("paint", PlaneKind.COLOUR, True),)
    manifest = Manifest(IDENTITY, "part", "2026-01-01T00:00:00+00:00", "own", "own", planes, how, picture, files=files)
    (folder / "manifest.json").write_text(manifest.to_json(), encoding="utf-8")
    return Model(folder)


@pytest.fixture
def model(tmp_path: Path) -> Model:
    """One whose network gives back what is painted."""
    return keep(tmp_path / "model", graph(), PAINT)


PAINTED = Bounds(5, 2, 7, 3)  # in the trained part: red on grey
RED = (220, 30, 60)


def edited(size: tuple[int, int] = AREA.size) -> Primitive:
    """The underdrawing of the part, or of the whole picture, with something red in it."""
    paint = np.full((size[1], size[0], 3), 90, np.uint8)
    place = PAINTED if size == AREA.size else PAINTED.translate(AREA.x, AREA.y)
    paint[place.slices()] = RED
    return Primitive(paint=paint)


def result_of(model: Model, primitive: Primitive, given: np.ndarray | None = None, **options: object) -> Applied:
    wishes = Options(**{"grow": 0, "feather": 0.0, **options})  # type: ignore[arg-type]
    return apply(model, primitive, SessionStore(), wishes, given)


@pytest.mark.parametrize("size", [AREA.size, WHOLE])
def test_a_result_lies_where_the_edit_is_in_the_whole_picture(model: Model, size: tuple[int, int]) -> None:
    result = result_of(model, edited(size))
    assert result.bounds == Bounds(14, 6, 7, 3)
    assert (result.mask == 1).all()
    assert (result.picture.pixels == RED).all()


def test_a_soft_given_mask_weighs_the_result(model: Model) -> None:
    given = np.zeros((AREA.height, AREA.width), np.float32)
    given[2:5, 5:9] = 0.25
    given[2:4, 9:12] = 1
    for mode in ("limit", "only"):
        result = result_of(model, edited(), given, mask_mode=mode)
        assert np.array_equal(result.mask, given[2:5, 5:12])
    assert (result_of(model, edited(), given, mask_mode="add").mask == 1).all()
    with pytest.raises(EngineError, match="the mask leaves nothing"):
        result_of(model, edited(), np.roll(given, 8, axis=0))


def test_blended_in_the_gradient_domain_an_edit_takes_on_the_light_around_it(model: Model) -> None:
    """The picture is darker now than what the network makes of its surroundings: so much darker the edit becomes."""
    now = Picture(np.full((WHOLE[1], WHOLE[0], 3), 20_000, np.uint16))
    plain, blended = (
        apply(model, edited(WHOLE), SessionStore(), Options(grow=0, feather=0.0, blend=blend), None, now)
        for blend in ("none", "poisson")
    )
    assert plain.picture.depth == blended.picture.depth == "u16"
    assert (plain.picture.pixels == np.array(RED) * 257).all()
    found = blended.picture.pixels[blended.mask > 0]
    assert len(found) == PAINTED.area
    assert np.abs(found - (np.array(RED) * 257 - (90 * 257 - 20_000))).max() < 100


def answered(model: Model, result: Applied, folder: Path, below: Picture, **args: object) -> dict[str, Picture]:
    inputs = Inputs(folder / "spool")
    answer = answer_of(inputs, result, below, corner_of(model, below), args)
    assert (answer["x"], answer["y"]) == (result.bounds.x, result.bounds.y)
    return {name: inputs.picture({"hash": answer[name]}) for name in ("picture", "mask", "merged") if answer.get(name)}


def test_a_merged_result_is_laid_over_the_trained_part_or_over_the_whole_picture(model: Model, tmp_path: Path) -> None:
    result = result_of(model, edited(), np.full((AREA.height, AREA.width), 0.5, np.float32), mask_mode="only")
    inner = result.bounds.translate(-AREA.x, -AREA.y)
    for below, bounds in ((model.picture, inner), (Picture(noise(WHOLE, 3)), result.bounds)):
        merged = answered(model, result, tmp_path, below, merged=True)["merged"]
        before = below.pixels[bounds.slices()].astype(float)
        np.testing.assert_allclose(merged.pixels, (before + result.picture.pixels) / 2, atol=0.51)


def test_a_pixel_that_counts_at_all_is_not_rounded_to_none(model: Model, tmp_path: Path) -> None:
    given = np.zeros((AREA.height, AREA.width), np.float32)
    given[2:5, 5:12] = [0.001, 0.25, 0.5, 0.75, 1, 1, 1]
    result = result_of(model, edited(), given)
    found = answered(model, result, tmp_path, model.picture, baked=True)
    assert found["mask"].pixels[0, :, 0].tolist() == [1, 64, 128, 191, 255, 255, 255]
    assert found["picture"].alpha is not None
    assert np.array_equal(found["picture"].alpha, found["mask"].pixels[..., 0])


@pytest.mark.parametrize("halo", [None, 3])
def test_a_network_is_told_where_each_pixel_lies_in_the_trained_part(tmp_path: Path, halo: int | None) -> None:
    """It paints what it is told: x in red, y in green."""
    shape = [1, None, None, None]
    nodes = [
        helper.make_node("ReduceMean", ["segments", "axis"], ["grey"], keepdims=1),
        helper.make_node("Concat", ["places", "grey"], ["picture"], axis=1),
    ]
    told = helper.make_graph(
        nodes,
        "places",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("segments", "places")],
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(np.array([1], np.int64), "axis")],
    )
    generator = helper.make_model(told, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    places = GraphInput("places", "places", Encoding.PLACES, 2)
    model = keep(tmp_path / "model", generator.SerializeToString(), PAINT, places, stride=4, minimum=8, halo=halo)
    pixels = result_of(model, edited()).picture.pixels
    assert pixels[0, :, 0].tolist() == np.rint((np.arange(5, 12) + 0.5) / AREA.width * 255).tolist()
    assert pixels[:, 0, 1].tolist() == np.rint((np.arange(2, 5) + 0.5) / AREA.height * 255).tolist()
    assert (pixels[..., 2] == round(sum(RED) / 3)).all()


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        (Bounds(20, 37, 11, 5), Bounds(16, 32, 24, 16)),  # 3 pixels more: 17 to 34, 34 to 45
        (Bounds(0, 0, 5, 5), Bounds(0, 0, 8, 8)),
        (Bounds(90, 60, 9, 9), Bounds(80, 56, 19, 13)),  # at the end of a picture that is no multiple of 8
    ],
)
def test_a_part_is_run_with_its_surroundings_on_the_grid_of_the_stride(wanted: Bounds, part: Bounds) -> None:
    assert window(wanted, (99, 69), ApplyPlan(stride=8, halo=3)) == part
    assert window(wanted, (99, 69), ApplyPlan(stride=8, halo=None)) == Bounds(0, 0, 99, 69)


def test_a_network_that_paints_everything_says_that_it_takes_no_other_fill(model: Model) -> None:
    asked = Options(filler=lambda picture, hole: picture)
    assert any("another fill" in note for note in apply(model, edited(), SessionStore(), asked).notes)
