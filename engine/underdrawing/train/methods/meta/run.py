"""One training of a hypernetwork: of one picture, of a few, or of a folder (Meta Internal Learning, section 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from underdrawing.picture.resize import anchor, signed, small_copy
from underdrawing.store.manifest import ApplyPlan
from underdrawing.train.base_run import BaseRun, Part, restore, saved
from underdrawing.train.data import TrainingData
from underdrawing.train.device import Device
from underdrawing.train.distributed import Team
from underdrawing.train.method import (
    ExportGraph,
    Progress,
    TrainingError,
)
from underdrawing.train.methods.consingan import scales
from underdrawing.train.methods.consingan.networks import Critic, Window, gradient_penalty
from underdrawing.train.methods.meta import export
from underdrawing.train.methods.meta.dataset import others
from underdrawing.train.methods.meta.hyperparameters import MetaHyperparameters, check, iterations_of_a_scale, sizes_of
from underdrawing.train.methods.meta.networks import Activation, HyperNetwork, Layout, generate, run_scale

PLAIN_SLOPE = 0.2  # of a critic whose weights no network writes (supplement, section 2.1)
SHOWN = 4  # pictures of a folder in a sample


Score = Callable[[Tensor], Tensor]


def _square(picture: Tensor, side: int) -> Tensor:
    """What the backbone sees of a picture (3, H, W): (1, 3, side, side), reduced as the renderer does it."""
    rgb = picture.permute(1, 2, 0).numpy() / 2 + 0.5
    return torch.from_numpy(signed(small_copy(rgb, side, side)))


class HyperRun(BaseRun):
    """A training: the networks that write generators and critics, as far as they have grown, and their optimisers.

    Args:
        data: one pair for one picture, several of one size for a folder.
    """

    def __init__(self, data: TrainingData, figures: MetaHyperparameters, device: Device, seed: int) -> None:
        check(figures, len(data.pairs))
        torch.manual_seed(seed)
        self.data, self.figures, self.device, self.seed, self.team = data, figures, device, seed, Team.present()
        height, width = data.pairs[0].inside
        if min(height, width) < scales.LEAST:
            text = f"The picture is {width} x {height} pixels; this method looks at {scales.LEAST} at a time."
            raise TrainingError("too_small", text, "Choose a larger picture or region.")
        self.pictures = torch.cat([pair.picture[:, :, :height, :width] for pair in data.pairs])
        self.sizes = sizes_of(figures, (width, height))
        self.looked_at = torch.cat([_square(picture, figures.side) for picture in self.pictures])
        self.layout = Layout(figures.filters, figures.layers, 3, Activation.TANH)
        self.critic_layout = Layout(figures.filters, figures.layers, 1, Activation.NONE)
        self.batch = min(figures.batch or len(data.pairs), len(data.pairs))
        self.stages = scales.stages("scale", self.sizes, figures.balance)
        self.length = (figures.each or iterations_of_a_scale(len(data.pairs))) * len(self.stages)
        self._begin()

    def _begin(self) -> None:
        """Fresh networks at the first scale."""
        f, place = self.figures, self.device.place
        self.generator = place(HyperNetwork(f.width, f.embedding, self.layout))
        self.critic: nn.Module
        if f.critic == "written":
            self.critic = place(HyperNetwork(f.width, f.embedding, self.critic_layout))
        else:
            self.critic = place(Critic(f.filters, f.layers, PLAIN_SLOPE, kaiming=True))
        self.amplitudes = [1.0]
        self._see()
        self._optimise()

    @property
    def level(self) -> int:
        """The scale in training, from 0."""
        return len(self.generator.scales) - 1

    def enter(self, stage: int) -> None:
        """Grow to this scale; one that was entered before goes on as it was."""
        if stage > self.level:
            self._grow_to(stage)
            self._optimise()

    def _grow_to(self, level: int) -> None:
        """Heads of further scales begin as copies of the last ones; the critic's go on as they are."""
        while self.level < level:
            self.generator.grow()
            self.amplitudes.append(self.figures.noise)
        self._see()

    def _see(self) -> None:
        """The pictures at the size of the present scale."""
        self.real = scales.reduced(self.pictures, self.sizes[self.level])

    def _optimise(self) -> None:
        f = self.figures
        self.training = [p for p in self.generator.parameters() if p.requires_grad]
        self.generator_steps = torch.optim.Adam(self.training, f.rate, (f.beta1, f.beta2))
        self.critic_steps = torch.optim.Adam(self.critic.parameters(), f.critic_rate, (f.beta1, f.beta2))

    def step(self, progress: Progress) -> dict[str, float]:
        """One step: the critic's, then the generator's, of a batch that all processes share."""
        f, device = self.figures, self.device
        rng = torch.Generator().manual_seed((self.seed * 1_000_003 + progress.iteration) % (1 << 62))
        self._set_rates(progress.fraction)
        batch = self.batch
        chosen = torch.randperm(len(self.pictures), generator=rng)[:batch]
        pictures, looked_at = self.real[chosen], self.looked_at[chosen]
        if f.others > 0:
            pictures, looked_at = others(pictures, looked_at, f.others, rng)
        noise = [torch.randn(batch, 3, h, w, generator=rng) for w, h in self.sizes[: self.level + 1]]
        mix = torch.rand(batch, 1, 1, 1, generator=rng)
        window = self._window(rng)
        here = self.team.mine(batch)
        error = critic = adversarial = 0.0
        self.generator_steps.zero_grad(set_to_none=True)
        self.critic_steps.zero_grad(set_to_none=True)
        if here:
            share = len(here) / batch
            look, real = device.put(looked_at[here]), device.put(pictures[here][window])
            with device.autocast():
                scales = self._scales(look)
                same = generate(scales, self._fixed(len(here)), self.amplitudes, window).float()
            left = F.mse_loss(same, real)
            error = left.item() * share
        error = self._summed(error)
        if self.level:
            # Section 2.3: noise is as strong as the error that is left, of the whole batch.
            self.amplitudes[-1] = f.noise * error**0.5
        if here:
            with device.autocast():
                made = generate(scales, [device.put(n[here]) for n in noise], self.amplitudes, window).float()
                loss = share * self._critic_loss(self._score(look, trains=True), real, made.detach(), mix[here])
            loss.backward()
            critic = loss.item()
        self._move(self.critic, self.critic_steps)
        if here:
            with device.autocast():
                score = -share * self._score(look, trains=False)(made).float().mean()
            (score + share * f.reconstruction * left).backward(inputs=self.training)
            adversarial = score.item()
        self._move(self.generator, self.generator_steps)
        found = {"critic": self._summed(critic), "adversarial": self._summed(adversarial)}
        return {**found, "reconstruction": f.reconstruction * error}

    def _window(self, rng: torch.Generator) -> Window:
        """A random square of the present scale, the same of all pictures; all of it where that is small."""
        crop, (width, height) = self.figures.crop, self.sizes[self.level]
        if not crop or self.level == 0:
            crop = max(width, height)
        spots = []
        for side in (height, width):
            goal = min(crop, side)
            at = int(torch.randint(0, side - goal + 1, (1,), generator=rng))
            spots.append(slice(at, at + goal))
        return (slice(None), slice(None), *spots)

    def _summed(self, value: float) -> float:
        """A number summed over all processes."""
        return float(self.team.sum(torch.tensor(value, device=self.device.torch))) if self.team.size > 1 else value

    def _critic_loss(self, score: Score, real: Tensor, made: Tensor, mix: Tensor) -> Tensor:
        """Wasserstein's distance with its penalty (WGAN-GP, equation 3), of this process's part of the batch."""
        penalty = gradient_penalty(score, real, made, self.figures.penalty, mix.to(real.device))
        return score(made).float().mean() - score(real).float().mean() + penalty

    def _score(self, look: Tensor, trains: bool) -> Score:
        """Each picture's critic, as a function of pictures (B, 3, H, W)."""
        if not isinstance(self.critic, HyperNetwork):
            return self.critic
        with torch.set_grad_enabled(trains):
            layers = self.critic.weights(self.critic(look))
        return lambda x: run_scale(x, layers, Activation.NONE, 0)

    def _move(self, network: nn.Module, steps: torch.optim.Optimizer) -> None:
        """One step along the gradients of all processes, no longer than the limit."""
        self.team.sum_gradients(network.parameters())
        nn.utils.clip_grad_norm_([p for p in network.parameters() if p.requires_grad], self.figures.clip)
        steps.step()

    def _scales(self, look: Tensor) -> list[list[tuple[Tensor, Tensor]]]:
        """Weights of all scales so far, of the pictures that the backbone looks at."""
        vector = self.generator(look)
        return [self.generator.weights(vector, k) for k in range(self.level + 1)]

    def _fixed(self, batch: int) -> list[Tensor]:
        """What pictures themselves are made from: one fixed noise, the same for all, and none after it."""
        first, *further = self.sizes[: self.level + 1]
        start = torch.from_numpy(anchor(*first)).expand(batch, -1, -1, -1)
        return [self.device.put(one) for one in (start, *(torch.zeros(batch, 3, h, w) for w, h in further))]

    def _set_rates(self, fraction: float) -> None:
        """Rates fall towards the end of every scale."""
        before = sum(stage.share for stage in self.stages[: self.level])
        falling = (
            self.figures.drop if (fraction - before) / self.stages[self.level].share >= self.figures.drop_at else 1
        )
        for steps, rate in ((self.generator_steps, self.figures.rate), (self.critic_steps, self.figures.critic_rate)):
            for group in steps.param_groups:
                group["lr"] = rate * falling * self.pace

    @torch.no_grad()
    def _shown(self, number: int) -> Tensor:
        """One of the pictures as it is made now, (3, h, w) at the size of the present scale."""
        with self.device.autocast():
            scales = self._scales(self.device.put(self.looked_at[number : number + 1]))
            return generate(scales, self._fixed(1), self.amplitudes)[0].float().cpu()

    def sample(self) -> Tensor:
        """The picture as it is made now; of a folder the first four, in one picture's place."""
        height, width = self.pictures.shape[2:]
        made = [scales.upsample(self._shown(k)[None], height, width) for k in range(min(SHOWN, len(self.pictures)))]
        if len(made) == 1:
            return made[0].clamp(-1, 1)
        sheet, (rows, columns) = torch.ones(1, 3, height, width), (height // 2, width // 2)
        for number, one in enumerate(made):
            y, x = number // 2 * rows, number % 2 * columns
            sheet[:, :, y : y + rows, x : x + columns] = scales.reduced(one, (columns, rows))
        return sheet.clamp(-1, 1)

    def state(self) -> dict[str, Tensor]:
        """Networks, how far they have grown, optimisers; the same whatever the number of processes."""
        return saved({**self._networks(), **self._steps()}) | {
            "amplitudes": torch.tensor(self.amplitudes, dtype=torch.float64)
        }

    def _networks(self) -> dict[str, Part]:
        return {"generator": self.generator, "critic": self.critic}

    def _steps(self) -> dict[str, Part]:
        return {"generator_steps": self.generator_steps, "critic_steps": self.critic_steps}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go on from `state`, at the scale that it was in."""
        level = len(state["amplitudes"]) - 1
        if level < self.level:  # back to a good state of a scale before
            self._begin()
        self._grow_to(level)
        try:
            restore(self._networks(), state)
        except RuntimeError:
            text = "The earlier training does not fit these pictures or hyperparameters."
            raise TrainingError("wrong_task", text, "Train on the pictures again.") from None
        self.amplitudes = [float(v) for v in state["amplitudes"]]
        self._optimise()
        restore(self._steps(), state)

    def shrink(self) -> str:
        """Fewer pictures at a time."""
        if self.batch < 2 or self.team.size > 1:  # all processes must agree on the batch
            return ""
        self.batch //= 2
        return f"{self.batch} pictures at a time"

    def graphs(self) -> Sequence[ExportGraph]:
        """One picture: its generator. A folder: what looks at pictures, and generators that are given their weights."""
        self._grow_to(len(self.sizes) - 1)
        with torch.no_grad():
            if len(self.pictures) == 1:
                return export.of_one(self._scales(self.device.put(self.looked_at)), self.amplitudes, self.sizes)
        return export.of_many(self.generator, self.amplitudes, self.sizes, self.figures.side)

    def plan(self) -> ApplyPlan:
        """How pictures, or models, are made from the graphs."""
        f = self.figures
        if len(self.pictures) == 1:
            return export.plan_of_one(self.sizes, self.data.scale, self.data.region, f.network_picture)
        return export.plan_of_many(self.layout, self.sizes, f.side, f.network_picture)
