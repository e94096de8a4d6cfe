"""What the uses without an underdrawing are called, what they do, and what their buttons say."""

from __future__ import annotations

from .generate_tasks import Use
from .interpolate_options import Way


def titles() -> dict[Use, str]:
    """The uses in the order in which they are offered."""
    return {
        Use.HARMONIZE: "Harmonize a pasted layer",
        Use.BLEND: "Blend a rough edit",
        Use.REPAINT: "Repaint a rough painting",
        Use.VARY: "Variations",
        Use.RESIZE: "Any size",
        Use.ANIMATE: "Animate",
        Use.ENLARGE: "Enlarge",
        Use.BETWEEN: "Between two pictures",
    }


def about() -> dict[Use, str]:
    """A sentence for each."""
    return {
        Use.HARMONIZE: "What was pasted takes on the picture's light, colours and brushwork.",
        Use.BLEND: "The seams of a part that was moved, cloned or stretched by hand become natural.",
        Use.REPAINT: "A few rough strokes become a part of the picture's world.",
        Use.VARY: "Other pictures of the same kind, as layers.",
        Use.RESIZE: "The scene in another size or shape: painted anew, not stretched.",
        Use.ANIMATE: "The picture moves a little, in a loop.",
        Use.ENLARGE: "More pixels, with fine detail after the picture's own.",
        Use.BETWEEN: "What lies on the way from this picture to another one.",
    }


def buttons() -> dict[Use, tuple[str, str]]:
    """Text and tooltip of the button that begins."""
    over = "A new layer over this one. Outside of it nothing changes"
    return {
        Use.HARMONIZE: ("Harmonize", over),
        Use.BLEND: ("Blend", over),
        Use.REPAINT: ("Repaint", over),
        Use.VARY: ("Make variations", "They become the layers of a group on top"),
        Use.RESIZE: ("Make the new size", "It becomes a document of its own"),
        Use.ANIMATE: ("Animate", "Its frames become the layers of a document of its own"),
        Use.ENLARGE: ("Enlarge", "It becomes a document of its own"),
        Use.BETWEEN: ways()[Way.PLACE],
    }


def ways() -> dict[Way, tuple[str, str]]:
    """The same for what is made of the way between two pictures."""
    return {
        Way.PLACE: ("Make this place", "It becomes a layer on top"),
        Way.LAYERS: ("Make the way", "Its pictures become the layers of a group on top"),
        Way.CLIP: ("Make the clip", "Its frames become the layers of a document of its own"),
    }
