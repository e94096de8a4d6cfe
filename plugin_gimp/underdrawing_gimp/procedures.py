"""All procedures: names, menu entries, arguments, return values. What they do is in the module of that name."""

from __future__ import annotations

from .arguments import Argument
from .device_choice import DEVICE
from .procedure_spec import NOTES, REGIONS_MENU, Entry
from .single_image_procedures import SINGLE
from .thing_procedures import THINGS

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
DETAIL = Argument("double", "detail", "O_utlines (%)", "Few outlines (0) or many (100).", 50.0, 0, 100)
COLOURS = Argument("int", "colours", "Colours of _paint", "How many colours flat paint has.", 8, 2, 64)
SOFT = Argument("boolean", "soft", "So_ft outlines (HED)", "Outlines by a network, where it is installed.", False)
KNOWN = Argument(
    "boolean",
    "known",
    "_Take the underdrawing of a model that knows this picture",
    "Where the library has a model of exactly this picture, its underdrawing is taken and no training is needed.",
    True,
)
CONVERT = Argument(
    "boolean",
    "convert",
    "_Convert to RGB",
    "Make grey and indexed pictures ones in RGB, where their underdrawing needs colours. A person is asked.",
    False,
)
CHANGED = Argument(
    "choice",
    "changed",
    "_Changed picture",
    "What to do where the picture was cropped, scaled or rotated since its training, and it cannot be seen how. "
    "A person is asked.",
    "refuse",
    choices=(("refuse", "Fail with a message"), ("use", "Use the model all the same")),
)

MAKE = Entry(
    "underdrawing-make",
    "2. _Make Underdrawing…",
    "Draw the underdrawing of the selected layer: its areas, its outlines, or flat paint.",
    "Puts a group of layers above the selected layer, to be painted on with any tool. With a selection, the "
    "underdrawing covers its bounding box.",
    "make_primitive_dialog:run",
    (KIND, REGIONS, DETAIL, COLOURS, SOFT, KNOWN, CONVERT),
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

TRAIN = Entry(
    "underdrawing-train",
    "_Train on This Picture…",
    "Train a model on the picture with its underdrawing as it was made, for better results.",
    "The engine trains in the background; closing the window or GIMP does not stop it. For scripts: waits for the end "
    "unless wait is false.",
    "training_procedure:run",
    (
        Argument("string", "method", "_Method", "The name of a method, or nothing for the default.", ""),
        Argument("string", "recipe", "_Recipe", "The method's settings, or nothing for its default.", ""),
        Argument("double", "budget", "_Seconds", "Training time; 0 for the recipe's own.", 0.0, 0, 604800),
        DEVICE,
        Argument("string", "model-name", "_Name", "What the model is called, or nothing for the picture's name.", ""),
        Argument("boolean", "again", "Train _again", "Also when a model is trained on this picture already.", False),
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
    Argument("string", "unseen", "Unseen colours", "Colours that the model was not trained on; the nearest are used."),
    NOTES,
)
APPLY = Entry(
    "underdrawing-apply",
    "3. _Apply Edit",
    "Let the picture follow what was painted on the underdrawing.",
    "One new layer holds the pixels, its mask the soft border; applying again replaces it. A selection limits it.",
    "apply_dialog:run",
    (CHANGED,),
    APPLY_RETURNS,
)
APPLY_OPTIONS = Entry(
    "underdrawing-apply-options",
    "Apply Edit with _Options…",
    "Let the picture follow, with options for mask, border, blending, fill and number of results.",
    APPLY.help,
    "apply_dialog:run_options",
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
        Argument(
            "int",
            "grow",
            "_Grow by (pixels)",
            "Widen what was painted, and no more; -1: as the engine sees fit.",
            -1,
            -1,
            1000,
        ),
        Argument("double", "feather", "_Feather (pixels)", "Width of the soft border.", 3.0, 0, 1000),
        Argument(
            "boolean", "poisson", "Bl_end with the surroundings", "The border takes the picture's colours.", False
        ),
        Argument(
            "choice",
            "fill",
            "_Uncovered ground",
            "What fills it.",
            "draft",
            choices=(("draft", "From the picture"), ("lama", "LaMa, where installed")),
        ),
        Argument("boolean", "whole", "_Whole picture", "Everything new, not the edit alone.", False),
        Argument("int", "results", "Resul_ts", "How many; with another seed each.", 1, 1, 8),
        Argument("int", "seed", "See_d", "Another number, another result.", 0, 0, 2**31 - 1),
        Argument("boolean", "keep", "_Keep earlier results", "Leave their layers, hidden.", False),
        Argument("boolean", "hide", "H_ide the underdrawing", "So that the result is seen.", True),
        Argument(
            "boolean", "baked", "Also a baked cop_y", "A copy of the picture's layer with the result in it.", False
        ),
        CHANGED,
    ),
    APPLY_RETURNS,
)

DX = Argument(
    "int", "dx", "To the ri_ght (pixels)", "How far to the right; negative: to the left.", 20, -100000, 100000
)
DY = Argument("int", "dy", "_Down (pixels)", "How far down; negative: up.", 0, -100000, 100000)
PERCENT = Argument("double", "width", "_Width (%)", "100 leaves it as it is.", 120.0, 1, 1000)
AXIS = Argument(
    "choice",
    "axis",
    "_Exchange",
    "What changes places.",
    "horizontal",
    choices=(("horizontal", "Left and right"), ("vertical", "Top and bottom")),
)


def _region(operation: str, label: str, blurb: str, *arguments: Argument) -> Entry:
    more = "The selection says which region. Where it was, the ground around it goes on. One undo step."
    return Entry("underdrawing-" + operation, label, blurb, more, "regions:run", arguments, (NOTES,), menu=REGIONS_MENU)


REGION_TOOLS = (
    _region("move", "Mo_ve Region…", "Move the selected region of the underdrawing.", DX, DY),
    _region(
        "scale",
        "_Scale Region…",
        "Make the selected region of the underdrawing larger or smaller.",
        PERCENT,
        Argument("double", "height", "Hei_ght (%)", "100 leaves it as it is.", 120.0, 1, 1000),
    ),
    _region("mirror", "M_irror Region…", "Mirror the selected region of the underdrawing.", AXIS),
    _region("copy", "_Copy Region…", "Repeat the selected region of the underdrawing elsewhere.", DX, DY),
    _region("remove", "_Remove Region", "Take the selected region of the underdrawing away."),
)

SWITCH = Entry(
    "underdrawing-switch",
    "Switch between Underdrawing and Result",
    "Show the underdrawing, ready to be painted on; or hide it, to see the result.",
    "One undo step. Give it a shortcut key in Edit > Keyboard Shortcuts.",
    "switch_view:run",
    (),
    (Argument("boolean", "underdrawing", "Underdrawing", "Whether the underdrawing is visible now."),),
)

LIVE = Entry(
    "underdrawing-live",
    "Li_ve Underdrawing…",
    "A window that follows the painting: the picture becomes what the underdrawing says, stroke by stroke.",
    "The result is a layer of its own, refreshed without steps in the undo history. For scripts: refreshes once.",
    "live:run",
    returns=(
        Argument("int", "count", "Count", "How many times the result was refreshed."),
        Argument("int", "milliseconds", "Milliseconds", "How long the last time took."),
    ),
)

LAYOUT = Entry(
    "underdrawing-layout",
    "La_yout of Another Picture…",
    "Lay the underdrawing out as another picture is.",
    "The other picture is scaled to cover this one, and segmented in the colours of this one's areas.",
    "layout:run",
    (
        Argument("image", "other", "_Picture", "An open picture, or none."),
        Argument("file", "file", "_File", "A file with a picture, or none."),
        Argument("int", "areas", "_Areas", "Tell which parts it has, at most so many; 0 tells nothing.", 0, 0, 64),
        Argument("string", "match", "_Match", "Lines number=area: what parts are to be instead of what was found.", ""),
    ),
    (NOTES,),
)

ANIMATE = Entry(
    "underdrawing-animate",
    "A_nimate Underdrawing…",
    "Turn a group of frames into painted frames.",
    "The layers of the selected group are the frames, the lowest first. The results come in a group of their own.",
    "animate:run",
    (
        Argument(
            "choice",
            "frames",
            "_Frames are",
            "What the layers of the group hold.",
            "underdrawings",
            choices=(("underdrawings", "Underdrawings"), ("photographs", "Photographs")),
        ),
        Argument(
            "choice",
            "plane",
            "La_yers are",
            "What single layers stand for, where frames are underdrawings; groups differ by names.",
            "segments",
            choices=(("segments", "Segments"), ("edges", "Edges"), ("paint", "Paint")),
        ),
        Argument("int", "seed", "See_d", "Another number, another result; the same for all frames.", 0, 0, 2**31 - 1),
    ),
    (
        Argument("layer", "group", "Group", "The group with the results."),
        Argument("int", "count", "Count", "How many frames there are."),
        NOTES,
    ),
)

RUN_MODE = Argument("run-mode", "run-mode", "Run mode", "Interactive, or not.")
ANSWER = Argument("string", "answer", "Answer", "What the engine says, as JSON.")
ENGINE_ACTIONS = ("status", "models", "rename", "delete", "export", "import", "free", "stop", "diagnostics")
ENGINE = Entry(
    "underdrawing-engine",
    "_Engine and Models…",
    "See what the engine does, and look after models.",
    "For scripts: does one thing and answers in JSON.",
    "models:run",
    (
        RUN_MODE,
        Argument(
            "choice",
            "action",
            "Action",
            "What to do.",
            "status",
            choices=tuple((name, name.capitalize()) for name in ENGINE_ACTIONS),
        ),
        Argument("string", "model", "Model", "Id or name, where it is about one.", ""),
        Argument("string", "new-name", "New name", "For rename.", ""),
        Argument("file", "file", "File", "For export and import.", "ANY"),
    ),
    (ANSWER,),
    image=False,
)

TRAINING_ACTIONS = ("list", "state", "wait", "pause", "resume", "cancel")
TRAINING = Entry(
    "underdrawing-training",
    "",
    "Look after a training, for scripts.",
    "The window of Train on This Picture does the same for a person.",
    "models:run_training",
    (
        RUN_MODE,
        Argument(
            "choice",
            "action",
            "Action",
            "What to do.",
            "list",
            choices=tuple((name, name.capitalize()) for name in TRAINING_ACTIONS),
        ),
        Argument("string", "job", "Training", "Its id, or its model's.", ""),
    ),
    (ANSWER,),
    image=False,
)

ENTRIES: tuple[Entry, ...] = (
    *THINGS,
    MAKE,
    USE_LAYERS,
    TRAIN,
    APPLY,
    APPLY_OPTIONS,
    *REGION_TOOLS,
    SWITCH,
    LIVE,
    LAYOUT,
    ANIMATE,
    *SINGLE,
    ENGINE,
    TRAINING,
)
