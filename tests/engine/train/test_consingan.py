"""Training of single-image GANs: stages that grow, freeze and are resumed; what is exported is what was trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from skimage import data

from underdrawing.picture.files import write_picture
from underdrawing.picture.image import Picture
from underdrawing.render.generate import GenerateOptions, freely
from underdrawing.render.model import Model
from underdrawing.render.onnx_sessions import SessionStore
from underdrawing.render.verify_export import compare
from underdrawing.store.manifest import FIXED_NOISE, Encoding, Manifest, PictureInfo, Procedure, Task
from underdrawing.train import export
from underdrawing.train.data import TrainingData, make_pair
from underdrawing.train.device import Device
from underdrawing.train.method import Progress, TrainingError
from underdrawing.train.methods import find
from underdrawing.train.methods.consingan.run import PyramidRun

CPU = Device("CPU", torch.device("cpu"), bfloat16=False)
SMALL = {"filters": 6, "smallest": 16, "stages": 3, "crop": 32}
SIZE = (56, 40)
Begin = Callable[..., PyramidRun]


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return cv2.resize(data.coffee(), SIZE, interpolation=cv2.INTER_AREA).astype(np.float32) / 255


@pytest.fixture
def begin(picture: np.ndarray) -> Begin:
    def start(recipe: str = "vary", seed: int = 0, further: dict[str, Any] | None = None, **options: Any) -> PyramidRun:
        method = find("consingan")
        chosen = method.recipes[recipe].with_options({**SMALL, **options})
        pair = make_pair(picture, {}, None, 1, minimum=12)
        training = TrainingData((pair,), 1.0, (0, 0, *SIZE), {}, **(further or {}))
        run = method.begin(training, chosen, CPU, seed)
        assert isinstance(run, PyramidRun)
        return run

    return start


def train(run: PyramidRun, first: int, last: int, total: int) -> list[dict[str, float]]:
    """Steps from `first` to before `last` of `total`, entering stages as the loop does."""
    losses = []
    for number in range(first, last):
        fraction, done, stage = number / total, 0.0, 0
        for k, part in enumerate(run.stages):
            if fraction >= done - 1e-9:
                stage = k
            done += part.share
        run.enter(stage)
        losses.append(run.step(Progress(number, fraction)))
    return losses


def test_it_grows_stage_by_stage(begin: Begin) -> None:
    run = begin(balance=0.0)
    assert [stage.share for stage in run.stages] == [pytest.approx(1 / 3)] * 3
    train(run, 0, 9, 9)
    assert run.level == 2
    assert run.sizes[-1] == SIZE
    assert run.generator.amplitudes[0] == 1.0
    assert all(0 < value < 1 for value in run.generator.amplitudes[1:])
    assert run.sample().shape == (1, 3, SIZE[1], SIZE[0])


def test_only_the_last_stages_train_and_lower_ones_more_slowly(begin: Begin) -> None:
    run = begin("paper-vary", stages=5, smallest=12, concurrent=2)
    run.enter(3)
    before = [[p.clone() for p in part] for part in run.generator.parts()]
    run.step(Progress(0, 0.65))
    moved = [
        max(float((a - b).detach().abs().max()) for a, b in zip(old, new, strict=True))
        for old, new in zip(before, run.generator.parts(), strict=True)
    ]
    assert moved[0] == moved[1] == 0
    assert 0 < moved[2] < 0.3 * moved[3]
    # Adam's first step is the rate itself; three steps with one gradient are about three times that.
    assert moved[3] == pytest.approx(3 * 5e-4, rel=0.2)
    assert [group["lr"] for group in run.generator_steps.param_groups] == pytest.approx([5e-4, 5e-5])


def test_rates_fall_at_the_end_of_every_stage(begin: Begin) -> None:
    run = begin("paper-vary")
    run.enter(1)
    share = run.stages[0].share
    for part, rate in ((0.5, 5e-4), (0.85, 5e-5)):
        run.step(Progress(0, share + part * share))
        assert run.critic_steps.param_groups[0]["lr"] == pytest.approx(rate)
    run.calm()
    run.step(Progress(1, share))
    assert run.critic_steps.param_groups[0]["lr"] == pytest.approx(2.5e-4)


@pytest.mark.parametrize("recipe", ["vary", "harmonize", "singan"])
def test_a_training_that_was_interrupted_goes_on_as_if_it_was_not(begin: Begin, recipe: str) -> None:
    options = {"average": 0.5} if recipe != "singan" else {"smallest": 20, "stages": 0}
    whole = begin(recipe, **options)
    expected = train(whole, 0, 9, 9)
    first = begin(recipe, **options)
    train(first, 0, 7, 9)
    state = {key: value.clone() for key, value in first.state().items()}
    second = begin(recipe, **options)
    second.load_state(state)
    for found, wanted in zip(train(second, 7, 9, 9), expected[7:], strict=True):
        assert found == pytest.approx(wanted)
    assert torch.equal(second.sample(), whole.sample())


def test_a_good_state_of_an_earlier_stage_can_be_gone_back_to(begin: Begin) -> None:
    run = begin(average=0.5)
    train(run, 0, 2, 9)
    state = {key: value.clone() for key, value in run.state().items()}
    train(run, 2, 9, 9)
    run.load_state(state)
    assert run.level == len(state["amplitudes"]) - 1
    train(run, 2, 9, 9)
    assert run.level == 2


def test_training_fits_the_picture(begin: Begin, picture: np.ndarray) -> None:
    run = begin("harmonize", filters=12, crop=0)
    before = run.sample()
    losses = train(run, 0, 45, 45)
    # Each stage begins with an error of its own; within the first it falls to a fraction.
    assert losses[13]["reconstruction"] < 0.5 * losses[0]["reconstruction"]
    near, far = (np.abs(s[0].permute(1, 2, 0).numpy() / 2 + 0.5 - picture).mean() for s in (run.sample(), before))
    assert near < 0.5 * far


@pytest.mark.parametrize(
    ("recipe", "options"),
    [
        ("vary", {}),
        pytest.param("harmonize", {"normalised": True}, marks=pytest.mark.long),
        pytest.param("singan", {"stages": 0, "smallest": 20}, marks=pytest.mark.long),
    ],
)
def test_the_export_is_what_was_trained_at_every_size(
    begin: Begin, tmp_path: Path, recipe: str, options: dict[str, Any]
) -> None:
    run = begin(recipe, **options)
    train(run, 0, 4, 4)
    graphs, plan = run.graphs(), run.plan()
    export.export(graphs, tmp_path)
    export.write_check(graphs, plan, tmp_path)
    assert len(export.check_sizes(graphs[0], plan)) >= 3
    assert compare(tmp_path, "generator.onnx") < 1e-4


def test_a_training_that_ends_early_is_grown_to_the_end(begin: Begin) -> None:
    run = begin()
    train(run, 0, 1, 9)
    (graph,) = run.graphs()
    assert [tuple(value.shape[2:]) for value in graph.inputs.values()] == [(h, w) for w, h in run.sizes]


def test_the_plan_says_what_can_be_made(begin: Begin) -> None:
    plan = begin("harmonize").plan()
    assert plan.procedure is Procedure.GENERATE
    assert Task.HARMONIZE in plan.tasks
    assert plan.graphs[0].inputs[0].encoding is Encoding.PICTURE
    assert plan.graphs[0].inputs[-1].size == SIZE
    assert begin("singan", stages=0).plan().graphs[0].inputs[0].encoding is Encoding.NOISE


def test_every_recipe_has_tasks_and_takes_a_step(begin: Begin) -> None:
    for name in find("consingan").recipes:
        run = begin(name)
        assert run.tasks
        run.enter(len(run.stages) - 1)
        assert all(np.isfinite(value) for value in run.step(Progress(0, 0.99)).values()), name


def test_fine_tuning_moves_the_last_stage_alone(begin: Begin, picture: np.ndarray) -> None:
    run = begin("harmonize")
    train(run, 0, 6, 6)
    state = run.state()
    composite = torch.from_numpy(picture).permute(2, 0, 1)[None] * 2 - 1
    composite[:, :, 10:20, 10:20] = 1.0
    mask = torch.zeros(1, 1, SIZE[1], SIZE[0])
    mask[:, :, 10:20, 10:20] = 1.0
    more = begin("harmonize", further={"base": state, "composite": composite, "mask": mask})
    assert [stage.name for stage in more.stages] == ["fine-tuning"]
    before = [[p.clone() for p in part] for part in more.generator.parts()]
    more.enter(0)
    for number in range(3):
        more.step(Progress(number, number / 3))
    moved = [
        any(not torch.equal(a, b) for a, b in zip(old, new, strict=True))
        for old, new in zip(before, more.generator.parts(), strict=True)
    ]
    assert moved == [False, False, True]
    with pytest.raises(TrainingError, match="does not fit"):
        begin("harmonize", filters=8, further={"base": state, "composite": composite, "mask": mask})


@pytest.mark.parametrize("option", [{"generator": "other"}, {"lesson": "none"}, {"rescaling": "best"}])
def test_unknown_words_among_the_figures_are_refused(begin: Begin, option: dict[str, str]) -> None:
    with pytest.raises(TrainingError) as caught:
        begin(**option)
    assert caught.value.code == "bad_option"
    assert caught.value.hint


def test_a_picture_that_is_too_small_is_refused() -> None:
    method = find("consingan")
    pair = make_pair(np.zeros((9, 40, 3), np.float32), {}, None, 1, minimum=1)
    with pytest.raises(TrainingError) as caught:
        method.begin(TrainingData((pair,), 1.0, (0, 0, 40, 9), {}), method.recipes["vary"], CPU, 0)
    assert caught.value.code == "too_small"


def test_less_memory_means_smaller_pieces(begin: Begin) -> None:
    run = begin("harmonize", crop=0, smallest=20)
    run.picture = torch.nn.functional.interpolate(run.picture, size=(200, 240))
    assert run.shrink() == "pieces of 120 x 120 pixels"
    assert run.shrink() == "pieces of 60 x 60 pixels"
    assert run.shrink() == ""


def test_published_networks_begin_as_published(begin: Begin) -> None:
    """N(0, 0.02) where there is no norm, too; the short recipes begin with more."""
    for recipe, least, most in (("paper-vary", 0.015, 0.025), ("vary", 0.1, 1.0)):
        run = begin(recipe, filters=64)
        for network in (run.generator, run.critic):
            first = next(network.parameters()).detach()
            assert least < float(first.std()) < most, recipe


def test_the_picture_itself_has_a_fixed_noise_at_every_stage(begin: Begin) -> None:
    run = begin("paper-vary")
    run.enter(2)
    _, *later = run._inputs(run.picture, None)
    assert all(0.9 < float(noise.std()) < 1.1 for noise in later)
    assert not torch.equal(later[0][..., :8, :8], later[1][..., :8, :8])
    assert all(torch.equal(a, b) for a, b in zip(later, run._inputs(run.picture, None)[1:], strict=True))
    assert {entry.plane for entry in run.plan().graphs[0].inputs[1:]} == {FIXED_NOISE}
    for recipe in ("vary", "singan"):
        other = begin(recipe, stages=3 if recipe == "vary" else 0)
        other.enter(1)
        assert not other._inputs(other.picture, None)[1].any()
        assert {entry.plane for entry in other.plan().graphs[0].inputs[1:]} == {"noise"}


def test_rendering_without_freedom_makes_what_training_makes_of_the_picture(begin: Begin, tmp_path: Path) -> None:
    """The renderer draws the same fixed noise as the training."""
    run = begin("paper-animate", smallest=14)
    train(run, 0, 6, 6)
    graphs, plan = run.graphs(), run.plan()
    export.export(graphs, tmp_path)
    sample = run.sample()[0].permute(1, 2, 0).numpy() / 2 + 0.5
    write_picture(tmp_path / "picture.png", Picture((sample * 0 + 128).astype(np.uint8)))
    info = PictureInfo(*SIZE, *SIZE, "u8", 3, "0" * 64, "picture.png")
    manifest = Manifest("0123456789ab", "cup", "2026-01-01T00:00:00+00:00", "consingan", "own", (), plan, info)
    (tmp_path / "manifest.json").write_text(manifest.to_json(), encoding="utf-8")
    (one,) = freely(Model(tmp_path), GenerateOptions(Task.VARY, count=1, freedom=0.0), SessionStore())
    assert np.abs(one.picture.pixels / 255 - sample).max() < 0.01


def test_published_animation_begins_with_noise(begin: Begin) -> None:
    run = begin("paper-animate")
    assert run.plan().graphs[0].inputs[0].encoding is Encoding.NOISE
    assert begin("paper-vary").plan().graphs[0].inputs[0].encoding is Encoding.PICTURE


def test_published_blending_has_the_sizes_of_equation_3() -> None:
    figures = find("consingan").recipes["paper-blend"].figures
    assert (figures.rescaling, figures.smallest, figures.stages, figures.slope) == ("improved", 25, 6, 0.05)


def test_published_fine_tuning_trains_the_last_three_stages(begin: Begin, picture: np.ndarray) -> None:
    few = {"smallest": 12, "stages": 5}
    run = begin("paper-harmonize", **few)
    train(run, 0, 5, 5)
    composite = torch.from_numpy(picture).permute(2, 0, 1)[None] * 2 - 1
    mask = torch.ones(1, 1, SIZE[1], SIZE[0])
    more = begin("paper-harmonize", further={"base": run.state(), "composite": composite, "mask": mask}, **few)
    before = [[p.clone() for p in part] for part in more.generator.parts()]
    more.enter(0)
    more.step(Progress(0, 0.0))
    moved = [
        any(not torch.equal(a, b) for a, b in zip(old, new, strict=True))
        for old, new in zip(before, more.generator.parts(), strict=True)
    ]
    assert moved == [False, False, True, True, True]
    assert [group["lr"] for group in more.generator_steps.param_groups] == pytest.approx([5e-4, 5e-5, 5e-6])


def test_lengths_count_the_stages_that_there_are(begin: Begin) -> None:
    assert begin("paper-vary").length == 3 * 2_000
    assert begin("paper-harmonize").length == 3 * 1_000
    assert begin("singan", stages=0).length == 2_000 * len(begin("singan", stages=0).sizes)
    assert begin("vary").length is None
