"""Models of a picture that the model of a whole folder makes at once: found again, made, and refined on the picture."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from . import single_image, training
from .client.messages import EngineError
from .flatten_view import View
from .gi import Gimp
from .service import Service
from .single_image import Standing, State, Trained, Wish

IDENTITY = re.compile("[0-9a-f]{12,}")
AT_ONCE = "at once"  # in place of a recipe: models that a folder's model made
REFINED = "refined"  # the same of models that were trained further; the seconds stand behind it
HOW = "Train a model on a folder of pictures first; the help of “Between Two Pictures” says how."
GONE = "Choose another one, or “Train on this picture” where that is offered."


def makers(models: Sequence[dict[str, Any]], task: str = "") -> list[dict[str, Any]]:
    """The folders' models whose models can do a task, the newest first.

    Args:
        models: what the engine says, the oldest first; an older engine says nothing of `makes`.
        task: one of `link.client.RECIPES`; "" for any.
    """
    said = [(model, model.get("makes") or []) for model in reversed(models)]
    return [model for model, makes in said if makes and (not task or task in makes)]


def standing(
    view: View,
    wish: Wish,
    notes: Sequence[Trained],
    models: Sequence[dict[str, Any]],
    jobs: Sequence[dict[str, Any]],
) -> Standing:
    """What there is for a wish that names a folder's model by its id.

    Returns:
        The model that was made of this very picture before; where the wish is to refine it, the refined one or the
        training that refines it. `NEW`: it must be made first, or be refined; `model` is then the made one, if any.
    """
    made = _made(view.key, wish, models)
    if made is None or not wish.refines:
        return _trained(made) if made is not None else Standing(State.NEW)
    found = single_image.noted(notes, refined_key(str(made["id"])), models, jobs)
    if found.state is State.NEW:
        further = _made(view.key, replace(wish, maker=str(made["id"])), models)  # refined elsewhere
        found = _trained(further) if further is not None else found
    if found.state is State.NEW or (found.state is State.TRAINED and wish.again):
        return Standing(State.NEW, str(made["id"]), str(made["name"]))
    return found


def refined_key(base: str) -> str:
    """What a refined model is remembered by."""
    return hashlib.sha256(("refined " + base).encode()).hexdigest()


def maker_of(service: Service, wanted: str) -> dict[str, Any]:
    """What the engine says of a folder's model.

    Args:
        wanted: its id or name; "" for the newest one.

    Raises:
        EngineError: it is not there, and what to do.
    """
    if not wanted:
        found = makers(single_image.known_models(service)[0])
        if not found:
            raise EngineError("unknown_model", "There is no model of a folder yet.", HOW)
        return found[0]
    try:
        return service.ask("models.show", {"model": wanted}).body
    except EngineError as error:
        if error.code != "unknown_model":
            raise
        shown = "" if IDENTITY.fullmatch(wanted) else " “%s”" % wanted  # an id says nothing to a person
        text = "The folder's model%s is not there any more." % shown
        raise EngineError(error.code, text, GONE) from None


def begin(service: Service, image: Gimp.Image, view: View, wish: Wish) -> Standing:
    """A model of the picture by a folder's model, which is trained further where that is wished.

    Args:
        wish: its `maker` may be a name.

    Raises:
        EngineError: the folder's model is gone or cannot make it, or refining cannot begin.
    """
    maker = maker_of(service, wish.maker)
    wish = replace(wish, maker=str(maker["id"]))
    found = standing(view, wish, single_image.remembered(image), *single_image.known_models(service))
    if found.state is not State.NEW:
        return found
    made, name = found.model, found.name
    if not made:
        name = "%s, by %s" % (training.model_name(image, "")[:60], str(maker["name"])[:50])
        body = {"model": wish.maker, "picture": {"hash": view.frame.hash}, "task": wish.task, "name": name}
        made = str(service.ask("instant", body, [view.frame]).body["id"])
        single_image.remember(image, Trained(view.key, view.frame.width, view.frame.height, AT_ONCE, made, ""))
    if not wish.refines:
        return Standing(State.TRAINED, made, name)
    asked: dict[str, Any] = {"base": made, "name": "%s, %s" % (name[:100], REFINED)}
    asked |= {"picture": {"hash": view.frame.hash}, "device": wish.device, **wish.length}
    recipe = "%s %d" % (REFINED, wish.time)
    trained = Trained(refined_key(made), view.frame.width, view.frame.height, recipe, "", "")
    return single_image.begun(service, image, trained, asked, [view.frame])


def under_way(
    view: View,
    task: str,
    notes: Sequence[Trained],
    models: Sequence[dict[str, Any]],
    jobs: Sequence[dict[str, Any]],
) -> tuple[str, str] | None:
    """The folder's model whose model of this picture is being refined, and for how many seconds; None without one."""
    running = {job["job"] for job in jobs if job["state"] in single_image.UNDER_WAY}
    able = {
        refined_key(str(m["id"])): m for m in models if m["picture_hash"] == view.key and task in (m["tasks"] or [])
    }
    for note in reversed(notes):
        if note.recipe.startswith(REFINED) and note.job in running and note.picture in able:
            return str(able[note.picture]["base"]), note.recipe.partition(" ")[2]
    return None


def before(image: Gimp.Image, view: View, wish: Wish, models: Sequence[dict[str, Any]]) -> str:
    """The model by a folder's model of what a picture was before it was edited in place; "" where there is none.

    Args:
        wish: names the folder's model by its id.
    """
    size = (view.frame.width, view.frame.height)
    known = {note.model for note in single_image.remembered(image) if note.recipe == AT_ONCE}
    found = [m for m in models if m["id"] in known and m.get("base") == wish.maker and wish.task in m["tasks"]]
    return next((str(m["id"]) for m in reversed(found) if (m["width"], m["height"]) == size), "")


def _made(key: str, wish: Wish, models: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The newest model that came from the wish's maker, of this very picture."""
    for model in reversed(models):
        if model.get("base") == wish.maker and model["picture_hash"] == key and wish.task in (model["tasks"] or []):
            return model
    return None


def _trained(model: dict[str, Any]) -> Standing:
    return Standing(State.TRAINED, str(model["id"]), str(model["name"]))
