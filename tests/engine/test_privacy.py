"""Nothing that Underdrawing loads tells others about its user."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SESSION = """
import underdrawing
import onnx, onnxruntime
from onnx import TensorProto, helper
value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [2])
graph = helper.make_graph([helper.make_node("Add", ["a", "a"], ["b"])], "g", [value("a")], [value("b")])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
"""


def test_onnxruntime_keeps_no_telemetry(tmp_path: Path) -> None:
    """Left to itself it writes a device identity and a queue of events into the cache folder."""
    variables = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    variables.pop("ORT_DISABLE_TELEMETRY", None)
    subprocess.run([sys.executable, "-W", "ignore", "-c", SESSION], check=True, env=variables)
    assert [str(p) for p in tmp_path.rglob("*") if p.is_file() and "onnxruntime" in str(p)] == []
