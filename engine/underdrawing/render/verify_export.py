"""Compare exported graphs with what torch made of the same inputs, in the runtime that will apply them.

`python -m underdrawing.render.verify_export FOLDER GRAPH...` prints one line of JSON: graph to largest absolute
difference.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from underdrawing.render.onnx_sessions import open_session

CHECK_FILE = "check.safetensors"


def compare(folder: Path, graph: str) -> float:
    """The largest difference of a graph's outputs, in [-1, 1], over all sizes of the check."""
    expected = load_file(folder / CHECK_FILE)
    key = graph.replace(".half.onnx", ".onnx")
    session = open_session(folder / graph)
    worst = 0.0
    for name in [n for n in expected if n.startswith(f"{key}/") and n.endswith("/out")]:
        start = name.removesuffix("out") + "in/"
        inputs = {n.removeprefix(start): value for n, value in expected.items() if n.startswith(start)}
        difference = float(np.abs(session.run(inputs) - expected[name]).max())
        # NaN compares as not worse; it must count as the worst.
        worst = max(worst, difference) if np.isfinite(difference) else float("inf")
    return worst


if __name__ == "__main__":
    where, *graphs = sys.argv[1:]
    print(json.dumps({graph: compare(Path(where), graph) for graph in graphs}))
