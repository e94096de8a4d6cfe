"""Requests on their way: several at a time, none of which waits, over connections that may break and be found again."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from typing import Any, Callable, Deque, Dict, Generator, List, Optional, Sequence, Set

from .call import Call, OnEvent, Reply, Steps
from .discovery import Finder
from .frames import Frame, blob_size, check_header
from .messages import (
    CHUNK,
    ERROR,
    EVENT,
    INLINE,
    MOST_HASHES,
    MOST_PARTS,
    REPLY,
    REQUEST,
    WINDOW,
    EngineError,
    Message,
    decode,
    new_id,
    request,
)
from .transport import Transport

PING = 2.0  # seconds between signs of life while something is awaited
SILENCE = 15.0  # seconds without any word (the engine says something every 2 s) before it counts as hanging
STEP = 0.5  # seconds at most that one look adds to that: what passes while the host does other things is not silence
ATTEMPTS = 4  # times that a request is sent when the engine is gone again and again
AGAIN = ("client_silent", "lost_answer", "engine_ends")  # errors after which a request is simply sent once more
FAREWELL = 0.3  # seconds at most that closing a connection takes, so that the engine hears of it
NOT_AGAIN = ("shutdown",)  # verbs that are not repeated with a new engine


class Session:
    """A connection that is found again when it breaks, and the calls on it. For one thread.

    Args:
        folder: the engine's home.
        start: start an engine where there is none, also when it went away in between.
        bridge: see `Finder`.
        patience: seconds that finding or starting may take.
    """

    def __init__(self, folder: Path, start: bool, bridge: Optional[bool], patience: float) -> None:
        self.folder, self.start, self.bridge, self.patience = folder, start, bridge, patience
        self.transport: Optional[Transport] = None
        self.finder: Optional[Finder] = Finder(folder, start, patience, bridge)
        self.calls: List[Call] = []
        self.known: Set[str] = set()  # hashes that this engine has
        self._outbox: Deque[Message] = deque()
        self._pinged = self._looked = time.monotonic()
        self._quiet = 0.0
        self.note = ""  # what a person should know about how the engine was found

    def close(self) -> None:
        """End the connection; what the engine does for others goes on."""
        if self.finder is not None:
            self.finder.close()
        if self.transport is not None:
            self.transport.send(request("bye", {}).encode())
            self.transport.close(FAREWELL)
        self.transport = self.finder = None
        for call in self.calls:
            call.fail(EngineError("closed", "The connection to the engine was closed."))
        self.calls = []

    def submit(
        self,
        verb: str,
        body: Dict[str, Any],
        frames: Sequence[Frame] = (),
        deadline: float = 30.0,
        on_event: OnEvent = None,
    ) -> Call:
        """Begin a request and return at once; `process` moves it on."""
        return self.run(lambda: self._ask(verb, body, frames), verb not in NOT_AGAIN, deadline, on_event)

    def run(self, steps: Callable[[], Steps], again: bool, deadline: float, on_event: OnEvent = None) -> Call:
        """Begin a row of messages and answers."""
        call = Call(steps, again, time.monotonic() + deadline, on_event)
        self.calls.append(call)
        if self.transport is not None:
            self._outbox.extend(call.begin())
            self._flush()
        return call

    def give_up(self, call: Call, error: EngineError) -> None:
        """End a call; the engine is told, so that it does not work for nobody."""
        for identity, answer in call.waiting.items():
            if answer is None:
                self._outbox.append(request("abandon", {"request": identity}))
        call.fail(error)
        self._flush()

    def process(self, timeout: float = 0.0) -> None:
        """Move everything on: send, receive, reconnect. Waits at most `timeout` seconds for something to happen.

        Raises:
            EngineError: nothing that concerns one call alone: that is in the call.
        """
        self._drop_done()
        if self.transport is None:
            self._find(timeout)
        if self.transport is not None:
            self._flush()
            wait = min(timeout, 0.01) if self._outbox else timeout
            parts = self.transport.receive(wait)
            while parts is not None:
                self._heard(parts)
                self._flush()
                parts = self.transport.receive(0) if self.transport is not None else None
            self._watch()
        now = time.monotonic()
        for call in self.calls:
            if not call.done and now >= call.end:
                hint = "Try again, or run: underdrawing doctor"
                self.give_up(call, EngineError("deadline", "The engine did not answer in time.", hint))
        self._drop_done()

    # --- the connection

    def _find(self, timeout: float) -> None:
        if self.finder is None:
            self.finder = Finder(self.folder, self.start, self.patience, self.bridge)
        end = time.monotonic() + timeout
        try:
            self.transport = self.finder.step()
            while self.transport is None and time.monotonic() < end:
                time.sleep(0.005)
                self.transport = self.finder.step()
        except EngineError as error:
            self.finder = None
            for call in self.calls:
                call.fail(error)
            return
        if self.transport is None:
            return
        self.note = self.finder.note
        self.finder, self._quiet, self._looked = None, 0.0, time.monotonic()
        self._outbox.clear()
        self.known.clear()
        for call in list(self.calls):
            if not call.done:
                self._outbox.extend(call.begin())

    def _lose(self, error: EngineError) -> None:
        """The engine is gone: what may be repeated is, with the next one."""
        if self.transport is not None:
            self.transport.close()
            self.transport = None
        self._outbox.clear()
        for call in self.calls:
            if not call.done and (not call.again or call.attempts >= ATTEMPTS):
                call.fail(error)

    def _watch(self) -> None:
        """Signs of life, in both directions."""
        if self.transport is None:
            return
        now = time.monotonic()
        pending = any(not call.done for call in self.calls)
        self._quiet = self._quiet + min(now - self._looked, STEP) if pending else 0.0
        self._looked = now
        if self.transport.lost:
            text = "The engine ended unexpectedly, again and again."
            self._lose(EngineError("engine_gone", text, "See its log: underdrawing engine logs"))
        elif self._quiet > SILENCE:
            hint = "Restart it: underdrawing engine stop"
            error = EngineError("engine_silent", "The engine does not answer.", hint)
            for call in self.calls:
                call.fail(error)
            self._lose(error)
        elif pending and now - self._pinged > PING:
            self.ping()

    def ping(self) -> None:
        """Tell the engine that this client is still there, and what it waits for: it may have missed an answer."""
        self._pinged = time.monotonic()
        if self.transport is not None and not self._outbox:
            waiting = [identity for call in self.calls for identity, answer in call.waiting.items() if answer is None]
            self.transport.send(request("ping", {"open": waiting}).encode())

    def _flush(self) -> None:
        while self._outbox and self.transport is not None:
            if not self.transport.send(self._outbox[0].encode()):
                return
            self._outbox.popleft()

    def _heard(self, parts: List[bytes]) -> None:
        self._quiet = 0.0
        try:
            message = decode(parts)
        except EngineError:
            return
        for call in self.calls:
            if message.id in call.waiting:
                if (
                    message.kind == ERROR
                    and message.body.get("code") in AGAIN
                    and call.attempts < ATTEMPTS
                    and call.again
                ):
                    self._outbox.extend(call.begin())
                elif message.kind in (REPLY, ERROR):
                    self._outbox.extend(call.answered(message))
                elif message.kind == EVENT and call.on_event is not None and message.body.get("event") != "heartbeat":
                    call.on_event(message.body)
                return

    def _drop_done(self) -> None:
        if any(call.done for call in self.calls):
            self.calls = [call for call in self.calls if not call.done]

    # --- what is sent, in which order

    def _ask(self, verb: str, body: Dict[str, Any], frames: Sequence[Frame]) -> Steps:
        """A request with its pictures: small ones go along, big ones before it."""
        wanted = {frame.hash: frame for frame in frames}
        try:
            return (yield from self._ask_once(verb, body, wanted))
        except EngineError as error:
            # The engine keeps pictures as long as it has room: this one was known and is no more.
            if error.code != "unknown_picture" or not self.known.intersection(wanted):
                raise
            self.known.difference_update(wanted)
        return (yield from self._ask_once(verb, body, wanted))

    def _ask_once(self, verb: str, body: Dict[str, Any], wanted: Dict[str, Frame]) -> Steps:
        missing = [frame for key, frame in wanted.items() if key not in self.known]
        if sum(frame.size for frame in missing) > INLINE or len(missing) > MOST_PARTS:
            yield from self.upload(missing)
            missing = []
        headers, parts = [f.header() for f in missing], [f.blob() for f in missing]
        (answer,) = yield [request(verb, body, headers, parts)]
        self.known.update(frame.hash for frame in missing)
        return Reply(answer.body, (yield from self._frames(answer)))

    def upload(self, frames: Sequence[Frame]) -> Steps:
        """Send pictures that the engine does not have."""
        wanted = {frame.hash: frame for frame in frames}
        hashes, missing = list(wanted), []
        for first in range(0, len(hashes), MOST_HASHES):
            (answer,) = yield [request("have", {"hashes": hashes[first : first + MOST_HASHES]})]
            missing += answer.body["missing"]
        for key in missing:
            frame = wanted[key]
            blob = memoryview(frame.blob())

            def read(offset: int, count: int, blob: memoryview = blob) -> memoryview:
                return blob[offset : offset + count]

            yield from self.send_blob(frame.header(), frame.size, read)
        self.known.update(wanted)
        return Reply({"hashes": [frame.hash for frame in frames]})

    def send_blob(self, header: Dict[str, Any], size: int, read: Callable[[int, int], Any]) -> Steps:
        """Send a picture or a file in chunks, a few on their way at a time."""
        upload = new_id()
        offsets = range(0, size, CHUNK)
        for first in range(0, len(offsets), WINDOW):
            batch = []
            for offset in offsets[first : first + WINDOW]:
                body = {"upload": upload, "header": header, "offset": offset}
                batch.append(Message(REQUEST, new_id(), "put", body, [], [read(offset, CHUNK)]))
            answers = yield batch
            if any(answer.body.get("complete") for answer in answers):
                break
        return Reply({})

    def _frames(self, answer: Message) -> "Generator[List[Message], List[Message], List[Frame]]":
        """The pictures of an answer: from its parts, or fetched where they were too big to go along."""
        if len(answer.parts) == len(answer.frames):
            return [_of_engine(header, part) for header, part in zip(answer.frames, answer.parts)]
        frames = []
        for header in answer.frames:
            data = bytearray(blob_size(check_header(header)))

            def write(offset: int, chunk: Any, data: bytearray = data) -> None:
                data[offset : offset + len(chunk)] = chunk

            yield from self.receive_blob(str(header.get("hash")), len(data), write)
            frames.append(_of_engine(header, data))
        return frames

    def receive_blob(self, key: str, size: int, write: Callable[[int, Any], None]) -> Steps:
        """Fetch a picture or a file in chunks."""
        offsets = range(0, size, CHUNK)
        for first in range(0, len(offsets), WINDOW):
            batch = offsets[first : first + WINDOW]
            answers = yield [request("get", {"hash": key, "offset": o, "length": min(CHUNK, size - o)}) for o in batch]
            for offset, answer in zip(batch, answers):
                if len(answer.parts) != 1 or len(answer.parts[0]) != min(CHUNK, size - offset):
                    raise EngineError("bad_frame", "The engine sent less of a picture than it promised.")
                write(offset, answer.parts[0])
        return Reply({})

    def fetch(self, key: str) -> Steps:
        """A picture by its hash."""
        (answer,) = yield [request("header", {"hash": key})]
        return Reply({}, (yield from self._frames(answer)))


def _of_engine(header: Dict[str, Any], blob: Any) -> Frame:
    """A frame from the engine: it knows the hash, and who is at the other end of the connection is known; a large
    picture is not hashed once more while a paint program waits."""
    frame = Frame.parse(header, blob)
    object.__setattr__(frame, "_hash", str(header.get("hash")))
    return frame
