"""Which model serves a task: the policy of all front ends, against a library that is written down."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from underdrawing.client.engine import Reply
from underdrawing.client.ensure_model import (
    APPLY,
    Exchange,
    Follow,
    ModelSteps,
    ModelWish,
    Ready,
    composite_key,
    ensure_model,
)
from underdrawing.client.frames import Frame
from underdrawing.client.job_status import JobStatus
from underdrawing.client.messages import EngineError
from underdrawing.client.pixel_hash import pixel_hash
from underdrawing.client.request_fields import Request
from underdrawing.picture.image import Picture
from underdrawing.store.frame_codec import frame_of

PIXELS = np.random.default_rng(3).integers(0, 256, (6, 8, 3), np.uint8)
PICTURE = frame_of(Picture(PIXELS))
OTHER = frame_of(Picture(PIXELS[::-1].copy()))
MASK = Frame(8, 6, "L", "u8", bytes(48))
HASH = Picture(PIXELS).hash


def model(identity: str, **more: Any) -> dict[str, Any]:
    """A model of PICTURE as `models.list` says it."""
    made = {
        "id": identity,
        "name": f"model {identity}",
        "recipe": "vary",
        "planes": [],
        "base": None,
        "tasks": ["vary"],
    }
    made |= {"width": 8, "height": 6, "region": [0, 0, 8, 6], "picture_hash": HASH, "seconds": 60.0, "iterations": 100}
    return {**made, "composite": None, **more}


class Library:
    """Answers requests as an engine with these models and jobs does; every training succeeds."""

    def __init__(self, *models: dict[str, Any], jobs: tuple[dict[str, Any], ...] = ()) -> None:
        self.models, self.jobs = list(models), list(jobs)
        self.asked: list[Request] = []
        self.followed: list[Follow] = []
        self.ends = "done"
        self.agreement: dict[str, float] = {}  # of planes with models; else they agree entirely
        self.made = False  # an underdrawing of the picture is kept

    def answer(self, asked: Request) -> dict[str, Any]:
        self.asked.append(asked)
        body = asked.to_body()
        if asked.verb == "models.list":
            return {"models": self.models}
        if asked.verb == "models.show":
            found = [m for m in self.models if body["model"] in (m["id"], m["name"])]
            if not found:
                raise EngineError("unknown_model", "There is no model.", "")
            return found[-1]
        if asked.verb == "agreement":
            known = body.get("picture_hash") == HASH
            shares = {one: self.agreement.get(one, 1.0) for one in body["models"]}
            return {"agreement": shares, "made": self.agreement.get("made", 0.0) if known else 0.0}
        if asked.verb == "jobs":
            return {"jobs": self.jobs}
        if asked.verb == "instant":
            self.models.append(model("made", base=body["model"]))
            return self.models[-1]
        if asked.verb == "primitive":
            planes = [{"name": name, "hash": letter * 64} for name, letter in (("segments", "a"), ("edges", "b"))]
            return {"planes": planes, "palette": [{"colour": [1, 2, 3], "name": "sky"}], "notes": []}
        if asked.verb == "train" and body.get("as_made") and not body.get("planes") and not self.made:
            raise EngineError("unknown_underdrawing", "There is no underdrawing.", "")
        return {"job": "j", "model": "new", "name": body.get("name", "")}

    def run(self, wish: ModelWish, picture: Frame | None = PICTURE) -> Ready:
        steps: ModelSteps = ensure_model(wish, picture)
        answer: Any = None
        error: EngineError | None = None
        while True:
            try:
                asked = steps.send(answer) if error is None else steps.throw(error)
            except StopIteration as end:
                ready: Ready = end.value
                return ready
            answer = error = None
            if isinstance(asked, Follow):
                self.followed.append(asked)
                answer = replace(asked.status, state=self.ends)
            elif isinstance(asked, Exchange) and asked.request is not None:
                try:
                    answer = Reply(self.answer(asked.request))
                except EngineError as fault:
                    error = fault

    def sent(self, verb: str) -> list[dict[str, Any]]:
        return [asked.to_body() for asked in self.asked if asked.verb == verb]


VARY = ModelWish("vary", title="meadow")


def test_a_picture_without_a_model_is_trained() -> None:
    library = Library(model("of another", picture_hash="0" * 64))
    assert library.run(VARY) == Ready("new", "meadow, vary", created=True, trained=True)
    (body,) = library.sent("train")
    assert (body["recipe"], body["name"]) == ("vary", "meadow, vary")


def test_the_newest_model_of_the_picture_is_used_again() -> None:
    library = Library(model("a"), model("b"), model("c", recipe="animate"))
    assert library.run(VARY).model == "b"
    assert library.run(replace(VARY, task="resize", anew=False)).created, "none of them can resize"
    assert library.run(replace(VARY, anew=True)).created


def test_a_recipe_that_a_person_names_is_the_only_one_that_will_do() -> None:
    assert Library(model("a", recipe="paper-vary")).run(VARY).model == "a"
    assert Library(model("a")).run(replace(VARY, recipe="paper-vary")).created


def test_models_of_one_paste_or_by_a_folder_model_are_not_taken_for_trained_ones() -> None:
    assert Library(model("a", base="f")).run(VARY).created


def test_a_training_under_way_is_joined_and_a_paused_one_continued() -> None:
    job = {"job": "j1", "model": "m1", "name": "n", "recipe": "vary", "picture": PICTURE.hash, "base": None}
    for state, resumed in (("running", 0), ("paused", 1)):
        library = Library(jobs=({**job, "state": state},))
        assert library.run(VARY).model == "m1"
        assert (len(library.sent("train")), len(library.sent("resume"))) == (0, resumed)


@pytest.mark.parametrize("state", ["failed", "paused", "cancelled"])
def test_a_training_that_does_not_end_well_is_an_error(state: str) -> None:
    library = Library()
    library.ends = state
    with pytest.raises(EngineError):
        library.run(VARY)


def test_a_folder_model_makes_one_and_refines_it_once() -> None:
    library = Library(model("folder", tasks=[], picture_hash="f" * 64))
    wish = replace(VARY, maker="model folder", budget=5.0)
    assert library.run(replace(wish, budget=None)) == Ready("made", "model made", created=True)
    library.run(wish)
    assert len(library.sent("instant")) == 1
    assert library.sent("train")[0]["base"] == "made"
    library.models.append(model("refined", base="made", seconds=4.9))
    assert library.run(wish) == Ready("refined", "model refined")
    assert (len(library.sent("instant")), len(library.sent("train"))) == (1, 1)
    assert library.run(replace(wish, budget=60.0)).created, "it was refined for too short a time"
    assert library.run(replace(wish, budget=None)) == Ready("made", "model made")


def test_a_folder_model_that_is_gone_is_named_as_one() -> None:
    with pytest.raises(EngineError, match="folder model"):
        Library().run(replace(VARY, maker="0123456789ab"))


def test_one_changed_picture_is_fine_tuned_for_once() -> None:
    wish = ModelWish("harmonize", title="meadow", composite=OTHER, mask=MASK, budget=90.0)
    library = Library(model("base", recipe="harmonize", tasks=["harmonize"]))
    assert library.run(wish).created
    (body,) = library.sent("train")
    assert body["base"] == "base"
    assert "budget" not in body, "that is the time of the base"
    key = composite_key(body["composite"], body["mask"])
    library.models.append(model("tuned", base="base", composite=key, tasks=["harmonize"]))
    assert library.run(wish) == Ready("tuned", "model tuned")
    assert library.run(replace(wish, mask=OTHER)).created, "another place"


def test_an_edited_picture_has_the_model_that_its_document_remembers() -> None:
    library = Library(model("old", picture_hash="0" * 64))
    assert library.run(replace(VARY, known=("old",))) == Ready("old", "model old", older=True)
    assert library.run(replace(VARY, known=("old",)), None) == Ready("old", "model old")
    library.models.append(model("larger", picture_hash="0" * 64, recipe="vary-large"))
    assert library.run(replace(VARY, known=("old", "larger"))).model == "old", "the usual recipe comes first"
    with pytest.raises(EngineError, match="before it was edited"):
        library.run(VARY, None)


def test_apply_without_a_model_makes_the_draft() -> None:
    library = Library(model("without planes"))
    wish = ModelWish(APPLY, title="meadow", planes={"segments": OTHER})
    assert library.run(wish) == Ready("new", "meadow", created=True, trained=True)
    body = library.sent("train")[-1]
    assert body["method"] == "draft"
    assert body["planes"]["segments"] == {"hash": "a" * 64}, "of the underdrawing as it is made, not of the edit"
    library.models.append(model("draft", planes=["segments", "edges"], tasks=[]))
    assert library.run(wish) == Ready("draft", "model draft")


def test_planes_go_to_the_model_whose_underdrawing_they_were_painted_on() -> None:
    drafts = [model(name, planes=["segments"], tasks=[]) for name in ("old", "mine", "same", "newest")]
    library = Library(*drafts)
    wish = ModelWish(APPLY, planes={"segments": OTHER})
    library.agreement = {"old": 0.6, "mine": 0.9, "same": 0.9, "newest": 0.2}
    assert library.run(wish).model == "same", "of equal ones the newest"
    assert library.run(replace(wish, planes={})).model == "newest"
    library.agreement["made"] = 0.91
    assert library.run(wish).created, "painted on an underdrawing that has no model yet"
    library.agreement = dict.fromkeys(library.agreement, 0.49)
    assert library.run(wish).created, "none of them: a draft of the underdrawing as it was made"
    other = [replace_hash(one) for one in drafts]
    assert Library(*other).run(replace(wish, known=("old",)), None).model == "old"
    strangers = Library(*other)
    strangers.agreement = {"old": 0.1}
    with pytest.raises(EngineError, match="before it was edited"):
        strangers.run(replace(wish, known=("old",)), None)


def replace_hash(known: dict[str, Any]) -> dict[str, Any]:
    """The same model, of another picture."""
    return {**known, "picture_hash": "0" * 64}


def test_the_draft_starts_from_what_was_made_before() -> None:
    library = Library()
    library.made = True
    library.run(ModelWish(APPLY, planes={"segments": OTHER}))
    (body,) = library.sent("train")
    assert (body["as_made"], body["edited"]) == (HASH, {"segments": {"hash": OTHER.hash}})
    assert "planes" not in body
    assert not library.sent("primitive")


@pytest.mark.parametrize(
    ("order", "depth"), [("RGB", "u8"), ("RGBA", "u16"), ("BGRA", "u8"), ("LA", "u16"), ("L", "u8")]
)
def test_the_hash_of_a_picture_is_that_of_the_engine(order: str, depth: str) -> None:
    values = {"L": 1, "LA": 2}.get(order, len(order))
    kind = np.dtype(np.uint8 if depth == "u8" else np.uint16)
    pixels = np.random.default_rng(1).integers(0, 200, (5, 7, values)).astype(kind)
    gap = np.zeros((5, 3 * values), kind)
    frame = Frame(7, 5, order, depth, np.hstack([pixels.reshape(5, -1), gap]).tobytes(), 10 * values * kind.itemsize)
    colours = pixels[..., :1] if order in ("L", "LA") else pixels[..., :3]
    if order == "BGRA":
        colours = colours[..., ::-1]
    assert pixel_hash(frame) == Picture(np.ascontiguousarray(colours)).hash


def test_a_status_says_what_goes_on() -> None:
    status = JobStatus.of({"job": "j", "model": "m", "state": "running"})
    assert status.text == "Preparing…"
    event = {"event": "progress", "phase": "training", "fraction": 0.5, "left": 125, "device": "cuda:0"}
    assert status.after(event).text == "Training · on the graphics card · 2:05 min left"
    usable = status.after({"event": "usable", "iteration": 7})
    assert usable.usable == 7
    assert usable.after({"event": "state", "job": "j", "model": "m", "state": "running"}).usable == 7
    assert status.after({"event": "state", "job": "j", "model": "m", "state": "done"}).finished_model() == "m"
    with pytest.raises(EngineError, match="no room"):
        JobStatus.of({"state": "failed", "error": {"code": "disk_full", "message": "There is no room."}}).check()
