"""One training of a single-image GAN, stage after stage (ConSinGAN, sections 3 and 4; SinGAN, section 2)."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from underdrawing.picture.resize import anchor
from underdrawing.store.manifest import FIXED_NOISE, ApplyPlan, Encoding, GraphInput, GraphSpec, Procedure, Task
from underdrawing.train.base_run import BaseRun, Part, restore, saved, without_prefix
from underdrawing.train.data import TrainingData
from underdrawing.train.device import Device
from underdrawing.train.ema import Average
from underdrawing.train.method import ExportGraph, Progress, Stage, TrainingError
from underdrawing.train.methods.consingan import scales
from underdrawing.train.methods.consingan.augment import CHANGES
from underdrawing.train.methods.consingan.hyperparameters import ConSinGANHyperparameters
from underdrawing.train.methods.consingan.networks import ChainedGenerator, Critic, GrowingGenerator, gradient_penalty

LEAST_CROP = 48  # pixels


class PyramidRun(BaseRun):
    """One training: the generator as far as it has grown, the critic of its last stage, their optimisers.

    Args:
        data: with `base` and `composite` a run that goes on from a model, for that composite alone.
        tasks: what the model will be for.
    """

    def __init__(
        self,
        data: TrainingData,
        figures: ConSinGANHyperparameters,
        device: Device,
        seed: int,
        tasks: tuple[Task, ...] = (),
    ) -> None:
        torch.manual_seed(seed)
        self.data, self.figures, self.device, self.seed, self.tasks = data, figures, device, seed, tasks
        height, width = data.pairs[0].inside
        self.picture = data.pairs[0].picture[:, :, :height, :width].contiguous()
        if min(height, width) < scales.LEAST:
            text = f"The picture is {width} x {height} pixels; this method looks at {scales.LEAST} at a time."
            raise TrainingError("too_small", text, "Choose a larger picture or region.")
        self.sizes = self._sizes((width, height))
        self.crop = figures.crop
        self.generator: GrowingGenerator | ChainedGenerator = device.place(self._generator())
        self.critic: nn.Module = device.place(self._critic(0))
        self.averaged: Average | None = None
        self._fixed: dict[tuple[int, scales.Size], Tensor] = {}
        self.fine = data.base is not None
        self.stages = (Stage("fine-tuning", 1.0),) if self.fine else scales.stages("stage", self.sizes, figures.balance)
        self.length = figures.each * len(self.stages) if figures.each and not self.fine else None
        if data.base is not None:
            self._grow_to(len(self.sizes) - 1)
            self._load_networks(data.base)
        self._optimise()

    def _sizes(self, size: scales.Size) -> list[scales.Size]:
        f = self.figures
        count = f.stages or scales.geometric_stages(size, f.smallest, 0.75)
        known = {"improved": scales.improved, "geometric": scales.geometric, "halves": scales.halves}
        if f.rescaling not in known:
            words = ", ".join(known)
            raise TrainingError("bad_option", f"There is no rescaling called {f.rescaling!r}.", f"Use one of: {words}.")
        return known[f.rescaling](size, count, f.smallest)

    def _generator(self) -> GrowingGenerator | ChainedGenerator:
        f = self.figures
        if f.lesson != "noise" and f.lesson not in CHANGES:
            known = ", ".join(["noise", *CHANGES])
            raise TrainingError("bad_option", f"There is no change called {f.lesson!r}.", f"Use {known}.")
        if f.generator == "growing":
            return GrowingGenerator(f.filters, f.layers, f.normalised, f.slope, f.kaiming)
        if f.generator == "chained":
            return ChainedGenerator(f.filters, f.layers, f.slope)
        raise TrainingError("bad_option", f"There is no generator called {f.generator!r}.", "Use growing or chained.")

    def _critic(self, level: int) -> Critic:
        f = self.figures
        # SinGAN, section 2.1: the filters double every four stages; ConSinGAN's critic stays as it is.
        filters = f.filters * 2 ** (level // 4) if f.generator == "chained" else f.filters
        return Critic(filters, 3, f.slope, f.critic_normalised, f.kaiming)

    @property
    def level(self) -> int:
        """The stage in training, from 0."""
        return len(self.generator.stages) - 1

    def enter(self, stage: int) -> None:
        """Grow to this stage; one that was entered before goes on as it was."""
        if not self.fine and stage > self.level:
            self._grow_to(stage)
            self._optimise()

    def _grow_to(self, level: int) -> None:
        while self.level < level:
            self.generator.grow()
            self.generator = self.device.place(self.generator)
            if self.figures.generator == "chained" and self.level % 4 == 0:
                self.critic = self.device.place(self._critic(self.level))
            with torch.no_grad():
                made = self.generator(*self._inputs(self.picture, None))
            wanted = scales.reduced(self.picture, self.sizes[self.level])
            self.generator.amplitudes[-1] = scales.amplitude(made.cpu(), wanted, self.figures.noise)
        if self.level == len(self.sizes) - 1 and self.figures.average > 0:
            self.averaged = Average(self.generator)

    def _optimise(self) -> None:
        """Optimisers of the stages that train now; those below are fixed."""
        f, parts = self.figures, self.generator.parts()
        count = max(1, f.tuned if self.fine else f.concurrent)
        for part in parts[: max(0, len(parts) - count)]:
            for parameter in part:
                parameter.requires_grad_(False)
        groups = [{"params": part, "lr": 0.0} for part in reversed(parts[-count:])]
        self.rates = [f.rate * f.rate_scale**k for k in range(len(groups))]
        betas = (f.beta1, f.beta2)
        self.generator_steps = torch.optim.Adam(groups, f.rate, betas)
        self.critic_steps = torch.optim.Adam(self.critic.parameters(), f.rate, betas)

    def _inputs(self, given: Tensor, generator: torch.Generator | None) -> list[Tensor]:
        """What the generator is given at the present stage.

        Args:
            given: a picture (1, 3, H, W) at the size of the last stage, or a piece of it.
            generator: of the noise; None for the picture itself, without noise.
        """
        sizes = self._sizes_of(given)
        noisy = generator is not None and self.figures.lesson == "noise"
        if noisy:
            first = torch.randn(1, 3, sizes[0][1], sizes[0][0], generator=generator)
        elif self.figures.start == "noise":
            first = torch.from_numpy(anchor(*sizes[0]))
        else:
            first = scales.reduced(given, sizes[0])
        inputs = [first]
        for stage, size in enumerate(sizes[1:], 1):
            shape = (1, self.generator.noise_channels, size[1], size[0])
            noise = self._own_noise(stage, size) if generator is None else torch.randn(shape, generator=generator)
            inputs.append(noise)
        return [self.device.put(one) for one in inputs]

    def _own_noise(self, stage: int, size: scales.Size) -> Tensor:
        """What the picture itself is made from at a stage after the first."""
        channels = self.generator.noise_channels
        if not self.figures.fixed_noise:
            return torch.zeros(1, channels, size[1], size[0])
        if (stage, size) not in self._fixed:
            self._fixed[stage, size] = torch.from_numpy(anchor(*size, channels, stage))
        return self._fixed[stage, size]

    def _sizes_of(self, given: Tensor) -> list[scales.Size]:
        """The stages' sizes up to the present one, for a piece of the picture."""
        part = [given.shape[3 - k] / self.picture.shape[3 - k] for k in (0, 1)]
        least = scales.LEAST
        return [
            (max(least, round(w * part[0])), max(least, round(h * part[1]))) for w, h in self.sizes[: self.level + 1]
        ]

    def _piece(self, generator: torch.Generator) -> tuple[slice, ...]:
        """A random square of the picture, or all of it."""
        sides = self.picture.shape[2:]
        goal = [min(self.crop, side) if self.crop else side for side in sides]
        at = _corner(sides, goal, generator)
        if self.data.mask is not None:
            # What is to be known better must be in sight: around one of its pixels, which is drawn.
            spots = self.data.mask[0, 0].nonzero()
            spot = spots[int(torch.randint(0, len(spots), (1,), generator=generator))].tolist()
            at = [min(max(0, a - g // 2), side - g) for a, g, side in zip(spot, goal, sides, strict=True)]
        return _cut(at, goal)

    def _window(self, generator: torch.Generator) -> tuple[slice, ...] | None:
        """A random square of the last stage, where it alone is trained from noise."""
        width, height = self.sizes[self.level]
        if not self.crop or self.level == 0 or max(width, height) <= self.crop:
            return None
        goal = [min(self.crop, height), min(self.crop, width)]
        return _cut(_corner((height, width), goal, generator), goal)

    def step(self, progress: Progress) -> dict[str, float]:
        """One step: the critic's, then the generator's."""
        f, device = self.figures, self.device
        rng = torch.Generator().manual_seed((self.seed * 1_000_003 + progress.iteration) % (1 << 62))
        self._set_rates(progress.fraction)
        known, window = None, None
        if f.lesson == "noise":
            window = self._window(rng)
            real_inputs, inputs = self._inputs(self.picture, None), self._inputs(self.picture, rng)
            real = scales.reduced(self.picture, self.sizes[self.level])
            real = real if window is None else real[window]
        else:
            piece = self._piece(rng)
            example = CHANGES[f.lesson](self.picture, rng, self.sizes[0])
            changed = example.picture if self.data.composite is None else self.data.composite
            whole = self.picture[piece].contiguous()
            real_inputs, inputs = self._inputs(whole, None), self._inputs(changed[piece].contiguous(), rng)
            size = self._sizes_of(whole)[-1]
            real = scales.reduced(whole, size)
            if f.paired > 0 and self.data.composite is None:
                known = device.put(scales.reduced(example.known[piece].contiguous(), size))
        real = device.put(real)
        with device.autocast():
            made = self.generator(*inputs, window=window).float()
        critic_loss = self._critic_steps(real, made.detach(), progress.iteration, rng)
        self.critic.requires_grad_(False)
        with device.autocast():
            same = self.generator(*real_inputs, window=window).float()
            score = self.critic(made).float().mean()
        self.critic.requires_grad_(True)
        parts = {"adversarial": -score, "reconstruction": f.reconstruction * F.mse_loss(same, real)}
        if known is not None:
            parts["paired"] = f.paired * ((made - real).abs() * known).mean()
        total = torch.stack(list(parts.values())).sum()
        self.generator_steps.zero_grad(set_to_none=True)
        total.backward()
        for _ in range(f.generator_steps):
            self.generator_steps.step()
        if self.averaged is not None:
            self.averaged.update(self.generator, f.average)
        return {"critic": critic_loss, **{name: part.item() for name, part in parts.items()}}

    def _critic_steps(self, real: Tensor, made: Tensor, iteration: int, rng: torch.Generator) -> float:
        """Steps of the critic on the same two pictures; its last loss."""
        f, value = self.figures, 0.0
        for turn in range(f.critic_steps):
            with self.device.autocast():
                loss = self.critic(made).float().mean() - self.critic(real).float().mean()
                if (iteration * f.critic_steps + turn) % f.penalty_every == 0:
                    mix = torch.rand(1, 1, 1, 1, generator=rng).to(real.device)
                    loss = loss + gradient_penalty(self.critic, real, made, f.penalty * f.penalty_every, mix)
            self.critic_steps.zero_grad(set_to_none=True)
            loss.backward()
            self.critic_steps.step()
            value = loss.item()
        return value

    def _set_rates(self, fraction: float) -> None:
        """Each stage's own rate; it falls towards the end of every stage."""
        before = sum(stage.share for stage in self.stages[: self.level]) if not self.fine else 0.0
        share = self.stages[-1 if self.fine else self.level].share
        falling = self.figures.drop if (fraction - before) / share >= self.figures.drop_at else 1.0
        for group, rate in zip(self.generator_steps.param_groups, self.rates, strict=True):
            group["lr"] = rate * falling * self.pace
        for group in self.critic_steps.param_groups:
            group["lr"] = self.figures.rate * falling * self.pace

    @property
    def best(self) -> GrowingGenerator | ChainedGenerator:
        """The generator that is shown and exported."""
        network = self.generator if self.averaged is None else self.averaged.network
        assert isinstance(network, GrowingGenerator | ChainedGenerator)  # noqa: S101 - what was averaged
        return network

    @torch.no_grad()
    def sample(self) -> Tensor:
        """The picture as it is made now, without noise; after a changed copy where that is what is trained on."""
        given = self.picture if self.data.composite is None else self.data.composite
        with self.device.autocast():
            made = self.best(*self._inputs(given, None)).float().cpu()
        return scales.upsample(made, *self.picture.shape[2:]).clamp(-1, 1)

    def state(self) -> dict[str, Tensor]:
        """Networks, how far they have grown, optimisers."""
        parts: dict[str, Part] = {"generator": self.generator, "critic": self.critic, **self._steps()}
        if self.averaged is not None:
            parts["averaged"] = self.averaged
        return saved(parts) | {"amplitudes": torch.tensor(self.generator.amplitudes, dtype=torch.float64)}

    def _steps(self) -> dict[str, Part]:
        return {"generator_steps": self.generator_steps, "critic_steps": self.critic_steps}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go on from `state`, at the stage that it was in."""
        level = len(state["amplitudes"]) - 1
        if level < self.level:  # back to a good state of a stage before
            self.generator = self.device.place(self._generator())
            self.critic, self.averaged = self.device.place(self._critic(0)), None
        self._grow_to(level)
        self._load_networks(state)
        self._optimise()
        restore(self._steps(), state)

    def _load_networks(self, state: Mapping[str, Tensor]) -> None:
        try:
            restore({"generator": self.generator, "critic": self.critic}, state)
            self.generator.amplitudes = [float(v) for v in state["amplitudes"]]
            averaged = without_prefix("averaged", state)
            if self.averaged is not None and averaged:
                self.averaged.load(averaged)
                self.averaged.network.amplitudes = self.generator.amplitudes  # type: ignore[assignment]
        except (KeyError, RuntimeError):
            text = "The earlier training does not fit this picture or these hyperparameters."
            raise TrainingError("wrong_task", text, "Train on the picture again.") from None

    def shrink(self) -> str:
        """Smaller pieces."""
        longest = max(self.picture.shape[2:])
        smaller = (self.crop or longest) // 2
        if smaller < LEAST_CROP or (self.figures.lesson == "noise" and self.level == 0):
            return ""
        self.crop = smaller
        return f"pieces of {smaller} x {smaller} pixels"

    def graphs(self) -> Sequence[ExportGraph]:
        """The generator, grown to the end."""
        self._grow_to(len(self.sizes) - 1)
        network = copy.deepcopy(self.best).cpu().to(memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]
        rng = torch.Generator().manual_seed(0)
        inputs = {s.name: torch.randn(1, s.channels, s.size[1], s.size[0], generator=rng) for s in self._specs()}
        return [ExportGraph("generator.onnx", network.requires_grad_(False), inputs)]

    def _specs(self) -> tuple[GraphInput, ...]:
        kind = Encoding.NOISE if self.figures.start == "noise" else Encoding.PICTURE
        channels, plane = self.generator.noise_channels, FIXED_NOISE if self.figures.fixed_noise else "noise"
        noise = (GraphInput(f"noise{k}", plane, Encoding.NOISE, channels, s) for k, s in enumerate(self.sizes) if k)
        return (GraphInput("start", "start", kind, 3, self.sizes[0]), *noise)

    def plan(self) -> ApplyPlan:
        """The renderer is told what can be made; it sees the whole picture."""
        return ApplyPlan(
            graphs=(GraphSpec("generator.onnx", self._specs()),),
            procedure=Procedure.GENERATE,
            minimum=4 * scales.LEAST,
            halo=None,
            scale=self.data.scale,
            region=self.data.region,
            tasks=self.tasks,
            network_picture=self.figures.network_picture,
        )


def _corner(sides: Sequence[int], goal: Sequence[int], generator: torch.Generator) -> list[int]:
    """A random place of so large a piece."""
    return [int(torch.randint(0, s - g + 1, (1,), generator=generator)) for s, g in zip(sides, goal, strict=True)]


def _cut(at: Sequence[int], goal: Sequence[int]) -> tuple[slice, ...]:
    return (slice(None), slice(None), *(slice(a, a + g) for a, g in zip(at, goal, strict=True)))
