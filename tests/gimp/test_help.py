"""Help opens our page, which lies in the plug-in and is what docs/gimp.md says."""

from __future__ import annotations

import importlib.util
import re
from types import ModuleType

from .conftest import ROOT, Host


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


def test_every_entry_has_help(gimp: Host) -> None:
    told = gimp.case("""
names = Gimp.get_pdb().query_procedures("^underdrawing-", *[""] * 7)
tell(ids={name: Gimp.get_pdb().lookup_procedure(name).get_help_id() for name in names})
""")
    listed = re.findall(r'help-item id="([^"]+)"', _make_help().made()["gimp-help.xml"])
    assert sorted(told["ids"].values()) == sorted(listed)
    registered = (gimp.profile / "pluginrc").read_text(encoding="utf-8")
    place = re.search(r'\(help-def "underdrawing" "file://([^"]+)"\)', registered)
    assert place is not None, "GIMP does not know our pages"
    assert place[1].endswith("underdrawing_gimp/help")
