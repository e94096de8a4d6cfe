"""Manifests from strangers: every field is checked, and none of them can spoil a list of models."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.handmade_model import IDENTITY, write_model
from underdrawing.client.messages import EngineError, decode, reply
from underdrawing.store import model_archive
from underdrawing.store.manifest import MANIFEST_FILE, MOST_PLANES, MOST_TEXT, Manifest, ManifestError, plain_name
from underdrawing.store.model_library import Library, check_files

Change = Callable[[dict[str, Any]], object]
NEW = "ba9876543210"
LONG = "x" * (MOST_TEXT + 1)
DEEP: Any = []
for _ in range(40):
    DEEP = [DEEP]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    write_model(folder)
    return folder


@pytest.fixture
def raw(model: Path) -> dict[str, Any]:
    """A good manifest as JSON, to be made bad."""
    return json.loads((model / MANIFEST_FILE).read_text(encoding="utf-8"))


def taken_in(model: Path, raw: Any, place: Path) -> Manifest:
    """The manifest of a model file, as it comes out of the import."""
    path = place / "strange.underdrawing"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MANIFEST_FILE, json.dumps(raw))
        for name in ("picture.png", "preview.png", "generator.onnx"):
            archive.write(model / name, name)
    return model_archive.read(path, place / "in", NEW)


def slim(raw: dict[str, Any]) -> dict[str, Any]:
    return {**raw, "files": {k: v for k, v in raw["files"].items() if k != "checkpoint.safetensors"}}


def test_the_way_there_and_back(raw: dict[str, Any], model: Path) -> None:
    manifest = Manifest.load(model)
    assert Manifest.from_json(manifest.to_json()) == manifest
    assert json.loads(manifest.to_json()) == raw


def test_every_field_is_needed_or_has_a_default(raw: dict[str, Any]) -> None:
    for key in raw:
        with pytest.raises(ManifestError):
            Manifest.from_json(json.dumps({k: v for k, v in raw.items() if k != key}))


@pytest.mark.parametrize("value", [None, True, 7, -1.5, "x", [], [7], {}, {"x": 1}, DEEP], ids=repr)
def test_a_field_of_another_kind_is_an_error_or_still_a_manifest(raw: dict[str, Any], value: object) -> None:
    """Whatever stands there: no other exception, and what comes out can be written again."""

    def places(node: Any) -> list[tuple[Any, Any]]:
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        return [pair for key in keys for pair in [(node, key), *places(node[key])]]

    for node, key in places(raw):
        kept, node[key] = node[key], value
        try:
            Manifest.from_json(Manifest.from_json(json.dumps(raw)).to_json())
        except ManifestError as error:
            assert str(error)
        node[key] = kept


BAD: dict[str, Change] = {
    "a long method": lambda raw: raw.update(method=LONG),
    "a long recipe": lambda raw: raw.update(recipe=LONG),
    "a long date": lambda raw: raw.update(created=LONG),
    "a long hash": lambda raw: raw["picture"].update(hash=LONG),
    "a long plane": lambda raw: raw["planes"][0].update(name=LONG),
    "many planes": lambda raw: raw.update(planes=raw["planes"] * (MOST_PLANES + 1)),
    "deep figures": lambda raw: raw["figures"].update(seconds=DEEP),
    "deep hyperparameters": lambda raw: raw["hyperparameters"].update(deep=DEEP),
    "no JSON number": lambda raw: raw["figures"].update(seconds=float("nan")),
    "an infinite number": lambda raw: raw["figures"].update(losses=[float("inf")]),
    "half a letter": lambda raw: raw.update(method="\ud800"),
    "half a letter deep inside": lambda raw: raw["figures"].update(x=[{"\udfff": 1}]),
    "more than a message holds": lambda raw: raw["figures"].update(x=[10**15 * 1.0] * 120_000),
    "a giant picture": lambda raw: raw["picture"].update(width=1 << 40),
    "a giant region": lambda raw: raw["plan"].update(region=[0, 0, 1 << 40, 1]),
    "a giant stride": lambda raw: raw["plan"].update(stride=1 << 30),
    "a giant halo": lambda raw: raw["plan"].update(halo=1 << 30),
    "a giant scale": lambda raw: raw["plan"].update(scale=1e30),
    "no scale": lambda raw: raw["plan"].update(scale=float("nan")),
    "giant channels": lambda raw: raw["plan"]["graphs"][0]["inputs"][0].update(channels=1 << 30),
    "a giant palette": lambda raw: raw.update(palette=[{"colour": [0, 0, 0], "name": ""}] * 257),
    "no colour": lambda raw: raw.update(palette=[{"colour": [0, 0, 256], "name": ""}]),
    "a picture elsewhere": lambda raw: raw["picture"].update(file="/etc/passwd"),
    "a picture that is not there": lambda raw: raw["picture"].update(file="other.png"),
    "a graph elsewhere": lambda raw: raw["plan"]["graphs"][0].update(file="../generator.onnx"),
    "a graph that is not there": lambda raw: raw["plan"]["graphs"][0].update(file="other.onnx"),
    "a half graph that is not there": lambda raw: raw["plan"].update(
        half=[{**raw["plan"]["graphs"][0], "file": "generator.half.onnx"}]
    ),
    "an unknown composite": lambda raw: raw["plan"].update(composite="evil"),
    "an unknown encoding": lambda raw: raw["plan"]["graphs"][0]["inputs"][0].update(encoding="pickle"),
    "a later format": lambda raw: raw.update(format=2),
    "a name elsewhere": lambda raw: raw["files"].update({"../x.png": "0" * 64}),
    "no hash": lambda raw: raw["files"].update({"picture.png": None}),
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
def test_a_bad_manifest_is_refused_and_leaves_nothing(
    model: Path, raw: dict[str, Any], tmp_path: Path, change: Change
) -> None:
    change(raw)
    with pytest.raises(EngineError) as caught:
        taken_in(model, slim(raw), tmp_path)
    assert caught.value.code == "bad_model"
    assert not (tmp_path / "in").exists()


@pytest.mark.parametrize("name", ["", "a\nb", "\u202e\u0007", "\ud800", "x" * 121])
def test_an_impossible_name_becomes_another(model: Path, raw: dict[str, Any], tmp_path: Path, name: str) -> None:
    assert taken_in(model, slim({**raw, "name": name}), tmp_path).name == "model ba98"


@pytest.mark.parametrize("name", ["../../x", "C:\\x", "<b>bold</b>", "słońce 太陽", "🦆" * 60])
def test_other_names_are_only_names(model: Path, raw: dict[str, Any], tmp_path: Path, name: str) -> None:
    assert taken_in(model, slim({**raw, "name": name}), tmp_path).name == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".hidden", "a/b", "/a", "a\\b", "../a", "a/", None, 7, ["a"]], ids=repr
)
def test_a_file_name_never_leads_out_of_the_folder(name: object) -> None:
    with pytest.raises(ManifestError):
        plain_name(name)


def test_many_models_with_the_longest_texts_still_make_a_list(library: Library, raw: dict[str, Any]) -> None:
    """What a list shows of a stranger's model is short, whatever stands in its manifest."""
    text = "é" * MOST_TEXT
    raw.update(method=text, recipe=text, created=text, name="é" * 120)
    raw["picture"]["hash"] = text
    raw["planes"] = [{**raw["planes"][0], "name": text}] * MOST_PLANES
    raw["figures"] = {"seconds": {"text": "x" * 500_000}, "more": "x" * 100_000}
    for number in range(32):
        identity = f"{number:012x}"
        library.folder(identity).mkdir()
        (library.folder(identity) / MANIFEST_FILE).write_text(json.dumps({**raw, "id": identity}), encoding="utf-8")
    summaries = [library.summary(manifest) for manifest in library.all()]
    assert len(summaries) == 32 and summaries[0]["seconds"] is None
    assert decode(reply("list", {"models": summaries}).encode()).body["models"] == summaries


def test_a_hash_must_be_the_files_own(model: Path, raw: dict[str, Any]) -> None:
    for wrong in ("", "0" * 64, raw["files"]["preview.png"].upper() + " "):
        manifest = Manifest.from_json(json.dumps({**raw, "files": {**raw["files"], "preview.png": wrong}}))
        with pytest.raises(ManifestError, match=r"preview\.png"):
            check_files(model, manifest)
    check_files(model, Manifest.load(model))


def test_a_manifest_in_the_wrong_folder_is_no_model(library: Library, model: Path) -> None:
    folder = library.folder(NEW)
    folder.mkdir()
    (folder / MANIFEST_FILE).write_bytes((model / MANIFEST_FILE).read_bytes())
    assert library.all() == []
    with pytest.raises(ManifestError, match="another model"):
        library.load(folder)
    assert not (library.folder(IDENTITY)).exists()
