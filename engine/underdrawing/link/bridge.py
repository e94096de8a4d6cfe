"""Relays between pipes and the engine, for hosts whose Python cannot load zmq.

`python -m underdrawing.link.bridge --home DIR`: messages on standard input go to the engine, its answers come out.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from pathlib import Path

import zmq

from .endpoint import Connection
from .transport import ZmqTransport, read_parts, write_parts


def main() -> int:
    """Relay until standard input ends; 1 when there is no engine."""
    options = argparse.ArgumentParser()
    options.add_argument("--home", type=Path, required=True)
    folder = options.parse_args().home
    connection = Connection.read(folder)
    if connection is None:
        return 1
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    outer = ZmqTransport(folder, connection)
    inner = outer.context.socket(zmq.PAIR)
    inner.bind("inproc://pipe")

    def read() -> None:
        # Sockets are not for several threads: what comes in goes through one of its own.
        feed = outer.context.socket(zmq.PAIR)
        feed.connect("inproc://pipe")
        while True:
            parts = read_parts(sys.stdin.buffer)
            feed.send_multipart(parts if parts is not None else [b""])
            if parts is None:
                return

    threading.Thread(target=read, daemon=True).start()
    poller = zmq.Poller()
    poller.register(inner, zmq.POLLIN)
    poller.register(outer.socket, zmq.POLLIN)
    try:
        while True:
            ready = dict(poller.poll())
            if inner in ready:
                parts = inner.recv_multipart()
                if parts == [b""]:
                    return 0
                outer.send(parts, 30.0)
            if outer.socket in ready:
                write_parts(output, outer.socket.recv_multipart())
    except (BrokenPipeError, KeyboardInterrupt):
        return 0


if __name__ == "__main__":
    code = main()
    # A thread still waits for input that will not come.
    os._exit(code)
