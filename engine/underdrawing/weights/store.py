"""Where the converted weights lie on disk. Standard library alone: the daemon asks it, too."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from underdrawing.weights.catalogue import CATALOGUE, DEFAULT, Entry


class WeightsError(Exception):
    """Weights cannot be had. The text is one sentence for the user: what is wrong and what to do."""


def folder(engine_home: Path | None = None) -> Path:
    """The folder of the weights: `$UNDERDRAWING_WEIGHTS` (to share one between homes), else `<home>/weights`."""
    given = os.environ.get("UNDERDRAWING_WEIGHTS")
    if given:
        return Path(given)
    if engine_home is not None:
        return engine_home / "weights"
    from underdrawing.client.endpoint import home

    return home() / "weights"


def entry(name: str) -> Entry:
    """The catalogue's entry of that name. Raises WeightsError for a name that is not in it."""
    found = CATALOGUE.get(name)
    if found is None:
        raise WeightsError(f"There are no weights called '{name}'; the names are {', '.join(CATALOGUE)}.")
    return found


def path(name: str) -> Path | None:
    """The file of these weights when it is there (files appear whole or not at all), else None."""
    found = folder() / entry(name).file
    return found if found.is_file() else None


def missing(names: Iterable[str] = DEFAULT) -> tuple[str, ...]:
    """Those of the names (the default set, if none are given) whose file is not there."""
    return tuple(name for name in names if path(name) is None)
