"""What the engine does with requests, without sockets and processes: a daemon that a test steps by hand."""

from __future__ import annotations

import json
import shutil
import time
from collections import namedtuple
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.engine.handmade_model import IDENTITY, write_model
from underdrawing.client.frames import Frame
from underdrawing.client.messages import EngineError, Message, decode, request
from underdrawing.daemon import handlers_train
from underdrawing.daemon.child_process import ChildTask
from underdrawing.daemon.clients import Ask
from underdrawing.daemon.job_queue import MOST_WAITING, Jobs, State
from underdrawing.daemon.server import Daemon, Settings
from underdrawing.store import model_archive
from underdrawing.store.manifest import MANIFEST_FILE
from underdrawing.store.model_library import Library

PICTURE = Frame(8, 6, "RGB", "u8", bytes(range(144)))
OTHER = Frame(8, 6, "RGB", "u8", bytes(144))


class Desk:
    """A daemon, and what it sends. What it would have a renderer do is written down instead."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.daemon = Daemon(home, Settings())
        self.sent: list[tuple[bytes, Message]] = []
        self.rendered: list[tuple[ChildTask, Ask, tuple[str, ...]]] = []
        monkeypatch.setattr(self.daemon, "send", self._send)
        self.daemon.clients._send = self._send
        monkeypatch.setattr(self.daemon.rendering, "submit", self._submit)

    def _send(self, client: bytes, message: Message) -> None:
        # Through the wire's own checks: what a client would refuse is no answer.
        self.sent.append((client, decode(message.encode())))

    def _submit(self, task: ChildTask, ask: Ask, pins: tuple[str, ...] = ()) -> None:
        self.rendered.append((task, ask, pins))

    def say(self, verb: str, body: dict[str, Any], frames: Sequence[Frame] = (), client: bytes = b"one") -> str:
        """A request; its id."""
        message = request(verb, body, [f.header() for f in frames], [f.blob() for f in frames])
        self.daemon.receive([client, *message.encode()])
        return message.id

    def answer(self, identity: str) -> Message:
        """The end of a request, once what goes on beside the loop has come about."""
        until = time.monotonic() + 30
        while True:
            self.daemon.inbox.run()
            for _, message in self.sent:
                if message.id == identity and message.kind != "event":
                    return message
            assert time.monotonic() < until, "no answer came"
            time.sleep(0.005)

    def ask(self, verb: str, body: dict[str, Any], frames: Sequence[Frame] = (), client: bytes = b"one") -> Message:
        return self.answer(self.say(verb, body, frames, client))

    def rest(self) -> None:
        """Until nothing goes on beside the loop."""
        until = time.monotonic() + 30
        while self.daemon._chores:
            assert time.monotonic() < until
            self.daemon.inbox.run()
            time.sleep(0.005)


@pytest.fixture
def desk(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    made = Desk(home, monkeypatch)
    yield made
    made.daemon.chores.shutdown()
    made.daemon.inbox.close()
    made.daemon.context.term()


def training(**more: Any) -> dict[str, Any]:
    return {"picture": {"hash": PICTURE.hash}, "planes": {"paint": {"hash": OTHER.hash}}, **more}


def code(message: Message) -> str:
    assert message.kind == "error", message
    assert message.body["message"]
    return str(message.body["code"])


# --- models from elsewhere


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


# --- trainings


def test_the_same_request_twice_is_one_job(desk: Desk) -> None:
    first = desk.ask("train", training(key="k"), (PICTURE, OTHER)).body
    again = desk.ask("train", training(key="k"), client=b"two").body
    assert (first["existing"], again["existing"]) == (False, True)
    assert again["job"] == first["job"]
    (job,) = desk.daemon.jobs.jobs.values()
    assert job.owners == {b"one", b"two"}


def test_a_job_has_its_pictures_for_itself(desk: Desk) -> None:
    begun = desk.ask("train", training(), (PICTURE, OTHER)).body
    shutil.rmtree(desk.daemon.spool.folder)
    kept = {path.name for path in (desk.daemon.library.staging(begun["model"]) / "inputs").iterdir()}
    assert kept == {f"{frame.hash}.{kind}" for frame in (PICTURE, OTHER) for kind in ("raw", "json")}


@pytest.mark.parametrize("keep", [True, False])
def test_what_becomes_of_a_job_without_its_client_outlives_a_kill(desk: Desk, home: Path, keep: bool) -> None:
    desk.ask("train", training(on_disconnect="continue" if keep else "cancel"), (PICTURE, OTHER))
    jobs = Jobs(Library(home))
    jobs.restore()
    assert [job.keep for job in jobs.jobs.values()] == [keep]


def test_a_goodbye_ends_jobs_that_nobody_else_wants(desk: Desk) -> None:
    desk.ask("train", training(on_disconnect="cancel"), (PICTURE, OTHER))
    desk.ask("train", training(on_disconnect="cancel"), client=b"two")
    (job,) = desk.daemon.jobs.jobs.values()
    desk.say("bye", {})
    assert job.state is State.QUEUED
    desk.say("bye", {}, client=b"two")
    assert job.state is State.CANCELLED


def test_a_goodbye_ends_the_other_jobs_where_one_is_on_its_way_into_the_library(desk: Desk) -> None:
    for seed in (1, 2):
        desk.ask("train", training(on_disconnect="cancel", seed=seed), (PICTURE, OTHER))
    finished, other = desk.daemon.jobs.jobs.values()
    finished.state = State.RUNNING
    desk.say("bye", {})
    assert (finished.state, other.state) == (State.RUNNING, State.CANCELLED)


def test_a_full_queue_refuses_and_leaves_nothing(desk: Desk) -> None:
    for seed in range(MOST_WAITING):
        desk.ask("train", training(seed=seed), (PICTURE, OTHER))
    assert code(desk.ask("train", training(seed=99))) == "queue_full"
    assert len(list(desk.daemon.library.training.iterdir())) == MOST_WAITING


def test_a_full_disk_refuses_a_training(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")(1 << 40, 1 << 40, 100 << 20)
    monkeypatch.setattr(handlers_train.shutil, "disk_usage", lambda _: usage)
    answer = desk.ask("train", training(), (PICTURE, OTHER))
    assert code(answer) == "disk_full"
    assert "100 MiB" in answer.body["message"]
    assert list(desk.daemon.library.training.iterdir()) == []


def test_a_job_whose_pictures_cannot_be_kept_leaves_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(desk.daemon.spool, "link", full)
    assert code(desk.ask("train", training(), (PICTURE, OTHER))) == "disk"
    assert list(desk.daemon.library.training.iterdir()) == []
    assert not desk.daemon.jobs.jobs


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({"picture": {"hash": "f" * 64}}, "unknown_picture"),
        ({"picture": {"hash": "../x"}}, "bad_request"),
        ({"picture": {}}, "bad_request"),
        ({"picture": "x"}, "bad_request"),
        ({"picture": {"base": PICTURE.hash, "patches": [{"hash": OTHER.hash, "x": 0}]}}, "bad_request"),
        ({"picture": {"base": PICTURE.hash, "patches": [{"hash": OTHER.hash, "x": "0", "y": 0}]}}, "bad_request"),
        ({"picture": {"base": PICTURE.hash, "patches": [7]}}, "bad_request"),
        ({"picture": {"base": PICTURE.hash, "patches": [{}] * 1000}}, "bad_request"),
        ({"planes": {}}, "plane_missing"),
        ({"planes": {str(n): {"hash": OTHER.hash} for n in range(9)}}, "plane_missing"),
        ({"planes": {"paint": [OTHER.hash]}}, "bad_request"),
        ({"seed": -1}, "bad_request"),
        ({"seed": True}, "bad_request"),
        ({"threads": 0}, "bad_request"),
        ({"budget": -1}, "bad_request"),
        ({"iterations": "many"}, "bad_request"),
        ({"region": [0, 0, 4]}, "bad_request"),
        ({"region": [0, 0, 4, -4]}, "bad_request"),
        ({"options": []}, "bad_request"),
        ({"name": "\u0007"}, "bad_name"),
    ],
)
def test_requests_that_cannot_be_right_queue_nothing(desk: Desk, more: dict[str, Any], wanted: str) -> None:
    assert code(desk.ask("train", training(**more), (PICTURE, OTHER))) == wanted
    assert not desk.daemon.jobs.jobs
    assert list(desk.daemon.library.training.iterdir()) == []


# --- what reaches the renderer


@pytest.mark.parametrize("extra", [{"mask": {"hash": []}}, {"picture": {"base": {}, "patches": [{"hash": 7}]}}])
def test_what_no_verb_takes_is_neither_pinned_nor_passed_on(desk: Desk, extra: dict[str, Any]) -> None:
    body = {"planes": {"paint": {"hash": OTHER.hash}}, "region": {"point": [1, 2]}, "operation": "remove", **extra}
    desk.say("region", body, (OTHER,))
    task, _, pins = desk.rendered[0]
    assert pins == (OTHER.hash,)
    assert not extra.keys() & task.args.keys()


@pytest.mark.parametrize("folder", ["home", "spool", "weights"])
def test_a_client_cannot_name_the_renderers_folders(desk: Desk, folder: str) -> None:
    body = {
        "planes": {"paint": {"hash": OTHER.hash}},
        "region": {"point": [1, 2]},
        "operation": "remove",
        folder: "/etc",
    }
    desk.say("region", body, (OTHER,))
    assert desk.rendered[0][0].args[folder] != "/etc"


@pytest.mark.parametrize("region", [{}, {"point": [1]}, {"point": [1, 2.5]}, {"class": 7}, {"mask": {"hash": "x"}}])
def test_a_region_is_a_mask_a_point_or_a_class(desk: Desk, region: dict[str, Any]) -> None:
    body = {"planes": {"paint": {"hash": OTHER.hash}}, "region": region}
    assert code(desk.ask("region", body, (OTHER,))) == "bad_request"
    assert desk.rendered == []


def test_a_fault_inside_is_told_without_its_insides(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> list[Any]:
        raise RuntimeError("secret words")

    monkeypatch.setattr(desk.daemon.library, "all", fails)
    answer = desk.ask("models.list", {})
    assert code(answer) == "internal"
    assert "secret" not in json.dumps(answer.body)
    assert desk.daemon.clients.asks == {}


@pytest.mark.parametrize("verb", ["", "find", "daemon", "_render", "__init__", "_new_job", "models_list", "Hello"])
def test_what_is_no_verb_is_none(desk: Desk, verb: str) -> None:
    assert code(desk.ask(verb, {})) == "unknown_verb"
