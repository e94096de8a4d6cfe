"""The whole way through the docker, by its buttons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import underdrawing
from tests.krita.conftest import Krita
from underdrawing.picture.files import read_picture, write_picture
from underdrawing.picture.image import Picture

COFFEE = Path(underdrawing.__file__).parent / "_demo" / "coffee.png"
STROKE = (30, 40, 24, 18)


def still_life(width: int = 96, height: int = 80, depth: type = np.uint8) -> Picture:
    """A few flat things with some texture, drawn here."""
    generator = np.random.default_rng(5)
    y, x = np.mgrid[0:height, 0:width]
    rgb = np.full((height, width, 3), (196, 178, 150), np.float64)
    rgb[y > height * 0.62] = (110, 74, 52)
    rgb[(x - width * 0.35) ** 2 + (y - height * 0.5) ** 2 < (height * 0.22) ** 2] = (186, 44, 38)
    rgb[(abs(x - width * 0.72) < width * 0.1) & (y > height * 0.25) & (y < height * 0.75)] = (52, 96, 140)
    rgb += generator.normal(0, 5, (height, width, 1)) + 14 * np.sin(x / 3)[..., None]
    scale = 1 if depth is np.uint8 else 257
    return Picture((np.clip(np.rint(rgb), 0, 255) * scale).astype(depth))


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "Stillleben mit Äpfeln 静物.png"
    write_picture(path, still_life())
    return path


@pytest.mark.long
def test_live_follows_a_real_pointer_on_a_photograph(krita: Krita, tmp_path: Path, record_property: Any) -> None:
    photograph = read_picture(COFFEE)
    path = tmp_path / "Kaffee.png"
    write_picture(path, Picture(np.ascontiguousarray(photograph.pixels)))
    strokes = [(300, 330, 350, 330), (310, 350, 350, 350), (305, 368, 345, 368)]
    report = krita.run("photograph", picture=str(path), strokes=strokes, colour=0, brush=24)
    seen = report["seen"]
    assert len(seen["splits"]) == len(strokes)
    for split, (total, _) in zip(seen["splits"], seen["times"], strict=True):
        assert all(value >= 0 for value in split.values())
        assert split["infer"] > 0
        assert total > 0
    applied, message = seen["applied"]
    assert applied, message
    # Figures for the documentation; a busy machine makes them larger, so none of them is judged.
    record_property("live", json.dumps([seen["times"], seen["splits"], report["longest"]]))


@pytest.mark.long
def test_a_large_picture(krita: Krita, tmp_path: Path, record_property: Any) -> None:
    path = tmp_path / "groß.png"
    write_picture(path, Picture(np.kron(still_life(128, 128).pixels, np.ones((16, 16, 1), np.uint8))))
    report = krita.run("large", picture=str(path), stroke=(700, 900, 300, 200))
    applied, message = report["seen"]["applied"]
    assert applied, message
    # Figures for the documentation, none of them judged: see above.
    longest = sorted(((*times, what) for what, times in report["longest"].items()), reverse=True)[:12]
    record_property("large", json.dumps([report["seen"]["krita"], report["seen"]["split"], longest]))


def test_the_whole_way(krita: Krita, picture: Path) -> None:
    report = krita.run("way", picture=str(picture), stroke=STROKE)
    seen = report["seen"]
    stage, layers, _ = seen["made"]
    assert stage == "DRAWN"
    assert layers[-1] == ["Underdrawing", ["Areas", "Outlines"]]
    assert seen["active_live"] == seen["active_applied"] == "Areas"
    assert seen["active"] == "Areas"
    assert seen["palette"] == 4
    assert seen["models"] == 1
    assert seen["brush"] == seen["colour"][::-1]
    assert seen["preview"] == [True, True, True]
    assert seen["preview_after"] == [False, False]
    assert seen["applied"][0] == "READY"
    assert seen["picture_untouched"]
    count, left, top, right, bottom = seen["changed"]
    x, y, width, height = seen["result_at"]
    assert count > 0
    assert x <= left < right <= x + width
    assert y <= top < bottom <= y + height
    assert seen["mask_layer"] == (["transparencymask"] if krita.place.name == "5.2" else [])
    assert seen["redone"]
    assert seen["replaced"] == [1, True]
    assert seen["undone_replacement"] == [1, True]
    assert seen["redone_replacement"] == [1, True]
    assert seen["kept"] == 2
    assert seen["history"] == [3, 3]
    assert seen["brought_back"]
    assert seen["saved"]
    assert seen["reopened"] == [4, 3, 1]
    kept, bad, message = seen["applied_again"]
    assert not bad, message
    assert kept == 3
