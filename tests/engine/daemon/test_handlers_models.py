"""Requests about models: import, export, names and files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.daemon.desk import PICTURE, Desk, code, desk
from tests.engine.handmade_model import IDENTITY, write_model
from underdrawing.client.messages import EngineError
from underdrawing.daemon.child_process import ChildTask
from underdrawing.daemon.clients import Ask
from underdrawing.daemon.job_queue import Jobs
from underdrawing.store import model_archive
from underdrawing.store.manifest import MANIFEST_FILE
from underdrawing.store.model_library import Library

__all__ = ["desk"]  # a fixture


@pytest.fixture
def packed(desk: Desk, tmp_path: Path) -> str:
    """A good model file in the spool; its hash."""
    manifest = write_model(tmp_path / "model")
    path = desk.daemon.spool.folder / "packed.tmp"
    model_archive.write(tmp_path / "model", manifest, path)
    return desk.daemon.spool.adopt(path)


def begun(desk: Desk, packed: str) -> tuple[str, ChildTask, Ask]:
    """An import that waits for the renderer's word."""
    identity = desk.say("models.import", {"hash": packed})
    desk.rest()
    task, ask, _ = desk.rendered[-1]
    assert task.name == "check_model"
    return identity, task, ask


def test_a_model_that_was_looked_into_is_taken_in(desk: Desk, packed: str) -> None:
    identity, task, _ = begun(desk, packed)
    assert desk.daemon.library.all() == []
    assert (Path(task.args["model_folder"]) / MANIFEST_FILE).is_file()
    task.on_end({"id": "whatever"}, None)
    answer = desk.answer(identity)
    assert answer.body["name"] == "sun"
    assert [m.id for m in desk.daemon.library.all()] == [answer.body["id"]]
    assert list(desk.daemon.library.training.iterdir()) == []
    assert not desk.daemon.spool.pinned


def test_a_model_that_is_refused_leaves_nothing(desk: Desk, packed: str) -> None:
    identity, task, _ = begun(desk, packed)
    task.on_end(None, EngineError("bad_model", "It uses an operator.", ""))
    assert code(desk.answer(identity)) == "bad_model"
    assert list(desk.daemon.library.training.iterdir()) == []
    assert desk.daemon.library.all() == []


def test_an_engine_killed_before_a_model_was_looked_into_does_not_take_it_in(
    desk: Desk, packed: str, home: Path
) -> None:
    """Else a stranger's model would come in unseen at the next start."""
    begun(desk, packed)
    again = Library(home)
    jobs = Jobs(again)
    jobs.restore()
    assert again.all() == [] and not jobs.jobs
    assert list(again.training.iterdir()) == []


def test_an_engine_killed_after_a_model_was_looked_into_takes_it_in(
    desk: Desk, packed: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    _, task, _ = begun(desk, packed)
    monkeypatch.setattr(desk.daemon.library, "publish", killed)
    identity = Path(task.args["model_folder"]).name.removesuffix(".incoming")
    with pytest.raises(KeyboardInterrupt):
        desk.daemon.library.accept(identity)
    again = Library(home)
    Jobs(again).restore()
    assert [m.id for m in again.all()] == [identity]


def test_an_import_that_nobody_waits_for_leaves_nothing(desk: Desk, packed: str) -> None:
    identity, _, _ = begun(desk, packed)
    desk.say("abandon", {"request": identity})
    assert list(desk.daemon.library.training.iterdir()) == []


def test_an_import_given_up_while_it_is_unpacked_goes_no_further(desk: Desk, packed: str) -> None:
    identity = desk.say("models.import", {"hash": packed})
    desk.say("abandon", {"request": identity})
    desk.rest()
    assert desk.rendered == []
    assert list(desk.daemon.library.training.iterdir()) == []
    assert not desk.daemon.spool.pinned


def test_a_picture_is_no_model_file(desk: Desk) -> None:
    desk.daemon.spool.put(PICTURE.header(), PICTURE.blob())
    assert code(desk.ask("models.import", {"hash": PICTURE.hash})) == "bad_model"
    assert code(desk.ask("models.import", {"hash": "0" * 64})) == "unknown_picture"
    assert code(desk.ask("models.import", {"hash": "../../x"})) == "bad_request"
    assert not desk.daemon.spool.pinned


def test_an_export_can_be_imported(desk: Desk) -> None:
    library = desk.daemon.library
    write_model(library.staging(IDENTITY), name="Straße 道")
    library.publish(IDENTITY)
    exported = desk.ask("models.export", {"model": IDENTITY}).body
    assert "picture" in exported["note"]
    identity, task, _ = begun(desk, exported["hash"])
    task.on_end({}, None)
    found = desk.answer(identity).body
    assert found["name"] == "Straße 道" and found["id"] != IDENTITY
    assert len(library.all()) == 2


@pytest.mark.parametrize("verb", ["models.export", "models.file"])
def test_a_full_disk_leaves_no_half_of_a_file(desk: Desk, verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    library, spool = desk.daemon.library, desk.daemon.spool
    write_model(library.staging(IDENTITY))
    library.publish(IDENTITY)

    def full(path: Path) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spool, "adopt", full)
    answer = desk.ask(verb, {"model": IDENTITY, "file": "picture.png"})
    assert code(answer) == "disk"
    assert "No space left" in answer.body["message"]
    assert list(spool.folder.iterdir()) == []


@pytest.mark.parametrize("file", ["../../keys/engine.key", "/etc/passwd", "job.json", "", "generator.onnx/.."])
def test_only_files_of_the_model_are_given_out(desk: Desk, file: str) -> None:
    write_model(desk.daemon.library.staging(IDENTITY))
    desk.daemon.library.publish(IDENTITY)
    assert code(desk.ask("models.file", {"model": IDENTITY, "file": file})) == "unknown_file"


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 200, 7, None, ["x"]])
def test_models_keep_their_name_where_the_new_one_is_impossible(desk: Desk, name: object) -> None:
    write_model(desk.daemon.library.staging(IDENTITY))
    desk.daemon.library.publish(IDENTITY)
    assert code(desk.ask("models.rename", {"model": IDENTITY, "name": name})) in ("bad_name", "bad_request")
    assert desk.daemon.library.find(IDENTITY).name == "sun"


def test_names_of_one_length_in_quick_succession(desk: Desk) -> None:
    """The disk's clock may stand still between two of them."""
    write_model(desk.daemon.library.staging(IDENTITY))
    desk.daemon.library.publish(IDENTITY)
    for name in [f"name {letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]:
        desk.ask("models.rename", {"model": IDENTITY, "name": name})
        assert [m["name"] for m in desk.ask("models.list", {}).body["models"]] == [name]
