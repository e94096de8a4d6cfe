"""A training job from its arguments, in this process: what cannot be trained ends with a sentence."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from underdrawing.client.messages import EngineError
from underdrawing.picture.image import Picture
from underdrawing.store.frame_codec import Inputs
from underdrawing.train import device
from underdrawing.train.job import train

from .conftest import PALETTE, SMALL

FOLDER = {"width": 4, "embedding": 8, "side": 32, "filters": 4, "layers": 1, "stages": 3, "smallest": 18, "longest": 48}


class Listener:
    """Keeps what a task reports, and wishes for nothing."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def event(self, kind: str, **fields: Any) -> None:
        self.events.append({"event": kind, **fields})

    def wanted(self) -> str | None:
        return None


@pytest.fixture
def args(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the worker is given for a picture with an underdrawing of two classes."""
    inputs = Inputs(tmp_path / "spool")
    classes = (np.indices((76, 108)).sum(axis=0) > 90).astype(np.uint8)
    picture = np.random.default_rng(0).integers(0, 255, (76, 108, 3)).astype(np.uint8)
    (tmp_path / "staging").mkdir()
    monkeypatch.setattr(device, "_time_convolution", lambda dtype, enough=1.0: 1.0)  # seconds of every new home
    return {
        "model": "0" * 12,
        "folder": str(tmp_path / "staging"),
        "home": str(tmp_path),
        "spool": str(tmp_path / "spool"),
        "weights": str(tmp_path / "weights"),
        "picture": {"hash": inputs.put(Picture(picture))},
        "planes": {"segments": {"hash": inputs.put(Picture(PALETTE[classes]))}},
        "palette": [{"colour": colour.tolist(), "name": f"{k}"} for k, colour in enumerate(PALETTE)],
        "device": "cpu",
        "method": "deepsim",
        "iterations": 1,
        "options": SMALL,
    }


def refused(args: dict[str, Any], code: str) -> None:
    listener = Listener()
    with pytest.raises(EngineError) as caught:
        train(args, listener)
    assert caught.value.code == code
    assert str(caught.value)
    assert caught.value.hint
    assert [event.get("phase") for event in listener.events] == ["preparing"]
    assert not list(Path(args["folder"]).iterdir())


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"recipe": "magic"}, "unknown_recipe"),
        ({"method": "magic"}, "unknown_method"),
        ({"options": {"crop": "wide"}}, "bad_option"),
        ({"device": "cuda"}, "no_gpu"),
        ({"region": [0, 0, 4, 4]}, "too_small"),
    ],
)
def test_bad_data_is_refused_with_a_sentence(
    args: dict[str, Any], more: dict[str, Any], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    refused({**args, **more}, code)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"method": "consingan", "options": {}}, "wrong_task"),
        ({"options": {**FOLDER, "critic": "plain"}}, "bad_option"),
        ({"options": {**FOLDER, "backbones": "one"}}, "bad_option"),
    ],
)
def test_folders_that_cannot_be_trained_on_are_refused(args: dict[str, Any], more: dict[str, Any], code: str) -> None:
    refused({**args, "planes": {}, "method": "meta", "pictures": [args["picture"]] * 2, **more}, code)


def test_a_draft_never_waits_for_the_probe(args: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """It needs no training: the first draft in a new home is there as soon as any."""

    def probe(*_: object) -> float:
        raise AssertionError("the processor was probed")

    monkeypatch.setattr(device, "_time_convolution", probe)
    ended = train({**args, "method": "draft", "options": {}, "iterations": None}, Listener())
    assert ended["state"] == "done"
    assert (Path(args["folder"]) / "manifest.json").is_file()


@pytest.mark.parametrize(("enough", "asked"), [(float("inf"), 9), (0.0, 3)])
def test_a_hopeless_precision_is_tried_no_longer(enough: float, asked: int, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100))
    monkeypatch.setattr(device, "time", SimpleNamespace(perf_counter=lambda: float(next(clock))))
    assert device._time_convolution(torch.float32, enough) == 1.0
    assert next(clock) == asked
