"""Models of the picture for what needs no underdrawing: found again, learnt, made at once by a folder's, fine-tuned."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from . import generate_results
from .apply import eight_bits
from .client.frames import Frame
from .client.messages import EngineError
from .client.pixel_hash import pixel_hash_steps
from .document_model import Workspace
from .generate_request import generated
from .generate_tasks import Wish
from .generate_training import going, learnt
from .i18n import tr
from .meta_models import of_maker
from .service import frames_of
from .task_inputs import Material

ENOUGH = 0.9  # of the time that is asked for: a model that was refined for so long is not refined again
Models = list[dict[str, Any]]  # as `models.list` says it


def model_for(ws: Workspace, wish: Wish, found: Material) -> Generator[Any, Any, tuple[str, bool]]:
    """A model of the picture that can do this, and whether it was learnt just now."""
    reply = yield ws.service.ask("models.list", {}, (), 60.0)
    able: Models = [m for m in reply.body["models"] if wish.use.value in (m.get("tasks") or ())]
    if wish.maker:
        return (yield from _at_once(ws, wish, found, able))
    able = [m for m in able if not m.get("base")]
    if found.learnt is None:
        known = next((str(m["id"]) for m in able if m["id"] == ws.record.alone), "")
        if not known:
            raise _unknown()
        return known, False
    same = yield from _of_picture(able, found.learnt)
    exact = [m for m in same if m["recipe"] == wish.use.recipe]
    if same:
        model = str((exact or same)[-1]["id"])
        ws.keep(alone=model)
        return model, False
    body = {"picture": {"hash": found.learnt.hash}, "name": _name(ws, wish.use.recipe), **wish.training()}
    model = yield from learnt(ws, body, [found.learnt])
    ws.keep(alone=model)
    return model, True


def _of_picture(models: Models, picture: Frame) -> Generator[Any, Any, Models]:
    """Those that learnt this very picture, all of it."""
    size = (picture.width, picture.height)
    fitting = [m for m in models if (m["width"], m["height"]) == size and list(m["region"]) == [0, 0, *size]]
    if not fitting:
        return []
    mine = yield from pixel_hash_steps(picture)
    return [m for m in fitting if m["picture_hash"] == mine]


def _at_once(ws: Workspace, wish: Wish, found: Material, able: Models) -> Generator[Any, Any, tuple[str, bool]]:
    """A model that a folder's model makes of the picture, refined where that is wanted."""
    mine = [m for m in able if m.get("base") == wish.maker]
    if found.learnt is None:
        made = {str(m["id"]) for m in mine}
        known = [m for m in able if m["id"] == ws.record.at_once and (m["id"] in made or m.get("base") in made)]
        if not known:
            raise _unknown()
        return str(known[0]["id"]), False
    mine = yield from _of_picture(mine, found.learnt)
    if mine:
        made_now = str(mine[-1]["id"])
    else:
        going(ws, tr("Making a model of the picture…"))
        body = {"model": wish.maker, "picture": {"hash": found.learnt.hash}, "task": wish.use.value}
        try:
            reply = yield ws.service.ask("models.show", {"model": wish.maker}, (), 30.0)
        except EngineError as error:
            raise of_maker(error) from None
        body["name"] = _name(ws, tr("by %s") % reply.body["name"])
        reply = yield ws.service.ask("instant", body, [found.learnt], 300.0)
        made_now = str(reply.body["id"])
    model, learnt_now = yield from _refined(ws, wish, found.learnt, made_now, able)
    if wish.use.on_picture:
        ws.keep(at_once=model)
    return model, learnt_now


def _refined(
    ws: Workspace, wish: Wish, picture: Frame, made: str, able: Models
) -> Generator[Any, Any, tuple[str, bool]]:
    """What becomes of a model that was made at once when it goes on learning its picture; itself where it need not."""
    limits = wish.refining()
    if not limits:
        return made, False
    wanted = ENOUGH * float(limits.get("budget") or 0.0)
    known = [m for m in able if m.get("base") == made and float(m.get("seconds") or 0.0) >= wanted]
    if known:
        return str(known[-1]["id"]), False
    body = {"picture": {"hash": picture.hash}, "base": made, "on_disconnect": "continue", **limits}
    body.update(name=_name(ws, tr("refined")), device=wish.device)
    return (yield from learnt(ws, body, [picture])), True


def _name(ws: Workspace, what: str) -> str:
    """What a new model is called, in at most 120 characters that can be printed."""
    title = "".join(c for c in ws.name if c.isprintable())[:80] or tr("picture")
    return ("%s, %s" % (title, "".join(c for c in what if c.isprintable())))[:120]


def _unknown() -> EngineError:
    text = tr("It is not known what the picture was before it was edited.")
    return EngineError("no_original", text, tr("Choose the layer that is the original."))


def fine_tuned(ws: Workspace, wish: Wish, found: Material, model: str) -> Generator[Any, Any, str]:
    """A model that went on learning for this picture alone."""
    if found.given is None or found.learnt is None:
        text = tr("Fine-tuning needs the picture as it was learnt.")
        raise EngineError("no_original", text, tr("Choose the original's layer, or do without fine-tuning."))
    mask = found.mask
    if mask is None:
        reply = yield from generated(ws, wish, found, model)
        mask = generate_results.on_canvas(eight_bits(frames_of(reply, [str(reply.body["mask"])])[0]), reply, ws.size)
    body: dict[str, Any] = {"picture": {"hash": found.learnt.hash}, "base": model, "on_disconnect": "continue"}
    body.update(composite={"hash": found.given.hash}, mask={"hash": mask.hash})
    body.update(wish.limits, name=_name(ws, tr("fine-tuned")), device=wish.device)
    return (yield from learnt(ws, body, [found.learnt, found.given, mask]))
