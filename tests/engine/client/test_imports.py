"""What is copied into the plug-ins: the standard library and zmq alone, in the syntax of old Pythons."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import underdrawing.client

CLIENT = Path(underdrawing.client.__file__).parent
FILES = sorted(CLIENT.glob("*.py"))

# Run from a folder that holds a copy under another name, as in the plug-ins.
LOAD = """
import importlib, json, sys
forbid = sys.argv[1].split()
class Hook:
    asked = set()
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        Hook.asked.add(top)
        if top in forbid:
            raise ImportError(f"{name} is not to be had here")
sys.meta_path.insert(0, Hook())
for name in sys.argv[2].split():
    importlib.import_module("copied." + name)
from copied.engine import Engine
from copied.transport import zmq_available
print(json.dumps({"loaded": sorted({n.partition(".")[0] for n in sys.modules}), "asked": sorted(Hook.asked),
                  "zmq": zmq_available()}))
"""


def load(tmp_path: Path, forbid: str = "") -> dict[str, list[str]]:
    """Load a copy of the folder in a fresh Python; what it loaded."""
    (tmp_path / "copied").symlink_to(CLIENT)
    names = " ".join(path.stem for path in FILES if path.stem != "__init__")
    done = subprocess.run(
        [sys.executable, "-c", LOAD, forbid, names], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_there_are_files() -> None:
    assert {"engine", "session", "discovery", "transport", "bridge", "messages", "frames"} <= {
        path.stem for path in FILES
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_syntax_is_that_of_python_3_9(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
    # Annotations are not evaluated, but what is assigned is: `X | Y` between types needs 3.10.
    assert (
        any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body)
        or path.stem == "__init__"
    )
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Match)
        if isinstance(node, ast.Call):
            words = {keyword.arg for keyword in node.keywords}
            named = getattr(node.func, "id", getattr(node.func, "attr", ""))
            assert not (named == "zip" and "strict" in words), "3.10"
            assert not (named == "dataclass" and words & {"slots", "kw_only"}), "3.10"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_only_the_standard_library_and_zmq_are_imported(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            tops = [alias.name.partition(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level < 2, "the folder is copied without what is around it"
            tops = [] if node.level else [str(node.module).partition(".")[0]]
        else:
            continue
        assert set(tops) <= sys.stdlib_module_names | {"zmq"}


def test_a_copy_loads_nothing_else(tmp_path: Path) -> None:
    found = load(tmp_path)
    own = {"copied", "__main__", "__mp_main__"}
    foreign = {name for name in found["loaded"] if not name.startswith("_")} - sys.stdlib_module_names - own
    # pyzmq itself loads what it finds of these; an interpreter's own start may name its site-packages' helpers.
    assert foreign <= {"zmq", "sitecustomize", "usercustomize", "distutils-precedence", "cython_runtime", "gevent"}
    assert not {"underdrawing", "numpy", "cv2", "torch"} & set(found["loaded"])


def test_a_copy_loads_where_there_is_no_zmq(tmp_path: Path) -> None:
    """Krita and some GIMPs: the client is there, and takes the bridge."""
    found = load(tmp_path, "zmq numpy")
    assert not found["zmq"] and "zmq" not in found["loaded"]
    assert "numpy" not in found["asked"]
