"""Which model serves a task: found again, reused, trained, refined, fine-tuned, or made from a folder model.

The one policy of all front ends. `ensure_model` is a generator: it yields what is to be asked (`Exchange`) and which
training is to be followed (`Follow`), and is sent the answers, so that hosts which must never wait can use it, too.
Others call `run`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Generator, List, Optional, Sequence, Tuple, Union

from .engine import Engine, Reply, references
from .frames import Frame
from .job_status import UNDER_WAY, JobStatus
from .labels import CHOOSE_ANOTHER, FOLDER_MODEL_GONE, RECIPES, model_name
from .messages import EngineError, new_id
from .pixel_hash import pixel_hash_steps
from .request_fields import Request
from .requests import MOST_COMPARED, AgreementRequest, InstantRequest, PrimitiveRequest, TrainRequest
from .service_requests import JobsRequest, ModelsRequest, ResumeRequest, ShowModelRequest

APPLY = "apply"  # the task of models that follow an underdrawing
AGREES = 0.5  # of planes, at least: below it they are a drawing of their own, and no edit of an underdrawing
ENOUGH = 0.9  # of the time that is asked for: a model that was refined for so long is not refined again

Json = Dict[str, Any]


@dataclass(frozen=True)
class Exchange:
    """A request whose answer is to be sent back as a `Reply`; None: a pause in which the host may do other things."""

    request: Optional[Request] = None
    frames: Sequence[Frame] = ()
    deadline: float = 300.0


@dataclass(frozen=True)
class Follow:
    """A training to follow to its end; the last `JobStatus` is to be sent back.

    Attributes:
        title: what goes on, for a person.
    """

    status: JobStatus
    title: str


@dataclass(frozen=True)
class ModelWish:
    """What a model is needed for.

    Attributes:
        task: `APPLY`, or one of `requests.TASKS`.
        title: of the picture, for the names of new models.
        name: of a new model, whatever the title; "".
        recipe: the only one that will do; "" for what suits the task.
        maker: a folder model, by id or name, that makes the model; "" to train the picture.
        budget, iterations: how long to train; with `maker` how long the model is refined on the picture, and None for
            not at all.
        options: hyperparameters of the recipe.
        anew: make a new model, also where one could be used again.
        known: ids of models that the document remembers: they serve where none was trained on this very picture.
        composite, mask: fine-tune the model for this changed picture.
        planes: for `APPLY` the planes that are edited, as they are now.
    """

    task: str
    title: str = ""
    name: str = ""
    recipe: str = ""
    maker: str = ""
    budget: Optional[float] = None
    iterations: Optional[float] = None
    options: Json = field(default_factory=dict)
    device: str = "auto"
    threads: Optional[int] = None
    anew: bool = False
    known: Tuple[str, ...] = ()
    composite: Optional[Frame] = None
    mask: Optional[Frame] = None
    planes: Dict[str, Frame] = field(default_factory=dict)

    @property
    def usual_recipe(self) -> str:
        """What is trained for the task."""
        return self.recipe or RECIPES[self.task]

    def training(self, **more: Any) -> Json:
        """Fields of `TrainRequest` that all trainings for it have."""
        made: Json = {"key": new_id(), "device": self.device, "threads": self.threads}
        made.update(budget=self.budget, iterations=self.iterations, options=self.options)
        return {**made, **more}


@dataclass(frozen=True)
class Ready:
    """The model that serves.

    Attributes:
        model: its id.
        created: it was made just now.
        trained: somebody has just waited for its training.
        older: it was trained on the picture as it was before.
    """

    model: str
    name: str
    created: bool = False
    trained: bool = False
    older: bool = False


ModelSteps = Generator[Union[Exchange, Follow], Any, Ready]


def ensure_model(wish: ModelWish, picture: Optional[Frame]) -> ModelSteps:
    """The model for a task, made if need be.

    Args:
        picture: as it was before anything was changed in it; None where nobody knows: then known models alone serve.

    Raises:
        EngineError: there is none and none can be made, the training failed, or was paused or cancelled.
    """
    models: List[Json] = (yield Exchange(ModelsRequest())).body["models"]
    same = (yield from _of_picture(models, picture)) if picture is not None else []
    if wish.maker:
        ready = yield from _by_folder_model(wish, picture, models, same)
    elif wish.task == APPLY:
        ready = yield from _for_underdrawing(wish, picture, models, same)
    else:
        ready = yield from _trained(wish, picture, models, same)
    if wish.composite is None or wish.mask is None:
        return ready
    return (yield from _fine_tuned(wish, picture, ready, models))


def run(engine: Engine, steps: ModelSteps, follow: Callable[[Follow], JobStatus]) -> Ready:
    """Drive `ensure_model` in a program that may wait.

    Args:
        follow: shows a training until it ends.
    """
    try:
        asked = next(steps)
        while True:
            answer: Union[Reply, JobStatus, None] = None
            try:
                if isinstance(asked, Follow):
                    answer = follow(asked)
                elif asked.request is not None:
                    answer = engine.ask(asked.request, asked.frames, asked.deadline)
            except EngineError as error:
                asked = steps.throw(error)
            else:
                asked = steps.send(answer)
    except StopIteration as end:
        ready: Ready = end.value
        return ready


def composite_key(composite: Json, mask: Json) -> str:
    """What a model that was fine-tuned for a changed picture is recognised by, from the references in its request."""
    parts = [str(reference.get("hash")) for reference in (composite, mask)]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def _of_picture(models: List[Json], picture: Frame) -> Generator[Exchange, Any, List[Json]]:
    """Models of this very picture, all of it, the oldest first."""
    size = [picture.width, picture.height]
    fitting = [m for m in models if [m["width"], m["height"]] == size and list(m["region"]) in ([0, 0, *size], [0] * 4)]
    if not fitting:
        return []
    mine = yield from _hash_of(picture)
    return [m for m in fitting if m["picture_hash"] == mine]


def _hash_of(picture: Frame) -> Generator[Exchange, Any, str]:
    """The hash of a picture's colours, with pauses."""
    steps = pixel_hash_steps(picture)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return str(end.value)
        yield Exchange()


def _able(models: List[Json], wish: ModelWish) -> List[Json]:
    """Those that can do the task and were neither made by a folder model nor fine-tuned."""
    if wish.task == APPLY:
        return [m for m in models if set(wish.planes) <= set(m["planes"]) and m["planes"] and not m["tasks"]]
    return [m for m in models if wish.task in (m.get("tasks") or []) and not m.get("base")]


def _trained(wish: ModelWish, picture: Optional[Frame], models: List[Json], same: List[Json]) -> ModelSteps:
    able = _able(same, wish)
    exact = [m for m in able if m["recipe"] == wish.usual_recipe]
    found = exact or ([] if wish.recipe else able)
    if found and not wish.anew:
        return Ready(str(found[-1]["id"]), str(found[-1]["name"]))
    known = [m for m in _able(models, wish) if m["id"] in wish.known]
    before = [m for m in known if m["recipe"] == wish.usual_recipe] or ([] if wish.recipe else known)
    if before and not wish.anew and (picture is None or wish.composite is None):
        return Ready(str(before[-1]["id"]), str(before[-1]["name"]), older=picture is not None)
    if picture is None:
        raise _unknown_original()
    name = wish.name or model_name(wish.title, wish.usual_recipe)
    more = wish.training(recipe=wish.usual_recipe, name=name)
    jobs = {"picture": picture.hash, "recipe": wish.usual_recipe, "base": None}
    return (yield from _train(wish, picture, more, jobs, "Training on the picture"))


def _by_folder_model(wish: ModelWish, picture: Optional[Frame], models: List[Json], same: List[Json]) -> ModelSteps:
    """A model that a folder model makes of the picture, refined where that is wanted."""
    try:
        maker = (yield Exchange(ShowModelRequest(wish.maker))).body
    except EngineError as error:
        raise _folder_model_error(error) from None
    made = [m for m in same if m.get("base") == maker["id"] and wish.task in m["tasks"]]
    if picture is None:
        known = [m for m in models if m["id"] in wish.known and wish.task in m["tasks"] and m.get("base")]
        if not known:
            raise _unknown_original()
        return Ready(str(known[-1]["id"]), str(known[-1]["name"]))
    refines = wish.budget is not None or wish.iterations is not None
    if made and not wish.anew:
        ready = Ready(str(made[-1]["id"]), str(made[-1]["name"]))
    else:
        name = wish.name or model_name(wish.title, "from %s" % str(maker["name"])[:50])
        request = InstantRequest(str(maker["id"]), references({"": picture})[""], wish.task, name)
        new = (yield Exchange(request, [picture])).body
        ready = Ready(str(new["id"]), str(new["name"]), created=True)
    if not refines:
        return ready
    long_enough = [m for m in same if m.get("base") == ready.model and _refined_enough(m, wish)]
    if long_enough and not wish.anew:
        return Ready(str(long_enough[-1]["id"]), str(long_enough[-1]["name"]))
    more = wish.training(base=ready.model, name=model_name(ready.name, "refined"))
    jobs = {"picture": picture.hash, "base": ready.model, "composite": None}
    return (yield from _train(wish, picture, more, jobs, "Refining the model on this picture"))


def _for_underdrawing(wish: ModelWish, picture: Optional[Frame], models: List[Json], same: List[Json]) -> ModelSteps:
    """A model that follows an underdrawing: the picture's whose underdrawing was painted on, or a draft."""
    mine = None if picture is None else (yield from _hash_of(picture))
    if not wish.anew:
        known = [m for m in _able(models, wish) if m["id"] in wish.known]
        found = (yield from _agreeing(_able(same, wish), wish, mine)) or (yield from _agreeing(known, wish, None))
        if found is not None:
            return Ready(str(found["id"]), str(found["name"]))
    if picture is None:
        raise _unknown_original()
    # The truth is the underdrawing as it was made of the picture. The planes as they are now only say which one.
    shown = {"hash": picture.hash}
    kind = "super" if set(wish.planes) >= {"segments", "edges"} or not wish.planes else sorted(wish.planes)[-1]
    fields = wish.training(method="draft", name=wish.name or model_name(wish.title), as_made=mine)
    try:
        request = TrainRequest(shown, edited=references(wish.planes), **fields)
        begun = (yield Exchange(request, [picture, *wish.planes.values()])).body
    except EngineError as error:
        if error.code != "unknown_underdrawing":
            raise
        made = (yield Exchange(PrimitiveRequest(shown, kind), [picture])).body
        planes = {plane["name"]: {"hash": plane["hash"]} for plane in made["planes"]}
        begun = (yield Exchange(TrainRequest(shown, planes, made["palette"], **fields), [picture])).body
    return (yield from _followed(begun, "Making the draft"))


def _agreeing(
    able: List[Json], wish: ModelWish, picture_hash: Optional[str]
) -> Generator[Exchange, Any, Optional[Json]]:
    """The model whose underdrawing the planes were painted from, of several the newest; without planes the newest.

    Args:
        picture_hash: no model serves where the planes agree better with an underdrawing made of this picture.
    """
    if not able or not wish.planes:
        return able[-1] if able else None
    ids = [str(m["id"]) for m in able[-MOST_COMPARED:]]
    request = AgreementRequest(ids, references(wish.planes), picture_hash)
    body = (yield Exchange(request, list(wish.planes.values()))).body
    share = body["agreement"]
    best = max(reversed(able[-MOST_COMPARED:]), key=lambda m: float(share[m["id"]]))
    return best if share[best["id"]] >= max(AGREES, float(body["made"])) else None


def _fine_tuned(wish: ModelWish, picture: Optional[Frame], base: Ready, models: List[Json]) -> ModelSteps:
    """A model fine-tuned for one changed picture."""
    if picture is None or wish.composite is None or wish.mask is None:
        raise _unknown_original()
    changed = references({"composite": wish.composite, "mask": wish.mask})
    key = composite_key(changed["composite"], changed["mask"])
    known = [m for m in models if m.get("base") == base.model and m.get("composite") == key]
    if known and not wish.anew:
        return Ready(str(known[-1]["id"]), str(known[-1]["name"]))
    # For as long as suits: a budget is that of the base.
    more = wish.training(base=base.model, name=model_name(base.name, "fine-tuned"), **{**changed, "budget": None})
    jobs = {"base": base.model, "composite": key}
    frames = [wish.composite, wish.mask]
    return (yield from _train(wish, picture, more, jobs, "Fine-tuning on this picture", frames))


def _train(
    wish: ModelWish, picture: Frame, fields: Json, like: Json, title: str, frames: Sequence[Frame] = ()
) -> ModelSteps:
    """Begin a training, or join the one under way that is like it."""
    jobs: List[Json] = (yield Exchange(JobsRequest())).body["jobs"]
    for job in reversed(jobs):
        if not wish.anew and job["state"] in UNDER_WAY and all(job.get(key) == like[key] for key in like):
            if job["state"] == "paused":
                yield Exchange(ResumeRequest(str(job["job"])))
            return (yield from _followed(job, title))
    if "base" in fields:
        fields = {name: value for name, value in fields.items() if name != "options"}
    request = TrainRequest({"hash": picture.hash}, **fields)
    begun = (yield Exchange(request, [picture, *frames])).body
    return (yield from _followed(begun, title))


def _followed(job: Json, title: str) -> ModelSteps:
    ended: JobStatus = yield Follow(JobStatus.of(job), title)
    return Ready(ended.finished_model(), ended.name or str(job["name"]), created=True, trained=True)


def _refined_enough(model: Json, wish: ModelWish) -> bool:
    if wish.task not in model["tasks"] or model.get("composite"):
        return False
    if wish.iterations is not None:
        return float(model.get("iterations") or 0.0) >= wish.iterations
    return float(model.get("seconds") or 0.0) >= ENOUGH * float(wish.budget or 0.0)


def _unknown_original() -> EngineError:
    text = "It is not known what the picture was before it was edited."
    return EngineError("no_original", text, "Choose the original layer.")


def _folder_model_error(error: EngineError) -> EngineError:
    """An id says nothing to a person: a folder model that is gone is named as what it is."""
    return EngineError(error.code, FOLDER_MODEL_GONE, CHOOSE_ANOTHER) if error.code == "unknown_model" else error
