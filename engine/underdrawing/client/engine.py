"""The client: every verb of the engine as a method that waits for the answer."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from . import endpoint
from .call import Call, OnEvent, Reply, Steps
from .connection import Cancelled, EngineConnection
from .frames import Frame
from .messages import CHUNK, EngineError, new_id, request
from .requests import (
    ApplyRequest,
    BetweenRequest,
    EditsRequest,
    GenerateRequest,
    InstantRequest,
    LayoutRequest,
    LiftRequest,
    PickRequest,
    PrimitiveRequest,
    RegionRequest,
    TrainRequest,
)

__all__ = ["Call", "Engine", "Reply", "references"]

FOREVER = 1e9


@dataclass(frozen=True)
class LiftedThing:
    """A thing that was lifted off a picture, as its layer is now.

    Attributes:
        pixels: the layer with its alpha; None where it was deleted, so the thing is removed.
        x, y: the layer's upper left corner in the picture.
        was: grey mask of the picture's size, where it was taken from; None: nothing is uncovered (a copy).
    """

    pixels: Optional[Frame]
    x: int = 0
    y: int = 0
    was: Optional[Frame] = None

    def to_json(self) -> Dict[str, Any]:
        """As a message names it."""
        named = {"pixels": self.pixels, "was": self.was}
        shown = {name: None if frame is None else {"hash": frame.hash} for name, frame in named.items()}
        return {**shown, "x": self.x, "y": self.y}


class Engine(EngineConnection):
    """The engine, asked verb by verb. See `EngineConnection` for deadlines, events and errors."""

    # --- about the engine

    def hello(self) -> Dict[str, Any]:
        """Versions and what the engine can do."""
        return self.request("hello").body

    def status(self, probe: bool = False) -> Dict[str, Any]:
        """Processes, memory, jobs, loaded models, disk."""
        return self.request("status", {"probe": probe}, deadline=120.0).body

    def methods(self) -> Dict[str, Any]:
        """Methods with their recipes, and devices to train on."""
        return self.request("methods", deadline=120.0).body

    def unload(self) -> Dict[str, Any]:
        """Give the memory of loaded models back."""
        return self.request("unload").body

    def clear(self) -> Dict[str, Any]:
        """Delete cached pictures that no request is using; `freed` bytes of disk."""
        return self.request("clear").body

    def shutdown(self) -> Dict[str, Any]:
        """End the engine; a training under way continues when it is started again."""
        try:
            return self.request("shutdown", deadline=60.0).body
        except EngineError as error:
            if error.code != "engine_gone":  # gone before its answer arrived: that is what was asked for
                raise
            return {}

    # --- primitives and results

    def make_primitive(
        self, picture: Frame, kind: str, deadline: float = 300.0, cancelled: Cancelled = None, **options: Any
    ) -> Reply:
        """A primitive of a picture: body planes [{name, hash}], palette, notes."""
        wanted = PrimitiveRequest({"hash": picture.hash}, kind, options)
        return self.ask(wanted, [picture], deadline, None, cancelled)

    def region(
        self, planes: Dict[str, Frame], palette: Any, operation: str, region: Dict[str, Any], **more: Any
    ) -> Reply:
        """A region tool; `region`, and `into` of a merge, is {"mask": Frame}, {"point": [x, y]} or {"class": name}.

        `picture`, a Frame, is what an area is split along.
        """
        frames = list(planes.values())
        if "mask" in region:
            frames.append(region["mask"])
            region = {"mask": {"hash": region["mask"].hash}}
        pictures, sent = given(picture=more.pop("picture", None))
        more, frames = {**more, **pictures}, frames + sent
        return self.ask(RegionRequest(references(planes), region, operation, palette, **more), frames, 120.0)

    def pick(
        self,
        picture: Frame,
        inside: Sequence[Sequence[float]] = (),
        outside: Sequence[Sequence[float]] = (),
        mask: Optional[Frame] = None,
    ) -> Reply:
        """What is meant by points (x, y) or a rough mask: body candidates [{mask, score, share, source}], notes."""
        pictures, frames = given(mask=mask)
        points = [[float(x), float(y)] for x, y in inside], [[float(x), float(y)] for x, y in outside]
        return self.ask(PickRequest({"hash": picture.hash}, *points, **pictures), [picture, *frames], 120.0)

    def lift(self, picture: Frame, mask: Frame, order: str = "") -> Reply:
        """The thing under a mask as a layer of its own: body layer, x, y, mask."""
        pictures, frames = given(picture=picture, mask=mask)
        return self.ask(LiftRequest(**pictures, order=order), frames, 120.0)

    def layout(
        self, model: str, picture: Frame, areas: Optional[int] = None, match: Optional[Dict[int, str]] = None
    ) -> Reply:
        """Another picture segmented in a model's palette.

        With `areas`, the body's areas tell at most so many parts of that picture and the class that each was given;
        `match` gives classes by the parts' numbers instead.
        """
        by_hand = {str(area): name for area, name in (match or {}).items()}
        return self.ask(LayoutRequest(model, {"hash": picture.hash}, areas, by_hand), [picture], 300.0)

    def edits(self, model: str, planes: Dict[str, Frame], without: Sequence[int] = (), order: str = "") -> Reply:
        """What was painted on a model's underdrawing: body edits, the largest first.

        Each is {title, x, y, width, height, mask}. With `without`, positions in that list: also the planes without
        these.
        """
        wanted = EditsRequest(model, references(planes), list(without), order)
        return self.ask(wanted, list(planes.values()), 120.0)

    def apply(
        self,
        model: Optional[str],
        planes: Dict[str, Frame],
        picture: Optional[Frame] = None,
        mask: Optional[Frame] = None,
        deadline: float = 300.0,
        cancelled: Cancelled = None,
        lifted: Sequence[LiftedThing] = (),
        **options: Any,
    ) -> Reply:
        """The picture that follows from edited planes and lifted things: body x, y, width, height, picture, mask, ...

        Where only things were lifted off `picture`, no model is needed.
        """
        pictures, frames = given(picture=picture, mask=mask)
        things = [thing.to_json() for thing in lifted]
        wanted = ApplyRequest(model, references(planes), lifted=things, **pictures, **options)
        frames += [frame for thing in lifted for frame in (thing.pixels, thing.was) if frame is not None]
        return self.ask(wanted, [*planes.values(), *frames], deadline, None, cancelled)

    def generate(
        self,
        model: str,
        task: str,
        picture: Optional[Frame] = None,
        mask: Optional[Frame] = None,
        deadline: float = 900.0,
        on_event: OnEvent = None,
        cancelled: Cancelled = None,
        **options: Any,
    ) -> Reply:
        """Pictures without an underdrawing; `task` is one of the model's tasks.

        The body holds x, y, width, height, picture, mask, ... as of `apply` for "harmonize", "blend" and "repaint";
        pictures for "vary" and "animate"; picture for "resize" and "enlarge". Events tell how far it is.
        """
        pictures, frames = given(picture=picture, mask=mask)
        wanted = GenerateRequest(model, task, **pictures, **options)
        return self.ask(wanted, frames, deadline, on_event, cancelled)

    def instant(
        self, model: str, picture: Frame, task: str = "vary", deadline: float = 120.0, **options: Any
    ) -> Dict[str, Any]:
        """A model of a picture at once, by the model of a folder: what `models` says of it."""
        wanted = InstantRequest(model, {"hash": picture.hash}, task, **options)
        return self.ask(wanted, [picture], deadline).body

    def between(
        self,
        model: str,
        picture: Frame,
        other: Frame,
        deadline: float = 900.0,
        on_event: OnEvent = None,
        cancelled: Cancelled = None,
        **options: Any,
    ) -> Reply:
        """Pictures between two, by the model of a folder: body pictures, width, height, rate, ..."""
        pictures, frames = given(picture=picture, other=other)
        return self.ask(BetweenRequest(model, **pictures, **options), frames, deadline, on_event, cancelled)

    # --- training

    def train(
        self,
        picture: Frame,
        planes: Dict[str, Frame],
        composite: Optional[Frame] = None,
        mask: Optional[Frame] = None,
        pictures: Sequence[Frame] = (),
        **options: Any,
    ) -> Dict[str, Any]:
        """Begin to train on a picture: {job, model, name}.

        With `pictures`: all of them together, as one model that makes models; `picture` stands for them in lists.

        With `base` (a model) among the options: that model continues training, for the composite and its mask.
        """
        changed, frames = given(composite=composite, mask=mask)
        options = {"key": new_id(), **options, **changed, "pictures": [{"hash": frame.hash} for frame in pictures]}
        wanted = TrainRequest({"hash": picture.hash}, references(planes), **options)
        return self.ask(wanted, [picture, *planes.values(), *frames, *pictures], 300.0).body

    def watch(
        self, job: str, on_event: OnEvent = None, deadline: float = FOREVER, cancelled: Cancelled = None
    ) -> Dict[str, Any]:
        """Follow a job until it ends or is paused: its last state."""
        return self.request("watch", {"job": job}, (), deadline, on_event, cancelled).body

    def jobs(self) -> List[Dict[str, Any]]:
        """All jobs, the newest last."""
        return list(self.request("jobs").body["jobs"])

    def pause(self, job: str) -> Dict[str, Any]:
        """Write a checkpoint and stop until `resume`."""
        return self.request("pause", {"job": job}).body

    def resume(self, job: str) -> Dict[str, Any]:
        """Go on with a paused, failed or interrupted job."""
        return self.request("resume", {"job": job}).body

    def background(self, training: str = "") -> Dict[str, Any]:
        """Whether training goes on in the background after a draft: training, held; "auto", "on" or "off" chooses."""
        return self.request("background", {"training": training}).body

    def cancel(self, job: str) -> Dict[str, Any]:
        """Stop a job and forget what it did."""
        return self.request("cancel", {"job": job}).body

    # --- the library

    def models(self) -> List[Dict[str, Any]]:
        """The library."""
        return list(self.request("models.list").body["models"])

    def model(self, model: str) -> Dict[str, Any]:
        """One model's manifest and more."""
        return self.request("models.show", {"model": model}).body

    def model_file(self, model: str, file: str, path: Path) -> Path:
        """One of a model's files (its preview, say), saved under `path`."""
        body = self.request("models.file", {"model": model, "file": file}).body
        self._save(str(body["hash"]), int(body["size"]), path, 300.0)
        return path

    def rename(self, model: str, name: str) -> Dict[str, Any]:
        """Give a model another name."""
        return self.request("models.rename", {"model": model, "name": name}).body

    def delete(self, model: str) -> Dict[str, Any]:
        """Delete a model for good."""
        return self.request("models.delete", {"model": model}).body

    def export_model(self, model: str, path: Path) -> Dict[str, Any]:
        """Write a model into a portable `.underdrawing` file."""
        body = self.request("models.export", {"model": model}, deadline=300.0).body
        self._save(str(body["hash"]), int(body["size"]), path, 600.0)
        return body

    def import_model(self, path: Path) -> Dict[str, Any]:
        """Take a portable file into the library.

        Raises:
            EngineError: "file" where it cannot be read, "bad_model" where it is not one of ours.
        """
        digest = hashlib.sha256()
        try:
            with open(str(path), "rb") as file:
                for block in iter(lambda: file.read(CHUNK), b""):
                    digest.update(block)
                size = file.tell()
        except OSError as error:
            text = "The file %s cannot be read: %s." % (path, error.strerror or error)
            raise EngineError("file", text, "Check its name and rights.") from None
        if not size:
            raise EngineError("bad_model", "The file %s is empty." % path, "Ask for the file again.")
        header = {"file": True, "size": size, "hash": digest.hexdigest()}

        def steps() -> Steps:
            with open(str(path), "rb") as file:

                def read(offset: int, count: int) -> bytes:
                    file.seek(offset)
                    return file.read(count)

                yield from self.session.send_blob(header, size, read)
                (answer,) = yield [request("models.import", {"hash": header["hash"]})]
            return Reply(answer.body)

        return self._run(steps, 600.0).body

    def wait_for_end(self, timeout: float = 20.0) -> bool:
        """After `shutdown`: whether the engine has ended (its lock is free) within `timeout` seconds."""
        end = time.monotonic() + timeout
        path = self.session.folder / "run" / "engine.lock"
        while time.monotonic() < end:
            try:
                with open(str(path), "a+b") as handle:
                    if endpoint.try_lock(handle):
                        return True
            except OSError:
                return True
            time.sleep(0.05)
        return False


def references(planes: Dict[str, Frame]) -> Dict[str, Any]:
    """Planes as a message names them."""
    return {name: {"hash": frame.hash} for name, frame in planes.items()}


def given(**pictures: Optional[Frame]) -> Tuple[Dict[str, Any], List[Frame]]:
    """Those of these pictures that there are: as a request refers to them, and to be sent with it."""
    found = {name: frame for name, frame in pictures.items() if frame is not None}
    return references(found), list(found.values())
