"""What the uses without an underdrawing are called, what they do, and what their buttons say."""

from __future__ import annotations

from .generate_tasks import Use
from .i18n import tr
from .interpolate_options import Way


def titles() -> dict[Use, str]:
    """The uses in the order in which they are offered."""
    return {
        Use.HARMONIZE: tr("Harmonize a pasted layer"),
        Use.BLEND: tr("Blend a rough edit"),
        Use.REPAINT: tr("Repaint a rough painting"),
        Use.VARY: tr("Variations"),
        Use.RESIZE: tr("Any size"),
        Use.ANIMATE: tr("Animate"),
        Use.ENLARGE: tr("Enlarge"),
        Use.BETWEEN: tr("Between two pictures"),
    }


def about() -> dict[Use, str]:
    """A sentence for each."""
    return {
        Use.HARMONIZE: tr("What was pasted takes on the picture's light, colours and brushwork."),
        Use.BLEND: tr("The seams of a part that was moved, cloned or stretched by hand become natural."),
        Use.REPAINT: tr("A few rough strokes become a part of the picture's world."),
        Use.VARY: tr("Other pictures of the same kind, as layers."),
        Use.RESIZE: tr("The scene in another size or shape: painted anew, not stretched."),
        Use.ANIMATE: tr("The picture moves a little, in a loop."),
        Use.ENLARGE: tr("More pixels, with fine detail after the picture's own."),
        Use.BETWEEN: tr("What lies on the way from this picture to another one."),
    }


def buttons() -> dict[Use, tuple[str, str]]:
    """Text and tooltip of the button that begins."""
    over = tr("A new layer over this one. Outside of it nothing changes")
    return {
        Use.HARMONIZE: (tr("Harmonize"), over),
        Use.BLEND: (tr("Blend"), over),
        Use.REPAINT: (tr("Repaint"), over),
        Use.VARY: (tr("Make variations"), tr("They become the layers of a group on top")),
        Use.RESIZE: (tr("Make the new size"), tr("It becomes a document of its own")),
        Use.ANIMATE: (tr("Animate"), tr("Its frames become the layers of a document of its own")),
        Use.ENLARGE: (tr("Enlarge"), tr("It becomes a document of its own")),
        Use.BETWEEN: ways()[Way.PLACE],
    }


def ways() -> dict[Way, tuple[str, str]]:
    """The same for what is made of the way between two pictures."""
    return {
        Way.PLACE: (tr("Make this place"), tr("It becomes a layer on top")),
        Way.LAYERS: (tr("Make the way"), tr("Its pictures become the layers of a group on top")),
        Way.CLIP: (tr("Make the clip"), tr("Its frames become the layers of a document of its own")),
    }
