"""The procedures about things of the picture and the list of edits: names, menu entries, arguments, return values."""

from __future__ import annotations

from .arguments import Argument
from .procedure_spec import NOTES, Entry

THING_RETURNS = (Argument("layer", "layer", "Layer", "The lifted layer, or the result; none for a selection."), NOTES)
PICK = Entry(
    "underdrawing-pick",
    "1. _Pick and Lift…",
    "Click a thing in the picture: it becomes a layer of its own, the selection, or is removed.",
    "Move, scale, rotate or warp the lifted layer with GIMP's own tools, copy or delete it, then apply the edit: the "
    "place that it was taken from is filled. The picture's layer stays as it is.",
    "pick:run",
    (
        Argument("int", "x", "_X (pixels)", "Where the thing is, in the image.", 0, -100000, 1000000),
        Argument("int", "y", "_Y (pixels)", "Where the thing is, in the image.", 0, -100000, 1000000),
        Argument("int", "size", "_Size", "Steps to what is bigger (1, 2, …) or smaller (-1, -2, …).", 0, -16, 16),
        Argument(
            "choice",
            "action",
            "_Action",
            "What becomes of the thing.",
            "lift",
            choices=(("lift", "Lift"), ("select", "Select"), ("remove", "Remove")),
        ),
    ),
    THING_RETURNS,
)
LIFT_SELECTION = Entry(
    "underdrawing-lift-selection",
    "_Lift Selection",
    "What is selected, roughly or exactly, becomes a layer of its own, with soft borders.",
    PICK.help,
    "pick:run_selection",
    (),
    THING_RETURNS,
)

EDITS = Entry(
    "underdrawing-edits",
    "E_dits…",
    "List what was painted, lifted and removed, and take single edits back.",
    "The others stay, and the picture follows. One undo step.",
    "edits:run",
    (Argument("int", "take-back", "_Take back", "The number of the edit to take back; 0: list them.", 0, 0, 1000),),
    (
        Argument("string", "titles", "Titles", "The edits that are left, a line each."),
        Argument("layer", "layer", "Layer", "The new result; none where nothing was taken back, or nothing is edited."),
        NOTES,
    ),
)

THINGS: tuple[Entry, ...] = (PICK, LIFT_SELECTION, EDITS)
