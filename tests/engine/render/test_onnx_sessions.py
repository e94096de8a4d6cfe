"""Loaded graphs: kept while they are used, and loaded anew when their file changes."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from onnx import helper

from tests.engine.handmade_model import graph
from underdrawing.render.onnx_sessions import SessionStore


def test_the_graph_that_was_not_used_for_longest_is_dropped(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.onnx", "b.onnx", "c.onnx")]
    for path in paths:
        path.write_bytes(graph())
    a, b, c = paths
    store = SessionStore(most=2)
    first, second = store.get(a), store.get(b)
    assert store.get(a) is first
    store.get(c)
    assert [entry["graph"] for entry in store.describe()] == ["a.onnx", "c.onnx"]
    assert store.get(a) is first
    assert store.get(b) is not second
    assert store.drop() == 2
    assert store.describe() == []


def test_a_graph_that_was_replaced_is_loaded_anew(tmp_path: Path) -> None:
    path, values = tmp_path / "a.onnx", {"segments": np.full((1, 3, 2, 2), -0.5, np.float32)}
    path.write_bytes(graph())
    store = SessionStore()
    assert (store.get(path).run(values) == -0.5).all()
    path.write_bytes(graph(helper.make_node("Neg", ["segments"], ["picture"])))
    os.utime(path, ns=(1, 2 * 10**18))
    assert (store.get(path).run(values) == 0.5).all()
