"""Semantic analogy: what changes nothing leaves the picture alone; patches keep to their class; runs go on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.utils import parametrize

from underdrawing.render.verify_export import compare
from underdrawing.store.manifest import Encoding, PlaneKind
from underdrawing.train import export
from underdrawing.train.data import Pair, TrainingData, make_pair
from underdrawing.train.device import Device
from underdrawing.train.method import Progress, TrainingError
from underdrawing.train.methods import find
from underdrawing.train.methods.consingan.networks import PictureStatistics
from underdrawing.train.methods.sia.augment import Relayout
from underdrawing.train.methods.sia.networks import Analogy, BlockDiscriminator, Classifier, baked
from underdrawing.train.methods.sia.patch_coherence import Coherence
from underdrawing.train.methods.sia.run import SIARun
from underdrawing.train.networks import parameters

CPU = Device("CPU", torch.device("cpu"), bfloat16=False)
SMALL = {"filters": 4, "discriminator_filters": 4, "classifier_filters": 4, "crop": 32, "gan_from": 0.0}
SIZE = (64, 80)
PALETTE = np.array([[200, 180, 150], [180, 40, 40], [40, 90, 140]], np.uint8)


def still_life() -> tuple[np.ndarray, np.ndarray]:
    """A picture (H, W, 3) float32 in [0, 1] of three textures, and its classes."""
    random = np.random.default_rng(3)
    y, x = np.mgrid[0 : SIZE[0], 0 : SIZE[1]]
    classes = np.zeros(SIZE, np.uint8)
    classes[(x - 26) ** 2 + (y - 30) ** 2 < 260] = 1
    classes[y > 50] = 2
    rgb = PALETTE[classes] / 255 + 0.05 * random.standard_normal((*SIZE, 1))
    return rgb.clip(0, 1).astype(np.float32), classes


@pytest.fixture(scope="module")
def pair() -> Pair:
    rgb, classes = still_life()
    return make_pair(rgb, {"segments": (PlaneKind.CLASSES, classes)}, PALETTE, 8)


def begin(pair: Pair, recipe: str = "quick", **options: object) -> SIARun:
    method = find("sia")
    chosen = method.recipes[recipe].with_options({**SMALL, **options})
    run = method.begin(TrainingData((pair,), 1.0, (0, 0, SIZE[1], SIZE[0]), {}), chosen, CPU, 0)
    assert isinstance(run, SIARun)
    return run


def conditions(run: SIARun, pair: Pair) -> torch.Tensor:
    return run.condition({name: plane.values for name, plane in pair.planes.items()})


def test_an_unchanged_layout_is_an_exact_identity_before_it_is_translated(pair: Pair) -> None:
    run = begin(pair)
    source = conditions(run, pair)
    seen: list[torch.Tensor] = []
    for block in (*run.generator.scale, *run.generator.shift):
        block.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    run.generator.parameters_of_change(source, source)
    assert len(seen) == 6
    assert all(torch.equal(x, torch.zeros_like(x)) for x in seen), "ratio 1 and difference 0 (section 3.4.2)"


def test_the_ratio_of_features_is_nowhere_infinite() -> None:
    torch.manual_seed(0)
    network = Analogy(2, 4, 2, epsilon=0.1)
    nothing = torch.zeros(1, 2, 16, 16)
    scales, shifts = network.parameters_of_change(nothing, torch.rand(1, 2, 16, 16) * 100)
    assert all(torch.isfinite(x).all() for x in (*scales, *shifts))


def test_without_spectral_norms_it_makes_the_same(pair: Pair) -> None:
    run = begin(pair)
    # In float64: float32's own rounding adds up to 2e-5 here, differently on every processor.
    generator, picture = run.generator.double().eval(), pair.picture.double()
    source = conditions(run, pair).double()
    with torch.no_grad():
        expected = generator(picture, source, source.flip(3))
        found = baked(generator)(picture, source, source.flip(3))
        assert not any("parametrizations" in name for name in baked(generator).state_dict())
        # Trainings continue.
        torch.testing.assert_close(generator(picture, source, source.flip(3)), expected)
    torch.testing.assert_close(found, expected)


def test_patches_of_the_source_are_coherent_with_it(pair: Pair) -> None:
    labels = pair.planes["segments"].values
    coherence = Coherence([pair.picture, pair.picture[..., ::2, ::2]], labels, (40, 20))
    rng = torch.Generator().manual_seed(1)
    own = coherence([pair.picture, pair.picture[..., ::2, ::2]], labels, rng)
    assert float(own) == pytest.approx(0, abs=1e-6)
    noise = torch.rand(pair.picture.shape) * 2 - 1
    assert float(coherence([noise, noise[..., ::2, ::2]], labels, rng)) > 0.05


def test_patches_look_within_their_class_alone(pair: Pair) -> None:
    """All of the made picture is the source's blue, and ought to be its red: only red may be compared with."""
    labels = pair.planes["segments"].values
    blue = pair.picture.mean((2, 3), keepdim=True) * 0 + torch.tensor([-0.7, -0.3, 0.1])[None, :, None, None]
    made = blue.expand_as(pair.picture)
    coherence = Coherence([pair.picture], labels, (30,))

    def apart(wanted: float) -> float:
        return float(coherence([made], torch.full_like(labels, wanted), torch.Generator().manual_seed(0)))

    assert apart(2.0) < 0.3 < apart(1.0)


def test_the_alignment_has_a_gradient_through_the_classifier(pair: Pair) -> None:
    classifier = Classifier(3, 4)
    classifier.requires_grad_(False)
    picture = pair.picture.clone().requires_grad_()
    torch.nn.functional.cross_entropy(classifier(picture), pair.planes["segments"].values[:, 0].long()).backward()
    assert picture.grad is not None
    assert picture.grad.abs().sum() > 0


def test_changes_of_layout_grow(pair: Pair) -> None:
    relayout = Relayout(pair, flip=1.0, resize=0.3, rotate=20.0, bend=0.1, points=3, crop=0, seed=0)
    still = relayout.draw(0, 0.0)
    torch.testing.assert_close(still.changed_picture, pair.picture, atol=1e-4, rtol=0)
    assert torch.equal(still.changed_planes["segments"], pair.planes["segments"].values)
    apart = [float((relayout.draw(0, g).changed_picture - pair.picture).abs().mean()) for g in (0.1, 1.0)]
    assert 0 < apart[0] < apart[1]
    again = relayout.draw(0, 1.0)
    assert torch.equal(again.changed_picture, relayout.draw(0, 1.0).changed_picture)
    assert set(again.changed_planes["segments"].unique().tolist()) <= {0.0, 1.0, 2.0}


@pytest.mark.parametrize("recipe", ["quick", "paper"])
def test_a_run_goes_on_where_it_was(pair: Pair, recipe: str) -> None:
    options = {"steps": 2} if recipe == "paper" else {}
    whole = begin(pair, recipe, **options)
    expected = [whole.step(Progress(n, n / 6)) for n in range(6)]
    first = begin(pair, recipe, **options)
    for n in range(4):
        first.step(Progress(n, n / 6))
    state = {key: value.clone() for key, value in first.state().items()}
    second = begin(pair, recipe, **options)
    second.load_state(state)
    for n in (4, 5):
        assert second.step(Progress(n, n / 6)) == pytest.approx(expected[n])


def test_training_lowers_the_loss(pair: Pair) -> None:
    run = begin(pair, reconstruct=1.0, gan=0.0, filters=8, rate=3e-3)
    losses = [run.step(Progress(n, n / 60))["pixel"] for n in range(60)]
    assert np.mean(losses[-10:]) < 0.7 * np.mean(losses[:5])


@pytest.mark.long
@pytest.mark.parametrize("kind", ["segments", "edges"])
def test_what_is_exported_is_what_was_trained(pair: Pair, kind: str, tmp_path: Path) -> None:
    if kind == "edges":
        rgb, classes = still_life()
        lines = np.where(np.diff(classes.astype(int), axis=1, prepend=0) != 0, 0, 255).astype(np.uint8)
        pair = make_pair(rgb, {"edges": (PlaneKind.LINES, lines)}, None, 8)
    run = begin(pair, halvings=1)
    for n in range(2):
        run.step(Progress(n, n / 2))
    graphs, plan = run.graphs(), run.plan()
    assert [entry.plane for entry in plan.graphs[0].inputs] == ["source:picture", f"source:{kind}", kind]
    assert plan.graphs[0].inputs[0].encoding is Encoding.COLOURS
    export.export(graphs, tmp_path)
    export.write_check(graphs, plan, tmp_path)
    assert compare(tmp_path, plan.graphs[0].file) < export.FLOAT32_BOUND


def test_paint_alone_is_refused(pair: Pair) -> None:
    only = Pair(pair.picture, {}, pair.inside)
    with pytest.raises(TrainingError, match="needs a layout"):
        begin(only)


def test_memory_that_runs_out_means_smaller_squares(pair: Pair) -> None:
    run = begin(pair, crop=0)
    assert run.shrink() == ""
    wide = begin(pair, crop=256)
    assert "128" in wide.shrink()
    wide.step(Progress(0, 0.0))


def test_the_published_networks_have_their_sizes() -> None:
    """4.0 million weights; the authors' 5.5 hold a last stage of the segmentation encoder, which nothing takes."""
    generator = Analogy(6, 32, 3, 0.1, early=True)
    assert parameters(generator) == 4_026_019
    assert parameters(generator) + parameters(generator.encoder.down[-1]) == pytest.approx(5.5e6, rel=0.03)
    assert parameters(BlockDiscriminator(32, 3)) == 1_773_121
    assert parameters(Classifier(6, 64)) == 234_374  # the authors': 0.2 million


def test_the_published_discriminator_has_both_norms_in_every_block() -> None:
    network = BlockDiscriminator(4, 3)
    assert len(network.encoder.down) == 3
    for block in network.encoder.down:
        first, second = (part.convolution for part in block)
        assert (first.kernel_size, first.stride) == ((3, 3), (1, 1))
        assert (second.kernel_size, second.stride) == ((4, 4), (2, 2))
        assert all(parametrize.is_parametrized(layer, "weight") for layer in (first, second))
        assert all(isinstance(part.norm, PictureStatistics) for part in block)
    ((*features, scores),) = network(torch.rand(1, 3, 64, 80))
    assert [f.shape[1] for f in features] == [4, 8, 16, 32]
    assert scores.shape == (1, 1, 8, 10)


def test_the_published_run_has_the_published_networks(pair: Pair) -> None:
    run = begin(pair, "paper", filters=8)
    assert isinstance(run.discriminator, BlockDiscriminator)
    assert run.classifier.last.in_channels == 4  # as asked for
    recipe = find("sia").recipes["paper"]
    assert recipe.iterations is not None
    assert recipe.figures.growth * recipe.iterations == 1000
    assert recipe.figures.perceptual_network == "vgg19"


def test_an_unknown_discriminator_is_refused(pair: Pair) -> None:
    with pytest.raises(TrainingError, match="no discriminator"):
        begin(pair, discriminator="other")


@pytest.mark.parametrize(("absolute", "apart"), [(True, 1 / 9), (False, 2 / 9)])
def test_the_nearest_patch_is_that_of_the_loss_own_distance(absolute: bool, apart: float) -> None:
    """Against nothing: nine halves of 0.22 are nearer by their squares, a single 1 by its size."""
    source = torch.full((1, 1, 3, 12), 10.0)
    source[..., :3] = 0.0
    source[..., 1, 1] = 1.0
    source[..., 8:11] = 2 / 9
    labels = torch.zeros(1, 1, 3, 12)
    found = Coherence([source], labels, (1,), absolute)([torch.zeros(1, 1, 3, 3)], labels[..., :3], torch.Generator())
    assert float(found) == pytest.approx(apart, abs=1e-5)


def test_changes_of_layout_crop(pair: Pair) -> None:
    """What is cut away makes the rest larger: the step from one pixel to the next becomes smaller than a pixel."""
    ramp = torch.linspace(-1, 1, SIZE[1]).expand(1, 3, *SIZE).contiguous()
    given = Pair(ramp, pair.planes, pair.inside)
    relayout = Relayout(given, flip=0.0, resize=0.0, rotate=0.0, bend=0.0, points=3, crop=0, seed=0, cut=0.2)
    spans = []
    for number in range(30):
        row = relayout.draw(number, 1.0).changed_picture[0, 0, SIZE[0] // 2]
        spans.append(float(row[-1] - row[0]) / 2)
    assert 0.78 < min(spans) < 0.85
    assert 0.95 < max(spans) <= 1.001
    still = relayout.draw(0, 0.0).changed_picture
    torch.testing.assert_close(still, ramp, atol=1e-4, rtol=0)
