"""The queue of trainings: order, crashes, wishes and their deadlines, who watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.engine.daemon.puppets import PLENTY, Puppet, inbox, puppets
from tests.engine.handmade_model import write_model
from underdrawing.client.messages import EngineError, Message, request
from underdrawing.daemon import training_supervisor
from underdrawing.daemon.child_process import CANCELLED, ChildTask, Inbox
from underdrawing.daemon.clients import Ask
from underdrawing.daemon.job_queue import Job, Jobs, State
from underdrawing.daemon.training_supervisor import CRASHES, PARK, PAUSE, Supervisor
from underdrawing.store.blob_store import Spool
from underdrawing.store.model_library import Library, new_identity

__all__ = ["inbox", "puppets"]  # fixtures


class School:
    """The supervisor, stepped by hand."""

    def __init__(self, home: Path, inbox: Inbox) -> None:
        self.inbox, self.library = inbox, Library(home)
        self.jobs, self.chores = Jobs(self.library), ThreadPoolExecutor(1)
        self.supervisor = Supervisor("none", self.jobs, self.library, inbox, home / "run", self._task, self.chores)
        self.spool = Spool(home / "spool")
        self.sent: list[Message] = []

    def _task(self, name: str, args: dict[str, Any], on_event: Any, on_end: Any) -> ChildTask:
        return ChildTask(1, name, args, on_event, on_end)

    def begin(self, run: bool = True) -> Job:
        identity = new_identity()
        self.library.staging(identity).mkdir()
        job = Job(f"job {identity}", identity, "picture", {})
        self.jobs.add(job)
        if run:
            self.tick()
            assert job.state is State.RUNNING
        return job

    def tick(self) -> None:
        self.supervisor.tick(0.0, PLENTY)

    def end(self, result: dict[str, Any] | None, error: EngineError | None = None) -> None:
        """The worker's answer; the worker is ended then."""
        Puppet.made[-1].answer(result, error)

    def settle(self) -> None:
        """What goes on in another thread comes about."""
        self.chores.submit(lambda: None).result(30)
        self.inbox.run()

    def watch(self, job: Job) -> Ask:
        ask = Ask(lambda _, message: self.sent.append(message), self.spool, b"one", request("watch", {}))
        self.supervisor.watch(job, ask)
        return ask


@pytest.fixture
def school(home: Path, inbox: Inbox) -> Iterator[School]:
    made = School(home, inbox)
    yield made
    made.chores.shutdown()


def progress(job: Job, school: School, iteration: int, device: str = "CPU") -> None:
    school.supervisor.heard(job, {"event": "progress", "iteration": iteration, "device": device})


def test_one_job_at_a_time_in_their_order(school: School, puppets: list[Puppet]) -> None:
    first, second = school.begin(), school.begin(run=False)
    school.tick()
    assert (first.state, second.state, len(puppets)) == (State.RUNNING, State.QUEUED, 1)
    school.end(None, EngineError("diverged", "It diverged.", "Use another recipe."))
    school.tick()
    assert (first.state, second.state, len(puppets)) == (State.FAILED, State.RUNNING, 2)
    assert first.error == {"code": "diverged", "message": "It diverged.", "hint": "Use another recipe."}
    assert not puppets[0].alive


def test_a_finished_training_becomes_a_model(school: School) -> None:
    job = school.begin()
    write_model(school.library.staging(job.model), job.model)
    school.end({"state": "done", "figures": {"iterations": 9}})
    assert school.supervisor.busy and not school.supervisor.parked
    school.settle()
    assert job.state is State.DONE and job.figures == {"iterations": 9}
    assert [m.id for m in school.library.all()] == [job.model]
    assert not school.supervisor.busy and school.supervisor.parked


def test_a_training_that_only_says_it_is_finished_is_kept(school: School) -> None:
    job = school.begin()
    school.end({"state": "done"})
    school.settle()
    assert (job.state, (job.error or {})["code"]) == (State.FAILED, "not_published")
    assert school.library.all() == [] and school.library.staging(job.model).is_dir()
    school.supervisor.resume(job)
    assert job.state is State.QUEUED and job.error is None


def test_an_end_without_a_result_is_said(school: School) -> None:
    job = school.begin()
    school.end({"state": "whatever"})
    assert (job.state, (job.error or {})["code"]) == (State.FAILED, "internal")


def test_three_crashes_in_one_place_are_the_end(school: School, puppets: list[Puppet]) -> None:
    job = school.begin()
    progress(job, school, 40)
    for number in range(CRASHES):
        assert (job.state, len(puppets)) == (State.RUNNING, number + 1)
        puppets[-1].crash()
        school.tick()
    assert (job.state, (job.error or {})["code"]) == (State.FAILED, "crashed")
    assert len(puppets) == CRASHES


def test_crashes_on_the_way_are_forgiven(school: School, puppets: list[Puppet]) -> None:
    job = school.begin()
    for step in range(1, 4 * CRASHES):
        progress(job, school, step)
        puppets[-1].crash()
        assert job.state is State.QUEUED and "last checkpoint" in job.notes[-1]
        school.tick()
    assert job.state is State.RUNNING


def test_a_checkpoint_that_is_older_than_the_crash_is_no_way_forward(school: School, puppets: list[Puppet]) -> None:
    """It comes to 40, crashes, begins at 30 and crashes before 40: no step further."""
    job = school.begin()
    for iteration in (40, 31, 39):
        assert job.state is State.RUNNING
        progress(job, school, iteration)
        puppets[-1].crash()
        school.tick()
    assert job.state is State.FAILED


def test_a_memory_that_runs_out_is_no_crash_to_be_tried_again(school: School, puppets: list[Puppet]) -> None:
    job = school.begin()
    puppets[-1].crash(EngineError("out_of_memory", "Too much.", "Less."))
    assert (job.state, (job.error or {})["code"]) == (State.FAILED, "out_of_memory")


def test_a_worker_that_cannot_be_started_fails_its_job_alone(school: School) -> None:
    Puppet.refuse = True
    first = school.begin(run=False)
    school.tick()
    assert (first.state, (first.error or {})["code"]) == (State.FAILED, "not_startable")
    Puppet.refuse = False
    assert school.begin().state is State.RUNNING


@pytest.mark.parametrize(
    ("wish", "patience"), [("pause", PAUSE), ("cancel", 0.7), ("park", PARK)], ids=["pause", "cancel", "park"]
)
def test_wishes_have_deadlines(school: School, puppets: list[Puppet], wish: str, patience: float) -> None:
    job = school.begin()
    act: dict[str, Callable[[], None]] = {
        "pause": lambda: school.supervisor.pause(job),
        "cancel": lambda: school.supervisor.cancel(job),
        "park": school.supervisor.park,
    }
    act[wish]()
    assert puppets[0].told == [(1, "cancel" if wish == "cancel" else "pause", patience)]


@pytest.mark.parametrize(
    ("wish", "state"), [("pause", State.PAUSED), ("cancel", State.CANCELLED), ("park", State.QUEUED)]
)
@pytest.mark.parametrize("obeys", [True, False])
def test_a_wish_comes_true_whether_the_worker_obeys_or_is_killed(
    school: School, puppets: list[Puppet], wish: str, state: State, obeys: bool
) -> None:
    job = school.begin()
    school.supervisor.park() if wish == "park" else getattr(school.supervisor, wish)(job)
    assert job.public()["stopping"] == ("pause" if wish == "park" else wish)
    if obeys:
        school.end({"state": "paused"})
    else:
        puppets[0].crash(CANCELLED)
    assert job.state is state and not job.error
    assert school.library.staging(job.model).exists() == (wish != "cancel")
    assert school.supervisor.parked


def test_a_cancel_is_not_taken_back_by_a_pause(school: School, puppets: list[Puppet]) -> None:
    job = school.begin()
    school.supervisor.pause(job)
    school.supervisor.cancel(job)
    school.supervisor.pause(job)
    assert [what for _, what, _ in puppets[0].told] == ["pause", "cancel"]
    school.end({"state": "paused"})
    assert job.state is State.CANCELLED


def test_what_was_finished_before_the_pause_came_is_kept(school: School) -> None:
    job = school.begin()
    write_model(school.library.staging(job.model), job.model)
    school.supervisor.pause(job)
    school.end({"state": "done"})
    school.settle()
    assert job.state is State.DONE


def test_what_is_on_its_way_into_the_library_cannot_be_cancelled(school: School) -> None:
    job = school.begin()
    write_model(school.library.staging(job.model), job.model)
    school.end({"state": "done"})
    with pytest.raises(EngineError, match="already finished"):
        school.supervisor.cancel(job)
    school.settle()
    assert [m.id for m in school.library.all()] == [job.model]
    for act in (school.supervisor.cancel, school.supervisor.pause, school.supervisor.resume):
        with pytest.raises(EngineError) as caught:
            act(job)
        assert caught.value.code == "job_ended"


def test_a_paused_job_lets_the_next_one_run(school: School) -> None:
    first, second = school.begin(), school.begin(run=False)
    school.supervisor.pause(first)
    school.end({"state": "paused"})
    school.tick()
    assert (first.state, second.state) == (State.PAUSED, State.RUNNING)
    school.supervisor.resume(first)
    school.tick()
    assert first.state is State.QUEUED


def test_an_engine_that_ends_begins_nothing(school: School, puppets: list[Puppet]) -> None:
    job = school.begin(run=False)
    school.supervisor.park()
    school.tick()
    assert job.state is State.QUEUED and puppets == []


@pytest.mark.parametrize(("device", "stands"), [("CPU", True), ("CPU (2 threads)", True), ("NVIDIA H200", False)])
def test_only_training_on_the_processor_makes_way(
    school: School, puppets: list[Puppet], device: str, stands: bool
) -> None:
    job = school.begin()
    progress(job, school, 1, device)
    school.supervisor.make_way(True)
    assert puppets[0].suspended is stands
    school.supervisor.make_way(False)
    assert not puppets[0].suspended


def test_a_worker_that_begins_while_the_renderer_works_stands_still_at_once(
    school: School, puppets: list[Puppet]
) -> None:
    school.supervisor.make_way(True)
    school.begin()
    assert puppets[0].suspended


def test_a_worker_that_must_write_its_checkpoint_does_not_make_way(school: School, puppets: list[Puppet]) -> None:
    job = school.begin()
    school.supervisor.make_way(True)
    school.supervisor.pause(job)
    school.supervisor.make_way(True)
    assert not puppets[0].suspended


def test_who_watches_late_hears_how_it_stands_and_the_end(school: School) -> None:
    job = school.begin()
    progress(job, school, 5)
    asked = school.watch(job)
    assert school.sent[-1].body["progress"]["iteration"] == 5
    school.supervisor.pause(job)
    school.end({"state": "paused"})
    assert not asked.open and school.sent[-1].kind == "reply" and school.sent[-1].body["state"] == "paused"
    again = school.watch(job)
    assert not again.open and school.sent[-1].body["state"] == "paused"
    assert not school.supervisor.busy


def test_who_stops_watching_is_forgotten(school: School) -> None:
    job = school.begin()
    one, two = school.watch(job), school.watch(job)
    one.open = False
    one.on_abandon()
    school.sent.clear()
    progress(job, school, 1)
    assert [message.id for message in school.sent] == [two.message.id]


def test_notes_do_not_grow_without_end(school: School) -> None:
    job = school.begin()
    for number in range(1000):
        school.supervisor.heard(job, {"event": "note", "text": f"note {number}"})
    assert len(job.notes) == training_supervisor.MOST_NOTES and job.notes[-1] == "note 999"


@pytest.mark.parametrize("event", [{}, {"event": None}, {"event": "progress", "iteration": "x"}, {"event": "note"}])
def test_strange_events_harm_nobody(school: School, puppets: list[Puppet], event: dict[str, Any]) -> None:
    job = school.begin()
    school.supervisor.heard(job, event)
    puppets[0].crash()
    assert job.state is State.QUEUED


def test_a_training_in_the_background_yields_and_goes_on_later(school: School, puppets: list[Puppet]) -> None:
    behind = school.begin(run=False)
    behind.args["draft"] = "0123456789ab"
    school.tick()
    own = school.begin(run=False)
    school.tick()
    school.tick()
    assert [what for _, what, _ in puppets[0].told] == ["pause"], "asked once"
    assert behind.public()["stopping"] == "pause"
    school.end({"state": "paused"})
    school.tick()
    assert (behind.state, own.state) == (State.QUEUED, State.RUNNING)
    school.supervisor.cancel(own)
    school.end({"state": "cancelled"})
    school.tick()
    assert behind.state is State.RUNNING
    school.jobs.held = True
    school.tick()
    school.end({"state": "paused"})
    school.tick()
    assert behind.state is State.QUEUED
    assert not school.supervisor.busy, "an engine that waits for the power cable may exit"


def test_what_is_no_better_than_the_draft_is_thrown_away_with_its_note(school: School) -> None:
    job = school.begin()
    school.supervisor.heard(job, {"event": "note", "text": "Not closer than the draft."})
    school.end({"state": "unused", "figures": {"measured": {"used": 0}}})
    assert job.state is State.CANCELLED
    assert job.public()["notes"] == ["Not closer than the draft."]
    assert not school.library.staging(job.model).exists()
