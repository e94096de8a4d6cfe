"""A child process that does what its tasks say: the real pipe, no networks. Run by test_child_process.py."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from underdrawing.client.messages import EngineError
from underdrawing.store.worker_pipe import Context, serve

HELD: list[bytes] = []


def act(args: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Events, garbage, memory, waiting, a crash, an error: in this order, as asked for."""
    for number in range(int(args.get("events", 0))):
        context.event("progress", iteration=number, device="CPU")
    for line in args.get("garbage", []):
        context._pipe._output.write(line + "\n")
        context._pipe._output.flush()
    if "memory" in args:
        HELD.append(b"\1" * int(args["memory"]))
    until = time.monotonic() + float(args.get("wait", 0))
    while time.monotonic() < until:
        if args.get("obey", True) and context.wanted():
            return {"state": "paused" if context.wanted() == "pause" else "cancelled"}
        time.sleep(0.01)
    if args.get("crash"):
        os._exit(9)
    if "once" in args and not Path(args["once"]).exists():
        Path(args["once"]).touch()
        os._exit(9)
    if "error" in args:
        raise EngineError("told", str(args["error"]), "Do this.")
    if "raise" in args:
        raise ValueError(str(args["raise"]))
    return {"state": "done", "pid": os.getpid(), **args.get("result", {})}


if __name__ == "__main__":
    print("what libraries print must not reach the pipe")
    print("nor this", file=sys.stderr)
    serve(dict.fromkeys(("train", "apply", "primitive", "status"), act))
