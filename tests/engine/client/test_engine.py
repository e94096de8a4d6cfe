"""The client against real engines, over both transports."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.client.requesting import error_of, noise, sent
from underdrawing import __version__
from underdrawing.client.engine import Engine
from underdrawing.client.frames import Frame
from underdrawing.client.messages import CHUNK, INLINE, MOST_HASHES, MOST_PARTS, PROTOCOL
from underdrawing.picture.image import Picture
from underdrawing.store.frame_codec import frame_of

from .conftest import pid, wait_for

# --- about the engine


def test_hello_says_who_is_there(engine: Engine, folder: Path, bridge: bool) -> None:
    told = engine.hello()
    assert told == {"engine": "underdrawing", "version": __version__, "protocol": PROTOCOL, "pid": pid(folder)}
    assert engine.bridged == bridge


def test_status_says_where_the_engine_lives(engine: Engine, folder: Path) -> None:
    told = engine.status()
    assert told["home"] == str(folder) and told["clients"] >= 1 and told["free"] > 0
    assert engine.jobs() == [] and engine.models() == []


def test_an_engine_that_is_closed_says_so(folder: Path, bridge: bool) -> None:
    engine = Engine.connect(home=folder, bridge=bridge)
    call = engine.submit("hello")
    engine.close()
    assert call.done and error_of(call.result).code == "closed"
    engine.close()


def test_the_engine_hears_when_a_client_goes(engine: Engine, folder: Path, bridge: bool) -> None:
    before = engine.status()["clients"]
    other = Engine.connect(home=folder, bridge=bridge)
    assert engine.status()["clients"] == before + 1
    other.close()
    wait_for(lambda: engine.status()["clients"] == before, 10)


# --- pictures


@pytest.mark.parametrize("size", [1, 1000, INLINE - 1000, INLINE, 5 << 20, 3 * CHUNK + 1000])
def test_pictures_of_every_size_come_back_as_they_were(engine: Engine, size: int) -> None:
    frame = noise(size) if size % 1000 == 0 or size < 2 or not size % (1 << 16) else noise(size // 1000 * 1000)
    assert engine.upload(frame) == [frame.hash]
    back = engine.fetch(frame.hash)
    assert back.header() == frame.header() and bytes(back.data) == frame.data


def test_a_picture_of_a_thousand_pixels_a_side_goes_with_its_request(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1024 x 1024 RGBA is exactly what fits into a part: encryption must not make it too long."""
    frame = Frame(1024, 1024, "RGBA", "u8", os.urandom(INLINE))
    verbs = sent(engine, monkeypatch)
    assert error_of(lambda: engine.layout("nobody", frame)).code == "unknown_model"
    assert verbs == ["layout"]
    assert engine.fetch(frame.hash).hash == frame.hash


def test_a_picture_travels_once(engine: Engine, monkeypatch: pytest.MonkeyPatch, folder: Path, bridge: bool) -> None:
    frame = noise(3 << 20)
    verbs = sent(engine, monkeypatch)
    assert engine.upload(frame, frame) == [frame.hash] * 2
    assert verbs == ["have", "put", "put", "put"]
    engine.upload(frame)
    assert verbs[4:] == ["have"]
    with Engine.connect(home=folder, bridge=bridge) as other:
        verbs = sent(other, monkeypatch)
        other.upload(frame)
        assert verbs == ["have"]


def test_many_pictures_at_once(engine: Engine) -> None:
    frames = [Frame(1, 1, "RGBA", "u8", os.urandom(4)) for _ in range(MOST_HASHES + 20)]
    wanted = [frame.hash for frame in frames]
    engine.upload(*frames)
    for first in (0, MOST_HASHES):
        asked = wanted[first : first + MOST_HASHES]
        assert engine.request("have", {"hashes": asked}).body == {"missing": []}


@pytest.mark.parametrize(("count", "size"), [(MOST_PARTS, 100), (MOST_PARTS + 1, 100), (2, 3 << 20)])
def test_pictures_go_along_where_they_are_few_and_small(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, count: int, size: int
) -> None:
    frames = [Frame(size, 1, "L", "u8", os.urandom(size)) for _ in range(count)] if size < 1000 else []
    frames = frames or [noise(size) for _ in range(count)]
    verbs = sent(engine, monkeypatch)
    hashes = [frame.hash for frame in frames]
    assert engine.request("have", {"hashes": hashes}, frames).body == {"missing": []}
    assert ("put" in verbs) == (count > MOST_PARTS or size > 1000)


def test_patches_make_the_picture_that_they_stand_for(engine: Engine) -> None:
    """Paint of a base with patches is paint of the whole picture; only the patches travel."""
    pixels = np.random.default_rng(1).integers(0, 4, (40, 60, 3), np.uint8) * 60
    base = frame_of(Picture(pixels))
    changed = pixels.copy()
    changed[10:30, 5:25], changed[0:4, 50:60] = 200, (10, 90, 30)
    changed[25:28, 20:40] = 33
    patches = [(5, 10, 20, 20), (50, 0, 10, 4), (20, 25, 20, 3)]
    engine.upload(base)
    frames = [frame_of(Picture(np.ascontiguousarray(changed[y : y + h, x : x + w]))) for x, y, w, h in patches]
    placed = [{"x": p[0], "y": p[1], "hash": frame.hash} for p, frame in zip(patches, frames, strict=True)]
    body = {"picture": {"base": base.hash, "patches": placed}, "kind": "paint", "options": {"colours": 5}}
    patched = engine.request("primitive", body, frames, deadline=60.0)
    whole = engine.make_primitive(frame_of(Picture(changed)), "paint", colours=5)
    assert patched.body == whole.body and patched.frames[0].hash == whole.frames[0].hash
    assert whole.body["planes"][0]["hash"] == whole.frames[0].hash
    for wrong in ({"x": 41, "y": 0}, {"x": -1, "y": 0}, {"x": 0, "y": 21}, {"x": 10**30, "y": 0}):
        body["picture"] = {"base": base.hash, "patches": [{**placed[0], **wrong}]}
        assert error_of(lambda: engine.request("primitive", body)).code == "bad_request"


def test_big_answers_are_fetched(engine: Engine) -> None:
    picture = np.zeros((1100, 1300, 3), np.uint8)
    picture[:500] = 200
    reply = engine.make_primitive(frame_of(Picture(picture)), "paint", colours=2)
    assert (reply.frames[0].width, reply.frames[0].height) == (1300, 1100)
    assert reply.frames[0].size > INLINE and reply.frames[0].hash == reply.body["planes"][0]["hash"]
    assert engine.result(reply, reply.frames[0].hash) is reply.frames[0]


def test_a_picture_that_the_engine_has_forgotten_is_sent_again(engine: Engine, folder: Path) -> None:
    frame = frame_of(Picture(np.random.default_rng().integers(0, 255, (20, 20, 3), np.uint8)))
    first = engine.make_primitive(frame, "paint")
    for path in (folder / "spool").glob(f"{frame.hash}.*"):
        path.unlink()
    assert engine.make_primitive(frame, "paint").body == first.body
    gone = "0" * 64
    assert error_of(lambda: engine.fetch(gone)).code == "unknown_picture"
    body = {"model": "x", "planes": {}, "kind": "paint", "picture": {"hash": gone}}
    assert error_of(lambda: engine.request("primitive", body)).code == "unknown_picture"


def test_files_that_are_no_models_are_refused(engine: Engine, tmp_path: Path) -> None:
    for data in (b"", b"PK", os.urandom(3 << 20)):
        (tmp_path / "a model.underdrawing").write_bytes(data)
        assert error_of(lambda: engine.import_model(tmp_path / "a model.underdrawing")).code == "bad_model"
    assert error_of(lambda: engine.import_model(tmp_path / "nothing")).code == "file"
    assert engine.models() == []


# --- errors


@pytest.mark.parametrize(
    ("verb", "body", "code"),
    [
        ("dance", {}, "unknown_verb"),
        ("find", {}, "unknown_verb"),
        ("__init__", {}, "unknown_verb"),
        ("models_list", {}, "unknown_verb"),
        ("models.show", {"model": "nobody"}, "unknown_model"),
        ("models.show", {}, "bad_request"),
        ("models.rename", {"model": 7}, "bad_request"),
        ("models.import", {"hash": "../../etc/passwd"}, "bad_request"),
        ("watch", {"job": "nothing"}, "unknown_job"),
        ("watch", {"job": ["nothing"]}, "bad_request"),
        ("have", {"hashes": ["x"]}, "bad_request"),
        ("get", {"hash": "0" * 64, "offset": 0, "length": 1}, "unknown_picture"),
        ("get", {"hash": "0" * 64, "offset": -1, "length": 1}, "bad_request"),
        ("get", {"hash": "0" * 64, "offset": 10**300, "length": 1}, "bad_request"),
        ("header", {"hash": "../" * 21 + "x"}, "bad_request"),
        ("primitive", {"kind": "statue"}, "bad_request"),
        ("region", {"planes": {}, "region": {}}, "plane_missing"),
        ("train", {"picture": {"hash": "0" * 64}}, "plane_missing"),
        ("train", {"picture": {"hash": "0" * 64}, "recipe": "vary"}, "unknown_picture"),
        ("apply", {"model": "nobody"}, "plane_missing"),
        ("apply", {"model": "nobody", "planes": {"paint": {"hash": "0" * 64}}}, "unknown_model"),
    ],
)
def test_what_is_wrong_is_said(engine: Engine, verb: str, body: dict[str, Any], code: str) -> None:
    assert error_of(lambda: engine.request(verb, body)).code == code
    assert engine.hello()
