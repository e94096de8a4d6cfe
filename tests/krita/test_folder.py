"""A folder's model in real Kritas, by the docker's buttons: models made at once, refined, and the way between two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from skimage import data

from tests.krita.conftest import Krita
from underdrawing.client.engine import Engine
from underdrawing.picture.files import write_picture
from underdrawing.picture.image import Picture
from underdrawing.store.frame_codec import frame_of

SIZE = (60, 44)
SMALL = {"width": 4, "embedding": 8, "side": 32, "filters": 4, "layers": 1, "stages": 3, "smallest": 18, "longest": 48}
NAME = "Tassen"
LONGEST = 900.0  # seconds


def small(picture: np.ndarray) -> Picture:
    return Picture(cv2.resize(picture, SIZE, interpolation=cv2.INTER_AREA))


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    """Two that are trained, and one that is not."""
    return [small(picture) for picture in (data.coffee(), data.astronaut(), data.chelsea())]


@pytest.fixture
def model(krita: Krita, pictures: list[Picture]) -> str:
    """A folder's model that the engine of this Krita has."""
    frames = [frame_of(picture) for picture in pictures[:2]]
    asked: dict[str, Any] = {"method": "meta", "iterations": 3, "name": NAME, "options": SMALL}
    with Engine.connect(home=krita.engine_home, timeout=120.0) as engine:
        started = engine.train(frames[0], {}, pictures=frames, **asked)
        ended = engine.watch(started["job"], deadline=LONGEST)
    assert ended["state"] == "done", ended["error"]
    return str(started["model"])


@pytest.mark.long
def test_models_made_at_once_and_the_way_between_two_pictures(
    krita: Krita, pictures: list[Picture], model: str, tmp_path: Path
) -> None:
    files = [tmp_path / name for name in ("Tasse.png", "Käthe.png", "Katze.png")]
    for file, picture in zip(files, pictures, strict=True):
        write_picture(file, picture)
    given: dict[str, Any] = {"picture": str(files[2]), "other": str(files[0]), "document": str(files[1])}
    given |= {"model": model, "file": str(tmp_path / "offen.kra"), "figures": {}}
    seen = krita.run("folder", LONGEST, **given)["seen"]
    assert seen["offered"] == ["Train this picture", f"At once, by “{NAME}”"]
    assert seen["enlarge"], "nothing is made at once to enlarge"

    message, bad, children = seen["varied"]
    assert not bad, message
    assert children == ["Variation 2", "Variation 1"]
    assert seen["made"] == [[f"Katze, from {NAME}", model, ["vary", "resize", "animate"]]]
    size, models, message = seen["resized"]
    assert size == [90, 44], message
    assert models == 0, "the model that was made before is used again"
    message, bad, models, name = seen["harmonized"]
    assert not bad, message
    assert models == 1, "one that paints what was pasted is made as well"
    assert name == "Harmonized"
    message, bad, models = seen["as_trained"]
    assert not bad, message
    assert models == 1, "no further one"
    assert seen["fine_tune"], "fine-tuning is for trained models"

    state, going_on, device = seen["refining"]
    assert "Training" in state
    assert going_on
    assert device == "cpu", "what was chosen is what refines"
    assert seen["found"] == "Paused. Nothing that was trained is lost."
    assert seen["cancelled"] == ["Training was cancelled.", True]
    message, bad, models = seen["refined"]
    assert not bad, message
    assert models == 1
    message, bad, models = seen["refined_again"]
    assert not bad, message
    assert models == 0, "what was refined is used again"
    assert seen["trained_anew"], "without a folder's model the picture is trained, whatever was made of it at once"

    assert seen["places"] > 3, "what lies on the way is seen while the slider is moved"
    assert seen["coarse"]
    assert seen["back_at_once"], "what was seen before is kept"
    message, bad, layer, size = seen["place"]
    assert not bad, message
    assert layer == "Between, 30 %"
    assert size == list(SIZE)
    assert seen["undone"]
    message, bad, children = seen["way"]
    assert not bad, message
    assert children == [["Between, 0 %", False], ["Between, 50 %", False], ["Between, 100 %", True]]
    assert seen["way_undone"]
    message, bad, frames = seen["clip"]
    assert not bad, message
    assert frames == [True, 3, 3]

    message, bad, unchanged = seen["narrow"]
    assert bad
    assert "too narrow" in message
    assert unchanged
    for name in ("no_model", "no_way"):
        message, bad, unchanged = seen[name]
        assert bad
        assert "The folder model is not there any more. Choose another one" in message
        assert unchanged
    assert seen["nothing_offered"] == [True, True]
