"""An engine that was installed without onnxruntime makes drafts, and says what is missing for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from underdrawing.client.engine import Engine
from underdrawing.picture.image import Picture
from underdrawing.store.frame_codec import frame_of, picture_of

from .conftest import end

HIDDEN = """
import sys
from importlib.machinery import PathFinder


class Hiding(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] == "onnxruntime" else super().find_spec(name, path, target)


sys.meta_path[:] = [Hiding if finder is PathFinder else finder for finder in sys.meta_path]
"""


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An engine none of whose processes finds onnxruntime."""
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "sitecustomize.py").write_text(HIDDEN, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "hidden"))
    with Engine.connect(home=tmp_path / "home") as engine:
        yield engine
    end(tmp_path / "home")


@pytest.mark.long
def test_drafts_work_and_the_rest_says_what_to_install(bare: Engine, coffee: np.ndarray) -> None:
    picture = frame_of(Picture(coffee))
    made = bare.make_primitive(picture, "segments", regions=3)
    assert "onnxruntime is not installed" in made.body["notes"][0]
    assert bare.request("pick", {"picture": {"hash": picture.hash}, "inside": [[100, 60]]}, [picture]).body
    planes = {"segments": bare.result(made, made.body["planes"][0]["hash"])}
    begun = bare.train(picture, planes, palette=made.body["palette"], method="draft")
    ended = bare.watch(begun["job"], deadline=60)
    assert ended["state"] == "done", ended["error"]
    edited = picture_of(planes["segments"]).to_bytes().copy()
    edited[20:40, 20:40] = edited[100, 100]
    edited[90:110, 90:110] = edited[0, 0]
    assert bare.apply(begun["model"], {"segments": frame_of(Picture(edited))}).body["width"] > 0

    begun = bare.train(picture, planes, palette=made.body["palette"], method="deepsim", iterations=1)
    error = bare.watch(begun["job"], deadline=60)["error"]
    assert error["code"] == "no_onnxruntime"
    assert "pip install" in error["hint"]
