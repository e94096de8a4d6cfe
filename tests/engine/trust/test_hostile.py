"""Thousands of random and mutated messages, from strangers and from clients with a key: no crash and no growth."""

from __future__ import annotations

import json
import random
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import zmq

from underdrawing.client.endpoint import Connection
from underdrawing.client.engine import Engine
from underdrawing.client.frames import Frame
from underdrawing.client.messages import MAGIC, new_id, request

from .conftest import Raw, picture, pid, trained, wait_for

amounts = pytest.mark.parametrize("amount", [300, pytest.param(10_000, marks=pytest.mark.long)])
AT_ONCE = 20  # messages between two looks at the answers
# What each verb is asked for as a rule; MODEL and HASH stand for what the engine really has. All verbs but `shutdown`
# and `bye`, which are meant to end things.
PLANES = {"segments": {"hash": "HASH"}}
USUAL: dict[str, dict[str, Any]] = {
    "hello": {},
    "status": {"probe": False},
    "have": {"hashes": ["HASH", "0" * 64]},
    "put": {"upload": "u", "header": {}, "offset": 0},
    "get": {"hash": "HASH", "offset": 0, "length": 100},
    "methods": {},
    "primitive": {"picture": {"hash": "HASH"}, "kind": "segments", "options": {"regions": 3}},
    "region": {"planes": PLANES, "palette": [], "region": {"point": [3, 3]}, "operation": "remove"},
    "layout": {"model": "MODEL", "picture": {"hash": "HASH"}, "areas": 3, "match": {"0": "x"}},
    "apply": {"model": "MODEL", "planes": PLANES, "options": {}},
    "generate": {"model": "MODEL", "task": "vary", "count": 1, "picture": {"hash": "HASH"}},
    "instant": {"model": "MODEL", "picture": {"hash": "HASH"}, "task": "vary", "name": "n"},
    "between": {"model": "MODEL", "picture": {"hash": "HASH"}, "other": {"hash": "HASH"}, "count": 2},
    "train": {"picture": {"hash": "HASH"}, "planes": PLANES, "palette": [], "method": "draft", "name": "n", "key": "k"},
    "watch": {"job": "MODEL"},
    "jobs": {},
    "pause": {"job": "MODEL"},
    "resume": {"job": "MODEL"},
    "cancel": {"job": "MODEL"},
    "models.list": {},
    "models.show": {"model": "MODEL"},
    "models.file": {"model": "MODEL", "file": "preview.png"},
    "models.rename": {"model": "MODEL", "name": "moon"},
    "models.delete": {"model": "MODE"},
    "models.export": {"model": "MODEL"},
    "models.import": {"file": "HASH"},
    "unload": {},
    "clear": {},
    "abandon": {"request": "x"},
    "ping": {"open": ["x"]},
}
VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 1 << 31, 1 << 70, 1e308, "", "x", "../../keys/client.secret", "0" * 64, "\0", "é" * 70,
    [], {}, [[]], [None] * 40, {"hash": "0" * 64}, {"a": {"b": {"c": []}}}, [0, 0, 1 << 40, 1], ["x"] * 9,
)  # fmt: skip


def value(rng: random.Random, model: str) -> Any:
    """Something that a field may hold, or must not."""
    plain = rng.choice((*VALUES, model, model[:5]))
    return {rng.choice(("hash", "x", "name", "point")): plain} if rng.random() < 0.15 else plain


def body(rng: random.Random, verb: str, model: str) -> dict[str, Any]:
    """What the verb is asked for, with some fields of all kinds, or without some."""
    filled = json.dumps(USUAL[verb]).replace("MODEL", model).replace("HASH", rng.choice(picture()[1:]).hash)
    made: dict[str, Any] = json.loads(filled)
    for name in list(made):
        if rng.random() < 0.25:
            made[name] = value(rng, model)
        elif rng.random() < 0.05:
            del made[name]
    if rng.random() < 0.2:
        made[rng.choice(("mask", "seed", "device", "threads", "budget", "recipe", "name", "order", "base"))] = value(
            rng, model
        )
    return made


def well_formed(rng: random.Random, model: str) -> list[bytes]:
    """A message as it should be, of nonsense."""
    verb = rng.choice(list(USUAL))
    header = {"protocol": 1, "kind": "request", "id": new_id(), "verb": verb, "body": body(rng, verb, model)}
    parts = []
    if rng.random() < 0.3:
        frame = Frame(3, 2, "RGB", "u8", rng.randbytes(18))
        header["frames"] = [{**frame.header(), **({rng.choice(list(frame.header())): value(rng, model)})}]
        parts = [rng.randbytes(rng.choice((0, 17, 18, 18, 18, 400)))]
    return [MAGIC, json.dumps(header).encode(), *parts]


def mutated(rng: random.Random, model: str) -> list[bytes]:
    """The same with bits turned over, parts lost, doubled, cut, or sent as something else."""
    parts = [bytearray(part) for part in well_formed(rng, model)]
    for _ in range(rng.randrange(1, 4)):
        part = rng.choice(parts)
        kind = rng.randrange(5)
        if kind == 0 and part:
            part[rng.randrange(len(part))] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del part[rng.randrange(len(part) + 1) :]
        elif kind == 2:
            parts.append(bytearray(rng.randbytes(rng.randrange(60))))
        elif kind == 3:
            part[:] = part * 2
        elif len(parts) > 1:
            parts.pop(rng.randrange(len(parts)))
    return [bytes(part) for part in parts]


def noise(rng: random.Random, model: str) -> list[bytes]:
    """Bytes."""
    return [rng.randbytes(rng.randrange(200)) for _ in range(rng.randrange(1, 6))]


def memory(home: Path) -> int:
    """The daemon's, in bytes."""
    time.sleep(0.5)
    return int(psutil.Process(pid(home)).memory_info().rss)


@pytest.fixture
def engine(own: Path) -> Iterator[Engine]:
    with Engine.connect(home=own) as connected:
        yield connected


@amounts
def test_a_client_with_a_key_can_say_what_it_likes(own: Path, engine: Engine, amount: int) -> None:
    """Whatever it says is answered with a sentence or ignored, and the others are served as before."""
    model = trained(engine)
    engine.upload(*picture())
    before = pid(own)
    with Raw(own) as raw:
        attack(raw, random.Random(1), model, amount // 4)
    settled(engine)
    first = memory(own)
    codes: set[str] = set()
    with Raw(own) as raw:
        codes |= attack(raw, random.Random(amount), model, amount)
    settled(engine)
    assert pid(own) == before, "the engine crashed"
    assert "internal" not in codes, (own / "logs" / "engine.log").read_text()[-3000:]
    assert len(codes) > 6, f"the messages were all refused at the door: {codes}"
    assert memory(own) < first * 1.05 + (2 << 20)
    if any(entry["id"] == model for entry in engine.models()):  # or it was deleted, as a client may
        assert engine.apply(model, {"segments": picture()[2]}).body["width"]
    assert engine.apply(trained(engine, "again", 7), {"segments": picture()[2]}).body["width"]


def attack(raw: Raw, rng: random.Random, model: str, amount: int) -> set[str]:
    """Send so many messages; the codes of the errors that came back."""
    codes = set()
    makers: list[Callable[[random.Random, str], list[bytes]]] = [well_formed, well_formed, mutated, noise]
    for number in range(amount):
        raw.send(*rng.choice(makers)(rng, model))
        if number % AT_ONCE == AT_ONCE - 1:
            codes |= answered(raw)
    return codes


def answered(raw: Raw) -> set[str]:
    """Read until what was sent is answered; the codes of errors. Answers that were not read in time are lost."""
    codes: set[str] = set()
    for _ in range(4):
        last = request("hello", {})
        raw.send(*last.encode())
        while (answer := raw.receive(20)) is not None:
            if answer.kind == "error":
                codes.add(str(answer.body["code"]))
                assert answer.body["message"]
            if answer.id == last.id and answer.kind != "event":
                return codes
    raise AssertionError("the engine fell silent")


def settled(engine: Engine) -> None:
    """Trainings that the nonsense began by chance end."""
    for job in engine.jobs():
        if job["state"] in ("queued", "running", "paused"):
            engine.cancel(job["job"])
    wait_for(lambda: all(job["state"] not in ("queued", "running") for job in engine.jobs()), 60)


@amounts
@pytest.mark.parametrize("kind", ["no key", "unknown key", "plain bytes"])
def test_strangers_get_no_answer(own: Path, engine: Engine, kind: str, amount: int) -> None:
    model = trained(engine)
    before, rng = pid(own), random.Random(amount)
    approach(own, kind, rng, model, amount // 4)
    first = memory(own)
    approach(own, kind, rng, model, amount)
    assert pid(own) == before
    assert memory(own) < first * 1.05 + (2 << 20)
    assert engine.apply(model, {"segments": picture()[2]}).body["width"]
    assert engine.jobs()[-1]["model"] == model and len(engine.models()) == 1


def approach(own: Path, kind: str, rng: random.Random, model: str, amount: int) -> None:
    """Knock with so many messages, over connections of a few dozen each; nothing may come back."""
    connection = Connection.read(own)
    assert connection is not None
    for _ in range(max(1, amount // 50)):
        messages = [rng.choice((well_formed, mutated, noise))(rng, model) for _ in range(50)]
        if kind == "plain bytes":
            with socket.create_connection((connection.host, connection.port)) as bare:
                with_greeting = rng.random() < 0.5
                try:
                    bare.sendall(b"\xff" + bytes(8) + b"\x7f\x03" if with_greeting else b"")
                    for parts in messages:
                        bare.sendall(b"".join(parts))
                except OSError:
                    continue  # thrown out already
        elif kind == "unknown key":
            with Raw(own, zmq.curve_keypair()) as raw:
                knock(raw.socket, messages)
        else:
            context = zmq.Context()
            plain = context.socket(zmq.DEALER)
            plain.linger = 0
            plain.connect(connection.endpoint)
            knock(plain, messages)
            plain.close(0)
            context.term()


def knock(strange: zmq.Socket[bytes], messages: list[list[bytes]]) -> None:
    """Send; nothing comes back."""
    for parts in messages:
        try:
            strange.send_multipart(parts, zmq.DONTWAIT)
        except zmq.Again:
            break  # nothing is taken any more
    assert not strange.poll(30), "a stranger was answered"
