"""Both queues with real child processes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.engine.daemon.place import FOREVER, PLENTY, Place, child, place
from underdrawing.client.messages import EngineError
from underdrawing.daemon import training_supervisor
from underdrawing.daemon.child_process import ChildTask
from underdrawing.daemon.job_queue import Job, Jobs, State
from underdrawing.daemon.render_queue import MOST_OF_ONE, Rendering
from underdrawing.daemon.training_supervisor import Supervisor
from underdrawing.store.model_library import Library, new_identity

__all__ = ["child", "place"]  # fixtures


# --- the renderer's queue


@pytest.fixture
def rendering(place: Place) -> Rendering:
    ways: list[bool] = []
    made = Rendering("scripted", place.inbox, place.home / "run", place.spool, FOREVER, ways.append)
    made.ways = ways  # type: ignore[attr-defined]
    place.ticking.append(lambda: made.tick(time.monotonic(), PLENTY))
    return made


def test_applying_overtakes_what_takes_long(place: Place, rendering: Rendering) -> None:
    order: list[str] = []

    def note(name: str) -> Callable[..., None]:
        return lambda result, error: order.append(name)

    rendering.submit(place.task("primitive", wait=0.2, on_end=note("first")), place.ask())
    rendering.submit(place.task("primitive", on_end=note("primitive")), place.ask())
    rendering.submit(place.task("apply", on_end=note("apply")), place.ask())
    place.until(lambda: len(order) == 3)
    assert order == ["first", "apply", "primitive"]
    # Training stood still meanwhile, and goes on.
    assert rendering.ways[0] is True  # type: ignore[attr-defined]
    place.until(lambda: rendering.ways[-1] is False)  # type: ignore[attr-defined]


def test_a_crash_is_tried_once_more(place: Place, rendering: Rendering) -> None:
    rendering.submit(place.task(once=str(place.home / "was here")), place.ask())
    place.until(lambda: place.ended)
    assert place.ended[0][1] is None


def test_a_second_crash_is_an_error_and_the_next_task_runs(place: Place, rendering: Rendering) -> None:
    rendering.submit(place.task(crash=True), place.ask())
    rendering.submit(place.task(), place.ask())
    place.until(lambda: len(place.ended) == 2)
    assert place.ended[0][1] is not None
    assert place.ended[0][1].code == "crashed"
    assert place.ended[1][1] is None


def test_one_client_cannot_fill_the_queue(place: Place, rendering: Rendering) -> None:
    rendering.submit(place.task(wait=FOREVER), place.ask())
    for _ in range(MOST_OF_ONE):
        rendering.submit(place.task(), place.ask())
    with pytest.raises(EngineError) as caught:
        rendering.submit(place.task(), place.ask())
    assert caught.value.code == "queue_full"
    rendering.submit(place.task(), place.ask(b"two"))


def test_what_nobody_waits_for_is_not_done(place: Place, rendering: Rendering) -> None:
    running, waiting = place.ask(), place.ask()
    rendering.submit(place.task(wait=FOREVER), running)
    rendering.submit(place.task(), waiting)
    waiting.on_abandon()
    running.on_abandon()
    place.until(lambda: rendering.current is None)
    ((result, error),) = place.ended
    # One that does not obey within a moment is killed.
    assert result == {"state": "cancelled"} if error is None else error.code == "cancelled"


def test_an_unused_renderer_ends(place: Place, rendering: Rendering) -> None:
    rendering.submit(place.task(), place.ask())
    place.until(lambda: place.ended)
    rendering.idle = 0.0
    place.until(lambda: rendering.child is None)
    assert rendering.describe() is None


# --- trainings


@pytest.fixture
def supervisor(place: Place) -> Iterator[Supervisor]:
    def make(name: str, args: dict[str, Any], on_event: Any, on_end: Any) -> ChildTask:
        return place.task(name, on_event, on_end, args)

    chores = ThreadPoolExecutor(1)
    jobs = Jobs(place.library)
    made = Supervisor("scripted", jobs, place.library, place.inbox, place.home / "run", make, chores)
    place.ticking.append(lambda: made.tick(time.monotonic(), PLENTY))
    yield made
    made.close()
    chores.shutdown()


def begin(place: Place, supervisor: Supervisor, **args: Any) -> Job:
    identity = new_identity()
    place.library.staging(identity).mkdir(parents=True)
    job = Job(f"job {identity}", identity, "picture", args)
    supervisor.jobs.add(job)
    return job


def test_a_worker_that_crashes_goes_on(place: Place, supervisor: Supervisor) -> None:
    job = begin(place, supervisor, events=1, once=str(place.home / "was here"), error="reached the end")
    place.until(lambda: job.state is State.FAILED)
    assert job.error is not None
    assert job.error["code"] == "told"
    assert any("last checkpoint" in note for note in job.notes)


def test_a_worker_that_never_comes_further_is_given_up(place: Place, supervisor: Supervisor) -> None:
    job = begin(place, supervisor, events=2, crash=True)
    place.until(lambda: job.state is State.FAILED)
    assert job.error is not None
    assert job.error["code"] == "crashed"
    assert job.crashes == training_supervisor.CRASHES
    assert place.library.staging(job.model).exists()
    supervisor.resume(job)
    assert job.state is State.QUEUED
    supervisor.cancel(job)
    assert not place.library.staging(job.model).exists()


def test_pause_resume_and_cancel(place: Place, supervisor: Supervisor) -> None:
    job = begin(place, supervisor, events=1, wait=FOREVER)
    place.until(lambda: job.progress)
    supervisor.pause(job)
    place.until(lambda: job.state is State.PAUSED)
    assert json.loads((place.library.staging(job.model) / "job.json").read_text())["state"] == "paused"
    supervisor.resume(job)
    place.until(lambda: job.state is State.RUNNING)
    supervisor.cancel(job)
    place.until(lambda: job.state is State.CANCELLED)
    with pytest.raises(EngineError):
        supervisor.pause(job)


def test_a_training_on_the_processor_makes_way_for_an_apply(place: Place, supervisor: Supervisor) -> None:
    job = begin(place, supervisor, events=1, wait=FOREVER)
    place.until(lambda: job.progress)
    worker = supervisor.worker
    assert worker is not None
    supervisor.make_way(True)
    assert worker.suspended
    supervisor.make_way(False)
    assert not worker.suspended
    # One on a card of its own need not.
    job.progress = {"device": "NVIDIA H200"}
    supervisor.make_way(True)
    assert not worker.suspended


def test_a_draft_never_waits_for_a_training(place: Place, supervisor: Supervisor) -> None:
    long = begin(place, supervisor, events=1, wait=FOREVER)
    place.until(lambda: long.progress)
    training = supervisor.worker
    assert training is not None
    draft = begin(place, supervisor, method="draft", events=1, wait=FOREVER)
    place.until(lambda: draft.progress)
    assert (long.state, draft.state) == (State.RUNNING, State.RUNNING)
    assert training.suspended, "the processors are for the draft"
    other = begin(place, supervisor, method="draft", error="the end")
    place.until(lambda: other.state is State.QUEUED)
    supervisor.cancel(draft)
    place.until(lambda: other.state is State.FAILED and not training.suspended)
    supervisor.cancel(long)
    place.until(lambda: long.state is State.CANCELLED)


def test_the_worker_for_drafts_is_there_before_they_are_wanted_and_goes_again(
    place: Place, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor.warm()
    (warm,) = supervisor.workers.values()
    assert supervisor.worker is None, "it does nothing yet"
    for _ in range(2):
        draft = begin(place, supervisor, method="draft", events=1, error="the end")
        place.until(lambda draft=draft: draft.state is State.FAILED)
        assert list(supervisor.workers.values()) == [warm]
    monkeypatch.setattr(training_supervisor, "DRAFT_IDLE", 0.0)
    place.until(lambda: not supervisor.workers)
    assert not warm.alive


def test_a_suspended_training_can_be_cancelled(place: Place, supervisor: Supervisor) -> None:
    job = begin(place, supervisor, events=1, wait=FOREVER)
    place.until(lambda: job.progress)
    supervisor.make_way(True)
    supervisor.cancel(job)
    place.until(lambda: job.state is State.CANCELLED)


def test_watchers_hear_everything_and_the_end(place: Place, supervisor: Supervisor) -> None:
    job = begin(place, supervisor, events=3, wait=0.2, error="the end")
    watching = place.ask()
    supervisor.watch(job, watching)
    place.until(lambda: not watching.open)
    kinds = [message.body.get("event") for message in place.sent]
    assert kinds.count("progress") == 3
    assert kinds[0] == "state"
    assert place.sent[-1].body["state"] == "failed"
    assert not supervisor.watchers


def test_jobs_of_a_client_that_is_gone_end_or_go_on_as_asked(place: Place, supervisor: Supervisor) -> None:
    staying, going = (begin(place, supervisor, wait=FOREVER) for _ in range(2))
    for job in (staying, going):
        job.owners.add(b"one")
    going.keep = False
    place.until(lambda: staying.state is State.RUNNING)
    supervisor.client_gone(b"one")
    assert going.state is State.CANCELLED
    assert staying.state is State.RUNNING


def test_parking_leaves_the_job_for_the_next_engine(place: Place, supervisor: Supervisor) -> None:
    job = begin(place, supervisor, events=1, wait=FOREVER)
    place.until(lambda: job.progress)
    supervisor.park()
    place.until(lambda: supervisor.parked)
    again = Jobs(Library(place.home))
    again.restore()
    assert again.find(job.id).state is State.QUEUED
