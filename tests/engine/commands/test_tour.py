"""The first picture: it lies where it was wanted, is known, can be edited at once, and goes again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from underdrawing.client.engine import Engine
from underdrawing.client.messages import EngineError
from underdrawing.commands import tour


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests here: starting an engine takes longer than they do."""
    return tmp_path_factory.mktemp("tour") / "home"


@pytest.fixture(scope="module")
def engine(home: Path) -> Iterator[Engine]:
    with Engine.connect(home=home, timeout=60) as made:
        yield made
        made.shutdown()
        made.wait_for_end()


def command(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "underdrawing", *words]
    variables = {**os.environ, "UNDERDRAWING_HOME": str(home)}
    return subprocess.run(line, env=variables, capture_output=True, text=True, check=False, timeout=200)


def test_it_is_learnt_once_and_goes_again(engine: Engine, home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "Bilder ü" / "mine"
    made = tour.begin(engine, home, folder)
    assert Path(made.picture).read_bytes() == (tour.ASSETS / "coffee.png").read_bytes()
    (model,) = engine.models()
    assert (model["id"], model["name"], model["method"]) == (made.model, tour.NAME, "draft")
    assert tour.begin(engine, home, folder) == made, "nothing is made twice"
    assert len(engine.models()) == 1

    out = tmp_path / "edited.png"
    done = command(home, "apply", made.model, str(tour.ASSETS / "no_spoon.png"), "-o", str(out), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["changed"]
    assert out.is_file()

    assert tour.end(engine, home) == made
    assert engine.models() == []
    assert not (tmp_path / "Bilder ü").exists(), "folders that were made go, too"
    assert tour.read(home) is None
    assert tour.end(engine, home) is None


def test_what_somebody_painted_on_stays(engine: Engine, home: Path, tmp_path: Path) -> None:
    made = tour.begin(engine, home, tmp_path)
    picture = Path(made.picture)
    picture.write_bytes(picture.read_bytes() + b"painted")
    with pytest.raises(EngineError, match="is another picture") as caught:
        tour.begin(engine, home, tmp_path)
    assert "--out" in caught.value.hint
    tour.end(engine, home)
    assert picture.read_bytes().endswith(b"painted")
    assert engine.models() == []


def test_it_moves_where_it_is_wanted_and_comes_back_when_the_model_was_deleted(
    engine: Engine, home: Path, tmp_path: Path
) -> None:
    first = tour.begin(engine, home, tmp_path / "first")
    engine.delete(first.model)
    second = tour.begin(engine, home, tmp_path / "second")
    assert not (tmp_path / "first").exists()
    assert [model["id"] for model in engine.models()] == [second.model]
    tour.end(engine, home)
    assert not (tmp_path / "second").exists()


@pytest.mark.usefixtures("engine")
def test_the_command_says_where_to_click(home: Path, tmp_path: Path) -> None:
    done = command(home, "tour", "--out", str(tmp_path / "pictures"))
    assert done.returncode == 0, done.stderr
    assert str(tmp_path / "pictures" / tour.FILE) in done.stdout
    assert "In GIMP:" in done.stdout
    assert "In Krita:" in done.stdout
    again = json.loads(command(home, "tour", "--out", str(tmp_path / "pictures"), "--json").stdout)
    assert set(again["steps"]) == {"gimp", "krita"}
    assert "are gone" in command(home, "tour", "--end").stdout
    assert "no first picture" in command(home, "tour", "--end").stdout
    assert not (tmp_path / "pictures").exists()
