"""Model files from strangers: the good ones come in, whatever else is in them does not."""

from __future__ import annotations

import hashlib
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from tests.engine.handmade_model import SPEC, graph, write_model
from underdrawing.client.messages import EngineError
from underdrawing.render.onnx_guard import check_graph
from underdrawing.store import model_archive
from underdrawing.store.manifest import MANIFEST_FILE, Manifest

NEW = "ba9876543210"


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """A good file."""
    manifest = write_model(tmp_path / "model")
    model_archive.write(tmp_path / "model", manifest, tmp_path / "good.underdrawing")
    return tmp_path / "good.underdrawing"


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def refused(path: Path, folder: Path) -> str:
    """The sentence with which a file is refused; nothing may be left of it."""
    before = sorted(folder.parent.rglob("*"))
    with pytest.raises(EngineError) as caught:
        model_archive.read(path, folder, NEW)
    assert caught.value.code == "bad_model"
    assert sorted(folder.parent.rglob("*")) == before
    return caught.value.message


def test_a_model_comes_back_under_a_new_identity_without_its_checkpoint(packed: Path, tmp_path: Path) -> None:
    manifest = model_archive.read(packed, tmp_path / "in", NEW)
    assert manifest.id == NEW
    assert Manifest.load(tmp_path / "in") == manifest
    names = {p.name for p in (tmp_path / "in").iterdir()}
    assert names == {MANIFEST_FILE, "picture.png", "preview.png", "generator.onnx"}
    assert (tmp_path / "in" / "generator.onnx").read_bytes() == graph()


def test_the_file_says_that_it_contains_the_picture(packed: Path) -> None:
    with zipfile.ZipFile(packed) as archive:
        assert b"contains the picture" in archive.comment


def test_a_file_of_an_earlier_version_opens(packed: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(packed, "a") as archive:
        archive.comment = (
            b"This file contains the picture that was learnt; give it only to people who may have that picture."
        )
    assert model_archive.read(packed, tmp_path / "in", NEW).id == NEW


def _traversal(archive: zipfile.ZipFile) -> None:
    archive.writestr("../../evil.onnx", b"x")


def _absolute(archive: zipfile.ZipFile) -> None:
    archive.writestr("/tmp/evil.onnx", b"x")


def _backslash(archive: zipfile.ZipFile) -> None:
    archive.writestr("..\\evil.onnx", b"x")


def _link(archive: zipfile.ZipFile) -> None:
    entry = zipfile.ZipInfo("link.png")
    entry.external_attr = 0o120777 << 16
    archive.writestr(entry, "/etc/passwd")


def _folder(archive: zipfile.ZipFile) -> None:
    archive.writestr("folder.png/", b"")


def _twice(archive: zipfile.ZipFile) -> None:
    archive.writestr("Generator.onnx", b"x")


def _program(archive: zipfile.ZipFile) -> None:
    archive.writestr("run.py", b"print()")


def _bomb(archive: zipfile.ZipFile) -> None:
    archive.writestr("bomb.png", bytes(8 << 20), zipfile.ZIP_DEFLATED)


def _unnamed(archive: zipfile.ZipFile) -> None:
    archive.writestr("unnamed.png", b"x")


def _many(archive: zipfile.ZipFile) -> None:
    for number in range(model_archive.MOST_FILES):
        archive.writestr(f"{number}.png", b"x")


def _strange_packing(archive: zipfile.ZipFile) -> None:
    archive.writestr("strange.png", b"x" * 100, zipfile.ZIP_BZIP2)


NO_NAME, NO_FILE = "not a plain file name", "other than plain files"


@pytest.mark.parametrize(
    ("add", "why"),
    [
        (_traversal, NO_NAME),
        (_absolute, NO_NAME),
        (_backslash, NO_NAME),
        (_folder, NO_NAME),
        (_link, NO_FILE),
        (_strange_packing, NO_FILE),
        (_twice, "names twice"),
        (_program, "no part of a model"),
        (_bomb, "unpacks to far more"),
        (_unnamed, "not those that its manifest names"),
        (_many, "list of files"),
    ],
)
def test_anything_else_in_the_file_is_refused(
    packed: Path, tmp_path: Path, add: Callable[[zipfile.ZipFile], None], why: str
) -> None:
    """Also where the manifest names it, with the right hash."""
    found, path = contents(packed), tmp_path / "strange.underdrawing"
    manifest = json.loads(found.pop(MANIFEST_FILE))
    with zipfile.ZipFile(path, "w") as archive:
        add(archive)
        for name in archive.namelist() if add is not _unnamed else ():
            manifest["files"][name] = hashlib.sha256(archive.read(name)).hexdigest()
        for name, data in {**found, MANIFEST_FILE: json.dumps(manifest).encode()}.items():
            archive.writestr(name, data)
    assert why in refused(path, tmp_path / "in")
    assert not (tmp_path.parent / "evil.onnx").exists()


@pytest.mark.parametrize("change", ["missing", "other", "huge", "text", "list", "path", "format"])
def test_a_wrong_manifest_is_refused(packed: Path, tmp_path: Path, change: str) -> None:
    found = contents(packed)
    raw = json.loads(found[MANIFEST_FILE])
    if change == "missing":
        del found[MANIFEST_FILE]
    elif change == "other":
        found["generator.onnx"] = b"other bytes"
    elif change == "huge":
        found[MANIFEST_FILE] += b" " * model_archive.MOST_MANIFEST
    elif change == "text":
        found[MANIFEST_FILE] = b"\xff\x00"
    elif change == "list":
        found[MANIFEST_FILE] = b"[" * 100_000
    elif change == "path":
        raw["picture"]["file"] = "../../../secret.png"
    elif change == "format":
        raw["format"] = 99
    if change in ("path", "format"):
        found[MANIFEST_FILE] = json.dumps(raw).encode()
    path = tmp_path / "bad.underdrawing"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in found.items():
            archive.writestr(name, data)
    refused(path, tmp_path / "in")


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_off_is_refused(packed: Path, tmp_path: Path, part: float) -> None:
    data = packed.read_bytes()
    packed.write_bytes(data[: int(len(data) * part)])
    refused(packed, tmp_path / "in")


def test_a_list_of_files_that_points_before_the_beginning_is_refused(packed: Path, tmp_path: Path) -> None:
    data = bytearray(packed.read_bytes())
    place = data.rindex(b"PK\x05\x06") + 16  # where the list begins
    struct.pack_into("<L", data, place, struct.unpack_from("<L", data, place)[0] + 1)
    packed.write_bytes(data)
    refused(packed, tmp_path / "in")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 1 << 30), st.integers(1, 255), st.integers(1, 4))
def test_damaged_bytes_are_refused_or_harmless(packed: Path, tmp_path: Path, at: int, flip: int, count: int) -> None:
    data = bytearray(packed.read_bytes())
    for step in range(count):
        data[(at + step * 7919) % len(data)] ^= flip
    path, folder = tmp_path / "flipped", tmp_path / "in"
    path.write_bytes(bytes(data))
    try:
        manifest = model_archive.read(path, folder, NEW)
    except EngineError as error:
        assert error.code == "bad_model"
        assert not folder.exists()
    else:
        for name, digest in manifest.files.items():
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
            (folder / name).unlink()
        (folder / MANIFEST_FILE).unlink()
        folder.rmdir()


def checked(folder: Path, data: bytes) -> str:
    """What is said about a graph; "" where it is accepted."""
    path = folder / "generator.onnx"
    path.write_bytes(data)
    try:
        check_graph(path, SPEC)
    except EngineError as error:
        return error.message
    return ""


def test_a_plain_graph_is_accepted(tmp_path: Path) -> None:
    assert checked(tmp_path, graph()) == ""


def test_graphs_that_read_files_are_refused(tmp_path: Path) -> None:
    tensor = numpy_helper.from_array(np.zeros(4, np.float32), "weights")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    assert "other files" in checked(tmp_path, graph(constants=(tensor,)))


def test_operators_outside_the_list_are_refused(tmp_path: Path) -> None:
    node = helper.make_node("PyOp", ["segments"], ["picture"], domain="ai.onnx.contrib")
    assert "PyOp" in checked(tmp_path, graph(node))
    loop = helper.make_graph([], "inner", [], [])
    control = helper.make_node("If", ["segments"], ["picture"], then_branch=loop, else_branch=loop)
    assert "If" in checked(tmp_path, graph(control))


def test_giant_tensors_are_refused_before_anybody_makes_them(tmp_path: Path) -> None:
    tensor = TensorProto(name="weights", data_type=TensorProto.FLOAT, dims=[1 << 20, 1 << 20])
    assert "impossible size" in checked(tmp_path, graph(constants=(tensor,)))


@pytest.mark.parametrize("data", [b"", b"not a graph", graph()[:-20], bytes(1000)])
def test_what_is_no_graph_is_refused(tmp_path: Path, data: bytes) -> None:
    assert checked(tmp_path, data) != ""


def test_other_inputs_than_promised_are_refused(tmp_path: Path) -> None:
    shape = [1, 3, 8, 8]
    made = helper.make_graph(
        [helper.make_node("Identity", ["other"], ["picture"])],
        "generator",
        [helper.make_tensor_value_info("other", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)],
    )
    assert "inputs and outputs" in checked(tmp_path, helper.make_model(made).SerializeToString())
