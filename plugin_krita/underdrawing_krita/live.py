"""Live: the result follows the brush. Looks at the layers, sends what changed, shows the newest answer."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import replace
from typing import Any, Callable

from . import apply, layers, read_layers, things
from .client.frames import Frame
from .client.messages import EngineError
from .colour_space import DRAWN, Space
from .document_model import Workspace
from .make_primitive import LABEL
from .service import frames_of, hint
from .tasks import Pause, Steps
from .tiles import MOST, Bounds, clear, read, write
from .ui_state import ApplyOptions, Live, Split

NAME = "live"
GRID = 16  # pieces of a side in which a plane is compared: a request may speak of 256 changed regions
LEAST = 0.016  # seconds between looks
LONGEST = 0.3  # seconds between looks, however long one took: a busy machine must not make Live blind
SHARE = 6.0  # looks take at most one part in so many of the interface's time


class Watched:
    """One plane as the engine knows it (a base and the pieces that changed since) and as it was seen last."""

    def __init__(self, name: str, node: Any, base: Frame, rows: list[Any], height: int) -> None:
        self.name, self.node, self.base, self.rows, self.height = name, node, base, rows, height
        self.width = -(-base.width // GRID)
        self.patches: dict[tuple[int, int], Frame] = {}

    @classmethod
    def begin(cls, ws: Workspace, name: str, node: Any) -> Generator[Any, Any, Watched]:
        """Read a plane for the first time."""
        width, height = ws.size
        space = Space.of(node)
        if not space.plain:
            text = "The layer “%s” is not in RGB or grey, which Live cannot follow." % node.name()
            raise EngineError("colour_space", text, "Convert the layer, or use Apply.")
        source = layers.reader(node)
        base = yield from read(source, space, width, height)
        tall = -(-height // GRID)
        # Nothing was seen yet: what is painted while the base is read is found by the first look.
        rows = [None] * -(-height // tall)
        return cls(name, node, base, rows, tall)

    def look(self) -> Generator[None, None, bool]:
        """Read the plane once more, in steps; whether anything changed. Costs a copy and a comparison a step."""
        changed, pixels = False, 0
        source = layers.reader(self.node)
        for number, old in enumerate(self.rows):
            y = number * self.height
            tall = min(self.height, self.base.height - y)
            seen = source(0, y, self.base.width, tall)
            if old is not None and seen.size() != old.size():
                raise EngineError("gone", "A layer of the underdrawing cannot be read any more.")
            if seen != old:
                changed, self.rows[number] = True, seen
                self._cut(number, y, tall, bytes(seen))
            pixels += self.base.width * tall
            if pixels >= MOST:
                pixels = 0
                yield None
        return changed

    def _cut(self, number: int, y: int, tall: int, seen: bytes) -> None:
        """Find the pieces of a row that differ from the base."""
        frame = self.base
        pixel = frame.stride // frame.width
        base = memoryview(frame.data)[y * frame.stride : (y + tall) * frame.stride]
        for column in range(GRID):
            x = column * self.width
            wide = min(self.width, frame.width - x)
            if wide <= 0:
                break
            parts = [(row * frame.stride + x * pixel, row * frame.stride + (x + wide) * pixel) for row in range(tall)]
            data = b"".join([seen[a:b] for a, b in parts])
            if data == b"".join([base[a:b] for a, b in parts]):
                self.patches.pop((x, y), None)
            else:
                self.patches[x, y] = Frame(wide, tall, frame.order, frame.depth, data, 0, frame.linear)

    @property
    def reference(self) -> dict[str, Any]:
        """How a request speaks of the plane."""
        patches = [{"x": x, "y": y, "hash": frame.hash} for (x, y), frame in sorted(self.patches.items())]
        return {"base": self.base.hash, "patches": patches, "kind": self.name}

    @property
    def frames(self) -> list[Frame]:
        """Everything that the request speaks of; what the engine has already does not travel again."""
        return [self.base, *self.patches.values()]


def live(ws: Workspace, options: Callable[[], ApplyOptions], keep: Callable[[], bool]) -> Steps:
    """Follow the brush until it is ended."""
    ws.live = Live.WATCHING
    preview = Preview(ws)
    hidden = None
    try:
        yield from preview.open()
        if not keep():
            hidden = ws.newest(ws.record.results)
            if hidden is not None:
                hidden.setVisible(False)
        while True:
            watched = []
            for name, node in ws.need_planes().items():
                watched.append((yield from Watched.begin(ws, name, node)))
            yield from _watch(ws, watched, preview, options)
    except EngineError as error:
        ws.live = Live.STOPPED
        ws.tell("Live has stopped." + " " + hint(error), True)
    finally:
        if ws.open:
            if hidden is not None and layers.identity(hidden) in ws.layers:
                hidden.setVisible(True)
            preview.close()
        if ws.live is not Live.STOPPED:
            ws.live = Live.OFF
        ws.touch()


def _watch(ws: Workspace, watched: list[Watched], preview: Preview, options: Callable[[], ApplyOptions]) -> Steps:
    """Until the underdrawing consists of other layers than these (a region tool, or undo)."""
    shown: Any = None
    looked = time.monotonic()
    mine = {layers.identity(plane.node) for plane in watched}
    size = ws.size
    while True:
        if ws.hold:
            yield Pause(LEAST)
            continue
        if {layers.identity(node) for node in ws.planes.values()} != mine or ws.size != size:
            return
        began = time.monotonic()
        poll = began - looked
        for plane in watched:
            yield from plane.look()
        mask = read_layers.selection(ws)
        lifted, of_things = yield from things.sent(ws)
        body = apply.body_of(ws, {plane.name: plane.reference for plane in watched}, options(), mask, lifted)
        looked = time.monotonic()
        taken = looked - began
        # Whole requests are compared: options, model, selection and every piece of every plane; and how far a model
        # is that is still being trained.
        wanted = body, ws.usable
        if wanted == shown:
            yield Pause(min(max(LEAST, taken * SHARE), LONGEST))
            continue
        shown = wanted
        frames = [frame for plane in watched for frame in plane.frames] + of_things
        frames += [mask] if mask is not None else []
        yield from _refresh(ws, body, frames, preview, Split(poll=poll, read=taken))


def _refresh(ws: Workspace, body: dict[str, Any], frames: list[Frame], preview: Preview, split: Split) -> Steps:
    """One request: never more than this one is on its way, and what is painted meanwhile comes with the next."""
    ws.live = Live.ASKING
    ws.touch()
    sent = time.monotonic()
    try:
        reply = yield ws.service.ask("apply", {**body, "baked": True}, frames, 600.0)
    except EngineError as error:
        if error.code != "nothing_edited":
            raise
        yield from preview.show(None)
        ws.live, ws.split = Live.WATCHING, Split()
        ws.touch()
        return
    arrived = time.monotonic()
    (picture,) = frames_of(reply, [str(reply.body["picture"])])
    yield from preview.show(picture, int(reply.body["x"]), int(reply.body["y"]))
    infer = float(reply.body["seconds"])
    ws.split = replace(split, send=max(0.0, arrived - sent - infer), infer=infer, write=time.monotonic() - arrived)
    ws.live = Live.WATCHING
    unseen = [str(text) for text in reply.body.get("unseen") or ()]
    if unseen:
        ws.tell(" ".join(unseen), True)
    elif ws.message.bad:
        ws.tell("")
    ws.touch()


def tidy(ws: Workspace) -> None:
    """Empty and hide a preview that was left behind, by a crash of Krita."""
    node = ws.layers.get(ws.record.preview)
    if node is not None and node.visible():
        preview, box = Preview(ws), node.bounds()
        preview.node, preview.space = node, Space.of(node)
        preview.area = Bounds(box.x(), box.y(), box.width(), box.height()) if not box.isEmpty() else None
        preview.close()


class Preview:
    """The locked layer that shows what Live made. It is no part of the input, and empty and hidden without Live."""

    def __init__(self, ws: Workspace) -> None:
        self.ws = ws
        self.node: Any = None  # Krita's layer
        self.space = ws.record.space or DRAWN
        self.area: Bounds | None = None

    def open(self) -> Steps:
        """Find the layer, or put it in: the one undo step that Live needs, once a document."""
        ws = self.ws
        node = ws.layers.get(ws.record.preview)
        if node is not None and not Space.of(node).serves_for(self.space):
            node = None
        if node is None:
            picture = ws.need_picture()
            with layers.Maker(ws.krita, ws.document, self.space) as maker:
                node = maker.layer("Live preview")
                node.setColorLabel(LABEL)
                node.setLocked(True)
                above = apply.top(ws, picture)
                yield from layers.put_in(ws.document, node, picture.parentNode(), above)
            ws.keep(preview=layers.identity(node))
            ws.look()
        self.node = node
        node.setVisible(True)

    def show(self, frame: Frame | None, x: int = 0, y: int = 0) -> Steps:
        """Show a result whose mask is its alpha; None shows nothing."""
        if self.node is None or layers.identity(self.node) not in self.ws.layers:
            raise EngineError("gone", "The preview layer was removed.", "Press Live to go on.")
        area = None if frame is None else Bounds(x, y, frame.width, frame.height)
        if self.area is not None and self.area != area:
            yield from clear(self.node, self.space, self.area)
        if frame is not None:
            yield from write(self.node, frame, x, y)
        self.area = area
        self.ws.document.refreshProjection()

    def close(self) -> None:
        """Empty and hide the layer. It stays, so that switching Live on and off leaves no traces in the history."""
        if self.node is None or layers.identity(self.node) not in self.ws.layers:
            return
        self.node.setVisible(False)
        if self.area is not None:
            for _ in clear(self.node, self.space, self.area):
                pass
            self.area = None
        self.ws.document.refreshProjection()
