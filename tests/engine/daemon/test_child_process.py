"""Worker and renderer as the daemon keeps them: real processes that obey, hang, crash, lie and eat memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from underdrawing.client.messages import EngineError, Message, request
from underdrawing.daemon import training_supervisor
from underdrawing.daemon.child_process import Child, ChildTask, Inbox, end_leftovers
from underdrawing.daemon.clients import Ask
from underdrawing.daemon.job_queue import Job, Jobs, State
from underdrawing.daemon.render_queue import MOST_OF_ONE, Rendering
from underdrawing.daemon.training_supervisor import Supervisor
from underdrawing.store.blob_store import Spool
from underdrawing.store.model_library import Library, new_identity

FOREVER, PLENTY = 60.0, 1 << 40


class Place:
    """What a daemon has: an inbox, a spool, a library, and a loop that `until` runs."""

    def __init__(self, home: Path) -> None:
        self.home, self.inbox, self.spool, self.library = home, Inbox(), Spool(home / "spool"), Library(home)
        self.ticking: list[Callable[[], None]] = []
        self.sent: list[Message] = []
        self.ended: list[tuple[dict[str, Any] | None, EngineError | None]] = []
        self.events: list[dict[str, Any]] = []
        self._number = 0

    def until(self, what: Callable[[], object]) -> None:
        """Run the loop until something is so."""
        end = time.monotonic() + 30
        while not what():
            assert time.monotonic() < end, "it did not come about"
            self.inbox.run()
            for tick in self.ticking:
                tick()
            time.sleep(0.005)

    def task(
        self, name: str = "apply", on_event: Any = None, on_end: Any = None, args: Any = None, **more: Any
    ) -> ChildTask:
        self._number += 1
        ended = on_end or (lambda result, error: self.ended.append((result, error)))
        return ChildTask(self._number, name, {**(args or {}), **more}, on_event or self.events.append, ended)

    def ask(self, client: bytes = b"one") -> Ask:
        return Ask(lambda _, message: self.sent.append(message), self.spool, client, request("apply", {}))


@pytest.fixture
def place(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), *sys.path]))
    made, seen = Place(home), []
    begin = Child.__init__

    def remembered(self: Child, *args: Any) -> None:
        begin(self, *args)
        seen.append(self)

    monkeypatch.setattr(Child, "__init__", remembered)
    yield made
    made.ticking.clear()

    def over() -> bool:
        for one in seen:  # what waits in a queue starts another
            one.kill()
        return all(one.process.stdin is None or one.process.stdin.closed for one in seen)

    made.until(over)
    made.inbox.close()


@pytest.fixture
def child(place: Place) -> Child:
    made = Child("scripted", "scripted", place.inbox, place.home / "run" / "child-test.json")
    place.ticking.append(lambda: made.tick(time.monotonic(), PLENTY))
    return made


def test_a_task_gives_events_and_a_result(place: Place, child: Child) -> None:
    child.give(place.task(events=3, result={"width": 7}))
    place.until(lambda: place.ended)
    assert [event["iteration"] for event in place.events] == [0, 1, 2]
    result, error = place.ended[0]
    assert error is None
    assert result is not None
    assert result["width"] == 7


@pytest.mark.parametrize(
    ("args", "code", "text"),
    [
        ({"error": "It is so."}, "told", "It is so."),
        ({"raise": "deep inside"}, "internal", "ValueError"),
        ({"crash": True}, "crashed", "ended unexpectedly"),
    ],
)
def test_errors_come_back_as_errors(place: Place, child: Child, args: dict[str, Any], code: str, text: str) -> None:
    child.give(place.task(**args))
    place.until(lambda: place.ended)
    _, error = place.ended[0]
    assert error is not None
    assert error.code == code
    assert text in error.message


def test_an_unknown_task_is_refused_and_the_child_lives(place: Place, child: Child) -> None:
    child.give(place.task("magic"))
    child.give(place.task("apply"))
    place.until(lambda: len(place.ended) == 2)
    assert place.ended[0][1] is not None
    assert place.ended[1][1] is None


def test_lines_that_are_none_of_ours_harm_nobody(place: Place, child: Child) -> None:
    garbage = ["not JSON", "[1, 2]", '{"id": 99, "ok": true}', '{"id": [1]}', "[" * 100_000, "null", '{"ok": true}']
    child.give(place.task(garbage=garbage))
    place.until(lambda: place.ended)
    assert place.ended[0][1] is None


def test_who_obeys_is_not_killed_and_who_does_not_is(place: Place, child: Child) -> None:
    child.give(place.task(wait=FOREVER))
    child.control(1, "cancel", 20.0)
    place.until(lambda: place.ended)
    assert place.ended[0] == ({"state": "cancelled"}, None)
    assert child.alive
    child.give(place.task(wait=FOREVER, obey=False))
    child.control(2, "cancel", 0.2)
    place.until(lambda: len(place.ended) == 2)
    assert place.ended[1][1] is not None
    assert place.ended[1][1].code == "cancelled"
    assert not child.alive


def test_a_child_that_takes_too_much_memory_is_ended(place: Place, child: Child) -> None:
    place.ticking[0] = lambda: child.tick(time.monotonic(), 200 << 20)
    child.give(place.task(memory=400 << 20, wait=FOREVER))
    place.until(lambda: place.ended)
    error = place.ended[0][1]
    assert error is not None
    assert error.code == "out_of_memory"
    assert "200 MiB" in error.message


def test_suspended_is_standing_still(place: Place, child: Child) -> None:
    child.give(place.task(wait=FOREVER))
    place.until(lambda: psutil.Process(child.process.pid).cpu_times().user > 0)
    child.suspend()
    place.until(lambda: psutil.Process(child.process.pid).status() == psutil.STATUS_STOPPED)
    child.resume()
    place.until(lambda: psutil.Process(child.process.pid).status() != psutil.STATUS_STOPPED)


def test_leftovers_of_a_killed_engine_are_ended_and_strangers_are_not(home: Path) -> None:
    folder = home / "run"
    ours, other = (subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) for _ in range(2))
    try:
        began = psutil.Process(ours.pid).create_time()
        (folder / "child-worker.json").write_text(json.dumps({"pid": ours.pid, "began": began}))
        (folder / "child-renderer.json").write_text(json.dumps({"pid": other.pid, "began": began - 500}))
        (folder / "child-damaged.json").write_text("{")
        end_leftovers(folder)
        ours.wait(10)
        assert other.poll() is None
        assert not list(folder.glob("child-*"))
    finally:
        ours.kill()
        other.kill()
        ours.wait()
        other.wait()


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
    assert len(place.ended) == 1
    assert place.ended[0][0] == {"state": "cancelled"}


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
