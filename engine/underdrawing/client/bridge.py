"""Relays between pipes and the engine, for hosts whose Python cannot load zmq.

`python -m underdrawing.client.bridge --home DIR`: messages on standard input go to the engine, its answers come out
(form: `pipes.py`). It ends when standard input ends or the engine is gone; whoever runs it then looks for the engine
anew. It changes nothing in what it relays.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from pathlib import Path
from typing import List, Optional

from .endpoint import known
from .messages import EngineError
from .pipe_codec import read_parts, write_parts
from .transport import ZmqTransport

FAREWELL = 200  # milliseconds


def relay(folder: Path) -> int:
    """Relay until an end is gone; 1 when there is no engine to relay to."""
    import zmq

    connection = known(folder)
    if connection is None:
        return 1
    # Whatever prints must not break the protocol.
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        outer = ZmqTransport(folder, connection)
    except EngineError:
        return 1
    inner = outer.context.socket(zmq.PAIR)
    inner.set_hwm(4)
    inner.bind("inproc://pipe")

    def read() -> None:
        # Sockets are not for several threads: what comes in goes through one of its own.
        feed = outer.context.socket(zmq.PAIR)
        feed.set_hwm(4)
        feed.connect("inproc://pipe")
        while True:
            parts = read_parts(sys.stdin.buffer)
            feed.send_multipart(parts if parts is not None else [b""])
            if parts is None:
                return

    threading.Thread(target=read, daemon=True).start()
    inward, outward = zmq.Poller(), zmq.Poller()
    inward.register(inner, zmq.POLLIN)
    for poller in (inward, outward):
        for readable in outer.readable:
            poller.register(readable, zmq.POLLIN)
    held: Optional[List[bytes]] = None  # taken from the pipe, without room on the way to the engine
    while not outer.lost:
        ready = dict((outward if held else inward).poll(5 if held else 10_000))
        if inner in ready:
            held = inner.recv_multipart()
            if held == [b""]:
                outer.context.destroy(FAREWELL)  # what came last still has to leave
                return 0
        if held is not None and outer.send(held):
            held = None
        parts = outer.receive(0)
        while parts is not None:
            write_parts(output, parts)
            parts = outer.receive(0)
    return 0


def main() -> int:
    """Parse the arguments and relay."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--home", type=Path, required=True)
    try:
        return relay(options.parse_args().home)
    except (BrokenPipeError, KeyboardInterrupt):
        return 0


if __name__ == "__main__":
    code = main()
    # A thread still waits for input that will not come.
    os._exit(code)
