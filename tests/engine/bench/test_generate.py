"""Figures of pasted things and variations say what they should, on data where the answer is known."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from bench import generate
from underdrawing.client.engine import Engine
from underdrawing.client.messages import EngineError
from underdrawing.picture.files import write_picture
from underdrawing.picture.image import Picture


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one pasted thing, one edit and one picture to vary."""
    folder = tmp_path_factory.mktemp("generate")
    coffee = cv2.resize(data.coffee(), (96, 64), interpolation=cv2.INTER_AREA)
    mask = np.zeros((64, 96), np.uint8)
    mask[20:40, 30:60] = 255
    for name, changed in (("cup_naive", (0, 255, 0)), ("cup_edit_1", coffee[:20, :30])):
        other = coffee.copy()
        other[20:40, 30:60] = changed
        write_picture(folder / f"{name}.png", Picture(other))
        write_picture(folder / f"{name}_mask.png", Picture(mask))
    write_picture(folder / "cup.png", Picture(coffee))
    write_picture(folder / "alone.png", Picture(coffee[:48, :64].copy()))
    return folder


def test_a_folder_is_read_by_its_names(place: Path, tmp_path: Path) -> None:
    cases, alone = generate.read(place)
    assert [(case.name, case.task) for case in cases] == [("cup_edit_1", "blend"), ("cup_naive", "harmonize")]
    assert [name for name, _ in alone] == ["alone"]
    assert cases[0].mask.sum() == 600
    with pytest.raises(EngineError, match="no pictures"):
        generate.read(tmp_path)


def test_what_belongs_there_is_nearer_than_what_does_not(place: Path) -> None:
    cases, _ = generate.read(place)
    mask = cases[0].mask
    before = cases[0].picture.to_float()
    own = generate.distances(before, mask, before)
    pasted = generate.distances(cases[1].changed.to_float(), mask, before)
    assert own["colour"] < 0.5 * pasted["colour"]
    flat = before.copy()
    flat[mask] = flat[mask].mean(0)
    assert own["gradients"] < generate.distances(flat, mask, before)["gradients"]
    assert own["seam"] == 0
    assert pasted["seam"] > generate.distances(cv2.GaussianBlur(before, (0, 0), 2), mask, before)["seam"] > 0


@pytest.mark.long
def test_the_bench_runs_and_tells(place: Path, tmp_path: Path) -> None:
    cases, alone = generate.read(place)
    said: list[str] = []
    options = {"iterations": 2, "options": {"filters": 4, "smallest": 20, "longest": 64, "stages": 2}}
    with Engine.connect(home=tmp_path / "home") as engine:
        rows, first = generate.changed(engine, cases[1:], 2, options, said.append)
        more, second = generate.varied(engine, alone, ["vary"], 1, options, said.append)
        engine.shutdown()
        engine.wait_for_end()
    assert [row.how for row in rows] == ["naive", "gradient domain", "ours"]
    assert len(rows[2].figures) == 2
    assert rows[0].mean("colour") > 0
    assert set(more[0].figures[0]) == {"sifid", "network", "diversity", "seconds", "parameters"}
    # Head, two stages of three layers, tail; biases too.
    assert more[0].figures[0]["parameters"] == 4 * 28 + 2 * 3 * 4 * 37 + 3 * 37
    assert first is not None
    assert second is not None
    table = generate.as_markdown([*rows, *more])
    assert "| cup_naive | ours |" in table
    assert "sifid" in table
    assert len(said) == 3
