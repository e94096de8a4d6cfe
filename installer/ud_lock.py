"""`python3 installer lock`: make the lock files anew with uv (for maintainers; see docs/installation.md)."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from ud_hardware import HERE, ROOT
from ud_report import InstallError, Reporter

LOCKS = HERE / "locks"
# One resolution for all systems and Pythons, with the hashes of every file; no index is named in the result.
COMMON = ["--universal", "--generate-hashes", "--no-annotate", "--python-version", "3.11"]
HEADER = ["--custom-compile-command", "python3 installer lock"]


def commands() -> list[list[str]]:
    """The uv commands, in order (later ones are held to what earlier ones chose)."""
    pyproject = str(ROOT / "pyproject.toml")

    def compiled(name: str, *arguments: str) -> list[str]:
        return ["pip", "compile", *COMMON, *HEADER, *arguments, "--output-file", str(LOCKS / name)]

    cpu_torch = ["--config-file", str(LOCKS / "cpu.toml")]
    held = ["--constraints", str(LOCKS / "cpu.txt")]
    return [
        compiled("tools.txt", str(LOCKS / "tools.in")),
        compiled("cpu.txt", pyproject, "--extra", "cpu", "--no-emit-package", "torch", *cpu_torch),
        compiled("cuda.txt", pyproject, "--extra", "cuda", "--no-emit-package", "torch"),
        compiled("torch.txt", str(LOCKS / "torch.in"), "--no-deps"),
        compiled("test.txt", str(LOCKS / "test.in"), *held),
    ]


def lock(report: Reporter, python: Path, upgrade: bool) -> None:
    """Write all lock files. Without `upgrade`, what is locked now stays wherever it still fits."""
    beside = python.parent / "uv"
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is None:
        raise InstallError("uv makes the lock files, and it is not here.", f"Run: {python} -m pip install uv")
    for command in commands():
        report.step("uv " + " ".join(command))
        arguments = [uv, *command, *(["--upgrade"] if upgrade else [])]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False, cwd=ROOT, env=dict(os.environ))
        report.log(done.stderr)
        if done.returncode != 0:
            raise InstallError(f"uv could not resolve: {done.stderr.strip()}")
