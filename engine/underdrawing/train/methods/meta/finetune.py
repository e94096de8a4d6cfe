"""A model that was made at once is fine-tuned on its picture: written weights become weights that are trained.

internal learning of one picture as in SinGAN (2019), section 2.2, but from a start that knows pictures of its kind, and
all scales together: each is to make the picture at its size, and the last one fools a critic of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from underdrawing.picture.resize import anchor
from underdrawing.store.manifest import ApplyPlan
from underdrawing.train.base_run import BaseRun, Part, restore, saved
from underdrawing.train.data import TrainingData
from underdrawing.train.device import Device
from underdrawing.train.method import ExportGraph, Progress, Stage, TrainingError
from underdrawing.train.methods.consingan import scales as pyramid
from underdrawing.train.methods.consingan.networks import Critic, gradient_penalty
from underdrawing.train.methods.meta import export
from underdrawing.train.methods.meta.hyperparameters import MetaHyperparameters, sizes_like_trained
from underdrawing.train.methods.meta.networks import Activation, Layout, go_on, run_scale, shaped

SLOPE = 0.2  # of the critic's leaky ReLU


class RefinementRun(BaseRun):
    """A training that begins with the weights of a model that was made at once.

    Args:
        data: one pair, and as `base` what `render/hypernetwork.py` kept of the model: `weights` (1, numbers, 1, 1)
            of all scales, and `start`, the scale at which its graph begins.
        figures: those of the model that made it.

    Raises:
        TrainingError: the weights do not fit the figures.
    """

    stages: Sequence[Stage] = (Stage("refining", 1.0),)

    def __init__(self, data: TrainingData, figures: MetaHyperparameters, device: Device, seed: int) -> None:
        torch.manual_seed(seed)
        self.data, self.figures, self.device, self.seed = data, figures, device, seed
        height, width = data.pairs[0].inside
        self.picture = data.pairs[0].picture[:, :, :height, :width].contiguous()
        self.sizes = sizes_like_trained(figures, (width, height))
        layout = Layout(figures.filters, figures.layers, 3, Activation.TANH)
        base = data.base or {}
        try:
            numbers, self.start = base["weights"].flatten(), int(base["start"])
            rows = numbers.reshape(len(self.sizes), sum(layout.sizes))
            scales = [shaped([part[None] for part in row.split(list(layout.sizes))], layout) for row in rows]
        except (KeyError, ValueError, RuntimeError):
            text = "The model's weights do not fit its hyperparameters, or its picture is too small."
            raise TrainingError("wrong_task", text, "Make the model again, with --from and --anew.") from None
        values = [value.clone().to(device.torch) for scale in scales for pair in scale for value in pair]
        self.numbers = nn.ParameterList([nn.Parameter(value) for value in values])
        self.critic = device.place(Critic(figures.filters, figures.layers, SLOPE, kaiming=True))
        betas = (figures.beta1, figures.beta2)
        self.generator_steps = torch.optim.Adam(self.numbers.parameters(), figures.refine_rate, betas)
        self.critic_steps = torch.optim.Adam(self.critic.parameters(), figures.refine_rate, betas)
        self.amplitudes = [1.0] + [0.0] * (len(self.sizes) - 1)  # the first step finds out how much is left
        self.real = [device.put(pyramid.reduced(self.picture, size)) for size in self.sizes]

    @property
    def scales(self) -> list[list[tuple[Tensor, Tensor]]]:
        """Weights and biases of the convolutions of each scale."""
        pairs = [(self.numbers[k], self.numbers[k + 1]) for k in range(0, len(self.numbers), 2)]
        each = len(pairs) // len(self.sizes)
        return [pairs[k * each : (k + 1) * each] for k in range(len(self.sizes))]

    def _every_scale(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """What each scale makes, of noise for all of them."""
        scales = self.scales
        made = [run_scale(inputs[0], scales[0], Activation.TANH, 1)]
        for k in range(1, len(scales)):
            made.append(go_on(made[-1], scales[k : k + 1], inputs[k : k + 1], self.amplitudes[k : k + 1]))
        return made

    def _noise(self, rng: torch.Generator | None) -> list[Tensor]:
        """Noise of every scale; without a generator what the picture itself is made from."""
        sizes = self.sizes
        if rng is None:
            first, *further = sizes
            found = [torch.from_numpy(anchor(*first)), *(torch.zeros(1, 3, h, w) for w, h in further)]
        else:
            found = [torch.randn(1, 3, h, w, generator=rng) for w, h in sizes]
        return [self.device.put(one) for one in found]

    def step(self, progress: Progress) -> dict[str, float]:
        """One step of the critic, one of all scales."""
        f = self.figures
        rng = torch.Generator().manual_seed((self.seed * 1_000_003 + progress.iteration) % (1 << 62))
        falling = f.drop if progress.fraction >= f.drop_at else 1.0
        for steps in (self.generator_steps, self.critic_steps):
            steps.param_groups[0]["lr"] = f.refine_rate * falling * self.pace
        mix = torch.rand(1, 1, 1, 1, generator=rng)
        with self.device.autocast():
            made = self._every_scale(self._noise(rng))[-1].float()
            loss = self.critic(made.detach()).float().mean() - self.critic(self.real[-1]).float().mean()
            penalty = gradient_penalty(self.critic, self.real[-1], made.detach(), f.penalty, mix.to(made.device))
        self.critic_steps.zero_grad(set_to_none=True)
        (loss + penalty).backward()
        self.critic_steps.step()
        with self.device.autocast():
            score = -self.critic(made).float().mean()
            same = self._every_scale(self._noise(None))
        errors = torch.stack([F.mse_loss(one.float(), real) for one, real in zip(same, self.real, strict=True)])
        self.generator_steps.zero_grad(set_to_none=True)
        (score + f.reconstruction * errors.mean()).backward(inputs=list(self.numbers.parameters()))
        nn.utils.clip_grad_norm_(self.numbers.parameters(), f.clip)
        self.generator_steps.step()
        left = errors.tolist()
        self.amplitudes[1:] = [f.noise * error**0.5 for error in left[1:]]
        last = f.reconstruction * left[-1]
        return {"critic": loss.item(), "adversarial": score.item(), "reconstruction": last}

    @torch.no_grad()
    def sample(self) -> Tensor:
        """The picture as it is made now."""
        made = self._every_scale(self._noise(None))[-1].float().cpu()
        return pyramid.upsample(made, *self.picture.shape[2:]).clamp(-1, 1)

    def parts(self) -> Mapping[str, Part]:
        """The critic and the optimisers; the weights have a form of their own."""
        return {"critic": self.critic, "generator_steps": self.generator_steps, "critic_steps": self.critic_steps}

    def state(self) -> dict[str, Tensor]:
        """Weights, noise, optimisers; and what a further refinement begins with."""
        parts = [number.detach().float().flatten() for number in self.numbers]
        tensors = {"weights": torch.cat(parts)[None, :, None, None], "start": torch.tensor(self.start)}
        tensors["amplitudes"] = torch.tensor(self.amplitudes, dtype=torch.float64)
        return tensors | saved(self.parts())

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go on from `state`."""
        place, row = 0, state["weights"].flatten()
        with torch.no_grad():
            for number in self.numbers:
                number.copy_(row[place : place + number.numel()].view_as(number))
                place += number.numel()
        self.amplitudes = [float(v) for v in state["amplitudes"]]
        restore(self.parts(), state)

    def graphs(self) -> Sequence[ExportGraph]:
        """The generator, from noise or from a changed picture as before."""
        return export.of_one(self.scales, self.amplitudes, self.sizes, self.start)

    def plan(self) -> ApplyPlan:
        """What can be made is what could be made before."""
        data, as_made = self.data, self.figures.network_picture
        return export.plan_of_one(self.sizes, data.scale, data.region, as_made, self.start)
