"""Models of single pictures for the command line: found again or learnt, asked, and what is answered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from underdrawing.client.key_values import options_of
from underdrawing.commands import files, output, train

if TYPE_CHECKING:
    from underdrawing.client.engine import Engine, Reply
    from underdrawing.picture.image import Picture


def how_to_learn(
    name: str | None,
    budget: str | None,
    iterations: int | None,
    recipe: str | None,
    option: list[str] | None,
    device: str,
    threads: int | None,
    anew: bool,
    maker: str | None = None,
    refine: str | None = None,
) -> dict[str, Any]:
    """How to learn, as `train` is asked; beside it `anew`, and `maker`: a folder's model that makes it at once."""
    if budget is not None and iterations is not None:
        raise output.wrong("Give --budget or --iterations, not both.")
    if refine is not None and maker is None:
        raise output.wrong("--refine goes with --from, which names a folder's model.")
    if maker is not None and (budget or iterations or recipe or option):
        raise output.wrong("With --from nothing is learnt: leave --budget, --iterations, --recipe and --option out.")
    asked: dict[str, Any] = {"name": name, "budget": output.seconds(budget), "iterations": iterations, "recipe": recipe}
    asked |= {
        "options": options_of(option or []),
        "device": device,
        "threads": threads,
        "anew": anew,
        "maker": maker,
    }
    asked["refine"] = output.seconds(refine)
    return {key: value for key, value in asked.items() if value is not None}


def model_for(engine: Engine, task: str, learnt: Picture, path: Path, how: dict[str, Any]) -> tuple[str, bool]:
    """A model of the picture that can do the task, and whether it was learnt just now."""
    from underdrawing.client.engine import RECIPES

    asked = dict(how)
    recipe, anew, maker = asked.pop("recipe", None), asked.pop("anew", False), asked.pop("maker", None)
    if maker is not None:
        asked["name"] = asked.get("name") or f"{path.stem}, at once"
        made = _made_at_once(engine, task, learnt, maker, str(asked["name"]), anew)
        return _refined(engine, made, task, learnt, asked)
    fitting = [
        model
        for model in engine.models()
        if model["picture_hash"] == learnt.hash and task in model.get("tasks", []) and not model.get("base")
    ]
    wanted = recipe or RECIPES[task]
    exact = [model for model in fitting if model["recipe"] == wanted]
    found = exact or ([] if recipe else fitting)
    if found and not anew:
        output.note(f"The model {found[-1]['name']!r} of this picture is used again (--anew learns it again).")
        return str(found[-1]["id"]), False
    name = asked.pop("name", None) or f"{path.stem}, {wanted}"
    started = engine.train(files.frame(learnt), {}, recipe=wanted, name=name, **asked)
    return _learnt(engine, started), True


def _made_at_once(engine: Engine, task: str, picture: Picture, maker: str, name: str, anew: bool) -> str:
    """A model of the picture by a folder's model; one that it made before is used again."""
    identity = str(engine.model(maker)["id"])
    for model in engine.models():
        same = model["picture_hash"] == picture.hash and model.get("base") == identity
        if same and task in model.get("tasks", []) and not anew:
            return str(model["id"])
    return str(engine.instant(identity, files.frame(picture), task, name=name)["id"])


def _refined(engine: Engine, made: str, task: str, picture: Picture, how: dict[str, Any]) -> tuple[str, bool]:
    """A model that was made at once, after it went on learning its picture where that is asked for."""
    seconds = how.get("refine")
    if seconds is None:
        return made, False
    more = {key: how[key] for key in ("device", "threads") if key in how}
    name = f"{how['name']}, refined"[:120]
    started = engine.train(files.frame(picture), {}, base=made, budget=seconds, name=name, **more)
    return _learnt(engine, started), True


def _learnt(engine: Engine, started: dict[str, Any]) -> str:
    """The model of a training that was begun, when it is done.

    Raises:
        EngineError: it was paused or cancelled meanwhile, or failed.
    """
    from underdrawing.client.messages import EngineError

    ended = train.followed(engine, str(started["job"]))
    if ended["state"] != "done":
        text = f"Learning was {ended['state']}, so nothing could be made."
        raise EngineError("cancelled", text, f"Go on with: underdrawing resume {started['job']}")
    return str(started["model"])


def fine_tuned(engine: Engine, model: str, learnt: Picture, given: Picture, marked: Any, how: dict[str, Any]) -> str:
    """A model that went on learning for this picture alone."""
    name = str(engine.model(model)["name"])[:100]
    more = {key: how[key] for key in ("device", "threads") if key in how}
    started = engine.train(
        files.frame(learnt), {}, files.frame(given), marked, base=model, name=f"{name}, fine-tuned", **more
    )
    return _learnt(engine, started)


def difference(before: Picture, after: Picture, task: str) -> Picture:
    """Where two pictures differ, as a mask; everything for a painting that is repainted."""
    import numpy as np

    from underdrawing.picture.image import Picture
    from underdrawing.picture.mask import differing

    if task == "repaint":
        return Picture(np.full((before.size[1], before.size[0]), 255, np.uint8))
    return Picture(differing(before.to_float(), after.to_float()).astype(np.uint8) * 255)


def generated(engine: Engine, model: str, task: str, **asked: Any) -> Reply:
    """Ask, with a bar where there is something to wait for; the engine's notes are shown."""
    with train.bar() as on_event:
        reply = engine.generate(model, task, on_event=on_event, **asked)
    for text in reply.body.get("notes") or []:
        output.note(str(text))
    return reply


def told_of(reply: Reply, written: list[str], model: str, learnt: bool, **more: Any) -> None:
    """The command's answer."""
    body = reply.body
    answer = {"files": written, "model": model, "learnt": learnt, **more}
    answer |= {key: body.get(key) for key in ("device", "seconds", "notes")}
    output.answer(answer, f"{', '.join(written)}: {body.get('seconds')} s on {body.get('device')}")
