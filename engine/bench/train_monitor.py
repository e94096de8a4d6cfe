"""Wait for a training, and see how much memory it takes meanwhile."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import psutil

from underdrawing.client.engine import Engine
from underdrawing.client.messages import EngineError

LOOK = 0.05  # seconds between looks at the memory


def follow(engine: Engine, job: str) -> tuple[dict[str, Any], float]:
    """The finished job, and the most memory that the training process took, in MB.

    Raises:
        EngineError: it failed or was cancelled.
    """
    daemon, most = psutil.Process(int(engine.hello()["pid"])), 0
    while True:
        state = next(j for j in engine.jobs() if j["job"] == job)
        for child in daemon.children():
            with suppress(psutil.Error):
                if "underdrawing.train.worker" in child.cmdline():
                    most = max(most, child.memory_info().rss)
        if state["state"] == "done":
            return state, most / 1e6
        if state["state"] in ("failed", "cancelled"):
            raise EngineError.from_dict(state["error"] or {"code": "cancelled", "message": "It was cancelled."})
        time.sleep(LOOK)
