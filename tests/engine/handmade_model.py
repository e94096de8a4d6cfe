"""A model made by hand: small, and as the library stores it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from underdrawing.picture.files import write_picture
from underdrawing.picture.image import Picture
from underdrawing.store.manifest import (
    MANIFEST_FILE,
    ApplyPlan,
    Encoding,
    GraphInput,
    GraphSpec,
    Manifest,
    PictureInfo,
    PlaneKind,
    PlaneSpec,
)
from underdrawing.store.model_library import Library

IDENTITY = "0123456789ab"


def graph(*nodes: onnx.NodeProto, constants: tuple[onnx.TensorProto, ...] = ()) -> bytes:
    """A graph from `segments` (1, 3, H, W) to `picture`; without nodes it gives back what it gets."""
    shape = [1, 3, "height", "width"]
    made = helper.make_graph(
        list(nodes) or [helper.make_node("Identity", ["segments"], ["picture"])],
        "generator",
        [helper.make_tensor_value_info("segments", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)],
        list(constants),
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9).SerializeToString()


SPEC = GraphSpec("generator.onnx", (GraphInput("segments", "segments", Encoding.COLOURS, 3),))


def write_model(folder: Path, identity: str = IDENTITY, name: str = "sun", generator: bytes | None = None) -> Manifest:
    """A whole model in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 255, (16, 24, 3)).astype(np.uint8)
    for file in ("picture.png", "preview.png"):
        write_picture(folder / file, Picture(pixels))
    (folder / "generator.onnx").write_bytes(generator or graph())
    (folder / "checkpoint.safetensors").write_bytes(b"weights of the training")
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    manifest = Manifest(
        id=identity,
        name=name,
        created="2026-01-01T00:00:00+00:00",
        method="deepsim",
        recipe="quick",
        planes=(PlaneSpec("segments", PlaneKind.COLOUR, True),),
        plan=ApplyPlan(graphs=(SPEC,), region=(0, 0, 24, 16)),
        picture=PictureInfo(24, 16, 24, 16, "u8", 3, Picture(pixels).hash, "picture.png"),
        files={k: v for k, v in files.items() if k not in (MANIFEST_FILE, "job.json")},
    )
    (folder / MANIFEST_FILE).write_text(manifest.to_json(), encoding="utf-8")
    return manifest


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An engine's folder, with a space and letters of other alphabets in its name."""
    place = tmp_path / "home ü 家"
    for name in ("models", "training", "spool", "run", "logs"):
        (place / name).mkdir(parents=True)
    return place


@pytest.fixture
def library(home: Path) -> Library:
    return Library(home)
