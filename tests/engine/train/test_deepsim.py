"""DeepSIM as published: lines, joined planes, limits of warps, order of steps, features, rates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from underdrawing.render.verify_export import compare
from underdrawing.store.manifest import Encoding, PlaneKind
from underdrawing.train import export
from underdrawing.train import perceptual as features
from underdrawing.train import tps as warps
from underdrawing.train.data import Augmentation, Pair, Sampler, TrainingData, make_pair
from underdrawing.train.method import Progress, TrainingError
from underdrawing.train.methods import find
from underdrawing.train.methods.deepsim.run import DeepSIMRun, condition
from underdrawing.train.perceptual import Features, perceptual

from .conftest import CPU, PALETTE

TINY = {"filters": 4, "halvings": 2, "blocks": 1, "discriminator_filters": 4, "discriminator_scales": 1}
Begin = Callable[..., DeepSIMRun]


@pytest.fixture
def published(pair: Pair) -> Begin:
    """Begins a small run of a published recipe."""

    def start(recipe: str = "paper", scale: float = 1.0, given: Pair = pair, **options: Any) -> DeepSIMRun:
        method = find("deepsim")
        training = TrainingData((given,), scale, (0, 0, 108, 76), {})
        run = method.begin(training, method.recipes[recipe].with_options({**TINY, **options}), CPU, 0)
        assert isinstance(run, DeepSIMRun)
        return run

    return start


def grid_of_lines() -> Pair:
    """Lines of one pixel, 8 pixels apart, on 96 x 96 pixels."""
    lines = np.full((96, 96), 255, np.uint8)
    lines[4::8], lines[:, 4::8] = 0, 0
    picture = np.repeat(lines[..., None], 3, 2).astype(np.float32) / 255
    return make_pair(picture, {"edges": (PlaneKind.LINES, lines)}, None, 16)


@pytest.mark.parametrize("recipe", ["paper", "quick"])
def test_lines_are_black_and_white_after_a_warp(published: Begin, recipe: str) -> None:
    run = published(recipe, given=grid_of_lines(), crop=0)
    drawn = torch.cat([run.sampler.draw(k, 1)[0]["edges"] for k in range(6)])
    assert set(drawn.unique().tolist()) == {-1.0, 1.0}
    own = float((run.pair.planes["edges"].values < 0).float().mean())
    assert float((drawn < 0).float().mean()) == pytest.approx(own, rel=0.3)


def test_soft_lines_stay_soft_where_the_recipe_does_not_want_them_binary(published: Begin) -> None:
    soft = np.tile(np.linspace(0, 255, 96).astype(np.uint8), (96, 1))
    given = make_pair(np.zeros((96, 96, 3), np.float32), {"edges": (PlaneKind.LINES, soft)}, None, 16)
    assert len(published("quick", given=given, crop=0).sampler.draw(0, 1)[0]["edges"].unique()) > 50
    assert len(published("paper", given=given).sampler.draw(0, 1)[0]["edges"].unique()) == 2


def test_lines_of_a_reduced_picture_are_not_lost(published: Begin) -> None:
    """A line of one pixel, reduced to 0.4, is a grey pixel: 0.4 of a line."""
    lines = np.full((96, 96), 255, np.uint8)
    lines[:, 40] = round(255 * 0.6)
    given = make_pair(np.zeros((96, 96, 3), np.float32), {"edges": (PlaneKind.LINES, lines)}, None, 16)
    planes, _ = published(given=given, scale=0.4).sampler.whole()
    assert (planes["edges"][..., 40] == -1).all()
    assert (planes["edges"][..., :40] == 1).all()


def test_both_planes_go_in_as_one_picture_with_black_lines(published: Begin) -> None:
    run, separate = published(), published("quick")
    assert run.channels == 3
    assert separate.channels == len(PALETTE) + 1
    planes, _ = run.sampler.whole()
    given = run._condition(planes)
    line = planes["edges"] < 0
    assert (given.masked_select(line) == -1).all()
    assert torch.equal(given.masked_select(~line), planes["segments"].masked_select(~line))
    with pytest.raises(TrainingError, match="colours"):
        published(one_hot=True)


@pytest.mark.parametrize("recipe", ["paper", pytest.param("quick", marks=pytest.mark.long)])
def test_the_export_draws_the_lines_in_as_training_does(published: Begin, tmp_path: Path, recipe: str) -> None:
    run = published(recipe, crop=0)
    run.step(Progress(0, 0.9))
    graphs, plan = run.graphs(), run.plan()
    assert [i.name for i in plan.graphs[0].inputs] == ["segments", "edges"]
    export.export(graphs, tmp_path)
    export.write_check(graphs, plan, tmp_path)
    assert compare(tmp_path, "generator.onnx") < 1e-4
    planes, _ = run.sampler.whole()
    made = graphs[0].module(*planes.values())
    assert (made - run.sample()).abs().max() < 1e-4


def test_soft_strokes_of_a_brush_count_as_lines_or_not(published: Begin) -> None:
    module = published().graphs()[0].module
    segments, edges = torch.zeros(1, 3, 80, 112), torch.ones(1, 1, 80, 112)
    edges[..., 30:50, 40:60] = -1
    soft = torch.where(edges < 0, -0.2, 0.6)
    assert torch.equal(module(segments, edges), module(segments, soft))


def shifts(recipe: str, published: Begin) -> torch.Tensor:
    """How far control points move, in units of the shorter side, of many draws: (n, 2)."""
    wide = make_pair(
        np.zeros((64, 128, 3), np.float32), {"edges": (PlaneKind.LINES, np.zeros((64, 128), np.uint8))}, None, 16
    )
    run, seen = published(recipe, given=wide), []
    original = warps.solve
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            warps, "solve", lambda points, moved, smoothing: (seen.append(moved), original(points, moved, smoothing))[1]
        )
        for number in range(60):
            run.sampler.draw(number, 1)
    return torch.cat(seen).reshape(-1, 2).abs()


def test_shifts_have_the_limits_of_each_version(published: Begin) -> None:
    later, earlier = shifts("paper", published).amax(0), shifts("paper-2020", published).amax(0)
    assert later.tolist() == pytest.approx([0.1, 0.1], abs=0.005)
    assert earlier.tolist() == pytest.approx([0.2, 0.1], abs=0.01)  # a tenth of 128 and of 64 pixels


def test_the_comparison_crops_half_of_the_longer_side(published: Begin) -> None:
    square = make_pair(
        np.zeros((128, 128, 3), np.float32), {"edges": (PlaneKind.LINES, np.zeros((128, 128), np.uint8))}, None, 16
    )
    run = published("baseline", given=square)
    assert run.sampler.draw(0, 1)[1].shape == (1, 3, 64, 64)
    assert float(shifts("baseline", published).max()) == 0


def test_linear_maps_are_an_option(pair: Pair) -> None:
    def picture(affine: float) -> torch.Tensor:
        how = Augmentation(False, 3, 0.0, 0.0, 1.0, 0.0, 0.0, 0, affine=affine)
        return Sampler(pair, how, {"segments": Encoding.ONE_HOT, "edges": Encoding.SIGNED}, 0).draw(0, 1)[1]

    torch.testing.assert_close(picture(0.0), pair.picture, atol=1e-4, rtol=0)
    assert (picture(0.2) - pair.picture).abs().mean() > 0.05


def test_outlines_of_other_sigmas_are_an_option(published: Begin) -> None:
    run = published(canny_sigmas="0.5,3", warped=0.0, flip=0.0)
    amounts = {round(float((run.sampler.draw(k, 1)[0]["edges"] < 0).float().mean()), 4) for k in range(12)}
    assert len(amounts) == 2
    assert max(amounts) > 1.5 * min(amounts)


def test_the_generator_moves_before_the_discriminator_does(published: Begin) -> None:
    """What the discriminator learns in a step is no part of that step of the generator."""
    both, alone = published(rate=0.01), published(rate=0.01)
    alone.discriminator_steps.step = lambda *_: None  # type: ignore[assignment,method-assign]
    for run in (both, alone):
        run.step(Progress(0, 0.0))
    for a, b in zip(both.generator.parameters(), alone.generator.parameters(), strict=True):
        assert torch.equal(a, b)
    for run in (both, alone):
        run.step(Progress(1, 0.0))
    pairs = zip(both.generator.parameters(), alone.generator.parameters(), strict=True)
    assert not all(torch.equal(a, b) for a, b in pairs)


class Undecided(nn.Module):
    """A discriminator that gives every picture the score 0.25."""

    def __init__(self) -> None:
        super().__init__()
        self.score = nn.Parameter(torch.tensor(0.25))

    def forward(self, x: torch.Tensor) -> list[list[torch.Tensor]]:
        return [[x, 0 * x[:, :1] + self.score]]


def test_the_generator_wants_its_pictures_called_real_and_the_discriminator_not(published: Begin) -> None:
    run = published()
    run.discriminator = Undecided()
    losses = run.step(Progress(0, 0.0))
    assert losses["adversarial"] == pytest.approx(run.figures.gan * 0.75**2)
    assert losses["discriminator"] == pytest.approx(0.5 * (0.25**2 + 0.75**2))


def test_rates_are_constant_for_half_of_the_training_and_fall_to_nothing(published: Begin) -> None:
    run = published()
    for fraction, rate in ((0.0, 2e-4), (0.5, 2e-4), (0.75, 1e-4), (1.0, 0.0)):
        run.step(Progress(0, fraction))
        found = [group["lr"] for group in (*run.generator_steps.param_groups, *run.discriminator_steps.param_groups)]
        assert found == pytest.approx([rate, rate])


def test_vgg_is_given_what_pix2pixhd_gives_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = tuple(entry if entry == "M" else 2 for entry in features.LAYOUTS["vgg19"])
    monkeypatch.setitem(features.LAYOUTS, "vgg19", layout)
    weights: dict[str, torch.Tensor] = {}
    channels, index = 3, 0
    for entry in layout:
        if entry != "M":
            layer = nn.Conv2d(channels, 2, 3)
            weights |= {f"features.{index}.weight": layer.weight.data, f"features.{index}.bias": layer.bias.data}  # type: ignore[union-attr]
            channels, index = 2, index + 1
        index += 1
    save_file(weights, tmp_path / "vgg19.safetensors")
    picture = torch.rand(1, 3, 32, 32) * 2 - 1
    expected = torch.relu(
        nn.functional.conv2d(picture, weights["features.0.weight"], weights["features.0.bias"], padding=1)
    )
    plain, normalised = (Features("vgg19", tmp_path / "vgg19.safetensors", 5, n)(picture) for n in (False, True))
    assert len(plain) == 5
    torch.testing.assert_close(plain[0], expected)
    assert not torch.allclose(normalised[0], expected)
    recipes = find("deepsim").recipes
    assert [recipes[n].figures.perceptual_normalised for n in ("paper", "paper-2020", "baseline", "quick")] == [
        False,
        False,
        False,
        True,
    ]


def test_the_perceptual_loss_weighs_layers_as_pix2pixhd_does() -> None:
    ours = [torch.zeros(1, 2, 4, 4) for _ in range(5)]
    for number, weight in enumerate((1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)):
        truth = [torch.full_like(part, float(k == number)) for k, part in enumerate(ours)]
        assert perceptual(ours, truth).item() == pytest.approx(weight)


def test_a_black_line_hides_what_is_below_it() -> None:
    segments = torch.tensor([0.5, -0.25, 1.0]).reshape(1, 3, 1, 1).repeat(1, 1, 1, 2)
    edges = torch.tensor([-1.0, 1.0]).reshape(1, 1, 1, 2)
    made = condition({"segments": segments, "edges": edges}, joined=True)
    assert made[0, :, 0, 0].tolist() == [-1.0, -1.0, -1.0]
    assert made[0, :, 0, 1].tolist() == [0.5, -0.25, 1.0]
