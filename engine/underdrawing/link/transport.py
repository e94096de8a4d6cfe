"""Two ways to the engine with one face: ZeroMQ itself, and a bridge process where zmq cannot be loaded."""

from __future__ import annotations

import queue
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO, List, Optional, Sequence

from .endpoint import Connection, engine_python
from .keys import load_pair
from .messages import MOST_BYTES, MOST_PARTS, EngineError

HIGH_WATER = 8  # messages, not bytes


def zmq_available() -> bool:
    """Whether this Python can load pyzmq with encryption."""
    try:
        import zmq

        return bool(zmq.has("curve"))
    except (ImportError, OSError):
        return False


class ZmqTransport:
    """A DEALER socket with CURVE."""

    def __init__(self, folder: Path, connection: Connection) -> None:
        import zmq

        self._zmq = zmq
        public, secret = load_pair(folder / "keys", "client", create=False)
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0  # or closing the host would wait for an engine that is gone
        self.socket.set_hwm(HIGH_WATER)
        self.socket.curve_publickey, self.socket.curve_secretkey = public, secret
        self.socket.curve_serverkey = connection.public_key.encode("ascii")
        self.socket.connect(connection.endpoint)

    def send(self, parts: Sequence[Any], timeout: float) -> bool:
        """Send a multipart message; False when it could not go out within `timeout` seconds."""
        if not self.socket.poll(int(min(timeout, 30.0) * 1000), self._zmq.POLLOUT):
            return False
        self.socket.send_multipart(parts, copy=True)
        return True

    def receive(self, timeout: float) -> Optional[List[bytes]]:
        """The next message, or None after `timeout` seconds."""
        if not self.socket.poll(int(min(timeout, 30.0) * 1000), self._zmq.POLLIN):
            return None
        return list(self.socket.recv_multipart())

    def close(self) -> None:
        """Close without waiting."""
        self.socket.close(0)
        self.context.term()


def write_parts(stream: BinaryIO, parts: Sequence[Any]) -> None:
    """A multipart message on a pipe: the number of parts, then each with its length (big endian)."""
    stream.write(struct.pack(">I", len(parts)))
    for part in parts:
        view = memoryview(part).cast("B")
        stream.write(struct.pack(">Q", view.nbytes))
        stream.write(view)
    stream.flush()


def read_parts(stream: BinaryIO) -> Optional[List[bytes]]:
    """The next message of a pipe; None at its end, or where what comes is not in this form."""

    def exactly(count: int) -> bytes:
        data = stream.read(count)
        if data is None or len(data) != count:
            raise EOFError
        return bytes(data)

    try:
        (count,) = struct.unpack(">I", exactly(4))
        if count > MOST_PARTS + 2:
            return None
        parts = []
        for _ in range(count):
            (size,) = struct.unpack(">Q", exactly(8))
            if size > MOST_BYTES:
                return None
            parts.append(exactly(size))
        return parts
    except (EOFError, OSError, ValueError):
        return None


class BridgeTransport:
    """The engine's own Python relays to ZeroMQ; this side needs pipes alone."""

    def __init__(self, folder: Path, connection: Connection) -> None:
        command = [engine_python(folder), "-m", "underdrawing.link.bridge", "--home", str(folder)]
        options = {"creationflags": 0x08000000} if sys.platform == "win32" else {}
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                **options,  # type: ignore[call-overload]
            )
        except OSError as error:
            raise EngineError(
                "not_startable",
                "The bridge to the engine could not be started: %s." % (error.strerror or error),
                "Repair the installation with: python3 installer engine",
            ) from None
        self.arrived: "queue.Queue[Optional[List[bytes]]]" = queue.Queue(maxsize=HIGH_WATER)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            parts = read_parts(self.process.stdout)
            self.arrived.put(parts)
            if parts is None:
                return

    def send(self, parts: Sequence[Any], timeout: float) -> bool:
        """Send a multipart message; False when the bridge is gone."""
        try:
            write_parts(self.process.stdin, parts)
        except (OSError, ValueError):
            return False
        return True

    def receive(self, timeout: float) -> Optional[List[bytes]]:
        """The next message, or None after `timeout` seconds."""
        try:
            parts = self.arrived.get(timeout=max(0.001, timeout))
        except queue.Empty:
            return None
        if parts is None:
            raise EngineError("engine_gone", "The bridge to the engine ended.", "Try again; it is started anew.")
        return parts

    def close(self) -> None:
        """End the bridge."""
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except OSError:
                pass
        self.process.wait(5)
