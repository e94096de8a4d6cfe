"""The menu, its help, and what the document says of every procedure."""

from __future__ import annotations

import re

from .conftest import ROOT, Host

MENU = [
    "pick",
    "lift-selection",
    "edits",
    "make",
    "use-layers",
    "train",
    "apply",
    "apply-options",
    "move",
    "scale",
    "mirror",
    "copy",
    "remove",
    "switch",
    "live",
    "layout",
    "animate",
    "harmonize",
    "blend",
    "repaint",
    "vary",
    "resize",
    "animate-picture",
    "enlarge",
    "between",
    "engine",
]
MENUS = ["", "/Re_gion", "/_Without an Underdrawing"]


def test_every_entry_is_in_the_menu_and_says_what_it_does(gimp: Host) -> None:
    told = gimp.case(
        """
found = {}
for name in GIVEN["names"]:
    procedure = Gimp.get_pdb().lookup_procedure("underdrawing-" + name)
    found[name] = procedure and [procedure.get_menu_paths(), procedure.get_menu_label(), procedure.get_blurb(),
        int(procedure.get_sensitivity_mask()) if isinstance(procedure, Gimp.ImageProcedure) else 31]
tell(found=found, training=Gimp.get_pdb().procedure_exists("underdrawing-training"),
     help={name: Gimp.get_pdb().lookup_procedure("underdrawing-" + name).get_help_id() for name in GIVEN["names"]})
""",
        names=MENU,
    )
    assert all(told["found"].values())
    assert told["training"]
    assert told["help"] == {name: f"underdrawing?underdrawing-{name}" for name in MENU}, "domain and page"
    registered = (gimp.profile / "pluginrc").read_text(encoding="utf-8", errors="replace")  # it holds icons, too
    assert re.search(r'\(help-def "underdrawing" "file://[^"]+/underdrawing_gimp/help"\)', registered)
    for paths, label, blurb, sensitive in told["found"].values():
        assert paths in [["<Image>/Filters/Underdrawing" + menu] for menu in MENUS]
        assert label
        assert len(blurb) > 20
        assert sensitive == 31, "an entry that cannot be chosen tells nobody why"
    labels = [entry[1].replace("_", "") for entry in told["found"].values()]
    assert len(set(labels)) == len(labels)


def test_the_document_lists_every_procedure_with_its_arguments(gimp: Host) -> None:
    told = gimp.case(
        """
found = {}
for name in GIVEN["names"]:
    procedure = Gimp.get_pdb().lookup_procedure("underdrawing-" + name)
    found["underdrawing-" + name] = [[one.name for one in procedure.get_arguments()],
                                     [one.name for one in procedure.get_return_values()]]
tell(found=found)
""",
        names=[*MENU, "training"],
    )
    text = (ROOT / "docs" / "gimp.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(underdrawing-[a-z-]+)` \| (.*) \| (.*) \|$", text, re.MULTILINE)
    shown = {}
    for name, arguments, returns in rows:
        names = [re.match(r"[a-z-]+", one.strip()) for one in arguments.split(";") if one != "none"]
        shown[name] = [[found[0] for found in names if found], returns.split(", ")]
    common = ("run-mode", "image", "drawables")
    found = {name: [[one for one in one_in if one not in common], out] for name, (one_in, out) in told["found"].items()}
    assert shown == found
