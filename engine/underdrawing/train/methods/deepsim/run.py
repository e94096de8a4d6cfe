"""One training of DeepSIM: generator, discriminator and a step of both (DeepSIM, sections 3.1 to 3.3)."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from underdrawing.picture.edges import canny_edges
from underdrawing.store.manifest import ApplyPlan, Encoding, GraphInput, GraphSpec, PlaneKind
from underdrawing.train import losses
from underdrawing.train.base_run import BaseRun, Part
from underdrawing.train.data import Augmentation, Sampler, TrainingData, binary
from underdrawing.train.device import Device
from underdrawing.train.ema import Average
from underdrawing.train.method import ExportGraph, Progress, TrainingError
from underdrawing.train.methods.deepsim.hyperparameters import PLANES, DeepSIMHyperparameters
from underdrawing.train.networks import GlobalGenerator, MultiScaleDiscriminator, SkipGenerator
from underdrawing.train.norms import freeze, watched
from underdrawing.train.perceptual import Features, find_features, missing_features, perceptual


class DeepSIMRun(BaseRun):
    """One training: generator, discriminator, their optimisers, and a step of both."""

    def __init__(self, data: TrainingData, figures: DeepSIMHyperparameters, device: Device, seed: int) -> None:
        torch.manual_seed(seed)
        self.figures, self.device, self.data, self.seed = figures, device, data, seed
        pair = data.pairs[0].to(device.torch)
        self.names = [spec.name for spec in PLANES if spec.name in pair.planes]
        if not self.names:
            raise TrainingError(
                "no_plane", "DeepSIM needs a primitive.", "Give segments, edges or paint beside the picture."
            )
        if figures.joined and figures.one_hot:
            text = "Outlines are drawn into the segments' colours, which the network is not given."
            raise TrainingError("bad_option", text, "Use joined=no, or one_hot=no.")
        kind = Encoding.ONE_HOT if figures.one_hot else Encoding.COLOURS
        signed = {PlaneKind.CLASSES: kind, PlaneKind.LINES: Encoding.SIGNED, PlaneKind.COLOUR: Encoding.COLOURS}
        self.encodings = {name: signed[pair.planes[name].kind] for name in self.names}
        self.pair, self.crop = pair, figures.crop
        stride = 2**figures.halvings
        if figures.crop_part > 0:
            self.crop = max(stride, round(figures.crop_part * max(pair.size) / stride) * stride)
        self.joined = figures.joined and {"segments", "edges"} <= set(self.names)
        self.line = self._line()
        counted = [name for name in self.names if not (self.joined and name == "edges")]
        self.channels = sum(pair.planes[name].channels(self.encodings[name]) for name in counted)
        self.generator = device.place(self._generator())
        self.averaged = Average(self.generator)
        self.rates = {"betas": (figures.beta1, figures.beta2)}
        self.generator_steps = torch.optim.Adam(self.generator.parameters(), figures.rate, self.rates["betas"])
        self.discriminator: nn.Module | None = None
        if figures.gan > 0:
            network = MultiScaleDiscriminator(
                self.channels + 3,
                figures.discriminator_filters,
                figures.discriminator_layers,
                figures.discriminator_scales,
            )
            self.discriminator = device.place(network)
            self.discriminator_steps = torch.optim.Adam(network.parameters(), figures.rate, self.rates["betas"])
        self.features = self._features()
        if figures.perceptual > 0:
            self.notes = missing_features(figures.perceptual_network, self.features)
        self.sampler = self._sampler()

    def _generator(self) -> GlobalGenerator | SkipGenerator:
        f = self.figures
        if f.generator == "global":
            return GlobalGenerator(self.channels + self._extra, f.filters, f.halvings, f.blocks)
        if f.generator == "skip":
            widths = tuple(min(f.filters * 2**k, f.filters * 6) for k in range(f.halvings + 1))
            return SkipGenerator(self.channels + self._extra, widths, f.blocks)
        raise TrainingError("bad_option", f"There is no generator called {f.generator!r}.", "Use global or skip.")

    @property
    def _extra(self) -> int:
        """Channels that tell the place of a pixel: x, y, and whether they hold anything."""
        return 3 if self.figures.places > 0 else 0

    def _features(self) -> Features | None:
        f = self.figures
        if f.perceptual <= 0:
            return None
        found = find_features(f.perceptual_network, self.data.features, f.perceptual_depth, f.perceptual_normalised)
        return None if found is None else self.device.place(found)

    def _sampler(self) -> Sampler:
        f = self.figures
        how = Augmentation(
            f.warp,
            f.grid,
            f.shift,
            f.smoothing,
            f.warped,
            f.flip,
            f.cutmix,
            self.crop,
            f.each_side,
            f.affine,
            self.line,
        )
        return Sampler(self.pair, how, self.encodings, self.seed, self._outlines())

    def _line(self) -> float | None:
        """Below which value a pixel of the outlines is a line; None where they are soft.

        Of a line that was reduced with the picture, one pixel holds as much as the picture was reduced to.
        """
        if "edges" not in self.names:
            return None
        if self.figures.binary_lines:
            return 1.0 - min(1.0, self.data.scale)
        values = self.pair.planes["edges"].values
        return 0.0 if bool((values.abs() == 1).all()) else None

    def _outlines(self) -> list[Tensor]:
        """The picture's outlines at each of the sigmas of Canny's detector."""
        if "edges" not in self.names or not self.figures.canny_sigmas:
            return []
        rgb = self.pair.picture[0].permute(1, 2, 0).cpu().numpy() / 2 + 0.5
        found = [canny_edges(rgb, sigma) for sigma in self.figures.canny_sigmas]
        like = self.pair.picture
        return [torch.from_numpy(lines.astype(np.float32) / 127.5 - 1)[None, None].to(like) for lines in found]

    def _inputs(self, planes: Mapping[str, Tensor], places: Tensor | None) -> Tensor:
        """Planes and places as the generator's input; places None means that they are not told."""
        parts = [self._condition(planes)]
        if self._extra:
            like = parts[0]
            told = like.new_zeros(len(like), 3, *like.shape[2:])
            if places is not None:
                told = torch.cat([places.expand(len(like), -1, -1, -1), torch.ones_like(told[:, :1])], 1)
            parts.append(told)
        return self.device.put(torch.cat(parts, 1))

    def _condition(self, planes: Mapping[str, Tensor]) -> Tensor:
        return condition({name: planes[name] for name in self.names}, self.joined)

    def step(self, progress: Progress) -> dict[str, float]:
        """One step of the generator and, once it has joined, of the discriminator.

        Both losses are of one pass: the generator moves first, by what the discriminator says before it moves.
        """
        f, device = self.figures, self.device
        falling = min(1.0, (1 - progress.fraction) / max(1e-6, 1 - f.constant))
        planes, truth, places = self.sampler.draw(progress.iteration, f.batch)
        told = torch.rand(1, generator=torch.Generator().manual_seed(self.seed + progress.iteration)) < f.places
        x, truth = self._inputs(planes, places if told else None), device.put(truth)
        given = device.put(self._condition(planes))
        judge = self.discriminator if progress.fraction >= f.gan_from else None
        values: dict[str, float] = {}

        for optimizer in [self.generator_steps] + ([self.discriminator_steps] if judge else []):
            for group in optimizer.param_groups:
                group["lr"] = f.rate * falling * self.pace
        with device.autocast():
            made = self.generator(x)
        if judge is not None:
            with device.autocast():
                fake = judge(torch.cat([given, made.detach()], 1))
                real = judge(torch.cat([given, truth], 1))
            judged = 0.5 * (losses.least_squares(fake, False) + losses.least_squares(real, True))
            values["discriminator"] = judged.item()
        total = made.new_zeros(())
        parts: dict[str, Tensor] = {}
        if f.pixel > 0 or self.features is None:
            parts["pixel"] = (f.pixel or 10.0) * F.l1_loss(made, truth)
        if self.features is not None:
            with device.autocast():
                with torch.no_grad():
                    goal = self.features(truth)
                ours = self.features(made)
            parts["perceptual"] = f.perceptual * perceptual(ours, goal)
        if judge is not None:
            judge.requires_grad_(False)
            with device.autocast():
                fake = judge(torch.cat([given, made], 1))
            judge.requires_grad_(True)
            parts["adversarial"] = f.gan * losses.least_squares(fake, True)
            parts["features"] = f.feature_matching * losses.feature_matching(fake, real)
        for part in parts.values():
            total = total + part
        self.generator_steps.zero_grad(set_to_none=True)
        total.backward()
        self.generator_steps.step()
        if judge is not None:
            self.discriminator_steps.zero_grad(set_to_none=True)
            judged.backward()
            self.discriminator_steps.step()
        self.averaged.update(self.generator, f.average)
        values.update({name: part.item() for name, part in parts.items()})
        return values

    @property
    def best(self) -> nn.Module:
        """The generator that is shown and exported."""
        return self.averaged.network if self.figures.average > 0 else self.generator

    @torch.no_grad()
    def sample(self) -> Tensor:
        """The training picture from its own primitive."""
        planes, places = self.sampler.whole()
        with self.device.autocast():
            made: Tensor = self.best(self._inputs(planes, places))
        return made.float()

    def parts(self) -> Mapping[str, Part]:
        """Networks, averages, optimisers."""
        parts: dict[str, Part] = {"generator": self.generator, "averaged": self.averaged}
        parts["generator_steps"] = self.generator_steps
        if self.discriminator is not None:
            parts |= {"discriminator": self.discriminator, "discriminator_steps": self.discriminator_steps}
        return parts

    def shrink(self) -> str:
        """Smaller crops: down to 64 pixels a side."""
        present = self.crop or min(self.pair.size)
        smaller = max(64, present // 2 // 16 * 16)
        if smaller >= present:
            return ""
        self.crop = smaller
        self.sampler = self._sampler()
        return f"crops of {smaller} x {smaller} pixels"

    def graphs(self) -> Sequence[ExportGraph]:
        """The generator with one named input a plane."""
        planes, places = self.sampler.whole()
        planes = {name: value.cpu() for name, value in planes.items()}
        network = copy.deepcopy(self.best).cpu().to(memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]
        wrapped = ExportedGenerator(network, self.names, self.joined, self.line, bool(self._extra)).eval()
        inputs = dict(planes)
        if self._extra:
            inputs["places"] = places.cpu()
        # The statistics of the picture as it is: what is not edited comes out as in training.
        with torch.no_grad(), watched(network):
            wrapped(*inputs.values())
        freeze(network)
        return [ExportGraph("generator.onnx", wrapped, inputs)]

    def plan(self) -> ApplyPlan:
        """One graph; local, so that regions can be run alone."""
        inputs = [
            GraphInput(name, name, self.encodings[name], self.pair.planes[name].channels(self.encodings[name]))
            for name in self.names
        ]
        if self._extra:
            inputs.append(GraphInput("places", "places", Encoding.PLACES, 2))
        network = self.generator
        return ApplyPlan(
            graphs=(GraphSpec("generator.onnx", tuple(inputs)),),
            stride=network.stride,
            halo=network.halo,
            scale=self.data.scale,
            region=self.data.region,
            network_picture=self.figures.network_picture,
        )


def condition(planes: Mapping[str, Tensor], joined: bool) -> Tensor:
    """Planes (B, c, H, W), side by side as the networks are given them: (B, C, H, W).

    Args:
        joined: outlines are drawn in black into the segments' colours (the super primitive of DeepSIM, section 3.4).
    """
    parts = dict(planes)
    if joined:
        paper = (parts.pop("edges") + 1) / 2
        parts["segments"] = (parts["segments"] + 1) * paper - 1
    return torch.cat(list(parts.values()), 1)


class ExportedGenerator(nn.Module):
    """The generator as it is exported: planes in, and after them the places where it takes them; picture out.

    Args:
        names: of the planes, in their order.
        joined: see `condition`.
        line: see `Augmentation`.
        places: whether the last input tells the places.
    """

    def __init__(
        self, network: nn.Module, names: Sequence[str], joined: bool, line: float | None, places: bool
    ) -> None:
        super().__init__()
        self.network, self.names, self.joined, self.line, self.places = network, list(names), joined, line, places

    def forward(self, *inputs: Tensor) -> Tensor:
        planes = dict(zip(self.names, inputs, strict=False))
        if self.line is not None:
            planes["edges"] = binary(planes["edges"], self.line)
        parts = [condition(planes, self.joined)]
        if self.places:
            parts += [inputs[-1], torch.ones_like(inputs[-1][:, :1])]
        result: Tensor = self.network(torch.cat(parts, 1))
        return result
