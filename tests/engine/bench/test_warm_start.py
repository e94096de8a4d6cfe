"""Curves with a start and without: what a start hands over, and what the command tells."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from skimage import data
from typer.testing import CliRunner

from bench import warm_start as measure
from bench.cli import app
from underdrawing.picture.files import write_picture
from underdrawing.picture.image import Picture
from underdrawing.train.device import choose
from underdrawing.train.methods.consingan.recipes import VARY

TINY = {"filters": 4, "smallest": 16, "longest": 48, "stages": 2}


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    found = (data.coffee(), data.chelsea()[:, :300], data.rocket())
    return [cv2.resize(one, (60, 44), interpolation=cv2.INTER_AREA).astype(np.float32) / 255 for one in found]


def test_each_stage_begins_with_the_weights_of_the_start(pictures: list[np.ndarray]) -> None:
    figures, device = VARY.with_options(TINY).figures, choose("cpu", 1)
    start = measure.made_by(pictures[:2], figures, device, 0.3)
    assert len(start.stages) == 2
    run = measure.StartedRun(measure._data(pictures[2], figures), figures, device, 1, start)
    for name, value in start.stages[0][0].items():
        assert torch.equal(run.generator.state_dict()[name], value)
    for name, value in start.stages[0][1].items():
        assert torch.equal(run.critic.state_dict()[name], value)
    run.enter(1)
    for name, value in start.stage(1).items():
        assert torch.equal(run.generator.stages[1].state_dict()[name], value)
    (point,) = measure.curve("rocket", pictures[2], figures, device, [0.3], start)
    assert point.started
    assert point.iterations > 0
    assert 0 < point.error < 2
    assert point.network > 0
    assert point.finished > 0


@pytest.mark.long
def test_the_command_compares_with_fresh_weights(pictures: list[np.ndarray], tmp_path: Path) -> None:
    for folder, some in (("trained", pictures[:2]), ("new", pictures[2:])):
        (tmp_path / folder).mkdir()
        for number, one in enumerate(some):
            write_picture(tmp_path / folder / f"{number}.png", Picture((one * 255).astype(np.uint8)))
    words = [
        "start",
        str(tmp_path / "trained"),
        str(tmp_path / "new"),
        "--training",
        "1s",
        "--budgets",
        "0,0.4",
    ]
    words += [word for key, value in TINY.items() for word in ("--option", f"{key}={value}")]
    told = CliRunner().invoke(app, [*words, "-o", str(tmp_path / "out"), "--json"])
    assert told.exit_code == 0, told.output
    points = json.loads(told.stdout)["points"]
    assert [(p["started"], p["seconds"]) for p in points] == [(False, 0), (False, 0.4), (True, 0), (True, 0.4)]
    table = (tmp_path / "out" / "new.start.md").read_text(encoding="utf-8")
    assert table.startswith("| | | 0 s | 0 s, started | 0.4 s | 0.4 s, started |")
    assert "| 0 | finished |" in table
    refused = CliRunner().invoke(app, ["start", str(tmp_path / "trained"), str(tmp_path / "out")])
    assert refused.exit_code != 0
    for wrong, said in ((["--option", "colour=3"], "no option 'colour'"), (["--budgets", "soon"], "is no time")):
        refused = CliRunner().invoke(app, [*words, *wrong])
        assert refused.exit_code != 0
        assert said in refused.output + str(refused.stderr)
