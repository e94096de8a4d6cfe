"""Published values, with paper and section: docs/published.csv, the recipes and docs/methods.md agree."""

from __future__ import annotations

from dataclasses import fields

import pytest

from bench.methods_page import DOCS, page, rows, shown, tables, whole
from underdrawing.train.method import Recipe
from underdrawing.train.methods import everything

KNOWN = rows()
SHOWN_AS_MADE = "network_picture"
RECIPES = [(name, recipe) for name, method in everything().items() for recipe in method.recipes.values()]
PUBLISHED = [(name, r) for name, r in RECIPES if r.name.startswith("paper") or r.name in ("singan", "baseline")]


@pytest.mark.parametrize(("method", "recipe"), PUBLISHED, ids=[f"{n} {r.name}" for n, r in PUBLISHED])
def test_published_recipes_have_the_published_values(method: str, recipe: Recipe) -> None:
    expected = whole(recipe.name, [row for row in KNOWN if row.method == method])
    values = {"iterations": recipe.iterations}
    values |= {field.name: getattr(recipe.figures, field.name) for field in fields(recipe.figures)}
    assert {name: shown(value) for name, value in values.items()} == {name: r.value for name, r in expected.items()}


@pytest.mark.parametrize(("method", "recipe"), PUBLISHED, ids=[f"{n} {r.name}" for n, r in PUBLISHED])
def test_recipes_name_the_paper_and_the_section(method: str, recipe: Recipe) -> None:
    for row in KNOWN:
        if (row.method, row.recipe) == (method, recipe.name) and row.hyperparameter != "as":
            source = recipe.sources[row.hyperparameter]
            assert row.paper in source, row
            assert row.place in source, row


def test_the_file_knows_every_published_recipe_and_no_other() -> None:
    assert {(row.method, row.recipe) for row in KNOWN} == {(name, recipe.name) for name, recipe in PUBLISHED}


def test_published_recipes_and_no_others_show_the_networks_own_picture() -> None:
    for name, recipe in RECIPES:
        if hasattr(recipe.figures, SHOWN_AS_MADE):
            assert recipe.figures.network_picture == ((name, recipe) in PUBLISHED), recipe.name


def test_the_page_has_the_tables() -> None:
    text = (DOCS / "methods.md").read_text(encoding="utf-8")
    assert page(text) == text, "write it anew with: python -m bench methods"
    for method, table in tables(KNOWN).items():
        assert f"<!-- published: {method} -->\n{table}" in text
