"""Recipes: every figure has a source, options are checked, the papers' ablations run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
import torch

from underdrawing.render.verify_export import compare
from underdrawing.train import export
from underdrawing.train.data import Pair, TrainingData
from underdrawing.train.method import Method, Progress, Run, TrainingError, describe
from underdrawing.train.methods import everything, find

from .conftest import CPU

RECIPES = [(m, r) for m in everything().values() for r in m.recipes.values()]


@pytest.mark.parametrize(("method", "recipe"), RECIPES, ids=lambda v: v.name)
def test_every_figure_has_a_source(method: Method, recipe) -> None:
    length = set() if recipe.iterations is None else {"iterations"}
    assert set(recipe.sources) == {f.name for f in fields(recipe.figures)} | length
    assert all(len(source) > 5 for source in recipe.sources.values())
    assert (recipe.iterations is None) != (recipe.budget is None)


def test_the_papers_figures() -> None:
    figures = find("deepsim").recipes["paper"].figures
    assert (figures.grid, figures.shift, figures.rate, figures.batch) == (3, 0.1, 2e-4, 1)
    assert (figures.feature_matching, figures.perceptual, figures.perceptual_network) == (10, 10, "vgg19")
    assert find("deepsim").recipes["paper"].iterations == 16_000
    assert find("deepsim").recipes["paper-2020"].figures.grid == 4
    assert not find("deepsim").recipes["baseline"].figures.warp


def test_options_are_read_as_their_own_type() -> None:
    recipe = find("deepsim").recipes["quick"].with_options({"gan": "0", "warp": "no", "crop": "96"})
    assert (recipe.figures.gan, recipe.figures.warp, recipe.figures.crop) == (0.0, False, 96)
    assert recipe.sources["gan"] == "asked for by the user"


@pytest.mark.parametrize(("options", "code"), [({"colour": 1}, "unknown_option"), ({"crop": "wide"}, "bad_option")])
def test_wrong_options_are_refused_with_a_hint(options: dict[str, object], code: str) -> None:
    with pytest.raises(TrainingError) as caught:
        find("deepsim").recipes["quick"].with_options(options)
    assert caught.value.code == code
    assert caught.value.hint


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(TrainingError, match="no method called 'magic'"):
        find("magic")


def test_methods_describe_themselves_as_data() -> None:
    assert [name for name, method in everything().items() if describe(method)["many"]] == ["meta"]
    described = describe(find("deepsim"))
    assert {p["name"] for p in described["planes"]} == {"segments", "edges", "paint"}
    assert described["default_recipe"] == "quick"


@pytest.mark.parametrize(
    "options",
    [
        {"warp": False, "crop": 48},
        {"gan": 0.0},
        {"perceptual": 0.0},
        {"gan": 0.0, "perceptual": 0.0, "pixel": 10.0},
        {"generator": "global", "one_hot": False, "places": 0.0},
        {"gan_from": 0.0, "discriminator_scales": 2, "batch": 2, "cutmix": 1.0, "grid": 4},
    ],
)
def test_ablations_take_steps(begin: Callable[..., Run], options: dict[str, object]) -> None:
    run = begin(**options)
    first, second = (run.step(Progress(k, 0.7)) for k in range(2))
    assert first.keys() == second.keys()
    assert ("adversarial" in first) == (options.get("gan", 1.0) != 0)
    assert all(torch.isfinite(torch.tensor(v)) for v in second.values())


def test_without_weights_it_says_what_that_costs(begin: Callable[..., Run]) -> None:
    assert "without the perceptual loss" in begin().notes[0]
    assert "weights fetch" in begin().notes[0]


def test_no_plane_is_an_error(pair: Pair) -> None:
    empty = TrainingData((Pair(pair.picture, {}, pair.inside),), 1.0, (0, 0, 8, 8), {})
    with pytest.raises(TrainingError, match="needs a primitive"):
        find("deepsim").begin(empty, find("deepsim").recipes["quick"], CPU, 0)


@pytest.mark.long
@pytest.mark.parametrize(
    "options", [{}, {"generator": "global", "one_hot": False, "places": 0.0}], ids=["skip", "global"]
)
def test_the_export_is_what_was_trained(begin: Callable[..., Run], tmp_path: Path, options: dict[str, object]) -> None:
    run = begin(**options)
    run.step(Progress(0, 0.0))
    graphs, plan = run.graphs(), run.plan()
    export.export(graphs, tmp_path)
    export.write_check(graphs, plan, tmp_path)
    assert len(export.check_sizes(graphs[0], plan)) >= 3
    assert compare(tmp_path, "generator.onnx") < 1e-4
    halves = export.export_half(graphs, plan, tmp_path)
    assert compare(tmp_path, halves[0].file) < export.FLOAT16_BOUND
    assert halves[0].precision == "float16"
    # A comparison that cannot fail would be none: another network's answers must differ.
    other = begin(seed=1, **options)
    export.write_check(other.graphs(), plan, tmp_path)
    assert compare(tmp_path, "generator.onnx") > 1e-2
