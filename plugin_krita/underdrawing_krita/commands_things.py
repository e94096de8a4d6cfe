"""What the buttons for things do."""

from __future__ import annotations

from typing import Any, Callable

from . import things
from .document_model import Workspace
from .tasks import Steps

Begin = Callable[[Workspace, Steps, str], None]


class ThingCommands:
    """Pick, bigger, smaller, lift and remove.

    Args:
        panel: whose widgets say how things are done.
        begin: starts work in hand.
        applied: the steps of Apply.
    """

    def __init__(self, panel: Any, begin: Begin, applied: Callable[[Workspace], Steps]) -> None:
        self.panel, self._start, self._applied = panel, begin, applied
        looking = "Looking for the thing…"
        self.known: dict[str, Callable[..., Any]] = {
            "pick": lambda ws: panel.picking(not panel.canvas.on),
            "picked": self._picked,
            "bigger": lambda ws: self._begin(ws, things.step(ws, 1), looking),
            "smaller": lambda ws: self._begin(ws, things.step(ws, -1), looking),
            "lift": lambda ws: self._begin(ws, things.lift(ws), "Lifting the thing…", True),
            "remove": lambda ws: self._begin(ws, self._remove(ws), "Removing the thing…", True),
        }

    def _begin(self, ws: Workspace, steps: Steps, doing: str, ends: bool = False) -> None:
        """Start; the picture is the layer that is chosen on the first page, as long as nothing else was said.

        Args:
            ends: clicks on the canvas point at nothing any more.
        """
        if ends:
            self.panel.picking(False)
        if ws.picture is None:
            ws.keep(picture=self.panel.make_page.picture)
        self._start(ws, steps, doing)

    def _picked(self, ws: Workspace, x: float, y: float, how: str) -> None:
        """A click on the canvas: "new", or "in" or "out" of what was pointed at before."""
        before = ws.picked if how != "new" else None
        inside, outside = (before.inside, before.outside) if before is not None else ((), ())
        inside, outside = (inside, (*outside, (x, y))) if how == "out" else ((*inside, (x, y)), outside)
        if inside:
            self._begin(ws, things.pick(ws, inside, outside), "Looking for the thing…")

    def _remove(self, ws: Workspace) -> Steps:
        yield from things.remove(ws)
        try:
            yield from self._applied(ws)
        finally:
            things.withdraw(ws)  # what could not be applied
