"""The engine: listens, queues, keeps the library. It computes nothing; worker and renderer do.

`python -m underdrawing.serve.daemon [--home DIR] [--idle-exit SECONDS]`
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import queue
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import zmq
from zmq.auth.thread import ThreadAuthenticator

from underdrawing import __version__
from underdrawing.link import endpoint, keys, messages
from underdrawing.link.endpoint import Connection
from underdrawing.link.messages import MOST_BYTES, PROTOCOL, EngineError, Message
from underdrawing.manifest import ManifestError
from underdrawing.serve.children import Child, Task
from underdrawing.serve.jobs import ENDED, Job, Jobs, State
from underdrawing.serve.library import Library
from underdrawing.serve.requests import Ask, Verbs
from underdrawing.serve.spool import Spool
from underdrawing.weights.store import folder as weights_folder

log = logging.getLogger("underdrawing.daemon")

HEARTBEAT = 2.0  # seconds between signs of life to clients that wait
GONE = 20.0  # seconds of silence after which a client counts as gone
RENDERER_IDLE = 300.0  # seconds after which an unused renderer ends and gives its memory back
IDLE_EXIT = 1800.0  # seconds without clients and jobs after which the engine ends
MOST_WAITING = 64  # requests for the renderer
HIGH_WATER = 16  # messages a client may leave unread
# Threads that spin while they wait made training seven times slower beside one other busy program, and the program too.
POLITE = {"OMP_WAIT_POLICY": "PASSIVE", "TORCH_CPP_LOG_LEVEL": "ERROR"}
WORKER, RENDERER = "underdrawing.serve.worker", "underdrawing.serve.renderer"

End = Callable[[dict[str, Any] | None, EngineError | None], None]


class Allowed:
    """Which clients may come in: the user's own key, and those added by hand."""

    def __init__(self, folder: Path, own: bytes) -> None:
        self.folder, self.own = folder, own

    def callback(self, domain: str, key: bytes) -> bool:
        """Asked by the authenticator for every connection; `key` is in Z85."""
        return key == self.own or key in keys.allowed(self.folder)


class Daemon:
    """One engine. Everything but the pipes' readers runs in one thread."""

    def __init__(self, home: Path, idle_exit: float = IDLE_EXIT, renderer_idle: float = RENDERER_IDLE) -> None:
        self.home, self.idle_exit, self.renderer_idle = home, idle_exit, renderer_idle
        self.began = time.monotonic()
        self.spool, self.library = Spool(home / "spool"), Library(home)
        self.jobs, self.verbs = Jobs(self.library), Verbs(self)
        self.worker: Child | None = None
        self.renderer: Child | None = None
        self.waiting: deque[tuple[Task, Ask]] = deque()
        self.asks: dict[tuple[bytes, str], Ask] = {}
        self.watchers: dict[str, list[Ask]] = {}
        self.seen: dict[bytes, float] = {}
        self.inbox: queue.SimpleQueue[tuple[Child, dict[str, Any] | None]] = queue.SimpleQueue()
        self.described: dict[str, Any] | None = None
        self.numbers, self.stopping, self.beat = 0, False, 0.0
        self.context = zmq.Context()
        self.wake_out = self.context.socket(zmq.PULL)
        self.wake_out.bind("inproc://wake")
        self.wakers = threading.local()

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
        self.socket.linger = 200
        self.socket.maxmsgsize = MOST_BYTES
        self.socket.set_hwm(HIGH_WATER)
        # A client that reads nothing must not hold the others up: what does not fit is dropped.
        self.socket.router_mandatory = False
        port = self.socket.bind_to_random_port("tcp://127.0.0.1")
        Connection(f"tcp://127.0.0.1:{port}", public.decode(), os.getpid(), PROTOCOL, __version__).write(self.home)
        log.info("engine %s listens, protocol %d", __version__, PROTOCOL)

    def send(self, client: bytes, message: Message) -> None:
        """To a client; one that does not read loses it."""
        with contextlib.suppress(zmq.Again, zmq.ZMQError):
            self.socket.send_multipart([client, *message.encode()], zmq.DONTWAIT, copy=True)

    def wake(self) -> None:
        """From the pipes' readers: there is something in the inbox."""
        if not hasattr(self.wakers, "socket"):
            self.wakers.socket = self.context.socket(zmq.PUSH)
            self.wakers.socket.linger = 0
            self.wakers.socket.connect("inproc://wake")
        with contextlib.suppress(zmq.ZMQError):
            self.wakers.socket.send(b"", zmq.DONTWAIT)

    def run(self) -> None:
        """Serve until told to stop, or until nobody needs it."""
        for told in self.jobs.restore():
            log.info("%s", told)
        self.listen()
        poller = zmq.Poller()
        poller.register(self.socket, zmq.POLLIN)
        poller.register(self.wake_out, zmq.POLLIN)
        last = time.monotonic()
        while not self.stopping:
            ready = dict(poller.poll(200))
            if self.socket in ready:
                # A few at a time, so that a flood from one client does not keep children and timers waiting.
                for _ in range(32):
                    try:
                        parts = self.socket.recv_multipart(zmq.DONTWAIT)
                    except zmq.Again:
                        break
                    self.receive(parts)
                    last = time.monotonic()
            while self.wake_out.poll(0):
                self.wake_out.recv(zmq.DONTWAIT)
            while not self.inbox.empty():
                child, message = self.inbox.get()
                child.heard(message)
            self.tick()
            if self.jobs.running() or self.waiting or self.watchers_open():
                last = time.monotonic()
            if time.monotonic() - last > self.idle_exit:
                log.info("nobody has needed the engine for %d s; it ends", self.idle_exit)
                break
        self.close()

    def watchers_open(self) -> bool:
        """Whether any client still follows a job."""
        return any(self.watchers.values())

    def receive(self, parts: list[bytes]) -> None:
        """One message from a client."""
        client, *rest = parts
        self.seen[client] = time.monotonic()
        identity = ""
        try:
            message = messages.decode(rest)
            identity = message.id
            if message.kind != messages.REQUEST:
                return
            ask = Ask(self, client, message)
            self.take_frames(message)
            self.asks[client, message.id] = ask
            self.verbs.find(message.verb)(ask)
        except EngineError as error:
            self.send(client, messages.failure(identity or "?", error))
        except OSError as fault:
            log.exception("request failed")
            text = f"The engine could not use its folder: {fault.strerror or fault}."
            disk = EngineError("disk", text, "Make room on the disk, or check the rights of the engine's folder.")
            self.send(client, messages.failure(identity or "?", disk))
        except Exception as fault:
            log.exception("request failed")
            inside = EngineError("internal", f"The engine failed inside: {type(fault).__name__}.", "See the log.")
            self.send(client, messages.failure(identity or "?", inside))
        finally:
            self.asks = {key: ask for key, ask in self.asks.items() if ask.open}

    def take_frames(self, message: Message) -> None:
        """Store pictures that came along."""
        if message.verb == "put":
            return
        if len(message.frames) != len(message.parts):
            raise EngineError("bad_request", "The message does not have as many parts as it promises.")
        for header, part in zip(message.frames, message.parts, strict=True):
            self.spool.put(header, part)

    # --- children

    def task(self, name: str, args: dict[str, Any], on_event: Callable[[dict[str, Any]], None], on_end: End) -> Task:
        """A numbered task with the folders that every child needs."""
        self.numbers += 1
        folders = {"home": str(self.home), "spool": str(self.spool.folder), "weights": str(weights_folder(self.home))}
        return Task(self.numbers, name, {**args, **folders}, on_event, on_end)

    def render(self, name: str, args: dict[str, Any], ask: Ask, on_end: End) -> None:
        """Queue something for the renderer."""
        if len(self.waiting) >= MOST_WAITING:
            text = f"{MOST_WAITING} requests wait already."
            raise EngineError("queue_full", text, "Wait a moment and try again.")
        task = self.task(name, args, ask.event, on_end)
        self.waiting.append((task, ask))
        ask.on_abandon = lambda: self.drop(task)
        self.feed_renderer()

    def drop(self, task: Task) -> None:
        """Forget a render task: out of the queue, or cancelled where it runs."""
        self.waiting = deque((t, a) for t, a in self.waiting if t is not task)
        if self.renderer is not None and task.number in self.renderer.tasks:
            self.renderer.control(task.number, "cancel")

    def feed_renderer(self) -> None:
        """Give the next waiting task to the renderer; on a machine without a GPU training makes way meanwhile."""
        if self.renderer is not None and not self.renderer.alive and not self.renderer.tasks:
            self.renderer = None
        if not self.waiting:
            if self.worker is not None and (self.renderer is None or not self.renderer.tasks):
                self.worker.resume()
            return
        if self.renderer is None:
            self.renderer = Child(RENDERER, "renderer", self.inbox, self.wake)
        if self.renderer.tasks:
            return
        task, _ = self.waiting.popleft()
        if self.worker is not None and not self.worker_on_gpu():
            self.worker.suspend()
        end = task.on_end

        def ended(result: dict[str, Any] | None, error: EngineError | None) -> None:
            end(result, error)
            self.feed_renderer()

        task.on_end = ended
        self.renderer.give(task)

    def worker_on_gpu(self) -> bool:
        """Whether the running training leaves the processors alone."""
        job = self.jobs.running()
        device = str(job.progress.get("device", "CPU")) if job is not None else "CPU"
        return not device.startswith("CPU")

    def end_renderer(self) -> int:
        """End the renderer; returns the bytes that were freed."""
        if self.renderer is None or self.renderer.tasks:
            return 0
        freed = self.renderer.memory()
        self.renderer.kill()
        self.renderer = None
        return freed

    def describe(self, on_end: End) -> None:
        """What methods there are, from a short-lived worker; remembered."""
        if self.described is not None:
            on_end(self.described, None)
            return
        child = Child(WORKER, "describer", self.inbox, self.wake)

        def ended(result: dict[str, Any] | None, error: EngineError | None) -> None:
            self.described = result if error is None else None
            child.kill()
            on_end(result, error)

        child.give(self.task("describe", {}, lambda _: None, ended))

    # --- training

    def start_training(self) -> None:
        """Give the next queued job to a fresh worker."""
        if self.worker is not None:
            if self.worker.alive or self.worker.tasks:
                return
            self.worker = None
        job = self.jobs.next()
        if job is None:
            return
        job.state, job.error = State.RUNNING, None
        folder = self.library.staging(job.model)
        args = {**job.args, "job": job.id, "model": job.model, "name": job.name, "folder": str(folder)}
        self.worker = Child(WORKER, f"worker {job.id}", self.inbox, self.wake, POLITE)
        self.worker.give(self.task("train", args, lambda e: self.heard(job, e), lambda r, e: self.trained(job, r, e)))
        log.info("job %s begins", job.id)
        self.changed(job)

    def heard(self, job: Job, event: dict[str, Any]) -> None:
        """An event of a training: remembered for later watchers, passed on to present ones."""
        kind = event.get("event")
        if kind == "progress":
            job.progress = {k: v for k, v in event.items() if k != "event"}
        elif kind == "note":
            job.notes = [*job.notes, str(event.get("text"))][-20:]
        elif kind == "sample":
            job.sample = str(event.get("hash"))
        for ask in self.watchers.get(job.id, []):
            ask.event(event)

    def trained(self, job: Job, result: dict[str, Any] | None, error: EngineError | None) -> None:
        """A training ended, one way or another."""
        if self.worker is not None:
            self.worker.kill()
            self.worker = None
        state = State(str(result.get("state"))) if result is not None else State.FAILED
        if job.state is State.CANCELLED or (error is not None and error.code == "cancelled"):
            state = State.CANCELLED
        if result is not None:
            job.figures = dict(result.get("figures") or {})
        if state is State.DONE:
            try:
                self.library.publish(job.model)
            except (ManifestError, OSError) as fault:
                state, error = (
                    State.FAILED,
                    EngineError("not_published", f"The model could not be stored: {fault}", "Try again."),
                )
        job.state = state
        job.error = error.as_dict() if state is State.FAILED and error is not None else None
        if state is State.CANCELLED:
            self.library.discard(job.model)
        elif state is not State.DONE:
            self.jobs.store(job)
        log.info("job %s: %s%s", job.id, state, f" ({error.code})" if error is not None else "")
        self.changed(job)

    def changed(self, job: Job) -> None:
        """Tell those who watch; the watch is over when the job is."""
        for ask in self.watchers.get(job.id, []):
            ask.event({"event": "state", **job.public()})
            if job.state in (*ENDED, State.PAUSED):
                ask.reply(job.public())
        if job.state in (*ENDED, State.PAUSED):
            self.watchers.pop(job.id, None)

    def pause(self, job: Job) -> None:
        """Stop a job with a checkpoint."""
        if job.state is State.QUEUED:
            job.state = State.PAUSED
            self.jobs.store(job)
            self.changed(job)
        elif job.state is State.RUNNING:
            self.control(job, "pause")
        elif job.state is not State.PAUSED:
            raise EngineError("job_ended", f"The job is over already ({job.state}).")

    def resume(self, job: Job) -> None:
        """Go on with a paused or failed job, from its checkpoint."""
        if job.state in (State.DONE, State.CANCELLED):
            raise EngineError("job_ended", f"The job is over already ({job.state}).", "Begin a new one.")
        if job.state in (State.PAUSED, State.FAILED):
            job.state, job.error = State.QUEUED, None
            self.jobs.store(job)
            self.changed(job)

    def cancel(self, job: Job) -> None:
        """Stop a job and forget what it did."""
        if job.state is State.RUNNING:
            self.control(job, "cancel")
            job.state = State.CANCELLED
        elif job.state in (State.QUEUED, State.PAUSED, State.FAILED):
            job.state = State.CANCELLED
            self.library.discard(job.model)
            self.changed(job)
        elif job.state is State.DONE:
            raise EngineError(
                "job_ended", "The picture is learnt already.", "Delete the model: underdrawing models delete"
            )

    def control(self, job: Job, what: str) -> None:
        """A wish to the worker of a running job."""
        if self.worker is not None:
            for number in list(self.worker.tasks):
                self.worker.control(number, what)

    # --- clients

    def abandon(self, client: bytes, request: str) -> None:
        """A client gave a request up, or is gone."""
        ask = self.asks.pop((client, request), None)
        if ask is not None and ask.open:
            ask.open = False
            with contextlib.suppress(ValueError):
                ask.on_abandon()

    def tick(self) -> None:
        """Everything that depends on time."""
        now = time.monotonic()
        for child in (self.worker, self.renderer):
            if child is not None:
                child.tick(now)
        self.start_training()
        self.feed_renderer()
        if now - self.beat >= HEARTBEAT:
            self.beat = now
            for ask in list(self.asks.values()):
                ask.event({"event": "heartbeat"})
            self.forget_clients(now)
        idle = self.renderer is not None and not self.renderer.tasks and not self.waiting
        if idle and self.renderer is not None and now - self.renderer.idle_since > self.renderer_idle:
            log.info("the renderer was idle for %d s and ends", self.renderer_idle)
            self.end_renderer()

    def forget_clients(self, now: float) -> None:
        """Clients that fell silent: what they waited for is dropped, and jobs that should not outlive them end.

        A client that only waits is silent too; it pings while it watches a job.
        """
        waiting = {ask.client for ask in self.asks.values() if ask.message.verb != "watch"}
        for client, heard in list(self.seen.items()):
            if now - heard < GONE or client in waiting:
                continue
            del self.seen[client]
            for owner, request in [key for key in self.asks if key[0] == client]:
                self.abandon(owner, request)
            for job in self.jobs.jobs.values():
                if job.owner == client and not job.keep and job.state not in (*ENDED, State.PAUSED):
                    log.info("job %s ends with its client", job.id)
                    self.cancel(job)

    def close(self) -> None:
        """End children and sockets. What was being learnt stays queued and goes on with the next engine."""
        for child in (self.worker, self.renderer):
            if child is not None:
                child.kill()
        with contextlib.suppress(OSError):
            (self.home / "run" / "engine.json").unlink()
        self.authenticator.stop()
        self.socket.close()
        self.wake_out.close(0)
        self.context.destroy(linger=200)


def set_up_log(home: Path) -> None:
    """Into logs/engine.log, four files of a megabyte. No keys and no pixels are ever logged."""
    handler = RotatingFileHandler(home / "logs" / "engine.log", maxBytes=1 << 20, backupCount=3, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)


def main() -> int:
    """Run an engine; 0 also when there is one already, as that is what was wanted."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--home", type=Path, default=None)
    options.add_argument("--idle-exit", type=float, default=IDLE_EXIT, help="seconds")
    options.add_argument("--renderer-idle", type=float, default=RENDERER_IDLE, help="seconds")
    given = options.parse_args()
    try:
        home = endpoint.make_home((given.home or endpoint.home()).absolute())
        with (home / "run" / "engine.lock").open("a+b") as lock:
            if not endpoint.try_lock(lock):
                return 0
            set_up_log(home)
            daemon = Daemon(home, given.idle_exit, given.renderer_idle)
            for name in ("SIGTERM", "SIGINT", "SIGHUP"):
                if hasattr(signal, name):
                    signal.signal(getattr(signal, name), lambda *_: setattr(daemon, "stopping", True))
            daemon.run()
    except EngineError as error:
        print(f"{error.message} {error.hint}", file=sys.stderr)
        return 1
    except OSError as fault:
        print(f"The engine's folder cannot be used: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
