"""The demonstration, as somebody runs it who has just installed everything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from underdrawing.client.engine import Engine
from underdrawing.commands.demo import PICTURES, Shown
from underdrawing.picture.files import read_picture


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that it leaves behind."""
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("somewhere") / "démo 1"
    words = [sys.executable, "-m", "underdrawing.commands.demo", "--out", str(folder)]
    environment = {**os.environ, "UNDERDRAWING_HOME": str(home)}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=300)
    with Engine.connect(home=home) as engine:
        engine.shutdown()
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.parametrize("shown", PICTURES, ids=lambda shown: shown.name)
def test_every_edit_changes_what_it_should_and_nothing_else(out: Path, shown: Shown) -> None:
    before = read_picture(out / f"{shown.name}.png").to_bytes()
    for edit in shown.edits:
        after, mask = (read_picture(out / f"{edit.name}{end}").to_bytes() for end in (".png", ".mask.png"))
        free = (mask if mask.ndim == 2 else mask[..., 0]) == 0
        assert np.array_equal(after[free], before[free])
        assert np.abs(after.astype(int) - before)[~free].mean() > 10
        assert read_picture(out / f"{edit.name}.sheet.png").size[0] > 1000


def test_the_rocket_has_left_nothing_but_sky(out: Path) -> None:
    made = read_picture(out / "lift_off.png").to_bytes().astype(int)
    where, sky = made[150:330, 316:326], made[150:330, 335:365]
    assert np.abs(where.mean((0, 1)) - sky.mean((0, 1))).max() < 20
    assert where[..., 0].max() < 110, "no light piece of it"
