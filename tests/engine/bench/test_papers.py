"""`python -m bench papers`: every published recipe has a trial, and a run that was stopped goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from skimage import data

from bench import papers
from underdrawing.client.messages import EngineError
from underdrawing.picture.files import write_picture
from underdrawing.picture.image import Picture
from underdrawing.train.methods import everything


def test_every_published_recipe_has_a_trial(tmp_path: Path) -> None:
    folder = papers.bundled(tmp_path / "data")
    (folder / "many").mkdir()
    for number in range(papers.MANY):
        picture = Picture(data.coffee()[10 * number : 10 * number + 64, :96].copy())
        write_picture(folder / "many" / f"{number}.png", picture)
    found = {trial.system for trial in papers.trials(folder, 64, tmp_path, False)}
    published = {
        f"{method.name} {recipe.name}"
        for method in everything().values()
        for recipe in method.recipes.values()
        if method.needs_training and recipe.iterations is not None
    }
    assert found == published


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError) as caught:
        papers.trials(tmp_path, 64, tmp_path, False)
    assert caught.value.code == "no_data"


@pytest.mark.long
def test_a_finished_trial_is_not_trained_again(tmp_path: Path) -> None:
    out, name = tmp_path / "out", "consingan paper-harmonize, coffee_naive"
    words = ("--iterations", "2", "--size", "40", "--device", "cpu", "--only", "paper-harmonize", "--json")
    command = [sys.executable, "-m", "bench", "papers", str(out), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ})
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["rows"]
    assert (row["system"], row["data"], row["iterations"]) == ("consingan paper-harmonize", "coffee_naive", 2)
    assert row["figures"]["colour"] > 0
    assert "| consingan paper-harmonize | coffee_naive | 2 |" in (out / "papers.md").read_text()
    assert (out / f"{name}.png").is_file()
    # As if it had been stopped after the training: the model is measured, not trained.
    (out / f"{name}.json").unlink()
    chosen = [trial for trial in papers.trials(out / "data", 40, tmp_path, False) if trial.name == name]
    (again,) = papers.run(chosen, out, {}, lambda text: None)
    assert again["figures"] == pytest.approx(row["figures"])
    assert len(list((out / "engine" / "models").iterdir())) == 1
