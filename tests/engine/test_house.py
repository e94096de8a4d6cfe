"""The house stands as planned: rooms import what they may, names are unique, files can be read in one sitting."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[2]


def test_rooms_import_only_what_the_contracts_allow() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


@pytest.mark.parametrize("host", ["gimp", "krita"])
def test_a_plug_in_passes_the_type_checker(host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Laid out as its host gets it, with its copy of the client."""
    monkeypatch.syspath_prepend(ROOT / "installer")
    ud_plugins = importlib.import_module("ud_plugins")
    ud_plugins.lay_out(host, tmp_path, ROOT)
    place = tmp_path / ud_plugins.HOSTS[host].folder
    words = ["-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(tmp_path / "cache")]
    command = [sys.executable, *words, "-p", ud_plugins.HOSTS[host].package]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_two_classes_of_the_engine_share_a_name() -> None:
    names: Counter[str] = Counter()
    for path in (ROOT / "engine").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names.update(node.name for node in tree.body if isinstance(node, ast.ClassDef))
    assert {name for name, count in names.items() if count > 1} == set()
