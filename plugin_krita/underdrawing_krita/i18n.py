"""Words that people read go through Krita's own translation call."""

from __future__ import annotations

import builtins
from typing import Any, Callable


def tr(text: str) -> str:
    """A text in the user's language, where Krita has it; as it is, where there is no Krita."""
    translate: Callable[[str], Any] | None = getattr(builtins, "i18n", None)
    return text if translate is None else str(translate(text))


def size(count: float) -> str:
    """A number of bytes as people say it."""
    for unit in ("B", "KB", "MB"):
        if count < 1000:
            return "%.0f %s" % (count, unit)
        count /= 1000
    return "%.1f GB" % count
