"""The archives as Krita imports and GIMP runs them, and the wheel, from which the plug-ins are laid out alone."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import ud_package
import ud_plugins
from tests.hosts import debian
from tests.installer.conftest import ROOT
from ud_env import Environment
from ud_hosts import HOSTS
from ud_report import Reporter

IMPORTER = Path("usr/share/krita/pykrita/plugin_importer/plugin_importer.py")


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_kritas_own_importer_takes_the_archive(tmp_path: Path) -> None:
    archive = ud_package.archive("krita", tmp_path)
    names = zipfile.ZipFile(archive).namelist()
    assert "underdrawing_krita.desktop" in names
    assert "underdrawing_krita/" in names
    # This machine's Krita, or the one in the folder with Debian 13 for the tests.
    found = [root / IMPORTER for root in (Path("/"), debian.place()) if (root / IMPORTER).is_file()]
    if not found:
        pytest.skip("Krita's own importer is not on this machine; the names in the archive were checked")
    resources = tmp_path / "resources 資源"
    resources.mkdir()
    importer = runpy.run_path(str(found[0]))["PluginImporter"](str(archive), str(resources), lambda plugin: True)
    assert [plugin["name"] for plugin in importer.import_all()] == ["underdrawing_krita"]
    ud_plugins.lay_out("krita", tmp_path / "laid out")
    assert files(resources / "pykrita") == files(tmp_path / "laid out")


def test_gimps_archive_is_unpacked_with_its_programs_right(tmp_path: Path) -> None:
    archive = ud_package.archive("gimp", tmp_path)
    assert archive.read_bytes() == ud_package.archive("gimp", tmp_path).read_bytes(), "made twice, it is the same"
    command = [sys.executable, "-m", "zipfile", "-e", str(archive), str(tmp_path / "plug-ins")]
    subprocess.run(command, check=True)
    ud_plugins.lay_out("gimp", tmp_path / "laid out")
    assert files(tmp_path / "plug-ins") == files(tmp_path / "laid out")
    entry = zipfile.ZipFile(archive).getinfo("underdrawing-gimp/underdrawing-gimp.py")
    assert entry.external_attr >> 16 & 0o111, "whoever unpacks it can run it"


def test_the_wheel_alone_lays_out_the_same_plugins(tmp_path: Path, template: Path) -> None:
    wheel = ud_package.wheel(Environment(Path(sys.prefix), Reporter()), tmp_path)
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    python = str(bare / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python"))
    pip = [str(template / "bin" / "python"), "-m", "pip", "--python", python, "install", "--no-deps", "--no-index"]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    script = (
        "import sys\nfrom pathlib import Path\nfrom underdrawing.commands import plugins\n"
        "sys.exit(plugins.put(sys.argv[1], Path(sys.argv[2])))"
    )
    for host in HOSTS:
        place, here = tmp_path / "from wheel" / host, tmp_path / "from here" / host
        command = [python, "-I", "-c", script, host, str(place)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "Installed: " in done.stdout
        ud_plugins.lay_out(host, here)
        assert files(place) == files(here)
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.endswith("data/share/man/man1/underdrawing.1") for name in names)
    carried = [name for name in names if "_carried" in name]
    assert not any("__pycache__" in name for name in carried)
    assert {name.split("/")[2] for name in carried} == {"installer", "plugin_gimp", "plugin_krita"}
    locks = sorted(path.name for path in (ROOT / "installer" / "locks").iterdir())
    assert sorted(name.rsplit("/", 1)[1] for name in carried if "/locks/" in name) == locks


def test_the_engines_own_command_puts_the_same_plugin(tmp_path: Path, home: Path) -> None:
    from underdrawing import weights

    if weights.missing():
        pytest.skip("the command fetches the weights, and they are not here")
    words = ["install", "krita", "--to", str(tmp_path / "pykrita")]
    done = subprocess.run(
        [sys.executable, "-m", "underdrawing", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT / "engine")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ud_plugins.lay_out("krita", tmp_path / "laid out")
    assert files(tmp_path / "pykrita") == files(tmp_path / "laid out")
    assert (home / "install.json").is_file()


def test_the_engines_own_report_can_be_shown(tmp_path: Path, home: Path) -> None:
    from underdrawing.client.messages import EngineError
    from underdrawing.commands import plugins

    (home / "logs").mkdir(parents=True)
    (home / "logs" / "engine.log").write_text("engine 0.1.0 listens\n")
    plugins.write_report(tmp_path / "report.txt", [f"Python ({Path.home()}/.venv/bin/python)", f"models in {home}"])
    shown = (tmp_path / "report.txt").read_text(encoding="utf-8")
    assert "(~/.venv/bin/python)" in shown
    assert "models in HOME" in shown
    assert "engine 0.1.0 listens" in shown
    with pytest.raises(EngineError, match="cannot be written"):
        plugins.write_report(tmp_path / "none" / "report.txt", [])
