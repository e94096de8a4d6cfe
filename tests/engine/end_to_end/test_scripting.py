"""Underdrawing in Python, as docs/python.md shows it: every example of that page runs here, in its order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import underdrawing as ud
from underdrawing.picture.files import write_picture

from .conftest import end

PAGE = Path(__file__).parents[3] / "docs" / "python.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_every_example_of_the_page_runs(tmp_path: Path) -> None:
    shown = np.full((96, 128, 3), (150, 170, 190), np.uint8)
    cv2.circle(shown, (40, 50), 14, (200, 60, 30), -1)
    noise = np.random.default_rng(1).normal(0, 3, shown.shape)
    picture = ud.Picture((shown + noise).clip(0, 255).astype(np.uint8))
    write_picture(tmp_path / "photo.png", picture)
    script = tmp_path / "script.py"
    script.write_text("\n".join(EXAMPLES), encoding="utf-8")
    variables = {**os.environ, "UNDERDRAWING_HOME": str(tmp_path / "home")}
    try:
        done = subprocess.run(
            [sys.executable, script],
            cwd=tmp_path,
            env=variables,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    finally:
        end(tmp_path / "home")
    assert done.returncode == 0, done.stderr
    before = picture.pixels.astype(int)
    made = {path.stem: ud.open(path).pixels.astype(int) for path in tmp_path.glob("*.png")}
    red, ground = before[50, 40], before[10, 10]
    assert np.abs(made["moved"][50, 90] - red).max() < 40, "it is where it was moved to"
    for name in ("moved", "removed"):
        assert np.abs(made[name][50, 40] - ground).max() < 40, "and its old place is filled"
        assert np.array_equal(made[name][:20], before[:20]), "far from it nothing changes"
    assert np.abs(made["painted"][20, 100] - before[20, 100]).max() > 60, "the painted area follows"


@pytest.mark.parametrize("name", ud.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(ud, name).__doc__
    assert f"`{name}" in PAGE.read_text(encoding="utf-8") or f"ud.{name}" in PAGE.read_text(encoding="utf-8")
