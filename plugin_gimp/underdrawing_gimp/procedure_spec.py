"""What a procedure is, as data: its name, its place in the menu, what goes in and what comes out."""

from __future__ import annotations

from dataclasses import dataclass

from .arguments import Argument

MENU = "<Image>/Filters/Underdrawing"
REGIONS_MENU = MENU + "/Re_gion"


@dataclass(frozen=True)
class Entry:
    """One procedure.

    Attributes:
        name: for scripts.
        label: in the menu; one with an ellipsis opens a window.
        blurb: one sentence.
        help: more of them.
        run: "module:function" of this package, called with a `Call` (see plugin.py).
        arguments, returns: what goes in and comes out.
        image: it works on a picture (scripts give image and drawables first); else it needs none.
        menu: where it stands. GIMP sorts each menu by its letters: numbers put a person's way first.
    """

    name: str
    label: str
    blurb: str
    help: str
    run: str
    arguments: tuple[Argument, ...] = ()
    returns: tuple[Argument, ...] = ()
    image: bool = True
    menu: str = MENU


NOTES = Argument("string", "notes", "Notes", "Sentences for the user, one a line.")
