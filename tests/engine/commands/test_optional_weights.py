"""`pick` and `edit` with optional weights, through a real engine; small graphs stand in for the published networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.engine.render.stand_ins import OVERLAPS, TINT, write_efficient_sam, write_lama
from underdrawing.picture.files import read_picture
from underdrawing.weights.catalogue import CATALOGUE

from .command_line import CommandLine
from .test_pick import ball, far_from, write_ball


def test_their_things_and_fills_are_had_where_they_are_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    monkeypatch.setenv("UNDERDRAWING_WEIGHTS", str(weights))
    place = CommandLine(tmp_path, tmp_path / "home")
    write_ball(tmp_path / "ball.png")
    removal = "edit", "ball.png", "remove", "--at", "50,60", "--fill", "lama", "-o", "gone.png"
    try:
        refused = place.run(*removal)
        assert refused.returncode != 0 and "weights fetch lama" in refused.stderr
        write_efficient_sam(weights / CATALOGUE["efficientsam"].file)
        write_lama(weights / CATALOGUE["lama"].file)
        (first, *_) = place.ask("pick", "ball.png", "--at", "50,60", "-o", "mask.png")["candidates"]
        assert (first["source"], first["score"]) == ("prompted", OVERLAPS[0])
        place.ask(*removal)
    finally:
        place.run("engine", "stop")
    before, after = (read_picture(tmp_path / name).pixels.astype(int) for name in ("ball.png", "gone.png"))
    assert np.abs(after[ball()].mean(0) - np.array((60, 120, 70)) * TINT).max() < 5
    assert np.array_equal(after[far_from(ball())], before[far_from(ball())])
