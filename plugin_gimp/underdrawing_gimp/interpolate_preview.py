"""Small pictures of the way between two pictures, made in the background and kept for a slider to show at once."""

from __future__ import annotations

import json
from typing import Any, Callable

from .client.call import Call as Request
from .client.call import Reply
from .client.frames import Frame
from .client.messages import EngineError
from .gi import GLib
from .service import Background

PLACES = 11  # on the way, both ends included
CALM = 300  # milliseconds without a change before the engine is asked
MOST = 24  # ways that are kept, a megabyte each
AT_ONCE = 4  # places of one request at most; the first ones are for less, so that something is seen soon


def next_places(made: list[int], place: float) -> list[int]:
    """Which places are made next: the one that is looked at, then those farthest from all that is there.

    Args:
        made: numbers of places.
        place: from 0 to 1.
    """
    if not made:
        return [round(place * (PLACES - 1))]
    there, found = list(made), []
    for _ in range(min(AT_ONCE, 2 * len(made), PLACES - len(made))):
        found.append(max(range(PLACES), key=lambda number: min(abs(number - other) for other in there)))
        there.append(found[-1])
    return found


class Preview:
    """What lies on the way, for the wishes of the moment; what was made for other wishes is kept for them.

    Attributes:
        wrong: why there is nothing to be seen, or None.
    """

    def __init__(self, background: Background, came: Callable[[], None]) -> None:
        """
        Args:
            came: called when there is something new to be shown.
        """
        self.background, self.came = background, came
        self.wrong: EngineError | None = None
        self._kept: dict[str, dict[int, Frame]] = {}
        self._body: dict[str, Any] = {}
        self._frames: list[Frame] = []
        self._key = ""
        self._place = 0.0
        self._request: Request | None = None
        self._timer = 0

    @property
    def whole(self) -> bool:
        """All places are there."""
        return len(self._kept.get(self._key, {})) == PLACES

    def nearest(self, place: float) -> tuple[float, Frame] | None:
        """Of what is made already, the picture nearest to a place from 0 to 1, and its own place; None without any."""
        made = [(number / (PLACES - 1), frame) for number, frame in self._kept.get(self._key, {}).items()]
        return min(made, key=lambda one: abs(one[0] - place), default=None)

    def want(self, model: str, this: Frame, other: Frame, options: dict[str, Any], place: float) -> None:
        """Make the way for these wishes, after a moment of calm, beginning near a place.

        Args:
            this, other: the pictures, small.
            options: of the engine's `between`.
        """
        self.stop()
        self._frames, self._place = [this, other], place
        self._body = {"model": model, "picture": {"hash": this.hash}, "other": {"hash": other.hash}, **options}
        self._key = json.dumps(self._body, sort_keys=True)
        self._kept.setdefault(self._key, {})
        while len(self._kept) > MOST:
            del self._kept[next(key for key in self._kept if key != self._key)]
        if not self.whole:
            self._timer = GLib.timeout_add(CALM, self._calm)

    def stop(self) -> None:
        """Ask for nothing any more; the engine drops what it is at."""
        if self._timer:
            GLib.source_remove(self._timer)
        if self._request is not None:
            self.background.give_up(self._request)
        self._timer, self._request, self._key, self.wrong = 0, None, "", None

    def _calm(self) -> bool:
        self._timer = 0
        self._ask()
        return False

    def _ask(self) -> None:
        kept = self._kept[self._key]
        numbers = next_places(list(kept), self._place)
        if not numbers:
            return
        body = {**self._body, "at": [number / (PLACES - 1) for number in numbers]}
        key = self._key

        def answered(reply: Reply | None, error: EngineError | None) -> None:
            self._request = None
            if reply is None:
                self.wrong = error
            else:
                made = [self.background.picture(reply, name) for name in reply.body["pictures"]]
                self._kept[key].update(zip(numbers, made))
                self._ask()
            self.came()

        self._request = self.background.ask("between", body, answered, self._frames)
