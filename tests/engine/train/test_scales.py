"""Sizes, statistics, penalties and changed copies of single-image GANs: the papers' formulas."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from underdrawing.picture.resize import anchor, small_copy
from underdrawing.picture.seam_carving import carved
from underdrawing.train.methods.consingan import augment, scales
from underdrawing.train.methods.consingan.networks import (
    ChainedGenerator,
    Critic,
    GrowingGenerator,
    PictureStatistics,
    gradient_penalty,
    parameters,
)


def test_the_improved_sizes_are_the_papers() -> None:
    """Section 3 gives 25 x 34 … 188 x 250 for a picture of 250 x 188, here with the first stage at 25 pixels."""
    sizes = scales.improved((250, 188), 6, 25)
    assert sizes == [(33, 25), (42, 31), (55, 42), (83, 63), (167, 126), (250, 188)]


def test_the_geometric_sizes_are_the_papers() -> None:
    assert scales.geometric((250, 188), 3, 120) == [(160, 120), (200, 150), (250, 188)]


def test_each_half_is_half_of_the_next() -> None:
    assert scales.halves((200, 101), 3) == [(50, 25), (100, 50), (200, 101)]


def test_singan_has_as_many_stages_as_steps_of_three_quarters_need() -> None:
    count = scales.geometric_stages((250, 188), 25, 0.75)
    sizes = scales.geometric((250, 188), count, 25)
    assert count == 9
    assert sizes[0] == (33, 25)
    assert all(0.74 < a[1] / b[1] < 0.8 for a, b in itertools.pairwise(sizes))


@pytest.mark.parametrize("rescaling", [scales.improved, scales.geometric])
def test_small_pictures_have_fewer_stages(rescaling) -> None:
    sizes = rescaling((14, 13), 6, 25)
    assert sizes[-1] == (14, 13)
    assert len(set(sizes)) == len(sizes)
    assert all(min(size) >= scales.LEAST for size in sizes)


def test_training_and_rendering_make_the_same_small_copies() -> None:
    rgb = np.random.default_rng(0).random((41, 57, 3)).astype(np.float32)
    tensor = torch.from_numpy(rgb).permute(2, 0, 1)[None]
    ours = scales.reduced(tensor, (23, 17))[0].permute(1, 2, 0).numpy()
    assert np.abs(ours - small_copy(rgb, 23, 17)).max() < 1e-4
    assert small_copy(rgb, 57, 41) is rgb


def test_the_fixed_noise_is_always_the_same() -> None:
    assert np.array_equal(anchor(9, 7), anchor(9, 7))
    assert anchor(9, 7).shape == (1, 3, 7, 9)


def test_statistics_are_those_of_batch_norm_in_training() -> None:
    ours, theirs = PictureStatistics(5), nn.BatchNorm2d(5)
    theirs.weight.data = ours.gain.data.flatten().clone()
    theirs.bias.data = torch.linspace(-1, 1, 5)
    ours.shift.data = theirs.bias.data.reshape(1, 5, 1, 1).clone()
    x = 3 * torch.randn(1, 5, 11, 13) + 1
    assert torch.allclose(ours(x), theirs.train()(x), atol=1e-5)


def test_the_penalty_of_a_linear_critic_is_known() -> None:
    """A critic w · x has the gradient w everywhere, so the penalty is weight (|w| - 1)²."""
    critic = nn.Conv2d(3, 1, 1, bias=False)
    critic.weight.data = torch.tensor([2.0, 1.0, 2.0]).reshape(1, 3, 1, 1)
    real, made = torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8)
    penalty = gradient_penalty(critic, real, made, 0.1, torch.full((1, 1, 1, 1), 0.3))
    assert penalty.item() == pytest.approx(0.1 * (3 - 1) ** 2, rel=1e-5)
    penalty.backward()
    assert critic.weight.grad is not None
    assert critic.weight.grad.abs().sum() > 0


def test_the_networks_have_the_published_sizes() -> None:
    generator = GrowingGenerator(64, 3, False, 0.05)
    for _ in range(5):
        generator.grow()
    assert parameters([generator]) == 668_227
    assert parameters([Critic(64, 3, 0.05)]) == 113_153
    assert Critic(4, 3, 0.05)(torch.zeros(1, 3, 11, 11)).shape == (1, 1, 1, 1)


def test_a_new_stage_is_a_copy_of_the_last_one() -> None:
    generator = GrowingGenerator(4, 3, True, 0.3)
    generator.grow()
    first, second = generator.stages
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert next(first.parameters()) is not next(second.parameters())
    assert generator.amplitudes == [1.0, 0.0]


def test_singans_stages_grow_wider_every_four() -> None:
    generator = ChainedGenerator(4, 5, 0.2)
    for _ in range(4):
        generator.grow()
    widths = [stage[0][0].out_channels for stage in generator.stages]
    assert widths == [4, 4, 4, 4, 8]
    inputs = [torch.zeros(1, 3, 12 + 2 * k, 14 + 2 * k) for k in range(5)]
    assert generator(*inputs).shape == (1, 3, 20, 22)


def test_a_window_of_the_last_stage_is_that_part_of_the_whole() -> None:
    generator = GrowingGenerator(4, 2, False, 0.2)
    generator.grow()
    inputs = [torch.randn(1, 3, 20, 20), torch.randn(1, 4, 40, 40)]
    window = (slice(None), slice(None), slice(8, 32), slice(6, 30))
    whole, part = generator(*inputs), generator(*inputs, window=window)
    inner = (slice(None), slice(None), slice(3, -3), slice(3, -3))  # three layers' reach
    assert torch.allclose(part[inner], whole[window][inner], atol=1e-5)


def test_the_noise_is_a_part_of_the_error() -> None:
    made, wanted = torch.zeros(1, 3, 4, 4), torch.full((1, 3, 4, 4), 0.5)
    assert scales.amplitude(made, wanted, 0.1) == pytest.approx(0.05)


@pytest.mark.parametrize("name", augment.CHANGES)
def test_changed_copies_are_random_and_mark_what_is_known(name: str) -> None:
    picture = torch.rand(1, 3, 40, 50) * 2 - 1
    one, same, other = (augment.CHANGES[name](picture, torch.Generator().manual_seed(s), (20, 16)) for s in (1, 1, 2))
    assert torch.equal(one.picture, same.picture)
    assert not torch.equal(one.picture, other.picture)
    assert one.picture.shape == picture.shape
    assert float(one.picture.abs().max()) <= 1
    assert one.known.shape == (1, 1, 40, 50)
    assert set(one.known.unique().tolist()) <= {0.0, 1.0}


def test_holes_and_tiles_are_where_nobody_knows() -> None:
    picture = torch.rand(1, 3, 60, 80) * 2 - 1
    for seed in range(6):
        copy = augment.holed(picture, torch.Generator().manual_seed(seed), (80, 60))
        same = (copy.picture == picture).all(1, keepdim=True)
        assert torch.equal(same, copy.known > 0)
    shares = [
        float(1 - augment.tiled(picture, torch.Generator().manual_seed(s), (20, 16)).known.mean()) for s in range(20)
    ]
    assert min(shares) > 0.01
    assert max(shares) < 0.6


def test_colours_change_in_a_quarter_of_the_copies() -> None:
    picture = torch.rand(1, 3, 20, 24) * 2 - 1
    changed = [
        not torch.equal(augment.coloured(picture, torch.Generator().manual_seed(seed)), picture) for seed in range(400)
    ]
    assert 0.18 < np.mean(changed) < 0.28


def test_holes_are_as_large_as_the_first_stage_sees_them() -> None:
    """15 to 60 pixels of the first stage's 160, so more of the picture's 250."""
    picture, sides = torch.rand(1, 3, 188, 250) * 2 - 1, []
    for seed in range(40):
        known = augment.holed(picture, torch.Generator().manual_seed(seed), (160, 120)).known[0, 0]
        rows = (known == 0).any(1).nonzero().flatten()
        sides += [len(rows)] if len(rows) else []
    assert min(sides) >= 15 * 250 / 160 - 1
    assert max(sides) > 60 * 250 / 160 * 0.8
    assert len(sides) < 40  # one in ten has none


def test_carving_keeps_things_in_their_shape() -> None:
    """A square between plain ground stays as wide as it was, narrower and wider."""
    rgb = np.full((20, 40, 3), 0.5, np.float32)
    rgb += np.random.default_rng(0).normal(0, 0.001, rgb.shape).astype(np.float32)
    rgb[6:14, 16:24] = np.random.default_rng(1).integers(0, 2, (8, 8, 3))
    for width in (28, 60):
        made = carved(rgb, width, 20)
        assert made.shape == (20, width, 3)
        row = made[10, :, 0]
        assert (np.abs(row - 0.5) > 0.3).sum() == 8
    assert carved(rgb, 40, 30).shape == (30, 40, 3)
    stretched = cv2.resize(rgb, (60, 20))
    assert (np.abs(stretched[10, :, 0] - 0.5) > 0.3).sum() > 8
