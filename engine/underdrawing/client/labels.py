"""Sentences, names, limits and defaults that several front ends share."""

from __future__ import annotations

from typing import Any, Dict

from .requests import GenerateRequest

AREAS = 12  # parts of another picture that are listed, where a person matches them with a model's classes
COUNT, FRAMES = GenerateRequest.count, GenerateRequest.frames  # variations; frames of an animation
FREEDOM, LIGHT = GenerateRequest.freedom, GenerateRequest.light
FRAMES_A_SECOND = 12.0  # of animations, where the engine does not say

RECIPES: Dict[str, str] = {  # what is trained for a task where no model of the picture can do it yet
    "harmonize": "harmonize",
    "blend": "blend",
    "repaint": "blend",
    "vary": "vary",
    "resize": "vary",
    "animate": "animate",
    "enlarge": "enlarge",
}
USUAL_SECONDS = {"harmonize": 150.0, "blend": 150.0, "vary": 180.0, "animate": 180.0, "enlarge": 120.0}  # of training

MEASURED = ("edits", "areas", "used", "closer")  # what a manifest's `measured` holds

NO_FOLDER_MODEL = "There is no folder model yet."
ONNXRUNTIME_ABSENT = (
    "onnxruntime is not installed: drafts work, trained models cannot run.",
    "Install it: pip install 'underdrawing[cpu]', or with an NVIDIA card 'underdrawing[cuda]'",
)
FOLDER_MODEL_GONE = "The folder model is not there any more."
FOLDER_MODEL_HINT = "Train one in a terminal: underdrawing meta train FOLDER --name NAME"
CHOOSE_ANOTHER = "Choose another one, or train this picture."


def model_name(title: str, what: str = "") -> str:
    """The name of a new model: printable, at most 120 characters."""
    plain = "".join(letter if letter.isprintable() else " " for letter in title).strip() or "picture"
    added = "".join(letter for letter in what if letter.isprintable())
    return ("%s, %s" % (plain[:80], added) if added else plain)[:120]


def duration(seconds: float) -> str:
    """A length of time as people read it: "45 s", "2:05 min", "1:10 h"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return "%d s" % whole
    if whole < 3600:
        return "%d:%02d min" % divmod(whole, 60)
    return "%d:%02d h" % divmod(whole // 60, 60)


def device(name: str) -> str:
    """What computes, in words, from the engine's name for it."""
    return "graphics card" if name.lower().startswith(("cuda", "gpu")) else "processor"


def measured(figures: Dict[str, Any]) -> str:
    """What a training measured on its own picture, from a finished job's or a manifest's figures; "" if nothing."""
    found = figures.get("measured")
    if not isinstance(found, dict) or not all(isinstance(found.get(key), (int, float)) for key in MEASURED):
        return ""
    seconds = figures.get("seconds")
    after = ", after %s of training" % duration(float(seconds)) if isinstance(seconds, (int, float)) else ""
    start = "Measured on %d edits of this picture that were undone again%s: the trained model is"
    begin = start % (found["edits"], after)
    if not found["used"]:
        return begin + " not closer than the draft. The draft is used."
    return begin + " %.0f %% closer than the draft in %d of %d areas. It is used there." % (
        100 * found["closer"],
        found["used"],
        found["areas"],
    )
