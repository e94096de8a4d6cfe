"""The tables of docs/methods.md that say which value of a published recipe stands where: from docs/published.csv.

The file lists what the papers say; a test compares every recipe with it, and the page with what is written here.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
LIKE = "as"  # the hyperparameter of a row that names another recipe, from which only the following rows differ
BLOCK = re.compile(r"(<!-- published: (\w+) -->\n).*?(<!-- end -->\n)", re.DOTALL)


@dataclass(frozen=True)
class Row:
    """One value of a published recipe.

    Attributes:
        value: as `shown` writes it.
        paper: or program, as the recipe's source begins.
        place: section or equation, and what is to be said about it.
    """

    method: str
    recipe: str
    hyperparameter: str
    value: str
    paper: str
    place: str


def rows() -> list[Row]:
    """All values, in the order of the file."""
    with (DOCS / "published.csv").open(encoding="utf-8", newline="") as file:
        return [Row(**row) for row in csv.DictReader(file)]


def whole(recipe: str, known: list[Row]) -> dict[str, Row]:
    """Every value of a recipe by hyperparameter, those that it shares with another one included."""
    own = [row for row in known if row.recipe == recipe]
    found: dict[str, Row] = {}
    for row in own:
        found |= whole(row.value, known) if row.hyperparameter == LIKE else {row.hyperparameter: row}
    return found


def shown(value: object) -> str:
    """A value as the file has it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return " ".join(shown(part) for part in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def tables(known: list[Row]) -> Mapping[str, str]:
    """The Markdown of each method: one table a recipe."""
    found: dict[str, str] = {}
    for method in dict.fromkeys(row.method for row in known):
        own = [row for row in known if row.method == method]
        parts = [
            _table(name, [row for row in own if row.recipe == name]) for name in dict.fromkeys(r.recipe for r in own)
        ]
        found[method] = "\n".join(parts)
    return found


def _table(recipe: str, own: list[Row]) -> str:
    like = [row.value for row in own if row.hyperparameter == LIKE]
    head = f"`{recipe}`" + (f", else as `{like[0]}`" if like else "")
    lines = [f"\n{head}:\n", "| hyperparameter | value | source |", "|---|---|---|"]
    for row in own:
        if row.hyperparameter != LIKE:
            source = ", ".join(part for part in (row.paper, row.place) if part)
            lines.append(f"| `{row.hyperparameter}` | {row.value or 'none'} | {source} |")
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    """The page with its tables written anew."""
    made = tables(rows())
    return BLOCK.sub(lambda found: found[1] + made[found[2]] + "\n" + found[3], text)


def write() -> Path:
    """Write docs/methods.md anew."""
    path = DOCS / "methods.md"
    path.write_text(page(path.read_text(encoding="utf-8")), encoding="utf-8")
    return path
