"""The README and docs/: every relative link leads somewhere, and every source or test file they name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
MODULE = re.compile(r"`([a-z_/]+\.py)`")
SOURCE = re.compile(r"(?<![\w./-])((?:engine|tests|installer|plugin_\w+)/[\w./-]+\.(?:py|toml|json|sh))(?!\w)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_relative_links_exist(document: Path) -> None:
    links = [link for link in LINK.findall(document.read_text("utf-8")) if not re.match(r"[a-z]+:", link)]
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_modules_named_without_a_folder_exist(document: Path) -> None:
    folders = [ROOT / name for name in ("engine", "installer", "plugin_gimp", "plugin_krita", "tests")]
    there = {path.name for folder in folders for path in folder.rglob("*.py")}
    names = [Path(name).name for name in MODULE.findall(document.read_text("utf-8"))]
    assert [name for name in names if name not in there] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_named_source_files_exist(document: Path) -> None:
    assert [name for name in SOURCE.findall(document.read_text("utf-8")) if not (ROOT / name).exists()] == []


def test_the_patterns_find_links_and_files() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    assert "meta.md" in LINK.findall(text)
    assert "engine/underdrawing/train/export.py" in SOURCE.findall(text)
