"""Requests: checked when they are made, the same after the wire, and no longer than they must be."""

from __future__ import annotations

from typing import Any

import pytest

from underdrawing.client.messages import EngineError
from underdrawing.client.requests import (
    INSTANT_TASKS,
    REQUESTS,
    TASKS,
    ApplyRequest,
    GenerateRequest,
    RegionRequest,
    TrainRequest,
)
from underdrawing.render.apply import Options
from underdrawing.render.generate import GenerateOptions
from underdrawing.store.manifest import AT_ONCE, Task

SHOWN = {"hash": "0" * 64}
PLANES = {"segments": SHOWN}


def code(kind: str, body: dict[str, Any]) -> str:
    with pytest.raises(EngineError) as caught:
        REQUESTS[kind].from_body(body)
    assert caught.value.message
    return caught.value.code


def test_a_request_is_the_same_after_the_wire() -> None:
    asked = ApplyRequest("m", PLANES, SHOWN, grow=4, feather=0.0, whole=True, order="BGRA")
    assert ApplyRequest.from_body(asked.to_body()) == asked


def test_lifted_things_of_a_picture_need_neither_planes_nor_a_model() -> None:
    things = [{"pixels": SHOWN, "x": -4, "y": 7, "was": None}, {"pixels": None, "was": SHOWN}]
    asked = ApplyRequest(picture=SHOWN, lifted=things)
    assert ApplyRequest.from_body(asked.to_body()) == asked
    assert code("apply", {"lifted": things}) == "bad_request"
    assert code("apply", {"lifted": things, "picture": SHOWN, "planes": PLANES}) == "bad_request"
    for wrong in ({"pixels": None, "was": None}, {"pixels": SHOWN, "x": 0.5}, {"pixels": "abc"}, SHOWN["hash"]):
        assert code("apply", {"picture": SHOWN, "lifted": [wrong]}) == "bad_request"


def test_what_is_as_usual_is_not_sent() -> None:
    assert ApplyRequest("m", PLANES, feather=3.0, seed=0).to_body() == {"model": "m", "planes": PLANES}


def test_fields_that_nobody_knows_are_ignored() -> None:
    assert ApplyRequest.from_body({"model": "m", "planes": PLANES, "home": "/etc"}) == ApplyRequest("m", PLANES)


def test_a_field_that_is_null_has_its_default() -> None:
    assert GenerateRequest.from_body({"model": "m", "task": "vary", "count": None}).count == 4


@pytest.mark.parametrize("verb", sorted(REQUESTS))
def test_both_ends_refuse_what_lacks_a_field(verb: str) -> None:
    needed = [name for name in ("model", "job", "picture", "hash", "hashes") if name in REQUESTS[verb].__annotations__]
    if needed:
        assert code(verb, {}) == "bad_request"


@pytest.mark.parametrize(
    ("verb", "body", "wanted"),
    [
        ("apply", {"model": 7, "planes": PLANES}, "bad_request"),
        ("apply", {"model": "m", "planes": {}}, "plane_missing"),
        ("apply", {"model": "m", "planes": PLANES, "seed": True}, "bad_request"),
        ("apply", {"model": "m", "planes": PLANES, "whole": 1}, "bad_request"),
        ("apply", {"model": "m", "planes": PLANES, "blend": "gauss"}, "bad_request"),
        ("apply", {"model": "m", "planes": PLANES, "grow": 1.5}, "bad_request"),
        ("apply", {"model": "m", "planes": PLANES, "feather": float("nan")}, "bad_request"),
        ("apply", {"model": "m", "planes": PLANES, "feather": True}, "bad_request"),
        ("between", {"model": "m", "picture": SHOWN, "other": SHOWN, "at": [True]}, "bad_request"),
        ("generate", {"model": "m", "task": "resize"}, "bad_request"),
        ("generate", {"model": "m", "task": "vary", "width": 64}, "bad_request"),
        ("generate", {"model": "m", "task": "resize", "width": 16384, "height": 16384}, "bad_request"),
        ("generate", {"model": "m", "task": "blend"}, "bad_request"),
        ("between", {"model": "m", "picture": SHOWN, "other": SHOWN, "at": [0, 1.1]}, "bad_request"),
        ("layout", {"model": "m", "picture": SHOWN, "match": {"-1": "sky"}}, "bad_request"),
        ("region", {"planes": PLANES, "operation": "move", "region": {"point": [1, 2.5]}}, "bad_request"),
        ("train", {"picture": SHOWN}, "plane_missing"),
        ("train", {"picture": SHOWN, "base": "m", "mask": SHOWN}, "bad_request"),
        ("train", {"picture": SHOWN, "recipe": "meta", "pictures": [SHOWN] * 2049}, "bad_request"),
    ],
)
def test_what_cannot_be_right_is_refused(verb: str, body: dict[str, Any], wanted: str) -> None:
    assert code(verb, body) == wanted


def test_a_client_hears_of_a_mistake_before_anything_is_sent() -> None:
    with pytest.raises(EngineError, match="seed must be"):
        TrainRequest(SHOWN, PLANES, seed=-1)
    with pytest.raises(EngineError, match="no mask, no point and no class"):
        RegionRequest(PLANES, {}, "remove")


def test_tasks_and_defaults_are_those_of_the_renderer() -> None:
    assert set(TASKS) == set(Task) and set(INSTANT_TASKS) == set(AT_ONCE)
    plain = GenerateRequest("m", "vary")
    renderer = GenerateOptions(task=Task.VARY)
    for name in ("count", "frames", "freedom", "light", "seed", "grow", "feather", "blend"):
        assert getattr(plain, name) == getattr(renderer, name), name
    applied = ApplyRequest("m", PLANES)
    for name in ("mask_mode", "grow", "feather", "blend", "whole", "seed"):
        assert getattr(applied, name) == getattr(Options(), name), name
