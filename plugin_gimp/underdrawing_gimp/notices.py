"""Sentences for a person that need no answer."""

from __future__ import annotations

from collections.abc import Sequence

from .gi import Gimp

ROOM = 110  # characters of a line that GIMP shows below the picture; what is longer would be a box of its own


def say(notes: Sequence[str]) -> None:
    """Show sentences in the line below the picture, as many as there is room for, the most important first."""
    text = ""
    for note in dict.fromkeys(notes):
        if text and len(text) + 1 + len(note) > ROOM:
            break
        text = (text + " " + note).strip()
    if text:
        Gimp.message(text if len(text) <= ROOM else text[: ROOM - 1] + "…")
