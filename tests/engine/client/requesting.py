"""Requests that keep an engine busy, and what a client sends."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from underdrawing.client.engine import Engine
from underdrawing.client.frames import Frame
from underdrawing.client.messages import EngineError, decode


def noise(size: int) -> Frame:
    """A new picture of so many bytes."""
    width = next(width for width in (1 << 16, 1000, 1) if size % width == 0)
    return Frame(width, size // width, "L", "u8", os.urandom(size))


def sent(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Verbs of what this client sends from now on, without the signs of life that a slow machine makes it send."""
    verbs: list[str] = []
    transport = engine.session.transport
    assert transport is not None
    send = transport.send

    def listen(parts: Any) -> bool:
        gone = send(parts)
        if gone and decode(parts).verb != "ping":
            verbs.append(decode(parts).verb)
        return gone

    monkeypatch.setattr(transport, "send", listen)
    return verbs


def error_of(action: Callable[[], object]) -> EngineError:
    with pytest.raises(EngineError) as caught:
        action()
    assert caught.value.message
    return caught.value


def slow_request(engine: Engine, seconds: float = 60.0, **options: Any) -> dict[str, Any]:
    """What keeps the slow renderer busy for so long."""
    (key,) = engine.upload(Frame(1, 1, "L", "u8", b"0"))
    return {"picture": {"hash": key}, "kind": "paint", "options": {"seconds": seconds, **options}}


def idle(engine: Engine) -> bool:
    told = engine.status()
    return not told["waiting"] and not (told["renderer"] or {}).get("busy")
