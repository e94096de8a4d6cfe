"""The queue of trainings, and what is left of it when the engine is killed."""

from __future__ import annotations

import pytest

from tests.engine.handmade_model import write_model
from underdrawing.client.messages import EngineError
from underdrawing.daemon.job_queue import MOST_WAITING, Job, Jobs, State
from underdrawing.store.model_library import Library, new_identity


def job(library: Library, number: int = 0, state: State = State.QUEUED, **args: object) -> Job:
    made = Job(f"job{number}", new_identity(), f"picture {number}", {"budget": number, **args}, f"key{number}")
    made.state, made.created = state, float(number)
    library.staging(made.model).mkdir(parents=True)
    return made


def test_jobs_run_in_their_order(library: Library) -> None:
    jobs = Jobs(library)
    first, second = job(library, 1), job(library, 2)
    jobs.add(first)
    jobs.add(second)
    assert jobs.waiting()[0] is first
    first.state = State.RUNNING
    assert (jobs.running(), jobs.waiting()) == ([first], [second])


def test_a_full_queue_refuses(library: Library) -> None:
    jobs = Jobs(library)
    for number in range(MOST_WAITING):
        jobs.add(job(library, number))
    with pytest.raises(EngineError) as caught:
        jobs.add(job(library, 99))
    assert caught.value.code == "queue_full"


def test_the_same_request_twice_is_one_job(library: Library) -> None:
    jobs = Jobs(library)
    first = job(library, 1)
    jobs.add(first)
    assert jobs.like("key1", {"something": "else"}) is first
    assert jobs.like("", {"budget": 1}) is first
    assert jobs.like("", {"budget": 2}) is None
    first.state = State.DONE
    assert jobs.like("", {"budget": 1}) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [(State.RUNNING, State.QUEUED), (State.QUEUED, State.QUEUED), (State.PAUSED, State.PAUSED)],
)
def test_a_killed_engine_knows_what_it_was_doing(library: Library, before: State, after: State) -> None:
    left = job(library, 1, before, palette=[{"colour": [1, 2, 3], "name": "grün"}])
    Jobs(library).add(left)
    again = Jobs(library)
    again.restore()
    (found,) = again.jobs.values()
    assert (found.id, found.model, found.args, found.key) == (left.id, left.model, left.args, left.key)
    assert found.state is after
    assert found.keep
    assert not found.owners


def test_failed_jobs_keep_their_error(library: Library) -> None:
    left = job(library, 1, State.FAILED)
    left.error = {"code": "crashed", "message": "It ended.", "hint": ""}
    Jobs(library).store(left)
    again = Jobs(library)
    again.restore()
    assert again.find(left.id).error == left.error


def test_a_model_that_was_finished_is_published(library: Library) -> None:
    left = job(library, 1, State.RUNNING)
    write_model(library.staging(left.model), left.model)
    Jobs(library).store(left)
    again = Jobs(library)
    told = again.restore()
    assert not again.jobs
    assert library.find(left.model).name == "sun"
    assert "published" in told[0]


def test_a_model_that_was_nearly_finished_goes_on(library: Library) -> None:
    left = job(library, 1, State.RUNNING)
    folder = library.staging(left.model)
    write_model(folder, left.model)
    (folder / "generator.onnx").write_bytes(b"half")
    Jobs(library).store(left)
    again = Jobs(library)
    again.restore()
    assert again.find(left.id).state is State.QUEUED
    assert library.all() == []


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"id": 1}', "null"])
def test_what_cannot_be_read_is_removed(library: Library, text: str) -> None:
    identity = new_identity()
    library.staging(identity).mkdir()
    (library.staging(identity) / "job.json").write_text(text)
    jobs = Jobs(library)
    jobs.restore()
    assert not jobs.jobs
    assert not library.staging(identity).exists()


def test_cancelled_leftovers_are_removed(library: Library) -> None:
    left = job(library, 1, State.CANCELLED)
    Jobs(library).store(left)
    jobs = Jobs(library)
    jobs.restore()
    assert not jobs.jobs
    assert not library.staging(left.model).exists()


def test_the_newest_job_of_a_name_is_found(library: Library) -> None:
    jobs = Jobs(library)
    for number in (1, 2):
        made = job(library, number)
        made.name = "same"
        jobs.add(made)
    assert jobs.find("same").id == "job2"
    assert jobs.find("job1").id == "job1"
    with pytest.raises(EngineError):
        jobs.find("nobody")
    with pytest.raises(EngineError):
        jobs.find(None)
