"""Requests that are being answered, and the clients that made them: limits, signs of life, farewell to the silent."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from typing import Any

from underdrawing.client import messages
from underdrawing.client.messages import INLINE, MOST_PARTS, UNANSWERED, EngineError, Message
from underdrawing.store.blob_store import Spool, Upload

log = logging.getLogger("underdrawing.clients")

HEARTBEAT = 2.0  # seconds between signs of life to clients that wait
GONE = 20.0  # seconds of silence after which a client counts as gone; whoever waits pings every 2 s
MOST_ASKS = 64  # requests of one client at a time
MOST_UPLOADS = 8  # blobs of one client on their way at a time

Send = Callable[[bytes, Message], None]
LOST = EngineError("lost_answer", "The engine does not know that request (any more).", "Ask again.")


class Ask:
    """One request of one client, and the ways to answer it.

    Attributes:
        open: not answered yet.
        on_abandon: called when nobody waits for the answer any more.
    """

    def __init__(self, send: Send, spool: Spool, client: bytes, message: Message) -> None:
        self._send, self._spool = send, spool
        self.client, self.message, self.body = client, message, message.body
        self.open = True
        self.on_abandon: Callable[[], None] = lambda: None

    def reply(self, body: dict[str, Any], keys: tuple[str, ...] = ()) -> None:
        """The answer. The headers of its pictures go along; the pictures too, where they are small together.

        Raises:
            EngineError: the spool lost one of the pictures.
        """
        if not self.open:
            return
        headers = [self._spool.header(key) for key in keys]
        blobs = [self._spool.open(key) for key in keys]
        small = len(blobs) <= MOST_PARTS and sum(len(blob) for blob in blobs) <= INLINE
        self.open = False
        self._send(self.client, messages.reply(self.message.id, body, headers, blobs if small else ()))

    def reply_part(self, body: dict[str, Any], part: bytes) -> None:
        """The answer with bytes that are no whole picture."""
        if self.open:
            self.open = False
            self._send(self.client, messages.reply(self.message.id, body, (), [part]))

    def fail(self, error: EngineError) -> None:
        """The answer when it went wrong."""
        if self.open:
            self.open = False
            self._send(self.client, messages.failure(self.message.id, error))

    def event(self, body: dict[str, Any]) -> None:
        """Something on the way."""
        if self.open:
            self._send(self.client, messages.event(self.message.id, body))


class Clients:
    """Who is there, what they wait for, and what they are sending.

    Args:
        send: puts a message on the socket.
        spool: where their pictures go.
        on_gone: called for a client that is gone.
    """

    def __init__(self, send: Send, spool: Spool, on_gone: Callable[[bytes], None]) -> None:
        self._send, self._spool, self._on_gone = send, spool, on_gone
        self.seen: dict[bytes, float] = {}
        self.asks: dict[tuple[bytes, str], Ask] = {}
        self.uploads: dict[tuple[bytes, str], Upload] = {}
        self._beat = self._ticked = time.monotonic()

    def hear(self, client: bytes) -> None:
        """A sign of life."""
        self.seen[client] = time.monotonic()

    def begin(self, client: bytes, message: Message) -> Ask:
        """Take a request.

        Raises:
            EngineError: the client has too many open already, or this very one.
        """
        mine = sum(owner == client for owner, _ in self.asks)
        # A client at its limit must still be able to give requests up.
        if message.verb not in UNANSWERED and (mine >= MOST_ASKS or (client, message.id) in self.asks):
            text = f"This program has {mine} open requests; at most {MOST_ASKS} are allowed, each with its own id."
            raise EngineError("queue_full", text, "Wait for answers before asking more.")
        ask = Ask(self._send, self._spool, client, message)
        # One that is never answered must not take the place of one that will be, whatever id it bears.
        if message.verb not in UNANSWERED:
            self.asks[client, message.id] = ask
        return ask

    def forget_answered(self) -> None:
        """Drop what is answered."""
        for key in [key for key, ask in self.asks.items() if not ask.open]:
            del self.asks[key]

    def upload(self, client: bytes, name: str, header: dict[str, Any]) -> Upload:
        """A blob on its way; a new one where this client sends none of that name.

        Raises:
            EngineError: too many at a time, or the header cannot be right.
        """
        known = self.uploads.get((client, name))
        if known is not None:
            return known
        if sum(owner == client for owner, _ in self.uploads) >= MOST_UPLOADS:
            text = f"At most {MOST_UPLOADS} pictures can be sent at a time."
            raise EngineError("queue_full", text, "Send them one after the other.")
        incoming = Upload(self._spool, header)
        self._spool.make_room(incoming.size)
        self.uploads[client, name] = incoming
        return incoming

    def end_upload(self, client: bytes, name: str) -> None:
        """A blob is complete or was refused."""
        incoming = self.uploads.pop((client, name), None)
        if incoming is not None and incoming.received < incoming.size:
            incoming.drop()

    def abandon(self, client: bytes, request: str, error: EngineError | None = None) -> None:
        """Nobody waits for this any more. With `error`, the client is told should it live after all."""
        ask = self.asks.pop((client, request), None)
        if ask is None or not ask.open:
            return
        if error is not None:
            ask.fail(error)
        ask.open = False
        with contextlib.suppress(ValueError):
            ask.on_abandon()

    def answer_ping(self, client: bytes, waits_for: list[Any]) -> None:
        """Tell a client which of the answers it waits for will never come (it did not read them in time)."""
        for request in waits_for[:MOST_ASKS]:
            if isinstance(request, str) and 0 < len(request) <= 64 and (client, request) not in self.asks:
                self._send(client, messages.failure(request, LOST))

    def gone(self, client: bytes) -> None:
        """A client said goodbye, or fell silent: what it waited for is dropped."""
        self.seen.pop(client, None)
        error = EngineError("client_silent", "This program was silent for too long, so its request was dropped.")
        for owner, request in [key for key in self.asks if key[0] == client]:
            self.abandon(owner, request, error)
        for owner, name in [key for key in self.uploads if key[0] == client]:
            self.end_upload(owner, name)
        self._on_gone(client)

    def tick(self, now: float) -> None:
        """Signs of life to those who wait; farewell to the silent."""
        slept, self._ticked = now - self._ticked, now
        if slept > HEARTBEAT * 2:
            # This process itself stood still (a laptop that slept): nobody can be blamed for that time.
            self.seen = {client: heard + slept for client, heard in self.seen.items()}
        if now - self._beat < HEARTBEAT:
            return
        self._beat = now
        for ask in list(self.asks.values()):
            ask.event({"event": "heartbeat"})
        for client in [client for client, heard in self.seen.items() if now - heard >= GONE]:
            self.gone(client)
