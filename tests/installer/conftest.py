"""For the installer's tests: its modules, and a small package to install in place of gigabytes."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INSTALLER = ROOT / "installer"
sys.path.insert(0, str(INSTALLER))


def make_wheel(folder: Path, name: str, version: str, source: str) -> str:
    """Write a real wheel of one module; returns its line for a lock file."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record.append(f"{path},sha256={digest},{len(text.encode())}")
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,"]) + "\n"
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as out:
        for path, text in files.items():
            out.writestr(path, text)
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


def fill(template: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """An environment as `python -m venv` makes it, by copying one: that takes a fraction of the time."""
    shutil.copytree(template, folder, symlinks=True, dirs_exist_ok=True)
    return subprocess.CompletedProcess([], 0, "", "")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One environment that was really made, by the installer's own hand."""
    from ud_env import Environment
    from ud_report import Reporter

    folder = tmp_path_factory.mktemp("template") / "v 環境"
    folder.mkdir()
    done = Environment(folder, Reporter())._venv(sys.executable)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """An empty folder for wheels, with a space and non-ASCII letters in its path."""
    folder = tmp_path / "wheel 家"
    folder.mkdir()
    return folder
