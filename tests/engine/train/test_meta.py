"""Networks that write weights: each picture its own, scales that grow and freeze, traps refused, exports exact."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.engine.train.meta_runs import CPU, SMALL, Begin, begin, exact, picture, train, training
from underdrawing.train.data import TrainingData, make_pair
from underdrawing.train.method import Progress, TrainingError
from underdrawing.train.methods import find
from underdrawing.train.methods.consingan.scales import stepped
from underdrawing.train.methods.meta.dataset import others
from underdrawing.train.methods.meta.hyperparameters import iterations_of_a_scale, sizes_like_trained, sizes_of
from underdrawing.train.methods.meta.networks import (
    BLOCKS,
    SLOPE,
    Activation,
    Backbone,
    Basic,
    HyperNetwork,
    Layout,
    per_picture,
    run_scale,
)
from underdrawing.train.methods.meta.run import HyperRun

__all__ = ["begin", "exact"]  # fixtures


def test_the_published_sizes() -> None:
    figures = find("meta").recipes["paper-meta"].figures
    layout = Layout(figures.filters, figures.layers, 3, Activation.TANH)
    assert len(layout.sizes) == 10
    assert sum(layout.sizes) == 114_307
    network = HyperNetwork(figures.width, figures.embedding, layout)
    heads = sum(p.numel() for p in network.scales[0].parameters())
    assert heads == pytest.approx(58.6e6, rel=1e-3)
    # ResNet-34: 33 convolutions in blocks and stem; its classifier is not counted.
    assert 2 * sum(BLOCKS) + 1 == 33
    body = sum(p.numel() for p in network.backbone.parameters()) - 512 * 513
    assert body == pytest.approx(21.28e6, rel=2e-3)
    recipes = find("meta").recipes
    rates = {n: (recipes[n].figures.rate, recipes[n].figures.critic_rate) for n in recipes if n.startswith("paper")}
    assert rates == {
        "paper-meta": (5e-5, 5e-5),
        "paper-meta-batch": (1e-5, 1e-5),
        "paper-meta-single": (1e-5, 5e-4),
    }


def test_groups_convolve_each_picture_with_its_own_weights() -> None:
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(3, 5, 9, 7, generator=rng)
    weights, biases = torch.randn(3, 4, 5, 3, 3, generator=rng), torch.randn(3, 4, generator=rng)
    together = per_picture(x, weights, biases, 1)
    alone = torch.cat([F.conv2d(x[k : k + 1], weights[k], biases[k], padding=1) for k in range(3)])
    assert torch.allclose(together, alone, atol=1e-5)
    assert per_picture(x[:1], weights[:1], biases[:1], 0).shape == (1, 4, 7, 5)


@pytest.mark.parametrize("filters", [8, 64])
def test_written_weights_keep_the_strength_of_what_comes_in(filters: int) -> None:
    """The scaling at run time makes numbers of about 1 a sensible network, whatever its width."""
    layout = Layout(filters, 3, 1, Activation.NONE)
    rng = torch.Generator().manual_seed(1)
    assert layout.gains[0] == pytest.approx((2 / (1 + SLOPE**2) / 27) ** 0.5)
    assert layout.gains[-2:] == pytest.approx((1 / (9 * filters) ** 0.5,) * 2)
    assert Layout(filters, 3, 3, Activation.TANH).gains[-2] == pytest.approx(5 / 3 / (9 * filters) ** 0.5)
    x = torch.randn(1, 3, 24, 24, generator=rng)
    network = HyperNetwork(4, 8, layout)
    with torch.no_grad():
        layers = network.weights(torch.randn(1, 8, generator=rng))
        assert 0.2 < float(run_scale(x, layers, Activation.NONE, 0).std()) < 5


def test_a_picture_is_seen_alike_in_any_company() -> None:
    backbone = Backbone(8, 16)
    x = torch.rand(3, 3, 32, 32) * 2 - 1
    assert torch.allclose(backbone(x)[1:2], backbone(x[1:2]), atol=1e-5)
    assert not torch.allclose(backbone(x)[:1], backbone(x)[1:2], atol=1e-3)


def test_scales_begin_as_copies_and_lower_heads_are_frozen(begin: Begin) -> None:
    run = begin()
    train(run, 0, 2, 6)
    run.enter(1)
    first, second = run.generator.scales
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert [p.requires_grad for p in first.parameters()] == [False] * len(list(first.parameters()))
    before = [p.clone() for p in run.generator.parameters()]
    run.step(Progress(2, 0.35))
    after = list(run.generator.parameters())
    names = [name for name, _ in run.generator.named_parameters()]
    moved = {n for n, a, b in zip(names, before, after, strict=True) if not torch.equal(a, b)}
    assert not any(name.startswith("scales.0") for name in moved)
    assert {name.split(".")[0] for name in moved} == {"backbone", "scales"}
    assert len(run.critic.scales) == 1  # its heads go on from scale to scale


def test_noise_follows_the_error_of_every_step(begin: Begin) -> None:
    run = begin()
    losses = train(run, 0, 4, 6)
    assert run.level == 1
    left = losses[-1]["reconstruction"] / run.figures.reconstruction
    assert run.amplitudes == [1.0, pytest.approx(left**0.5)]
    train(run, 4, 6, 6)
    assert run.amplitudes[1] == pytest.approx(left**0.5)  # of a scale that is done it stays


def test_rates_fall_and_gradients_are_short(begin: Begin) -> None:
    run = begin(1, "paper-meta-single", clip=0.01)
    run.step(Progress(0, 0.0))
    assert run.generator_steps.param_groups[0]["lr"] == 1e-5
    length = torch.stack([p.grad.norm() for p in run.training]).norm()
    assert float(length) == pytest.approx(0.01, rel=1e-3)
    run.step(Progress(1, 0.3))
    assert run.generator_steps.param_groups[0]["lr"] == pytest.approx(1e-6)
    assert run.critic_steps.param_groups[0]["lr"] == pytest.approx(5e-5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"critic": "plain"}, "One critic for several pictures"),
        ({"backbones": "one"}, "one backbone for both sides"),
        ({"critic": "none"}, "no critic called"),
        ({"backbones": "three"}, "no backbones"),
    ],
)
def test_traps_of_the_theory_are_refused(begin: Begin, options: dict[str, Any], said: str) -> None:
    with pytest.raises(TrainingError, match=said) as caught:
        begin(3, **options)
    assert caught.value.code == "bad_option"
    assert "Use " in caught.value.hint


def test_one_picture_may_have_a_plain_critic(begin: Begin) -> None:
    run = begin(1, "meta-single")
    assert not isinstance(run.critic, HyperNetwork)
    assert set(run.step(Progress(0, 0.0))) == {"critic", "adversarial", "reconstruction"}
    with pytest.raises(TrainingError, match="at a time"):
        tiny = make_pair(picture(0)[:10], {}, None, 1, minimum=8)
        method = find("meta")
        method.begin(TrainingData((tiny,), 1.0, (0, 0, 40, 10), {}), method.recipes["meta"], CPU, 0)


def test_a_training_that_was_interrupted_goes_on_as_if_it_was_not(begin: Begin) -> None:
    whole = begin()
    expected = train(whole, 0, 6, 6)
    first = begin()
    train(first, 0, 3, 6)
    state = {key: value.clone() for key, value in first.state().items()}
    second = begin()
    second.load_state(state)
    for found, wanted in zip(train(second, 3, 6, 6), expected[3:], strict=True):
        assert found == pytest.approx(wanted, rel=1e-4)
    assert torch.allclose(second.sample(), whole.sample(), atol=1e-5)
    # Back to a good state of a scale before.
    second.load_state(state)
    assert second.level == 1
    with pytest.raises(TrainingError) as caught:
        begin(filters=6).load_state(state)
    assert caught.value.code == "wrong_task"


def test_shortcuts_are_those_of_resnet_without_strided_1x1_convolutions() -> None:
    """oneDNN damages the heap in the weight gradient of those, where channels are few and last in memory."""
    layers = [module for module in Backbone(4, 8).modules() if isinstance(module, nn.Conv2d)]
    assert {layer.stride for layer in layers if layer.kernel_size == (1, 1)} == {(1, 1)}
    block, x = Basic(4, 8, 2), torch.rand(2, 4, 9, 8, generator=torch.Generator().manual_seed(0))
    convolution, norm = block.around
    seen: list[torch.Tensor] = []
    norm.register_forward_hook(lambda _, inputs, made: seen.append(inputs[0]))
    assert block(x).shape == (2, 8, 5, 4)
    torch.testing.assert_close(seen[0], F.conv2d(x, convolution.weight, stride=2))


def test_training_fits_each_picture(begin: Begin) -> None:
    run = begin(2, rate=2e-3, stages=1, batch=0, filters=8, penalty=0.0, critic_rate=0.0)
    losses = train(run, 0, 80, 80)
    assert losses[-1]["reconstruction"] < 0.5 * losses[0]["reconstruction"]
    first, second = ((run.real[k] - run._shown(k)).abs().mean() for k in range(2))
    crossed = (run.real[0] - run._shown(1)).abs().mean()
    assert max(float(first), float(second)) < 0.8 * float(crossed)


def test_colour_changes_are_the_same_for_the_picture_and_the_backbone_input() -> None:
    pictures = torch.cat([torch.from_numpy(picture(k)).permute(2, 0, 1)[None] * 2 - 1 for k in range(3)])
    trained, looked_at = others(pictures, pictures, 1.0, torch.Generator().manual_seed(2))
    assert torch.equal(trained, looked_at)
    assert trained.shape == pictures.shape
    assert float(trained.abs().max()) <= 1
    assert float((trained - pictures).abs().mean((1, 2, 3)).min()) > 0.02
    plain, _ = others(pictures, pictures, 0.0, torch.Generator().manual_seed(2))
    assert all(torch.equal(a, b) or torch.equal(a, b.flip(2)) for a, b in zip(plain, pictures, strict=True))
    run = HyperRun(training(3), find("meta").recipes["meta"].with_options({**SMALL, "others": 0.5}).figures, CPU, 0)
    assert run.step(Progress(0, 0.0))["reconstruction"] > 0


def test_less_memory_means_fewer_pictures_at_a_time(begin: Begin) -> None:
    run = begin()
    assert run.shrink() == "1 pictures at a time"
    assert run.shrink() == ""
    train(run, 0, 1, 6)


@pytest.mark.parametrize(
    ("smallest", "sides"),
    [
        (25, [25, 42, 69, 116, 193, 250]),  # a single picture
        (27, [27, 45, 75, 125, 208, 250]),  # a single mini-batch
        (28, [28, 47, 78, 130, 216, 250]),  # 50 pictures
    ],
)
def test_scales_follow_the_supplements_factor(smallest: int, sides: list[int]) -> None:
    sizes = stepped((250, 188), smallest, 0.6)
    assert [size[0] for size in sizes] == sides
    assert all(size[1] == pytest.approx(size[0] * 188 / 250, abs=0.9) for size in sizes)


def test_seven_scales_are_an_option() -> None:
    recipe = find("meta").recipes["paper-meta-single"].with_options({"stages": 7})
    assert [size[0] for size in sizes_of(recipe.figures, (250, 188))] == [25, 37, 54, 79, 116, 171, 250]


def test_a_smaller_picture_has_as_many_scales_as_those_that_were_trained_on() -> None:
    figures = find("meta").recipes["paper-meta"].figures
    assert [size[0] for size in sizes_like_trained(figures, (125, 94))] == [14, 24, 39, 65, 108, 125]
    assert sizes_like_trained(figures, (250, 188)) == sizes_of(figures, (250, 188))


def test_a_scale_takes_as_many_iterations_as_the_supplement_gives(begin: Begin) -> None:
    published = {1: 2_000, 16: 2_000, 50: 4_000, 250: 20_000, 500: 30_000, 2_500: 100_000, 5_000: 150_000}
    assert {count: iterations_of_a_scale(count) for count in published} == published
    assert begin(3, "paper-meta").length == 3 * 2_000
    assert begin(3, "paper-meta", each=5_000).length == 3 * 5_000
    assert begin(1, "paper-meta-single").length == 3 * 2_000


def test_published_rates_fall_to_a_tenth_at_the_end_of_every_scale(begin: Begin) -> None:
    run = begin(1, "paper-meta-single", **{"batch": 0})
    for fraction, part in ((0.1, 1.0), (0.3, 0.1)):
        run.step(Progress(0, fraction))
        assert run.generator_steps.param_groups[0]["lr"] == pytest.approx(1e-5 * part)
        assert run.critic_steps.param_groups[0]["lr"] == pytest.approx(5e-4 * part)
