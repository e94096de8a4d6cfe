"""The methods, one file each. `find(name)` is how everybody else reaches them."""

from __future__ import annotations

import importlib
import pkgutil

from underdrawing.train.method import Method, TrainingError

__all__ = ["everything", "find"]


def everything() -> dict[str, Method]:
    """All methods by name: every module of this package that defines METHOD."""
    methods: dict[str, Method] = {}
    for module in pkgutil.iter_modules(__path__):
        method = getattr(importlib.import_module(f"{__name__}.{module.name}"), "METHOD", None)
        if method is not None:
            methods[method.name] = method
    return methods


def find(name: str) -> Method:
    """The method with this name.

    Raises:
        TrainingError: there is none; the text lists those that exist.
    """
    methods = everything()
    if name not in methods:
        raise TrainingError(
            "unknown_method", f"There is no method called {name!r}.", f"Choose one of: {', '.join(methods)}."
        )
    return methods[name]
