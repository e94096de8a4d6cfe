"""Checkpoints: safetensors with everything a run needs to go on, written so that a kill never leaves half of one."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor


@dataclass(frozen=True)
class Standing:
    """How far a run has come."""

    iteration: int  # steps done
    elapsed: float  # seconds of training
    stage: int = 0
    calmed: int = 0  # how often the steps were made smaller
    signature: str = ""  # what was trained, so that another training's checkpoint is not mistaken for this one's


def save(path: Path, state: Mapping[str, Tensor], standing: Standing) -> int:
    """Write a checkpoint beside the old one, then put it in its place. Returns its size in bytes."""
    partial = path.with_name(path.name + ".partial")
    tensors = {key: value.detach().contiguous().cpu() for key, value in state.items()}
    save_file(tensors, partial, metadata={"standing": json.dumps(asdict(standing))})
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    partial.replace(path)
    return path.stat().st_size


def load(path: Path, signature: str) -> tuple[dict[str, Tensor], Standing] | None:
    """The checkpoint at `path`; None where there is none, it is damaged, or belongs to another training."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            standing = Standing(**json.loads(metadata["standing"]))
            if standing.signature != signature:
                return None
            return {key: file.get_tensor(key) for key in file.keys()}, standing  # noqa: SIM118
    except (FileNotFoundError, SafetensorError, KeyError, TypeError, ValueError):
        return None
