"""What a handler may use of the engine. The server provides it; handlers know nothing else of the server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from underdrawing.client.messages import EngineError
from underdrawing.daemon.child_process import ChildTask, End
from underdrawing.daemon.clients import Ask, Clients
from underdrawing.daemon.job_queue import Jobs
from underdrawing.daemon.render_queue import Rendering
from underdrawing.daemon.training_supervisor import Supervisor
from underdrawing.store.blob_store import Spool
from underdrawing.store.model_library import Library


class EngineContext(Protocol):
    """The engine as its handlers see it."""

    home: Path
    began: float
    stopping: bool
    library: Library
    spool: Spool
    jobs: Jobs
    clients: Clients
    rendering: Rendering
    supervisor: Supervisor

    def task(
        self, name: str, args: dict[str, Any], on_event: Callable[[dict[str, Any]], None], on_end: End
    ) -> ChildTask:
        """A numbered task for a worker, with the folders that every worker needs."""
        ...

    def describe(self, on_end: End) -> None:
        """Ask a worker once which methods and devices there are."""
        ...

    def chore(self, work: Callable[[], Any], then: Callable[[Any, EngineError | None], None]) -> None:
        """Run `work` beside the loop; `then` is called in the loop with its result or its error."""
        ...


Handler = Callable[[EngineContext, Ask, Any], None]  # the last argument is the request's dataclass
