"""A folder's model for GIMP's tests, trained in seconds: nothing here is about quality."""

from __future__ import annotations

import numpy as np

from underdrawing.client.engine import Engine
from underdrawing.picture.image import Picture
from underdrawing.store.frame_codec import frame_of

SMALL = {"width": 4, "embedding": 8, "side": 32, "filters": 4, "layers": 1, "stages": 3, "smallest": 18, "longest": 48}
NAME = "lakes"


def train_folder(engine: Engine, picture: np.ndarray) -> str:
    """Train on a picture, mirrored and upside down too, as a folder: the model's id."""
    sides = (picture, picture[:, ::-1], picture[::-1])
    frames = [frame_of(Picture(np.ascontiguousarray(one))) for one in sides]
    started = engine.train(frames[0], {}, pictures=frames, method="meta", iterations=3, name=NAME, options=SMALL)
    ended = engine.watch(started["job"], deadline=900)
    assert ended["state"] == "done", ended["error"]
    return str(started["model"])


def dusk(picture: np.ndarray) -> Picture:
    """The same place at another hour."""
    return Picture((picture * [0.5, 0.4, 0.7]).astype(np.uint8))
