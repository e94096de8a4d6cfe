"""What trains: the list to choose it from, on every page where training begins."""

from __future__ import annotations

from typing import Any

from .widgets import choice, refill


def device_choice(name: str) -> Any:
    """The list; it offers devices once the engine has said which there are."""
    return choice(name, "What the training runs on", [("Automatic", "auto")])


def offer(box: Any, devices: list[dict[str, Any]]) -> None:
    """Offer the kinds of devices that the engine has.

    Args:
        devices: those of the verb `methods`.
    """
    names = {"cpu": "Processor", "cuda": "Graphics card"}
    kinds = list(dict.fromkeys(str(entry.get("kind")) for entry in devices))
    refill(box, [("Automatic", "auto"), *((names[kind], kind) for kind in kinds if kind in names)])
