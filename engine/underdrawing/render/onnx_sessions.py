"""onnxruntime sessions: made once, kept while there is room, and honest about where they run."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from underdrawing.client.labels import ONNXRUNTIME_ABSENT
from underdrawing.client.messages import EngineError

try:  # an optional extra, as the packages for processors and for NVIDIA cards overwrite each other's files
    import onnxruntime
except ImportError:
    onnxruntime = None

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"


def _preload() -> None:
    """Let onnxruntime find the CUDA libraries that came with torch's wheels, where it was built for CUDA."""
    if CUDA in onnxruntime.get_available_providers() and hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()


if onnxruntime is not None:
    _preload()


def installed() -> bool:
    """Whether graphs can run here at all."""
    return onnxruntime is not None


@dataclass
class OnnxSession:
    """One loaded graph.

    Attributes:
        provider: what really runs it, as onnxruntime itself says after loading.
    """

    session: Any
    provider: str
    size: int
    used: float = field(default_factory=time.monotonic)

    @property
    def on_gpu(self) -> bool:
        return self.provider == CUDA

    def run(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """The first output for these inputs, as float32."""
        return self.run_all(inputs)[0]

    def run_all(self, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """All outputs for these inputs, as float32."""
        self.used = time.monotonic()
        half = self.session.get_inputs()[0].type == "tensor(float16)"
        given = {name: value.astype(np.float16 if half else np.float32) for name, value in inputs.items()}
        return [made.astype(np.float32) for made in self.session.run(None, given)]


def open_session(path: Path, threads: int | None = None, wanted: str = "auto") -> OnnxSession:
    """Load a graph; on a GPU if onnxruntime can really use one and `wanted` is not "cpu".

    Raises:
        EngineError: onnxruntime is not installed.
    """
    if onnxruntime is None:
        raise EngineError("no_onnxruntime", *ONNXRUNTIME_ABSENT)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads or max(
        1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    )
    # Sizes change with every edited region: memory patterns of one size are no use for the next.
    options.enable_mem_pattern = False
    # Threads that go on spinning after a run would take processors from the painting program and from training.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    providers = [CUDA, CPU] if wanted != "cpu" and CUDA in onnxruntime.get_available_providers() else [CPU]
    session = onnxruntime.InferenceSession(path, options, providers=providers)
    return OnnxSession(session, session.get_providers()[0], path.stat().st_size)


class SessionStore:
    """Loaded graphs, the least recently used ones dropped when there are too many."""

    def __init__(self, most: int = 4) -> None:
        self.most = most
        self.sessions: OrderedDict[tuple[Path, int], OnnxSession] = OrderedDict()

    def get(self, path: Path) -> OnnxSession:
        """The session of a graph; a file that was replaced is loaded anew."""
        key = (path, path.stat().st_mtime_ns)
        if key not in self.sessions:
            self.sessions[key] = open_session(path)
            while len(self.sessions) > self.most:
                self.sessions.popitem(last=False)
        self.sessions.move_to_end(key)
        return self.sessions[key]

    def drop(self) -> int:
        """Forget all; returns how many there were."""
        count = len(self.sessions)
        self.sessions.clear()
        return count

    def describe(self) -> list[dict[str, Any]]:
        """What is loaded, for people."""
        return [
            {"model": path.parent.name, "graph": path.name, "provider": s.provider, "bytes": s.size}
            for (path, _), s in self.sessions.items()
        ]


def probe() -> dict[str, str]:
    """Which providers really run a tiny graph: provider name to "ok" or what went wrong."""
    from onnx import TensorProto, helper

    if onnxruntime is None:
        return {}
    node = helper.make_node("Relu", ["x"], ["y"])
    value = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1]) for n in ("x", "y")]
    graph = helper.make_graph([node], "probe", value[:1], value[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    found: dict[str, str] = {}
    for provider in onnxruntime.get_available_providers():
        if provider not in (CUDA, CPU):
            continue
        try:
            session = onnxruntime.InferenceSession(model.SerializeToString(), providers=[provider])
            runs = session.get_providers()[0] == provider
            session.run(None, {"x": np.zeros(1, np.float32)})
            found[provider] = "ok" if runs else "not used by onnxruntime (its CUDA or cuDNN version does not match)"
        except Exception as error:  # noqa: BLE001 - whatever a provider throws is the answer
            found[provider] = str(error).splitlines()[0]
    return found
