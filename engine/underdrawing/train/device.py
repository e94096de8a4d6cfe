"""Where training runs and in which precision: found out by trying, once, and remembered."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)
# Where bfloat16 is emulated, it takes about ten times as long as float32: one turn shows that.
HOPELESS = 4.0


@dataclass(frozen=True)
class Device:
    """A place to train on.

    Attributes:
        name: what people are told, "NVIDIA H200" or "CPU (2 threads, bfloat16)".
        torch: the torch device.
        bfloat16: convolutions run in bfloat16 (weights and losses stay float32).
    """

    name: str
    torch: torch.device
    bfloat16: bool

    @property
    def is_cuda(self) -> bool:
        return self.torch.type == "cuda"

    def autocast(self) -> AbstractContextManager[object]:
        """The precision in which networks run during training."""
        if not self.bfloat16:
            return contextlib.nullcontext()
        return torch.autocast(self.torch.type, dtype=torch.bfloat16)

    def place(self, network: Network) -> Network:
        """Move a network here, in the memory layout that convolutions are fastest in."""
        return network.to(self.torch).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def put(self, tensor: Tensor) -> Tensor:
        """Move a batch of pictures (B, C, H, W) here, channels last."""
        return tensor.to(self.torch, memory_format=torch.channels_last)


def choose(wanted: str = "auto", threads: int | None = None, memory: Path | None = None, probes: bool = True) -> Device:
    """The device to train on.

    Args:
        wanted: "auto" (a GPU if torch can use one), "cpu" or "cuda".
        threads: of the CPU; None leaves torch's own choice.
        memory: a JSON file that remembers what the bfloat16 probe found.
        probes: whether the probe is worth its seconds; without it, the CPU calculates in float32.

    Raises:
        ValueError: "cuda" was asked for and there is none that works; the text says why.
    """
    if threads:
        torch.set_num_threads(threads)
    if wanted in ("auto", "cuda") and torch.cuda.is_available():
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
        return Device(torch.cuda.get_device_name(), torch.device("cuda"), torch.cuda.is_bf16_supported())
    if wanted == "cuda":
        built = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "built without CUDA"
        raise ValueError(f"torch {torch.__version__} is {built} and finds no NVIDIA GPU that it can use")
    fast = probes and _bfloat16_pays(memory)
    kind = "bfloat16" if fast else "float32"
    return Device(f"CPU ({torch.get_num_threads()} threads, {kind})", torch.device("cpu"), fast)


def _bfloat16_pays(memory: Path | None) -> bool:
    """Whether a convolution with its backward pass is faster in bfloat16 on this processor (asked once)."""
    key = f"{platform.processor() or platform.machine()}/{torch.__version__}/{torch.get_num_threads()}"
    known: dict[str, float] = {}
    if memory is not None and memory.is_file():
        with contextlib.suppress(OSError, ValueError):
            loaded = json.loads(memory.read_text(encoding="utf-8"))
            known = loaded if isinstance(loaded, dict) else {}
    ratio = known.get(key)
    if not isinstance(ratio, int | float):
        usual = _time_convolution(torch.float32)
        ratio = usual / _time_convolution(torch.bfloat16, HOPELESS * usual)
        if memory is not None:
            with contextlib.suppress(OSError):
                memory.parent.mkdir(parents=True, exist_ok=True)
                partial = memory.with_suffix(f".{os.getpid()}.tmp")
                partial.write_text(json.dumps({**known, key: ratio}), encoding="utf-8")
                partial.replace(memory)
    return ratio > 1.15


def _time_convolution(dtype: torch.dtype, enough: float = float("inf")) -> float:
    """Seconds for a typical convolution and its backward pass: the best of four after one to warm up.

    Args:
        enough: seconds; after a first turn this slow the others are left out.
    """
    layer = Device("", torch.device("cpu"), False).place(nn.Conv2d(64, 64, 3, padding=1))
    x = torch.zeros(1, 64, 96, 96).to(memory_format=torch.channels_last).requires_grad_()
    best = float("inf")
    for turn in range(5):
        start = time.perf_counter()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
            layer(x).float().sum().backward()
        if turn:
            best = min(best, time.perf_counter() - start)
            if best > enough:
                break
    return best
