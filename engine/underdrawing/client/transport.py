"""Two ways to the engine with one face: ZeroMQ itself, and a bridge process where zmq cannot be loaded.

Neither ever waits longer than it is told to. Both say by `lost` that the engine is gone.
"""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, List, Optional, Sequence, Union

from .endpoint import Connection, clean_environment, engine_python
from .keys import load_pair
from .messages import SEALED, EngineError
from .pipe_codec import read_parts, write_parts

HIGH_WATER = 64  # messages, not bytes; both sides keep few big ones on their way
BEAT = 3.0  # seconds between ZeroMQ's own heartbeats
SILENT = 12.0  # seconds without one after which a connection counts as broken
LAST_WORDS = 0.05  # seconds


# Where the installer puts a pyzmq for the Python of a host that has none of its own: beside the copy of this folder.
OWN_ZMQ = Path(__file__).resolve().parent.parent / "pyzmq"


def zmq_available() -> bool:
    """Whether this Python can load pyzmq with encryption: the host's own, or the one that lies beside this folder."""
    # Last on the path: what the host has comes first, and other plug-ins in the same Python never meet ours instead.
    if OWN_ZMQ.is_dir() and str(OWN_ZMQ) not in sys.path:
        sys.path.append(str(OWN_ZMQ))
    try:
        import zmq

        return bool(zmq.has("curve"))
    except (ImportError, OSError, AttributeError):  # the last: a folder of that name which is no package
        return False


class ZmqTransport:
    """A DEALER socket with CURVE.

    Attributes:
        lost: the engine is gone; nothing will come any more.
        refused: it is there, and does not know this user's key.
    """

    def __init__(self, folder: Path, connection: Connection) -> None:
        zmq_available()  # for the place where it lies
        import zmq
        from zmq.utils.monitor import recv_monitor_message

        self._zmq, self._monitor_message = zmq, recv_monitor_message
        public, secret = load_pair(folder / "keys", "client", create=False)
        self.lost = self.refused = False
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.linger = 0  # or closing the host would wait for an engine that is gone
        self.socket.set_hwm(HIGH_WATER)
        self.socket.maxmsgsize = SEALED
        # A connection that broke is a new engine with a new port: looked up anew, never tried again blindly.
        self.socket.reconnect_ivl = -1
        self.socket.heartbeat_ivl, self.socket.heartbeat_timeout = int(BEAT * 1000), int(SILENT * 1000)
        self.socket.curve_publickey, self.socket.curve_secretkey = public, secret
        self.socket.curve_serverkey = connection.public_key.encode("ascii")
        refused = zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
        refused |= zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
        self._refusals = refused
        self._monitor = self.socket.get_monitor_socket(refused | zmq.EVENT_DISCONNECTED | zmq.EVENT_CLOSED)
        self._monitor.linger = 0
        self.socket.connect(connection.endpoint)
        self._poller = zmq.Poller()
        self._poller.register(self.socket, zmq.POLLIN)
        self._poller.register(self._monitor, zmq.POLLIN)

    @property
    def readable(self) -> List[Any]:
        """Sockets to poll; `receive` acts on whichever is ready."""
        return [self.socket, self._monitor]

    def send(self, parts: Sequence[Any]) -> bool:
        """Send a multipart message without waiting; False when there is no room on the way now."""
        try:
            self.socket.send_multipart(parts, self._zmq.DONTWAIT, copy=True)
            return True
        except self._zmq.Again:
            return False

    def receive(self, timeout: float) -> Optional[List[bytes]]:
        """The next message, or None after `timeout` seconds or when the connection is lost."""
        ready = dict(self._poller.poll(int(timeout * 1000)))
        if self.socket in ready:
            return list(self.socket.recv_multipart())
        if self._monitor in ready:
            event = self._monitor_message(self._monitor)["event"]
            self.refused = self.refused or bool(event & self._refusals)
            self.lost = True
            # The engine's last words may still be on their way through ZeroMQ's own thread.
            if self.socket.poll(int(LAST_WORDS * 1000)):
                return list(self.socket.recv_multipart())
        return None

    def close(self, linger: float = 0.0) -> None:
        """Close; what was sent last has `linger` seconds to leave, and as a rule needs none."""
        self.socket.disable_monitor()
        self._monitor.close(0)
        self.socket.close(int(linger * 1000))
        self.context.term()


class BridgeTransport:
    """The engine's own Python relays to ZeroMQ; this side needs pipes alone.

    Two threads move the bytes, so that a bridge that hangs holds nobody up.
    """

    def __init__(self, folder: Path, connection: Connection) -> None:
        command = [engine_python(folder), "-P", "-m", "underdrawing.client.bridge", "--home", str(folder)]
        options: Any = {"creationflags": 0x08000000} if sys.platform == "win32" else {}
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=clean_environment(command[0]),
                **options,
            )
        except OSError as error:
            raise EngineError(
                "not_startable",
                "The bridge to the engine could not be started: %s." % (error.strerror or error),
                "Repair the installation with: python3 installer engine",
            ) from None
        self.lost = self.refused = False
        self._arrived: "queue.Queue[List[bytes]]" = queue.Queue(HIGH_WATER)
        self._leaving: "queue.Queue[Optional[Sequence[Any]]]" = queue.Queue(HIGH_WATER)
        self._closing = False
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._read, self._write)]
        for thread in self._threads:
            thread.start()

    def _read(self) -> None:
        while not self._closing:
            parts = read_parts(self.process.stdout)
            if parts is None:
                break
            while not self._closing:
                try:
                    self._arrived.put(parts, timeout=0.2)
                    break
                except queue.Full:
                    continue
        self.lost = True

    def _write(self) -> None:
        while True:
            parts = self._leaving.get()
            if parts is None:
                self._end_input()
                break
            try:
                write_parts(self.process.stdin, parts)
            except (OSError, ValueError):
                self.lost = True
                break

    def _end_input(self) -> None:
        """Tell the bridge that nothing more comes: it sends what it has, and ends."""
        try:
            if self.process.stdin is not None:
                self.process.stdin.close()
        except OSError:
            pass

    def send(self, parts: Sequence[Any]) -> bool:
        """Send a multipart message without waiting; False when there is no room on the way now."""
        try:
            self._leaving.put_nowait(parts)
            return True
        except queue.Full:
            return False

    def receive(self, timeout: float) -> Optional[List[bytes]]:
        """The next message, or None after `timeout` seconds or when the connection is lost."""
        end = time.monotonic() + timeout
        while True:
            gone = self.lost  # asked before the queue is, or the last message would be missed
            # A look without any wait would never let the reader's thread run in hosts that hold Python's lock.
            wait = min(0.05, max(0.001, end - time.monotonic()))
            try:
                return self._arrived.get(timeout=wait)
            except queue.Empty:
                if gone or time.monotonic() >= end:
                    return None

    def close(self, linger: float = 0.0) -> None:
        """End the bridge; what was sent last has `linger` seconds to leave."""
        self._closing = True
        if not linger:
            self.process.kill()
        try:
            self._leaving.put_nowait(None)
        except queue.Full:
            self.process.kill()  # the writer meets a broken pipe
        try:
            self.process.wait(linger)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.process.wait(5)
        for thread in self._threads:
            thread.join(5)
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                if pipe is not None:
                    pipe.close()
            except OSError:
                pass


Transport = Union[ZmqTransport, BridgeTransport]


def open_transport(folder: Path, connection: Connection, bridge: Optional[bool] = None) -> Transport:
    """The way to this engine: ZeroMQ where it can be loaded (or `bridge` is False), else the bridge.

    Raises:
        EngineError: "no_key", "key_exposed", or the bridge cannot be started.
    """
    use_bridge = not zmq_available() if bridge is None else bridge
    return BridgeTransport(folder, connection) if use_bridge else ZmqTransport(folder, connection)
