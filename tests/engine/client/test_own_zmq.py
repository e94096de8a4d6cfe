"""A pyzmq that lies beside the plug-in's copy of `link`, and programs in sandboxes, which can start nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import underdrawing.client
from underdrawing.client import endpoint
from underdrawing.client.engine import Engine
from underdrawing.client.messages import EngineError

CLIENT = Path(underdrawing.client.__file__).parent
ASK = """
import sys
sys.path[:0] = sys.argv[1:]
from plug.client.transport import zmq_available
told = zmq_available()
print(told, sys.modules["zmq"].__file__ if told else "")
"""


def ask(tmp_path: Path, *before: Path) -> str:
    """Whether a Python without any site-packages finds zmq, and where."""
    folders = [str(folder) for folder in (*before, tmp_path)]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ASK, *folders], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    return done.stdout.strip()


def test_what_lies_beside_the_plug_in_is_found_after_what_the_host_has(tmp_path: Path) -> None:
    import zmq

    shutil.copytree(CLIENT, tmp_path / "plug" / "client")
    # A folder of that name that is no package, as an uninstalled one can leave it.
    empty = tmp_path / "empty"
    (empty / "zmq").mkdir(parents=True)
    assert ask(tmp_path) == "False"
    assert ask(tmp_path, empty) == "False"
    own = tmp_path / "plug" / "pyzmq"
    site = Path(zmq.__file__).parents[1]
    for place in (site / "zmq", *site.glob("pyzmq.libs")):
        shutil.copytree(place, own / place.name, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    assert ask(tmp_path) == f"True {own / 'zmq' / '__init__.py'}"
    assert ask(tmp_path, empty) == f"True {own / 'zmq' / '__init__.py'}"
    assert ask(tmp_path, site) == f"True {site / 'zmq' / '__init__.py'}"


@pytest.mark.parametrize(
    ("variables", "kind"),
    [({"FLATPAK_ID": "org.kde.krita"}, "Flatpak"), ({"SNAP_NAME": "gimp"}, "Snap"), ({"SNAP_NAME": "code"}, "")],
)
def test_a_sandbox_is_known(variables: dict[str, str], kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FLATPAK_ID", "SNAP_NAME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert endpoint.sandbox() == kind


def test_in_a_sandbox_nothing_is_started_and_the_way_out_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLATPAK_ID", "org.kde.krita")
    with pytest.raises(EngineError) as caught:
        Engine.connect(home=home, timeout=5)
    assert caught.value.code == "not_startable"
    assert "a Flatpak cannot start it" in caught.value.message
    assert "--service" in caught.value.hint
    with pytest.raises(EngineError, match="Without pyzmq the engine is reached over a program"):
        endpoint.engine_python(home)
