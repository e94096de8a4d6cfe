"""The house stands as planned: rooms import what they may, names are unique, files can be read in one sitting."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[2]
CODE = ("engine", "installer", "plugin_gimp", "plugin_krita", "tests")


def test_rooms_import_only_what_the_contracts_allow() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_no_file_is_longer_than_350_lines() -> None:
    files = [path for folder in CODE for path in (ROOT / folder).rglob("*.py")]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert len(lengths) > 400
    assert {name: count for name, count in lengths.items() if count > 350} == {}


def test_no_two_classes_of_the_engine_share_a_name() -> None:
    names: Counter[str] = Counter()
    for path in (ROOT / "engine").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names.update(node.name for node in tree.body if isinstance(node, ast.ClassDef))
    assert {name for name, count in names.items() if count > 1} == set()
