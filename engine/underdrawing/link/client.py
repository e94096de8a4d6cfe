"""The client: finds or starts the engine, asks, waits with a deadline, and says clearly what went wrong."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Union

from . import endpoint
from .endpoint import Connection
from .messages import CHUNK, ERROR, EVENT, REPLY, EngineError, Message, decode, request
from .pixels import Frame
from .transport import BridgeTransport, ZmqTransport, zmq_available

INLINE = 8 << 20  # bytes of pictures that go along with a request instead of before it
SILENCE = 20.0  # seconds without a word (the engine sends a heartbeat every 2 s) before it counts as gone
TICK = 0.05  # seconds between looks at `cancelled`

OnEvent = Optional[Callable[[Dict[str, Any]], None]]
Cancelled = Optional[Callable[[], bool]]


@dataclass(frozen=True)
class Reply:
    """An answer: its body, and the pictures that came along."""

    body: Dict[str, Any]
    frames: List[Frame] = field(default_factory=list)


class Engine:
    """A connection to the engine. Not for several threads at once; every thread has its own."""

    def __init__(self, folder: Path, connection: Connection, bridge: Optional[bool] = None) -> None:
        self.folder, self.connection = folder, connection
        if bridge is None:
            bridge = not zmq_available()
        self.transport: Union[ZmqTransport, BridgeTransport] = (
            BridgeTransport(folder, connection) if bridge else ZmqTransport(folder, connection)
        )
        self.bridged = bridge

    # --- finding and starting

    @classmethod
    def connect(
        cls,
        start: bool = True,
        timeout: float = 30.0,
        home: Optional[Path] = None,
        bridge: Optional[bool] = None,
    ) -> "Engine":
        """The user's engine; started where there is none and `start` is set.

        Raises:
            EngineError: there is none, it cannot be started, or it speaks another protocol.
        """
        folder = home or endpoint.home()
        end = time.monotonic() + timeout
        engine = cls._running(folder, bridge, min(3.0, timeout))
        if engine is not None:
            return engine
        if not start:
            raise EngineError("not_running", "The engine is not running.", "Start it with: underdrawing engine start")
        endpoint.make_home(folder)
        # Many programs may start at once; one of them starts the engine, the others wait for it.
        with endpoint.locked(folder / "run" / "start.lock", max(0.1, end - time.monotonic())):
            engine = cls._running(folder, bridge, 3.0)
            if engine is not None:
                return engine
            process = endpoint.start_engine(folder)
            while time.monotonic() < end:
                found = Connection.read(folder)
                if found is not None and (found.pid == process.pid or process.poll() is not None):
                    engine = cls._running(folder, bridge, 3.0)
                    if engine is not None:
                        return engine
                if process.poll() is not None and process.returncode != 0:
                    raise EngineError(
                        "not_startable",
                        "The engine ended while it started (exit code %d)%s" % (process.returncode, cls._why(folder)),
                        "See %s, or run: underdrawing doctor" % (folder / "logs" / "start.log"),
                    )
                time.sleep(0.03)
        raise EngineError(
            "not_startable", "The engine did not start within %d seconds." % timeout, "Run: underdrawing doctor"
        )

    @staticmethod
    def _why(folder: Path) -> str:
        try:
            lines = (folder / "logs" / "start.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
            return ": " + lines[-1][:300] if lines else "."
        except OSError:
            return "."

    @classmethod
    def _running(cls, folder: Path, bridge: Optional[bool], timeout: float) -> "Optional[Engine]":
        connection = Connection.read(folder)
        if connection is None or not _alive(connection.pid):
            return None
        endpoint.check_protocol(connection)
        try:
            engine = cls(folder, connection, bridge)
        except EngineError as error:
            if error.code in ("no_key", "key_exposed"):
                return None
            raise
        try:
            engine.request("hello", deadline=timeout)
            return engine
        except EngineError as error:
            engine.close()
            if error.code in ("deadline", "engine_gone", "engine_silent"):
                return None
            raise

    def close(self) -> None:
        """End the connection; jobs go on."""
        self.transport.close()

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    # --- asking

    def request(
        self,
        verb: str,
        body: Optional[Dict[str, Any]] = None,
        frames: Sequence[Frame] = (),
        deadline: float = 30.0,
        on_event: OnEvent = None,
        cancelled: Cancelled = None,
    ) -> Reply:
        """Ask and wait for the answer.

        Args:
            verb, body: see docs/protocol.md.
            frames: pictures that the body refers to by hash.
            deadline: seconds after which it is given up; the engine is told.
            on_event: called with every event on the way.
            cancelled: asked at least every 100 ms; true gives the request up.

        Raises:
            EngineError: what the engine says, or "deadline", "cancelled", "engine_gone", "engine_silent".
        """
        end = time.monotonic() + deadline
        headers: List[Dict[str, Any]] = []
        parts: List[bytes] = []
        if sum(frame.size for frame in frames) <= INLINE:
            headers, parts = [f.header() for f in frames], [f.blob() for f in frames]
        else:
            self.upload(*frames, deadline=deadline, cancelled=cancelled)
        message = request(verb, body or {}, headers, parts)
        self._send(message, end)
        answer = self._await(message.id, end, on_event, cancelled)
        if answer.kind == ERROR:
            raise EngineError.from_dict(answer.body)
        found = [Frame.parse(header, part) for header, part in zip(answer.frames, answer.parts)]
        return Reply(answer.body, found)

    def _send(self, message: Message, end: float) -> None:
        if not self.transport.send(message.encode(), max(0.0, end - time.monotonic())):
            raise EngineError("engine_gone", "The engine does not take messages.", "Try again; it is started anew.")

    def _await(self, identity: str, end: float, on_event: OnEvent, cancelled: Cancelled) -> Message:
        heard = looked = time.monotonic()
        while True:
            now = time.monotonic()
            if cancelled is not None and cancelled():
                self._abandon(identity)
                raise EngineError("cancelled", "Cancelled.")
            if now >= end:
                self._abandon(identity)
                raise EngineError(
                    "deadline", "The engine did not answer in time.", "Try again, or: underdrawing doctor"
                )
            if now - looked > 1.0:
                looked = now
                if not _alive(self.connection.pid):
                    raise EngineError(
                        "engine_gone",
                        "The engine ended unexpectedly.",
                        "Try again: it is started anew, and interrupted learning goes on.",
                    )
            if now - heard > SILENCE:
                raise EngineError(
                    "engine_silent", "The engine does not answer.", "Restart it: underdrawing engine stop"
                )
            parts = self.transport.receive(min(TICK, max(0.001, end - now)))
            if parts is None:
                continue
            message = decode(parts)
            heard = time.monotonic()
            if message.id != identity:
                continue  # the late answer to something that was given up
            if message.kind in (REPLY, ERROR):
                return message
            if message.kind == EVENT and on_event is not None and message.body.get("event") != "heartbeat":
                on_event(message.body)

    def _abandon(self, identity: str) -> None:
        self.transport.send(request("abandon", {"request": identity}).encode(), 0.5)

    def ping(self) -> None:
        """Say that this client is still there, without waiting for an answer."""
        self.transport.send(request("ping", {}).encode(), 0.1)

    # --- pictures and files

    def upload(self, *frames: Frame, deadline: float = 300.0, cancelled: Cancelled = None) -> List[str]:
        """Send what the engine does not have yet; the hashes of all."""
        hashes = [frame.hash for frame in frames]
        missing = self.request("have", {"hashes": hashes}).body["missing"]
        for frame in frames:
            if frame.hash in missing:
                missing.remove(frame.hash)
                self._put(frame.header(), frame.blob(), deadline, cancelled)
        return hashes

    def _put(self, header: Dict[str, Any], data: Any, deadline: float, cancelled: Cancelled) -> None:
        end = time.monotonic() + deadline
        view = memoryview(data)
        for offset in range(0, view.nbytes, CHUNK):
            body = {"header": header, "offset": offset}
            message = Message("request", request("put", {}).id, "put", body, [], [view[offset : offset + CHUNK]])
            self._send(message, end)
            answer = self._await(message.id, end, None, cancelled)
            if answer.kind == ERROR:
                raise EngineError.from_dict(answer.body)

    def fetch(self, key: str, deadline: float = 300.0) -> Frame:
        """A picture that the engine made, by its hash."""
        header, data = self._get(key, deadline)
        return Frame.parse(header, data)

    def _get(self, key: str, deadline: float) -> "tuple[Dict[str, Any], bytearray]":
        end = time.monotonic() + deadline
        data = bytearray()
        while True:
            message = request("get", {"hash": key, "offset": len(data), "length": CHUNK})
            self._send(message, end)
            answer = self._await(message.id, end, None, None)
            if answer.kind == ERROR:
                raise EngineError.from_dict(answer.body)
            data += answer.parts[0]
            if len(data) >= int(answer.body["size"]):
                return dict(answer.body["header"]), data

    def result(self, reply: Reply, key: str) -> Frame:
        """A picture of a reply: the one that came along, or fetched."""
        for frame in reply.frames:
            if frame.hash == key:
                return frame
        return self.fetch(key)

    # --- verbs

    def hello(self) -> Dict[str, Any]:
        """Versions and what the engine can do."""
        return self.request("hello").body

    def status(self, probe: bool = False) -> Dict[str, Any]:
        """Processes, memory, jobs, loaded models, disk."""
        return self.request("status", {"probe": probe}, deadline=120.0).body

    def methods(self) -> Dict[str, Any]:
        """Methods with their recipes, and devices to train on."""
        return self.request("methods", deadline=120.0).body

    def make_primitive(
        self, picture: Frame, kind: str, deadline: float = 300.0, cancelled: Cancelled = None, **options: Any
    ) -> Reply:
        """A primitive of a picture: body planes [{name, hash}], palette, notes."""
        body = {"picture": {"hash": picture.hash}, "kind": kind, "options": options}
        return self.request("primitive", body, [picture], deadline, None, cancelled)

    def region(
        self, planes: Dict[str, Frame], palette: Any, operation: str, region: Dict[str, Any], **more: Any
    ) -> Reply:
        """A region tool; `region` is {"mask": Frame}, {"point": [x, y]} or {"class": name}."""
        frames = list(planes.values())
        if "mask" in region:
            frames.append(region["mask"])
            region = {"mask": {"hash": region["mask"].hash}}
        body = {"planes": references(planes), "palette": palette, "operation": operation, "region": region, **more}
        return self.request("region", body, frames, 120.0)

    def layout(self, model: str, picture: Frame) -> Reply:
        """Another picture segmented in a model's palette."""
        return self.request("layout", {"model": model, "picture": {"hash": picture.hash}}, [picture], 300.0)

    def train(self, picture: Frame, planes: Dict[str, Frame], **options: Any) -> Dict[str, Any]:
        """Begin to learn a picture: {job, model}."""
        body = {"picture": {"hash": picture.hash}, "planes": references(planes), **options}
        return self.request("train", body, [picture, *planes.values()], 300.0).body

    def watch(
        self, job: str, on_event: OnEvent = None, deadline: float = 1e9, cancelled: Cancelled = None
    ) -> Dict[str, Any]:
        """Follow a job until it ends: its last state."""
        pinged = [time.monotonic()]

        def still() -> bool:
            # The engine ends jobs of clients that vanish, where that was asked for: say that this one is there.
            if time.monotonic() - pinged[0] > 5.0:
                pinged[0] = time.monotonic()
                self.ping()
            return cancelled is not None and cancelled()

        return self.request("watch", {"job": job}, (), deadline, on_event, still).body

    def jobs(self) -> List[Dict[str, Any]]:
        """All jobs, the newest last."""
        return list(self.request("jobs").body["jobs"])

    def pause(self, job: str) -> Dict[str, Any]:
        """Write a checkpoint and stop until `resume`."""
        return self.request("pause", {"job": job}).body

    def resume(self, job: str) -> Dict[str, Any]:
        """Go on with a paused, failed or interrupted job."""
        return self.request("resume", {"job": job}).body

    def cancel(self, job: str) -> Dict[str, Any]:
        """Stop a job and forget what it did."""
        return self.request("cancel", {"job": job}).body

    def apply(
        self,
        model: str,
        planes: Dict[str, Frame],
        picture: Optional[Frame] = None,
        mask: Optional[Frame] = None,
        deadline: float = 300.0,
        cancelled: Cancelled = None,
        **options: Any,
    ) -> Reply:
        """The picture that follows from edited planes: body x, y, width, height, picture, mask, notes, ..."""
        body = {"model": model, "planes": references(planes), **options}
        frames = list(planes.values())
        for name, frame in (("picture", picture), ("mask", mask)):
            if frame is not None:
                body[name] = {"hash": frame.hash}
                frames.append(frame)
        return self.request("apply", body, frames, deadline, None, cancelled)

    def models(self) -> List[Dict[str, Any]]:
        """The library."""
        return list(self.request("models.list").body["models"])

    def model(self, model: str) -> Dict[str, Any]:
        """One model's manifest and more."""
        return self.request("models.show", {"model": model}).body

    def rename(self, model: str, name: str) -> Dict[str, Any]:
        """Give a model another name."""
        return self.request("models.rename", {"model": model, "name": name}).body

    def delete(self, model: str) -> Dict[str, Any]:
        """Delete a model for good."""
        return self.request("models.delete", {"model": model}).body

    def export_model(self, model: str, path: Path) -> Dict[str, Any]:
        """Write a model into a portable `.underdrawing` file."""
        body = self.request("models.export", {"model": model}, deadline=300.0).body
        _, data = self._get(body["hash"], 600.0)
        partial = path.with_name(path.name + ".partial")
        partial.write_bytes(data)
        os.replace(str(partial), str(path))
        return body

    def import_model(self, path: Path) -> Dict[str, Any]:
        """Take a portable file into the library."""
        data = path.read_bytes()
        header = {"file": True, "size": len(data), "hash": hashlib.sha256(data).hexdigest()}
        self._put(header, data, 600.0, None)
        return self.request("models.import", {"hash": header["hash"]}, deadline=300.0).body

    def unload(self) -> Dict[str, Any]:
        """Give the memory of loaded models back."""
        return self.request("unload").body

    def shutdown(self) -> Dict[str, Any]:
        """End the engine; what is being learnt goes on when it is started again."""
        return self.request("shutdown").body


def references(planes: Dict[str, Frame]) -> Dict[str, Any]:
    """Planes as a message names them."""
    return {name: {"hash": frame.hash} for name, frame in planes.items()}


def _alive(pid: int) -> bool:
    """Whether a process of this id runs (on Windows: it is not known, so yes)."""
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
        return True
    except PermissionError:
        return True
    except OSError:
        return False
