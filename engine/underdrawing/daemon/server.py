"""The engine: listens, queues, keeps the library. It computes nothing; worker and renderer do.

`python -m underdrawing.daemon [--home DIR] [--idle-exit SECONDS]`
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import zmq
from zmq.auth.thread import ThreadAuthenticator

import underdrawing
from underdrawing import __version__
from underdrawing.client import keys, messages
from underdrawing.client.endpoint import Connection
from underdrawing.client.messages import PROTOCOL, SEALED, EngineError, Message
from underdrawing.daemon import background, handlers
from underdrawing.daemon.child_process import Child, ChildTask, End, Inbox, end_leftovers
from underdrawing.daemon.clients import Clients
from underdrawing.daemon.job_queue import Jobs
from underdrawing.daemon.own_code import OwnCode
from underdrawing.daemon.render_queue import Rendering
from underdrawing.daemon.training_supervisor import PARK, Supervisor
from underdrawing.store.blob_store import LIMIT, Spool
from underdrawing.store.model_library import Library
from underdrawing.weights.store import folder as weights_folder

log = logging.getLogger("underdrawing.daemon")

IN_AT_ONCE = 16  # messages of one client that wait to be read: what a flood can take of the memory
OUT_AT_ONCE = 64  # messages that a client may leave unread; what comes then is dropped
A_FEW = 32  # messages read before children and clocks are looked at again
DESCRIBED_WITHIN = 120.0  # seconds for the list of methods, which loads torch
SWEEP = 60.0  # seconds between looks at what worker and renderer added to the spool
LOOK = 2.0  # seconds between looks at the engine's own code, while nothing is to be done
SHOW = 1.0  # seconds after which a lost connection file is noticed


@dataclass(frozen=True)
class Settings:
    """What can be chosen about an engine.

    Attributes:
        idle_exit: seconds without clients and jobs after which it ends.
        renderer_idle: seconds after which an unused renderer ends and gives its memory back.
        memory: bytes that worker and renderer may take each; 0 for 85 % of the machine's.
        spool: bytes of pictures that are kept.
        listen: `ADDRESS:PORT` where clients on other machines, let in by their keys, may come in besides; "" nowhere.
        worker, renderer: the modules that the two processes run.
    """

    idle_exit: float = 1800.0
    renderer_idle: float = 300.0
    memory: int = 0
    spool: int = LIMIT
    listen: str = ""
    worker: str = "underdrawing.train.worker"
    renderer: str = "underdrawing.render.worker"


class Allowed:
    """Which clients may come in: the user's own key, and those added by hand."""

    def __init__(self, folder: Path, own: bytes) -> None:
        self.folder, self.own = folder, own

    def callback(self, domain: str, key: bytes) -> bool:
        """Asked by the authenticator for every connection; `key` is in Z85."""
        return key == self.own or key in keys.allowed(self.folder)


def as_error(fault: Exception) -> EngineError:
    """What a client is told about a fault; what is not the client's business goes into the log."""
    if isinstance(fault, EngineError):
        return fault
    log.error("something failed inside", exc_info=fault)
    if isinstance(fault, OSError):
        text = f"The engine could not use its folder: {fault.strerror or fault}."
        return EngineError("disk", text, "Make room on the disk, or check the rights of the engine's folder.")
    return EngineError("internal", f"The engine failed inside: {type(fault).__name__}.", "See the log.")


class Daemon:
    """One engine. Readers of pipes, the authenticator and chores have threads; everything else is in this one."""

    def __init__(self, home: Path, settings: Settings) -> None:
        self.home, self.settings = home, settings
        self.began = time.monotonic()
        self.memory = settings.memory or int(psutil.virtual_memory().total * 0.85)
        self.spool, self.library = Spool(home / "spool", settings.spool, owner=True), Library(home)
        self.jobs, self.inbox, self.chores = Jobs(self.library), Inbox(), ThreadPoolExecutor(1, "chores")
        self.supervisor = Supervisor(
            settings.worker, self.jobs, self.library, self.inbox, home / "run", self.task, self.chores
        )
        self.rendering = Rendering(
            settings.renderer,
            self.inbox,
            home / "run",
            self.spool,
            settings.renderer_idle,
            self.supervisor.make_way,
        )
        self.supervisor.on_done = lambda job: background.follow_up(self, job)
        self.clients = Clients(self.send, self.spool, self.supervisor.client_gone)
        self.stopping = False
        self.code = OwnCode(Path(underdrawing.__file__).parent)
        self.described: dict[str, Any] | None = None
        self._describer: Child | None = None
        self._asked: list[End] = []  # who waits for it
        self._numbers = self._chores = 0
        self._shown = self._powered = 0.0
        self._swept = time.monotonic()
        self.context = zmq.Context()

    # --- the socket

    def listen(self) -> None:
        """Open the socket and tell clients where it is."""
        self.authenticator = ThreadAuthenticator(self.context)
        self.authenticator.start()
        folder = self.home / "keys"
        public, secret = keys.load_pair(folder, "engine", create=True)
        own, _ = keys.load_pair(folder, "client", create=True)
        self.authenticator.configure_curve_callback("*", credentials_provider=Allowed(folder, own))
        self.socket = self.context.socket(zmq.ROUTER)
        self.socket.curve_server = True
        self.socket.curve_publickey, self.socket.curve_secretkey = public, secret
        self.socket.linger = 500
        self.socket.maxmsgsize = SEALED
        self.socket.rcvhwm, self.socket.sndhwm = IN_AT_ONCE, OUT_AT_ONCE
        self.socket.handshake_ivl = 5000  # a stranger who connects and says nothing is thrown out
        self.socket.heartbeat_ivl, self.socket.heartbeat_timeout = 5000, 20000
        # A client that reads nothing must not hold the others up: what does not fit is dropped.
        self.socket.router_mandatory = False
        port = self.socket.bind_to_random_port("tcp://127.0.0.1")
        self.place = Connection(f"tcp://127.0.0.1:{port}", public.decode(), os.getpid(), PROTOCOL, __version__)
        self.place.write(self.home)
        log.info("engine %s listens, protocol %d", __version__, PROTOCOL)

    def open_to_others(self, place: str) -> None:
        """Listen at an address of this machine, too.

        Raises:
            EngineError: it is none, or it is taken.
        """
        try:
            self.socket.bind(f"tcp://{place}")
        except zmq.ZMQError as error:
            text = f"The engine cannot listen at {place}: {error.strerror}."
            raise EngineError("listen", text, "Give an address of this machine and a free port: 0.0.0.0:5577") from None
        log.info("open to other machines")

    def send(self, client: bytes, message: Message) -> None:
        """To a client; one that does not read loses it, and notices when it pings."""
        with contextlib.suppress(zmq.ZMQError):
            self.socket.send_multipart([client, *message.encode()], zmq.DONTWAIT, copy=True)

    def run(self) -> None:
        """Serve until told to stop, or until nobody needs it."""
        end_leftovers(self.home / "run")
        self.spool.clean()
        for told in self.jobs.restore():
            log.info("%s", told)
        self.listen()
        try:
            if self.settings.listen:
                self.open_to_others(self.settings.listen)
            self._serve()
        finally:
            self.close()

    def _serve(self) -> None:
        poller = zmq.Poller()
        poller.register(self.socket, zmq.POLLIN)
        poller.register(self.inbox.socket, zmq.POLLIN)
        last, parked_by, looked = time.monotonic(), 0.0, 0.0
        while True:
            poller.poll(200)
            # A few at a time, so that a flood from one client does not keep children and clocks waiting.
            for _ in range(A_FEW):
                try:
                    parts = self.socket.recv_multipart(zmq.DONTWAIT)
                except zmq.Again:
                    break
                self.receive(parts)
                last = time.monotonic()
            self.inbox.run()
            now = time.monotonic()
            self.tick(now)
            if self.supervisor.busy or self.rendering.current or self.rendering.waiting or self._chores:
                last = now
            if now - last > self.settings.idle_exit and not self.stopping:
                log.info("idle for %d s; the engine exits", self.settings.idle_exit)
                self.stopping = True
            if now - max(last, looked) > LOOK and not self.stopping:
                looked = now
                if self.code.replaced():
                    log.info("the engine's code was replaced; the engine exits, and the next use starts the new one")
                    self.stopping = True
            if self.stopping:
                if not parked_by:
                    parked_by = now + PARK + 1.0
                    self.supervisor.park()
                if self.supervisor.parked or now > parked_by:
                    return

    def receive(self, parts: list[bytes]) -> None:
        """One message from a client."""
        client, *rest = parts
        self.clients.hear(client)
        identity = "?"
        try:
            message = messages.decode(rest)
            identity = message.id
            if message.kind != messages.REQUEST:
                return
            act = handlers.find(message.verb)
            ask = self.clients.begin(client, message)
            try:
                self.take_frames(message)
                act(self, ask)
            except BaseException:
                ask.open = False
                raise
        except Exception as fault:  # noqa: BLE001 - whatever a message does, the engine stays
            self.send(client, messages.failure(identity, as_error(fault)))
        finally:
            self.clients.forget_answered()

    def take_frames(self, message: Message) -> None:
        """Store pictures that came along."""
        if message.verb == "put":
            return
        if len(message.frames) != len(message.parts):
            raise EngineError("bad_request", "The message does not have as many parts as it promises.")
        for header, part in zip(message.frames, message.parts, strict=True):
            self.spool.make_room(len(part))
            self.spool.put(header, part)

    # --- what verbs build on

    def task(
        self, name: str, args: dict[str, Any], on_event: Callable[[dict[str, Any]], None], on_end: End
    ) -> ChildTask:
        """A numbered task with the folders that every child needs."""
        self._numbers += 1
        folders = {"home": str(self.home), "spool": str(self.spool.folder), "weights": str(weights_folder(self.home))}
        return ChildTask(self._numbers, name, {**args, **folders}, on_event, on_end)

    def describe(self, on_end: End) -> None:
        """What methods there are, from a short-lived worker; remembered. Whoever asks meanwhile waits for the same one:
        a client that asks again and again must not start a process each time."""
        if self.described is not None:
            on_end(self.described, None)
            return
        self._asked.append(on_end)
        if self._describer is not None:
            return

        def ended(result: dict[str, Any] | None, error: EngineError | None) -> None:
            self.described = result if error is None else None
            if self._describer is not None:
                self._describer.kill()
                self._describer = None
            asked, self._asked = self._asked, []
            for end in asked:
                with contextlib.suppress(EngineError):  # one that cannot be answered any more
                    end(result, error)

        record = self.home / "run" / "child-describer.json"
        try:
            self._describer = Child(self.settings.worker, "describer", self.inbox, record)
        except EngineError as error:
            ended(None, error)
            return
        task = self.task("describe", {}, lambda _: None, ended)
        task.kill_at = time.monotonic() + DESCRIBED_WITHIN
        self._describer.why = EngineError(
            "crashed", "The list of methods could not be made.", "The log has more: underdrawing engine logs"
        )
        self._describer.give(task)

    def chore(self, work: Callable[[], Any], then: Callable[[Any, EngineError | None], None]) -> None:
        """Do something long beside the loop; `then` is called in it, with the result or with what went wrong."""
        self._chores += 1

        def ended(result: Any, error: EngineError | None) -> None:
            self._chores -= 1
            then(result, error)

        def run() -> None:
            try:
                result = work()
            except Exception as fault:  # noqa: BLE001 - the thread's boundary: everything becomes an answer
                wrong = as_error(fault)
                self.inbox.put(lambda: ended(None, wrong))
            else:
                self.inbox.put(lambda: ended(result, None))

        self.chores.submit(run)

    # --- time

    def tick(self, now: float) -> None:
        """Everything that depends on time."""
        try:
            self.rendering.tick(now, self.memory)
            if now - self._powered > background.EVERY:
                self._powered, self.jobs.held = now, background.on_battery()
            self.supervisor.tick(now, self.memory)
            if self._describer is not None:
                self._describer.tick(now, self.memory)
            self.clients.tick(now)
            if now - self._shown > SHOW and not self.stopping:
                self._shown = now
                if Connection.read(self.home) != self.place:
                    log.info("the connection file was lost or damaged and is rewritten")
                    self.place.write(self.home)
            if now - self._swept > SWEEP:
                self._swept = now
                self.spool.sweep()
        except (OSError, EngineError):
            log.exception("something failed inside")

    def close(self) -> None:
        """End children and sockets. A training under way stays queued and continues with the next engine."""
        self.rendering.close()
        self.supervisor.close()
        if self._describer is not None:
            self._describer.kill()
        with contextlib.suppress(OSError):
            (self.home / "run" / "engine.json").unlink()
        self.chores.shutdown(wait=True, cancel_futures=True)
        self.inbox.run()
        self.inbox.close()
        self.authenticator.stop()
        self.socket.close()
        self.context.term()
        log.info("the engine ends")
