"""Training in the background: when it begins, when it waits, and what serves then."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from tests.engine.handmade_model import write_model
from underdrawing.client import labels
from underdrawing.daemon import background
from underdrawing.daemon.job_queue import Job, Jobs, State
from underdrawing.store.manifest import MANIFEST_FILE, Manifest, Procedure
from underdrawing.store.model_library import Library, new_identity


def job(library: Library, number: int, **args: object) -> Job:
    made = Job(f"job{number}", new_identity(), f"picture {number}", dict(args), created=float(number))
    library.staging(made.model).mkdir(parents=True)
    return made


def described(library: Library, method: str, areas: tuple[int, ...] | None = (), **figures: Any) -> Manifest:
    """A model in the library with this method and these figures."""
    identity = new_identity()
    write_model(library.models / identity)
    manifest = Manifest.load(library.models / identity)
    procedure = Procedure.REFINE if method == "refine" else Procedure.DRAFT
    plan = replace(manifest.plan, procedure=procedure, areas=areas)
    changed = replace(manifest, id=identity, method=method, plan=plan, figures=figures)
    (library.models / identity / MANIFEST_FILE).write_text(changed.to_json(), encoding="utf-8")
    return library.find(identity)


def test_a_persons_own_training_comes_first(library: Library) -> None:
    jobs = Jobs(library)
    later, own = job(library, 1, draft="0" * 12), job(library, 2)
    jobs.add(later)
    jobs.add(own)
    assert jobs.waiting() == [own, later]
    own.state = State.RUNNING
    assert jobs.waiting() == [later]
    jobs.held = True
    assert jobs.waiting() == []


def test_a_choice_is_kept_and_damage_is_no_choice(tmp_path: Path) -> None:
    assert background.choice(tmp_path) == "auto"
    background.choose(tmp_path, "on")
    assert background.choice(tmp_path) == "on"
    (tmp_path / background.FILE).write_text("[1")
    assert background.choice(tmp_path) == "auto"


@pytest.mark.parametrize(("plugged", "battery"), [(True, False), (False, True), (None, False)])
def test_battery_is_what_the_system_says(monkeypatch: pytest.MonkeyPatch, plugged: bool | None, battery: bool) -> None:
    monkeypatch.setattr(psutil, "sensors_battery", lambda: SimpleNamespace(power_plugged=plugged), raising=False)
    assert background.on_battery() is battery
    monkeypatch.setattr(psutil, "sensors_battery", lambda: None)
    assert background.on_battery() is False


@pytest.mark.parametrize(
    ("choice", "device", "begins"),
    [("auto", "CPU", False), ("auto", "NVIDIA H200", True), ("on", "CPU", True), ("off", "NVIDIA H200", False)],
)
def test_a_draft_is_followed_where_that_is_wanted(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, choice: str, device: str, begins: bool
) -> None:
    background.choose(tmp_path, choice)
    draft = described(library, "draft")
    begun: list[dict[str, Any]] = []
    monkeypatch.setattr(
        background, "new_job", lambda context, name, args, key, keep: begun.append({"name": name, **args})
    )
    done = Job(
        "job1", draft.id, draft.name, {"method": "draft", "planes": {"segments": {}}}, figures={"device": device}
    )
    context: Any = SimpleNamespace(home=tmp_path, library=library)
    background.follow_up(context, done)
    assert bool(begun) is begins
    if begins:
        assert begun[0]["method"] == "refine"
        assert begun[0]["draft"] == draft.id
        assert begun[0]["planes"] == {"segments": {}}


def test_what_was_trained_serves_where_it_is_better(library: Library) -> None:
    draft = described(library, "draft")
    assert library.improved(draft) is draft
    described(library, "refine", (), draft=draft.id)
    assert library.improved(draft) is draft, "better in no area"
    described(library, "refine", (1,), draft="another")
    assert library.improved(draft) is draft
    better = described(library, "refine", (1,), draft=draft.id)
    assert library.improved(draft).id == better.id
    assert library.improved(better) is better


def test_what_was_measured_is_one_sentence() -> None:
    measured = {"edits": 6, "areas": 5, "used": 3, "closer": 0.124}
    text = labels.measured({"seconds": 120.0, "measured": measured})
    assert "2:00 min" in text
    assert "12 % closer than the draft in 3 of 5 areas" in text
    assert "The draft is used." in labels.measured({"measured": {**measured, "used": 0}})
    assert labels.measured({}) == ""
    assert labels.measured(json.loads('{"measured": "damaged"}')) == ""
