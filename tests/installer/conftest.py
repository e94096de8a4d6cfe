"""For the installer's tests: its modules, and a small package to install in place of gigabytes."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
    for path in (folder / "bin").iterdir():
        if path.is_file() and not path.is_symlink():
            path.write_bytes(path.read_bytes().replace(str(template).encode(), str(folder).encode()))
    return subprocess.CompletedProcess([], 0, "", "")


def shrink(root: Path, put: Callable[[Any, str, Any], None], template: Path) -> None:
    """Let the installer's modules work on a copy of Underdrawing in small: a few tiny wheels, no network.

    put: `setattr`, or a monkeypatch's.
    """
    import ud_env

    put(ud_env, "LOCKS", root / "installer" / "locks")
    put(ud_env, "ROOT", root)
    put(ud_env, "_MODULES", ("cpu_part",))
    put(ud_env, "_ROUND", "import cpu_part; cpu_part.answer()")
    data = {
        "python": {"least": [3, 11], "most": [3, 14]},
        "torch": {"cpu": {"other": {"lock": "torch.txt"}}},
        "disk_megabytes": {"cpu": 30},
    }
    put(ud_env, "sources", lambda: data)
    # pip's editable installation of the real project needs the build tools: here the project is a wheel, too.
    real = ud_env.Environment._step

    def step(self: Any, name: str, label: str, work: Any, *lock: str) -> None:
        real(self, name, label, (lambda: None) if name == "underdrawing" else work, *lock)

    put(ud_env.Environment, "_step", step)
    put(ud_env.Environment, "_venv", lambda self, python: fill(template, self.folder))


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


class Small:
    """A copy of Underdrawing in small: lock files of tiny wheels, an editable project, no network."""

    def __init__(self, folder: Path, wheels: Path, template: Path, put: Callable[[Any, str, Any], None]) -> None:
        self.folder, self.wheels, self.template = folder, wheels, template
        self.root = folder / "copy of 写本"
        (self.root / "installer" / "locks").mkdir(parents=True)
        (self.root / "pyproject.toml").write_text("[project]\nname = 'small'\n")
        self.lock("tools", "torch", "cpu", "test")
        shrink(self.root, put, template)

    def lock(self, *names: str, version: str = "1.0", answer: str = "pass") -> None:
        """Write wheels and lock files of these steps. answer: what the package does when its engine is asked."""
        for name in names:
            module = "torch" if name == "torch" else f"{name}_part"
            source = f"import sys\nversion = {version!r}\ndef answer():\n    {answer}\n"
            source = "class version:\n    cuda = None\n" if name == "torch" else source
            line = make_wheel(self.wheels, module, version, source)
            (self.root / "installer" / "locks" / f"{name}.txt").write_text(line)

    def environment(self) -> Any:
        from ud_env import Environment
        from ud_pip import Where
        from ud_report import Reporter

        return Environment(self.root / ".venv", Reporter(), Where(offline=self.wheels))


@pytest.fixture
def small(tmp_path: Path, wheels: Path, template: Path, monkeypatch: pytest.MonkeyPatch) -> Small:
    return Small(tmp_path, wheels, template, monkeypatch.setattr)


def imported(folder: Path, module: str) -> str:
    """The version of a module in an environment; empty when it cannot be imported."""
    script = f"import {module}; print({module}.version)"
    command = [str(folder / "bin" / "python"), "-c", script]
    if not Path(command[0]).exists():
        return ""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
