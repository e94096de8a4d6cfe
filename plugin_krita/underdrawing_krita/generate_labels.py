"""What the uses without an underdrawing are called, what they do, and what their buttons say."""

from __future__ import annotations

from .generate_tasks import Use
from .interpolate_options import Way

# The uses in the order in which they are offered.
TITLES: dict[Use, str] = {
    Use.HARMONIZE: "Harmonize a pasted layer",
    Use.BLEND: "Blend a rough edit",
    Use.REPAINT: "Repaint a rough painting",
    Use.VARY: "Variations",
    Use.RESIZE: "Any size",
    Use.ANIMATE: "Animate",
    Use.ENLARGE: "Enlarge",
    Use.BETWEEN: "Between two pictures",
}

# A sentence for each.
ABOUT: dict[Use, str] = {
    Use.HARMONIZE: "What was pasted takes on the picture's light, colours and brushwork.",
    Use.BLEND: "The seams of a part that was moved, cloned or stretched by hand become natural.",
    Use.REPAINT: "A few rough strokes become a part of the picture's world.",
    Use.VARY: "Other pictures of the same kind, as layers.",
    Use.RESIZE: "The scene in another size or shape: painted anew, not stretched.",
    Use.ANIMATE: "The picture moves a little, in a loop.",
    Use.ENLARGE: "More pixels, with fine detail after the picture's own.",
    Use.BETWEEN: "What lies on the way from this picture to another one.",
}

# The same for what is made of the way between two pictures.
WAYS: dict[Way, tuple[str, str]] = {
    Way.PLACE: ("Make this place", "It becomes a layer on top"),
    Way.LAYERS: ("Make the way", "Its pictures become the layers of a group on top"),
    Way.CLIP: ("Make the clip", "Its frames become the layers of a document of its own"),
}

_OVER = "A new layer over this one. Outside of it nothing changes"
# Text and tooltip of the button that begins.
BUTTONS: dict[Use, tuple[str, str]] = {
    Use.HARMONIZE: ("Harmonize", _OVER),
    Use.BLEND: ("Blend", _OVER),
    Use.REPAINT: ("Repaint", _OVER),
    Use.VARY: ("Make variations", "They become the layers of a group on top"),
    Use.RESIZE: ("Make the new size", "It becomes a document of its own"),
    Use.ANIMATE: ("Animate", "Its frames become the layers of a document of its own"),
    Use.ENLARGE: ("Enlarge", "It becomes a document of its own"),
    Use.BETWEEN: WAYS[Way.PLACE],
}
