"""The procedures of pictures that need no underdrawing: names, menu entries, arguments, return values."""

from __future__ import annotations

from dataclasses import replace

from .arguments import Argument
from .client import labels
from .device_choice import DEVICE
from .procedure_spec import MENU, NOTES, Entry

SINGLE_MENU = MENU + "/_Without an Underdrawing"
MOST_SIDE = 16384  # pixels of a side that the engine makes

TIME = Argument(
    "choice",
    "time",
    "_Training time",
    "How long to train, where there is no model yet. More time gives better results.",
    "auto",
    choices=(
        ("auto", "As long as it needs"),
        ("30", "30 seconds: a first impression"),
        ("60", "1 minute"),
        ("300", "5 minutes"),
        ("900", "15 minutes"),
        ("3600", "1 hour"),
    ),
)
ITERATIONS = Argument(
    "int", "iterations", "_Iterations", "Train for so many iterations instead (scripts); 0: by time.", 0, 0, 10**6
)
AGAIN = Argument(
    "boolean",
    "again",
    "Trai_n again",
    "Also where there is a model: for more time than before, or after large changes.",
    False,
)
MAKER = Argument(
    "string",
    "maker",
    "Start w_ith",
    "A folder's model, by name or id, that makes the model of this picture at once; empty: a model is trained.",
    "",
)
SEED = Argument("int", "seed", "See_d", "Another number, another result.", 0, 0, 2**31 - 1)
GROW = Argument(
    "int", "grow", "_Grow by (pixels)", "Widen the mask, so that edges can settle; -1: what suits.", -1, -1, 1000
)
FEATHER = Argument(
    "double", "feather", "Soft _border (pixels)", "Its width, inside of the widened mask; -1: what suits.", -1, -1, 1000
)
ORIGINAL = Argument("layer", "original", "_Original", "The layer with the picture before the edit; or none.")
FREEDOM = Argument(
    "double",
    "freedom",
    "_Freedom (%)",
    "0: faithful to the picture; 100: as free as can be.",
    100 * labels.FREEDOM,
    0,
    100,
)
HINTS = Argument(
    "double",
    "freedom",
    "_Freedom (%)",
    "0: the painting's forms are kept; 100: they are hints.",
    100 * labels.FREEDOM,
    0,
    100,
)
LIGHT = Argument(
    "double",
    "light",
    "Li_ght (%)",
    "How much of the light and colour around it is taken on. 0: its own colours; 100: a white thing in a blue place "
    "turns blue.",
    100 * labels.LIGHT,
    0,
    100,
)
LARGE = Argument(
    "boolean",
    "large",
    "Train at _700 pixels",
    "For large pictures with fine brushwork: takes three times as long. Else training sees 250 pixels of the longer "
    "side, and finer detail is taken from the picture.",
    False,
)
NETWORK_PICTURE = Argument(
    "boolean",
    "network-picture",
    "Network's own pict_ure",
    "Show what the network makes, without the picture's brushwork over it. Results of published recipes always are.",
    False,
)
TRAINING = (TIME, DEVICE, ITERATIONS, AGAIN)
MAKING = (MAKER, *TRAINING)

MODEL = Argument("string", "model", "Model", "The id of the model that was used.")
PICTURE = Argument("image", "picture", "Picture", "The new picture; for scripts without a window.")
COUNT = Argument("int", "count", "Count", "How many layers are new.")
LAYER = Argument("layer", "layer", "Layer", "The new layer.")

HARMONIZE = Entry(
    "underdrawing-harmonize",
    "_Harmonize Pasted Layer…",
    "What was pasted onto a picture takes on its light, colours and brushwork.",
    "Select the pasted layer. A model is trained on what is visible below it, once for many pastes. The result is "
    "a new layer; the pasted one is hidden. A selection limits it.",
    "composite_tasks:harmonize",
    (
        Argument(
            "boolean",
            "fine-tune",
            "_Fine-tune on this composite",
            "Train for about a minute more, for this paste alone. For pastes that stay strange.",
            False,
        ),
        LIGHT,
        NETWORK_PICTURE,
        LARGE,
        *MAKING,
        GROW,
        FEATHER,
        SEED,
    ),
    (LAYER, MODEL, NOTES),
    menu=SINGLE_MENU,
)
BLEND = Entry(
    "underdrawing-blend",
    "_Blend Rough Edit…",
    "The seams and textures of a rough edit become natural: of what was moved, cloned or stretched.",
    "Select the edited layer. The original is what lies below it, another layer, or what a model was trained on "
    "before. Where the two differ, or what is selected, is made anew, on a new layer.",
    "composite_tasks:blend",
    (ORIGINAL, NETWORK_PICTURE, *MAKING, GROW, FEATHER, SEED),
    (LAYER, MODEL, NOTES),
    menu=SINGLE_MENU,
)
REPAINT = Entry(
    "underdrawing-repaint",
    "_Repaint Rough Painting…",
    "A rough painting becomes a picture of the same world as the one that lies below it.",
    "Select the layer with the painting. A model is trained on what is visible below it. The result is a new layer; "
    "the painting is hidden. A selection limits it.",
    "composite_tasks:repaint",
    (ORIGINAL, HINTS, NETWORK_PICTURE, *MAKING, GROW, FEATHER, SEED),
    (LAYER, MODEL, NOTES),
    menu=SINGLE_MENU,
)
VARY = Entry(
    "underdrawing-vary",
    "_Variations…",
    "Other pictures of the same kind, as layers.",
    "The model is trained on the picture as it is seen; with a selection, its bounding box alone.",
    "generate_tasks:vary",
    (Argument("int", "count", "Ho_w many", "How many pictures.", 4, 1, 16), FREEDOM, SEED, NETWORK_PICTURE, *MAKING),
    (Argument("layer", "group", "Group", "The group with the new layers."), COUNT, MODEL, NOTES),
    menu=SINGLE_MENU,
)
RESIZE = Entry(
    "underdrawing-resize",
    "Any _Size…",
    "The same scene in another size or shape, as a new picture: nothing in it is stretched.",
    "The model is trained on the picture as it is seen; with a selection, its bounding box alone.",
    "generate_tasks:resize",
    (
        Argument("int", "width", "_Width (pixels)", "Of the new picture; 0: as this one has.", 0, 0, MOST_SIDE),
        Argument("int", "height", "H_eight (pixels)", "Of the new picture; 0: as this one has.", 0, 0, MOST_SIDE),
        SEED,
        NETWORK_PICTURE,
        *MAKING,
    ),
    (PICTURE, MODEL, NOTES),
    menu=SINGLE_MENU,
)
CLIP = Entry(
    "underdrawing-animate-picture",
    "_Animate Picture…",
    "A short clip that ends where it begins, as the layers of a new picture.",
    "Export it as GIF with “As animation”. The model is trained on the picture as it is seen; with a selection, its "
    "bounding box alone.",
    "generate_tasks:animate",
    (
        Argument("int", "frames", "Fra_mes", "How many pictures; about 12 make a second.", 24, 2, 240),
        FREEDOM,
        SEED,
        NETWORK_PICTURE,
        *MAKING,
    ),
    (PICTURE, COUNT, MODEL, NOTES),
    menu=SINGLE_MENU,
)
ENLARGE = Entry(
    "underdrawing-enlarge",
    "_Enlarge…",
    "The picture with more pixels, as a new picture: fine detail is made after its own.",
    "The model is trained on the picture as it is seen; with a selection, its bounding box alone.",
    "generate_tasks:enlarge",
    (
        Argument("double", "times", "How man_y times larger", "Of width and height.", 2.0, 1.1, 8),
        NETWORK_PICTURE,
        *TRAINING,
    ),
    (PICTURE, MODEL, NOTES),
    menu=SINGLE_MENU,
)
BETWEEN = Entry(
    "underdrawing-between",
    "Between _Two Pictures…",
    "What lies between this picture and another one, as layers or a clip, by the model of a whole folder.",
    "The picture counts as it is seen; with a selection, its bounding box alone. The other one is scaled to cover it.",
    "interpolate:run",
    (
        Argument("string", "model", "Folder's mod_el", "By name or id; empty: the newest.", ""),
        Argument("image", "other", "_Other picture", "An open picture, or none."),
        Argument("file", "file", "F_ile", "A file with a picture, or none."),
        Argument("double", "at", "Wa_y (%)", "Where on the way: 0 is this picture, 100 the other one.", 50.0, 0, 100),
        Argument(
            "choice",
            "scales",
            "_What changes",
            "Large forms are where things are; fine texture is what they look like from nearby.",
            "all",
            choices=(
                ("all", "Everything"),
                ("coarse", "Large forms"),
                ("middle", "Middle forms"),
                ("fine", "Fine texture"),
            ),
        ),
        Argument(
            "choice",
            "as",
            "Ma_ke",
            "What comes of it. A clip is a new picture whose layers are the frames.",
            "layer",
            choices=(
                ("layer", "This place, as a layer"),
                ("layers", "The whole way, as layers"),
                ("clip", "The whole way, as a clip"),
            ),
        ),
        Argument(
            "int",
            "count",
            "How m_any",
            "Pictures on the whole way, both ends included; 0: 7 layers, 24 frames.",
            0,
            0,
            240,
        ),
        replace(FREEDOM, default=0.0, blurb="0: the two pictures themselves; 100: others like them."),
        SEED,
        NETWORK_PICTURE,
    ),
    (
        Argument("layer", "group", "Group", "The new layer, or the group with the new layers; none for a clip."),
        replace(PICTURE, blurb="The new picture of a clip, or none."),
        replace(COUNT, blurb="How many pictures were made."),
        MODEL,
        NOTES,
    ),
    menu=SINGLE_MENU,
)

SINGLE: tuple[Entry, ...] = (HARMONIZE, BLEND, REPAINT, VARY, RESIZE, CLIP, ENLARGE, BETWEEN)
