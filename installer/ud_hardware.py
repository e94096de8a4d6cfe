"""What this machine is: its graphics card, its free disk, its system. Asks, changes nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


def sources() -> Any:
    """The installer's data: which torch from where, which Pythons, how much disk (`sources.json`)."""
    return json.loads((HERE / "sources.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Gpu:
    """An NVIDIA card as its driver describes it."""

    name: str
    driver: str
    memory_mb: int
    compute: float


@dataclass(frozen=True)
class Choice:
    """Which kind of environment suits, and why (a sentence for the user)."""

    kind: str
    why: str


def gpu() -> Gpu | None:
    """The first NVIDIA card that its driver answers for, or None."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    query = [tool, "--query-gpu=name,driver_version,memory.total,compute_cap", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if answer.returncode != 0:
        return None
    return parse_gpu(answer.stdout)


def parse_gpu(text: str) -> Gpu | None:
    """The first line of nvidia-smi's answer as a card; None when it is none."""
    for line in text.splitlines():
        parts = [part.strip() for part in line.split(",")]
        if len(parts) == 4:
            try:
                return Gpu(parts[0], parts[1], int(float(parts[2])), float(parts[3]))
            except ValueError:
                continue
    return None


def choose(found: Gpu | None, wanted: str | None = None) -> Choice:
    """cpu or cuda: what the user asked for, else what the card and its driver can run."""
    needs = sources()["cuda"]
    if wanted is not None:
        return Choice(wanted, f"{wanted} was asked for.")
    if sys.platform == "darwin":
        return Choice("cpu", "macOS has no CUDA: everything runs on the CPU.")
    if found is None:
        return Choice("cpu", "No NVIDIA card answers here: everything runs on the CPU.")
    major = int(found.driver.split(".")[0]) if found.driver.split(".")[0].isdigit() else 0
    if major < needs["driver"]:
        return Choice(
            "cpu",
            f"{found.name} is here, but its driver {found.driver} is older than {needs['driver']}, which "
            f"{needs['level']} needs: everything runs on the CPU. Update the driver and run the installer again.",
        )
    if found.compute < needs["compute"]:
        return Choice("cpu", f"{found.name} is too old for {needs['level']}: everything runs on the CPU.")
    return Choice("cuda", f"{found.name} with driver {found.driver}, {found.memory_mb / 1024:.0f} GB.")


def free_megabytes(folder: Path) -> int:
    """Free space of the disk that holds the folder (or its nearest parent that exists)."""
    while not folder.exists():
        folder = folder.parent
    return int(shutil.disk_usage(folder).free // 1_000_000)


def folder_megabytes(folder: Path) -> int:
    """The size of all files below a folder."""
    total = 0
    for root, _, files in os.walk(folder):
        total += sum((Path(root) / name).lstat().st_size for name in files)
    return total // 1_000_000


def is_debian() -> bool:
    """Whether Debian's (or Ubuntu's) package tools are here."""
    return Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None


def is_root() -> bool:
    """Whether we may install system packages."""
    geteuid = getattr(os, "geteuid", None)
    return geteuid is not None and geteuid() == 0


def clean_environment() -> dict[str, str]:
    """The environment for programs of the new Python: the caller's, without what would lead them astray."""
    environment = dict(os.environ)
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__", "PIP_TARGET", "PIP_PREFIX"):
        environment.pop(name, None)
    # onnxruntime would tell its maker about this machine.
    environment.setdefault("ORT_DISABLE_TELEMETRY", "1")
    environment.update(
        PIP_USER="0", PIP_NO_INPUT="1", PIP_DISABLE_PIP_VERSION_CHECK="1", PYTHONIOENCODING="utf-8:replace"
    )
    return environment
