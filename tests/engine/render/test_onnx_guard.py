"""Graphs from strangers: nothing but arithmetic, nothing from outside the file, no more than there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import AttributeProto, ModelProto, TensorProto, helper, numpy_helper

from tests.engine.handmade_model import SPEC, graph
from underdrawing.client.messages import EngineError
from underdrawing.render import onnx_guard
from underdrawing.render.onnx_guard import OPERATORS, check_graph, check_plan
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

Change = Callable[[ModelProto], object]


def checked(folder: Path, *changes: Change) -> None:
    """Look into the plain graph after these changes."""
    model = onnx.load_model_from_string(graph())
    for change in changes:
        change(model)
    path = folder / "generator.onnx"
    path.write_bytes(model.SerializeToString())
    check_graph(path, SPEC)


def outside(tensor: TensorProto, where: str = "../../keys/engine.key") -> TensorProto:
    """The tensor with its numbers in another file."""
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", where
    return tensor


def weights(*dims: int) -> TensorProto:
    tensor = numpy_helper.from_array(np.zeros(1, np.float32), "weights")
    tensor.ClearField("dims")
    tensor.dims.extend(dims or (1,))
    return tensor


def constant(**attributes: object) -> Change:
    return lambda model: model.graph.node.append(helper.make_node("Constant", [], ["made"], **attributes))


def sparse() -> onnx.SparseTensorProto:
    values, indices = weights(1), numpy_helper.from_array(np.zeros(1, np.int64), "indices")
    return helper.make_sparse_tensor(values, indices, [1 << 40])


def function(*nodes: onnx.NodeProto, domain: str = "own", name: str = "Twice") -> Change:
    made = helper.make_function(domain, name, ["a"], ["b"], list(nodes), [helper.make_opsetid("", 18)])
    return lambda model: model.functions.append(made)


def lying() -> Change:
    """An attribute that holds a graph and says that it is a number."""

    def change(model: ModelProto) -> None:
        inner = helper.make_graph([helper.make_node("Loop", [], [])], "inner", [], [])
        node = helper.make_node("Identity", ["segments"], ["made"])
        node.attribute.append(helper.make_attribute("body", inner))
        node.attribute[0].type = AttributeProto.UNDEFINED
        model.graph.node.append(node)

    return change


BAD: dict[str, tuple[Change, str]] = {
    "weights elsewhere": (lambda m: m.graph.initializer.append(outside(weights())), "other files"),
    "an absolute path": (lambda m: m.graph.initializer.append(outside(weights(), "/etc/passwd")), "other files"),
    "a constant elsewhere": (constant(value=outside(weights())), "other files"),
    "sparse weights": (lambda m: m.graph.sparse_initializer.append(sparse()), "sparse"),
    "a sparse constant": (constant(sparse_value=sparse()), "tensors where"),
    "a list of tensors": (constant(values=[outside(weights())]), "tensors where"),
    "a giant side": (lambda m: m.graph.initializer.append(weights(1 << 62)), "impossible size"),
    "giant sides": (lambda m: m.graph.initializer.append(weights(*[1 << 20] * 8)), "impossible size"),
    "a giant constant": (constant(value=weights(1 << 40)), "impossible size"),
    "an operator of a stranger": (
        lambda m: m.graph.node.append(helper.make_node("Add", ["segments"], ["made"], domain="com.evil")),
        "'Add'",
    ),
    "an endless name": (
        lambda m: m.graph.node.append(helper.make_node("x" * 100_000, ["segments"], ["made"])),
        f"'{'x' * 40}'",
    ),
    "a graph under a false name": (lying(), "tensors where"),
    "a function": (function(helper.make_node("Add", ["a", "a"], ["b"])), "functions"),
    "a function that calls itself": (function(helper.make_node("Twice", ["a"], ["b"], domain="own")), "functions"),
    "a function in place of an operator": (
        function(helper.make_node("Neg", ["a"], ["b"]), domain="", name="Identity"),
        "functions",
    ),
    "no output": (lambda m: m.graph.ClearField("output"), "inputs and outputs"),
    "no input": (lambda m: m.graph.ClearField("input"), "inputs and outputs"),
    "another input": (
        lambda m: m.graph.input.append(helper.make_tensor_value_info("other", TensorProto.FLOAT, [1])),
        "inputs and outputs",
    ),
    "an input that is fixed": (
        lambda m: m.graph.initializer.append(numpy_helper.from_array(np.zeros(1, np.float32), "segments")),
        "inputs and outputs",
    ),
    "no graph": (lambda m: m.ClearField("graph"), "inputs and outputs"),
}


def test_the_plain_graph_is_accepted(tmp_path: Path) -> None:
    checked(tmp_path)
    checked(tmp_path, lambda m: m.graph.initializer.append(weights(1)), constant(value=weights(1)))


@pytest.mark.parametrize(("change", "text"), BAD.values(), ids=BAD)
def test_a_bad_graph_is_refused(tmp_path: Path, change: Change, text: str) -> None:
    with pytest.raises(EngineError) as caught:
        checked(tmp_path, change)
    assert caught.value.code == "bad_model"
    assert text in caught.value.message and len(caught.value.message) < 200


@pytest.mark.parametrize(
    "operator", ["If", "Loop", "Scan", "SequenceMap", "StringNormalizer", "ImageDecoder", "RandomNormal", "Optional"]
)
def test_only_arithmetic_is_on_the_list(operator: str) -> None:
    assert operator not in OPERATORS


def test_too_many_nodes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_guard, "MOST_NODES", 3)
    node = helper.make_node("Neg", ["segments"], ["made"])
    checked(tmp_path, lambda m: m.graph.node.extend([node] * 2))
    with pytest.raises(EngineError, match="too many nodes"):
        checked(tmp_path, lambda m: m.graph.node.extend([node] * 3))


def test_a_graph_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "generator.onnx"
    with path.open("wb") as file:
        file.truncate(onnx_guard.MOST_BYTES + 1)  # a hole in the disk; nothing is written
    with pytest.raises(EngineError, match="2 GiB"):
        check_graph(path, SPEC)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_an_analogy_has_one_graph(count: int) -> None:
    info = PictureInfo(60, 40, 60, 40, "u8", 3, "", "picture.png")
    graphs = (GraphSpec("generator.onnx", (GraphInput("segments", "segments", Encoding.ONE_HOT, 3),)),) * count
    planes = (PlaneSpec("segments", PlaneKind.CLASSES),)
    manifest = Manifest(
        "a" * 12, "name", "", "sia", "quick", planes, ApplyPlan(graphs, procedure=Procedure.ANALOGY), info
    )
    if count == 1:
        check_plan(manifest)
    for bad in [manifest] if count != 1 else [replace(manifest, planes=())]:
        with pytest.raises(EngineError) as caught:
            check_plan(bad)
        assert caught.value.code == "bad_model"


@pytest.mark.parametrize(
    "change",
    [
        {"graphs": ()},
        {"procedure": Procedure.NONE},
        {"tasks": ()},
        {"size": (0, 0)},
        {"encoding": Encoding.ONE_HOT},
        {"channels": 4},
    ],
)
def test_a_plan_that_nothing_can_be_made_with_is_refused(change: dict[str, Any]) -> None:
    info = PictureInfo(60, 40, 60, 40, "u8", 3, "", "picture.png")
    start = GraphInput("start", "start", Encoding.PICTURE, 3, (15, 10))
    noise = GraphInput("noise1", "noise", Encoding.NOISE, 6, (60, 40))
    inner = {key: value for key, value in change.items() if key in ("size", "encoding", "channels")}
    for changed, refused in (({}, False), (change, True)):
        inputs = (replace(start, **inner) if refused else start, noise)
        plan = ApplyPlan((GraphSpec("generator.onnx", inputs),), procedure=Procedure.GENERATE, tasks=(Task.VARY,))
        outer = {key: value for key, value in changed.items() if key not in inner}
        manifest = Manifest("a" * 12, "name", "", "consingan", "vary", (), replace(plan, **outer), info)
        if refused:
            with pytest.raises(EngineError) as caught:
                check_plan(manifest)
            assert caught.value.code == "bad_model"
        else:
            check_plan(manifest)


PICTURE, ROW = GraphInput("picture", "picture", Encoding.PICTURE, 3, (64, 64)), ("weights", "weights", Encoding.WEIGHTS)
SCALES = tuple(GraphInput(f"noise{k}", "noise", Encoding.NOISE, 3, (20 * k, 15 * k)) for k in (1, 2, 3))


@pytest.mark.parametrize(
    "change",
    [
        {"graphs": 2},
        {"tasks": (Task.VARY,)},
        {"look": replace(PICTURE, size=(4096, 4096))},
        {"look": replace(PICTURE, encoding=Encoding.NOISE)},
        {"scales": ()},
        {"scales": (replace(SCALES[0], size=(16_000, 16_000)), *SCALES[1:])},
        {"scales": (replace(SCALES[0], channels=4), *SCALES[1:])},
        {"numbers": 31},
        {"row": ("other", "weights", Encoding.WEIGHTS)},
        {"row": ("weights", "noise", Encoding.NOISE)},
    ],
)
def test_a_plan_that_makes_no_models_is_refused(change: dict[str, Any]) -> None:
    info = PictureInfo(60, 40, 60, 40, "u8", 3, "", "picture.png")

    def manifest(given: dict[str, Any]) -> Manifest:
        row = GraphInput(*given.get("row", ROW), given.get("numbers", 30), (1, 1))
        scales = given.get("scales", SCALES)
        writer = GraphSpec("writer.onnx", (given.get("look", PICTURE),), "weights")
        others = [GraphSpec(name, (*scales, row)) for name in ("generator.onnx", "painter.onnx")]
        graphs = (writer, *others)[: given.get("graphs", 3)]
        plan = ApplyPlan(graphs, procedure=Procedure.WRITE, tasks=given.get("tasks", ()))
        return Manifest("a" * 12, "name", "", "meta", "meta", (), plan, info)

    check_plan(manifest({}))
    with pytest.raises(EngineError) as caught:
        check_plan(manifest(change))
    assert caught.value.code == "bad_model"
