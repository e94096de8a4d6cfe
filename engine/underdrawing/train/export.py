"""Export to ONNX with free height and width, and the numbers to compare it with.

Padding stays outside the graphs: the renderer pads to the plan's stride. The comparison itself runs in the process
that will apply the model (`underdrawing.render.verify_export`); here only its questions and answers are written down.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import numpy_helper
from safetensors.torch import save_file
from torch import Tensor, nn

from underdrawing.store.manifest import ApplyPlan, GraphSpec
from underdrawing.train.method import ExportGraph

OPSET = 20
# Float32 graphs may differ from torch by this much in [-1, 1]; float16 ones by more, they have 11 bits.
FLOAT32_BOUND = 1e-3
FLOAT16_BOUND = 3e-2
CHECK_FILE = "check.safetensors"


def export(graphs: Sequence[ExportGraph], folder: Path) -> list[Path]:
    """Write every graph into `folder`; heights and widths are free (multiples of the plan's stride)."""
    return [_export(graph, folder / graph.file) for graph in graphs]


class _Positional(nn.Module):
    """Takes its inputs one after the other, so that all graphs are described to the exporter in the same way."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: Tensor) -> Tensor:
        result: Tensor = self.module(*inputs)
        return result


def _export(graph: ExportGraph, path: Path) -> Path:
    names, tensors = list(graph.inputs), tuple(graph.inputs.values())
    # AUTO lets the exporter find out that all heights agree, and that they are multiples of the stride.
    free = {2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO}
    partial = path.with_name(path.name + ".partial")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            _Positional(graph.module).eval(),
            tensors,
            input_names=names,
            output_names=[graph.output],
            dynamic_shapes=(tuple(free for _ in tensors),),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
        assert program is not None  # noqa: S101 - as no file was named
        _forget_origins(program.model)
        program.save(str(partial), external_data=False)
    partial.replace(path)
    return path


def _forget_origins(model: Any) -> None:
    """The exporter notes with every node the lines of code it came from, with their folders: the user's own name may
    be in these, and models are given to others."""
    nodes = list(model.graph.all_nodes())
    values = [*model.graph.inputs, *model.graph.initializers.values(), *(o for node in nodes for o in node.outputs)]
    for part in (model, model.graph, *nodes, *values):
        part.metadata_props.clear()
        part.doc_string = None


def update(graph: ExportGraph, path: Path) -> bool:
    """Put the present weights into a graph that was exported before, which takes a moment instead of seconds.

    Returns:
        False where that is not possible, as the exporter changed or left out some of the weights.
    """
    weights = {name: value.detach().float().numpy() for name, value in _Positional(graph.module).named_parameters()}
    model = onnx.load(path)
    stored = {entry.name: entry for entry in model.graph.initializer}
    for name, values in weights.items():
        entry = stored.get(name)
        if entry is None or tuple(entry.dims) != values.shape or entry.data_type != onnx.TensorProto.FLOAT:
            return False
        entry.CopyFrom(numpy_helper.from_array(values, name))
    partial = path.with_name(path.name + ".partial")
    onnx.save(model, partial)
    partial.replace(path)
    return True


@torch.no_grad()
def write_check(graphs: Sequence[ExportGraph], plan: ApplyPlan, folder: Path) -> Path:
    """Inputs at several sizes and what torch makes of them: `GRAPH/SIZE/in/NAME` and `GRAPH/SIZE/out`."""
    tensors: dict[str, Tensor] = {}
    precision = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    try:
        for graph in graphs:
            for height, width in check_sizes(graph, plan):
                inputs = _at_size(graph, height, width)
                key = f"{graph.file}/{height}x{width}"
                tensors |= {f"{key}/in/{name}": value.contiguous() for name, value in inputs.items()}
                tensors[f"{key}/out"] = graph.module(*inputs.values()).float().contiguous()
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = precision
    path = folder / CHECK_FILE
    save_file(tensors, path)
    return path


def _size(graph: ExportGraph) -> tuple[int, int]:
    """Height and width of the largest input, which is the picture's: others may belong to stages of a pyramid."""
    height, width = max((value.shape[2:] for value in graph.inputs.values()), key=lambda s: s[0] * s[1])
    return int(height), int(width)


def _at_size(graph: ExportGraph, height: int, width: int) -> dict[str, Tensor]:
    """The inputs for a picture of another size: each keeps its part of it."""
    own = _size(graph)

    def sized(value: Tensor) -> Tensor:
        rows, columns = value.shape[2:]
        return _resized(value, max(1, round(rows * height / own[0])), max(1, round(columns * width / own[1])))

    return {name: sized(value) for name, value in graph.inputs.items()}


def check_sizes(graph: ExportGraph, plan: ApplyPlan) -> list[tuple[int, int]]:
    """The trained size, the smallest one, and two whose sides differ from both."""
    height, width = _size(graph)
    least = -(-plan.minimum // plan.stride) * plan.stride
    odd = (max(least, height // 2 // plan.stride * plan.stride), width + plan.stride)
    tall = (height + 2 * plan.stride, max(least, width // 2 // plan.stride * plan.stride))
    return sorted({(height, width), (least, least), odd, tall})


def _resized(value: Tensor, height: int, width: int) -> Tensor:
    """Another size of an input, by repeating and cutting, so that one-hot planes stay one-hot."""
    rows = torch.arange(height) % value.shape[2]
    columns = torch.arange(width) % value.shape[3]
    return value[:, :, rows][:, :, :, columns]


def export_half(graphs: Sequence[ExportGraph], plan: ApplyPlan, folder: Path) -> tuple[GraphSpec, ...]:
    """The same graphs in float16, for GPUs; whether they are good enough, the comparison says."""
    made = []
    for graph, spec in zip(graphs, plan.graphs, strict=True):
        file = graph.file.replace(".onnx", ".half.onnx")
        module = copy.deepcopy(graph.module).half()
        inputs = {name: value.half() for name, value in graph.inputs.items()}
        export([ExportGraph(file, module, inputs, graph.output)], folder)
        made.append(replace(spec, file=file, precision="float16"))
    return tuple(made)


def with_half(plan: ApplyPlan, half: tuple[GraphSpec, ...]) -> ApplyPlan:
    """The plan with float16 graphs beside the float32 ones."""
    return replace(plan, half=half)
