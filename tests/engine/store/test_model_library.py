"""Models on disk: whole or not there, found by name, renamed and deleted without halves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.handmade_model import IDENTITY, write_model
from underdrawing.client.messages import EngineError
from underdrawing.store.manifest import MANIFEST_FILE, ManifestError
from underdrawing.store.model_library import LONGEST_NAME, Library, checked_name


def add(library: Library, identity: str = IDENTITY, name: str = "sun") -> None:
    write_model(library.staging(identity), identity, name)
    library.publish(identity)


def test_a_finished_training_becomes_a_model_and_nothing_else_comes_along(library: Library) -> None:
    staging = library.staging(IDENTITY)
    write_model(staging)
    (staging / "job.json").write_text("{}")
    (staging / "inputs").mkdir()
    (staging / "inputs" / "blob.raw").write_bytes(b"x")
    manifest = library.publish(IDENTITY)
    assert {p.name for p in library.folder(IDENTITY).iterdir()} == {*manifest.files, MANIFEST_FILE}
    assert not staging.exists()
    assert [m.id for m in library.all()] == [IDENTITY]


def test_what_can_be_used_already_is_found_until_there_is_the_model(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model(library.staging(IDENTITY))
    write_model(library.live(IDENTITY))
    places = []

    def looked(path: Path) -> None:
        places.append(library.find(IDENTITY).id)

    monkeypatch.setattr("underdrawing.store.model_library.sync_file", looked)
    manifest = library.publish(IDENTITY)
    assert set(places) == {IDENTITY}
    assert {p.name for p in library.folder(IDENTITY).iterdir()} == {*manifest.files, MANIFEST_FILE}
    # Killed in between: the next start clears it away.
    write_model(library.folder(IDENTITY) / "live")
    assert not (Library(library.models.parent).folder(IDENTITY) / "live").exists()


@pytest.mark.parametrize("damage", ["missing", "changed", "manifest", "stranger"])
def test_what_is_not_whole_is_not_published(library: Library, damage: str) -> None:
    staging = library.staging(IDENTITY)
    write_model(staging, "ffffffffffff" if damage == "stranger" else IDENTITY)
    if damage == "missing":
        (staging / "generator.onnx").unlink()
    elif damage == "changed":
        (staging / "generator.onnx").write_bytes(b"other")
    elif damage == "manifest":
        (staging / MANIFEST_FILE).write_text("{", encoding="utf-8")
    with pytest.raises(ManifestError):
        library.publish(IDENTITY)
    assert library.all() == []


def test_a_damaged_model_does_not_hide_the_others(library: Library) -> None:
    add(library)
    add(library, "0123456789ac", "moon")
    (library.folder(IDENTITY) / MANIFEST_FILE).write_text("not JSON", encoding="utf-8")
    (library.models / "notes.txt").write_text("the user's own")
    assert [m.name for m in library.all()] == ["moon"]


def test_models_are_found_by_id_beginning_and_name(library: Library) -> None:
    add(library)
    add(library, "0123456789ac", "moon")
    assert library.find(IDENTITY).name == "sun"
    assert library.find("moon").id == "0123456789ac"
    assert library.find("0123456789ac").name == "moon"
    add(library, "fedcba987654", "moon")
    assert library.find("moon").id == "fedcba987654", "the newest of a name"
    with pytest.raises(EngineError) as several:
        library.find("0123")
    assert several.value.code == "ambiguous"
    for wanted in ("012", "nobody", "", "../models/" + IDENTITY):
        with pytest.raises(EngineError) as caught:
            library.find(wanted)
        assert caught.value.code == "unknown_model"


def test_rename_is_read_again_and_delete_is_for_good(library: Library) -> None:
    add(library)
    library.rename(library.find("sun"), "słońce 太陽")
    assert library.find("słońce 太陽").id == IDENTITY
    assert Library(library.models.parent).find("słońce 太陽").id == IDENTITY
    library.delete(library.find(IDENTITY))
    assert library.all() == []
    assert list(library.models.iterdir()) == []


def test_a_deletion_that_is_interrupted_leaves_no_half_of_a_model(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model's name goes before the first of its files does."""
    add(library)

    def killed(folder: Path, ignore_errors: bool = False) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("underdrawing.store.model_library.shutil.rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            library.delete(library.find(IDENTITY))
    assert not library.folder(IDENTITY).exists()
    assert library.all() == []
    Library(library.models.parent)
    assert list(library.models.iterdir()) == []


def test_an_interrupted_deletion_is_finished_at_the_next_start(library: Library) -> None:
    add(library)
    library.folder(IDENTITY).rename(library.models / f".{IDENTITY}")
    again = Library(library.models.parent)
    assert again.all() == []
    assert list(library.models.iterdir()) == []


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "\x00", "x" * (LONGEST_NAME + 1), None, 7])
def test_impossible_names_are_refused(name: object) -> None:
    with pytest.raises(EngineError):
        checked_name(name)


def test_a_publishing_that_fails_leaves_the_training_as_it_was(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model(library.staging(IDENTITY))

    def broken(self: Path, target: Path) -> None:
        raise OSError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", broken)
        with pytest.raises(OSError, match="gone"):
            library.publish(IDENTITY)
    assert library.publish(IDENTITY).id == IDENTITY
