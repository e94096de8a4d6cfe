"""What a hypernetwork leaves: one picture's generator; or the network that writes weights, and generators without any.

A new picture's model is then made without torch: onnxruntime runs the first graph, and what it writes is put into a
copy of the second one (`render/hypernetwork.py`).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from underdrawing.store.manifest import ApplyPlan, Encoding, GraphInput, GraphSpec, Procedure, Task
from underdrawing.train.method import ExportGraph
from underdrawing.train.methods.consingan.scales import LEAST, Size
from underdrawing.train.methods.meta.networks import HyperNetwork, Layout, generate, go_on, shaped

Layers = list[list[tuple[Tensor, Tensor]]]
GENERATOR, PAINTER, WRITER = "generator.onnx", "painter.onnx", "writer.onnx"
WEIGHTS = "weights"
FREE = (Task.VARY, Task.RESIZE, Task.ANIMATE)  # from noise, through all scales
PAINTED = (Task.HARMONIZE, Task.BLEND, Task.REPAINT)  # from a changed picture


class Written(nn.Module):
    """One picture's generator, with its weights as constants.

    Args:
        start: the scale at which it begins; from 1 on the first input is a picture of the size before.
    """

    def __init__(self, layers: Layers, amplitudes: Sequence[float], start: int = 0) -> None:
        super().__init__()
        self.amplitudes, self.scales, self.start = list(amplitudes), len(layers), start
        numbers = [value.float().cpu().contiguous() for scale in layers for pair in scale for value in pair]
        self.numbers = nn.ParameterList([nn.Parameter(number, requires_grad=False) for number in numbers])

    def forward(self, *inputs: Tensor) -> Tensor:
        """The picture (B, 3, H, W), of noise for every scale."""
        pairs = [(self.numbers[k], self.numbers[k + 1]) for k in range(0, len(self.numbers), 2)]
        each = len(pairs) // self.scales
        scales = [pairs[k * each : (k + 1) * each] for k in range(self.scales)]
        if self.start:
            begun, strengths = scales[self.start :], self.amplitudes[self.start :]
            return go_on(inputs[0], begun, inputs[1:], strengths).clamp(-1, 1)
        return generate(scales, inputs, self.amplitudes).clamp(-1, 1)


class Writer(nn.Module):
    """A picture to all weights of its generator, in one row: (1, 3, H, W) to (1, numbers, 1, 1), scaled for use."""

    def __init__(self, network: HyperNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor) -> Tensor:
        """See the class."""
        vector = self.network(picture)
        gains = self.network.layout.gains
        rows = [value * gain for heads in self.network.scales for value, gain in zip(heads(vector), gains, strict=True)]
        return torch.cat(rows, 1)[:, :, None, None]


class Unwritten(nn.Module):
    """A generator whose weights come in with its noise: the last input, as `Writer` writes them.

    Args:
        start: the scale at which it begins; from 1 on the first input is a picture of the size before.
    """

    def __init__(self, layout: Layout, amplitudes: Sequence[float], start: int = 0) -> None:
        super().__init__()
        self.layout, self.amplitudes, self.start = layout, list(amplitudes), start

    def forward(self, *inputs: Tensor) -> Tensor:
        """The picture (1, 3, H, W)."""
        *given, row = inputs
        sizes, all_layers, place = self.layout.sizes, [], 0
        for _ in self.amplitudes:
            parts = []
            for size in sizes:
                parts.append(row[:, place : place + size, 0, 0])
                place += size
            all_layers.append(shaped(parts, self.layout))
        if self.start:
            further, strengths = all_layers[self.start :], self.amplitudes[self.start :]
            return go_on(given[0], further, given[1:], strengths).clamp(-1, 1)
        return generate(all_layers, given, self.amplitudes).clamp(-1, 1)


def painter_start(scales: int) -> int:
    """The scale at which changed pictures come in: the layout is theirs, what follows is brushwork.

    SinGAN, section 4, injects them at one of the finer scales; from the middle on, so that half of the scales work.
    """
    return max(1, scales // 2)


def of_one(layers: Layers, amplitudes: Sequence[float], sizes: Sequence[Size], start: int = 0) -> Sequence[ExportGraph]:
    """The generator of the one picture trained on."""
    return [ExportGraph(GENERATOR, Written(layers, amplitudes, start), _examples(inputs_from(sizes, start)))]


def inputs_from(sizes: Sequence[Size], start: int) -> tuple[GraphInput, ...]:
    """The inputs of a generator that begins at this scale."""
    return picture_inputs(sizes, start) if start else noise_inputs(sizes)


def of_many(
    network: HyperNetwork, amplitudes: Sequence[float], sizes: Sequence[Size], side: int
) -> Sequence[ExportGraph]:
    """The network that writes weights, and the two generators that take them."""
    writer = Writer(copy.deepcopy(network).cpu().to(memory_format=torch.contiguous_format)).eval()  # type: ignore[call-overload]
    writer.requires_grad_(False)
    look = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        row = writer(look)
    start = painter_start(len(sizes))
    graphs = [ExportGraph(WRITER, writer, {"picture": look}, WEIGHTS)]
    for file, inputs, begin in (
        (GENERATOR, noise_inputs(sizes), 0),
        (PAINTER, picture_inputs(sizes, start), start),
    ):
        module = Unwritten(network.layout, amplitudes, begin).eval()
        graphs.append(ExportGraph(file, module, {**_examples(inputs), WEIGHTS: row}))
    return graphs


def _examples(inputs: Sequence[GraphInput]) -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(0)
    return {i.name: torch.randn(1, i.channels, i.size[1], i.size[0], generator=rng) for i in inputs}


def noise_inputs(sizes: Sequence[Size]) -> tuple[GraphInput, ...]:
    """Noise for every scale: the inputs of a generator."""
    first = GraphInput("start", "start", Encoding.NOISE, 3, sizes[0])
    return (first, *(GraphInput(f"noise{k}", "noise", Encoding.NOISE, 3, s) for k, s in enumerate(sizes) if k))


def picture_inputs(sizes: Sequence[Size], start: int) -> tuple[GraphInput, ...]:
    """A picture of the size before `start`, and noise from there on: the inputs of a painter."""
    first = GraphInput("start", "start", Encoding.PICTURE, 3, sizes[start - 1])
    further = list(enumerate(sizes))[start:]
    return (first, *(GraphInput(f"noise{k}", "noise", Encoding.NOISE, 3, s) for k, s in further))


def plan_of_one(
    sizes: Sequence[Size], scale: float, region: tuple[int, int, int, int], network_picture: bool, start: int = 0
) -> ApplyPlan:
    """One picture's model is used as ConSinGAN's are."""
    return ApplyPlan(
        graphs=(GraphSpec(GENERATOR, inputs_from(sizes, start)),),
        procedure=Procedure.GENERATE,
        minimum=4 * LEAST,
        scale=scale,
        region=region,
        tasks=PAINTED if start else FREE,
        network_picture=network_picture,
    )


def plan_of_many(layout: Layout, sizes: Sequence[Size], side: int, network_picture: bool) -> ApplyPlan:
    """A folder's model makes models: the writer first, then what it writes for."""
    row = GraphInput(WEIGHTS, WEIGHTS, Encoding.WEIGHTS, sum(layout.sizes) * len(sizes), (1, 1))
    look = GraphInput("picture", "picture", Encoding.PICTURE, 3, (side, side))
    return ApplyPlan(
        graphs=(
            GraphSpec(WRITER, (look,), WEIGHTS),
            GraphSpec(GENERATOR, (*noise_inputs(sizes), row)),
            GraphSpec(PAINTER, (*picture_inputs(sizes, painter_start(len(sizes))), row)),
        ),
        procedure=Procedure.WRITE,
        minimum=4 * LEAST,
        network_picture=network_picture,
    )
