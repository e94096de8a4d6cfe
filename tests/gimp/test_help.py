"""Help opens our page, which lies in the plug-in and is what docs/gimp.md says."""

from __future__ import annotations

import importlib.util
import re
from types import ModuleType

from .conftest import ROOT
from .test_menu import MENU


def _make_help() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_help", ROOT / "plugin_gimp" / "make_help.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_made_of_the_documentation() -> None:
    maker = _make_help()
    made = maker.made()
    kept = {path.name: path.read_text(encoding="utf-8") for path in maker.PLACE.iterdir()}
    assert kept == made, "run python plugin_gimp/make_help.py"
    page = made["gimp.html"]
    assert "<table>" in page
    for name, place in re.findall(r'href="(\w+\.html)?#([^"]+)"', page):
        assert f'id="{place}"' in made[name or "gimp.html"], place
    for place in re.findall(r'ref="gimp.html#([^"]+)"', made["gimp-help.xml"]):
        assert f'id="{place}"' in page, place


def test_every_entry_has_help() -> None:
    listed = re.findall(r'help-item id="underdrawing-([^"]+)"', _make_help().made()["gimp-help.xml"])
    assert sorted(listed) == sorted([*MENU, "training"])
