"""The docker's widgets offscreen, under PyQt5 and PyQt6: Krita 6 has PyQt6, and refuses PyQt5."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.hosts import pyqt6
from tests.hosts.debian import HostsError

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "installer"))


def python_with(qt: str) -> str:
    """A Python that has this PyQt: this one, the system's, or for PyQt6 one that is made for it."""
    for python in (sys.executable, shutil.which("python3", path="/usr/bin")):
        if python:
            probe = [python, "-c", f"import {qt}.QtWidgets"]
            if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
                return python
    if qt == "PyQt6":
        try:
            return str(pyqt6.ensure())
        except HostsError as error:
            if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
                raise
            pytest.skip(str(error))
    pytest.skip(f"no Python here has {qt}")


@pytest.mark.parametrize("qt", ["PyQt5", "PyQt6"])
def test_every_page_is_drawn(qt: str, tmp_path: Path) -> None:
    import ud_plugins

    python = python_with(qt)
    ud_plugins.lay_out("krita", tmp_path / "pykrita")
    shots = tmp_path / "shots"
    shots.mkdir()
    script = Path(__file__).parent / "widgets.py"
    environment = {
        **{k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        "QT_QPA_PLATFORM": "offscreen",
        "UNDERDRAWING_HOME": str(tmp_path / "home"),
        "XDG_RUNTIME_DIR": str(tmp_path),
    }
    done = subprocess.run(
        [python, str(script), str(tmp_path / "pykrita"), str(shots)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert found["qt"] == int(qt[-1])
    assert found["errors"] == []
    assert [name for name, _ in found["stages"]] == [
        "1-nothing",
        "2-make",
        "3-train",
        "4-training",
        "5-paused",
        "5-trainings",
        "6-edit",
        "7-no-folder",
        "7-alone",
        "8-alone-training",
    ]
    assert len({heading for _, heading in found["stages"]}) == 7
    assert found["make"] == {"kind": "super", "regions": 7, "sigma": 0.5, "colours": 8}
    assert found["layers"] == ["Background"]
    assert found["train"] == {"device": "auto", "on_disconnect": "continue", "method": "refine", "budget": 120.0}
    assert "1:05 min left" in found["state"]
    assert found["apply"] == {"feather": 3.0, "blend": "none", "whole": False, "fill": "draft"}
    assert found["regions"] == {"operation": "mirror", "axis": "vertical"}
    assert found["swatches"] == 12
    (first, share), (second, none) = found["trainings"]
    assert first.startswith("Bild: Training · on the processor · 1:05 min left")
    assert (share, none) == (40, 0)
    assert second == "Haus am See: Waiting for another training."
    assert found["trainings_left"] == ["b"]
    assert found["edits"] == [2, "Thing 2 removed", [False, True]]
    assert found["speed"] == "Updated in 0.4 s"
    assert found["speed_parts"].startswith("Milliseconds: look ")
    uses = {use: (text, body) for use, text, body in found["uses"]}
    assert list(uses) == ["harmonize", "blend", "repaint", "vary", "resize", "animate", "enlarge", "between"]
    assert len({text for text, _ in uses.values()}) == 8
    assert uses["harmonize"][1] == {"task": "harmonize", "seed": 0, "light": 0.35}
    assert uses["vary"][1] == {"task": "vary", "seed": 0, "count": 4, "freedom": 0.3}
    assert uses["repaint"][1] == {"task": "repaint", "seed": 0, "freedom": 0.3}
    assert uses["resize"][1] == {"task": "resize", "seed": 0, "width": 96, "height": 48}
    assert uses["enlarge"][1] == {"task": "enlarge", "seed": 0, "width": 128, "height": 96}
    assert uses["animate"][1] == {"task": "animate", "seed": 0, "frames": 32, "freedom": 0.3}
    assert uses["between"][1] == {"seed": 0, "freedom": 0, "scales": "all", "at": [0.5]}
    assert found["as_made"] == [True, True]
    text, no_button, no_start = found["missing"]
    assert "underdrawing meta train FOLDER --name NAME" in text
    assert no_button
    assert no_start
    buttons, counts, pictures, makers = zip(*found["between"], strict=True)
    assert len(set(buttons)) == 3
    assert counts == (7, 7, 24)
    assert set(pictures) == {"gestern am See.jpg (file)"}
    assert set(makers) == {"f"}
    assert (found["way"]["at"][0], found["way"]["at"][-1], len(found["way"]["at"])) == (0, 1, 24)
    assert "100 %" in found["told"]
    maker, times, fine_tune, budget, note = found["at_once"]
    assert maker == "f"
    assert times[0] == "Not at all"
    assert not fine_tune
    assert budget is None
    assert "Fine-tuning" in note
    assert found["refined"] == 60
    assert found["devices"] == [
        [1, False],  # nothing is trained
        [["Automatic", "Processor", "Graphics card"], True, "cuda", "cuda"],
        [["Automatic", "Processor"], True, "auto", "auto"],  # the one that was chosen is there no more
    ]
    assert found["enlarged"] == ["", 0], "a time of refining is none of training"
    assert found["gone"] == [True, "", True], "without the folder's model all is as before"
    assert found["originals"] == ["What lies below", "Background"]
    assert "1:05 min left" in found["going"][0]
    assert found["going"][1:] == [400, "Pause"]
    assert ["continues" in text for text in found["meanwhile"]] == [True, False], "only a training outlives Krita"
    assert found["line"] == "More · 40 %"
    assert found["tips"] == [], "buttons without a tooltip"
    assert found["narrow"] <= 260
    assert found["again"]
    for name in ("2-make", "4-training", "6-edit"):
        assert (shots / f"{name}.png").stat().st_size > 2000
