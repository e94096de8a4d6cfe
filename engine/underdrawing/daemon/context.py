"""What handlers of requests may use of the engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from underdrawing.client.messages import EngineError
from underdrawing.daemon.child_process import End, Task
from underdrawing.daemon.clients import Ask, Clients
from underdrawing.daemon.job_queue import Jobs
from underdrawing.daemon.render_queue import Rendering
from underdrawing.daemon.training_supervisor import Supervisor
from underdrawing.store.blob_store import Spool
from underdrawing.store.model_library import Library


class EngineContext(Protocol):
    """The parts of a running engine.

    Attributes:
        home: the engine's folder.
        began: when the engine started, on the monotonic clock.
        stopping: set to end the engine.
    """

    home: Path
    began: float
    stopping: bool
    spool: Spool
    library: Library
    jobs: Jobs
    clients: Clients
    supervisor: Supervisor
    rendering: Rendering

    def task(self, name: str, args: dict[str, Any], on_event: Callable[[dict[str, Any]], None], on_end: End) -> Task:
        """A numbered task for a child, with the folders that every child needs."""

    def chore(self, work: Callable[[], Any], then: Callable[[Any, EngineError | None], None]) -> None:
        """Do something long beside the loop."""

    def describe(self, on_end: End) -> None:
        """Methods, recipes and devices, as the train worker lists them."""


Handler = Callable[[EngineContext, Ask, Any], None]  # the last argument is the request's dataclass
