"""One training of a semantic analogy: generator, discriminator and classifier, and a step of all three.

Semantic Image Analogy (Li, Xiong, Liu, Chen and Zha 2020), sections 3.2 and 3.4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from underdrawing.store.manifest import ApplyPlan, Encoding, GraphInput, GraphSpec, PlaneKind, Procedure
from underdrawing.train import losses
from underdrawing.train.base_run import BaseRun, Part
from underdrawing.train.data import TrainingData
from underdrawing.train.device import Device
from underdrawing.train.ema import Average
from underdrawing.train.method import ExportGraph, Progress, TrainingError
from underdrawing.train.methods.sia.augment import Relayout
from underdrawing.train.methods.sia.hyperparameters import SIAHyperparameters
from underdrawing.train.methods.sia.networks import (
    Analogy,
    BlockDiscriminator,
    Classifier,
    ExportedAnalogy,
    baked,
    raised,
    reduced_pair,
)
from underdrawing.train.methods.sia.patch_coherence import Coherence
from underdrawing.train.networks import MultiScaleDiscriminator
from underdrawing.train.perceptual import Features, find_features, missing_features

PLANES = ("segments", "edges")
LEAST_CROP = 64
MOST_REDUCED = 4


class SIARun(BaseRun):
    """One training: generator, discriminator, classifier, their optimisers, and a step of all three."""

    def __init__(self, data: TrainingData, figures: SIAHyperparameters, device: Device, seed: int) -> None:
        torch.manual_seed(seed)
        self.figures, self.device, self.data, self.seed = figures, device, data, seed
        height, width = data.pairs[0].size
        self.reduced = 1
        while figures.seen and self.reduced < MOST_REDUCED and height * width > figures.seen * self.reduced**2:
            self.reduced *= 2
        pair = reduced_pair(data.pairs[0], self.reduced).to(device.torch)
        self.names = [name for name in PLANES if name in pair.planes]
        if not self.names:
            raise TrainingError("no_plane", "A semantic analogy needs a layout.", "Give segments or edges.")
        self.pair, self.crop = pair, figures.crop
        self.encodings = {
            name: Encoding.ONE_HOT if pair.planes[name].kind is PlaneKind.CLASSES else Encoding.SIGNED
            for name in self.names
        }
        channels = sum(pair.planes[name].channels(self.encodings[name]) for name in self.names)
        f = figures
        self.generator = device.place(
            Analogy(channels, f.filters, f.halvings, f.epsilon, f.translated, f.transposed, f.early)
        )
        self.discriminator = device.place(self._discriminator())
        self.classifier = device.place(Classifier(self.classes, f.classifier_filters))
        self.averaged = Average(self.generator)
        betas = (f.beta1, f.beta2)
        self.optimizers = {
            "generator": torch.optim.Adam(self.generator.parameters(), f.rate, betas),
            "discriminator": torch.optim.Adam(self.discriminator.parameters(), f.rate_discriminator, betas),
            "classifier": torch.optim.Adam(self.classifier.parameters(), f.rate, betas),
        }
        self.features = self._features()
        self.notes = missing_features(f.perceptual_network, self.features)
        self.relayout = self._relayout()
        self._coherence: Coherence | None = None

    def _discriminator(self) -> nn.Module:
        f = self.figures
        if f.discriminator == "blocks":
            return BlockDiscriminator(f.discriminator_filters, f.discriminator_layers)
        if f.discriminator == "pix2pixhd":
            return MultiScaleDiscriminator(3, f.discriminator_filters, f.discriminator_layers, 1)
        text = f"There is no discriminator called {f.discriminator!r}."
        raise TrainingError("bad_option", text, "Use blocks or pix2pixhd.")

    @property
    def classes(self) -> int:
        """Classes that the classifier tells apart: those of the palette, or line and no line."""
        colours = self.pair.planes["segments"].colours if "segments" in self.names else None
        return 2 if colours is None else len(colours)

    def labels(self, planes: Mapping[str, Tensor]) -> Tensor:
        """(B, 1, H, W): the class of every pixel, of planes as they are before they are encoded."""
        return planes["segments"] if "segments" in planes else (planes["edges"] < 0).float()

    def _features(self) -> Features | None:
        f = self.figures
        if f.coherence <= 0 and f.perceptual <= 0:
            return None
        depth = max(len(f.patches), 3 if f.perceptual > 0 else 0)
        found = find_features(f.perceptual_network, self.data.features, depth)
        return None if found is None else self.device.place(found)

    def _relayout(self) -> Relayout:
        f = self.figures
        return Relayout(self.pair, f.flip, f.resize, f.rotate, f.bend, f.points, self.crop, self.seed, f.cut)

    def condition(self, planes: Mapping[str, Tensor]) -> Tensor:
        """Planes, encoded and side by side: (B, channels, H, W)."""
        parts = [self.pair.planes[name].encode(planes[name], self.encodings[name]) for name in self.names]
        return self.device.put(torch.cat(parts, 1))

    def step(self, progress: Progress) -> dict[str, float]:
        """One of the discriminator and of the classifier, and so many of the generator as the recipe says."""
        f, device = self.figures, self.device
        falling = min(1.0, (1 - progress.fraction) / max(1e-6, 1 - f.constant)) if f.constant < 1 else 1.0
        for name, optimizer in self.optimizers.items():
            rate = f.rate_discriminator if name == "discriminator" else f.rate
            for group in optimizer.param_groups:
                group["lr"] = rate * falling * self.pace
        rng = torch.Generator().manual_seed((self.seed * 7_919 + progress.iteration) % (1 << 62))
        drawn = self.relayout.draw(progress.iteration, min(1.0, progress.fraction / max(1e-6, f.growth)))
        same = bool(torch.rand(1, generator=rng) < f.reconstruct)
        picture, source = device.put(drawn.picture), self.condition(drawn.planes)
        planes = drawn.planes if same else drawn.changed_planes
        truth = picture if same else device.put(drawn.changed_picture)
        wanted = source if same else self.condition(planes)
        labels = self.labels(planes)
        judge = self.discriminator if f.gan > 0 and progress.fraction >= f.gan_from else None
        values: dict[str, float] = {}
        if not same:
            values["classifier"] = self._teach(truth, labels)
        for turn in range(f.steps):
            with device.autocast():
                made, scales, shifts = self.generator.with_change(picture, source, wanted)
            if judge is not None and turn == 0:
                values["discriminator"] = self._judge(judge, made.detach(), truth)
            parts = (
                self._reconstruction(made, truth, scales, shifts) if same else self._sampling(made, truth, labels, rng)
            )
            if judge is not None:
                parts |= self._adversarial(judge, made, truth, same)
            self._descend("generator", torch.stack(list(parts.values())).sum())
        self.averaged.update(self.generator, f.average)
        return values | {name: part.item() for name, part in parts.items()}

    def _descend(self, name: str, loss: Tensor) -> None:
        optimizer = self.optimizers[name]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    def _teach(self, truth: Tensor, labels: Tensor) -> float:
        """The classifier is trained on the changed pair (equation 9)."""
        self.classifier.requires_grad_(True)
        with self.device.autocast():
            said = self.classifier(truth)
        loss = F.cross_entropy(said.float(), labels[:, 0].long())
        self._descend("classifier", loss)
        self.classifier.requires_grad_(False)
        return loss.item()

    def _judge(self, judge: nn.Module, made: Tensor, truth: Tensor) -> float:
        """The discriminator learns to tell the made picture from the changed one (least squares)."""
        judge.requires_grad_(True)
        with self.device.autocast():
            fake, real = judge(made), judge(truth)
        loss = 0.5 * (losses.least_squares(fake, False) + losses.least_squares(real, True))
        self._descend("discriminator", loss)
        judge.requires_grad_(False)
        return loss.item()

    def _adversarial(self, judge: nn.Module, made: Tensor, truth: Tensor, same: bool) -> dict[str, Tensor]:
        """Equations 10 and 13: feature matching in sampling mode alone."""
        with self.device.autocast():
            fake = judge(made)
            with torch.no_grad():
                real = judge(truth)
        parts = {"adversarial": self.figures.gan * losses.least_squares(fake, True)}
        if not same:
            parts["features"] = self.figures.feature_matching * losses.feature_matching(fake, real)
        return parts

    def _reconstruction(
        self, made: Tensor, truth: Tensor, scales: Sequence[Tensor], shifts: Sequence[Tensor]
    ) -> dict[str, Tensor]:
        """Equations 11 and 12: the picture as it is, by parameters that change nothing."""
        parts = {"pixel": self.figures.pixel * F.l1_loss(made, truth)}
        if scales:
            still = [(a.float() - 1).abs().mean() + b.float().abs().mean() for a, b in zip(scales, shifts, strict=True)]
            parts["fixed point"] = self.figures.fixed_point * torch.stack(still).mean()
        return parts

    def _sampling(self, made: Tensor, truth: Tensor, labels: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """Equations 7 and 8: patches of the source, in the wanted layout."""
        f, parts = self.figures, {}
        if f.alignment > 0:
            with self.device.autocast():
                said = self.classifier(made)
            parts["alignment"] = f.alignment * F.cross_entropy(said.float(), labels[:, 0].long())
        if self.features is not None:
            with self.device.autocast():
                ours = self.features(made)
            if f.coherence > 0:
                parts["coherence"] = f.coherence * self.coherence(ours, labels, rng)
            if f.perceptual > 0:
                with torch.no_grad(), self.device.autocast():
                    goal = self.features(truth)
                apart = [F.l1_loss(a.float(), b.float()) for a, b in zip(ours, goal, strict=True)]
                parts["perceptual"] = f.perceptual * torch.stack(apart).mean()
        if f.paired > 0:
            parts["paired"] = f.paired * F.l1_loss(made, truth)
        return parts or {"pixel": f.pixel * F.l1_loss(made, truth)}

    @property
    def coherence(self) -> Coherence:
        """Patch coherence with the whole source picture."""
        if self._coherence is None:
            assert self.features is not None  # noqa: S101 - it is asked for only where there are features
            planes = {name: plane.values for name, plane in self.pair.planes.items()}
            with torch.no_grad():
                found = self.features(self.device.put(self.pair.picture))
            counts = [int(count) for count in self.figures.patches]
            self._coherence = Coherence(found, self.labels(planes), counts, self.figures.absolute)
        return self._coherence

    @property
    def best(self) -> Analogy:
        """The generator that is shown and exported."""
        found: Analogy = self.averaged.network if self.figures.average > 0 else self.generator  # type: ignore[assignment]
        return found

    @torch.no_grad()
    def sample(self) -> Tensor:
        """The picture in its own layout, mirrored: what is seen was not merely copied."""
        planes = {name: plane.values for name, plane in self.pair.planes.items()}
        source = self.condition(planes)
        with self.device.autocast():
            made: Tensor = self.best(self.device.put(self.pair.picture), source, source.flip(3))
        return raised(made.float(), self.reduced)

    def parts(self) -> Mapping[str, Part]:
        """Networks, averages, optimisers."""
        networks = {name: getattr(self, name) for name in self.optimizers}
        steps = {f"{name}_steps": optimizer for name, optimizer in self.optimizers.items()}
        return {"averaged": self.averaged, **networks, **steps}

    def shrink(self) -> str:
        """Smaller squares: down to 64 pixels a side."""
        present = self.crop or min(self.pair.size)
        smaller = max(LEAST_CROP, present // 2 // 16 * 16)
        if smaller >= present:
            return ""
        self.crop = smaller
        self.relayout = self._relayout()
        return f"squares of {smaller} x {smaller} pixels"

    def graphs(self) -> Sequence[ExportGraph]:
        """The generator: the source picture and its layout are inputs, too, so that the size stays free."""
        pair = self.data.pairs[0]
        planes = {name: plane.values for name, plane in pair.planes.items()}
        told = {name: self.pair.planes[name].encode(planes[name], self.encodings[name]).cpu() for name in self.names}
        network = baked(self.best).cpu().to(memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]
        inputs = {"picture": pair.picture.cpu().contiguous()}
        inputs |= {f"source_{name}": value for name, value in told.items()}
        inputs |= {name: value.clone() for name, value in told.items()}
        return [
            ExportGraph(
                "generator.onnx", ExportedAnalogy(network, len(self.names), self.reduced).eval(), inputs, "result"
            )
        ]

    def plan(self) -> ApplyPlan:
        """One graph that must see the whole picture, as its statistics are those of the picture."""
        channels = {name: self.pair.planes[name].channels(self.encodings[name]) for name in self.names}
        inputs = [GraphInput("picture", "source:picture", Encoding.COLOURS, 3)]
        for prefix, where in (("source_", "source:"), ("", "")):
            inputs += [
                GraphInput(prefix + name, where + name, self.encodings[name], channels[name]) for name in self.names
            ]
        return ApplyPlan(
            graphs=(GraphSpec("generator.onnx", tuple(inputs), "result"),),
            procedure=Procedure.ANALOGY if self.figures.painted else Procedure.NONE,
            stride=self.generator.stride * self.reduced,
            halo=None,
            scale=self.data.scale,
            region=self.data.region,
            network_picture=not self.figures.painted,
        )
