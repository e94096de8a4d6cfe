"""Frames: an animated underdrawing, or animated photographs, become an animated layer of results."""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Iterator
from itertools import chain, repeat
from pathlib import Path
from typing import Any, Callable

from . import frames_to_animation, layers, read_layers
from .apply import Result, body_of, top, unlocked, unmasked
from .client.frames import Frame
from .client.messages import EngineError
from .colour_space import Space
from .document_model import Workspace
from .make_primitive import planes_of
from .tasks import Steps
from .tiles import read
from .ui_state import ApplyOptions

MOST_FRAMES = 2000


def times(document: Any) -> tuple[int, int]:
    """First and last frame that have anything to show: the clip's range, cut where nothing is animated any more."""
    first = int(document.fullClipRangeStartTime())
    last = int(document.fullClipRangeEndTime())
    return first, max(first, min(last, first + MOST_FRAMES - 1))


def animate(ws: Workspace, photographs: bool, first: int, last: int, options: ApplyOptions) -> Steps:
    """Paint frames first…last.

    Args:
        photographs: the picture's layer is animated, and each frame gets an underdrawing first; else the underdrawing
            is animated, and its edits are painted.
    """
    sources = {"picture": ws.need_picture()} if photographs else ws.need_planes()
    moving = [node for node in sources.values() if node.animated()]
    if not moving:
        what = "The picture's layer" if photographs else "No layer of the underdrawing"
        text = ("%s is not animated." if photographs else "%s is animated.") % what
        raise EngineError("not_animated", text, "Give it frames with the timeline, and try again.")
    if not 0 <= first <= last or last - first >= MOST_FRAMES:
        raise EngineError("bad_range", "These frames cannot be painted: %d to %d." % (first, last))
    picture = ws.need_picture()
    parent = unlocked(picture)
    with tempfile.TemporaryDirectory(prefix="underdrawing-") as folder:
        spool = Spool(Path(folder))
        for time in range(first, last + 1):
            ws.doing_now("Frame %d of %d…" % (time - first + 1, last - first + 1))
            # A frame that is held is painted once.
            if time > first and not any(node.hasKeyframeAtTime(time) for node in moving):
                spool.again()
                continue
            planes = yield from _planes_at(ws, sources, photographs, time)
            spool.add((yield from _result(ws, planes, photographs, options)))
            yield None
        ws.doing_now("Putting the frames into the document…")
        yield None
        # Nothing is to be seen before the first frame, nor behind the last one where the clip goes on.
        behind = 1 if last < int(ws.document.fullClipRangeEndTime()) else 0
        frames = chain(repeat(None, first), spool, repeat(None, behind))
        space = spool.space or Space.of(picture).converted
        with layers.Maker(ws.krita, ws.document, space, nested=True) as maker:
            made = yield from frames_to_animation.put_in(ws, maker, frames, parent, top(ws, picture))
    told = "%d frames lie in a new animated layer."
    if made is None:
        told = (
            "%d frames are the layers of a new group. Click on it, then "
            "Layer ▸ Convert ▸ Convert Group to Animated Layer."
        )
    ws.tell(told % (last - first + 1))


class Spool:
    """Painted frames on the disk, as a clip may be larger than the memory; None is a frame with nothing on it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: list[tuple[Path, Callable[[bytes], Result]] | None] = []
        self.space: Space | None = None  # that of the frames

    def add(self, result: Result | None) -> None:
        """Keep the next frame.

        Raises:
            EngineError: "file" where it cannot be written.
        """
        if result is None:
            self._rows.append(None)
            return
        file = self._folder / ("%06d" % len(self._rows))
        try:
            file.write_bytes(result.frame.data)
        except OSError as error:
            text = "A frame could not be written into %s." % self._folder
            raise EngineError("file", text, "Is there room on the disk?") from error
        self._rows.append((file, _without_pixels(result)))
        self.space = result.space

    def again(self) -> None:
        """The last frame is held."""
        self._rows.append(self._rows[-1])

    def __iter__(self) -> Iterator[Result | None]:
        for row in self._rows:
            yield None if row is None else row[1](row[0].read_bytes())


def _without_pixels(result: Result) -> Callable[[bytes], Result]:
    """A result that is whole again with the bytes of its pixels; meanwhile it needs no memory for them."""
    frame, x, y, space = result.frame, result.x, result.y, result.space
    head = frame.width, frame.height, frame.order, frame.depth
    stride, linear = frame.stride, frame.linear

    def whole(data: bytes) -> Result:
        return Result(Frame(*head, data, stride, linear), None, x, y, space)

    return whole


def _planes_at(ws: Workspace, sources: dict[str, Any], photographs: bool, time: int) -> Steps:
    """The underdrawing of one frame as frames by name; as hashes too large to keep they go to the engine at once."""
    width, height = ws.size
    found: dict[str, Frame] = {}
    for name, node in sources.items():
        if node.animated():
            space = Space.of(node)
            if not space.plain:
                raise EngineError("colour_space", "Frames must be in RGB or grey.")
            found[name] = yield from read(_at(node, time), space, width, height)
        else:
            found[name] = yield from read_layers.layer(ws, node)
    if not photographs:
        return found
    photo = found["picture"]
    body: dict[str, Any] = {"picture": {"hash": photo.hash}, "order": "BGRA"}
    known = set(ws.planes)
    if "segments" in known:
        body["model"] = ws.record.model
        reply = yield ws.service.ask("layout", body, [photo], 300.0)
    else:
        body["kind"] = "edges" if "edges" in known else "paint"
        reply = yield ws.service.ask("primitive", body, [photo], 300.0)
    return planes_of(reply)


def _at(node: Any, time: int) -> Any:
    """What reads a layer as it is seen at a time. Krita answers for keyframes alone: that one counts which is held."""
    while time > 0 and not node.hasKeyframeAtTime(time):
        time -= 1

    def source(x: int, y: int, width: int, height: int) -> Any:
        return node.pixelDataAtTime(x, y, width, height, time)

    return source


def _result(
    ws: Workspace, planes: dict[str, Frame], whole: bool, options: ApplyOptions
) -> Generator[Any, Any, Result | None]:
    """What follows from one frame's underdrawing; None where it is not edited."""
    body = {**body_of(ws, read_layers.references(planes), options, None, []), "baked": True}
    if whole:
        body["whole"] = True
    reply = yield from _asked(ws, body, list(planes.values()))
    return None if reply is None else unmasked(ws, reply)


def _asked(ws: Workspace, body: dict[str, Any], frames: list[Frame]) -> Generator[Any, Any, Any | None]:
    """The engine's answer; None where this frame is not edited."""
    try:
        return (yield ws.service.ask("apply", body, frames, 600.0))
    except EngineError as error:
        if error.code != "nothing_edited":
            raise
        return None
