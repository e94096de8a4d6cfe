"""Other results for the same edit: by the picture's other models, and by chance. The user chooses among thumbnails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import history, layers
from .apply import Edit
from .client.messages import EngineError
from .document_model import Workspace
from .tasks import Steps
from .tiles import write
from .ui_state import ApplyOptions

MODELS = 3  # of the picture's other models, the newest
SEEDS = 3  # other chances


def ways(ws: Workspace) -> Iterator[dict[str, Any]]:
    """Fields of the request by which the results differ: as Apply does it, other models, other chances."""
    yield {}
    others = [model.id for model in reversed(ws.record.models) if model.id != ws.record.model]
    for model in others[:MODELS]:
        yield {"model": model}
    for seed in range(1, SEEDS + 1):
        yield {"seed": seed}


def find(ws: Workspace, options: ApplyOptions) -> Steps:
    """Paint the edit in other ways, and keep what differs with the results so far; no layer is made."""
    edit = yield from Edit.read(ws, options)
    seen = {str(entry.header["hash"]) for entry in ws.history}
    known = set(seen)
    all_ways = list(ways(ws))
    for number, way in enumerate(all_ways, 1):
        ws.doing_now("Painting it in other ways, %d of %d…" % (number, len(all_ways)))
        try:
            reply = yield ws.service.ask("apply", {**edit.body, **way}, edit.frames, 600.0)
        except EngineError as error:
            # A model that is gone, or was trained with other planes, has no other result to offer.
            if error.code not in ("unknown_model", "plane_missing", "wrong_size") or "model" not in way:
                raise
            continue
        made = edit.result(ws, reply)
        if made.frame.hash in seen:
            continue
        seen.add(made.frame.hash)
        with layers.Maker(ws.krita, ws.document, made.space) as maker:
            node = maker.layer("Result")
            yield from write(node, made.frame, made.x, made.y)
            yield from history.add(ws, made, node)
    count = len(seen - known)
    if not count:
        text = "There is no other result for this edit: train the picture with another method, or edit more."
    elif count == 1:
        text = "Another result is under “Results so far”. Double-click it to use it."
    else:
        text = "%d other results are under “Results so far”. Double-click the one that you like." % count
    ws.tell(text)
