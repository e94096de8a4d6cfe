"""All procedures: names, menu entries, arguments, return values. What they do is in the module of that name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Tuple

from .arguments import Argument

MENU = "<Image>/Filters/Underdrawing"


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
        section: entries of one section stand together in the menu.
    """

    name: str
    label: str
    blurb: str
    help: str
    run: str
    arguments: Tuple[Argument, ...] = ()
    returns: Tuple[Argument, ...] = ()
    image: bool = True


NOTES = Argument("string", "notes", "Notes", "Sentences for the user, one a line.")
KIND = Argument(
    "choice",
    "kind",
    "_Kind",
    "What is drawn: areas, outlines, both, or the picture in a few flat colours.",
    "both",
    choices=(
        ("both", "Segments and edges"),
        ("segments", "Segments: flat areas"),
        ("edges", "Edges: outlines"),
        ("paint", "Flat paint: a few colours"),
    ),
)
REGIONS = Argument("int", "regions", "_Areas", "How many different areas segments have.", 12, 2, 64)
DETAIL = Argument("double", "detail", "_Outlines (%)", "Few outlines (0) or many (100).", 50.0, 0, 100)
COLOURS = Argument("int", "colours", "_Colours of paint", "How many colours flat paint has.", 8, 2, 64)
SOFT = Argument("boolean", "soft", "S_oft outlines (HED)", "Outlines by a network, where it is installed.", False)
KNOWN = Argument(
    "boolean",
    "known",
    "Take the underdrawing of a model that knows this picture",
    "Where the library has a model of exactly this picture, its underdrawing is taken and nothing needs to be learnt.",
    True,
)

MAKE = Entry(
    "underdrawing-make",
    "_Make Underdrawing…",
    "Draw the underdrawing of the selected layer: its areas, its outlines, or flat paint.",
    "Puts a group of layers above the selected layer, to be painted on with any tool. With a selection, the underdrawing "
    "covers its bounding box.",
    "making_window:run",
    (KIND, REGIONS, DETAIL, COLOURS, SOFT, KNOWN),
    (
        Argument("layer", "group", "Group", "The group that holds the layers of the underdrawing."),
        Argument("string", "palette", "Palette", "The name of the palette with the colours of the areas, or nothing."),
        Argument("string", "model", "Model", "The id of the model whose underdrawing was taken, or nothing."),
        NOTES,
    ),
)

USE_LAYERS = Entry(
    "underdrawing-use-layers",
    "_Use These Layers as Underdrawing…",
    "Take layers that you drew as the underdrawing of the selected layer.",
    "Segments are flat areas, edges dark lines on white, paint is free. The layers stay as they are.",
    "using_layers:run",
    (
        Argument("layer", "segments", "_Segments", "The layer with flat areas, or none."),
        Argument("layer", "edges", "_Edges", "The layer with dark lines on white, or none."),
        Argument("layer", "paint", "_Paint", "The layer with free paint, or none."),
    ),
    (NOTES,),
)

METHODS = (("", "Automatic"), ("draft", "Draft: an answer at once"), ("deepsim", "DeepSIM: learns the picture"))

LEARN = Entry(
    "underdrawing-learn",
    "_Learn This Picture…",
    "Learn the picture with its underdrawing, so that edits can be applied.",
    "The engine learns in the background; closing the window or GIMP does not stop it. For scripts: waits for the end "
    "unless wait is false.",
    "learning_window:run",
    (
        Argument("string", "method", "_Method", "How to learn: the name of a method, or nothing for the default.", ""),
        Argument("string", "recipe", "_Recipe", "The method's settings, or nothing for its default.", ""),
        Argument("double", "budget", "_Seconds", "How long to learn; 0 for the recipe's own time.", 0.0, 0, 604800),
        Argument(
            "choice",
            "device",
            "_Device",
            "What learns.",
            "auto",
            choices=(("auto", "Automatic"), ("cpu", "Processor"), ("cuda", "Graphics card")),
        ),
        Argument("string", "model-name", "_Name", "What the model is called, or nothing for the picture's name.", ""),
        Argument("boolean", "again", "Learn _again", "Also when a model knows this picture already.", False),
        Argument("boolean", "wait", "_Wait", "Wait for the end (scripts).", True),
    ),
    (
        Argument("string", "model", "Model", "The id of the model."),
        Argument("string", "job", "Training", "The id of the training, or nothing where none was needed."),
        Argument("string", "state", "State", "done, paused, cancelled; or what the training did last."),
        NOTES,
    ),
)

APPLY_RETURNS = (
    Argument("layer", "layer", "Layer", "The new layer; of several results, the one that is shown."),
    Argument("int", "count", "Count", "How many layers are new."),
    Argument("string", "unseen", "Unseen colours", "Colours that the model never saw, one a line; the nearest were taken."),
    NOTES,
)
APPLY = Entry(
    "underdrawing-apply",
    "_Apply Edit",
    "Let the picture follow what was painted on the underdrawing.",
    "One new layer holds the pixels, its mask the soft border. Applying again replaces it. A selection limits the edit.",
    "applying_window:run",
    returns=APPLY_RETURNS,
)
APPLY_OPTIONS = Entry(
    "underdrawing-apply-options",
    "Apply Edit with _Options…",
    "Let the picture follow, with a say in mask, border, blending and number of results.",
    APPLY.help,
    "applying_window:run_options",
    (
        Argument(
            "choice",
            "mask",
            "_Mask",
            "What may change.",
            "edit",
            choices=(
                ("edit", "What was painted, inside the selection"),
                ("selection", "The selection alone"),
                ("both", "What was painted, and the selection"),
            ),
        ),
        Argument("int", "grow", "_Grow by (pixels)", "Widen what was painted; -1: as the engine sees fit.", -1, -1, 1000),
        Argument("double", "feather", "_Feather (pixels)", "Width of the soft border.", 3.0, 0, 1000),
        Argument("boolean", "poisson", "_Blend with the surroundings", "The border takes the picture's colours.", False),
        Argument("boolean", "whole", "_Whole picture", "Everything new, not the edit alone.", False),
        Argument("int", "results", "_Results", "How many; of use where the method takes chance.", 1, 1, 8),
        Argument("int", "seed", "_Seed", "Chooses the chance.", 0, 0, 2**31 - 1),
        Argument("boolean", "keep", "_Keep earlier results", "Leave their layers, hidden.", False),
        Argument("boolean", "hide", "_Hide the underdrawing", "So that the result is seen.", True),
        Argument("boolean", "baked", "Also a _baked copy", "A copy of the picture's layer with the result in it.", False),
    ),
    APPLY_RETURNS,
)

ENTRIES: Tuple[Entry, ...] = (MAKE, USE_LAYERS, LEARN, APPLY, APPLY_OPTIONS)

Runner = Callable[..., Tuple[object, ...]]
