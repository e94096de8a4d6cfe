"""Requests to train, and what reaches the renderer."""

from __future__ import annotations

import json
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from tests.engine.daemon.desk import OTHER, PICTURE, Desk, code, desk, training
from underdrawing.daemon import handlers_train
from underdrawing.daemon.job_queue import MOST_WAITING, Jobs, State
from underdrawing.store.model_library import Library

__all__ = ["desk"]  # a fixture


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


@pytest.mark.parametrize("extra", [{"mask": {"hash": []}}, {"composite": {"base": {}, "patches": [{"hash": 7}]}}])
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
