"""Networks: the papers' sizes, shapes that come back, and edits that stay local."""

import pytest
import torch

from underdrawing.train import losses
from underdrawing.train.networks import (
    GlobalGenerator,
    MultiScaleDiscriminator,
    PatchDiscriminator,
    SkipGenerator,
    parameters,
)
from underdrawing.train.norms import FreezableInstanceNorm, freeze, watched


def test_the_generator_of_the_paper_has_its_size() -> None:
    with torch.device("meta"):
        assert parameters(GlobalGenerator(3, 64, 4, 9)) == 182_443_267
        assert parameters(MultiScaleDiscriminator(6, 64, 3, 2)) == 5_535_618
        assert parameters(GlobalGenerator(3, 32, 3, 6)) == pytest.approx(7.9e6, rel=0.02)


@pytest.mark.parametrize("size", [(64, 64), (80, 112)])
@pytest.mark.parametrize("kind", ["global", "skip"])
def test_sizes_come_back(kind: str, size: tuple[int, int]) -> None:
    network = GlobalGenerator(4, 4, 4, 1) if kind == "global" else SkipGenerator(4, (4, 8, 8, 8, 8), 1)
    made = network(torch.randn(2, 4, *size))
    assert made.shape == (2, 3, *size)
    assert made.abs().max() <= 1


def local_change(network: GlobalGenerator | SkipGenerator, frozen: bool) -> torch.Tensor:
    """What a 40-pixel edit changes, (H, W)."""
    generator = torch.Generator().manual_seed(0)
    before = torch.randn(1, 4, 256, 256, generator=generator)
    after = before.clone()
    after[..., 100:140, 100:140] = torch.randn(1, 4, 40, 40, generator=generator)
    if frozen:
        with watched(network):
            network(before)
        freeze(network)
    return (network(after) - network(before)).abs().amax((0, 1)).detach()


@torch.no_grad()
def test_an_edit_changes_nothing_beyond_the_halo() -> None:
    torch.manual_seed(0)
    for network, frozen in ((SkipGenerator(4, (8, 16, 16), 1), False), (GlobalGenerator(4, 8, 2, 1), True)):
        change = local_change(network.eval(), frozen)
        assert network.halo < 90
        outside = change.clone()
        outside[100 - network.halo : 140 + network.halo, 100 - network.halo : 140 + network.halo] = 0
        assert change[100:140, 100:140].mean() > 1e-3
        assert outside.max() == 0


@torch.no_grad()
def test_unfrozen_instance_norm_would_change_far_away_colours() -> None:
    torch.manual_seed(0)
    assert local_change(GlobalGenerator(4, 8, 2, 1).eval(), frozen=False)[:20, :20].max() > 1e-3


@torch.no_grad()
def test_frozen_statistics_leave_the_own_picture_as_it_was() -> None:
    torch.manual_seed(0)
    network, x = GlobalGenerator(4, 8, 2, 1).eval(), torch.randn(1, 4, 64, 64)
    before = network(x)
    with watched(network):
        network(x)
    freeze(network)
    assert (network(x) - before).abs().max() < 1e-5


def test_instance_norm_is_torchs() -> None:
    x = torch.randn(2, 5, 9, 7)
    assert torch.allclose(FreezableInstanceNorm(5)(x), torch.nn.InstanceNorm2d(5)(x), atol=1e-5)


def test_least_squares_knows_right_from_wrong() -> None:
    sure = [[torch.zeros(1, 3, 4, 4), torch.ones(1, 1, 4, 4)]] * 2
    assert losses.least_squares(sure, True) == 0
    assert losses.least_squares(sure, False) == 2


def test_feature_matching_does_not_count_the_scores() -> None:
    features = [[torch.randn(1, 3, 4, 4), torch.ones(1, 1, 4, 4)]]
    other = [[features[0][0], torch.zeros(1, 1, 4, 4)]]
    assert losses.feature_matching(other, features) == 0
    shifted = [[features[0][0] + 1, torch.zeros(1, 1, 4, 4)]]
    assert losses.feature_matching(shifted, features) == pytest.approx(4.0, abs=1e-5)


def test_a_score_of_the_published_discriminator_sees_70_pixels() -> None:
    """PatchGAN with three layers: 4 x 4 convolutions of stride 2, 2, 2, 1, 1 (pix2pix, section 3.2.2)."""
    network = PatchDiscriminator(3, 4, 3)
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.ones_(module.weight)
    x = torch.zeros(1, 3, 256, 256, requires_grad=True)
    for module in network.modules():
        if isinstance(module, FreezableInstanceNorm):
            module.frozen = True  # statistics would look at the whole picture
    scores = network(x)[-1]
    scores[0, 0, 16, 16].backward()
    assert x.grad is not None
    seen = x.grad[0].abs().sum(0).nonzero()
    assert (seen.amax(0) - seen.amin(0) + 1).tolist() == [70, 70]
