"""How the plug-ins are laid out: their files, and the engine's own `link` beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

import ud_plugins
from tests.installer.conftest import ROOT
from ud_hosts import HOSTS


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A project whose plug-ins are a few lines, with caches of a Python in between."""
    root = tmp_path / "pröject"
    for layout in HOSTS.values():
        package = root / layout.source / layout.package
        (package / "__pycache__").mkdir(parents=True)
        (package / "__pycache__" / "a.pyc").write_bytes(b"x")
        (package / "__init__.py").write_text("")
        for name in layout.files:
            (root / layout.source / name).write_text("#!/usr/bin/env python3\n")
    (root / ud_plugins.CLIENT).mkdir(parents=True)
    (root / ud_plugins.CLIENT / "engine.py").write_text("one\n")
    return root


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_gimp_gets_a_folder_named_as_its_program(tree: Path, tmp_path: Path) -> None:
    target = tmp_path / "profile" / "plug-ins"
    assert ud_plugins.lay_out("gimp", target, tree) == [target / "underdrawing-gimp"]
    assert files(target) == [
        "underdrawing-gimp/underdrawing-gimp.py",
        "underdrawing-gimp/underdrawing_gimp/__init__.py",
        "underdrawing-gimp/underdrawing_gimp/client/engine.py",
        "underdrawing-gimp/underdrawing_gimp/installed.json",
    ]
    assert (target / "underdrawing-gimp" / "underdrawing-gimp.py").stat().st_mode & 0o111


def test_krita_gets_a_package_and_a_desktop_file(tree: Path, tmp_path: Path) -> None:
    ud_plugins.lay_out("krita", tmp_path / "pykrita", tree)
    assert files(tmp_path / "pykrita") == [
        "underdrawing_krita.desktop",
        "underdrawing_krita/__init__.py",
        "underdrawing_krita/client/engine.py",
        "underdrawing_krita/installed.json",
    ]


@pytest.mark.parametrize("host", list(HOSTS))
def test_an_older_one_is_replaced_and_strangers_stay(host: str, tree: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    made = ud_plugins.lay_out(host, target, tree)
    package = next(target.rglob("client")).parent
    (package / "old.py").write_text("")
    (package / ud_plugins.OWN_ZMQ).mkdir()
    (package / ud_plugins.OWN_ZMQ / "zmq.py").write_text("fetched once")
    (target / "stranger.py").write_text("")
    (tree / ud_plugins.CLIENT / "engine.py").write_text("two\n")
    assert ud_plugins.lay_out(host, target, tree) == made
    assert not (package / "old.py").exists()
    assert (package / ud_plugins.OWN_ZMQ / "zmq.py").read_text() == "fetched once"
    assert (package / "client" / "engine.py").read_text() == "two\n"
    assert sorted(entry.name for entry in target.iterdir()) == sorted(["stranger.py", *(path.name for path in made)])


def test_what_fails_leaves_the_older_one(tree: Path, tmp_path: Path) -> None:
    ud_plugins.lay_out("gimp", tmp_path / "target", tree)
    before = files(tmp_path / "target")
    (tree / "plugin_gimp" / "underdrawing-gimp.py").unlink()
    with pytest.raises(OSError, match=r"underdrawing-gimp\.py"):
        ud_plugins.lay_out("gimp", tmp_path / "target", tree)
    assert files(tmp_path / "target") == before


def test_the_repository_has_one_client() -> None:
    assert (ROOT / ud_plugins.CLIENT / "engine.py").is_file()
    assert not list(ROOT.glob("plugin_*/**/client"))
