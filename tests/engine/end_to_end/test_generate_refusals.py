"""Requests for pictures without an underdrawing that are refused before anything is computed."""

from __future__ import annotations

from typing import Any

import pytest

from underdrawing.client.engine import Engine
from underdrawing.client.messages import EngineError

WRONG: dict[str, tuple[Any, ...]] = {
    "count": (17, 0, 2.5, True),
    "freedom": (1.1, "much"),
    "seed": (-1,),
    "light": (2,),
    "grow": (-1,),
    "blend": ("multiply",),
    "order": ("XYZ",),
}
SIZES = (
    {},
    {"width": 100},
    {"width": 16384, "height": 16384},
    {"width": 1e9, "height": 100},
    {"width": -5, "height": 9},
)
REFUSED = [
    *((task, {}) for task in ("harmonise", 7, "harmonize", "repaint")),
    *(("resize", size) for size in SIZES),
    *(("vary", {name: value}) for name, values in WRONG.items() for value in values),
    *(("animate", {"frames": frames}) for frames in (241, 1)),
]


@pytest.mark.parametrize(("task", "body"), REFUSED)
def test_requests_that_are_refused(engine: Engine, task: Any, body: dict[str, Any]) -> None:
    with pytest.raises(EngineError) as caught:
        engine.request("generate", {"model": "any", "task": task, **body})
    assert caught.value.code == "bad_request"
