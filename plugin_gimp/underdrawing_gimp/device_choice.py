"""The argument `device` of every procedure that trains, and its list, which offers what the engine has."""

from __future__ import annotations

from typing import Any

from .arguments import Argument

CARD = "cuda"
DEVICE = Argument(
    "choice",
    "device",
    "De_vice",
    "What trains the model. Automatic: the graphics card, where there is one.",
    "auto",
    choices=(("auto", "Automatic"), ("cpu", "Processor"), (CARD, "Graphics card")),
)


def offer(box: Any, methods: dict[str, Any]) -> None:
    """Take the graphics card out of a drop-down list of `DEVICE.choices` where the engine has none.

    Args:
        methods: the engine's answer to the verb of that name.
    """
    if any(device["kind"] == CARD for device in methods["devices"]):
        return
    rows = box.get_model()
    place = [name for name, _ in DEVICE.choices].index(CARD)
    if box.get_active() == place:  # GIMP remembers what was chosen while there was one
        box.set_active(0)
    rows.remove(rows[place].iter)
